//! Runs the query of a viewlet.

use super::groups::group_name;
use super::named_bars::BARS;
use super::table::ROWS as TABLE;
use super::{HEAT, SERIES};
use crate::condition::Test;
use crate::dashboard::{Viewlet, name_of};
use crate::expression::Expression;
use crate::filter::Filter;
use crate::jkql::{Answer, Column, ColumnType, JkqlError, Request, answer};
use crate::page::chart::Unit;
use crate::page::map::Flows;
use crate::store::{Reader, StoreError};
use crate::time_arg::Moment;
use jkool_jkql::{Bucket, Chart, Condition, Figure, Output, Period, Select, Statement, Zone};
use jkool_model::{Timestamp, ValueType};
use std::ops::Range;

/// The maximum number of rows, enough for every kind of chart.
const ROWS: usize = 10_000;
/// The approximate number of time intervals, and the maximum number that a statement may request before they are
/// combined.
const STRETCHES: usize = 90;
const TOO_MANY: i64 = 150;

/// The query of a viewlet.
#[derive(Debug, Clone)]
pub(in crate::page) struct Asked {
    pub(in crate::page) query: String,
    pub(in crate::page) kind: Option<Chart>,
    /// The time range in microseconds, unless the statement has one.
    pub(in crate::page) range: Range<i64>,
    pub(in crate::page) now: Timestamp,
    /// Whether to query the previous period, too.
    pub(in crate::page) compare: bool,
}

/// The results of a query.
#[derive(Debug)]
pub(in crate::page) struct Answered {
    pub(in crate::page) kind: Chart,
    pub(in crate::page) answer: Answer,
    /// The answer for the previous period, and its distance in microseconds.
    pub(in crate::page) before: Option<(Answer, i64)>,
    /// The answer over time, for a single number.
    pub(in crate::page) trend: Option<Answer>,
    /// The number of all groups if only the largest were queried, and the answer for all of them that a stack needs.
    pub(in crate::page) groups: Option<u64>,
    pub(in crate::page) total: Option<Answer>,
    /// The unit of each column.
    pub(in crate::page) units: Vec<Unit>,
    /// The range of the time axis, and the length of an interval, in microseconds; 0 if the answer is not over time.
    pub(in crate::page) range: Range<i64>,
    pub(in crate::page) width: i64,
    /// The flows of a map.
    pub(in crate::page) flows: Option<Flows>,
}

impl Asked {
    pub(in crate::page) fn new(viewlet: &Viewlet, range: &Range<i64>, now: Timestamp, compare: bool) -> Self {
        Self { query: viewlet.query.clone(), kind: viewlet.kind, range: range.clone(), now, compare }
    }

    /// Runs the query.
    ///
    /// # Errors
    /// Returns an error if the statement is invalid or does not fit the kind of chart, or if the store fails.
    pub(in crate::page) fn answer(&self, reader: &Reader<'_>) -> Result<Answered, JkqlError> {
        let mut request = Request::new(self.query.as_str(), self.now);
        request.date = between(&self.range);
        request.max_rows = ROWS;
        let mut select = match jkool_jkql::parse(&self.query)? {
            Statement::Get(select) => select,
            other => {
                let answer = answer(reader, &other, &request)?;
                return self.answered(reader, Chart::Table, answer);
            }
        };
        let kind = self.kind.or(select.show).unwrap_or_else(|| usual(&select));
        fits(kind, &select)?;
        let period = select.period.as_ref().unwrap_or(&request.date).range(self.now.as_usec(), &Zone::default())?;
        let at = |usec: i64, open: i64| (usec != open).then(|| Moment::At(Timestamp::from_usec(usec)));
        let in_time =
            Filter { since: at(period.start, i64::MIN), until: at(period.end, i64::MAX), ..Filter::default() };
        let Some(scale) = reader.scale(&in_time, STRETCHES, self.now)? else {
            let asked = answer(reader, &Statement::Get(select), &request)?;
            return self.answered(reader, kind, asked);
        };
        // Up to the end of the requested range, but not into the future.
        let first = scale.starts().next().map_or(0, Timestamp::as_usec);
        let end = scale.starts().last().map_or(first, |start| start.as_usec().saturating_add(scale.width));
        let end = end.min(period.end).min(self.now.as_usec().saturating_add(1).max(first.saturating_add(scale.width)));
        if kind == Chart::Map {
            select.limit = Some(1);
            let mut answered = self.answered(reader, kind, answer(reader, &Statement::Get(select), &request)?)?;
            answered.flows = Some(Flows::of(reader, &in_time, self.now)?);
            return Ok(answered);
        }
        let least = u64::try_from(scale.width / 1_000_000).unwrap_or(1).max(1);
        let mut bucket = Bucket { seconds: least };
        if let Some(asked) = select.bucket {
            let stretches =
                (end - first) / i64::try_from(asked.seconds.max(1)).unwrap_or(i64::MAX).saturating_mul(1_000_000);
            bucket = if stretches > TOO_MANY { bucket } else { asked };
            select.bucket = Some(bucket);
        }
        let width = i64::try_from(bucket.seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let mut over_time = select.clone();
        (over_time.bucket, over_time.sort, over_time.limit) = (Some(bucket), Vec::new(), None);
        if kind == Chart::Number {
            select.bucket = None;
        }
        let all = narrow(reader, &select, &mut request, shown(kind, &select))?;
        let mut answered = self.answered(reader, kind, answer(reader, &Statement::Get(select.clone()), &request)?)?;
        if let Some(all) = all {
            (answered.groups, answered.answer.filter) = (Some(all.found), all.filter);
            if matches!(kind, Chart::Area | Chart::Bar) && select.bucket.is_some() && counts_alone(&select) {
                let mut ungrouped = select.clone();
                ungrouped.groups.clear();
                let of_all = Request { within: Expression::default(), ..request.clone() };
                answered.total = Some(answer(reader, &Statement::Get(ungrouped), &of_all)?);
            }
        }
        answered.range = first.div_euclid(width) * width..end;
        let is_figures = matches!(select.output, Output::Figures(_));
        if kind == Chart::Number {
            answered.trend = Some(answer(reader, &Statement::Get(over_time), &request)?);
            answered.width = width;
        } else if select.bucket.is_some() {
            answered.width = width;
        }
        if is_figures && (self.compare || kind == Chart::Number) && period.start != i64::MIN && period.end != i64::MAX {
            let length = period.end - period.start;
            select.period = Some(between(&(period.start.saturating_sub(length)..period.start)));
            let before = answer(reader, &Statement::Get(select), &request)?;
            // Shifted by whole intervals, so that both periods have the same interval boundaries.
            answered.before = Some((before, (length + width / 2).div_euclid(width) * width));
        }
        Ok(answered)
    }

    fn answered(&self, reader: &Reader<'_>, kind: Chart, answer: Answer) -> Result<Answered, JkqlError> {
        let units: Result<Vec<Unit>, StoreError> =
            answer.columns.iter().map(|column| unit_of(reader, column, &answer.filter, self.now)).collect();
        let (units, range) = (units?, self.range.clone());
        Ok(Answered {
            kind,
            answer,
            before: None,
            trend: None,
            groups: None,
            total: None,
            units,
            range,
            width: 0,
            flows: None,
        })
    }
}

/// Returns the maximum number of groups that a kind of chart shows.
fn shown(kind: Chart, select: &Select) -> u32 {
    let most = match kind {
        Chart::HeatMap => HEAT,
        Chart::Table => TABLE,
        _ if select.bucket.is_some() => SERIES,
        _ => BARS,
    };
    let most = u32::try_from(most).unwrap_or(u32::MAX);
    select.limit.filter(|_| select.bucket.is_none()).map_or(most, |limit| limit.min(most))
}

fn counts_alone(select: &Select) -> bool {
    matches!(&select.output, Output::Figures(figures) if **figures == [Figure::Number])
}

/// Restricts a query to the largest groups, if there are more than `most`: measures of thousands of groups are slow and
/// nobody needs them. Returns which groups these are.
fn narrow(reader: &Reader<'_>, select: &Select, request: &mut Request, most: u32) -> Result<Option<Answer>, JkqlError> {
    let Output::Figures(figures) = &select.output else { return Ok(None) };
    // Sorting by a measure needs all groups; counts by a single group are fast.
    let is_quick = select.bucket.is_none() && counts_alone(select);
    if select.groups.len() != 1 || !select.sort.is_empty() || is_quick {
        return Ok(None);
    }
    let mut count = select.clone();
    (count.bucket, count.limit, count.output) = (None, Some(most), Output::Figures(vec![Figure::Number]));
    let names = figures.iter().filter_map(|figure| match figure {
        Figure::Of(_, name) => Some(Condition::Test { name: name.clone(), test: jkool_jkql::Test::Exists }),
        _ => None,
    });
    let has_figure: Vec<_> = names.collect();
    if !has_figure.is_empty() {
        count.condition = Condition::All(vec![select.condition.clone(), Condition::Any(has_figure)]);
    }
    let counted = answer(reader, &Statement::Get(count), request)?;
    let Some(field) = counted.columns.first().and_then(|column| column.field.clone()) else { return Ok(None) };
    if counted.found <= u64::from(most) {
        return Ok(None);
    }
    let names = counted.rows.iter().map(|row| group_name(row.get(..1)));
    let is_one = |name: String| crate::condition::Condition::new(field.clone(), Test::Is(name)).into();
    request.within = Expression::Any(names.map(is_one).collect());
    Ok(Some(counted))
}

fn between(range: &Range<i64>) -> Period {
    match (range.start, range.end) {
        (i64::MIN, i64::MAX) => Period::All,
        (start, i64::MAX) => Period::Since(start.to_string()),
        (start, end) => Period::Between(start.to_string(), end.to_string()),
    }
}

/// Returns the default kind of chart.
fn usual(select: &Select) -> Chart {
    match (&select.output, select.bucket, &*select.groups) {
        (Output::Rows(_), ..) => Chart::Table,
        (_, Some(_), _) => Chart::Line,
        (.., []) => Chart::Number,
        _ => Chart::Bar,
    }
}

/// Returns an error if an answer cannot be shown as this kind of chart.
fn fits(kind: Chart, select: &Select) -> Result<(), JkqlError> {
    let is_rows = matches!(select.output, Output::Rows(_));
    let (over_time, grouped) = (select.bucket.is_some(), !select.groups.is_empty());
    let needed = match kind {
        Chart::Table => None,
        Chart::Map if select.condition != Condition::default() => Some("all messages of its time, so no `where`"),
        Chart::Map => None,
        _ if is_rows => Some("figures, such as get number of events"),
        Chart::Line | Chart::Area if !over_time => Some("`bucketed by` a unit of time"),
        Chart::HeatMap if !(over_time && grouped) => Some("`bucketed by` a unit of time, and `group by`"),
        Chart::Pie if over_time || !grouped => Some("`group by`, and no `bucketed by`"),
        Chart::Number if grouped => Some("no `group by`"),
        _ => None,
    };
    match needed {
        Some(needed) => Err(JkqlError::Impossible(format!("the kind {} needs {needed}", name_of(kind)))),
        None => Ok(()),
    }
}

fn unit_of(reader: &Reader<'_>, column: &Column, filter: &Filter, now: Timestamp) -> Result<Unit, StoreError> {
    let is_number = matches!(column.column_type, ColumnType::Integer | ColumnType::Decimal);
    let Some(field) = column.field.as_ref().filter(|_| is_number) else { return Ok(Unit::NUMBER) };
    Ok(match field.as_str() {
        "elapsed-time-usec" | "wait-time-usec" | "msg-age" => Unit::USEC,
        "msg-size" => Unit::of(&ValueType::SizeByte),
        _ if field.is_own() => reader.value_type(field, filter, now)?.map_or(Unit::NUMBER, |found| Unit::of(&found)),
        _ => Unit::NUMBER,
    })
}
