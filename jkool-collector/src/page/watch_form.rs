//! The form that sets a watch.

use super::query_params::QueryParams;
use super::watch::{LINE, RATE, hidden};
use crate::query::Query;
use maud::{Markup, html};

/// The form, which keeps the filter and `kept`.
pub(super) fn watch_form(params: &QueryParams, kept: &Query) -> Markup {
    let fault = |name: &str| params.fault(name).map(|fault| fault.value.as_str());
    let watch = params.watch.as_ref();
    let line = watch.map(|watch| watch.line.as_str()).or_else(|| fault(LINE)).unwrap_or_default();
    let rate = watch.map(|watch| watch.rate.to_string());
    let rate = rate.or_else(|| fault(RATE).filter(|said| !said.is_empty()).map(str::to_owned));
    let mut query = params.filter.to_query();
    query.extend(kept.clone());
    html! {
        details.more.watching open[fault(LINE).is_some() || fault(RATE).is_some()] {
            summary { "Watch" }
            form.line method="get" action="/" {
                (hidden(&query))
                label.field.f-q {
                    span { "Watch for" }
                    input type="text" name=(LINE) value=(line) placeholder="severity>=ERROR op:ChargeCard" autocomplete="off" spellcheck="false" aria-invalid=[fault(LINE).map(|_| "true")];
                }
                label.field.f-since {
                    span { "More than" }
                    input type="text" name=(RATE) value=(rate.as_deref().unwrap_or("5/1m")) autocomplete="off" spellcheck="false" aria-invalid=[fault(RATE).map(|_| "true")];
                }
                button type="submit" { "Watch" }
            }
        }
    }
}
