//! The hint about entities outside the time range of a chart.

use super::format::count;
use super::link::url;
use crate::filter::Filter;
use crate::store::BusyRange;
use crate::time_arg::Moment;
use jkool_model::Timestamp;
use maud::{Markup, html};

/// The numbers of entities before and after `range`, each with a link to `path` that shows them.
pub(super) fn outside(path: &str, filter: &Filter, range: Option<BusyRange>) -> Markup {
    let Some(range) = range.filter(|range| range.earlier + range.later > 0) else { return html! {} };
    let end = Timestamp::from_usec(range.last.as_usec().saturating_add(1));
    let earlier = Filter { until: Some(Moment::At(range.first)), ..filter.clone() };
    let later = Filter { since: Some(Moment::At(end)), ..filter.clone() };
    html! {
        p.hint.outside role="status" {
            "Far outside this time: "
            @if range.earlier > 0 { a href=(url(path, &earlier)) { (count(range.earlier)) " earlier" } }
            @if range.earlier > 0 && range.later > 0 { ", " }
            @if range.later > 0 { a href=(url(path, &later)) { (count(range.later)) " later" } }
            "."
        }
    }
}
