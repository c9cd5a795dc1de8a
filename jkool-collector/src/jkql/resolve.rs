//! From names and values as they are written to fields and conditions.

use super::known::{self, KNOWN, MESSAGE};
use crate::condition::{self, Condition, Test, bound};
use crate::expression::Expression;
use crate::field::{FieldName, PROPERTIES, SEVERITY, TIME};
use crate::filter::Kind;
use crate::store::{Reader, StoreError};
use jkool_jkql::{Comparison, Name, NameKind, ParseError, Value, Zone, moment};
use jkool_model::{Severity, Timestamp};
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;

/// What a name means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// The fields of the index that it is a name of.
    Fields(Vec<FieldName>),
    /// The message.
    Message,
}

/// Looks names up, in the store too where they are no names of the wire.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    reader: Option<&'a Reader<'a>>,
    /// Asked for once, and only if a name needs it.
    names: OnceCell<BTreeSet<String>>,
}

/// What dates count from, and where their clocks are.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) now: Timestamp,
    pub(super) zone: Zone,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(reader: &'a Reader<'a>) -> Self {
        Self { reader: Some(reader), names: OnceCell::new() }
    }

    /// Without a store: of names that are no names of the wire, those that are written in full.
    pub(super) fn without_store() -> Self {
        Self { reader: None, names: OnceCell::from(BTreeSet::new()) }
    }

    fn names(&self) -> Result<&BTreeSet<String>, StoreError> {
        if let (None, Some(reader)) = (self.names.get(), self.reader) {
            let names = reader.field_names()?;
            return Ok(self.names.get_or_init(|| names));
        }
        Ok(self.names.get_or_init(BTreeSet::new))
    }

    /// What a name means.
    pub(super) fn target(&self, name: &Name) -> Result<Target, super::JkqlError> {
        let fields = match &name.kind {
            NameKind::Bare(text) => {
                if let Ok(field) = text.parse() {
                    return Ok(Target::Fields(vec![field]));
                }
                match known::find(text) {
                    Some(known) if known.wire == MESSAGE => return Ok(Target::Message),
                    Some(known) => vec![FieldName::new(known.wire.to_owned())],
                    None => self.bare(text)?,
                }
            }
            NameKind::Property(property) => {
                let own = FieldName::property(property);
                let mut fields = self.snapshots(|parts| parts[2] == *property)?;
                fields.insert(0, own);
                fields
            }
            NameKind::Snapshot { category: Some(category), name, property } => {
                vec![FieldName::snapshot(category, name, property)]
            }
            NameKind::Snapshot { name, property, .. } => {
                let found = self.snapshots(|parts| parts[1] == *name && parts[2] == *property)?;
                // Nothing has it yet.
                if found.is_empty() { vec![FieldName::snapshot("", name, property)] } else { found }
            }
            other => return Err(super::JkqlError::Impossible(format!("{other} is no name that the collector knows"))),
        };
        if !fields.is_empty() {
            return Ok(Target::Fields(fields));
        }
        let own = KNOWN.iter().map(|known| known.service.to_owned());
        let names = self.names()?.iter().map(|name| short(name));
        let expected = "the name of a field, or properties.NAME for a property that nothing has yet";
        let error = ParseError::unknown(name.column, expected, &name.kind.to_string(), own.chain(names));
        Err(error.into())
    }

    /// The one field that a name means.
    pub(super) fn field(&self, name: &Name) -> Result<FieldName, super::JkqlError> {
        let mut fields = match self.target(name)? {
            Target::Fields(fields) => fields,
            Target::Message => {
                let why = "of a message nothing can be counted or compared, but for `message contains`";
                return Err(super::JkqlError::Impossible(why.into()));
            }
        };
        // properties('x') is a property, unless only snapshots have it.
        if matches!(name.kind, NameKind::Property(_)) && fields.len() > 1 {
            let has_own = self.names()?.contains(fields[0].as_str());
            fields.drain(if has_own { 1..fields.len() } else { 0..1 });
        }
        if fields.len() > 1 {
            let all: Vec<&str> = fields.iter().map(FieldName::as_str).collect();
            let why = format!("{} may be several fields: name one of {}", name.kind, all.join(", "));
            return Err(super::JkqlError::Impossible(why));
        }
        Ok(fields.swap_remove(0))
    }

    /// The properties and values of snapshots that a bare name may mean.
    fn bare(&self, text: &str) -> Result<Vec<FieldName>, StoreError> {
        let of = |is_it: &dyn Fn(&str) -> bool| -> Result<Vec<FieldName>, StoreError> {
            let own = self.names()?.iter().filter_map(|name| name.strip_prefix(PROPERTIES)).filter(|name| is_it(name));
            let mut fields: Vec<FieldName> = own.map(FieldName::property).collect();
            fields
                .extend(self.snapshots(|[_, name, property]| is_it(property) || is_it(&format!("{name}.{property}")))?);
            Ok(fields)
        };
        let exact = of(&|name| name == text)?;
        if exact.is_empty() { of(&|name| name.eq_ignore_ascii_case(text)) } else { Ok(exact) }
    }

    fn snapshots(&self, is_it: impl Fn(&[String; 3]) -> bool) -> Result<Vec<FieldName>, StoreError> {
        let names = self.names()?.iter().map(|name| FieldName::new(name.clone()));
        Ok(names.filter(|name| name.snapshot_parts().is_some_and(|parts| is_it(&parts))).collect())
    }

    /// A tree of conditions, with its names looked up and its values read.
    pub(super) fn expression(&self, of: &jkool_jkql::Condition, clock: &Clock) -> Result<Expression, super::JkqlError> {
        use jkool_jkql::Condition as Written;
        let each =
            |parts: &[Written]| parts.iter().map(|part| self.expression(part, clock)).collect::<Result<Vec<_>, _>>();
        Ok(match of {
            Written::All(parts) => Expression::All(each(parts)?),
            Written::Any(parts) => Expression::Any(each(parts)?),
            Written::Not(part) => negated(self.expression(part, clock)?),
            Written::Words { text, begins } => Expression::Words { text: text.clone(), begins: *begins },
            Written::Test { name, test } => match self.target(name)? {
                Target::Message => words(name, test)?,
                Target::Fields(fields) => {
                    let mut tests = Vec::with_capacity(fields.len());
                    for field in fields {
                        tests.push(of_field(&field, test, clock)?);
                    }
                    if tests.len() == 1 { tests.remove(0) } else { Expression::Any(tests) }
                }
            },
            _ => return Err(super::JkqlError::Impossible("a condition that the collector does not know".into())),
        })
    }
}

/// Not that; of a condition alone, the condition turned round.
fn negated(expression: Expression) -> Expression {
    match expression {
        Expression::Condition(condition) => Condition { negated: !condition.negated, ..condition }.into(),
        other => Expression::Not(Box::new(other)),
    }
}

/// How a name of the store is written in the short form.
fn short(name: &str) -> String {
    match FieldName::new(name.to_owned()).snapshot_parts() {
        Some([_, snapshot, property]) => format!("{snapshot}.{property}"),
        None => name.strip_prefix(PROPERTIES).unwrap_or(name).to_owned(),
    }
}

/// Of a message, its words alone can be asked for.
fn words(name: &Name, test: &jkool_jkql::Test) -> Result<Expression, ParseError> {
    match test {
        jkool_jkql::Test::Contains(value) => {
            Ok(Expression::Words { text: value.text.clone(), begins: value.text.ends_with('*') })
        }
        _ => Err(ParseError::unknown(
            name.column,
            "`message contains 'words'`, or the words alone",
            "another test",
            [""; 0],
        )),
    }
}

fn of_field(field: &FieldName, test: &jkool_jkql::Test, clock: &Clock) -> Result<Expression, super::JkqlError> {
    use jkool_jkql::Test as Written;
    let of = |test| Condition::new(field.clone(), test).into();
    Ok(match test {
        Written::Exists => of(Test::Exists),
        Written::Begins(value) => of(Test::Begins(value.text.clone())),
        Written::Contains(value) => of(Test::Contains(value.text.clone())),
        Written::Like(value) => of(like(&value.text)),
        Written::Is(value) if is_time(field) => {
            let Range { start, end } = time(value, clock)?;
            if start == end {
                return Ok(of(Test::Is(start.to_string())));
            }
            let from = of(Test::Above { bound: start as f64, inclusive: true });
            Expression::All(vec![from, of(Test::Below { bound: end as f64, inclusive: false })])
        }
        Written::Is(value) => of(Test::Is(exact(field, value)?)),
        Written::Compare(comparison, value) if is_time(field) => {
            // A day is over when it ends.
            let Range { start, end } = time(value, clock)?;
            let is_day = start != end;
            of(match comparison {
                Comparison::Below => Test::Below { bound: start as f64, inclusive: false },
                Comparison::AtMost => Test::Below { bound: end as f64, inclusive: !is_day },
                Comparison::Above => Test::Above { bound: end as f64, inclusive: is_day },
                Comparison::AtLeast => Test::Above { bound: start as f64, inclusive: true },
            })
        }
        Written::Compare(comparison, value) => {
            let number = bound(field, &value.text).or_else(|error| {
                // Severities in small letters too.
                let severity = severity(field, &value.text).map(condition::rank);
                severity.ok_or_else(|| wrong(field, value, &error.to_string()))
            })?;
            of(match comparison {
                Comparison::Below => Test::Below { bound: number, inclusive: false },
                Comparison::AtMost => Test::Below { bound: number, inclusive: true },
                Comparison::Above => Test::Above { bound: number, inclusive: false },
                Comparison::AtLeast => Test::Above { bound: number, inclusive: true },
            })
        }
        _ => return Err(super::JkqlError::Impossible("a test that the collector does not know".into())),
    })
}

/// The simplest test that a pattern is.
fn like(pattern: &str) -> Test {
    let is_plain = |text: &str| !text.contains(['%', '_', '\\']);
    let inner = pattern.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'));
    match (pattern.strip_suffix('%'), inner) {
        _ if is_plain(pattern) => Test::Is(pattern.to_owned()),
        (Some(begin), _) if is_plain(begin) && !begin.is_empty() => Test::Begins(begin.to_owned()),
        (_, Some(part)) if is_plain(part) && !part.is_empty() => Test::Contains(part.to_owned()),
        _ => Test::Like(pattern.to_owned()),
    }
}

fn is_time(field: &FieldName) -> bool {
    matches!(field.as_str(), TIME | "start-time-usec" | "end-time-usec")
}

fn time(value: &Value, clock: &Clock) -> Result<Range<i64>, ParseError> {
    moment(&value.text, clock.now.as_usec(), &clock.zone)
        .map_err(|error| ParseError::unknown(value.column, error.expected(), &value.text, [""; 0]))
}

/// The text that a value is compared as.
fn exact(field: &FieldName, value: &Value) -> Result<String, ParseError> {
    let text = &value.text;
    match field.as_str() {
        SEVERITY => severity(field, text).map(|severity| severity.to_string()).ok_or_else(|| wrong(field, value, "")),
        "kind" => text.parse().map(|kind: Kind| kind.to_string()).map_err(|error| wrong(field, value, error)),
        // A duration may have a unit.
        name if name.ends_with("-usec") => {
            Ok(bound(field, text).map_or_else(|_| text.clone(), |number| number.to_string()))
        }
        _ => Ok(text.clone()),
    }
}

fn severity(field: &FieldName, text: &str) -> Option<Severity> {
    let is_it = |severity: &&Severity| severity.to_string().eq_ignore_ascii_case(text);
    Severity::ALL.iter().find(is_it).copied().filter(|_| field.as_str() == SEVERITY)
}

fn wrong(field: &FieldName, value: &Value, expected: &str) -> ParseError {
    let severities = Severity::ALL.iter().map(ToString::to_string);
    match field.as_str() {
        SEVERITY => ParseError::unknown(value.column, "a severity such as WARNING", &value.text, severities),
        _ => ParseError::unknown(value.column, expected.trim_start_matches("expected "), &value.text, [""; 0]),
    }
}
