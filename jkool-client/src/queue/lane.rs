//! Which events are sent before others.

/// A class of events: all events of the first lane are sent before those of the second, and each lane keeps its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Lane {
    /// Severe events, which are sent first.
    Priority,
    #[default]
    Normal,
}

impl Lane {
    pub(crate) const ALL: [Self; 2] = [Self::Priority, Self::Normal];
    pub(crate) const COUNT: usize = Self::ALL.len();
}
