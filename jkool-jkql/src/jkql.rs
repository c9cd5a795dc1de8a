//! The grammar of statements.

use crate::condition::{Condition, Name};
use crate::input::{
    Input, Parsed, count, either, here, identifier, list, list_or_none, refuse, sign, spaces, text, token, word,
};
use crate::period::{Period, Unit};
use crate::predicate::{join, name, optional, where_condition};
use crate::statement::{Bucket, Chart, Figure, Function, Kind, Output, Select, Sort, SortBy, Statement};
use winnow::Parser;
use winnow::combinator::alt;

/// One statement.
pub(crate) fn statement(input: &mut Input<'_>) -> Parsed<Statement> {
    let get = |input: &mut Input<'_>| {
        word("`get`")(input)?;
        Ok(Statement::Get(clauses(input, what)?.0))
    };
    alt((get, find, compare, subscribe, unsubscribe)).parse_next(input)
}

fn find(input: &mut Input<'_>) -> Parsed<Statement> {
    word("`find`")(input)?;
    let words = text("a text in quotes")(input)?.text;
    let what = |input: &mut Input<'_>| {
        let within = optional(input, word("`in`"));
        Ok((if within { kind(input)? } else { None }, Output::default()))
    };
    let mut select = clauses(input, what)?.0;
    let begins = words.ends_with('*');
    let mut parts = vec![Condition::Words { text: words, begins }];
    if select.condition != Condition::default() {
        parts.push(select.condition);
    }
    select.condition = join(parts, Condition::All);
    Ok(Statement::Get(select))
}

fn compare(input: &mut Input<'_>) -> Parsed<Statement> {
    word("`compare`")(input)?;
    optional(input, word("`get`"));
    let what = |input: &mut Input<'_>| figures(input).map(|(kind, figures)| (kind, Output::Figures(figures)));
    let (select, with) = clauses(input, what)?;
    match with {
        Some(with) => Ok(Statement::Compare { select, with }),
        None => refuse(input, "two periods such as `for today with yesterday`"),
    }
}

fn subscribe(input: &mut Input<'_>) -> Parsed<Statement> {
    alt((word("`subscribe`"), word("`sub`"))).parse_next(input)?;
    word("`to`")(input)?;
    let kind = kind(input)?;
    let mut select = Select { kind, ..Select::default() };
    for _ in 0..2 {
        match alt((fields, condition_clause, |_: &mut Input<'_>| Ok(Clause::Limit(0)))).parse_next(input)? {
            Clause::Fields(fields) => select.output = Output::Rows(fields),
            Clause::Where(condition) => select.condition = condition,
            _ => break,
        }
    }
    Ok(Statement::Subscribe(select))
}

fn unsubscribe(input: &mut Input<'_>) -> Parsed<Statement> {
    word("`unsubscribe`")(input)?;
    word("`from`")(input)?;
    Ok(Statement::Unsubscribe(text("the id of a subscription in quotes")(input)?.text))
}

/// What is asked for: entities, or figures of them.
fn what(input: &mut Input<'_>) -> Parsed<(Option<Kind>, Output)> {
    either(
        input,
        |input| figures(input).map(|(kind, figures)| (kind, Output::Figures(figures))),
        |input| kind(input).map(|kind| (kind, Output::default())),
    )
}

/// `number of events, avg(elapsedtime)`: the kind is that of the number, else events.
fn figures(input: &mut Input<'_>) -> Parsed<(Option<Kind>, Vec<Figure>)> {
    let one = |input: &mut Input<'_>| {
        let number = |input: &mut Input<'_>| {
            word("`number`")(input)?;
            word("`of`")(input)?;
            Ok((Some(kind(input)?), Figure::Number))
        };
        either(input, number, |input| {
            let figure = function(input)?;
            let of = optional(input, word("`of`"));
            Ok((if of { Some(kind(input)?) } else { None }, figure))
        })
    };
    let all = list(input, one, sign("`,`"))?;
    let kinds: Vec<Option<Kind>> = all.iter().filter_map(|(kind, _)| *kind).collect();
    let kind = kinds.first().copied().unwrap_or(Some(Kind::Events));
    if kinds.iter().any(|other| *other != kind) {
        return refuse(input, "figures of one kind of entities");
    }
    Ok((kind, all.into_iter().map(|(_, figure)| figure).collect()))
}

/// `avg(elapsedtime)`
fn function(input: &mut Input<'_>) -> Parsed<Figure> {
    const FUNCTION: &str = "a function (count, sum, min, max, avg, p95, distinct)";
    let known = |(name, _): (String, usize)| match name.to_ascii_lowercase().as_str() {
        "count" => Some(Function::Count),
        "sum" => Some(Function::Sum),
        "min" => Some(Function::Min),
        "max" => Some(Function::Max),
        "avg" => Some(Function::Avg),
        "distinct" => Some(Function::Distinct),
        other => {
            let percent = other.strip_prefix('p')?.parse().ok()?;
            (0.0..=100.0).contains(&percent).then_some(Function::Percentile(percent))
        }
    };
    let function = token(FUNCTION, identifier(FUNCTION).verify_map(known))(input)?;
    sign("`(`")(input)?;
    let name = name(input)?;
    sign("`)`")(input)?;
    Ok(Figure::Of(function, name))
}

/// A kind of entities, in the singular or plural; `None` for any.
fn kind(input: &mut Input<'_>) -> Parsed<Option<Kind>> {
    const KINDS: [(&str, Option<Kind>); 5] = [
        ("`events`", Some(Kind::Events)),
        ("`logs`", Some(Kind::Events)),
        ("`activities`", Some(Kind::Activities)),
        ("`snapshots`", Some(Kind::Snapshots)),
        ("`entities`", None),
    ];
    for (name, kind) in KINDS {
        if optional(input, word(name)) {
            return Ok(kind);
        }
    }
    const SINGULAR: [(&str, Option<Kind>); 4] = [
        ("event", Some(Kind::Events)),
        ("log", Some(Kind::Events)),
        ("activity", Some(Kind::Activities)),
        ("snapshot", Some(Kind::Snapshots)),
    ];
    let known = |(name, _): (String, usize)| {
        SINGULAR.iter().find(|(singular, _)| name.eq_ignore_ascii_case(singular)).map(|(_, kind)| *kind)
    };
    token("`events`", identifier("`events`").verify_map(known))(input)
}

/// A part of a statement that stands behind what is asked for.
enum Clause {
    Fields(Vec<Name>),
    Where(Condition),
    Groups(Vec<Name>),
    Bucket(Bucket),
    Period(Period, Option<Period>),
    Sort(Vec<Sort>),
    Limit(u32),
    Show(Chart),
}

/// What is asked for and the clauses behind it, in any order; beside it, the period behind `with`.
fn clauses(
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

/// Whether there was nothing before.
fn replace<T>(place: &mut T, new: T, was_empty: impl FnOnce(&T) -> bool) -> bool {
    was_empty(&std::mem::replace(place, new))
}

fn condition_clause(input: &mut Input<'_>) -> Parsed<Clause> {
    where_condition(input).map(Clause::Where)
}

fn fields(input: &mut Input<'_>) -> Parsed<Clause> {
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

/// A period of time, as it stands behind `for`.
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
    const CHART: &str = "a chart (linechart, areachart, barchart, piechart, table, number)";
    word("`show as`")(input)?;
    let known = |(name, _): (String, usize)| {
        // A column chart is a bar chart that stands.
        let name = name.to_ascii_lowercase().replace("colchart", "barchart");
        Chart::ALL.iter().find(|(known, _)| *known == name).map(|(_, chart)| *chart)
    };
    token(CHART, identifier(CHART).verify_map(known)).parse_next(input).map(Clause::Show)
}
