//! Timed operations.

use crate::api::client::Client;
use crate::emit::clock;
use crate::queue::overflow::Admission;
use crate::report::loss::LossReason;
use jkool_model::{
    ActivityStatus, CompCode, Entity, Property, Severity, Text, Timestamp, TrackingId, TypedValue, error_chain, usec,
};
use std::time::Instant;

/// A running operation that is timed. When it ends, its event or activity is emitted with start, end and elapsed time, and with
/// its outcome. Start one with [`EventDraft::start`](crate::EventDraft::start).
///
/// Dropping it ends the operation too: as a failure while a panic unwinds, otherwise without an outcome.
///
/// ```
/// # use jkool_client::Client;
/// # use jkool_transport::MemoryTransport;
/// # let client = Client::builder().transport(MemoryTransport::new()).build()?;
/// fn price(text: &str) -> Result<u32, std::num::ParseIntError> {
///     text.parse()
/// }
///
/// let scope = client.event("ReadPrice").correlator("order-42").start();
/// let price = scope.record(price("12"))?; // emitted: comp-code SUCCESS, or ERROR with the exception
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a scope that is dropped at once times nothing"]
pub struct Scope<'c> {
    client: &'c Client,
    /// `None` after it has ended.
    entity: Option<Entity>,
    started: Instant,
    start_time: Timestamp,
}

impl<'c> Scope<'c> {
    pub(crate) fn start(client: &'c Client, entity: Entity) -> Self {
        Self { client, entity: Some(entity), started: clock::now(), start_time: clock::timestamp() }
    }

    /// Returns the tracking id of the operation, for events that have it as their parent.
    pub fn id(&self) -> TrackingId {
        self.entity.as_ref().and_then(Entity::tracking_id).cloned().unwrap_or_else(TrackingId::random)
    }

    /// Adds a typed property while the operation runs.
    pub fn property(&mut self, name: impl Into<Text>, value: impl Into<TypedValue>) {
        self.update(|entity| entity.properties_mut().push(Property::new(name, value)));
    }

    /// Changes the event or activity while the operation runs.
    pub fn update(&mut self, change: impl FnOnce(&mut Entity)) {
        if let Some(entity) = &mut self.entity {
            change(entity);
        }
    }

    /// Ends the operation without an outcome.
    pub fn finish(mut self) -> Admission {
        self.end(None)
    }

    /// Ends the operation with the outcome of `result`, and returns `result`. `Ok` sets the completion code SUCCESS. `Err` sets
    /// ERROR, a severity of at least ERROR, and the error with its causes as the exception.
    ///
    /// # Errors
    /// Returns `result` unchanged.
    pub fn record<T, E: std::error::Error>(mut self, result: Result<T, E>) -> Result<T, E> {
        self.end(Some(match &result {
            Ok(_) => Ok(()),
            Err(error) => Err(error_chain(error).into()),
        }));
        result
    }

    /// Ends the operation as a failure. `exception` says what went wrong.
    pub fn fail(mut self, exception: impl Into<Text>) -> Admission {
        self.end(Some(Err(exception.into())))
    }

    fn end(&mut self, outcome: Option<Result<(), Text>>) -> Admission {
        let Some(mut entity) = self.entity.take() else { return Admission::Dropped(LossReason::AfterShutdown) };
        let elapsed = usec(clock::now().saturating_duration_since(self.started));
        let end = Timestamp::from_usec(self.start_time.as_usec().saturating_add(elapsed));
        macro_rules! close {
            ($entity:ident) => {{
                $entity.start_time = Some(self.start_time);
                $entity.end_time = Some(end);
                $entity.elapsed_usec = Some(elapsed);
                $entity.time = Some(end);
                match outcome {
                    None => {}
                    Some(Ok(())) => {
                        $entity.comp_code.get_or_insert(CompCode::Success);
                    }
                    Some(Err(exception)) => {
                        $entity.comp_code = Some(CompCode::Error);
                        $entity.severity = $entity.severity.max(Severity::Error);
                        $entity.exception = exception;
                    }
                }
            }};
        }
        match &mut entity {
            Entity::Event(event) => close!(event),
            Entity::Activity(activity) => {
                if matches!(outcome, Some(Err(_))) {
                    activity.status = Some(ActivityStatus::Exception);
                }
                close!(activity);
            }
            _ => {}
        }
        self.client.emit(entity)
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        if self.entity.is_some() {
            let outcome = std::thread::panicking().then(|| Err("panicked".into()));
            self.end(outcome);
        }
    }
}
