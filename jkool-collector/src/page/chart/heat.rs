//! A heat map: a row of cells for each name. Higher values are darker.

use super::frame::{share, times};
use super::unit::Unit;
use crate::page::format::cut;
use jkool_model::Timestamp;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::ops::Range;

/// A row: its values, by the start of their time intervals in microseconds.
#[derive(Debug)]
pub(in crate::page) struct HeatRow {
    pub(in crate::page) name: String,
    pub(in crate::page) values: BTreeMap<i64, f64>,
}

/// The heat map; all rows have the same time axis.
pub(in crate::page) fn heat(label: &str, rows: &[HeatRow], range: &Range<i64>, width: i64, unit: Unit) -> Markup {
    let most = rows.iter().flat_map(|row| row.values.values()).copied().fold(0.0, f64::max);
    // Differences between small values are easier to see with a square root.
    let darkness = |value: f64| if most > 0.0 { (value.max(0.0) / most).sqrt().clamp(0.06, 1.0) } else { 0.06 };
    let title = |time: i64, value: f64| {
        let iso = Timestamp::from_usec(time).to_string();
        format!("{} UTC: {}", iso.get(..19).unwrap_or(&iso).replace('T', " "), unit.say(value))
    };
    html! {
        ol.bars.heat aria-label=(label) data-from=(Timestamp::from_usec(range.start)) data-to=(Timestamp::from_usec(range.end)) {
            @for row in rows {
                li {
                    span.name title=(cut(&row.name, 200)) { (cut(&row.name, 80)) }
                    svg aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none" {
                        @for (time, value) in &row.values {
                            @let (from, to) = (share(range, *time), share(range, time.saturating_add(width)));
                            rect.f-line x=(format!("{from:.2}")) width=(format!("{:.2}", (to - from).max(0.1))) height="10"
                                fill-opacity=(format!("{:.2}", darkness(*value))) { title { (title(*time, *value)) } }
                        }
                    }
                }
            }
            li { span.name {} (times(range)) }
        }
        p.hint.scale { "from 0 to " (unit.say(most)) }
    }
}
