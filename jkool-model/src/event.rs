//! Events: something that happened.

use crate::enums::{LogType, OpType};
use crate::trackable::{InvalidEntity, trackable};
use crate::tracking_id::TrackingId;
use crate::{Text, tags};

trackable! {
    /// Something that happened at one point in time, with all that is known about it.
    ///
    /// Build one with [`Event::builder`]. The fields are public, to be read, and to be changed in a hook. An empty text is
    /// absent: it is not written.
    ///
    /// Deserializing accepts the formats of all known clients: older spellings, quoted numbers, null for absent fields, a text
    /// instead of a list. Unknown fields are ignored.
    ///
    /// ```
    /// use jkool_model::{Event, Severity, SourceFqn};
    ///
    /// let source = SourceFqn::builder().appl("WebOrders").server("web-1").build()?;
    /// let event = Event::builder()
    ///     .operation("ProcessOrder")
    ///     .message("Order processed")
    ///     .severity(Severity::Notice)
    ///     .source(source)
    ///     .correlator("order-42")
    ///     .build()?;
    /// let json = serde_json::to_string(&event)?;
    /// assert_eq!(serde_json::from_str::<Event>(&json)?, event);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct Event("an event: an object") {
        "type" => /// What kind of operation it records.
            op_type: OpType,
        "msg-text" => /// The message.
            message: Text,
        "msg-tag" via tags => /// Search labels.
            tags: Vec<Text>,
        "msg-age" | "msg-age-usec" => /// The age of the message, in microseconds.
            message_age_usec: Option<i64>,
        "msg-size" => /// The size of the message, in characters.
            message_size: Option<i64>,
        "mime-type" => /// The message's media type.
            mime_type: Text,
        "encoding" => /// The message's encoding: `none`, `base64`.
            encoding: Text,
        "charset" => /// The message's character set.
            charset: Text,
        "log-type" => /// What a log entry is about.
            log_type: Option<LogType>,
        "relate-type" => /// How two sources are related, as TNT4J sends it.
            relation_type: Text,
        "relate-afqn" => /// The one source of that relation.
            relation_a: Text,
        "relate-bfqn" => /// The other source of that relation.
            relation_b: Text,
    }
}

impl Event {
    /// Returns a builder for an event. It gets a new tracking id, unless one is set.
    pub fn builder() -> EventBuilder {
        EventBuilder { event: Box::default() }
    }

    fn validate_own(&self) -> Result<(), InvalidEntity> {
        match self.message_age_usec {
            Some(usec @ ..=-1) => Err(InvalidEntity::Negative { field: "msg-age", usec }),
            _ => Ok(()),
        }
    }
}

/// Builds an [`Event`]. Each setter sets one field; `build` validates them.
#[derive(Debug, Clone)]
#[must_use = "an event does nothing until it is built and emitted"]
pub struct EventBuilder {
    /// Boxed, because it is moved by each call.
    event: Box<Event>,
}

impl EventBuilder {
    crate::__trackable_setters!(event);
    crate::__event_setters!(event);

    /// Validates the fields and returns the event.
    ///
    /// # Errors
    /// If it has no source, a time is outside of the years 1970 to 9999, the end is before the start, or start, end and elapsed
    /// time contradict each other.
    pub fn build(mut self) -> Result<Event, InvalidEntity> {
        self.event.complete_times();
        self.event.validate()?;
        self.event.tracking_id.get_or_insert_with(TrackingId::random);
        Ok(*self.event)
    }
}

/// The setters that only an event has; see `__trackable_setters`.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_setters {
    ($event:ident) => {
        /// Sets the kind of operation. The default is [`OpType::Event`]($crate::OpType::Event).
        #[inline]
        pub fn op_type(mut self, op_type: $crate::OpType) -> Self {
            self.$event.op_type = op_type;
            self
        }

        /// Sets the message.
        #[inline]
        pub fn message(mut self, message: impl Into<$crate::Text>) -> Self {
            self.$event.message = message.into();
            self
        }

        /// Adds a search label.
        #[inline]
        pub fn tag(mut self, tag: impl Into<$crate::Text>) -> Self {
            self.$event.tags.push(tag.into());
            self
        }

        /// Sets the age of the message when it was received. On the wire it is in microseconds.
        #[inline]
        pub fn message_age(mut self, age: std::time::Duration) -> Self {
            self.$event.message_age_usec = Some($crate::usec(age));
            self
        }

        /// Sets the size of the message, in characters.
        #[inline]
        pub fn message_size(mut self, characters: u32) -> Self {
            self.$event.message_size = Some(characters.into());
            self
        }

        /// Sets the media type of the message.
        #[inline]
        pub fn mime_type(mut self, mime_type: impl Into<$crate::Text>) -> Self {
            self.$event.mime_type = mime_type.into();
            self
        }

        /// Sets the encoding of the message: `none`, `base64`.
        #[inline]
        pub fn encoding(mut self, encoding: impl Into<$crate::Text>) -> Self {
            self.$event.encoding = encoding.into();
            self
        }

        /// Sets the character set of the message.
        #[inline]
        pub fn charset(mut self, charset: impl Into<$crate::Text>) -> Self {
            self.$event.charset = charset.into();
            self
        }

        /// Turns the event into a log entry about `log_type`.
        #[inline]
        pub fn log_type(mut self, log_type: $crate::LogType) -> Self {
            self.$event.op_type = $crate::OpType::Log;
            self.$event.log_type = Some(log_type);
            self
        }
    };
}
