//! The number of entities over time, as a strip of bars above a list. Each bar is a link; the script adds selection by
//! dragging.

use super::format::{count, duration, severity_class, time};
use crate::filter::Filter;
use crate::store::Bucket;
use jkool_model::{Severity, Timestamp};
use maud::{Markup, html};

/// The height of the picture in its own units.
const HIGH: f64 = 100.0;

/// Returns the length of a bucket in microseconds; one second if there is only one bucket.
pub(super) fn width_of(buckets: &[Bucket]) -> i64 {
    match buckets {
        [first, second, ..] => second.start.as_usec() - first.start.as_usec(),
        _ => 1_000_000,
    }
}

/// The strip; `link` returns the URL for a time range, or for all times if `filter` is restricted.
pub(super) fn strip(
    buckets: &[Bucket],
    filter: &Filter,
    link: impl Fn(Option<(Timestamp, Timestamp)>) -> String,
) -> Markup {
    let [first, .., last] = buckets else { return html! {} };
    let width = width_of(buckets);
    let end = |bucket: &Bucket| Timestamp::from_usec(bucket.start.as_usec().saturating_add(width));
    let most = buckets.iter().map(|bucket| bucket.severities.total()).max().unwrap_or_default().max(1);
    let total: u64 = buckets.iter().map(|bucket| bucket.severities.total()).sum();
    html! {
        figure #strip .strip data-from=(first.start) data-to=(end(last)) {
            figcaption { b { (count(total)) } " in this time, bars of " (duration(width)) span.drag hidden { " · drag to zoom" }
                @if filter.since.is_some() || filter.until.is_some() { " · " a href=(link(None)) { "all of the time" } }
            }
            svg viewBox={ "0 0 " (buckets.len() * 10) " 100" } preserveAspectRatio="none" role="group" aria-label="Events over time" {
                @for (index, bucket) in buckets.iter().enumerate().filter(|(_, bucket)| bucket.severities.total() > 0) {
                    a href=(link(Some((bucket.start, end(bucket))))) tabindex="-1" {
                        title { (count(bucket.severities.total())) " from " (bucket.start) " on" }
                        (bar(index * 10, bucket, most))
                    }
                }
            }
            div.ends { (time(first.start)) (time(end(last))) }
        }
    }
}

/// The bar of a bucket: its severities stacked, the highest at the bottom.
fn bar(x: usize, bucket: &Bucket, most: u64) -> Markup {
    let mut below = 0;
    let parts: Vec<_> = Severity::ALL
        .iter()
        .rev()
        .map(|severity| (*severity, bucket.severities.of(*severity)))
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| {
            below += count;
            // Never 0, so that one entity among thousands is visible.
            let part = |count: u64| count as f64 / most as f64 * HIGH;
            (severity, HIGH - part(below), part(count).max(1.0))
        })
        .collect();
    html! {
        rect.spot x=(x) y="0" width="10" height="100" {}
        @for (severity, y, height) in parts {
            rect class={ "f-" (severity_class(severity)) } x=(x + 1) y=(format!("{y:.1}")) width="8" height=(format!("{height:.1}")) {}
        }
    }
}
