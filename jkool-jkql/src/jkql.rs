//! The grammar of statements.

use crate::clause::{Clause, clauses, condition_clause, fields};
use crate::condition::Condition;
use crate::input::{Input, Parsed, either, identifier, list, refuse, sign, text, token, word};
use crate::predicate::{join, name, optional};
use crate::statement::{Figure, Function, Kind, Output, Select, Statement};
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

/// The subject: entities, or figures of them.
fn what(input: &mut Input<'_>) -> Parsed<(Option<Kind>, Output)> {
    either(
        input,
        |input| figures(input).map(|(kind, figures)| (kind, Output::Figures(figures))),
        |input| kind(input).map(|kind| (kind, Output::default())),
    )
}

/// `number of events, avg(elapsedtime)`: the kind of entities is the one after `number of`, or events.
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
pub(crate) fn function(input: &mut Input<'_>) -> Parsed<Figure> {
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
pub(crate) fn kind(input: &mut Input<'_>) -> Parsed<Option<Kind>> {
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
