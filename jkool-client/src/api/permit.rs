//! Reserving room in the queue for one event, without blocking a thread.

use crate::api::client::Client;
use crate::api::receipt::DeliveryReceipt;
use crate::emit::encode;
use crate::queue::overflow::Admission;
use crate::queue::reserve::{Reserved, reserve};
use crate::report::loss::LossReason;
use jkool_model::Entity;

/// Reserved room in the queue for one event, from [`Client::reserve`]. Dropping it releases the room.
#[must_use = "a permit reserves room in the queue until it is used or dropped"]
pub struct Permit<'c> {
    client: &'c Client,
    reserved: Reserved<'c>,
}

/// The reserved bytes for an event that does not exist yet: the usual size.
const USUAL: usize = 1 << 10;

impl Client {
    /// Waits until there is room in the queue for one event, without blocking the thread and without a time limit. Waiting
    /// tasks are served in order of arrival. Use it to wait before taking the next piece of work.
    ///
    /// The permit reserves room for one event of about 1 KiB. A larger event takes more room, even if the queue is then over
    /// its limit.
    ///
    /// ```
    /// # use jkool_client::Client;
    /// # use jkool_client::model::Event;
    /// # use jkool_client::transport::MemoryTransport;
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let client = Client::builder().transport(MemoryTransport::new()).queue_events(1_000).build()?;
    /// let permit = client.reserve().await?;
    /// // Only now take the next piece of work.
    /// permit.emit(Event::builder().operation("Import").source("APPL=importer".parse()?).build()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LossReason::AfterShutdown`] if the client is shut down, also while this waits; [`LossReason::Forked`] in a child that
    /// was forked; [`LossReason::Overflow`] in a hook of the client while there is no room, because the hook would wait for
    /// itself. No event is counted as lost.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place in the line of waiting tasks.
    pub async fn reserve(&self) -> Result<Permit<'_>, LossReason> {
        let reserved = reserve(self.shared(), encode::weight(USUAL)).await?;
        Ok(Permit { client: self, reserved })
    }

    /// Like [`emit`](Self::emit), for async code that prefers waiting to losing an event: while the queue is full, the task
    /// waits for room, whatever the [overflow policy](crate::OverflowPolicy) is, without blocking its thread. Events are not
    /// shed either. The time of the event is that of the call.
    ///
    /// To limit the wait, use a timeout of your executor.
    ///
    /// # Cancel safety
    /// If the future is dropped before it is ready, nothing was emitted.
    pub async fn emit_async(&self, entity: impl Into<Entity>) -> Admission {
        let mut entity = entity.into();
        self.stamp(&mut entity);
        let shared = self.shared();
        match reserve(shared, shared.encoder.weight_of_entity(&entity)).await {
            Ok(reserved) => Permit { client: self, reserved }.emit(entity),
            Err(reason) => {
                shared.refuse(reason);
                self.admitted(Admission::Dropped(reason))
            }
        }
    }
}

impl Permit<'_> {
    /// Emits an event into the reserved room. It is dropped only if it is invalid or too large, or after shutdown.
    pub fn emit(mut self, entity: impl Into<Entity>) -> Admission {
        let mut entity = entity.into();
        self.client.stamp(&mut entity);
        self.client.admitted(self.client.shared().emit_reserved(entity, &mut self.reserved))
    }

    /// Like [`emit`](Self::emit), and returns a receipt with the outcome; see [`Client::emit_tracked`].
    pub fn emit_tracked(mut self, entity: impl Into<Entity>) -> DeliveryReceipt {
        let mut entity = entity.into();
        self.client.stamp(&mut entity);
        let shared = self.client.shared();
        let (admission, receipt) = shared.emit_tracked_at(shared.here(), entity, Some(&mut self.reserved));
        self.client.admitted(admission);
        DeliveryReceipt::new(receipt)
    }
}

impl std::fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
