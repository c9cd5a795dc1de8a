//! Where an example streams to.

use crate::{Endpoint, Received};
use std::env::{self, VarError};
use std::fmt;
use std::io;

/// The service, or the collector that `JKOOL_URL` names, when that or `JKOOL_TOKEN` is set; else an [`Endpoint`] of our own.
pub struct Destination {
    url: String,
    token: String,
    endpoint: Option<Endpoint>,
}

const SERVICE: &str = "https://stream.meshiq.com";

/// A token for who takes any.
const ANY: &str = "incognito";

impl Destination {
    /// Looks at the environment, and starts the endpoint when it says nothing.
    ///
    /// # Errors
    /// When a variable is no text, or the endpoint can't be started.
    pub fn from_env() -> io::Result<Self> {
        match (variable("JKOOL_TOKEN")?, variable("JKOOL_URL")?) {
            (Some(token), url) => Ok(Self { url: url.unwrap_or_else(|| SERVICE.into()), token, endpoint: None }),
            (None, Some(url)) => Ok(Self { url, token: ANY.into(), endpoint: None }),
            (None, None) => {
                let endpoint = Endpoint::start()?;
                Ok(Self { url: endpoint.url().into(), token: ANY.into(), endpoint: Some(endpoint) })
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

    /// What arrived, as far as that can be seen: what the service takes is to be seen there.
    pub fn received(&self) -> Vec<Received> {
        self.endpoint.as_ref().map_or_else(Vec::new, Endpoint::received)
    }
}

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
        match &self.endpoint {
            Some(_) => write!(f, "{}, in this process (set JKOOL_TOKEN to stream to the service)", self.url),
            None => f.write_str(&self.url),
        }
    }
}

/// The token is not shown.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination").field("url", &self.url).field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
