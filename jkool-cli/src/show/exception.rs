//! Selects the most important lines of a stack trace.

/// The number of lines of a trace that are shown in addition to the first.
pub(super) struct Brief<'a> {
    /// What happened.
    pub(super) first: &'a str,
    /// The root cause.
    pub(super) cause: Option<&'a str>,
    /// The number of lines left out.
    pub(super) left_out: usize,
}

/// Selects the first line, the last line that names a cause, and counts the others. In traces of Python the last line
/// is the error.
pub(super) fn brief(exception: &str) -> Brief<'_> {
    let lines: Vec<&str> = exception.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let (first, below) = lines.split_first().map_or(("", [].as_slice()), |(first, below)| (*first, below));
    let is_python = first.starts_with("Traceback");
    let cause = match is_python {
        true => below.last(),
        false => below.iter().rev().find(|line| line.to_ascii_lowercase().starts_with("caused by")),
    };
    let cause = cause.copied();
    Brief { first, cause, left_out: below.len() - usize::from(cause.is_some()) }
}

#[cfg(test)]
mod tests {
    use super::brief;

    #[test]
    fn the_first_line_and_the_last_cause_are_shown() {
        let java = "java.lang.IllegalStateException: no order\r\n\tat a.B.c(B.java:1)\nCaused by: java.io.IOException: x\n\tat d\n\
                    Caused by: java.net.SocketTimeoutException: connect\n\tat e\n\t... 3 more\n";
        let shown = brief(java);
        assert_eq!(shown.first, "java.lang.IllegalStateException: no order");
        assert_eq!(shown.cause, Some("Caused by: java.net.SocketTimeoutException: connect"));
        assert_eq!(shown.left_out, 5);
        let python = "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nValueError: no\n";
        let shown = brief(python);
        assert_eq!((shown.cause, shown.left_out), (Some("ValueError: no"), 2));
        let one = brief("no funds");
        assert_eq!((one.first, one.cause, one.left_out), ("no funds", None, 0));
        assert_eq!(brief("\n \n").first, "");
    }
}
