//! The filter for entities, which the page, the read API, the command and the tail share.

use crate::condition::Condition;
use crate::expression::Expression;
use crate::query::{InvalidQuery, Query};
use crate::store::{Search, Stored};
use crate::time_arg::Moment;
use jkool_model::{Entity, Severity, SourceFqn, Timestamp};
use std::fmt;
use std::str::FromStr;

/// A filter for entities. An entity matches if it satisfies all fields that are set.
///
/// ```
/// use jkool_collector::{Filter, Query};
/// let filter = Filter::take(&mut Query::parse("severity=>=ERROR&source=SERVER=web-1&since=1h"))?;
/// assert_eq!(filter.to_query().to_string(), "severity=%3E%3DERROR&source=SERVER%3Dweb-1&since=1h");
/// # Ok::<(), jkool_collector::InvalidQuery>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Filter {
    /// The kind of the entity.
    pub kind: Option<Kind>,
    /// A range of severities.
    pub severity: Option<SeverityRange>,
    /// The name of the operation.
    pub operation: Option<String>,
    /// Elements that the name of the source must contain, in any order: `SERVER=web-1`, `APPL=WebOrders#DATACENTER=DC1`.
    pub source: Option<SourceFqn>,
    /// Words that the message or the exception must contain, ignoring case and accents. `pay*` matches words with this prefix,
    /// `"no stock"` matches consecutive words, and `-test` excludes a word.
    pub text: Option<String>,
    /// A correlator.
    pub correlator: Option<String>,
    /// The tracking id of the parent.
    pub parent: Option<String>,
    /// The start of the time range, inclusive.
    pub since: Option<Moment>,
    /// The end of the time range, exclusive.
    pub until: Option<Moment>,
    /// Conditions on any fields and words, joined by and, or and not.
    pub expression: Expression,
}

/// The kinds of entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something that happened.
    Event,
    /// A group of events.
    Activity,
    /// A set of metrics that was sent without an event.
    Snapshot,
}

/// A range of severities, with both ends included: `ERROR`, `>=ERROR`, `<=INFO`, `INFO..WARNING`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeverityRange {
    /// The lowest severity.
    pub from: Severity,
    /// The highest severity.
    pub to: Severity,
}

impl Filter {
    /// Takes the parameters of a filter out of `query`: `kind`, `severity`, `operation`, `source`, `text`, `corrid`, `parent`, `since`,
    /// `until`, each `where`, and each `q`, which is a query line in which names are written in full.
    ///
    /// # Errors
    /// Returns an error if the value of a parameter is invalid, or if one other than `where` and `q` is repeated.
    pub fn take(query: &mut Query) -> Result<Self, InvalidQuery> {
        let conditions: Vec<Condition> = query.take_all("where")?;
        let lines: Vec<Expression> = query.take_all("q")?;
        Ok(Self {
            kind: query.take("kind")?,
            severity: query.take("severity")?,
            operation: query.take_text("operation")?,
            source: query.take("source")?,
            text: query.take("text")?,
            correlator: query.take_text("corrid")?,
            parent: query.take_text("parent")?,
            since: query.take("since")?,
            until: query.take("until")?,
            expression: conditions
                .into_iter()
                .map(Expression::from)
                .chain(lines)
                .fold(Expression::default(), Expression::and),
        })
    }

    /// Returns the filter as parameters for a url, which [`take`](Self::take) reads.
    pub fn to_query(&self) -> Query {
        let mut query = Query::default();
        let mut add = |parameter, value: Option<&dyn fmt::Display>| {
            if let Some(value) = value {
                query.push(parameter, value);
            }
        };
        add("kind", self.kind.as_ref().map(|value| value as _));
        add("severity", self.severity.as_ref().map(|value| value as _));
        add("operation", self.operation.as_ref().map(|value| value as _));
        add("source", self.source.as_ref().map(|value| value as _));
        add("text", self.text.as_ref().map(|value| value as _));
        add("corrid", self.correlator.as_ref().map(|value| value as _));
        add("parent", self.parent.as_ref().map(|value| value as _));
        add("since", self.since.as_ref().map(|value| value as _));
        add("until", self.until.as_ref().map(|value| value as _));
        for part in self.expression.parts() {
            match part {
                Expression::Condition(condition) => add("where", Some(condition)),
                other => add("q", Some(other)),
            }
        }
        query
    }

    /// Whether it matches `stored`, with the same result as a query to the store.
    pub fn matches(&self, stored: &Stored, now: Timestamp) -> bool {
        let entity = &stored.entity;
        let said = |wanted: &Option<String>, said: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(said);
        self.kind.is_none_or(|kind| kind == Kind::of(entity))
            && self.severity.is_none_or(|range| range.contains(severity_of(entity)))
            && said(&self.operation, &|name| operation_of(entity) == Some(name))
            && said(&self.correlator, &|name| entity.correlators().iter().any(|correlator| correlator == name))
            && said(&self.parent, &|id| entity.parent_id().is_some_and(|parent| parent.to_string() == id))
            && said(&self.text, &|text| Search::parse(text).matches(&words_of(entity)))
            && self.source.as_ref().is_none_or(|source| {
                let has = |element| entity.source().is_some_and(|own| own.elements().any(|other| other == element));
                source.elements().all(has)
            })
            && self.since.is_none_or(|since| since.before(now) <= stored.time)
            && self.until.is_none_or(|until| stored.time < until.before(now))
            && self.expression.matches(stored)
    }

    /// Only its time range.
    pub(crate) fn time_only(&self) -> Self {
        Self { since: self.since, until: self.until, ..Self::default() }
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Event, Self::Activity, Self::Snapshot];

    /// The kind of an entity.
    pub fn of(entity: &Entity) -> Self {
        match entity {
            Entity::Activity(_) => Self::Activity,
            Entity::Snapshot(_) => Self::Snapshot,
            _ => Self::Event,
        }
    }

    /// The name in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Event => "event",
            Kind::Activity => "activity",
            Kind::Snapshot => "snapshot",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
        kind.ok_or("expected event, activity or snapshot")
    }
}

/// The severity; NONE for a snapshot without one.
pub(crate) fn severity_of(entity: &Entity) -> Severity {
    match entity {
        Entity::Event(event) => event.severity,
        Entity::Activity(activity) => activity.severity,
        Entity::Snapshot(snapshot) => snapshot.severity.unwrap_or(Severity::None),
        _ => Severity::None,
    }
}

/// The name of its operation; a snapshot has none.
pub(crate) fn operation_of(entity: &Entity) -> Option<&str> {
    match entity {
        Entity::Event(event) => Some(&event.operation),
        Entity::Activity(activity) => Some(&activity.operation),
        _ => None,
    }
}

/// The texts for full-text search.
pub(crate) fn words_of(entity: &Entity) -> String {
    let texts: Vec<&str> = match entity {
        Entity::Event(event) => {
            let tags = event.tags.iter().map(AsRef::as_ref);
            [&*event.operation, &*event.message, &*event.exception].into_iter().chain(tags).collect()
        }
        Entity::Activity(activity) => vec![&activity.operation, &activity.exception],
        Entity::Snapshot(snapshot) => vec![&snapshot.name, &snapshot.category],
        _ => Vec::new(),
    };
    texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

impl SeverityRange {
    /// Whether `severity` is in the range.
    pub fn contains(self, severity: Severity) -> bool {
        (self.from..=self.to).contains(&severity)
    }
}

impl FromStr for SeverityRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a severity such as ERROR, >=ERROR, <=INFO or INFO..WARNING";
        let word = |word: &str| word.trim().parse::<Severity>().map_err(|_| EXPECTED);
        let (from, to) = if let Some(least) = text.strip_prefix(">=") {
            (word(least)?, Severity::Halt)
        } else if let Some(most) = text.strip_prefix("<=") {
            (Severity::None, word(most)?)
        } else if let Some((from, to)) = text.split_once("..") {
            (word(from)?, word(to)?)
        } else {
            (word(text)?, word(text)?)
        };
        if from <= to { Ok(Self { from, to }) } else { Err(EXPECTED) }
    }
}

impl fmt::Display for SeverityRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (from, to) if from == to => write!(f, "{from}"),
            (from, Severity::Halt) => write!(f, ">={from}"),
            (Severity::None, to) => write!(f, "<={to}"),
            (from, to) => write!(f, "{from}..{to}"),
        }
    }
}
