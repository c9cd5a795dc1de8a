//! The severity of a line, from the words and numbers that programs use.

use jkool_client::model::Severity;

/// Parses a word for a severity, ignoring case.
pub(super) fn of_word(word: &str) -> Option<Severity> {
    const WORDS: [(&str, Severity); 22] = [
        ("trace", Severity::Trace),
        ("finest", Severity::Trace),
        ("verbose", Severity::Trace),
        ("debug", Severity::Debug),
        ("dbg", Severity::Debug),
        ("fine", Severity::Debug),
        ("info", Severity::Info),
        ("inf", Severity::Info),
        ("information", Severity::Info),
        ("notice", Severity::Notice),
        ("warn", Severity::Warning),
        ("warning", Severity::Warning),
        ("wrn", Severity::Warning),
        ("error", Severity::Error),
        ("err", Severity::Error),
        ("severe", Severity::Error),
        ("critical", Severity::Critical),
        ("crit", Severity::Critical),
        ("alert", Severity::Critical),
        ("fatal", Severity::Fatal),
        ("panic", Severity::Fatal),
        ("emerg", Severity::Fatal),
    ];
    WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known)).map(|(_, severity)| *severity)
}

/// The levels of pino and bunyan, 10 to 60.
pub(super) fn of_number(number: i64) -> Option<Severity> {
    Some(match number {
        10..=19 => Severity::Trace,
        20..=29 => Severity::Debug,
        30..=39 => Severity::Info,
        40..=49 => Severity::Warning,
        50..=59 => Severity::Error,
        60..=69 => Severity::Fatal,
        _ => return None,
    })
}

/// Syslog's, 0 to 7.
pub(super) fn of_syslog(level: u8) -> Severity {
    match level {
        0 => Severity::Fatal,
        1 | 2 => Severity::Critical,
        3 => Severity::Error,
        4 => Severity::Warning,
        5 => Severity::Notice,
        6 => Severity::Info,
        _ => Severity::Debug,
    }
}

/// The length of the part of a line that is searched.
const FAR: usize = 160;

/// Finds a severity in a line: a word in capitals, or one that is marked (`[error]`, `error:`).
pub(super) fn in_text(line: &str) -> Option<Severity> {
    let bytes = &line.as_bytes()[..line.len().min(FAR)];
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        while bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
            at += 1;
        }
        let is_alone =
            start == 0 || !(bytes[start - 1].is_ascii_alphanumeric() || b"._-/$".contains(&bytes[start - 1]));
        if (3..=11).contains(&(at - start)) && is_alone {
            let word = &line[start..at];
            let (before, after) = (start.checked_sub(1).and_then(|before| bytes.get(before)), bytes.get(at));
            let is_marked = before.is_some_and(|c| b"[<(|".contains(c)) && after.is_some_and(|c| b"]>)|".contains(c))
                || after == Some(&b':');
            let ends = after.is_none_or(|c| !(c.is_ascii_alphanumeric() || b"._-/=".contains(c)));
            if ends
                && (is_marked || word.bytes().all(|c| c.is_ascii_uppercase()))
                && let Some(severity) = of_word(word)
            {
                return Some(severity);
            }
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::in_text;
    use jkool_client::model::Severity;

    #[test]
    fn a_severity_is_found_where_it_is_meant() {
        for (line, expected) in [
            ("2026-12-01 03:14:10,123 ERROR [main] c.s.Shop - no stock", Some(Severity::Error)),
            ("[error] 31#31: upstream timed out", Some(Severity::Error)),
            ("warning: unused variable", Some(Severity::Warning)),
            ("WARN  order late", Some(Severity::Warning)),
            ("SEVERE: cannot open", Some(Severity::Error)),
            ("an error occurred", None),
            ("GET /error/INFO.html", None),
            ("com.shop.ERROR_CODE=5", None),
            ("Überlauf ERROR", Some(Severity::Error)),
            ("", None),
        ] {
            assert_eq!(in_text(line), expected, "{line}");
        }
    }
}
