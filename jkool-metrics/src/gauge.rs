//! Gauges: values that can increase and decrease.

use metrics::GaugeFn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Gauge {
    /// The bits of a float.
    value: AtomicU64,
    /// Whether it was set since it was read, even to the same value.
    touched: AtomicBool,
}

impl Gauge {
    pub(crate) fn value(&self) -> f64 {
        f64::from_bits(self.value.load(Ordering::Relaxed))
    }

    /// Whether it was set since the last call.
    pub(crate) fn take_touched(&self) -> bool {
        self.touched.swap(false, Ordering::Acquire)
    }

    pub(crate) fn is_touched(&self) -> bool {
        self.touched.load(Ordering::Acquire)
    }

    fn change(&self, change: impl Fn(f64) -> f64) {
        let changed = |bits| Some(change(f64::from_bits(bits)).to_bits());
        // The closure always returns a value, so this does not fail.
        self.value.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed).unwrap_or_default();
        self.touched.store(true, Ordering::Release);
    }
}

impl GaugeFn for Gauge {
    fn increment(&self, value: f64) {
        self.change(|before| before + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|before| before - value);
    }

    fn set(&self, value: f64) {
        self.value.store(value.to_bits(), Ordering::Relaxed);
        self.touched.store(true, Ordering::Release);
    }
}
