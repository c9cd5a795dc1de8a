//! The settings of the logger.

use crate::error::InstallError;
use crate::filter::Filter;
use crate::logger::{Beside, Logger};
use jkool_client::Guard;
use jkool_client::facade::settings::{ClientSettings, NOT_FOR_A_READY_ONE};
use jkool_client::model::OpType;
use log::{LevelFilter, Log};
use std::fmt;
use std::time::Duration;

/// Builds the [`Logger`] and installs it. Every setting has a default except the token, which can also come from the
/// environment variable `JKOOL_TOKEN`.
///
/// ```no_run
/// use log::LevelFilter;
///
/// let _guard = jkool_log::builder()
///     .source("APPL=WebOrders#SERVER=?#NETADDR=?#DATACENTER=DC1".parse()?)
///     .level(LevelFilter::Info)
///     .filter_env("RUST_LOG")
///     .configure(|client| client.in_flight(1).queue_events(10_000))
///     .install()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder does nothing until `install` or `build`"]
pub struct Builder {
    settings: ClientSettings,
    level: LevelFilter,
    filter: Option<String>,
    filter_env: Option<String>,
    op_type: OpType,
    code_location: bool,
    beside: Option<Box<dyn Log>>,
    beside_level: Option<LevelFilter>,
    shutdown_timeout: Duration,
    env: fn(&str) -> Option<String>,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            settings: ClientSettings::new(),
            level: LevelFilter::Info,
            filter: None,
            filter_env: None,
            op_type: OpType::Event,
            code_location: true,
            beside: None,
            beside_level: None,
            shutdown_timeout: Duration::from_secs(5),
            env: |name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()),
        }
    }

    jkool_client::__client_settings!(settings);

    /// Sets the most verbose level that becomes an event. The default is [`LevelFilter::Info`]. A [`filter`](Self::filter) can
    /// set other levels for targets.
    pub fn level(mut self, level: LevelFilter) -> Self {
        self.level = level;
        self
    }

    /// Sets a filter in the syntax of `RUST_LOG`: `info,my_app::db=debug,hyper=off`. Targets that it does not mention use
    /// [`level`](Self::level).
    pub fn filter(mut self, directives: impl Into<String>) -> Self {
        self.filter = Some(directives.into());
        self
    }

    /// Sets the name of an environment variable whose content, if any, replaces the [`filter`](Self::filter).
    pub fn filter_env(mut self, variable: impl Into<String>) -> Self {
        self.filter_env = Some(variable.into());
        self
    }

    /// Sets the operation type of events. The default is [`OpType::Event`].
    pub fn op_type(mut self, op_type: OpType) -> Self {
        self.op_type = op_type;
        self
    }

    /// Sets whether events have the properties `module`, `file` and `line`. The default is true.
    pub fn code_location(mut self, enabled: bool) -> Self {
        self.code_location = enabled;
        self
    }

    /// Adds a second logger, for example for the console. Each of the two uses its own filter.
    ///
    /// The maximum level of a logger is not known, so `log`'s maximum level becomes `Trace`, and every record is passed to the
    /// second logger. [`beside_level`](Self::beside_level) avoids this.
    pub fn beside(mut self, logger: impl Log + 'static) -> Self {
        self.beside = Some(Box::new(logger));
        self
    }

    /// Sets the most verbose level that is passed to the second logger, before its own filter.
    pub fn beside_level(mut self, level: LevelFilter) -> Self {
        self.beside_level = Some(level);
        self
    }

    /// Sets how long dropping the guard, and [`Log::flush`], wait for delivery. The default is 5 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Starts the client and returns the logger, for a program that composes several loggers. Such a program must also call
    /// [`log::set_max_level`]; see [`Logger::max_level`].
    ///
    /// # Errors
    /// If a filter is invalid, settings exclude each other, or the client cannot be built.
    pub fn build(self) -> Result<(Logger, Guard), InstallError> {
        let logger = self.logger()?;
        let guard = Guard::new(logger.client.clone(), logger.flush_timeout);
        Ok((logger, guard))
    }

    /// Starts the client and installs the logger. Nothing is sent yet, so it succeeds even if the server is unreachable.
    ///
    /// # Errors
    /// As [`build`](Self::build), and [`InstallError::AlreadyInstalled`]. After an error, the client that was started is shut
    /// down.
    pub fn install(self) -> Result<Guard, InstallError> {
        let logger = self.logger()?;
        let (client, timeout, max_level) = (logger.client.clone(), logger.flush_timeout, logger.max_level());
        // If this fails, the last handles of a client that was started here are dropped, which shuts it down.
        log::set_boxed_logger(Box::new(logger)).map_err(|_| InstallError::AlreadyInstalled)?;
        log::set_max_level(max_level);
        Ok(Guard::new(client, timeout))
    }

    fn logger(mut self) -> Result<Logger, InstallError> {
        let filter = self.take_filter()?;
        let beside_level = match (&self.beside, self.beside_level) {
            (None, Some(_)) => {
                return Err(InstallError::Setting {
                    setting: "beside_level",
                    reason: "needs a logger; pass it to `beside`",
                });
            }
            (_, level) => level.unwrap_or(LevelFilter::Trace),
        };
        if let Some(setting) = self.settings.conflict() {
            return Err(InstallError::Setting { setting, reason: NOT_FOR_A_READY_ONE });
        }
        let client = self.settings.client()?;
        Ok(Logger {
            client,
            filter,
            op_type: self.op_type,
            code_location: self.code_location,
            beside: self.beside.map(|logger| Beside { logger, level: beside_level }),
            flush_timeout: self.shutdown_timeout,
        })
    }

    fn take_filter(&mut self) -> Result<Filter, InstallError> {
        let from_env = self.filter_env.take().and_then(|variable| {
            let directives = (self.env)(&variable).filter(|directives| !directives.trim().is_empty())?;
            Some((variable, directives))
        });
        let (from, directives) =
            from_env.unwrap_or_else(|| ("filter".to_owned(), self.filter.take().unwrap_or_default()));
        Filter::parse(self.level, &directives).map_err(|(directive, at)| InstallError::Filter { from, directive, at })
    }
}

/// Does not show the token.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("settings", &self.settings)
            .field("level", &self.level)
            .field("filter", &self.filter)
            .field("filter_env", &self.filter_env)
            .field("op_type", &self.op_type)
            .field("code_location", &self.code_location)
            .field("beside", &self.beside.is_some())
            .field("shutdown_timeout", &self.shutdown_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Builder;
    use crate::error::InstallError;
    use jkool_client::transport::MemoryTransport;
    use log::LevelFilter;

    fn level_of(builder: Builder, env: fn(&str) -> Option<String>) -> Result<LevelFilter, InstallError> {
        let builder = Builder { env, ..builder.transport(MemoryTransport::new()) };
        builder.build().map(|(logger, _)| logger.max_level())
    }

    #[test]
    fn the_environment_comes_before_the_filter_and_that_before_the_level() {
        let all = || Builder::new().level(LevelFilter::Warn).filter("debug").filter_env("MY_LOG");
        assert_eq!(level_of(all(), |name| (name == "MY_LOG").then(|| "trace".into())).unwrap(), LevelFilter::Trace);
        for unset in [|_: &str| None, |_: &str| Some(String::new()), |_: &str| Some(" ".into())] {
            assert_eq!(level_of(all(), unset).unwrap(), LevelFilter::Debug);
        }
        assert_eq!(level_of(Builder::new().level(LevelFilter::Warn), |_| None).unwrap(), LevelFilter::Warn);
        assert_eq!(level_of(Builder::new(), |_| Some("trace".into())).unwrap(), LevelFilter::Info);
    }

    #[test]
    fn a_malformed_filter_is_named_with_its_place() {
        let wrong = level_of(Builder::new().filter_env("MY_LOG"), |_| Some("info,my_app=loud".into())).unwrap_err();
        assert!(
            matches!(&wrong, InstallError::Filter { from, directive, at: 5 } if from == "MY_LOG" && directive == "my_app=loud"),
            "{wrong:?}"
        );
        let wrong = level_of(Builder::new().filter("a=b"), |_| None).unwrap_err();
        assert!(wrong.to_string().starts_with("filter, byte 0: `a=b` is not a filter; "), "{wrong}");
    }

    #[test]
    fn the_token_is_not_shown() {
        let shown = format!("{:?}", Builder::new().token("canary-5ec7e7"));
        assert!(shown.contains("***") && !shown.contains("canary-5ec7e7"), "{shown}");
    }
}
