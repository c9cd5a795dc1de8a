//! The choice of a proxy.

use super::config_error;
use super::endpoint::{Endpoint, is_loopback, parse};
use super::tls::Roots;
use crate::error::TransportError;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::HeaderValue;
use reqwest::{ClientBuilder, Proxy, Url};

/// The user's setting.
#[derive(Clone, Default)]
pub(super) enum Choice {
    /// From `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, or the system's settings.
    #[default]
    Environment,
    Off,
    Url(String),
}

/// The resulting route to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Environment,
    /// The proxy from the environment, determined once.
    Found {
        url: Url,
        basic: Option<HeaderValue>,
    },
    Direct,
    Proxy(Url),
}

impl Choice {
    /// A proxy from the environment is not used for the addresses of this machine: they need none, and over plain http it would
    /// see the token.
    pub(super) fn route(&self, endpoint: &Endpoint) -> Result<Route, TransportError> {
        Ok(match self {
            Choice::Environment if endpoint.is_loopback() => Route::Direct,
            Choice::Environment => Route::Environment,
            Choice::Off => Route::Direct,
            Choice::Url(url) => Route::Proxy(parse("proxy", url)?),
        })
    }
}

impl Route {
    /// Whether a request over plain http stays on this machine.
    pub(super) fn stays_here(&self, endpoint: &Endpoint) -> bool {
        match self {
            Route::Proxy(url) => endpoint.is_loopback() && url.host_str().is_some_and(is_loopback),
            Route::Environment | Route::Found { .. } | Route::Direct => endpoint.is_loopback(),
        }
    }

    /// Whether requests go to the host without a proxy, by the current environment.
    pub(super) fn is_straight(&self, endpoint: &Endpoint) -> bool {
        // Reqwest uses the same rules.
        self.is_straight_by(Matcher::from_system, endpoint)
    }

    fn is_straight_by(&self, environment: impl FnOnce() -> Matcher, endpoint: &Endpoint) -> bool {
        match self {
            Route::Direct => true,
            Route::Environment => environment().intercept(endpoint.uri()).is_none(),
            Route::Found { .. } | Route::Proxy(_) => false,
        }
    }

    /// Fixes the route for the life of the transport, even if the environment changes: reqwest reads it for each new client.
    pub(super) fn settled(self, endpoint: &Endpoint) -> Self {
        self.settled_by(Matcher::from_system, endpoint)
    }

    fn settled_by(self, environment: impl FnOnce() -> Matcher, endpoint: &Endpoint) -> Self {
        if self != Route::Environment {
            return self;
        }
        let Some(found) = environment().intercept(endpoint.uri()) else { return self };
        let Ok(mut url) = Url::parse(&found.uri().to_string()) else { return self };
        if let Some((name, password)) = found.raw_auth() {
            // A url that cannot have them contains none.
            if url.set_username(name).and_then(|()| url.set_password(Some(password))).is_err() {
                return self;
            }
        }
        Route::Found { url, basic: found.basic_auth().cloned() }
    }

    pub(super) fn roots(&self, endpoint: &Endpoint) -> Roots {
        match self {
            _ if !endpoint.is_plain() => Roots::Needed,
            Route::Proxy(url) if url.scheme() == "https" => Roots::Needed,
            Route::Environment | Route::Found { .. } => Roots::Useful,
            Route::Direct | Route::Proxy(_) => Roots::Unused,
        }
    }

    pub(super) fn apply(&self, builder: ClientBuilder) -> Result<ClientBuilder, TransportError> {
        Ok(match self {
            Route::Environment => builder,
            Route::Direct => builder.no_proxy(),
            Route::Proxy(url) => builder.proxy(proxy(url)?),
            Route::Found { url, basic: None } => builder.proxy(proxy(url)?),
            Route::Found { url, basic: Some(basic) } => builder.proxy(proxy(url)?.custom_http_auth(basic.clone())),
        })
    }

    /// The text for `Debug`, without the proxy's user name and password.
    pub(super) fn name(&self) -> &str {
        match self {
            Route::Environment | Route::Found { .. } => "from the environment",
            Route::Direct => "none",
            Route::Proxy(url) => url.host_str().unwrap_or_default(),
        }
    }
}

/// Uses it for all requests, instead of the environment's. The error could contain the proxy's password.
fn proxy(url: &Url) -> Result<Proxy, TransportError> {
    Proxy::all(url.clone()).map_err(|_| config_error("proxy: the url cannot be used"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper_util::client::proxy::matcher::Builder;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint::new(url, false).expect(url)
    }

    #[test]
    fn the_environment_has_no_say_about_this_machine() {
        for url in ["http://127.0.0.1:1", "https://localhost", "http://[::1]", "https://jkool.localhost"] {
            assert_eq!(Choice::Environment.route(&endpoint(url)).expect(url), Route::Direct, "{url}");
        }
        for url in ["http://10.0.0.1", "https://stream.meshiq.com"] {
            assert_eq!(Choice::Environment.route(&endpoint(url)).expect(url), Route::Environment, "{url}");
            assert_eq!(Choice::Off.route(&endpoint(url)).expect(url), Route::Direct, "{url}");
        }
    }

    #[test]
    fn a_chosen_proxy_is_used_for_all_and_may_leave_the_machine() {
        let far = Choice::Url("http://u:p@proxy.example:3128".into());
        let near = Choice::Url("http://127.0.0.1:3128".into());
        let here = endpoint("http://localhost");
        assert!(!far.route(&here).expect("a proxy").stays_here(&here));
        assert!(near.route(&here).expect("a proxy").stays_here(&here));
        let there = endpoint("http://example.com");
        assert!(!near.route(&there).expect("a proxy").stays_here(&there));
        assert_eq!(far.route(&here).expect("a proxy").name(), "proxy.example");
    }

    #[test]
    fn the_environment_may_leave_the_way_free() {
        let straight = |choice: &Choice, environment: Builder, url| {
            let endpoint = endpoint(url);
            choice.route(&endpoint).expect(url).is_straight_by(|| environment.build(), &endpoint)
        };
        let proxy = || Matcher::builder().all("http://proxy.example:3128").no("free.example, 10.0.0.0/8");
        for (environment, url, expected) in [
            (Matcher::builder(), "https://stream.meshiq.com", true),
            (proxy(), "https://stream.meshiq.com", false),
            (proxy(), "https://free.example", true),
            (proxy(), "https://a.free.example/in?x=1", true),
            (proxy(), "http://10.1.2.3:8080", true),
            (proxy(), "http://127.0.0.1", true),
            (Matcher::builder().http("proxy.example"), "http://h", false),
            (Matcher::builder().http("proxy.example"), "https://h", true),
            (Matcher::builder().all("nonsense://proxy.example"), "https://h", true),
        ] {
            assert_eq!(straight(&Choice::Environment, environment, url), expected, "{url}");
        }
        assert!(straight(&Choice::Off, proxy(), "https://h"));
        assert!(!straight(&Choice::Url("http://127.0.0.1".into()), Matcher::builder(), "http://127.0.0.1"));
    }

    #[test]
    fn authorities_are_loaded_when_tls_may_come() {
        let roots = |choice: &Choice, url| {
            let endpoint = endpoint(url);
            choice.route(&endpoint).expect(url).roots(&endpoint)
        };
        assert_eq!(roots(&Choice::Off, "https://127.0.0.1"), Roots::Needed);
        assert_eq!(roots(&Choice::Environment, "http://127.0.0.1"), Roots::Unused);
        assert_eq!(roots(&Choice::Environment, "http://example.com"), Roots::Useful);
        assert_eq!(roots(&Choice::Off, "http://example.com"), Roots::Unused);
        assert_eq!(roots(&Choice::Url("http://proxy".into()), "http://example.com"), Roots::Unused);
        assert_eq!(roots(&Choice::Url("https://proxy".into()), "http://example.com"), Roots::Needed);
    }

    #[test]
    fn what_the_environment_says_is_asked_once() {
        let endpoint = endpoint("https://stream.meshiq.com");
        let settled = |route: Route, environment: Builder| route.settled_by(|| environment.build(), &endpoint);
        let all = |url: &str| Matcher::builder().all(url.to_owned());
        let Route::Found { url, basic } = settled(Route::Environment, all("http://user:passw0rd@proxy.example:3128"))
        else {
            panic!("there is one")
        };
        assert_eq!(
            (url.as_str(), basic.is_some_and(|basic| basic == "Basic dXNlcjpwYXNzdzByZA==")),
            ("http://proxy.example:3128/", true)
        );
        let socks = settled(Route::Environment, all("socks5://user:p%40ss@proxy.example:1080"));
        let Route::Found { url, basic: None } = socks else { panic!("another kind of name and password: {socks:?}") };
        assert_eq!((url.username(), url.password()), ("user", Some("p%40ss")));
        assert_eq!(settled(Route::Environment, Matcher::builder()), Route::Environment, "none was found");
        assert_eq!(settled(Route::Direct, all("http://proxy.example")), Route::Direct, "it was not asked");
    }
}
