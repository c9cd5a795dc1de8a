//! What events and activities share: fields, setters, validation.

use crate::source::SourceFqn;
use crate::timestamp::Timestamp;
use std::fmt::{Display, Write as _};

/// Adds the common fields to the table of a [`wire_struct!`](crate::wire::wire_struct).
macro_rules! trackable {
    (
        $(#[$meta:meta])*
        pub struct $name:ident($expecting:literal) { $($own:tt)* }
    ) => {
        $crate::wire::wire_struct! {
            $(#[$meta])*
            pub struct $name($expecting) {
                $($own)*
                "operation" => /// What was done: the name of the event or activity.
                    operation: $crate::Text,
                "severity" => /// How grave it is.
                    severity: $crate::Severity,
                "tracking-id" => /// Its own id.
                    tracking_id: Option<$crate::TrackingId>,
                "parent-id" | "parent-tracking-id" => /// The id of the activity or event that it belongs to.
                    parent_id: Option<$crate::TrackingId>,
                "corrid" | "corr-id" => /// Correlators: whatever shares one is related.
                    correlators: Vec<$crate::Text>,
                "source-fqn" => /// Where it comes from. A text that is no source name is read as a GENERIC one.
                    source: Option<$crate::SourceFqn>,
                "source-ssn" => /// A short name of the source, as TNT4J sends it.
                    source_short_name: $crate::Text,
                "source-url" => /// A url of the source.
                    source_url: $crate::Text,
                "time-usec" => /// When it was reported.
                    time: Option<$crate::Timestamp>,
                "start-time-usec" => /// When the operation started.
                    start_time: Option<$crate::Timestamp>,
                "end-time-usec" => /// When the operation ended.
                    end_time: Option<$crate::Timestamp>,
                "elapsed-time-usec" => /// How long the operation took, in microseconds.
                    elapsed_usec: Option<i64>,
                "wait-time-usec" | "wait-time-used" => /// How much of that it was blocked or waiting, in microseconds.
                    wait_usec: Option<i64>,
                "comp-code" => /// How it ended.
                    comp_code: Option<$crate::CompCode>,
                "reason-code" => /// A number that tells why, in the terms of the operation; 0 means none.
                    reason_code: Option<i64>,
                "exception" => /// The error that occurred, with its causes.
                    exception: $crate::Text,
                "resource" => /// What was operated on: a queue, a table, a file.
                    resource: $crate::Text,
                "location" => /// Where it happened: a place, or latitude and longitude.
                    location: $crate::Text,
                "user" => /// On whose behalf.
                    user: $crate::Text,
                "pid" => /// The process.
                    pid: Option<i64>,
                "tid" => /// The thread.
                    tid: Option<i64>,
                "ttl-sec" => /// How long to keep it, in seconds, as TNT4J sends it: 0 as usual, -1 not at all.
                    ttl_sec: Option<i64>,
                "_guid" => /// A global id, as TNT4J sends it.
                    guid: $crate::Text,
                "tracking-sign" => /// A signature, as TNT4J sends it.
                    tracking_sign: $crate::Text,
                "properties" => /// Details, as typed properties.
                    properties: Vec<$crate::Property>,
                "snapshots" => /// Sets of metrics taken with it.
                    snapshots: Vec<$crate::Snapshot>,
            }
        }

        impl $name {
            /// Validates it by the rules of the service.
            ///
            /// # Errors
            /// The first field that is missing or invalid.
            pub fn validate(&self) -> Result<(), $crate::InvalidEntity> {
                $crate::trackable::Times {
                    report: self.time,
                    start: self.start_time,
                    end: self.end_time,
                    elapsed: self.elapsed_usec,
                    wait: self.wait_usec,
                }
                .validate()?;
                self.validate_own()?;
                $crate::trackable::require_source(self.source.as_ref())
            }

            /// Computes the third of start, end and elapsed time if two of them are set. A result that does not fit 64 bits is
            /// not set, and `validate` reports it.
            pub fn complete_times(&mut self) {
                match (self.start_time, self.end_time, self.elapsed_usec) {
                    (Some(start), Some(end), None) if start <= end => {
                        self.elapsed_usec = Some(end.as_usec().saturating_sub(start.as_usec()));
                    }
                    (Some(start), None, Some(elapsed)) => {
                        self.end_time = Some($crate::Timestamp::from_usec(start.as_usec().saturating_add(elapsed)));
                    }
                    (None, Some(end), Some(elapsed)) => {
                        self.start_time = Some($crate::Timestamp::from_usec(end.as_usec().saturating_sub(elapsed)));
                    }
                    _ => {}
                }
            }
        }
    };
}

pub(crate) use trackable;

/// An error from validation: why an event, activity or snapshot cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEntity {
    /// A field that the service requires is missing.
    #[error("{field} is missing")]
    Missing {
        /// The field, by its name on the wire.
        field: &'static str,
    },
    /// A time before 1970 or after the year 9999.
    #[error("{field} is {usec} µs since 1970, not between the years 1970 and 9999")]
    TimeOutOfRange {
        /// The field, by its name on the wire.
        field: &'static str,
        /// Its value, in microseconds.
        usec: i64,
    },
    /// A negative duration.
    #[error("{field} is negative: {usec} µs")]
    Negative {
        /// The field, by its name on the wire.
        field: &'static str,
        /// Its value, in microseconds.
        usec: i64,
    },
    /// The end is before the start.
    #[error("end-time-usec {end} is before start-time-usec {start}")]
    EndBeforeStart {
        /// The start, in microseconds since 1970.
        start: i64,
        /// The end, in microseconds since 1970.
        end: i64,
    },
    /// Start, end and elapsed time contradict each other.
    #[error("elapsed-time-usec is {elapsed}, but start-time-usec and end-time-usec are {between} µs apart")]
    ElapsedDisagrees {
        /// The elapsed time, in microseconds.
        elapsed: i64,
        /// The time between start and end, in microseconds.
        between: i64,
    },
}

impl InvalidEntity {
    /// Returns the name on the wire of the field that is missing or invalid.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Missing { field } | Self::TimeOutOfRange { field, .. } | Self::Negative { field, .. } => field,
            Self::EndBeforeStart { .. } => "end-time-usec",
            Self::ElapsedDisagrees { .. } => "elapsed-time-usec",
        }
    }
}

pub(crate) fn require_source(source: Option<&SourceFqn>) -> Result<(), InvalidEntity> {
    source.map(|_| ()).ok_or(InvalidEntity::Missing { field: "source-fqn" })
}

pub(crate) fn require_in_range(field: &'static str, time: Option<Timestamp>) -> Result<(), InvalidEntity> {
    match time {
        Some(time) if !(Timestamp::from_usec(0)..=Timestamp::MAX).contains(&time) => {
            Err(InvalidEntity::TimeOutOfRange { field, usec: time.as_usec() })
        }
        _ => Ok(()),
    }
}

/// The times of an event or activity.
pub(crate) struct Times {
    pub(crate) report: Option<Timestamp>,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) elapsed: Option<i64>,
    pub(crate) wait: Option<i64>,
}

impl Times {
    pub(crate) fn validate(&self) -> Result<(), InvalidEntity> {
        require_in_range("time-usec", self.report)?;
        require_in_range("start-time-usec", self.start)?;
        require_in_range("end-time-usec", self.end)?;
        for (field, duration) in [("elapsed-time-usec", self.elapsed), ("wait-time-usec", self.wait)] {
            if let Some(usec @ ..=-1) = duration {
                return Err(InvalidEntity::Negative { field, usec });
            }
        }
        let (Some(start), Some(end)) = (self.start, self.end) else { return Ok(()) };
        let (start, end) = (start.as_usec(), end.as_usec());
        if end < start {
            return Err(InvalidEntity::EndBeforeStart { start, end });
        }
        match self.elapsed {
            Some(elapsed) if elapsed != end - start => {
                Err(InvalidEntity::ElapsedDisagrees { elapsed, between: end - start })
            }
            _ => Ok(()),
        }
    }
}

/// Converts a duration to microseconds; a larger one than fits 64 bits becomes the maximum.
#[doc(hidden)]
pub fn usec(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The setters of fields that events and activities share, for a builder that has the entity in `$entity`. The builders of this
/// crate and of the client use them.
#[doc(hidden)]
#[macro_export]
macro_rules! __trackable_setters {
    ($entity:ident) => {
        /// Sets the operation: the name of the event or activity.
        #[inline]
        pub fn operation(mut self, operation: impl Into<$crate::Text>) -> Self {
            self.$entity.operation = operation.into();
            self
        }

        /// Sets the severity. The default is [`Severity::Info`]($crate::Severity::Info).
        #[inline]
        pub fn severity(mut self, severity: $crate::Severity) -> Self {
            self.$entity.severity = severity;
            self
        }

        /// Sets its tracking id, which replaces the generated one.
        #[inline]
        pub fn tracking_id(mut self, id: impl Into<$crate::TrackingId>) -> Self {
            self.$entity.tracking_id = Some(id.into());
            self
        }

        /// Sets the id of the activity or event that it belongs to.
        #[inline]
        pub fn parent_id(mut self, id: impl Into<$crate::TrackingId>) -> Self {
            self.$entity.parent_id = Some(id.into());
            self
        }

        /// Adds a correlator. Entities with the same correlator are related.
        #[inline]
        pub fn correlator(mut self, correlator: impl Into<$crate::Text>) -> Self {
            self.$entity.correlators.push(correlator.into());
            self
        }

        /// Sets its source.
        #[inline]
        pub fn source(mut self, source: $crate::SourceFqn) -> Self {
            self.$entity.source = Some(source);
            self
        }

        /// Sets a url of the source.
        #[inline]
        pub fn source_url(mut self, url: impl Into<$crate::Text>) -> Self {
            self.$entity.source_url = url.into();
            self
        }

        /// Sets the time at which it is reported.
        #[inline]
        pub fn time(mut self, time: impl Into<$crate::Timestamp>) -> Self {
            self.$entity.time = Some(time.into());
            self
        }

        /// Sets the time at which the operation started. If two of start, end and elapsed time are set, the third is computed.
        #[inline]
        pub fn start_time(mut self, time: impl Into<$crate::Timestamp>) -> Self {
            self.$entity.start_time = Some(time.into());
            self
        }

        /// Sets the time at which the operation ended.
        #[inline]
        pub fn end_time(mut self, time: impl Into<$crate::Timestamp>) -> Self {
            self.$entity.end_time = Some(time.into());
            self
        }

        /// Sets how long the operation took. On the wire it is in microseconds.
        #[inline]
        pub fn elapsed(mut self, elapsed: std::time::Duration) -> Self {
            self.$entity.elapsed_usec = Some($crate::usec(elapsed));
            self
        }

        /// Sets how much of that time the operation was blocked or waiting. On the wire it is in microseconds.
        #[inline]
        pub fn wait_time(mut self, wait: std::time::Duration) -> Self {
            self.$entity.wait_usec = Some($crate::usec(wait));
            self
        }

        /// Sets the outcome.
        #[inline]
        pub fn comp_code(mut self, code: $crate::CompCode) -> Self {
            self.$entity.comp_code = Some(code);
            self
        }

        /// Sets a number for the reason of the outcome, defined by the operation.
        #[inline]
        pub fn reason_code(mut self, code: i64) -> Self {
            self.$entity.reason_code = Some(code);
            self
        }

        /// Sets the error that occurred, as text.
        #[inline]
        pub fn exception(mut self, exception: impl Into<$crate::Text>) -> Self {
            self.$entity.exception = exception.into();
            self
        }

        /// Sets the error that occurred, with its chain of causes.
        #[inline]
        pub fn error(self, error: &dyn std::error::Error) -> Self {
            self.exception($crate::error_chain(error))
        }

        /// Sets the resource that the operation used: a queue, a table, a file.
        #[inline]
        pub fn resource(mut self, resource: impl Into<$crate::Text>) -> Self {
            self.$entity.resource = resource.into();
            self
        }

        /// Sets the location: a place, or latitude and longitude.
        #[inline]
        pub fn location(mut self, location: impl Into<$crate::Text>) -> Self {
            self.$entity.location = location.into();
            self
        }

        /// Sets the user on whose behalf it happened.
        #[inline]
        pub fn user(mut self, user: impl Into<$crate::Text>) -> Self {
            self.$entity.user = user.into();
            self
        }

        /// Sets the process id.
        #[inline]
        pub fn pid(mut self, pid: u32) -> Self {
            self.$entity.pid = Some(pid.into());
            self
        }

        /// Sets the thread id.
        #[inline]
        pub fn tid(mut self, tid: i64) -> Self {
            self.$entity.tid = Some(tid);
            self
        }

        /// Adds a typed property. For a [`Property`]($crate::Property) with a value type, use
        /// [`add_property`](Self::add_property).
        #[inline]
        pub fn property(self, name: impl Into<$crate::Text>, value: impl Into<$crate::TypedValue>) -> Self {
            self.add_property($crate::Property::new(name, value))
        }

        /// Adds a property.
        #[inline]
        pub fn add_property(mut self, property: $crate::Property) -> Self {
            self.$entity.properties.push(property);
            self
        }

        /// Adds a snapshot: a [`Snapshot`]($crate::Snapshot), or a value or reference that can be converted to one.
        #[inline]
        pub fn snapshot(mut self, snapshot: impl $crate::ToSnapshot) -> Self {
            let snapshots = &mut self.$entity.snapshots;
            // Most events have at most one, and it is large.
            if snapshots.capacity() == 0 {
                snapshots.reserve_exact(1);
            }
            snapshots.push(snapshot.into_snapshot());
            self
        }
    };
}

/// Formats an error and its causes on one line: `outer: middle: inner`.
///
/// ```
/// let error = "x".parse::<i32>().unwrap_err();
/// assert_eq!(jkool_model::error_chain(&error), "invalid digit found in string");
/// ```
///
/// A cause is omitted if the text before it already ends with it. If the `Display` implementation of an error fails, its text
/// ends with `[failed]`.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut chain = text_of(error);
    // An error may be its own cause, by mistake.
    for cause in std::iter::successors(error.source(), |cause| cause.source()).take(64) {
        let cause = text_of(cause);
        // Many errors include their cause in their text.
        if !chain.ends_with(&cause) {
            chain.push_str(": ");
            chain.push_str(&cause);
        }
    }
    chain
}

/// Appended to a text whose `Display` implementation failed.
#[doc(hidden)]
pub const FORMAT_FAILED: &str = "[failed]";

/// Not `to_string`, which panics if the `Display` implementation fails.
pub(crate) fn text_of<T: Display + ?Sized>(value: &T) -> String {
    let mut text = String::new();
    if write!(text, "{value}").is_err() {
        text.push_str(FORMAT_FAILED);
    }
    text
}
