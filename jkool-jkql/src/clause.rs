//! The grammar of the clauses of a statement.

use crate::condition::{Condition, Name};
use crate::input::{
    Input, Parsed, count, either, here, identifier, list, list_or_none, refuse, sign, spaces, text, token, word,
};
use crate::jkql::{function, kind};
use crate::period::{Period, Unit};
use crate::predicate::{name, where_condition};
use crate::statement::{Bucket, Chart, Figure, Kind, Output, Select, Sort, SortBy};
use winnow::Parser;
use winnow::combinator::alt;

/// A clause of a statement.
pub(crate) enum Clause {
    Fields(Vec<Name>),
    Where(Condition),
    Groups(Vec<Name>),
    Bucket(Bucket),
    Period(Period, Option<Period>),
    Sort(Vec<Sort>),
    Limit(u32),
    Show(Chart),
}

/// The subject of a statement and its clauses, in any order; and the period after `with`.
pub(crate) fn clauses(
    input: &mut Input<'_>,
    what: impl FnOnce(&mut Input<'_>) -> Parsed<(Option<Kind>, Output)>,
) -> Parsed<(Select, Option<Period>)> {
    let (kind, output) = what(input)?;
    let mut select = Select { kind, output, ..Select::default() };
    let mut with = None;
    let clause = |input: &mut Input<'_>| {
        let add = alt((fields, condition_clause, groups, bucket, period, sort, limit, show)).parse_next(input)?;
        let is_new = match add {
            Clause::Fields(fields) => match &mut select.output {
                Output::Rows(rows) => replace(rows, fields, Vec::is_empty),
                Output::Figures(_) => false,
            },
            Clause::Where(condition) => replace(&mut select.condition, condition, |old| *old == Condition::default()),
            Clause::Groups(groups) => replace(&mut select.groups, groups, Vec::is_empty),
            Clause::Bucket(bucket) => replace(&mut select.bucket, Some(bucket), Option::is_none),
            Clause::Period(period, second) => {
                with = second;
                replace(&mut select.period, Some(period), Option::is_none)
            }
            Clause::Sort(sort) => replace(&mut select.sort, sort, Vec::is_empty),
            Clause::Limit(limit) => replace(&mut select.limit, Some(limit), Option::is_none),
            Clause::Show(show) => replace(&mut select.show, Some(show), Option::is_none),
        };
        if is_new { Ok(()) } else { refuse(input, "each clause once, and `fields` of entities alone") }
    };
    list_or_none(input, clause)?;
    Ok((select, with))
}

/// Sets a clause, and returns whether it was not set before.
fn replace<T>(place: &mut T, new: T, was_empty: impl FnOnce(&T) -> bool) -> bool {
    was_empty(&std::mem::replace(place, new))
}

pub(crate) fn condition_clause(input: &mut Input<'_>) -> Parsed<Clause> {
    where_condition(input).map(Clause::Where)
}

pub(crate) fn fields(input: &mut Input<'_>) -> Parsed<Clause> {
    word("`fields`")(input)?;
    list(input, name, sign("`,`")).map(Clause::Fields)
}

fn groups(input: &mut Input<'_>) -> Parsed<Clause> {
    word("`group by`")(input)?;
    list(input, name, sign("`,`")).map(Clause::Groups)
}

fn bucket(input: &mut Input<'_>) -> Parsed<Clause> {
    word("`bucketed by`")(input)?;
    let (count, unit) = span(input)?;
    let seconds = unit.seconds().and_then(|seconds| seconds.checked_mul(count.into()));
    match seconds {
        Some(seconds) => Ok(Clause::Bucket(Bucket { seconds })),
        None => refuse(input, "stretches of equal length: seconds, minutes, hours, days or weeks"),
    }
}

/// `minute`, `15 minutes`.
fn span(input: &mut Input<'_>) -> Parsed<(u32, Unit)> {
    let many = |input: &mut Input<'_>| Ok((count("a number")(input)?, unit(input)?));
    alt((many, |input: &mut Input<'_>| unit(input).map(|unit| (1, unit)))).parse_next(input)
}

fn unit(input: &mut Input<'_>) -> Parsed<Unit> {
    const UNIT: &str = "a unit (second, minute, hour, day, week, month, year)";
    let known = |(name, _): (String, usize)| {
        let name = name.to_ascii_lowercase();
        let singular = name.strip_suffix('s').unwrap_or(&name);
        Unit::ALL.iter().find(|(known, _)| *known == singular).map(|(_, unit)| *unit)
    };
    token(UNIT, identifier(UNIT).verify_map(known)).parse_next(input)
}

fn period(input: &mut Input<'_>) -> Parsed<Clause> {
    word("`for`")(input)?;
    let first = one_period(input)?;
    let second = |input: &mut Input<'_>| {
        word("`with`")(input)?;
        one_period(input).map(Some)
    };
    let second = either(input, second, |_| Ok(None))?;
    Ok(Clause::Period(first, second))
}

/// A period, as in a `for` clause.
pub(crate) fn one_period(input: &mut Input<'_>) -> Parsed<Period> {
    let latest = |input: &mut Input<'_>| {
        alt((word("`latest`"), word("`last`"))).parse_next(input)?;
        span(input).map(|(count, unit)| Period::Latest(count, unit))
    };
    let this = |input: &mut Input<'_>| {
        word("`this`")(input)?;
        unit(input).map(Period::This)
    };
    let previous = |input: &mut Input<'_>| {
        word("`previous`")(input)?;
        unit(input).map(Period::Previous)
    };
    let since = |input: &mut Input<'_>| {
        word("`since`")(input)?;
        text("a date or time in quotes")(input).map(|from| Period::Since(from.text))
    };
    let dates = |input: &mut Input<'_>| {
        let from = text("a date or time in quotes")(input)?.text;
        let to = |input: &mut Input<'_>| {
            word("`to`")(input)?;
            text("a date or time in quotes")(input).map(|to| to.text)
        };
        let to = either(input, to, |_| Ok(from.clone()))?;
        Ok(Period::Between(from, to))
    };
    alt((
        word("`today`").value(Period::Day { back: 0 }),
        word("`yesterday`").value(Period::Day { back: 1 }),
        word("`all`").value(Period::All),
        latest,
        this,
        previous,
        since,
        dates,
    ))
    .parse_next(input)
}

fn sort(input: &mut Input<'_>) -> Parsed<Clause> {
    word("`sort by`")(input)?;
    let key = |input: &mut Input<'_>| {
        spaces(input)?;
        let column = here(input);
        let number = |input: &mut Input<'_>| {
            word("`number`")(input)?;
            word("`of`")(input)?;
            kind(input).map(|_| SortBy::Figure(Figure::Number))
        };
        let figure = |input: &mut Input<'_>| function(input).map(SortBy::Figure);
        let field = |input: &mut Input<'_>| name(input).map(SortBy::Field);
        let by = alt((number, figure, field)).parse_next(input)?;
        let descending = alt((word("`desc`").value(true), word("`asc`").value(false), |_: &mut Input<'_>| Ok(false)))
            .parse_next(input)?;
        Ok(Sort { by, descending, column })
    };
    list(input, key, sign("`,`")).map(Clause::Sort)
}

fn limit(input: &mut Input<'_>) -> Parsed<Clause> {
    word("`limit`")(input)?;
    count("a whole number from 1 on")(input).map(Clause::Limit)
}

fn show(input: &mut Input<'_>) -> Parsed<Clause> {
    const CHART: &str = "a chart (linechart, areachart, barchart, piechart, table, number, heatmap, map)";
    word("`show as`")(input)?;
    let known = |(name, _): (String, usize)| {
        // A column chart is a vertical bar chart.
        let name = name.to_ascii_lowercase().replace("colchart", "barchart");
        Chart::ALL.iter().find(|(known, _)| *known == name).map(|(_, chart)| *chart)
    };
    token(CHART, identifier(CHART).verify_map(known)).parse_next(input).map(Clause::Show)
}
