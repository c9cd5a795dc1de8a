//! The entities that the list of events shows: no snapshots unless requested, and none in the future.

use super::columns::Columns;
use super::link::url_and;
use super::query_params::QueryParams;
use crate::app::App;
use crate::condition::{Condition, Test};
use crate::expression::Expression;
use crate::field::{FieldName, SNAPSHOTS};
use crate::filter::{Filter, Kind};
use crate::query::Query;
use crate::store::StoreError;
use crate::time_arg::Moment;
use jkool_model::Timestamp;
use std::str::FromStr;

/// The parameter that includes snapshots.
const PARAMETER: &str = "snapshots";

/// The time in microseconds that a clock may be ahead of ours without hiding its entities.
const AHEAD: i64 = 60_000_000;

/// Whether snapshots are listed although the filter does not mention them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Snapshots {
    pub(super) shown: bool,
}

impl FromStr for Snapshots {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "shown" { Ok(Self { shown: true }) } else { Err("expected shown") }
    }
}

impl Snapshots {
    /// Parses the parameter of a URL.
    pub(super) fn take(params: &mut QueryParams) -> Self {
        params.take(PARAMETER).unwrap_or_default()
    }

    /// Returns the filter for the listed entities.
    pub(super) fn listed(self, filter: &Filter) -> Filter {
        let mut filter = filter.clone();
        if !self.shown && !asks_for_snapshots(&filter) {
            let kind = FieldName::new("kind".to_owned());
            let no_snapshot = Condition { field: kind, test: Test::Is(Kind::Snapshot.to_string()), negated: true };
            filter.expression = filter.expression.and(no_snapshot.into());
        }
        filter
    }
}

/// The parameters of the list in addition to the filter.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    pub(super) snapshots: Snapshots,
    pub(super) columns: Columns,
}

impl Listing {
    /// Parses the parameters of a URL.
    pub(super) async fn take(app: &App, params: &mut QueryParams) -> Result<Self, StoreError> {
        Ok(Self { snapshots: Snapshots::take(params), columns: Columns::take(app, params).await? })
    }

    pub(super) fn query(&self) -> Query {
        let mut query = Query::default();
        if self.snapshots.shown {
            query.push(PARAMETER, "shown");
        }
        self.columns.add_to(&mut query);
        query
    }

    /// Returns the URL of `path` with the filter and these parameters.
    pub(super) fn url(&self, path: &str, filter: &Filter) -> String {
        url_and(path, filter, &self.query())
    }

    /// Like [`url`](Self::url), with other columns.
    pub(super) fn with_columns(&self, columns: &Columns, filter: &Filter) -> String {
        Self { columns: columns.clone(), ..self.clone() }.url("/", filter)
    }

    /// Like [`url`](Self::url), with or without snapshots.
    pub(super) fn with_snapshots(&self, shown: bool, filter: &Filter) -> String {
        Self { snapshots: Snapshots { shown }, ..self.clone() }.url("/", filter)
    }
}

/// Whether a filter selects by the kind of entities, or by fields of snapshots.
pub(super) fn asks_for_snapshots(filter: &Filter) -> bool {
    fn names_them(expression: &Expression) -> bool {
        match expression {
            Expression::All(parts) | Expression::Any(parts) => parts.iter().any(names_them),
            Expression::Not(part) => names_them(part),
            Expression::Condition(condition) => {
                let field = condition.field.as_str();
                ["kind", "name", "category"].contains(&field) || field.starts_with(SNAPSHOTS)
            }
            Expression::Words { .. } => false,
        }
    }
    filter.kind.is_some() || names_them(&filter.expression)
}

/// Returns the time from which entities count as stamped by a wrong clock.
pub(super) fn wrong_from(now: Timestamp) -> Timestamp {
    Timestamp::from_usec(now.as_usec().saturating_add(AHEAD))
}

/// Splits `filter` at the present: into the part in the future and the rest. `None` if the filter has an end.
pub(super) fn split_at_now(filter: &Filter, now: Timestamp) -> Option<(Filter, Filter)> {
    let bound = Moment::At(wrong_from(now));
    let wants_future = filter.since.is_some_and(|since| since.before(now) > now);
    (filter.until.is_none() && !wants_future)
        .then(|| (Filter { since: Some(bound), ..filter.clone() }, Filter { until: Some(bound), ..filter.clone() }))
}

#[cfg(test)]
mod tests {
    use super::{Snapshots, asks_for_snapshots, split_at_now};
    use crate::filter::{Filter, Kind};
    use crate::time_arg::Moment;
    use jkool_model::Timestamp;

    #[test]
    fn snapshots_are_listed_when_they_are_asked_for() {
        let said = |line: &str| Filter { expression: line.parse().unwrap(), ..Filter::default() };
        for line in ["kind:snapshot", "severity:ERROR OR -kind:event", "snapshots.Order/Cart/total>5"] {
            assert!(asks_for_snapshots(&said(line)), "{line}");
            assert_eq!(Snapshots::default().listed(&said(line)), said(line));
        }
        let errors = said("severity:ERROR");
        assert_eq!(Snapshots::default().listed(&errors).expression.to_string(), "severity:ERROR (-kind:snapshot)");
        assert_eq!(Snapshots { shown: true }.listed(&errors), errors);
        assert!(asks_for_snapshots(&Filter { kind: Some(Kind::Event), ..Filter::default() }));
    }

    #[test]
    fn what_is_of_the_future_is_apart_unless_it_is_asked_for() {
        let now = Timestamp::from_usec(1_000_000_000);
        let at = |usec| Some(Moment::At(Timestamp::from_usec(usec)));
        let (future, listed) = split_at_now(&Filter::default(), now).unwrap();
        assert_eq!((future.since, listed.until), (at(1_060_000_000), at(1_060_000_000)));
        assert!(split_at_now(&future, now).is_none());
        assert!(split_at_now(&listed, now).is_none());
        assert!(split_at_now(&Filter { since: at(5), ..Filter::default() }, now).is_some());
    }
}
