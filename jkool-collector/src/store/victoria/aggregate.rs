//! Groups and measures, computed by the server's `stats`.

use super::columns::{Column, figure, spread, spread_once, unquoted};
use super::encoding::{BETWEEN, column, field_of, quoted};
use super::logsql::{ENTITIES, NUMBERS, TEXTS, kinds, may_be_several, question};
use super::rows::{Keyed, arranged, keyed, value};
use super::server::{Answer, Server};
use crate::field::{FieldName, TIME};
use crate::store::engine::{Aggregate, Deadline};
use crate::store::{Aggregation, Function, Group, Measure, Row, StoreError, StoreErrorKind};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// The maximum number of groups.
const GROUPS: usize = 250_000;

/// The maximum size of a list of values in a query; a server accepts queries of at most 16 KiB.
const LONGEST: usize = 8 << 10;

/// A query in preparation.
struct Asking<'a> {
    server: &'a Server,
    deadline: &'a Deadline,
    /// The filter in LogsQL.
    question: String,
}

pub(super) fn aggregate(
    server: &Server,
    ask: &Aggregate,
    range: &Range<i64>,
    deadline: &Deadline,
) -> Result<Vec<Row>, StoreError> {
    let Aggregation { groups, measures } = &ask.aggregation;
    let asking = Asking { server, deadline, question: question(&ask.filter, range) };
    let groups: Vec<(&Group, Option<Column>)> = groups
        .iter()
        .map(|group| match group {
            Group::Time(_) => Ok((group, None)),
            Group::Field(name, _) => Ok((group, Some(asking.column(name)?))),
        })
        .collect::<Result<_, StoreError>>()?;
    let (mut order, mut asking) = (HashMap::new(), asking);
    if let [(Group::Field(_, limit), Some(column)), inner @ ..] = &*groups {
        // The most frequent values are queried first, so that the next query is limited to them.
        let top = asking.top(column, *limit)?;
        if inner.is_empty() && measures.is_empty() {
            return Ok(top.into_iter().map(|(_, row)| row).collect());
        }
        asking.only(column, &top, *limit);
        order = top.into_iter().enumerate().map(|(index, (keys, _))| (keys, index)).collect();
    }
    let mut rows = asking.rows(&groups, measures)?;
    if let [(Group::Field(..), _), ..] = &*groups {
        rows.retain(|(keys, _)| order.contains_key(keys.get(..1).unwrap_or_default()));
        rows.sort_by_key(|(keys, _)| order.get(keys.get(..1).unwrap_or_default()).copied());
    }
    let groups: Vec<&Group> = groups.iter().map(|(group, _)| *group).collect();
    Ok(arranged(rows, &groups, 0).into_iter().map(|(_, row)| row).collect())
}

impl Asking<'_> {
    fn query(&self, text: &str) -> Result<Vec<Answer>, StoreError> {
        self.deadline.check()?;
        self.server.query(text, self.deadline.left())
    }

    fn is_any(&self, test: &str) -> Result<bool, StoreError> {
        Ok(!self.query(&format!("{test} | limit 1 | fields seq"))?.is_empty())
    }

    /// Returns where the values of a field are: its numbers if it has any, else its texts.
    fn column(&self, name: &FieldName) -> Result<Column, StoreError> {
        if matches!(name.as_str(), TIME | "tracking-id" | "parent-id") {
            let error = format!("can't group by {name}: nearly all values are distinct");
            return Err(StoreError::new(StoreErrorKind::NoSuchField, error));
        }
        let is_number = match kinds(name.as_str()) {
            (true, true) => match column(NUMBERS, name.as_str()) {
                Some(numbers) => self.is_any(&format!("{ENTITIES} {}:*", quoted(&numbers)))?,
                None => false,
            },
            (_, is_number) => is_number,
        };
        self.column_of(name, is_number)
    }

    fn column_of(&self, name: &FieldName, is_number: bool) -> Result<Column, StoreError> {
        let of = column(if is_number { NUMBERS } else { TEXTS }, name.as_str());
        let error = || StoreError::new(StoreErrorKind::NoSuchField, format!("the name of {name} is too long"));
        let of = of.ok_or_else(error)?;
        let several = || self.is_any(&format!("{} {}:*{}*", self.question, quoted(&of), quoted(&BETWEEN.to_string())));
        Ok(Column { has_several: may_be_several(name.as_str()) && several()?, name: of, is_number })
    }

    /// Limits the query to these values of a column. Not possible if an entity may have several values: its other
    /// values would be lost.
    fn only(&mut self, column: &Column, top: &[Keyed], limit: usize) {
        if column.has_several {
            return;
        }
        let values: Vec<String> = top.iter().filter_map(|(keys, _)| keys.first()).map(|value| quoted(value)).collect();
        let mut values = values.join(",");
        if values.len() > LONGEST {
            values = format!("{} | fields {}", self.top_query(column, limit).0, quoted(&column.name));
        }
        self.question.push_str(&format!(" {}:in({values})", quoted(&column.name)));
    }

    /// Returns the query for the most frequent values, and the name of their column in the answer.
    fn top_query(&self, column: &Column, limit: usize) -> (String, String) {
        let (pipes, key) = spread_once(column, "g0");
        let (question, name, limit) = (&self.question, quoted(&column.name), limit.max(1));
        (
            format!(
                "{question} {name}:*{pipes} | stats by ({key}) count() as n | sort by (n desc, {key}) limit {limit}"
            ),
            key,
        )
    }

    /// Returns the most frequent values.
    fn top(&self, column: &Column, limit: usize) -> Result<Vec<Keyed>, StoreError> {
        let (query, key) = self.top_query(column, limit);
        let answers = self.query(&query)?;
        Ok(answers.iter().filter_map(|answer| keyed(answer, &[(unquoted(&key), Some(column))])).collect())
    }

    /// Returns all groups with their measures. A measure whose field may have several values in an entity needs a query
    /// of its own: it spreads the values over rows, which would be counted.
    fn rows(&self, groups: &[(&Group, Option<Column>)], measures: &[Measure]) -> Result<Vec<Keyed>, StoreError> {
        let mut base = self.question.clone();
        let (mut pipes, mut by, mut keys) = (String::new(), Vec::new(), Vec::new());
        for (index, (group, column)) in groups.iter().enumerate() {
            match (group, column) {
                (Group::Time(width), _) => {
                    // A second key needs a name of its own.
                    let is_second = keys.iter().any(|(_, column): &(_, Option<&Column>)| column.is_none());
                    let key = if is_second { format!("t{index}") } else { "_time".to_owned() };
                    if is_second {
                        pipes.push_str(&format!(" | copy _time as {key}"));
                    }
                    by.push(format!("{key}:{}ns", (*width).max(1).saturating_mul(1_000)));
                    keys.push((key, None));
                }
                (_, Some(column)) => {
                    base.push_str(&format!(" {}:*", quoted(&column.name)));
                    let (pipe, key) = spread_once(column, &format!("g{index}"));
                    pipes.push_str(&pipe);
                    keys.push((unquoted(&key), Some(column)));
                    by.push(key);
                }
                _ => {}
            }
        }
        let by = if by.is_empty() { String::new() } else { format!("by ({}) ", by.join(", ")) };
        let (mut together, mut alone) = (vec!["count() as n".to_owned()], Vec::new());
        for (index, measure) in measures.iter().enumerate() {
            let column = match measure.function {
                Function::Count | Function::Distinct => self.column(&measure.field)?,
                _ => self.column_of(&measure.field, true)?,
            };
            match column.has_several {
                false => together.push(figure(measure.function, &quoted(&column.name), index)),
                true => alone.push((spread(&column, "v").0, figure(measure.function, "v", index))),
            }
        }
        let ask = |pipes: &str, figures: &str| {
            let answers = self.query(&format!("{base}{pipes} | stats {by}{figures} | limit {}", GROUPS + 1))?;
            if answers.len() > GROUPS {
                return Err(StoreError::new(StoreErrorKind::TooSlow, format!("there are more than {GROUPS} groups")));
            }
            Ok(answers)
        };
        let keys: Vec<(String, Option<&Column>)> = keys;
        let mut rows = Vec::new();
        let mut place = HashMap::new();
        for answer in ask(&pipes, &together.join(", "))? {
            if let Some((key, mut row)) = keyed(&answer, &keys) {
                row.values =
                    measures.iter().enumerate().map(|(index, measure)| value(&answer, index, measure)).collect();
                place.insert(key.clone(), rows.len());
                rows.push((key, row));
            }
        }
        for (spread, figure) in &alone {
            for answer in ask(&format!("{pipes}{spread}"), figure)? {
                let place = keyed(&answer, &keys).and_then(|(key, _)| place.get(&key));
                let Some((_, row)) = place.and_then(|index| rows.get_mut(*index)) else { continue };
                for (index, measure) in measures.iter().enumerate() {
                    let value = value(&answer, index, measure).filter(|_| answer.contains_key(&format!("m{index}")));
                    if let (Some(value), Some(slot)) = (value, row.values.get_mut(index)) {
                        *slot = Some(value);
                    }
                }
            }
        }
        Ok(rows)
    }
}

/// Returns the fields that have values.
pub(super) fn names(server: &Server) -> Result<BTreeSet<String>, StoreError> {
    let mut names = numbers(server)?;
    names.extend(fields(server, TEXTS)?);
    Ok(names)
}

/// Returns the fields that have numbers.
pub(super) fn numbers(server: &Server) -> Result<BTreeSet<String>, StoreError> {
    fields(server, NUMBERS)
}

fn fields(server: &Server, prefix: &str) -> Result<BTreeSet<String>, StoreError> {
    let columns = server.field_names(ENTITIES, prefix)?;
    Ok(columns.iter().map(|column| field_of(column)).filter(|name| name != TIME).collect())
}
