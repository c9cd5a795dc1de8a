//! The colours of what is drawn side by side: classes of the style sheet, behind `f-` for areas and `l-` for lines.

use crate::page::format::{cut, severity_class};
use jkool_model::Severity;
use maud::{Markup, html};

/// So many colours are told apart, also by who sees some of them alike.
pub(super) const COLORS: usize = 7;

/// That of a severity.
pub(in crate::page) fn of_severity(severity: Severity) -> String {
    severity_class(severity)
}

/// That of one of several series: of a severity its own.
pub(in crate::page) fn of_series(name: &str, index: usize, is_severity: bool) -> String {
    let severity = Severity::ALL.iter().find(|severity| is_severity && severity.to_string() == name);
    severity.map_or_else(|| format!("c{}", index % COLORS), |severity| of_severity(*severity))
}

/// Names and their colours.
pub(in crate::page) fn legend<'a>(names: impl IntoIterator<Item = (&'a str, &'a str)>) -> Markup {
    html! {
        ul.legend {
            @for (name, color) in names { li { span class={ "swatch f-" (color) } {} span { (cut(name, 40)) } } }
        }
    }
}
