//! Columns of the list that the user adds: fields, properties and values of snapshots.

use super::format::{cut, duration, time};
use super::query_params::QueryParams;
use super::watch::hidden;
use crate::app::App;
use crate::field::{FieldName, FieldValue, each_value};
use crate::jkql::field_named;
use crate::query::{InvalidQuery, Query};
use crate::store::{StoreError, Stored};
use jkool_model::{Entity, Timestamp};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// The parameter: names separated by commas. It can be repeated.
pub(super) const PARAMETER: &str = "cols";

/// The maximum number of columns; more would leave no room for the message.
const MOST: usize = 6;
/// The maximum number of characters of a value, and of values in a cell.
const SHOWN: usize = 80;
const VALUES: usize = 5;
/// The maximum number of suggested names, and the names that are suggested first.
const OFFERED: usize = 60;
const WIRE: [&str; 9] =
    ["user", "location", "resource", "elapsed-time-usec", "comp-code", "reason-code", "pid", "tid", "msg-tag"];

/// The columns, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Columns(Vec<FieldName>);

impl Columns {
    /// Parses the parameter. Unknown fields are reported as faults.
    pub(super) async fn take(app: &App, params: &mut QueryParams) -> Result<Self, StoreError> {
        let texts = params.take_texts(PARAMETER);
        let names = texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<String> = names.map(|name| name.replace("%2C", ",")).collect();
        if names.is_empty() {
            return Ok(Self::default());
        }
        let find = move |reader: &crate::store::Reader<'_>| {
            names.into_iter().map(|name| field_named(reader, &name).map(|found| (name, found))).collect()
        };
        let found: Vec<(String, Option<FieldName>)> = app.store.read(find).await?;
        let mut columns = Self::default();
        for (name, field) in found {
            match field {
                Some(field) if columns.0.contains(&field) => {}
                Some(field) if columns.0.len() < MOST => columns.0.push(field),
                Some(_) => params.faults.push(InvalidQuery::new(PARAMETER, &name, "expected 6 columns at most")),
                None => params.faults.push(InvalidQuery::new(PARAMETER, &name, "expected the name of a field")),
            }
        }
        Ok(columns)
    }

    /// Adds the parameter to a URL.
    pub(super) fn add_to(&self, query: &mut Query) {
        if !self.0.is_empty() {
            let names: Vec<String> = self.0.iter().map(|field| field.as_str().replace(',', "%2C")).collect();
            query.push(PARAMETER, names.join(","));
        }
    }

    /// Returns the columns with one more at the end.
    pub(super) fn with(&self, field: &FieldName) -> Self {
        Self(self.0.iter().filter(|other| *other != field).chain([field]).cloned().collect())
    }

    /// Returns the CSS class for this number of columns.
    pub(super) fn class(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("own-columns cols-{}", self.0.len()))
    }

    /// The cells of one entity.
    pub(super) fn cells(&self, entity: &Entity) -> Markup {
        let mut cells: Vec<Vec<Markup>> = vec![Vec::new(); self.0.len()];
        if !self.0.is_empty() {
            each_value(entity, &mut |name, value| {
                let cell = self.0.iter().position(|field| field.as_str() == name).and_then(|at| cells.get_mut(at));
                if let Some(cell) = cell.filter(|cell| cell.len() < VALUES) {
                    cell.push(said(name, &value));
                }
            });
        }
        html! {
            @for (field, values) in self.0.iter().zip(&cells) {
                span.own {
                    @if !values.is_empty() { span.of { (field.short()) ": " } }
                    @for (index, value) in values.iter().enumerate() { @if index > 0 { ", " } (value) }
                }
            }
        }
    }

    /// The heads of the columns: each with its name, and with links that move the column to the left and remove it.
    pub(super) fn heads(&self, link: impl Fn(&Self) -> String) -> Markup {
        let removed = |at: usize| {
            let mut others = self.clone();
            others.0.remove(at);
            others
        };
        let earlier = |at: usize| {
            let mut moved = self.clone();
            moved.0.swap(at - 1, at);
            moved
        };
        html! {
            @if !self.0.is_empty() {
                div.heads {
                    @for name in ["Time", "Severity", "Operation", "Source"] { span.fixed { (name) } }
                    @for (at, field) in self.0.iter().enumerate() {
                        span.own title=(field) {
                            span.name { (cut(&field.short(), 40)) }
                            @if at > 0 { a href=(link(&earlier(at))) aria-label={ "Move " (field.short()) " to the left" } { "←" } }
                            a href=(link(&removed(at))) aria-label={ "Remove the column " (field.short()) } { "×" }
                        }
                    }
                    span.fixed { "Message" }
                }
            }
        }
    }
}

/// Formats a value.
fn said(name: &str, value: &FieldValue<'_>) -> Markup {
    match value {
        FieldValue::Text(text) => html! { (cut(text, SHOWN)) },
        FieldValue::Number(usec) if ["time-usec", "start-time-usec", "end-time-usec"].contains(&name) => {
            time(Timestamp::from_usec(*usec as i64))
        }
        FieldValue::Number(usec) if name.ends_with("-time-usec") || name == "msg-age" => {
            html! { (duration(*usec as i64)) }
        }
        // Hides rounding errors: 119.80000000000001 is shown as 119.8.
        FieldValue::Number(value) => html! { (format!("{value:.14e}").parse().unwrap_or(*value)) },
    }
}

/// The form that adds a column, with the names of fields that the entities of the list have. It keeps the filter, the
/// watch and `kept`.
pub(super) fn form(params: &QueryParams, kept: &Query, found: &[Stored]) -> Markup {
    let is_wrong = params.fault(PARAMETER).is_some();
    let mut query = params.filter.to_query();
    query.extend(kept.clone());
    params.watch.iter().for_each(|watch| query.extend(watch.to_query()));
    html! {
        details.more open[is_wrong] {
            summary { "Columns" }
            form.line method="get" action="/" {
                (hidden(&query))
                label.field.f-cols {
                    span { "Show as a column" }
                    input type="text" name=(PARAMETER) list="fields" placeholder="a field, property or snapshot value" autocomplete="off" spellcheck="false" aria-invalid=[is_wrong.then_some("true")];
                }
                button type="submit" { "Add" }
                datalist #fields { @for name in offered(found) { option value=(name.replace(',', "%2C")) {} } }
            }
        }
    }
}

/// Returns names of fields, the most frequent in `found` first.
fn offered(found: &[Stored]) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for stored in found {
        each_value(&stored.entity, &mut |name, _| {
            let field = FieldName::new(name.to_owned());
            if field.is_own() {
                *counts.entry(field.short()).or_default() += 1;
            }
        });
    }
    let mut own: Vec<_> = counts.into_iter().collect();
    own.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    WIRE.map(str::to_owned).into_iter().chain(own.into_iter().map(|(name, _)| name)).take(OFFERED).collect()
}

#[cfg(test)]
mod tests {
    use super::Columns;
    use crate::field::FieldName;
    use crate::query::Query;

    #[test]
    fn cells_have_what_an_entity_says_of_each_column() {
        let entity = serde_json::from_str(
            r#"{"operation":"a","user":"<ada>","elapsed-time-usec":1500,"time-usec":1,"properties":[{"name":"a,b","type":"double","value":119.80000000000001}],"snapshots":[{"name":"Payment","category":"Order","properties":[{"name":"amount","type":"int","value":12345}]}]}"#,
        );
        let entity = entity.unwrap();
        let columns = Columns(vec![
            FieldName::snapshot("Order", "Payment", "amount"),
            FieldName::new("elapsed-time-usec".to_owned()),
            FieldName::new("user".to_owned()),
            FieldName::property("a,b"),
            FieldName::property("none"),
        ]);
        assert_eq!(
            columns.cells(&entity).into_string(),
            [("Payment.amount", "12345"), ("elapsed-time-usec", "1.50 ms"), ("user", "&lt;ada&gt;"), ("a,b", "119.8")]
                .map(|(name, value)| format!(r#"<span class="own"><span class="of">{name}: </span>{value}</span>"#))
                .concat()
                + r#"<span class="own"></span>"#
        );
        let mut query = Query::default();
        columns.with(&FieldName::property("none")).add_to(&mut query);
        assert_eq!(
            query.take_text("cols").unwrap().unwrap(),
            "snapshots.Order/Payment/amount,elapsed-time-usec,user,properties.a%2Cb,properties.none"
        );
    }
}
