//! Reads the entities that match a filter from VictoriaLogs.

use super::encoding::{block, letters, quoted};
use super::logsql::{ENTITIES, beyond, question, times};
use super::row::{WANTED, id, read, text};
use super::server::{Answer, Server};
use crate::store::engine::{Deadline, Find};
use crate::store::{EntityId, StoreError, StoreErrorKind, Stored};
use jkool_model::Timestamp;
use std::ops::Range;

/// The first time range, in microseconds, in which the oldest entities are searched, and the factor by which it grows
/// until it is longer than a year.
const NARROWEST: i64 = 1_000_000;
const WIDER: i64 = 16;
const WIDEST: i64 = 365 * 86_400_000_000;

/// Returns the first matches, in order. An entity that was sent twice is returned once.
pub(super) fn find(
    server: &Server,
    find: &Find,
    range: &Range<i64>,
    deadline: &Deadline,
) -> Result<Vec<Stored>, StoreError> {
    let mut found: Vec<Stored> = Vec::new();
    let mut last = find.beyond;
    while found.len() < find.limit {
        deadline.check()?;
        let limit = find.limit - found.len();
        let rows = page(server, find, range, last, limit, deadline)?;
        let is_all = rows.len() < limit;
        for row in rows {
            if id(&row).is_none_or(|id| Some(id) != last) {
                let stored = whole(server, &row, deadline)?;
                last = Some(stored.id);
                found.push(stored);
            }
        }
        if is_all {
            break;
        }
    }
    Ok(found)
}

/// Returns at most `limit` rows after `last`.
fn page(
    server: &Server,
    find: &Find,
    range: &Range<i64>,
    last: Option<EntityId>,
    limit: usize,
    deadline: &Deadline,
) -> Result<Vec<Answer>, StoreError> {
    let order = if find.youngest_first { " desc" } else { "" };
    let behind = last.map(|last| beyond(last, find.youngest_first)).unwrap_or_default();
    let first_of = |range: &Range<i64>| {
        deadline.check()?;
        // The first query reads only times: the time of the last match is found without reading whole rows.
        let question = format!("{} {behind}", question(&find.filter, range));
        let of_times = format!("{question} | sort by (_time{order}) limit {limit} | fields _time");
        let answers = server.query(&of_times, deadline.left())?;
        let all = answers.iter().filter_map(|answer| text(answer, "_time")?.parse::<Timestamp>().ok());
        let all: Vec<i64> = all.map(|time| time.as_usec()).collect();
        let (Some(first), Some(last)) = (all.iter().min(), all.iter().max()) else { return Ok(Vec::new()) };
        let within = times(&(*first..last + 1)).unwrap_or_default();
        let wanted =
            format!("{question} {within} | sort by (_time{order}, seq{order}) limit {limit} | fields {WANTED}");
        server.query(&wanted, deadline.left())
    };
    // The server finds the newest rows without reading all others, but not the oldest.
    let start = last.map_or(range.start, |last| range.start.max(last.time().as_usec()));
    let mut width = NARROWEST;
    while !find.youngest_first && start > 0 && width < WIDEST && start.saturating_add(width) < range.end {
        let rows = first_of(&(start..start + width))?;
        if rows.len() >= limit {
            return Ok(rows);
        }
        width *= WIDER;
    }
    first_of(range)
}

/// Returns the entity with this id.
pub(super) fn get(server: &Server, id: EntityId, deadline: &Deadline) -> Result<Option<Stored>, StoreError> {
    let time = id.time().as_usec();
    let time = times(&(time..time + 1)).unwrap_or_default();
    let (block, sequence) = (quoted(&block(id.sequence())), quoted(&letters(id.sequence())));
    let wanted = format!("{ENTITIES} {time} block:={block} seq:={sequence} | limit 1 | fields {WANTED}");
    let row = server.query(&wanted, deadline.left())?.pop();
    row.map(|row| whole(server, &row, deadline)).transpose()
}

/// Returns an entity with its JSON, which may be in separate rows.
fn whole(server: &Server, row: &Answer, deadline: &Deadline) -> Result<Stored, StoreError> {
    let lost = || StoreError::new(StoreErrorKind::Corrupt, "an entity of VictoriaLogs has lost a part");
    let Some(count) = text(row, "parts").and_then(|count| count.parse::<usize>().ok()) else {
        return read(row, text(row, "json").ok_or_else(lost)?);
    };
    let id = id(row).ok_or_else(lost)?;
    let time = times(&(id.time().as_usec()..id.time().as_usec() + 1)).unwrap_or_default();
    let (block, sequence) = (quoted(&block(id.sequence())), quoted(&letters(id.sequence())));
    let wanted = format!("{{store=\"jkool-part\"}} {time} block:={block} seq:={sequence} | fields part, json");
    let mut parts = vec![None; count];
    for answer in server.query(&wanted, deadline.left())? {
        let index = text(&answer, "part").and_then(|part| part.parse::<usize>().ok()).ok_or_else(lost)?;
        if let Some(part) = parts.get_mut(index) {
            *part = text(&answer, "json").map(str::to_owned);
        }
    }
    read(row, &parts.into_iter().collect::<Option<String>>().ok_or_else(lost)?)
}
