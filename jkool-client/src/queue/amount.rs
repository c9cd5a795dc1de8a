//! Events and their bytes.

use std::ops::{Add, AddAssign, Sub, SubAssign};

/// So many events, and about so many bytes of memory. Signed: what was thought to take little may take more than there is.
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

    /// One event of that weight.
    pub(crate) fn one(weight: usize) -> Self {
        Self { events: 1, bytes: signed(weight) }
    }

    pub(crate) fn covers(self, other: Self) -> bool {
        self.events >= other.events && self.bytes >= other.bytes
    }

    /// Whether it is so much in one way at least.
    pub(crate) fn reaches(self, other: Self) -> bool {
        self.events >= other.events || self.bytes >= other.bytes
    }

    /// The larger of both, in each way.
    pub(crate) fn max(self, other: Self) -> Self {
        Self { events: self.events.max(other.events), bytes: self.bytes.max(other.bytes) }
    }

    /// The smaller of both, in each way.
    pub(crate) fn min(self, other: Self) -> Self {
        Self { events: self.events.min(other.events), bytes: self.bytes.min(other.bytes) }
    }

    /// One part of so many that are as equal as can be, and none is larger.
    pub(crate) fn part_of(self, parts: i64) -> Self {
        Self { events: (self.events + parts - 1) / parts, bytes: (self.bytes + parts - 1) / parts }
    }

    /// The same, and none is smaller.
    pub(crate) fn part(self, parts: i64) -> Self {
        Self { events: self.events / parts, bytes: self.bytes / parts }
    }
}

/// A limit beyond what memory can ever be is as good as that.
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
