//! The client that an adapter streams to: a new one by its settings, or one that is there already.

use crate::api::builder::ClientBuilder;
use crate::api::client::Client;
use crate::api::error::BuildError;

/// What the builder of an adapter keeps for its client. Its setters come from `__client_settings!`.
#[derive(Debug)]
pub struct ClientSettings {
    new: ClientBuilder,
    /// The first setting that was made, by its name.
    setting: Option<&'static str>,
    ready: Option<Client>,
}

/// Why a setting of a new client is refused beside a ready one.
pub const NOT_FOR_A_READY_ONE: &str = "is for a new client, and a ready one was passed";

impl ClientSettings {
    /// A new client, with all defaults.
    #[expect(clippy::new_without_default, reason = "for adapters, which say what they do")]
    pub fn new() -> Self {
        Self { new: Client::builder(), setting: None, ready: None }
    }

    /// Makes a setting of a new client.
    pub fn set(&mut self, setting: &'static str, set: impl FnOnce(ClientBuilder) -> ClientBuilder) {
        self.setting.get_or_insert(setting);
        let settings = std::mem::replace(&mut self.new, Client::builder());
        self.new = set(settings);
    }

    /// Takes a ready client.
    pub fn set_ready(&mut self, client: Client) {
        self.ready = Some(client);
    }

    /// The first setting that was made in vain, for there is a ready client.
    pub fn conflict(&self) -> Option<&'static str> {
        self.setting.filter(|_| self.ready.is_some())
    }

    /// The client. Starts it, when it is a new one.
    ///
    /// # Errors
    /// When settings of a new client were made for a ready one, or a new one can't be built.
    pub fn client(self) -> Result<Client, BuildError> {
        if let Some(setting) = self.conflict() {
            return Err(BuildError::Setting { setting, reason: NOT_FOR_A_READY_ONE });
        }
        match self.ready {
            Some(client) => Ok(client),
            None => self.new.build(),
        }
    }
}

/// The setters of an adapter's builder that are about its client.
#[doc(hidden)]
#[macro_export]
macro_rules! __client_settings {
    ($settings:ident) => {
        /// The access token. Without this, or a [`token_file`](Self::token_file), it is that of the variable `JKOOL_TOKEN`.
        pub fn token(mut self, token: impl Into<String>) -> Self {
            self.$settings.set("token", |client| client.token(token));
            self
        }

        /// The file that holds the access token.
        pub fn token_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
            self.$settings.set("token_file", |client| client.token_file(path));
            self
        }

        /// Where to send; the service itself, unless this or the variable `JKOOL_URL` says otherwise.
        pub fn url(mut self, url: impl Into<String>) -> Self {
            self.$settings.set("url", |client| client.url(url));
            self
        }

        /// Where the events come from; see [`ClientBuilder::source`]($crate::ClientBuilder::source) for what it is without
        /// this, and for `?`.
        pub fn source(mut self, source: $crate::model::SourceFqn) -> Self {
            self.$settings.set("source", |client| client.source(source));
            self
        }

        /// Adds a property to every event that has none of that name.
        pub fn property(
            mut self,
            name: impl Into<$crate::model::Text>,
            value: impl Into<$crate::model::TypedValue>,
        ) -> Self {
            self.$settings.set("property", |client| client.property(name, value));
            self
        }

        /// On whose behalf; without this, the user that the environment names, if any.
        pub fn user(mut self, user: impl Into<$crate::model::Text>) -> Self {
            self.$settings.set("user", |client| client.user(user));
            self
        }

        /// Where things happen.
        pub fn location(mut self, location: impl Into<$crate::model::Text>) -> Self {
            self.$settings.set("location", |client| client.location(location));
            self
        }

        /// Another way to send than HTTPS; in tests a [`MemoryTransport`]($crate::transport::MemoryTransport).
        pub fn transport(mut self, transport: impl $crate::transport::Transport) -> Self {
            self.$settings.set("transport", |client| client.transport(transport));
            self
        }

        /// All other settings of the client: its queue, batches, retries, hooks.
        pub fn configure(mut self, settings: impl FnOnce($crate::ClientBuilder) -> $crate::ClientBuilder) -> Self {
            self.$settings.set("configure", settings);
            self
        }

        /// A ready client, for a program that also emits by itself. The guard shuts it down as it would its own. None of the
        /// client's settings can be made here then.
        pub fn client(mut self, client: $crate::Client) -> Self {
            self.$settings.set_ready(client);
            self
        }
    };
}
