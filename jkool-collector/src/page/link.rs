//! Urls of the page, and filters narrowed by a click.

use crate::filter::{Filter, SeverityRange};
use crate::query::Query;
use crate::store::EntityId;
use crate::time_arg::Moment;
use jkool_model::{Severity, SourceFqn, SourceType, Timestamp};
use std::fmt::Display;

/// `path` with the filter as its query.
pub(super) fn url(path: &str, filter: &Filter) -> String {
    url_of(path, &filter.to_query())
}

/// As [`url`], with one parameter more.
pub(super) fn url_with(path: &str, filter: &Filter, parameter: &str, value: impl Display) -> String {
    let mut query = filter.to_query();
    query.push(parameter, value);
    url_of(path, &query)
}

/// As [`url`], with other parameters too.
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

/// Where an entity's detail is.
pub(super) fn event_url(id: EntityId) -> String {
    format!("/events/{id}")
}

/// Where it is as one of those that `filter` lets through.
pub(super) fn event_url_within(id: EntityId, filter: &Filter) -> String {
    url(&event_url(id), filter)
}

/// A url that an event brought along, if following it can do no harm: `javascript:` and the like can.
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

/// All that belong to the activity or event of that tracking id.
pub(super) fn with_parent(filter: &Filter, id: &str) -> Filter {
    Filter { parent: Some(id.to_owned()), ..filter.clone() }
}

pub(super) fn with_severity(filter: &Filter, severity: Severity) -> Filter {
    Filter { severity: Some(SeverityRange { from: severity, to: severity }), ..filter.clone() }
}

/// All elements of a source.
pub(super) fn with_source(filter: &Filter, source: &SourceFqn) -> Filter {
    Filter { source: Some(source.clone()), ..filter.clone() }
}

/// One element of a source more; one of the same type is replaced.
pub(super) fn with_element(filter: &Filter, (source_type, name): (SourceType, &str)) -> Filter {
    let kept = filter.source.iter().flat_map(SourceFqn::elements).filter(|(other, _)| *other != source_type);
    let all = kept.chain([(source_type, name)]);
    let source = all.fold(SourceFqn::builder(), |builder, (source_type, name)| builder.element(source_type, name));
    match source.build() {
        Ok(source) => with_source(filter, &source),
        // Not of elements that were read from a source; if so, the filter stays as wide as it was.
        Err(_) => filter.clone(),
    }
}

/// From then on, until then.
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
