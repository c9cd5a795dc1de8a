//! The id of a stored entity.

use jkool_model::Timestamp;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};
use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// The id of a stored entity: its time, and a small number that tells it from others of about that time. So the table lies in
/// the order of time, every index is one by time too, and a range of time is a range of ids.
///
/// More than 32 of one microsecond spill into the next ones, so that the order of ids is that of the times to within a
/// few milliseconds, whatever the clients do (some say the same time over and over).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(i64);

impl EntityId {
    /// So many ids are of one microsecond.
    pub(crate) const SLOTS: i64 = 32;

    /// Before all others.
    pub(crate) const FIRST: Self = Self(0);
    /// Behind all others.
    pub(crate) const LAST: Self = Self(i64::MAX);

    /// The first id of a time. Times before 1970 and after [`Timestamp::MAX`] are taken for these.
    pub(crate) const fn first_of(time: Timestamp) -> Self {
        let usec = time.as_usec();
        let usec = if usec < 0 { 0 } else { usec };
        let usec = if usec > Timestamp::MAX.as_usec() { Timestamp::MAX.as_usec() } else { usec };
        Self(usec * Self::SLOTS)
    }

    /// The id that is so many further.
    pub(crate) const fn plus(self, slots: i64) -> Self {
        Self(self.0 + slots)
    }

    /// The time that it stands for.
    pub fn time(self) -> Timestamp {
        Timestamp::from_usec(self.0 / Self::SLOTS)
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EntityId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

#[doc(hidden)]
impl ToSql for EntityId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

#[doc(hidden)]
impl From<EntityId> for Value {
    fn from(id: EntityId) -> Self {
        id.0.into()
    }
}

#[doc(hidden)]
impl FromSql for EntityId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}
