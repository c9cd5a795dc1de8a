//! The common part of queries for rows and for measures: filter, time range and limit.

use super::JkqlError;
use super::conditions::Clock;
use super::resolve::Resolver;
use crate::expression::Expression;
use crate::filter::{Filter, Kind};
use crate::time_arg::Moment;
use jkool_jkql::{Period, Select, Zone};
use jkool_model::Timestamp;
use std::ops::Range;

/// A statement and the parameters of its request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// The statement.
    pub statement: String,
    /// The current time, which `today` and ages are relative to.
    pub now: Timestamp,
    /// The time zone of dates. Default: UTC.
    pub zone: Zone,
    /// The period, if the statement has none. Default: today, as in the service.
    pub date: Period,
    /// The maximum number of rows. Default: 100, as in the service.
    pub max_rows: usize,
    /// A further condition, in addition to that of the statement.
    pub(crate) within: Expression,
}

impl Request {
    /// Creates a request with the defaults of the service.
    pub fn new(statement: impl Into<String>, now: Timestamp) -> Self {
        let (zone, date) = (Zone::default(), Period::Day { back: 0 });
        Self { statement: statement.into(), now, zone, date, max_rows: 100, within: Expression::default() }
    }

    pub(super) fn clock(&self) -> Clock {
        Clock { now: self.now, zone: self.zone.clone() }
    }
}

/// The maximum number of rows in any answer.
const MOST: usize = 10_000;

/// The filter, the time range, and the maximum number of rows.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) select: &'a Select,
    pub(super) resolver: &'a Resolver<'a>,
    pub(super) filter: Filter,
    pub(super) range: Range<i64>,
    pub(super) limit: usize,
    pub(super) now: Timestamp,
    pub(super) zone: &'a Zone,
}

impl<'a> Plan<'a> {
    pub(super) fn new(select: &'a Select, request: &'a Request, resolver: &'a Resolver<'a>) -> Result<Self, JkqlError> {
        let period = select.period.as_ref().unwrap_or(&request.date);
        Self::of_period(select, request, resolver, period)
    }

    pub(super) fn of_period(
        select: &'a Select,
        request: &'a Request,
        resolver: &'a Resolver<'a>,
        period: &Period,
    ) -> Result<Self, JkqlError> {
        let range = period.range(request.now.as_usec(), &request.zone)?;
        let moment = |usec: i64, end: i64| (usec != end).then(|| Moment::At(Timestamp::from_usec(usec)));
        let filter = Filter {
            kind: kind(select),
            expression: resolver.expression(&select.condition, &request.clock())?.and(request.within.clone()),
            since: moment(range.start, i64::MIN),
            until: moment(range.end, i64::MAX),
            ..Filter::default()
        };
        let limit = select.limit.map_or(request.max_rows, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let limit = limit.min(MOST);
        Ok(Self { select, resolver, filter, range, limit, now: request.now, zone: &request.zone })
    }

    /// Returns a description of the queries to the store, for people.
    pub(super) fn explain(&self, more: &[String]) -> Vec<String> {
        let kind =
            self.filter.kind.map_or("entities of every kind".to_owned(), |kind| format!("entities of kind {kind}"));
        let edge = |usec: i64| match usec {
            i64::MIN | i64::MAX => "…".to_owned(),
            usec => self.zone.show(usec),
        };
        let mut lines = vec![
            format!("of {kind}"),
            format!("from {} to {}", edge(self.range.start), edge(self.range.end)),
            format!("where {}", self.filter.expression),
        ];
        lines.extend_from_slice(more);
        lines
    }
}

pub(super) fn kind(select: &Select) -> Option<Kind> {
    match select.kind? {
        jkool_jkql::Kind::Activities => Some(Kind::Activity),
        jkool_jkql::Kind::Snapshots => Some(Kind::Snapshot),
        _ => Some(Kind::Event),
    }
}
