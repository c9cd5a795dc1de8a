//! Authorization: tokens, and what a browser reports about the page that sends a request.

use axum::http::header::{CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use jkool_intake::tokens::Tokens;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The path of the WebSocket, whose messages contain a token.
pub(crate) const WEB_SOCKET: &str = "/jkool-service/jkqlasync";

/// The rules for every request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    tokens: Tokens,
    /// Further names of this machine; `None` if other machines may send requests, under any name.
    names: Option<Vec<String>>,
}

/// Why a request is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("more than one Host header")]
    SeveralHosts,
    #[error(
        "{0:?} is not a name of this collector, which accepts connections of this machine only; use localhost, or \
         allow the name"
    )]
    Host(String),
    #[error("requests from pages of another origin are not accepted")]
    CrossOrigin,
    #[error("token required, as X-API-Key, token or Authorization: Bearer, or as the password in a browser")]
    Token,
}

impl Access {
    /// The rules for a server on `address`, with these `tokens` and further `names`.
    pub(crate) fn new(tokens: Tokens, names: Vec<String>, address: IpAddr) -> Self {
        Self { tokens, names: address.is_loopback().then_some(names) }
    }

    /// Whether a token is required.
    pub(crate) fn needs_token(&self) -> bool {
        !self.tokens.is_empty()
    }

    pub(crate) fn takes(&self, token: &[u8]) -> bool {
        self.tokens.take(token)
    }

    /// Whether the headers contain a valid token; if they contain none, an earlier handshake on the connection counts.
    pub(crate) fn knows(&self, headers: &HeaderMap, authenticated_before: bool) -> bool {
        self.tokens.admit(headers, authenticated_before)
    }

    /// Checks the rules for every request. A POST may have its token in the body, and a WebSocket in its messages, so
    /// their handlers check the token. Browsers let pages of every origin open a WebSocket and read from it.
    pub(crate) fn check(&self, request: &Parts, authenticated_before: bool) -> Result<(), Denied> {
        self.check_host(&request.headers, &request.uri)?;
        let is_socket = request.uri.path() == WEB_SOCKET;
        let reads = matches!(request.method, Method::GET | Method::HEAD) && !is_socket;
        if !reads && is_cross_origin(&request.headers) {
            return Err(Denied::CrossOrigin);
        }
        if request.method != Method::POST && !is_socket && !self.knows(&request.headers, authenticated_before) {
            return Err(Denied::Token);
        }
        Ok(())
    }

    /// After DNS rebinding, a page still sends its own name as the host.
    fn check_host(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Denied> {
        let Some(names) = &self.names else { return Ok(()) };
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err(Denied::SeveralHosts);
        }
        let asked = uri.authority().map(|authority| authority.as_str().as_bytes());
        for host in asked.into_iter().chain(host.map(HeaderValue::as_bytes)) {
            let host = String::from_utf8_lossy(host);
            let name = without_port(&host);
            if !is_own(name) && !names.iter().any(|own| own.eq_ignore_ascii_case(name)) {
                return Err(Denied::Host(host.into_owned()));
            }
        }
        Ok(())
    }
}

/// Whether `name` can only be this machine.
fn is_own(name: &str) -> bool {
    let is_v6 = |name: &str| name.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback());
    name.eq_ignore_ascii_case("localhost")
        || name.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
        || name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).is_some_and(is_v6)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a browser reports that a page of another origin sends the request. Other programs report nothing.
fn is_cross_origin(headers: &HeaderMap) -> bool {
    let same_as_host = |origin: &HeaderValue| {
        let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
    };
    headers.get_all(ORIGIN).iter().any(|origin| !same_as_host(origin))
        || headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

/// The security headers of every answer: nothing is loaded from other origins, and other origins can read nothing.
pub(crate) fn protect(headers: &mut HeaderMap) {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
        connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer`, forms of the page would send a null origin.
        (REFERRER_POLICY, "same-origin"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Denied, Tokens};
    use axum::http::Request;
    use std::net::IpAddr;

    const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn check(access: &Access, method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<(), Denied> {
        let request = Request::builder().method(method).uri(uri);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        access.check(&request.body(()).unwrap().into_parts().0, false)
    }

    #[test]
    fn on_this_machine_only_its_own_names_are_good() {
        let access = Access::new(Tokens::default(), vec!["shop.test".into()], LOOPBACK);
        for host in ["localhost", "LOCALHOST:6580", "127.0.0.1:1", "127.9.9.9", "[::1]", "[::1]:80", "Shop.test:6580"] {
            assert_eq!(check(&access, "GET", "/", &[("host", host)]), Ok(()), "{host}");
        }
        for host in
            ["evil.test", "localhost.evil.test", "10.0.0.1", "", ":80", "localhost:80:90", "[::2]", "[localhost]"]
        {
            let denied = Err(Denied::Host(host.into()));
            assert_eq!(check(&access, "GET", "/", &[("host", host)]), denied, "{host}");
            assert_eq!(check(&access, "POST", "/event", &[("host", host)]), denied, "{host}");
        }
        let uri = "http://evil.test/";
        assert_eq!(check(&access, "GET", uri, &[("host", "localhost")]), Err(Denied::Host("evil.test".into())));
        let twice = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(check(&access, "GET", "/", &twice), Err(Denied::SeveralHosts));
        assert_eq!(check(&access, "GET", "/", &[]), Ok(()));
        let elsewhere = Access::new(Tokens::default(), Vec::new(), IpAddr::from([10, 0, 0, 1]));
        assert_eq!(check(&elsewhere, "GET", "/", &[("host", "collector.test")]), Ok(()));
    }

    #[test]
    fn a_page_of_another_origin_may_not_send() {
        let access = Access::new(Tokens::default(), Vec::new(), LOOPBACK);
        let host = ("host", "localhost:6580");
        for headers in [
            [host, ("origin", "http://evil.test")],
            [host, ("origin", "http://localhost:3000")],
            [host, ("origin", "http://localhost")],
            [host, ("origin", "null")],
            [host, ("origin", "")],
            [host, ("sec-fetch-site", "cross-site")],
        ] {
            for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
                assert_eq!(check(&access, method, "/event", &headers), Err(Denied::CrossOrigin), "{headers:?}");
            }
            assert_eq!(check(&access, "GET", "/", &headers), Ok(()));
            assert_eq!(check(&access, "GET", super::WEB_SOCKET, &headers), Err(Denied::CrossOrigin));
        }
        for own in [("origin", "http://localhost:6580"), ("sec-fetch-site", "same-origin")] {
            assert_eq!(check(&access, "POST", "/event", &[host, own]), Ok(()), "{own:?}");
        }
    }

    #[test]
    fn with_tokens_reading_needs_one_too() {
        let mut tokens = Tokens::default();
        tokens.push("canary-1".into());
        let access = Access::new(tokens, Vec::new(), LOOPBACK);
        assert_eq!(check(&access, "GET", "/", &[]), Err(Denied::Token));
        assert_eq!(check(&access, "DELETE", "/", &[]), Err(Denied::Token));
        assert_eq!(check(&access, "GET", "/", &[("token", "canary-2")]), Err(Denied::Token));
        assert_eq!(check(&access, "GET", "/", &[("token", "canary-1")]), Ok(()));
        assert_eq!(check(&access, "POST", "/", &[]), Ok(()), "its token may be in the body");
    }
}
