//! Queries for errors, grouped if they differ only in numbers, ids and names.

use super::pattern::Pattern;
use super::reader::Result;
use super::{Aggregation, EntityId, Reader, Stored};
use crate::condition::{Condition, Test, rank};
use crate::expression::Expression;
use crate::field::{FieldName, SEVERITY};
use crate::filter::{Filter, operation_of, severity_of};
use jkool_model::{Entity, Severity, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// The number of newest errors that are grouped.
const LOOKED_AT: usize = 5_000;
/// The number of intervals of a trend.
const TREND: usize = 30;

/// Errors, grouped by similarity.
#[derive(Debug, Clone)]
pub(crate) struct Errors {
    /// The groups, largest first.
    pub(crate) groups: Vec<ErrorGroup>,
    /// The number of errors in the groups.
    pub(crate) looked_at: u64,
    /// The number of all errors.
    pub(crate) total: u64,
    /// The times of the oldest and the newest error in a group.
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// A group of similar errors.
#[derive(Debug, Clone)]
pub(crate) struct ErrorGroup {
    /// The name of the operation; empty if the errors have none.
    pub(crate) operation: String,
    pub(crate) message: String,
    /// The first frames of an exception.
    pub(crate) frames: Vec<String>,
    /// The highest severity.
    pub(crate) severity: Severity,
    pub(crate) count: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// The newest error.
    pub(crate) newest: EntityId,
    /// The sources by their full names, most frequent first.
    pub(crate) sources: Vec<(String, u64)>,
    /// The numbers of errors over time, from the oldest error of all groups to the newest.
    pub(crate) trend: Vec<u64>,
    /// The filter for entities with this operation and message.
    pub(crate) filter: Filter,
}

impl Reader<'_> {
    /// Returns the errors that match `filter`: entities with severity ERROR or above, or with an exception. The newest
    /// 5,000 are grouped.
    ///
    /// # Errors
    /// Returns an error if the store cannot be read.
    pub(crate) fn errors(&self, filter: &Filter, now: Timestamp) -> Result<Errors> {
        let filter = Filter { expression: filter.expression.clone().and(is_error()), ..filter.clone() };
        let found = self.find(&filter, LOOKED_AT, None, now)?;
        let looked_at = found.len() as u64;
        let total = match found.len() < LOOKED_AT {
            true => looked_at,
            false => {
                let count = Aggregation { groups: Vec::new(), measures: Vec::new() };
                self.aggregate(&filter, &count, now)?.first().map_or(0, |row| row.count).max(looked_at)
            }
        };
        let (from, to) = match (found.last(), found.first()) {
            (Some(oldest), Some(youngest)) => (oldest.time, youngest.time),
            _ => (now, now),
        };
        let mut groups: HashMap<(String, Pattern), Group> = HashMap::new();
        for stored in &found {
            let group = groups.entry((operation(stored).to_owned(), pattern(stored)));
            group.or_insert_with(|| Group::of(stored)).add(stored, from, to);
        }
        let finish = |((operation, pattern), group): (_, Group)| group.finish(operation, pattern, &filter);
        let mut groups: Vec<ErrorGroup> = groups.into_iter().map(finish).collect();
        groups.sort_unstable_by_key(|group| (Reverse(group.count), Reverse(group.newest)));
        Ok(Errors { groups, looked_at, total, from, to })
    }
}

/// `severity>=ERROR OR exception:*`
fn is_error() -> Expression {
    let field = |name: &str| FieldName::new(name.to_owned());
    let grave = Condition::new(field(SEVERITY), Test::Above { bound: rank(Severity::Error), inclusive: true });
    let thrown = Condition::new(field("exception"), Test::Exists);
    Expression::Any(vec![grave.into(), thrown.into()])
}

fn operation(stored: &Stored) -> &str {
    operation_of(&stored.entity).unwrap_or_default()
}

fn pattern(stored: &Stored) -> Pattern {
    match &stored.entity {
        Entity::Event(event) => Pattern::of(&event.message, &event.exception),
        Entity::Activity(activity) => Pattern::of("", &activity.exception),
        Entity::Snapshot(snapshot) => Pattern::of(&snapshot.name, ""),
        _ => Pattern::of("", ""),
    }
}

/// A group in preparation; its errors are newest first.
struct Group {
    newest: Stored,
    first: Timestamp,
    severity: Severity,
    count: u64,
    sources: BTreeMap<String, u64>,
    trend: Vec<u64>,
}

impl Group {
    fn of(newest: &Stored) -> Self {
        let severity = severity_of(&newest.entity);
        let (newest, first) = (newest.clone(), newest.time);
        Self { newest, first, severity, count: 0, sources: BTreeMap::new(), trend: vec![0; TREND] }
    }

    fn add(&mut self, stored: &Stored, from: Timestamp, to: Timestamp) {
        self.count += 1;
        self.first = stored.time;
        self.severity = self.severity.max(severity_of(&stored.entity));
        if let Some(source) = stored.entity.source() {
            *self.sources.entry(source.to_string()).or_default() += 1;
        }
        let (at, all) = (stored.time.as_usec() - from.as_usec(), to.as_usec() - from.as_usec() + 1);
        let part = at as f64 / all as f64 * TREND as f64;
        if let Some(count) = self.trend.get_mut(part as usize) {
            *count += 1;
        }
    }

    fn finish(self, operation: String, pattern: Pattern, filter: &Filter) -> ErrorGroup {
        let mut sources: Vec<_> = self.sources.into_iter().collect();
        sources.sort_by_key(|(_, count)| Reverse(*count));
        let words = pattern.words().into_iter().map(|text| Expression::Words { text, begins: false });
        let expression = words.fold(filter.expression.clone(), Expression::and);
        let own = Some(operation.clone()).filter(|operation| !operation.is_empty());
        ErrorGroup {
            message: pattern.message,
            frames: pattern.frames,
            severity: self.severity,
            count: self.count,
            first: self.first,
            last: self.newest.time,
            newest: self.newest.id,
            sources,
            trend: self.trend,
            filter: Filter { operation: own.or_else(|| filter.operation.clone()), expression, ..filter.clone() },
            operation,
        }
    }
}
