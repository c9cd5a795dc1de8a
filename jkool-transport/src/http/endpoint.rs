//! The endpoint: the validated url, and the url for each kind.

use super::config_error;
use crate::error::TransportError;
use crate::payload::{Kind, Payload};
use hyper::Uri;
use reqwest::Url;
use std::net::IpAddr;

/// All kinds, in the order of their discriminants.
const KINDS: [Kind; 5] = [Kind::Event, Kind::Activity, Kind::Snapshot, Kind::Log, Kind::Dataset];

pub(super) struct Endpoint {
    base: Target,
    of_kind: [Target; KINDS.len()],
    uri: Uri,
}

/// The target of a request.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) url: Url,
    /// The path and query of `url`, as in the request line.
    pub(super) path: Uri,
}

impl Endpoint {
    /// Validates `url`. Its content is not repeated in an error, because people put secrets into urls.
    pub(super) fn new(url: &str, exact_path: bool) -> Result<Self, TransportError> {
        let base = parse("url", url)?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(config_error("url: must not contain a user name or password; set the token instead"));
        }
        if base.fragment().is_some() {
            return Err(config_error("url: must not contain a fragment (#...)"));
        }
        let uri = base.as_str().parse().map_err(|_| unusable())?;
        let base = Target::new(base)?;
        let mut of_kind = std::array::from_fn(|_| base.clone());
        if !exact_path {
            for (target, kind) in of_kind.iter_mut().zip(KINDS) {
                *target = Target::new(append(&base.url, kind))?;
            }
        }
        Ok(Self { base, of_kind, uri })
    }

    /// The target of a request with these payloads: the path of their kind, or the url itself if there are several kinds.
    pub(super) fn of(&self, unit: &[Payload]) -> &Target {
        let Some((first, rest)) = unit.split_first() else { return &self.base };
        let same_kind = rest.iter().all(|payload| payload.kind() == first.kind());
        let of_kind = if same_kind { self.of_kind.get(first.kind() as usize) } else { None };
        of_kind.unwrap_or(&self.base)
    }

    pub(super) fn host(&self) -> &str {
        self.base.url.host_str().unwrap_or_default()
    }

    /// The host, and the port if it is not the scheme's default.
    pub(super) fn authority(&self) -> String {
        match self.base.url.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }

    pub(super) fn url(&self) -> &Url {
        &self.base.url
    }

    /// The original url.
    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(super) fn scheme(&self) -> &str {
        self.base.url.scheme()
    }

    pub(super) fn is_plain(&self) -> bool {
        self.scheme() == "http"
    }

    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(self.host())
    }
}

impl Target {
    fn new(url: Url) -> Result<Self, TransportError> {
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()).parse(),
            None => url.path().parse(),
        };
        Ok(Self { path: path.map_err(|_| unusable())?, url })
    }
}

/// The two crates that parse urls differ in strictness and in the length that they accept.
fn unusable() -> TransportError {
    config_error("url: cannot be used in a request")
}

/// Parses an http or https url with a host. `setting` is the name that the error contains.
pub(super) fn parse(setting: &str, url: &str) -> Result<Url, TransportError> {
    // The parser would silently remove spaces and line breaks, which are a mistake of the user.
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(config_error(format!("{setting}: contains white space or a control character")));
    }
    let parsed = Url::parse(url).map_err(|error| match url.contains("://") {
        true => config_error(format!("{setting}: {error}")),
        false => no_scheme(setting),
    })?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(no_scheme(setting));
    }
    match parsed.host_str() {
        None | Some("") => Err(config_error(format!("{setting}: has no host"))),
        Some(_) => Ok(parsed),
    }
}

fn no_scheme(setting: &str) -> TransportError {
    config_error(format!("{setting}: must start with https:// or http://"))
}

/// Whether requests to `host` (as in a parsed url) stay on this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    match host.trim_start_matches('[').trim_end_matches(']').parse() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
        Err(_) => false,
    }
}

/// Appends to the path: `/JESL` and `/JESL/` become `/JESL/event`. A query is kept.
fn append(base: &Url, kind: Kind) -> Url {
    let mut url = base.clone();
    // Only a url such as mailto: has no path to append to, and those are refused before.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(kind.path());
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str, exact: bool, kinds: &[Kind]) -> String {
        let unit: Vec<_> = kinds.iter().map(|kind| Payload::new(*kind, "{}")).collect();
        Endpoint::new(url, exact).expect(url).of(&unit).url.to_string()
    }

    #[test]
    fn each_kind_has_its_path() {
        for (kind, path) in KINDS.into_iter().zip(["event", "activity", "snapshot", "log", "dataset"]) {
            assert_eq!(target("https://h", false, &[kind]), format!("https://h/{path}"));
            assert_eq!(target("https://h", false, &[kind, kind]), format!("https://h/{path}"));
        }
    }

    #[test]
    fn base_path_and_query_stay() {
        for (url, expected) in [
            ("https://h/", "https://h/event"),
            ("https://h:8443", "https://h:8443/event"),
            ("http://h/JESL", "http://h/JESL/event"),
            ("http://h/JESL/", "http://h/JESL/event"),
            ("http://h/a%20b/c", "http://h/a%20b/c/event"),
            ("http://h?x=1&y", "http://h/event?x=1&y"),
            ("http://h/JESL/?x=1", "http://h/JESL/event?x=1"),
            ("HTTPS://H.Example/A", "https://h.example/A/event"),
        ] {
            assert_eq!(target(url, false, &[Kind::Event]), expected);
        }
    }

    #[test]
    fn a_request_names_path_query_and_host() {
        for (url, path, host) in [
            ("https://h", "/event", "h"),
            ("https://h:443/a%20b/", "/a%20b/event", "h"),
            ("http://h:443?x=1&y", "/event?x=1&y", "h:443"),
            ("http://[::1]:80/a|b?{}", "/a|b/event?{}", "[::1]"),
            ("http://[::1]:81/ä", "/%C3%A4/event", "[::1]:81"),
            ("https://bücher.example", "/event", "xn--bcher-kva.example"),
        ] {
            let endpoint = Endpoint::new(url, false).expect(url);
            let target = endpoint.of(&[Payload::new(Kind::Event, "{}")]);
            assert_eq!((target.path.to_string().as_str(), endpoint.authority().as_str()), (path, host), "{url}");
        }
        let long = format!("https://h/{}", "x".repeat(1 << 16));
        assert!(Endpoint::new(&long, false).is_err());
    }

    #[test]
    fn mixed_kinds_and_exact_paths_use_the_url_as_it_is() {
        assert_eq!(target("https://h/JESL", false, &[Kind::Event, Kind::Log]), "https://h/JESL");
        assert_eq!(target("https://h", false, &[Kind::Event, Kind::Log]), "https://h/");
        assert_eq!(target("https://h/in?x=1", true, &[Kind::Log]), "https://h/in?x=1");
        assert_eq!(target("https://h/in/", true, &[Kind::Log]), "https://h/in/");
    }

    #[test]
    fn loopback_is_this_machine_and_nothing_else() {
        let hosts = [
            ("localhost", true),
            ("LOCALHOST", true),
            ("localhost.", true),
            ("jkool.localhost", true),
            ("127.0.0.1", true),
            ("127.255.3.4", true),
            ("127.1", true),
            ("2130706433", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("localhost.example.com", false),
            ("notlocalhost", false),
            ("127.0.0.1.example.com", false),
            ("128.0.0.1", false),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
            ("[::2]", false),
            ("[::ffff:10.0.0.1]", false),
            ("stream.meshiq.com", false),
        ];
        for (host, expected) in hosts {
            let endpoint = Endpoint::new(&format!("http://{host}:80/"), false).expect(host);
            assert_eq!(endpoint.is_loopback(), expected, "{host}");
        }
    }
}
