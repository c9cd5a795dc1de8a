//! Sends the spans that are open at a flush, if the setting is on.

use crate::event;
use crate::extensions::{self, ancestors};
use crate::said::Said;
use crate::shared::Shared;
use jkool_client::facade::now;
use jkool_client::model::{Activity, ActivityStatus, Entity};
use jkool_client::{Code, More};
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use tracing_core::Dispatch;
use tracing_core::dispatcher::WeakDispatch;
use tracing_core::span::Id;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// The open spans, and the subscriber that contains them.
#[derive(Debug, Default)]
pub(crate) struct OpenSpans {
    ids: Mutex<HashSet<u64>>,
    subscriber: OnceLock<WeakDispatch>,
}

impl OpenSpans {
    /// The layer was added to this subscriber.
    pub(crate) fn found_in(&self, subscriber: &Dispatch) {
        self.subscriber.get_or_init(|| subscriber.downgrade());
    }

    pub(crate) fn add(&self, id: u64) {
        self.ids().insert(id);
    }

    pub(crate) fn remove(&self, id: u64) {
        self.ids().remove(&id);
    }

    /// The set is always consistent, so poisoning is ignored.
    fn ids(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Emits the current state of each open span.
    pub(crate) fn tell(&self, layer: usize, shared: &Shared) {
        let Some(subscriber) = self.subscriber.get().and_then(WeakDispatch::upgrade) else { return };
        let Some(registry) = subscriber.downcast_ref::<Registry>() else { return };
        // Spans may end in the meantime.
        let mut ids: Vec<u64> = self.ids().iter().copied().collect();
        ids.sort_unstable();
        for span in ids.iter().filter_map(|id| registry.span(&Id::from_u64(*id))) {
            if let Some((activity, said, code)) = so_far(layer, shared, &span) {
                let properties = Some(said.properties.raw());
                shared.client.emit_from(Entity::Activity(activity), More { code, properties });
            }
        }
    }
}

/// The activity so far, its properties, and its place in the code.
fn so_far(
    layer: usize,
    shared: &Shared,
    span: &SpanRef<'_, Registry>,
) -> Option<(Box<Activity>, Box<Said>, Option<Code>)> {
    let (context, mut said, start_time, outcome) = extensions::change_of(layer, span, |context, record| {
        let old_enough = now::instant().saturating_duration_since(record.start) >= shared.settings.min_duration;
        let said = record.said.clone().filter(|_| context.sampled && old_enough)?;
        Some((context, said, record.start_time, record.outcome))
    })??;
    let code = event::code(said.metadata).filter(|_| shared.settings.code_location);
    let mut activity = said.take_activity(context);
    extensions::around(layer, ancestors(span), false).add_correlators(context, &mut activity.correlators);
    activity.severity = outcome.severity(activity.severity);
    activity.status = Some(ActivityStatus::Begin);
    activity.time = Some(now::timestamp());
    activity.start_time = Some(start_time);
    (activity.end_time, activity.elapsed_usec) = (None, None);
    Some((activity, said, code))
}
