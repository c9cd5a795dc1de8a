//! Which records become events, in the syntax of `RUST_LOG`.

use jkool_client::catch_panic;
use log::{LevelFilter, Metadata, Record};

#[derive(Debug)]
pub(crate) struct Filter {
    directives: env_filter::Filter,
    /// It also looks at the message: `info/text`.
    by_text: bool,
}

impl Filter {
    /// `level` for whatever `directives` doesn't speak of.
    ///
    /// # Errors
    /// The first directive that is none.
    pub(crate) fn parse(level: LevelFilter, directives: &str) -> Result<Self, String> {
        let mut builder = env_filter::Builder::new();
        match builder.filter_level(level).try_parse(directives) {
            Ok(_) => Ok(Self { directives: builder.build(), by_text: directives.contains('/') }),
            Err(_) => {
                let is_wrong = |directive: &&str| env_filter::Builder::new().try_parse(directive).is_err();
                let levels = directives.split('/').next().unwrap_or_default();
                Err(levels.split(',').map(str::trim).find(is_wrong).unwrap_or(directives).to_owned())
            }
        }
    }

    /// The most that it lets through.
    pub(crate) fn max_level(&self) -> LevelFilter {
        self.directives.filter()
    }

    pub(crate) fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.directives.enabled(metadata)
    }

    /// Whether the text of an enabled record passes. Formats it, when there is a text to look for.
    pub(crate) fn matches_text(&self, record: &Record<'_>) -> bool {
        !self.by_text || catch_panic(|| self.directives.matches(record)).unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;
    use log::{Level, LevelFilter, Metadata, Record};

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
            ("info/a/b", "info/a/b"),
        ] {
            assert_eq!(Filter::parse(LevelFilter::Info, directives).unwrap_err(), wrong);
        }
    }

    #[test]
    fn a_text_is_looked_for_in_the_message() {
        let filter = Filter::parse(LevelFilter::Info, "info/order").unwrap();
        let passes = |args| filter.matches_text(&Record::builder().level(Level::Info).args(args).build());
        assert!(passes(format_args!("an order")));
        assert!(!passes(format_args!("a customer")));
    }
}
