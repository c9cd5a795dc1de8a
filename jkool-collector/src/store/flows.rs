//! Questions to the store: who sent to whom.

use super::find::ResolvedFilter;
use super::{EntityId, Flow, Reader, StoreError};
use crate::filter::Filter;
use jkool_model::{Severity, SourceFqn, Timestamp};
use rusqlite::{OptionalExtension, Result, params};
use std::cmp::Reverse;
use std::collections::HashMap;

/// So many RECEIVE events are looked at, the youngest.
const MAPPED: usize = 5_000;

/// A RECEIVE event by one of its correlators.
struct Received {
    entity: EntityId,
    hash: i64,
}

impl Reader<'_> {
    /// Who sent to whom, of the youngest 5,000 RECEIVE events in the filter's time: to each belongs the SEND event nearest
    /// before it that has a correlator in common with it.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn flows(&self, filter: &Filter, now: Timestamp) -> std::result::Result<Vec<Flow>, StoreError> {
        let Some(resolved) = ResolvedFilter::resolve(self.0, &filter.time_only(), now)? else { return Ok(Vec::new()) };
        let mut pairs: HashMap<(i64, i64), u64> = HashMap::new();
        let mut facet = self.0.prepare_cached("SELECT facet FROM entity WHERE id = ?1")?;
        let mut sent = [self.nearest_sent("link")?, self.nearest_sent("fresh_link")?];
        for message in self.received(&resolved)?.chunk_by(|a, b| a.entity == b.entity) {
            let mut nearest: Option<(EntityId, i64)> = None;
            for (Received { entity, hash }, table) in message.iter().flat_map(|by| [(by, 0), (by, 1)]) {
                let query = &mut sent[table];
                let found = query.query_row(params![hash, entity], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
                nearest = nearest.max(found);
            }
            if let Some((_, sender)) = nearest {
                let receiver = facet.query_row([message[0].entity], |row| row.get(0))?;
                *pairs.entry((sender, receiver)).or_default() += 1;
            }
        }
        let mut flows: HashMap<(String, String), (u64, u64)> = HashMap::new();
        let mut facet = self.0.prepare_cached(
            "SELECT fqn, severity FROM facet JOIN source ON source.id = facet.source WHERE facet.id = ?1",
        )?;
        let mut named = |id: i64| facet.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional();
        for ((sender, receiver), count) in pairs {
            let (Some((from, _)), Some((to, severity))) = (named(sender)?, named(receiver)?) else { continue };
            let severity: i64 = severity;
            let flow = flows.entry((from, to)).or_default();
            flow.0 += count;
            flow.1 += if severity >= Severity::Error as i64 { count } else { 0 };
        }
        // They were read as source names once already, so none is lost here.
        let flow = |((from, to), (count, errors)): ((String, String), (u64, u64))| {
            Some(Flow { from: from.parse().ok()?, to: to.parse::<SourceFqn>().ok()?, count, errors })
        };
        let mut flows: Vec<_> = flows.into_iter().filter_map(flow).collect();
        flows.sort_by(|a, b| {
            b.count.cmp(&a.count).then_with(|| (a.from.as_str(), a.to.as_str()).cmp(&(b.from.as_str(), b.to.as_str())))
        });
        Ok(flows)
    }

    fn received(&self, resolved: &ResolvedFilter) -> Result<Vec<Received>> {
        let mut received = Vec::new();
        for table in ["link", "fresh_link"] {
            let sql = format!(
                "SELECT entity, hash FROM {table} WHERE role = 2 AND entity >= ?1 AND entity < ?2
                 ORDER BY entity DESC LIMIT {MAPPED}"
            );
            let mut query = self.0.prepare_cached(&sql)?;
            let rows = query.query_map(params![resolved.from, resolved.to], |row| {
                Ok(Received { entity: row.get(0)?, hash: row.get(1)? })
            })?;
            for row in rows {
                received.push(row?);
            }
        }
        received.sort_by_key(|received| Reverse(received.entity));
        received.truncate(MAPPED);
        Ok(received)
    }

    fn nearest_sent(&self, table: &str) -> Result<rusqlite::CachedStatement<'_>> {
        self.0.prepare_cached(&format!(
            "SELECT entity, facet FROM {table} WHERE hash = ?1 AND role = 1 AND entity <= ?2 ORDER BY entity DESC LIMIT 1"
        ))
    }
}
