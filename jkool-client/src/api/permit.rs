//! Room in the queue for one event, waited for without blocking a thread.

use crate::api::client::Client;
use crate::api::receipt::DeliveryReceipt;
use crate::emit::encode;
use crate::queue::overflow::Admission;
use crate::queue::reserve::{Reserved, reserve};
use crate::report::loss::LossReason;
use jkool_model::Entity;

/// Room in the queue for one event; see [`Client::reserve`]. Dropping it gives the room back.
#[must_use = "room that is reserved is nobody else's"]
pub struct Permit<'c> {
    client: &'c Client,
    reserved: Reserved<'c>,
}

/// What an event takes most often that is not known yet.
const USUAL: usize = 1 << 10;

impl Client {
    /// Waits until there is room in the queue for one event, without blocking the thread, and however long that takes. Those who
    /// wait are served in the order in which they came.
    ///
    /// The permit holds the room for one event of about 1 KiB; a larger one takes what it needs beyond that, whether it is there or not.
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
    /// [`LossReason::AfterShutdown`] when the client is shut down, also while this waits; [`LossReason::Forked`] in a child that was
    /// forked; [`LossReason::Overflow`] in a hook of the client while there is no room, for it would wait for itself. Nothing is
    /// counted as lost.
    ///
    /// # Cancel safety
    /// Dropping the future gives up the place.
    pub async fn reserve(&self) -> Result<Permit<'_>, LossReason> {
        let reserved = reserve(self.shared(), encode::weight(USUAL)).await?;
        Ok(Permit { client: self, reserved })
    }

    /// [`emit`](Self::emit) for async code that would rather wait than lose an event: while the queue is full, the task waits for
    /// room, whatever the [overflow policy](crate::OverflowPolicy) is, and the thread does not. Nothing is shed either. Its time is
    /// that of the call.
    ///
    /// Bound the wait by your executor's time-out.
    ///
    /// # Cancel safety
    /// A future that is dropped before it is ready has emitted nothing.
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
    /// Hands over an event in the room that is held. It is dropped only for what it is, or after shutdown.
    pub fn emit(mut self, entity: impl Into<Entity>) -> Admission {
        let mut entity = entity.into();
        self.client.stamp(&mut entity);
        self.client.admitted(self.client.shared().emit_reserved(entity, &mut self.reserved))
    }

    /// The same, with a receipt that tells what becomes of it; see [`Client::emit_tracked`].
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
