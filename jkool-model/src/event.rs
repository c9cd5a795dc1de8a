//! An event: something that happened.

use crate::enums::{LogType, OpType};
use crate::trackable::{InvalidEntity, trackable};
use crate::tracking_id::TrackingId;
use crate::{Text, tags};

trackable! {
    /// Something that happened, with its decoration.
    ///
    /// Build one with [`Event::builder`]; the fields are open for reading, and for changing in a hook. An empty text means
    /// that nothing is said, and is not written.
    ///
    /// Reading takes what every known client sends: older spellings, quoted numbers, null for absent, a text where a list
    /// belongs. Unknown fields are passed over.
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
    /// A builder of an event, which gets a fresh tracking id unless it is given one.
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

/// Builds an [`Event`]. Each setter is one field; `build` checks.
#[derive(Debug, Clone)]
#[must_use = "an event does nothing until it is built and emitted"]
pub struct EventBuilder {
    /// Boxed, for it is handed on from call to call.
    event: Box<Event>,
}

impl EventBuilder {
    crate::__trackable_setters!(event);
    crate::__event_setters!(event);

    /// The finished event.
    ///
    /// # Errors
    /// When it has no source, a time lies outside the years 1970 to 9999, the end lies before the start, or start, end and
    /// elapsed time disagree.
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
        /// What kind of operation it records; [`OpType::Event`]($crate::OpType::Event) unless said otherwise.
        #[inline]
        pub fn op_type(mut self, op_type: $crate::OpType) -> Self {
            self.$event.op_type = op_type;
            self
        }

        /// The message.
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

        /// The age of the message when it was received; on the wire in microseconds.
        #[inline]
        pub fn message_age(mut self, age: std::time::Duration) -> Self {
            self.$event.message_age_usec = Some($crate::usec(age));
            self
        }

        /// The size of the message, in characters.
        #[inline]
        pub fn message_size(mut self, characters: u32) -> Self {
            self.$event.message_size = Some(characters.into());
            self
        }

        /// The message's media type.
        #[inline]
        pub fn mime_type(mut self, mime_type: impl Into<$crate::Text>) -> Self {
            self.$event.mime_type = mime_type.into();
            self
        }

        /// The message's encoding: `none`, `base64`.
        #[inline]
        pub fn encoding(mut self, encoding: impl Into<$crate::Text>) -> Self {
            self.$event.encoding = encoding.into();
            self
        }

        /// The message's character set.
        #[inline]
        pub fn charset(mut self, charset: impl Into<$crate::Text>) -> Self {
            self.$event.charset = charset.into();
            self
        }

        /// Makes it a log entry about `log_type`.
        #[inline]
        pub fn log_type(mut self, log_type: $crate::LogType) -> Self {
            self.$event.op_type = $crate::OpType::Log;
            self.$event.log_type = Some(log_type);
            self
        }
    };
}
