//! Chooses the transport, and the origin of its token.

use super::ClientBuilder;
use crate::api::client::{NOT_FOR_OTHERS, SetToken};
use crate::api::error::BuildError;
use crate::delivery::engine::TokenWatch;
#[cfg(feature = "http")]
use jkool_transport::Token;
use jkool_transport::Transport;
#[cfg(feature = "http")]
use std::path::PathBuf;
use std::sync::Arc;

impl ClientBuilder {
    pub(super) fn take_transport(&mut self) -> Result<Chosen, BuildError> {
        let Some(transport) = self.transport.take() else { return self.http_transport() };
        let set = [("url", self.url.is_some()), ("token", self.token.is_some() || self.token_file.is_some())];
        match set.into_iter().find(|(_, is_set)| *is_set) {
            Some((setting, _)) => Err(BuildError::Setting { setting, reason: NOT_FOR_OTHERS }),
            None => Ok(Chosen { transport, set_token: None, token_watch: None }),
        }
    }

    #[cfg(not(feature = "http"))]
    fn http_transport(&mut self) -> Result<Chosen, BuildError> {
        Err(BuildError::NoTransport)
    }

    #[cfg(feature = "http")]
    fn http_transport(&mut self) -> Result<Chosen, BuildError> {
        use jkool_transport::{DEFAULT_URL, HttpTransport};

        let url = self.url.take().or_else(|| (self.env)("JKOOL_URL"));
        let token = self.take_token()?;
        if token.is_none() && url.is_none() {
            return Err(BuildError::NoToken);
        }
        let mut http = HttpTransport::builder(url.as_deref().unwrap_or(DEFAULT_URL));
        if let Some(token) = token.clone() {
            http = http.token(token);
        }
        if let Some(settings) = self.http.take() {
            http = settings(http);
        }
        let http = Arc::new(http.build().map_err(BuildError::Transport)?);
        let token_watch = Some(watch(self.token_file.take().zip(token), Arc::clone(&http)));
        let rotated = Arc::clone(&http);
        let set_token: SetToken = Box::new(move |token| {
            let token = Token::new(token).map_err(|error| BuildError::Token { from: "set_token", error })?;
            rotated.set_token(&token).map_err(BuildError::Transport)
        });
        Ok(Chosen { transport: http, set_token: Some(set_token), token_watch })
    }

    #[cfg(feature = "http")]
    fn take_token(&mut self) -> Result<Option<Token>, BuildError> {
        let (from, token) = if let Some(token) = self.token.take() {
            // A token from the builder has no file to watch.
            self.token_file = None;
            ("the builder", Token::new(token))
        } else if let Some(path) = &self.token_file {
            ("the file", Token::from_file(path))
        } else if let Some(token) = (self.env)("JKOOL_TOKEN") {
            ("JKOOL_TOKEN", Token::new(token))
        } else {
            return Ok(None);
        };
        token.map(Some).map_err(|error| BuildError::Token { from, error })
    }
}

/// The transport, and the functions that change its token, if it has one.
pub(super) struct Chosen {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) set_token: Option<SetToken>,
    pub(super) token_watch: Option<TokenWatch>,
}

/// Reads the files of token and certificates again, and passes on new content. A file that is not a token now may be one in a
/// moment.
#[cfg(feature = "http")]
fn watch(mut file: Option<(PathBuf, Token)>, http: Arc<jkool_transport::HttpTransport>) -> TokenWatch {
    Box::new(move || {
        let certificates = http.renew_certificates();
        let Some((path, current)) = &mut file else { return certificates };
        match Token::from_file(path) {
            Ok(token) if token != *current => {
                *current = token;
                http.set_token(current).is_ok() || certificates
            }
            _ => certificates,
        }
    })
}
