//! The filter of records, with the syntax of `RUST_LOG`.

use log::{LevelFilter, Metadata};
use regex_lite::Regex;

#[derive(Debug)]
pub(crate) struct Filter {
    directives: env_filter::Filter,
    /// The expression that the message must also match: `info/regex`.
    text: Option<Regex>,
}

impl Filter {
    /// Creates a filter from `directives`. `level` applies to targets that they do not mention.
    ///
    /// # Errors
    /// The first invalid directive, and its position in bytes.
    pub(crate) fn parse(level: LevelFilter, directives: &str) -> Result<Self, (String, usize)> {
        let (levels, text) = match directives.split_once('/') {
            Some((levels, text)) => (levels, Some(text)),
            None => (directives, None),
        };
        let mut at = 0;
        for directive in levels.split(',') {
            let begins = at + directive.len() - directive.trim_start().len();
            let directive_at = |directive: &str| (directive.trim().to_owned(), begins);
            if !is_directive(directive.trim()) {
                return Err(directive_at(directive));
            }
            at += directive.len() + 1;
        }
        let regex = |text: &str| Regex::new(text).map_err(|_| (text.to_owned(), levels.len() + 1));
        let text = text.map(regex).transpose()?;
        let mut builder = env_filter::Builder::new();
        builder.filter_level(level);
        builder.try_parse(levels).map_err(|_| (levels.to_owned(), 0))?;
        Ok(Self { directives: builder.build(), text })
    }

    /// The most verbose level that passes.
    pub(crate) fn max_level(&self) -> LevelFilter {
        self.directives.filter()
    }

    pub(crate) fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.directives.enabled(metadata)
    }

    /// Whether the message of an enabled record passes the regular expression.
    pub(crate) fn matches(&self, message: &str) -> bool {
        self.text.as_ref().is_none_or(|text| text.is_match(message))
    }
}

/// Whether it is `level`, `target`, `target=level`, or empty. A target alone enables all of its records, so a misspelled level
/// must not be taken for a target.
fn is_directive(directive: &str) -> bool {
    if directive.is_empty() || directive.parse::<LevelFilter>().is_ok() {
        return true;
    }
    if directive.contains('=') {
        return env_filter::Builder::new().try_parse(directive).is_ok();
    }
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    directive.split("::").all(is_name) && !is_meant_as_level(directive)
}

/// Levels of other loggers, and words for on and off.
const OTHER_LEVELS: &[&str] = &[
    "alert",
    "all",
    "crit",
    "critical",
    "emerg",
    "emergency",
    "err",
    "false",
    "fatal",
    "fine",
    "none",
    "notice",
    "on",
    "panic",
    "true",
    "verbose",
    "warning",
];

/// Whether it is a level of another logger, or a misspelled level of `log`.
fn is_meant_as_level(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let levels = LevelFilter::iter().filter(|level| *level != LevelFilter::Off);
    OTHER_LEVELS.contains(&&*word)
        || levels.into_iter().any(|level| is_slip(&word, &level.as_str().to_ascii_lowercase()))
}

/// Whether the words differ by one letter: missing, added, replaced, or swapped with the next one.
fn is_slip(word: &str, level: &str) -> bool {
    let (word, level) = (word.as_bytes(), level.as_bytes());
    let same = word.iter().zip(level).take_while(|(one, other)| one == other).count();
    let (word, level) = (&word[same..], &level[same..]);
    match (word, level) {
        ([first, second, word @ ..], [third, fourth, level @ ..])
            if (first, second) == (fourth, third) && word == level =>
        {
            true
        }
        ([_, word @ ..], [_, level @ ..]) if word == level => true,
        ([_, rest @ ..], level) if rest == level => true,
        (word, [_, rest @ ..]) if rest == word => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;
    use log::{Level, LevelFilter, Metadata};

    fn enabled(filter: &Filter, target: &str, level: Level) -> bool {
        filter.enabled(&Metadata::builder().target(target).level(level).build())
    }

    #[test]
    fn directives_refine_the_level() {
        let filter = Filter::parse(LevelFilter::Info, "my_app::db=debug, hyper=off").unwrap();
        assert_eq!(filter.max_level(), LevelFilter::Debug);
        for (target, most) in
            [("my_app", LevelFilter::Info), ("my_app::db", LevelFilter::Debug), ("hyper", LevelFilter::Off)]
        {
            for level in Level::iter() {
                assert_eq!(enabled(&filter, target, level), level <= most, "{target} {level}");
            }
        }
        assert!(enabled(&Filter::parse(LevelFilter::Info, "trace").unwrap(), "x", Level::Trace));
        assert!(!enabled(&Filter::parse(LevelFilter::Off, "").unwrap(), "x", Level::Error));
    }

    #[test]
    fn a_malformed_directive_is_named() {
        for (directives, wrong) in [
            ("info,my_app=loud,hyper=off", "my_app=loud"),
            ("my_app=info=debug", "my_app=info=debug"),
            ("info, a=b/text", "a=b"),
            ("info/(", "("),
            ("verbose", "verbose"),
            ("0", "0"),
            ("\"info\"", "\"info\""),
            ("info,hyper=off,inof", "inof"),
            ("debgu", "debgu"),
            ("warning", "warning"),
            ("trac", "trac"),
            ("my app", "my app"),
        ] {
            let (found, at) = Filter::parse(LevelFilter::Info, directives).unwrap_err();
            assert_eq!((&*found, directives.find(wrong)), (wrong, Some(at)), "{directives}");
        }
        for directives in ["my_app", "hyper::client", "my-app,info", "OFF", "", " , ", "info/a/b"] {
            assert!(Filter::parse(LevelFilter::Info, directives).is_ok(), "{directives}");
        }
    }

    #[test]
    fn a_regex_is_looked_for_in_the_message() {
        let passes = |directives, message| Filter::parse(LevelFilter::Info, directives).unwrap().matches(message);
        for (directives, message, expected) in [
            ("info", "a customer", true),
            ("info/order", "an order", true),
            ("info/order", "a customer", false),
            ("info/order [0-9]+ taken", "order 77 taken", true),
            ("info/order [0-9]+ taken", "order x taken", false),
            ("/^GET /api/", "GET /api/orders", true),
        ] {
            assert_eq!(passes(directives, message), expected, "{directives} {message}");
        }
    }
}
