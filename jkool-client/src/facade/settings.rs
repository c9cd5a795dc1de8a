//! The client of an adapter: a new one with its settings, or an existing one.

use crate::api::builder::ClientBuilder;
use crate::api::client::Client;
use crate::api::error::BuildError;

/// The client settings in the builder of an adapter. The macro `__client_settings!` defines the setters.
#[derive(Debug)]
pub struct ClientSettings {
    new: ClientBuilder,
    /// The name of the first setting that was made.
    setting: Option<&'static str>,
    ready: Option<Client>,
}

/// The error text for a setting of a new client, if an existing one was passed.
pub const NOT_FOR_A_READY_ONE: &str = "applies to a new client, but an existing one was passed";

impl ClientSettings {
    /// A new client with default settings.
    #[expect(clippy::new_without_default, reason = "for adapters, which say what they do")]
    pub fn new() -> Self {
        Self { new: Client::builder(), setting: None, ready: None }
    }

    /// Changes a setting of the new client.
    pub fn set(&mut self, setting: &'static str, set: impl FnOnce(ClientBuilder) -> ClientBuilder) {
        self.setting.get_or_insert(setting);
        let settings = std::mem::replace(&mut self.new, Client::builder());
        self.new = set(settings);
    }

    /// Uses an existing client.
    pub fn set_ready(&mut self, client: Client) {
        self.ready = Some(client);
    }

    /// The first setting that has no effect because an existing client was passed.
    pub fn conflict(&self) -> Option<&'static str> {
        self.setting.filter(|_| self.ready.is_some())
    }

    /// Returns the client. Starts it if it is new.
    ///
    /// # Errors
    /// If settings were made although an existing client was passed, or a new one cannot be built.
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

/// The setters of an adapter's builder that concern its client.
#[doc(hidden)]
#[macro_export]
macro_rules! __client_settings {
    ($settings:ident) => {
        /// The access token. By default it is read from [`token_file`](Self::token_file), if set, or from the environment
        /// variable `JKOOL_TOKEN`.
        pub fn token(mut self, token: impl Into<String>) -> Self {
            self.$settings.set("token", |client| client.token(token));
            self
        }

        /// The path of a file that contains the access token; see
        /// [`ClientBuilder::token_file`]($crate::ClientBuilder::token_file).
        pub fn token_file(mut self, path: impl Into<std::path::PathBuf>) -> Self {
            self.$settings.set("token_file", |client| client.token_file(path));
            self
        }

        /// The base url of the server. The default is the environment variable `JKOOL_URL`, or else the service.
        pub fn url(mut self, url: impl Into<String>) -> Self {
            self.$settings.set("url", |client| client.url(url));
            self
        }

        /// The source of events; see [`ClientBuilder::source`]($crate::ClientBuilder::source) for its default and the
        /// placeholder `?`.
        pub fn source(mut self, source: $crate::model::SourceFqn) -> Self {
            self.$settings.set("source", |client| client.source(source));
            self
        }

        /// Adds a property to every entity that has no property of this name.
        pub fn property(
            mut self,
            name: impl Into<$crate::model::Text>,
            value: impl Into<$crate::model::TypedValue>,
        ) -> Self {
            self.$settings.set("property", |client| client.property(name, value));
            self
        }

        /// The user of events that have none. The default is the user that the environment names, if any.
        pub fn user(mut self, user: impl Into<$crate::model::Text>) -> Self {
            self.$settings.set("user", |client| client.user(user));
            self
        }

        /// The location of events that have none. The default is none.
        pub fn location(mut self, location: impl Into<$crate::model::Text>) -> Self {
            self.$settings.set("location", |client| client.location(location));
            self
        }

        /// Replaces the HTTPS transport, for example by a [`MemoryTransport`]($crate::transport::MemoryTransport) in tests.
        pub fn transport(mut self, transport: impl $crate::transport::Transport) -> Self {
            self.$settings.set("transport", |client| client.transport(transport));
            self
        }

        /// Changes all other settings of the client: queue, batches, retries, hooks.
        pub fn configure(mut self, settings: impl FnOnce($crate::ClientBuilder) -> $crate::ClientBuilder) -> Self {
            self.$settings.set("configure", settings);
            self
        }

        /// Uses an existing client, for a program that also emits events directly. The guard shuts it down as if it were its
        /// own. No other client setting can be made then.
        pub fn client(mut self, client: $crate::Client) -> Self {
            self.$settings.set_ready(client);
            self
        }
    };
}
