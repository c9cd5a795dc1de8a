//! Queries for the ancestors and descendants of an entity.

use super::reader::Result;
use super::{EntityId, Reader, Stored};
use crate::condition::{Condition, Test};
use crate::expression::Expression;
use crate::field::{CORRELATOR, FieldName};
use crate::filter::{Filter, SeverityRange};
use crate::time_arg::Moment;
use jkool_model::{Severity, Timestamp, TrackingId};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// The maximum number of levels above and below, so that a cycle of parents ends.
const LEVELS: usize = 64;
/// The maximum number of ids in a query.
const IDS: usize = 500;
/// The maximum number of errors that are examined; the newest.
const ERRORS: usize = 500;

/// The entities of a trace.
#[derive(Debug)]
pub(crate) struct TraceEntities {
    pub(crate) entities: Vec<Stored>,
    /// Whether there are more entities.
    pub(crate) is_cut: bool,
}

/// The number of errors within entities.
#[derive(Debug, Default)]
pub(crate) struct ErrorCounts {
    pub(crate) within: HashMap<TrackingId, u64>,
    /// Whether there are older errors that were not examined.
    pub(crate) is_cut: bool,
}

impl Reader<'_> {
    /// Returns the trace of an entity: its ancestors, all descendants of the topmost one, and all entities that share a
    /// correlator with the topmost one or with the entity. At most `limit` entities: first the entity and its
    /// ancestors, then the less deep ones.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub(crate) fn trace(&self, of: &Stored, limit: usize) -> Result<TraceEntities> {
        let mut found = Found { seen: HashSet::new(), entities: Vec::new(), limit, is_cut: false };
        found.add([of.clone()]);
        let mut top = of.clone();
        for _ in 0..LEVELS {
            let Some(parent) = top.entity.parent_id() else { break };
            let parents = self.with_tracking_id(parent)?;
            let Some(parent) = parents.into_iter().find(|parent| !found.seen.contains(&parent.id)) else { break };
            found.add([parent.clone()]);
            top = parent;
        }
        // Level by level, starting with the siblings of the topmost entity.
        let mut above: Vec<TrackingId> = top.entity.tracking_id().into_iter().cloned().collect();
        // If the parent of an entity is not stored, the parent's other children are its siblings.
        above.extend(top.entity.parent_id().cloned());
        let mut asked: HashSet<TrackingId> = above.iter().cloned().collect();
        for _ in 0..LEVELS {
            let mut below = Vec::new();
            for ids in above.chunks(IDS) {
                below.extend(self.oldest(any_of("parent-id", ids.iter()), found.room())?);
            }
            let ids = below.iter().filter_map(|stored| stored.entity.tracking_id());
            above = ids.filter(|id| asked.insert((*id).clone())).cloned().collect();
            found.add(below);
            if above.is_empty() || found.is_cut {
                break;
            }
        }
        let correlators = top.entity.correlators().iter().chain(of.entity.correlators()).take(IDS);
        found.add(self.oldest(any_of(CORRELATOR, correlators), found.room())?);
        let Found { mut entities, is_cut, .. } = found;
        entities.sort_unstable_by_key(|stored| stored.id);
        Ok(TraceEntities { entities, is_cut })
    }

    /// Returns the number of errors within each of `roots`, at any depth and including the roots. Only the newest 500
    /// errors in `time` are counted, and only ancestors in `time` are found.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub(crate) fn errors_within<'r>(
        &self,
        roots: impl IntoIterator<Item = &'r TrackingId>,
        time: Range<Timestamp>,
        now: Timestamp,
    ) -> Result<ErrorCounts> {
        let roots: HashSet<&TrackingId> = roots.into_iter().collect();
        let severity = Some(SeverityRange { from: Severity::Error, to: Severity::Halt });
        let (since, until) = (Some(Moment::At(time.start)), Some(Moment::At(time.end)));
        let errors = self.find(&Filter { severity, since, until, ..Filter::default() }, ERRORS, None, now)?;
        let mut counts = ErrorCounts { within: HashMap::new(), is_cut: errors.len() == ERRORS };
        let mut waiting: HashMap<TrackingId, u64> = HashMap::new();
        for Stored { entity, .. } in &errors {
            let own = entity.tracking_id().filter(|id| roots.contains(*id));
            if let Some(id) = own.or(entity.parent_id()) {
                *waiting.entry(id.clone()).or_default() += 1;
            }
        }
        let mut parents: HashMap<TrackingId, Option<TrackingId>> = HashMap::new();
        for _ in 0..LEVELS {
            let (here, above): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(id, _)| roots.contains(id));
            for (id, count) in here {
                *counts.within.entry(id).or_default() += count;
            }
            let unknown: Vec<_> = above.iter().map(|(id, _)| id).filter(|id| !parents.contains_key(*id)).collect();
            for ids in unknown.chunks(IDS) {
                let filter = Filter { since, until, ..any_of("tracking-id", ids.iter()) };
                for stored in self.oldest(filter, IDS * 2)? {
                    if let Some(id) = stored.entity.tracking_id() {
                        parents.insert(id.clone(), stored.entity.parent_id().cloned());
                    }
                }
            }
            waiting = HashMap::new();
            for (id, count) in above {
                if let Some(Some(parent)) = parents.get(&id) {
                    *waiting.entry(parent.clone()).or_default() += count;
                }
            }
            if waiting.is_empty() {
                break;
            }
        }
        Ok(counts)
    }
}

fn any_of(field: &str, values: impl Iterator<Item = impl ToString>) -> Filter {
    let is =
        |value: &dyn ToString| Condition::new(FieldName::new(field.to_owned()), Test::Is(value.to_string())).into();
    Filter { expression: Expression::Any(values.map(|value| is(&value)).collect()), ..Filter::default() }
}

/// Entities without duplicates.
struct Found {
    seen: HashSet<EntityId>,
    entities: Vec<Stored>,
    limit: usize,
    is_cut: bool,
}

impl Found {
    /// Returns the limit for the next query: one more than there is room for, to notice further entities.
    fn room(&self) -> usize {
        self.limit + 1
    }

    fn add(&mut self, more: impl IntoIterator<Item = Stored>) {
        for stored in more {
            if self.seen.contains(&stored.id) {
                continue;
            }
            if self.entities.len() >= self.limit {
                self.is_cut = true;
                return;
            }
            self.seen.insert(stored.id);
            self.entities.push(stored);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::filter::Filter;
    use crate::store::{Record, Store};
    use jkool_model::{Timestamp, TrackingId};

    const NOW: Timestamp = Timestamp::from_usec(1_000_000);

    fn store(entities: &[&str]) -> Store {
        let store = Store::builder().open().unwrap();
        let records = entities.iter().map(|json| Record::read(json.as_bytes().to_vec().into(), NOW).unwrap()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(store.append(records)).unwrap();
        store
    }

    const TREE: [&str; 8] = [
        r#"{"type":"ACTIVITY","operation":"root","tracking-id":"1","corrid":["c"],"time-usec":100}"#,
        r#"{"type":"ACTIVITY","operation":"a","tracking-id":"2","parent-id":"1","time-usec":200,"severity":"ERROR"}"#,
        r#"{"operation":"a.b","tracking-id":"3","parent-id":"2","time-usec":300,"severity":"ERROR"}"#,
        r#"{"operation":"d","tracking-id":"4","parent-id":"1","time-usec":400}"#,
        r#"{"operation":"shares","tracking-id":"5","corrid":["c"],"time-usec":500}"#,
        r#"{"operation":"other","tracking-id":"6","parent-id":"gone","time-usec":600,"severity":"FATAL"}"#,
        r#"{"operation":"circle","tracking-id":"8","parent-id":"9","time-usec":700,"severity":"ERROR"}"#,
        r#"{"operation":"circle too","tracking-id":"9","parent-id":"8","time-usec":800,"severity":"ERROR"}"#,
    ];

    #[test]
    fn a_trace_is_the_same_from_wherever_it_is_asked_for() {
        let store = store(&TREE);
        let trace = |operation: &str, limit| {
            let filter = Filter { operation: Some(operation.to_owned()), ..Filter::default() };
            let found = store.read_now(|reader| {
                let of = reader.find(&filter, 1, None, NOW)?.remove(0);
                reader.trace(&of, limit)
            });
            let found = found.unwrap();
            let ids: Vec<_> =
                found.entities.iter().map(|stored| stored.entity.tracking_id().unwrap().to_string()).collect();
            (ids.concat(), found.is_cut)
        };
        for operation in ["root", "a", "a.b", "d"] {
            assert_eq!(trace(operation, 100), ("12345".to_owned(), false), "{operation}");
        }
        // The given entity is kept, and then the less deep ones.
        assert_eq!(trace("a.b", 3), ("123".to_owned(), true));
        assert_eq!(trace("root", 3), ("124".to_owned(), true));
        assert_eq!(trace("other", 100), ("6".to_owned(), false));
        assert_eq!(trace("circle", 100), ("89".to_owned(), false));
    }

    #[test]
    fn errors_count_for_what_they_are_within() {
        let store = store(&TREE);
        let roots = ["1", "4", "8"].map(TrackingId::from);
        let time = Timestamp::from_usec(0)..NOW;
        let counts = store.read_now(|reader| reader.errors_within(&roots, time, NOW)).unwrap();
        assert!(!counts.is_cut);
        let of = |index: usize| counts.within.get(&roots[index]).copied();
        assert_eq!((of(0), of(1), of(2)), (Some(2), None, Some(2)));
        let early = Timestamp::from_usec(0)..Timestamp::from_usec(300);
        let counts = store.read_now(|reader| reader.errors_within(&roots, early, NOW)).unwrap();
        assert_eq!(counts.within.values().sum::<u64>(), 1);
    }
}
