//! What becomes a snapshot.

use crate::snapshot::Snapshot;

/// What becomes a [`Snapshot`]: a snapshot itself, and a struct with `#[derive(Snapshot)]` (feature `derive`).
///
/// Whatever takes a snapshot takes a reference to such a struct. A snapshot that is handed over by value is moved, not copied.
///
/// ```
/// use jkool_model::{Event, Snapshot, ToSnapshot};
///
/// struct Payment {
///     amount: f64,
/// }
///
/// impl ToSnapshot for Payment {
///     fn to_snapshot(&self) -> Snapshot {
///         Snapshot::builder("Payment").category("Order").property("amount", self.amount).build()
///     }
/// }
///
/// let payment = Payment { amount: 42.5 };
/// let event = Event::builder().source("APPL=shop".parse()?).snapshot(&payment).build()?;
/// assert_eq!(event.snapshots[0].name, "Payment");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not become a snapshot",
    note = "write `#[derive(Snapshot)]` above its struct (feature `derive`), or implement `ToSnapshot`"
)]
pub trait ToSnapshot {
    /// The snapshot.
    fn to_snapshot(&self) -> Snapshot;

    /// The same of what is not needed any more.
    fn into_snapshot(self) -> Snapshot
    where
        Self: Sized,
    {
        self.to_snapshot()
    }
}

impl ToSnapshot for Snapshot {
    fn to_snapshot(&self) -> Snapshot {
        self.clone()
    }

    #[inline]
    fn into_snapshot(self) -> Snapshot {
        self
    }
}

impl<T: ToSnapshot + ?Sized> ToSnapshot for &T {
    fn to_snapshot(&self) -> Snapshot {
        (**self).to_snapshot()
    }
}

impl<T: ToSnapshot + ?Sized> ToSnapshot for Box<T> {
    fn to_snapshot(&self) -> Snapshot {
        (**self).to_snapshot()
    }
}
