//! Conversion to a snapshot.

use crate::snapshot::Snapshot;

/// A type that can be converted to a [`Snapshot`]: a snapshot itself, and a struct with `#[derive(Snapshot)]` (feature
/// `derive`).
///
/// A method that takes a snapshot also takes a reference to such a struct. A snapshot that is passed by value is moved, not
/// copied.
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
    /// Returns the snapshot.
    fn to_snapshot(&self) -> Snapshot;

    /// Returns the snapshot, consuming the value.
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
