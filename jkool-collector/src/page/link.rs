//! The URLs of pages, and filters that are narrowed by a click.

use crate::filter::{Filter, SeverityRange};
use crate::query::Query;
use crate::store::EntityId;
use crate::time_arg::Moment;
use jkool_model::{Severity, SourceFqn, SourceType, Timestamp};
use std::fmt::Display;

/// Returns the URL of `path` with the filter.
pub(super) fn url(path: &str, filter: &Filter) -> String {
    url_of(path, &filter.to_query())
}

/// Like [`url`], with one more parameter.
pub(super) fn url_with(path: &str, filter: &Filter, parameter: &str, value: impl Display) -> String {
    let mut query = filter.to_query();
    query.push(parameter, value);
    url_of(path, &query)
}

/// Like [`url`], with further parameters.
pub(super) fn url_and(path: &str, filter: &Filter, others: &Query) -> String {
    let mut query = filter.to_query();
    query.extend(others.clone());
    url_of(path, &query)
}

fn url_of(path: &str, query: &Query) -> String {
    match query.to_string() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// Returns the URL of an entity.
pub(super) fn event_url(id: EntityId) -> String {
    format!("/events/{id}")
}

/// Returns the URL of an entity as part of the list for `filter`.
pub(super) fn event_url_within(id: EntityId, filter: &Filter) -> String {
    url(&event_url(id), filter)
}

/// Returns a URL from an event if it is safe to follow. Those with `javascript:`, for example, are not.
pub(super) fn harmless(url: &str) -> Option<&str> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase())?;
    matches!(scheme.as_str(), "http" | "https").then_some(url)
}

pub(super) fn with_operation(filter: &Filter, name: &str) -> Filter {
    Filter { operation: Some(name.to_owned()), ..filter.clone() }
}

pub(super) fn with_correlator(filter: &Filter, name: &str) -> Filter {
    Filter { correlator: Some(name.to_owned()), ..filter.clone() }
}

/// Adds a parent to the filter: the activity or event with this tracking id.
pub(super) fn with_parent(filter: &Filter, id: &str) -> Filter {
    Filter { parent: Some(id.to_owned()), ..filter.clone() }
}

pub(super) fn with_severity(filter: &Filter, severity: Severity) -> Filter {
    Filter { severity: Some(SeverityRange { from: severity, to: severity }), ..filter.clone() }
}

/// Adds all elements of a source to the filter.
pub(super) fn with_source(filter: &Filter, source: &SourceFqn) -> Filter {
    Filter { source: Some(source.clone()), ..filter.clone() }
}

/// Adds an element of a source to the filter; it replaces one of the same type.
pub(super) fn with_element(filter: &Filter, (source_type, name): (SourceType, &str)) -> Filter {
    let kept = filter.source.iter().flat_map(SourceFqn::elements).filter(|(other, _)| *other != source_type);
    let all = kept.chain([(source_type, name)]);
    let source = all.fold(SourceFqn::builder(), |builder, (source_type, name)| builder.element(source_type, name));
    match source.build() {
        Ok(source) => with_source(filter, &source),
        // Cannot fail for elements that were parsed from a source; if it does, the filter is unchanged.
        Err(_) => filter.clone(),
    }
}

/// Restricts the filter to a time range.
pub(super) fn with_time(filter: &Filter, from: Timestamp, to: Timestamp) -> Filter {
    Filter { since: Some(Moment::At(from)), until: Some(Moment::At(to)), ..filter.clone() }
}

#[cfg(test)]
mod tests {
    use super::{harmless, url, with_element, with_operation};
    use crate::filter::Filter;
    use jkool_model::SourceType;

    #[test]
    fn a_click_narrows_what_is_shown_and_keeps_the_rest() {
        let shop = with_element(&Filter::default(), (SourceType::Appl, "Shop & Co"));
        let on_web = with_element(&shop, (SourceType::Server, "web-1"));
        let pay = with_element(&with_operation(&on_web, "pay?"), (SourceType::Appl, "Pay"));
        assert_eq!(url("/", &pay), "/?operation=pay%3F&source=SERVER%3Dweb-1%23APPL%3DPay");
        assert_eq!(url("/map", &Filter::default()), "/map");
    }

    #[test]
    fn only_web_addresses_are_followed() {
        for good in ["http://a/b", "HTTPS://a"] {
            assert_eq!(harmless(good), Some(good));
        }
        for bad in ["javascript:alert(1)", " https://a", "data:text/html,x", "javascript://x", "//a", "", "mailto:a@b"]
        {
            assert_eq!(harmless(bad), None, "{bad}");
        }
    }
}
