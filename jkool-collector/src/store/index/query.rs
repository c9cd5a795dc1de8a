//! Converts a filter to a query of an index.

use super::complement::Complement;
use super::document::kind_number;
use super::schema::{FIELDS, Place, number_column, path};
use super::search::Search;
use super::testing::Testing;
use crate::condition::{Condition, Test, number_of, rank};
use crate::expression::Expression;
use crate::field::{FieldName, FieldValue, SEVERITY, cut, hash};
use crate::filter::{Filter, Kind};
use crate::store::{StoreError, StoreErrorKind};
use jkool_model::Severity;
use std::ops::{Bound, Range};
use tantivy::Term;
use tantivy::query::{AllQuery, BooleanQuery, EmptyQuery, ExistsQuery, Query, RangeQuery, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

type Clause = Box<dyn Query>;

/// Returns the query for `filter` without its time range.
pub(super) fn query(filter: &Filter) -> Result<Clause, StoreError> {
    let fields = &*FIELDS;
    let mut all: Vec<Clause> = Vec::new();
    if let Some(kind) = filter.kind {
        all.push(number(fields.kind, kind_number(kind)));
    }
    if let Some(range) = filter.severity {
        let wanted = Severity::ALL.iter().filter(|severity| range.contains(**severity));
        all.push(any(wanted.map(|severity| number(fields.severity, *severity as u64)).collect()));
    }
    let text = |field, text: &String| Term::from_field_text(field, &cut(text));
    all.extend(filter.operation.as_ref().map(|name| same(text(fields.operation, name))));
    all.extend(filter.correlator.as_ref().map(|name| term(text(fields.correlator, name))));
    all.extend(filter.parent.as_ref().map(|id| number(fields.parent_id, hash(&cut(id)))));
    for (source_type, name) in filter.source.iter().flat_map(|source| source.elements()) {
        all.push(same(named_text(&source_type.to_string(), &cut(name))));
    }
    if let Some(text) = &filter.text {
        all.push(Search::parse(text).to_query());
    }
    for part in filter.expression.parts() {
        all.push(of_expression(part)?);
    }
    Ok(every(all))
}

/// Restricts `query` to a range of a column.
pub(super) fn within(query: Clause, bounds: impl IntoIterator<Item = (Bound<Term>, Bound<Term>)>) -> Clause {
    let mut all = vec![query];
    all.extend(bounds.into_iter().map(|(from, to)| Box::new(RangeQuery::new(from, to)) as Clause));
    if all.len() == 1 { all.remove(0) } else { Box::new(BooleanQuery::intersection(all)) }
}

/// Returns the bounds of a time range, or `None` if it contains all times.
pub(super) fn time_range(range: &Range<i64>) -> Option<(Bound<Term>, Bound<Term>)> {
    let term = |time| Term::from_field_i64(FIELDS.time, time);
    let from = if range.start == i64::MIN { Bound::Unbounded } else { Bound::Included(term(range.start)) };
    let to = if range.end == i64::MAX { Bound::Unbounded } else { Bound::Excluded(term(range.end)) };
    (from != Bound::Unbounded || to != Bound::Unbounded).then_some((from, to))
}

fn of_expression(expression: &Expression) -> Result<Clause, StoreError> {
    let each = |parts: &[Expression]| parts.iter().map(of_expression).collect::<Result<Vec<_>, _>>();
    Ok(match expression {
        Expression::All(parts) => every(each(parts)?),
        Expression::Any(parts) => any(each(parts)?),
        Expression::Not(part) => not(of_expression(part)?),
        Expression::Condition(Condition { field, test, negated: true }) => not(of_test(field, test)?),
        Expression::Condition(Condition { field, test, .. }) => of_test(field, test)?,
        Expression::Words { text, begins } => Search::words(text, *begins).to_query(),
    })
}

fn of_test(name: &FieldName, test: &Test) -> Result<Clause, StoreError> {
    let fields = &*FIELDS;
    let words: Vec<(String, Clause)> = match fields.place(name.as_str()) {
        Place::Time => return Ok(of_time(test)),
        Place::Kind => {
            Kind::ALL.iter().map(|kind| (kind.to_string(), number(fields.kind, kind_number(*kind)))).collect()
        }
        Place::Severity => {
            let is_within = |severity: &&Severity| match test {
                Test::Above { .. } | Test::Below { .. } => test.holds(&FieldValue::Number(rank(**severity))),
                _ => true,
            };
            let severities = Severity::ALL.iter().filter(is_within);
            severities.map(|severity| (severity.to_string(), number(fields.severity, *severity as u64))).collect()
        }
        Place::Own(field) => {
            return Ok(of_text(test, |text| Term::from_field_text(field, text), name.as_str().to_owned()));
        }
        Place::Hash(field) => {
            let error = || {
                StoreError::new(
                    StoreErrorKind::NoSuchField,
                    format!("{name} can be compared with a whole value only: {name}=…"),
                )
            };
            let Test::Is(text) = test else { return Err(error()) };
            return Ok(number(field, hash(&cut(text))));
        }
        Place::Named => {
            let texts = of_text(test, |text| named_text(name.as_str(), text), format!("texts.{}", path(name.as_str())));
            let numbers = of_number(test, name);
            return Ok(match numbers {
                Some(numbers) => any(vec![texts, numbers]),
                None => texts,
            });
        }
    };
    // There are few of these values, each with a name.
    let holds = |word: &str| match test {
        // Severities outside the bounds are already removed above.
        Test::Above { .. } | Test::Below { .. } => name.as_str() == SEVERITY,
        test => test.holds(&FieldValue::Text(word.into())),
    };
    Ok(any(words.into_iter().filter(|(word, _)| holds(word)).map(|(_, clause)| clause).collect()))
}

/// Returns the query for a time. Every entity has one.
fn of_time(test: &Test) -> Clause {
    // Times are whole microseconds: after a fractional bound, the next one is the first.
    let (from, to) = match test {
        Test::Exists => return Box::new(AllQuery),
        Test::Is(text) => match number_of(text) {
            Some(number) if number.fract() == 0.0 => (number, number + 1.0),
            _ => return Box::new(EmptyQuery),
        },
        Test::Above { bound, inclusive: true } => (bound.ceil(), f64::INFINITY),
        Test::Above { bound, .. } => (bound.floor() + 1.0, f64::INFINITY),
        Test::Below { bound, inclusive: true } => (f64::NEG_INFINITY, bound.floor() + 1.0),
        Test::Below { bound, .. } => (f64::NEG_INFINITY, bound.ceil()),
        Test::Begins(_) | Test::Contains(_) | Test::Like(_) => return Box::new(EmptyQuery),
    };
    // The conversion of a float that is too large gives the largest number.
    within(Box::new(AllQuery), time_range(&(from as i64..to as i64)))
}

fn of_text(test: &Test, of: impl Fn(&str) -> Term, column: String) -> Clause {
    match test {
        Test::Is(text) => same(of(&cut(text))),
        Test::Begins(text) => {
            let end = prefix_end(text).map_or(Bound::Unbounded, |end| Bound::Excluded(of(&end)));
            Box::new(RangeQuery::new(Bound::Included(of(text)), end))
        }
        Test::Contains(_) | Test::Like(_) => Box::new(Testing { column, test: test.clone() }),
        Test::Exists => Box::new(ExistsQuery::new(column, false)),
        Test::Above { .. } | Test::Below { .. } => Box::new(EmptyQuery),
    }
}

/// Returns the query for a number, or `None` if no number can match.
fn of_number(test: &Test, name: &FieldName) -> Option<Clause> {
    let of = |number: f64| {
        let mut term = Term::from_field_json_path(FIELDS.numbers, &path(name.as_str()), false);
        term.append_type_and_fast_value(number);
        term
    };
    let bound =
        |number: f64, inclusive| if inclusive { Bound::Included(of(number)) } else { Bound::Excluded(of(number)) };
    let (from, to) = match test {
        Test::Exists => return Some(Box::new(ExistsQuery::new(number_column(name), false))),
        Test::Is(text) => {
            let number = number_of(text)?;
            (bound(number, true), bound(number, true))
        }
        Test::Above { bound: number, inclusive } => (bound(*number, *inclusive), Bound::Unbounded),
        Test::Below { bound: number, inclusive } => (Bound::Unbounded, bound(*number, *inclusive)),
        Test::Begins(_) | Test::Contains(_) | Test::Like(_) => return None,
    };
    Some(Box::new(RangeQuery::new(from, to)))
}

fn named_text(name: &str, text: &str) -> Term {
    let mut term = Term::from_field_json_path(FIELDS.texts, &path(name), false);
    term.append_type_and_str(text);
    term
}

fn number(field: Field, number: u64) -> Clause {
    term(Term::from_field_u64(field, number))
}

/// Returns the query for a value of a column.
fn same(term: Term) -> Clause {
    Box::new(RangeQuery::new(Bound::Included(term.clone()), Bound::Included(term)))
}

fn term(term: Term) -> Clause {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

pub(super) fn not(clause: Clause) -> Clause {
    Box::new(Complement(clause))
}

pub(super) fn every(mut clauses: Vec<Clause>) -> Clause {
    match clauses.len() {
        0 => Box::new(AllQuery),
        1 => clauses.remove(0),
        _ => Box::new(BooleanQuery::intersection(clauses)),
    }
}

fn any(mut clauses: Vec<Clause>) -> Clause {
    match clauses.len() {
        0 => Box::new(EmptyQuery),
        1 => clauses.remove(0),
        _ => Box::new(BooleanQuery::union(clauses)),
    }
}

/// Returns the first text after all those with this prefix, or `None` if there is none.
pub(super) fn prefix_end(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            end.push(next);
            return Some(end);
        }
    }
    None
}
