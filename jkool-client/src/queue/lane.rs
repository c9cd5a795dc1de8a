//! Which events go before others.

/// A line of its own for events: all that is in the first goes before what is in the second, and in each the order holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lane {
    /// Severe enough to go first.
    Priority,
    #[default]
    Normal,
}

impl Lane {
    pub(crate) const ALL: [Self; 2] = [Self::Priority, Self::Normal];
    pub(crate) const COUNT: usize = Self::ALL.len();
}
