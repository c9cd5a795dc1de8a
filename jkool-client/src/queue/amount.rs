//! Amounts of events and bytes.

use std::ops::{Add, AddAssign, Sub, SubAssign};

/// A number of events, and their approximate memory in bytes. Signed, because an event may take more than was
/// estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) events: i64,
    pub(crate) bytes: i64,
}

impl Amount {
    pub(crate) const NOTHING: Self = Self { events: 0, bytes: 0 };

    pub(crate) fn new(events: usize, bytes: usize) -> Self {
        Self { events: signed(events), bytes: signed(bytes) }
    }

    /// One event with this number of bytes.
    pub(crate) fn one(weight: usize) -> Self {
        Self { events: 1, bytes: signed(weight) }
    }

    pub(crate) fn covers(self, other: Self) -> bool {
        self.events >= other.events && self.bytes >= other.bytes
    }

    /// Whether at least one of both numbers reaches that of `other`.
    pub(crate) fn reaches(self, other: Self) -> bool {
        self.events >= other.events || self.bytes >= other.bytes
    }

    /// The maximum of each number.
    pub(crate) fn max(self, other: Self) -> Self {
        Self { events: self.events.max(other.events), bytes: self.bytes.max(other.bytes) }
    }

    /// The minimum of each number.
    pub(crate) fn min(self, other: Self) -> Self {
        Self { events: self.events.min(other.events), bytes: self.bytes.min(other.bytes) }
    }

    /// An equal part, rounded down.
    pub(crate) fn part_of(self, parts: i64) -> Self {
        Self { events: (self.events + parts - 1) / parts, bytes: (self.bytes + parts - 1) / parts }
    }

    /// An equal part, rounded up.
    pub(crate) fn part(self, parts: i64) -> Self {
        Self { events: self.events / parts, bytes: self.bytes / parts }
    }
}

/// Saturates: a limit beyond all memory is no limit.
fn signed(amount: usize) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { events: self.events + other.events, bytes: self.bytes + other.bytes }
    }
}

impl Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { events: self.events - other.events, bytes: self.bytes - other.bytes }
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
