//! The text format of OpenMetrics, in which client, relay and collector report their counters.

use std::fmt::{Display, Write};

/// Metrics as text. Serve it as [`CONTENT_TYPE`].
#[derive(Debug, Default)]
pub struct OpenMetrics(String);

/// The content type of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What follows the last metric.
const END: &str = "# EOF\n";

impl OpenMetrics {
    /// Begins a counter. Its values are those since the start.
    pub fn counter(&mut self, name: &str) -> Family<'_> {
        self.family(name, "counter", "_total")
    }

    /// Begins a gauge, a value that goes up and down.
    pub fn gauge(&mut self, name: &str) -> Family<'_> {
        self.family(name, "gauge", "")
    }

    fn family(&mut self, name: &str, kind: &str, suffix: &'static str) -> Family<'_> {
        let mut family = Family { text: &mut self.0, name: name.to_owned(), suffix };
        family.line(format_args!("# TYPE {name} {kind}"));
        family
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.0 + END
    }
}

/// A metric that is being written. The format requires that its values follow each other.
#[derive(Debug)]
pub struct Family<'a> {
    text: &'a mut String,
    name: String,
    suffix: &'static str,
}

impl Family<'_> {
    /// Says what it is.
    pub fn help(mut self, help: &str) -> Self {
        let line = format!("# HELP {} {help}", self.name);
        self.line(line);
        self
    }

    /// The unit, with which the name must end.
    pub fn unit(mut self, unit: &str) -> Self {
        let line = format!("# UNIT {} {unit}", self.name);
        self.line(line);
        self
    }

    /// The value.
    pub fn value(mut self, value: impl Display) -> Self {
        let line = format!("{}{} {value}", self.name, self.suffix);
        self.line(line);
        self
    }

    /// The value for a label.
    pub fn labelled(mut self, label: &str, of: &str, value: impl Display) -> Self {
        let of = of.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let line = format!("{}{}{{{label}=\"{of}\"}} {value}", self.name, self.suffix);
        self.line(line);
        self
    }

    fn line(&mut self, line: impl Display) {
        // Writing to a string cannot fail.
        writeln!(self.text, "{line}").unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::OpenMetrics;

    #[test]
    fn a_metric_is_described_before_its_values() {
        let mut metrics = OpenMetrics::default();
        metrics.counter("failed").help("What failed.").labelled("part", "a \"b\"\\c\n", 3).labelled("part", "d", 4);
        metrics.gauge("size_bytes").help("Its size.").unit("bytes").value(0.25);
        let expected = "# TYPE failed counter\n\
            # HELP failed What failed.\n\
            failed_total{part=\"a \\\"b\\\"\\\\c\\n\"} 3\n\
            failed_total{part=\"d\"} 4\n\
            # TYPE size_bytes gauge\n\
            # HELP size_bytes Its size.\n\
            # UNIT size_bytes bytes\n\
            size_bytes 0.25\n\
            # EOF\n";
        assert_eq!(metrics.finish(), expected);
    }
}
