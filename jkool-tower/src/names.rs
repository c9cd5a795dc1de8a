//! The operation name of a request, and the address of its client.

use http::{Extensions, Method};
use std::borrow::Cow;
use std::net::SocketAddr;

/// The operation name of a request's activity. Use one name for all requests of a kind, such as `GET /orders/{id}`.
///
/// With the feature `axum`, a server uses the matched path. Otherwise, insert an `Operation` into the extensions of the request
/// before the layer sees it, or, in a router inside of the layer, into those of the response. For a client, insert it into the
/// extensions of the request.
///
/// ```
/// let mut request = http::Request::get("http://stock/items/7").body(())?;
/// request.extensions_mut().insert(jkool_tower::Operation::new("GET /items/{id}"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Operation(Cow<'static, str>);

impl Operation {
    /// Creates an operation name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }
}

/// The address of the client, for servers without axum. The accept loop inserts it into the extensions of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(pub SocketAddr);

/// The name of a method that the protocol defines. Methods that a client invents are not used, because their number is
/// unbounded.
pub(crate) fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| method == known).unwrap_or("OTHER")
}

/// The name from the program, or from the router.
pub(crate) fn operation(extensions: &Extensions, method: &'static str) -> Option<String> {
    if let Some(Operation(name)) = extensions.get() {
        return Some(name.clone().into_owned());
    }
    route(extensions).map(|route| format!("{method} {route}"))
}

/// The template of the path.
#[cfg(feature = "axum")]
pub(crate) fn route(extensions: &Extensions) -> Option<&str> {
    extensions.get::<axum::extract::MatchedPath>().map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
pub(crate) fn route(_: &Extensions) -> Option<&str> {
    None
}

pub(crate) fn peer(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get().map(|Peer(address)| *address).or_else(|| connected_from(extensions))
}

#[cfg(feature = "axum")]
fn connected_from(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get().map(|axum::extract::ConnectInfo(address)| *address)
}

#[cfg(not(feature = "axum"))]
fn connected_from(_: &Extensions) -> Option<SocketAddr> {
    None
}

#[cfg(test)]
mod tests {
    use super::{Operation, Peer, method, operation, peer};
    use http::{Extensions, Method};

    #[test]
    fn a_method_that_nobody_knows_is_no_name() {
        assert_eq!(method(&Method::PATCH), "PATCH");
        assert_eq!(method(&Method::from_bytes(b"X1").unwrap()), "OTHER");
    }

    #[test]
    fn what_the_program_says_is_found() {
        let mut extensions = Extensions::new();
        assert_eq!((operation(&extensions, "GET"), peer(&extensions)), (None, None));
        let address = "127.0.0.1:80".parse().unwrap();
        extensions.insert(Peer(address));
        extensions.insert(Operation::new("GET /a/{b}"));
        assert_eq!((operation(&extensions, "GET"), peer(&extensions)), (Some("GET /a/{b}".into()), Some(address)));
    }
}
