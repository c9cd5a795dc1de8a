//! Dashboards: jKQL statements, each with a kind and a size, for one time range.

mod builtin;
mod error;
mod shelf;

pub(crate) use error::{DashboardError, InvalidDashboard};
pub(crate) use shelf::{Dashboards, Replaces};

use jkool_jkql::{Chart, Statement, Zone, moment, parse};
use jkool_model::Timestamp;
use serde::{Deserialize, Serialize};

/// A dashboard, as in its JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dashboard {
    /// The title.
    pub(crate) title: String,
    /// The start of the time range, unless the url has one: an age or a time.
    #[serde(default = "an_hour")]
    pub(crate) since: String,
    pub(crate) viewlets: Vec<Viewlet>,
}

/// A part of a dashboard: a query, and how its answer is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Viewlet {
    /// The title above it.
    pub(crate) title: String,
    /// The jKQL statement.
    pub(crate) query: String,
    /// The kind of chart; the default is that of the statement.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "kind")]
    pub(crate) kind: Option<Chart>,
    /// The width, in twelfths of the page.
    #[serde(default = "half")]
    pub(crate) width: u8,
    /// The height, in rows.
    #[serde(default = "two")]
    pub(crate) height: u8,
}

/// The maximum width and height of a viewlet.
pub(crate) const WIDEST: u8 = 12;
pub(crate) const HIGHEST: u8 = 6;
/// The maximum number of viewlets, and of characters in a title and in a statement.
const VIEWLETS: usize = 48;
const TITLE: usize = 200;
const SENTENCE: usize = 4_096;

fn an_hour() -> String {
    "1h".to_owned()
}

fn half() -> u8 {
    WIDEST / 2
}

fn two() -> u8 {
    2
}

/// The kinds of viewlets, with their names in JSON and on the page.
pub(crate) const KINDS: [(&str, &str, Chart); 8] = [
    ("line", "lines", Chart::Line),
    ("area", "areas", Chart::Area),
    ("bar", "bars", Chart::Bar),
    ("pie", "pie", Chart::Pie),
    ("table", "table", Chart::Table),
    ("number", "number with its trend", Chart::Number),
    ("heatmap", "heat map", Chart::HeatMap),
    ("map", "map of messages", Chart::Map),
];

/// Returns the kind with this name.
pub(crate) fn kind_of(name: &str) -> Option<Chart> {
    KINDS.iter().find(|(known, ..)| *known == name).map(|(.., chart)| *chart)
}

/// The name of a kind.
pub(crate) fn name_of(kind: Chart) -> &'static str {
    KINDS.iter().find(|(.., chart)| *chart == kind).map_or("table", |(name, ..)| name)
}

/// The kind in JSON.
mod kind {
    use super::{Chart, KINDS, kind_of, name_of};
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::{Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(kind: &Option<Chart>, serializer: S) -> Result<S::Ok, S::Error> {
        kind.map(name_of).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Chart>, D::Error> {
        let Some(name) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let names: Vec<&str> = KINDS.iter().map(|(name, ..)| *name).collect();
        let unknown = || D::Error::custom(format_args!("unknown kind {name:?}; expected one of {}", names.join(", ")));
        kind_of(&name).map(Some).ok_or_else(unknown)
    }
}

impl Dashboard {
    /// An empty dashboard.
    pub(crate) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), since: an_hour(), viewlets: Vec::new() }
    }

    /// Reads its JSON.
    ///
    /// # Errors
    /// With the position: line and column of invalid JSON, or the invalid part.
    pub(crate) fn from_json(json: &[u8]) -> Result<Self, InvalidDashboard> {
        let dashboard: Self =
            serde_json::from_slice(json).map_err(|error| InvalidDashboard::Json(error.to_string()))?;
        dashboard.check()?;
        Ok(dashboard)
    }

    /// Its JSON, formatted for people; [`from_json`](Self::from_json) reads it.
    pub(crate) fn to_json(&self) -> String {
        // It contains only texts and small numbers, so this cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Validates all parts.
    pub(crate) fn check(&self) -> Result<(), InvalidDashboard> {
        title("title", &self.title)?;
        let now = Timestamp::from_usec(0).as_usec();
        moment(&self.since, now, &Zone::default()).map_err(|error| InvalidDashboard::part("since", error))?;
        if self.viewlets.len() > VIEWLETS {
            let many = format!("{} exceed the limit of {VIEWLETS}", self.viewlets.len());
            return Err(InvalidDashboard::part("viewlets", many));
        }
        self.viewlets.iter().enumerate().try_for_each(|(index, viewlet)| viewlet.check(&format!("viewlets[{index}].")))
    }
}

impl Viewlet {
    /// A viewlet of the default size, without a title.
    pub(crate) fn new(query: &str) -> Self {
        Self { title: String::new(), query: query.to_owned(), kind: None, width: half(), height: two() }
    }

    /// Validates it; `place` is its position.
    pub(crate) fn check(&self, place: &str) -> Result<(), InvalidDashboard> {
        title(&format!("{place}title"), &self.title)?;
        let at_query = |error: String| InvalidDashboard::part(format!("{place}query"), error);
        if self.query.chars().count() > SENTENCE {
            return Err(at_query(format!("longer than {SENTENCE} characters")));
        }
        match parse(&self.query).map_err(|error| at_query(error.to_string()))? {
            Statement::Get(_) | Statement::Compare { .. } => {}
            _ => return Err(at_query("a subscription can't be shown".to_owned())),
        }
        for (name, size, most) in [("width", self.width, WIDEST), ("height", self.height, HIGHEST)] {
            if !(1..=most).contains(&size) {
                return Err(InvalidDashboard::part(
                    format!("{place}{name}"),
                    format!("expected 1 to {most}, found {size}"),
                ));
            }
        }
        Ok(())
    }
}

fn title(place: &str, title: &str) -> Result<(), InvalidDashboard> {
    match title.chars().count() {
        _ if title.trim().is_empty() => Err(InvalidDashboard::part(place, "a title is required")),
        TITLE.. => Err(InvalidDashboard::part(place, format!("longer than {TITLE} characters"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Dashboard, HIGHEST, KINDS, Viewlet, WIDEST};
    use proptest::prelude::*;

    fn viewlet() -> impl Strategy<Value = Viewlet> {
        let queries = prop::sample::select(vec![
            "get number of events",
            "get avg(elapsedtime) bucketed by minute group by operation show as linechart",
            "compare number of events for today with yesterday",
            "get events where message contains '\u{1F600} \"\\ \u{7f}'",
        ]);
        let kind = prop::option::of(prop::sample::select(KINDS.map(|(.., kind)| kind).to_vec()));
        (" *\\PC{1,40}[a-z]", queries, kind, 1..=WIDEST, 1..=HIGHEST).prop_map(|(title, query, kind, width, height)| {
            Viewlet { title, query: query.to_owned(), kind, width, height }
        })
    }

    proptest! {
        #[test]
        fn what_is_exported_is_imported_as_it_was(
            title in "\\PC{1,60}[a-z]",
            since in prop::sample::select(vec!["1h", "yesterday", "08:00", "2026-03-09"]),
            viewlets in prop::collection::vec(viewlet(), 0..8),
        ) {
            let dashboard = Dashboard { title, since: since.to_owned(), viewlets };
            prop_assert_eq!(Dashboard::from_json(dashboard.to_json().as_bytes()).unwrap(), dashboard);
        }

        #[test]
        fn whatever_is_imported_is_a_dashboard_or_an_error(text in "\\PC{0,80}") {
            if let Ok(dashboard) = Dashboard::from_json(text.as_bytes()) {
                prop_assert!(dashboard.check().is_ok());
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        let of =
            |viewlet: &str| format!(r#"{{"title":"x","viewlets":[{{"title":"a","query":"get events"}},{viewlet}]}}"#);
        for (json, error) in [
            ("{\n  \"title\": 1}", "line 2 column 12"),
            ("{", "line 1 column 1"),
            (r#"{"title":"x"}"#, "missing field `viewlets`"),
            (r#"{"title":"x","viewlets":[],"colour":1}"#, "unknown field `colour`"),
            (r#"{"title":" ","viewlets":[]}"#, "title: a title is required"),
            (r#"{"title":"x","since":"soon","viewlets":[]}"#, "since: "),
            (&of(r#"{"title":"b","query":"get events wher x"}"#), "viewlets[1].query: column 12: expected "),
            (&of(r#"{"title":"b","query":"subscribe to events"}"#), "viewlets[1].query: a subscription"),
            (&of(r#"{"title":"b","query":"get events","width":13}"#), "viewlets[1].width: expected 1 to 12, found 13"),
            (&of(r#"{"title":"b","query":"get events","height":0}"#), "viewlets[1].height: expected 1 to 6, found 0"),
            (
                &of(r#"{"title":"b","query":"get events","kind":"cake"}"#),
                "unknown kind \"cake\"; expected one of line, ",
            ),
        ] {
            let told = Dashboard::from_json(json.as_bytes()).unwrap_err().to_string();
            assert!(told.contains(error), "{json}: {told}");
        }
    }
}
