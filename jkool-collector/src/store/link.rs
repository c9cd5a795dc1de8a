//! What leads from one entity to others: the ids and correlators that it names.

use super::EntityId;
use rusqlite::{Connection, Result};

/// A name that an entity has in common with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    pub(super) hash: i64,
    pub(super) role: Role,
}

/// What the name is to the entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// A correlator, of which there are three kinds to tell who sent what to whom.
    Correlator = 0,
    SendCorrelator = 1,
    ReceiveCorrelator = 2,
    /// Its own tracking id.
    Own = 3,
    /// The tracking id of its parent.
    Parent = 4,
    /// No name, but its bytes, where an equal one is not found by its time.
    Bytes = 5,
}

/// The roles of a correlator, for a condition.
pub(super) const CORRELATOR: &str = "role <= 2";

impl Link {
    pub(super) fn new(role: Role, name: &str) -> Self {
        Self { hash: hash(name), role }
    }

    pub(super) fn of_bytes(json: &[u8]) -> Self {
        Self { hash: fnv(json), role: Role::Bytes }
    }
}

/// The hash of a name. It only leads to where to look: who finds something compares the names.
pub(super) fn hash(name: &str) -> i64 {
    fnv(name.as_bytes())
}

/// FNV-1a: the same in every version.
fn fnv(bytes: &[u8]) -> i64 {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    i64::from_ne_bytes(hash.to_ne_bytes())
}

/// The entities that name `hash` in a role that fulfils `roles`, the oldest first.
pub(super) fn linked(connection: &Connection, hash: i64, roles: &str, limit: usize) -> Result<Vec<EntityId>> {
    let sql = format!("SELECT entity FROM links WHERE hash = ?1 AND {roles} ORDER BY entity LIMIT {limit}");
    let mut linked = connection.prepare_cached(&sql)?;
    linked.query_map([hash], |row| row.get(0))?.collect()
}

/// So many links are fresh at most. The more there are, the fewer pages of the large table are touched for each of them.
const FRESH: i64 = 65_536;

/// How many links are fresh.
pub(super) fn count_fresh(connection: &Connection) -> Result<i64> {
    connection.query_row("SELECT count(*) FROM fresh_link", [], |row| row.get(0))
}

/// Moves the fresh links to the others if they are many; says how many are fresh then.
pub(super) fn settle(connection: &Connection, fresh: i64) -> Result<i64> {
    if fresh <= FRESH {
        return Ok(fresh);
    }
    connection.execute_batch("INSERT INTO link SELECT * FROM fresh_link; DELETE FROM fresh_link;")?;
    Ok(0)
}
