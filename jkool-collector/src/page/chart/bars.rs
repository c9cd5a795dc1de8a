//! Named bars. The names are HTML text, so that a picture does not cut them off.

use crate::page::format::cut;
use maud::{Markup, html};

/// A name with its bar.
#[derive(Debug)]
pub(in crate::page) struct Bar {
    pub(in crate::page) name: String,
    /// The URL of the name's link.
    pub(in crate::page) url: Option<String>,
    /// The parts, one after the other.
    pub(in crate::page) parts: Vec<Part>,
    /// The text after the bar.
    pub(in crate::page) value: String,
    /// The value in the previous period.
    pub(in crate::page) before: Option<f64>,
}

/// A part of a bar.
#[derive(Debug)]
pub(in crate::page) struct Part {
    /// The CSS class of the colour.
    pub(in crate::page) color: String,
    pub(in crate::page) value: f64,
    pub(in crate::page) title: String,
}

/// A list of bars titled `label`.
pub(in crate::page) fn bars(label: &str, bars: &[Bar]) -> Markup {
    let length = |bar: &Bar| bar.parts.iter().map(|part| part.value.max(0.0)).sum::<f64>();
    let most = bars.iter().map(|bar| length(bar).max(bar.before.unwrap_or_default())).fold(0.0, f64::max);
    let most = if most.is_finite() && most > 0.0 { most } else { 1.0 };
    html! {
        ol.bars aria-label=(label) {
            @for bar in bars {
                li {
                    span.name title=(cut(&bar.name, 200)) {
                        @match &bar.url { Some(url) => a href=(url) { (cut(&bar.name, 80)) }, None => (cut(&bar.name, 80)) }
                    }
                    svg aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none" {
                        (parts(bar, most))
                        @if let Some(before) = bar.before {
                            @let x = format!("{:.2}", before / most * 100.0);
                            line.before x1=(x) x2=(x) y1="0" y2="10" { title { "in the period before" } }
                        }
                    }
                    span.n { (bar.value) }
                }
            }
        }
    }
}

fn parts(bar: &Bar, most: f64) -> Markup {
    let mut end = 0.0;
    let placed = bar.parts.iter().filter(|part| part.value > 0.0).map(|part| {
        let (from, width) = (end, (part.value / most * 100.0).clamp(0.0, 100.0));
        end += width;
        (part, from, width)
    });
    html! {
        @for (part, from, width) in placed {
            rect class={ "f-" (part.color) } x=(format!("{from:.2}")) y="1" width=(format!("{:.2}", width.max(0.3))) height="8" { title { (part.title) } }
        }
    }
}
