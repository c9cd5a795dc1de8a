//! Builders for events, activities and snapshots that a client emits.

use crate::api::client::Client;
use crate::api::receipt::DeliveryReceipt;
use crate::api::scope::Scope;
use crate::emit::{host, spare_entity};
use crate::queue::overflow::Admission;
use jkool_model::{Activity, Entity, Event, Snapshot, Text, TrackingId};

/// An event that is being built, from [`Client::event`]. Set its fields, then call [`emit`](Self::emit) or
/// [`start`](Self::start).
#[derive(Debug)]
#[must_use = "an event does nothing until it is emitted"]
pub struct EventDraft<'c> {
    client: &'c Client,
    event: Box<Event>,
}

/// An activity that is being built, from [`Client::activity`]. Set its fields, then call [`emit`](Self::emit) or
/// [`start`](Self::start).
#[derive(Debug)]
#[must_use = "an activity does nothing until it is emitted"]
pub struct ActivityDraft<'c> {
    client: &'c Client,
    activity: Box<Activity>,
}

/// A standalone snapshot that is being built, from [`Client::snapshot`]. Set its fields, then call [`emit`](Self::emit).
#[derive(Debug)]
#[must_use = "a snapshot does nothing until it is emitted"]
pub struct SnapshotDraft<'c> {
    client: &'c Client,
    snapshot: Box<Snapshot>,
}

/// The methods that emit, the same for all three.
macro_rules! ways_to_emit {
    () => {
        /// Emits it. It never blocks, unless the overflow policy is [`OverflowPolicy::Block`](crate::OverflowPolicy::Block).
        pub fn emit(self) -> Admission {
            let (client, entity) = self.finish();
            client.emit(entity)
        }

        /// Emits it and returns a receipt with its outcome; see [`Client::emit_tracked`].
        pub fn emit_tracked(self) -> DeliveryReceipt {
            let (client, entity) = self.finish();
            client.emit_tracked(entity)
        }

        /// Emits it from async code, waiting for room while the queue is full; see [`Client::emit_async`].
        ///
        /// # Cancel safety
        /// A future that is dropped before it is ready has emitted nothing.
        pub async fn emit_async(self) -> Admission {
            let (client, entity) = self.finish();
            client.emit_async(entity).await
        }
    };
}

impl Client {
    /// Starts building an event: something that happened at one point in time. It has a tracking id from the start. Fields that
    /// are not set, such as time and thread, are filled in when it is emitted.
    pub fn event(&self, operation: impl Into<Text>) -> EventDraft<'_> {
        EventDraft::new(self).operation(operation)
    }

    /// Starts building an activity: a group of events, which name it as their parent.
    pub fn activity(&self, operation: impl Into<Text>) -> ActivityDraft<'_> {
        ActivityDraft::new(self).operation(operation)
    }

    /// Starts building a snapshot that is sent alone: a set of metrics. Its category is `Default` unless set.
    pub fn snapshot(&self, name: impl Into<Text>) -> SnapshotDraft<'_> {
        SnapshotDraft::new(self).name(name.into())
    }
}

impl<'c> EventDraft<'c> {
    pub(crate) fn new(client: &'c Client) -> Self {
        let mut event = spare_entity::event();
        event.tracking_id = Some(client.next_id());
        Self { client, event }
    }

    jkool_model::__trackable_setters!(event);
    jkool_model::__event_setters!(event);

    /// Returns its tracking id, for events that have it as their parent.
    pub fn id(&self) -> TrackingId {
        self.event.tracking_id.clone().unwrap_or_else(TrackingId::random)
    }

    fn finish(mut self) -> (&'c Client, Entity) {
        self.event.complete_times();
        (self.client, Entity::Event(self.event))
    }

    ways_to_emit!();

    /// Starts to time it: it is emitted with start, end and elapsed time when the scope ends.
    pub fn start(mut self) -> Scope<'c> {
        // The scope may end on another thread.
        self.event.tid.get_or_insert_with(host::current_tid);
        Scope::start(self.client, Entity::Event(self.event))
    }
}

impl<'c> ActivityDraft<'c> {
    pub(crate) fn new(client: &'c Client) -> Self {
        let mut activity = Box::new(Activity::default());
        activity.status = Some(jkool_model::ActivityStatus::End);
        activity.tracking_id = Some(client.next_id());
        Self { client, activity }
    }

    jkool_model::__trackable_setters!(activity);
    jkool_model::__activity_setters!(activity);

    /// Returns its tracking id, for events and activities that belong to it.
    pub fn id(&self) -> TrackingId {
        self.activity.tracking_id.clone().unwrap_or_else(TrackingId::random)
    }

    fn finish(mut self) -> (&'c Client, Entity) {
        self.activity.complete_times();
        (self.client, Entity::Activity(self.activity))
    }

    ways_to_emit!();

    /// Starts to time it: it is emitted with start, end and elapsed time when the scope ends.
    pub fn start(mut self) -> Scope<'c> {
        self.activity.tid.get_or_insert_with(host::current_tid);
        Scope::start(self.client, Entity::Activity(self.activity))
    }
}

impl<'c> SnapshotDraft<'c> {
    pub(crate) fn new(client: &'c Client) -> Self {
        Self { client, snapshot: Box::default() }
    }

    pub(crate) fn name(mut self, name: Text) -> Self {
        self.snapshot.name = name;
        self
    }

    jkool_model::__snapshot_setters!(snapshot);

    fn finish(self) -> (&'c Client, Entity) {
        (self.client, Entity::Snapshot(self.snapshot))
    }

    ways_to_emit!();
}
