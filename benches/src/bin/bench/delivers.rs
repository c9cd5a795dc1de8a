//! How much of what a row is given must come out at the other end.

#[derive(Debug, Clone, Copy)]
pub(crate) enum Delivers {
    /// There is no other end.
    Nothing,
    Everything,
    /// It drops when it can't keep up.
    WhatFits,
}

impl Delivers {
    /// As the report knows it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Everything => "everything",
            Self::WhatFits => "what fits",
        }
    }
}
