//! The answers of a subscription: a row for each new entity.

use super::JkqlError;
use super::answer::Answer;
use super::plan::{Plan, Request};
use super::resolve::Resolver;
use super::rows::{Source, columns, item_type, row, sources};
use crate::filter::Filter;
use crate::store::{Reader, Stored};
use jkool_jkql::{Period, Select};

/// The filter and the columns of a subscription.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) filter: Filter,
    sources: Vec<Source>,
}

impl Subscription {
    pub(super) fn new(reader: &Reader<'_>, select: &Select, request: &Request) -> Result<Self, JkqlError> {
        let resolver = Resolver::new(reader);
        let plan = Plan::of_period(select, request, &resolver, &Period::All)?;
        let sources = sources(&plan)?;
        Ok(Self { filter: plan.filter, sources })
    }

    /// Returns the answer for an entity, or the first answer, which has no rows.
    pub(super) fn answer(&self, stored: Option<&Stored>) -> Answer {
        let rows: Vec<_> = stored.map(|stored| row(stored, &self.sources)).into_iter().collect();
        let time = stored.map(|stored| stored.time.as_usec());
        Answer {
            item_type: item_type(self.filter.kind),
            columns: columns(&self.sources, &rows),
            keys: 0,
            found: rows.len() as u64,
            rows,
            filter: self.filter.clone(),
            range: time.map_or(i64::MIN..i64::MAX, |time| time..time + 1),
            show: None,
            explained: Vec::new(),
        }
    }
}
