//! Activities: groups of related events.

use crate::enums::{ActivityStatus, OpType};
use crate::trackable::{InvalidEntity, trackable};
use crate::tracking_id::TrackingId;

trackable! {
    /// A group of events and activities that belong together, such as the steps of one order. The members name it as their
    /// parent. Build one with [`Activity::builder`].
    ///
    /// ```
    /// use jkool_model::{Activity, ActivityStatus, SourceFqn, Timestamp};
    /// use std::time::Duration;
    ///
    /// let activity = Activity::builder()
    ///     .operation("Checkout")
    ///     .source("APPL=WebOrders".parse::<SourceFqn>()?)
    ///     .start_time(Timestamp::from_usec(1_457_524_799_000_000))
    ///     .elapsed(Duration::from_secs(1))
    ///     .status(ActivityStatus::End)
    ///     .build()?;
    /// assert_eq!(activity.end_time, Some(Timestamp::from_usec(1_457_524_800_000_000)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct Activity("an activity: an object") {
        "type" => /// Always [`OpType::Activity`] in what we write.
            op_type: OpType = OpType::Activity,
        "status" => /// Where it stands.
            status: Option<ActivityStatus>,
        "id-set" => /// The ids and correlators of its members.
            id_set: Vec<crate::Text>,
    }
}

impl Activity {
    /// Returns a builder for an activity. It gets a new tracking id, unless one is set.
    pub fn builder() -> ActivityBuilder {
        let activity = Activity { status: Some(ActivityStatus::End), ..Self::default() };
        ActivityBuilder { activity: Box::new(activity) }
    }

    fn validate_own(&self) -> Result<(), InvalidEntity> {
        match self.operation.is_empty() {
            true => Err(InvalidEntity::Missing { field: "operation" }),
            false => Ok(()),
        }
    }
}

/// Builds an [`Activity`]. Each setter sets one field; `build` validates them.
#[derive(Debug, Clone)]
#[must_use = "an activity does nothing until it is built and emitted"]
pub struct ActivityBuilder {
    /// Boxed, because it is moved by each call.
    activity: Box<Activity>,
}

impl ActivityBuilder {
    crate::__trackable_setters!(activity);
    crate::__activity_setters!(activity);

    /// Validates the fields and returns the activity.
    ///
    /// # Errors
    /// If it has no operation or no source, a time is outside of the years 1970 to 9999, the end is before the start, or start,
    /// end and elapsed time contradict each other.
    pub fn build(mut self) -> Result<Activity, InvalidEntity> {
        self.activity.complete_times();
        self.activity.validate()?;
        self.activity.tracking_id.get_or_insert_with(TrackingId::random);
        Ok(*self.activity)
    }
}

/// The setters that only an activity has; see `__trackable_setters`.
#[doc(hidden)]
#[macro_export]
macro_rules! __activity_setters {
    ($activity:ident) => {
        /// Sets the status. The default is [`ActivityStatus::End`]($crate::ActivityStatus::End).
        #[inline]
        pub fn status(mut self, status: $crate::ActivityStatus) -> Self {
            self.$activity.status = Some(status);
            self
        }

        /// Adds the id of a member: an event, a snapshot or another activity.
        #[inline]
        pub fn child(mut self, id: impl Into<$crate::TrackingId>) -> Self {
            self.$activity.id_set.push(id.into().to_string().into());
            self
        }
    };
}
