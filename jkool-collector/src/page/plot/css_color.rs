//! Colours by name: a picture is drawn with colours that nobody would choose, and they become classes afterwards.

use jkool_model::Severity;
use plotters::style::RGBColor;

/// A colour that the style sheet knows, `f-NAME` where it fills and `l-NAME` where it is a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CssColor(u8);

const NAMES: [&str; 15] = [
    "s-none",
    "s-trace",
    "s-debug",
    "s-info",
    "s-notice",
    "s-warning",
    "s-error",
    "s-failure",
    "s-critical",
    "s-fatal",
    "s-halt",
    "text",
    "grid",
    "band",
    "line",
];

impl CssColor {
    pub(super) const TEXT: Self = Self(11);
    pub(super) const GRID: Self = Self(12);
    pub(super) const BAND: Self = Self(13);
    pub(super) const LINE: Self = Self(14);

    pub(super) fn of(severity: Severity) -> Self {
        Self(severity as u8)
    }

    /// What stands for it in a drawing.
    pub(super) fn color(self) -> RGBColor {
        RGBColor(1, 0, self.0)
    }

    /// Puts classes in the place of colours. No text can look like one: its quotes are escaped.
    pub(super) fn resolve(svg: &str) -> String {
        let mut svg = svg.to_owned();
        for (number, name) in NAMES.iter().enumerate() {
            let color = format!("\"#0100{number:02X}\"");
            svg = svg.replace(&format!("fill={color}"), &format!("class=\"f-{name}\""));
            svg = svg.replace(&format!("stroke={color}"), &format!("class=\"l-{name}\""));
        }
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::{CssColor, NAMES};
    use jkool_model::Severity;

    #[test]
    fn colours_become_classes_named_as_the_severities() {
        for severity in Severity::ALL {
            assert_eq!(NAMES[*severity as usize], format!("s-{}", severity.as_str().to_lowercase()));
        }
        let svg = r##"<rect fill="#01000A" stroke="none"/><line stroke="#01000C"/>"##;
        assert_eq!(CssColor::resolve(svg), r#"<rect class="f-s-halt" stroke="none"/><line class="l-grid"/>"#);
    }
}
