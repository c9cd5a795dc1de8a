//! The colours of series: CSS classes with the prefix `f-` for areas and `l-` for lines.

use crate::page::format::{cut, severity_class};
use jkool_model::Severity;
use maud::{Markup, html};

/// The number of colours, chosen so that colour-blind people can distinguish them.
pub(super) const COLORS: usize = 7;

/// Returns the colour of a severity.
pub(in crate::page) fn of_severity(severity: Severity) -> String {
    severity_class(severity)
}

/// Returns the colour of a series. Severities have fixed colours.
pub(in crate::page) fn of_series(name: &str, index: usize, is_severity: bool) -> String {
    let severity = Severity::ALL.iter().find(|severity| is_severity && severity.to_string() == name);
    severity.map_or_else(|| format!("c{}", index % COLORS), |severity| of_severity(*severity))
}

/// The names with their colours.
pub(in crate::page) fn legend<'a>(names: impl IntoIterator<Item = (&'a str, &'a str)>) -> Markup {
    html! {
        ul.legend {
            @for (name, color) in names { li { span class={ "swatch f-" (color) } {} span { (cut(name, 40)) } } }
        }
    }
}
