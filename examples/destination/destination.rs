//! Where an example streams to.

use crate::Received;
use jkool_collector::{Clock, Collector, Filter, Flow};
use std::env::{self, VarError};
use std::error::Error;
use std::fmt;
use std::io;

/// The service, or the collector that `JKOOL_URL` names, when that or `JKOOL_TOKEN` is set; else a collector in
/// this process.
pub struct Destination {
    url: String,
    token: String,
    collector: Option<Collector>,
}

const SERVICE: &str = "https://stream.meshiq.com";

/// A token for who takes any.
const ANY: &str = "incognito";

impl Destination {
    /// Looks at the environment, and starts a collector when it says nothing.
    ///
    /// # Errors
    /// When a variable is no text, or the collector can't be started.
    pub fn from_env() -> io::Result<Self> {
        match (variable("JKOOL_TOKEN")?, variable("JKOOL_URL")?) {
            (Some(token), url) => Ok(Self { url: url.unwrap_or_else(|| SERVICE.into()), token, collector: None }),
            (None, Some(url)) => Ok(Self { url, token: ANY.into(), collector: None }),
            (None, None) => {
                let collector = Collector::builder().listen("127.0.0.1:0").start();
                let collector = collector.map_err(io::Error::other)?;
                Ok(Self { url: collector.url(), token: ANY.into(), collector: Some(collector) })
            }
        }
    }

    /// The url to send to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token to send with.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What arrived, in order of arrival, as far as that can be seen: what the service takes is to be seen there.
    ///
    /// # Errors
    /// When the collector's store can't be read.
    pub fn received(&self) -> Result<Vec<Received>, Box<dyn Error>> {
        let Some(collector) = &self.collector else { return Ok(Vec::new()) };
        let now = Clock::default().now();
        let mut stored = collector.store().read_now(|reader| reader.find_after(&Filter::default(), MOST, None, now))?;
        stored.sort_by_key(|stored| stored.received);
        Ok(stored.into_iter().map(Received::new).collect::<Result<_, _>>()?)
    }

    /// Who sent to whom, as far as that can be seen.
    ///
    /// # Errors
    /// When the collector's store can't be read.
    pub fn flows(&self) -> Result<Vec<Flow>, Box<dyn Error>> {
        let Some(collector) = &self.collector else { return Ok(Vec::new()) };
        let now = Clock::default().now();
        Ok(collector.store().read_now(|reader| reader.flows(&Filter::default(), now))?)
    }
}

/// No example sends more.
const MOST: usize = 10_000;

fn variable(name: &str) -> io::Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(error @ VarError::NotUnicode(_)) => Err(io::Error::new(io::ErrorKind::InvalidInput, error)),
    }
}

/// Says where the events go.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.collector {
            Some(_) => {
                write!(f, "{}, a collector in this process (set JKOOL_TOKEN to stream to the service)", self.url)
            }
            None => f.write_str(&self.url),
        }
    }
}

/// The token is not shown.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("url", &self.url)
            .field("collector", &self.collector)
            .finish_non_exhaustive()
    }
}
