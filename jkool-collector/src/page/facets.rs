//! Facets: the most frequent values of fields among the matches, with links that include or exclude each one.

use super::format::{count, cut};
use super::list_filter::Listing;
use crate::condition::{Condition, Test};
use crate::field::FieldName;
use crate::filter::Filter;
use crate::store::{Aggregation, Group, Key, Reader, StoreError, Stored};
use jkool_model::{Entity, Timestamp};
use maud::{Markup, html};
use std::cmp::Reverse;
use std::collections::HashMap;

/// The fields of every list.
const ALWAYS: [(&str, &str); 4] =
    [("severity", "Severity"), ("operation", "Operation"), ("APPL", "Application"), ("SERVER", "Server")];
/// The maximum number of additional properties, the most frequent among the newest entities, and of values of each
/// field.
const PROPERTIES: usize = 4;
const VALUES: usize = 8;

/// A field with its values.
#[derive(Debug)]
pub(super) struct Facet {
    field: FieldName,
    name: String,
    values: Vec<(String, u64)>,
}

/// Returns the facets for `filter`; `newest` are the newest matches.
pub(super) fn facets(
    reader: &Reader<'_>,
    filter: &Filter,
    newest: &[Stored],
    now: Timestamp,
) -> Result<Vec<Facet>, StoreError> {
    let always = ALWAYS.iter().map(|(field, name)| (FieldName::new((*field).to_owned()), (*name).to_owned()));
    let own = property_names(newest).into_iter().map(|name| (FieldName::property(name), cut(name, 40)));
    let mut facets = Vec::new();
    for (field, name) in always.chain(own) {
        let groups = vec![Group::Field(field.clone(), VALUES)];
        let rows = reader.aggregate(filter, &Aggregation { groups, measures: Vec::new() }, now)?;
        let value = |key: &Key| match key {
            Key::Text(text) => Some(text.clone()),
            Key::Number(number) => Some(number.to_string()),
            Key::Time(_) => None,
        };
        let values: Vec<_> =
            rows.iter().filter_map(|row| Some((value(row.keys.first()?)?, row.count))).take(VALUES).collect();
        // A facet is of no use if every value occurs only once.
        if values.iter().any(|(_, count)| *count > 1) {
            facets.push(Facet { field, name, values });
        }
    }
    Ok(facets)
}

/// Returns the names of the most frequent properties.
fn property_names(newest: &[Stored]) -> Vec<&str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for stored in newest {
        let properties: &[_] = match &stored.entity {
            Entity::Event(event) => &event.properties,
            Entity::Activity(activity) => &activity.properties,
            _ => &[],
        };
        for property in properties {
            *counts.entry(&property.name).or_default() += 1;
        }
    }
    let mut names: Vec<_> = counts.into_iter().collect();
    names.sort_unstable_by_key(|(name, count)| (Reverse(*count), *name));
    names.into_iter().map(|(name, _)| name).take(PROPERTIES).collect()
}

/// The facets, as links that narrow `filter`.
pub(super) fn list(facets: &[Facet], filter: &Filter, listing: &Listing) -> Markup {
    let narrowed = |facet: &Facet, value: &str, negated| {
        let condition = Condition { field: facet.field.clone(), test: Test::Is(value.to_owned()), negated };
        listing.url("/", &Filter { expression: filter.expression.clone().and(condition.into()), ..filter.clone() })
    };
    html! {
            @for facet in facets {
                details open {
                    summary { (facet.name) }
                    ul {
                        @for (value, times) in &facet.values {
                            li {
                                a.value href=(narrowed(facet, value, false)) title=(cut(value, 200)) { (cut(value, 40)) }
                                a.without href=(narrowed(facet, value, true)) aria-label={ "Exclude " (cut(value, 40)) } title="Exclude" { "−" }
                                span.n { (count(*times)) }
                            }
                        }
                    }
                    @if facet.field.is_own() {
                        a.as-column href=(listing.with_columns(&listing.columns.with(&facet.field), filter)) { "Show as a column" }
                    }
                }
            }
    }
}
