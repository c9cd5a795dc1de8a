//! What a request is called, and who made it.

use http::{Extensions, Method};
use std::borrow::Cow;
use std::net::SocketAddr;

/// What a request is called: the operation of its activity. One name for all requests of a kind, such as `GET /orders/{id}`.
///
/// A server with the feature `axum` knows the matched path by itself. Elsewhere put this among the extensions of the request, before
/// the layer sees it, or among those of the response, which a router inside of the layer can do. A client puts it among the
/// extensions of its request.
///
/// ```
/// let mut request = http::Request::get("http://stock/items/7").body(())?;
/// request.extensions_mut().insert(jkool_tower::Operation::new("GET /items/{id}"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation(Cow<'static, str>);

impl Operation {
    /// A name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }
}

/// The address of the client, for servers other than axum's: among the extensions of a request, which the accept loop puts there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// How the protocol calls the method. What any client may invent is no name: there would be no end of them.
pub(crate) fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|known| method == known).unwrap_or("OTHER")
}

/// What the program says, or the router.
pub(crate) fn operation(extensions: &Extensions, method: &'static str) -> Option<String> {
    if let Some(Operation(name)) = extensions.get() {
        return Some(name.clone().into_owned());
    }
    route(extensions).map(|route| format!("{method} {route}"))
}

/// The path's template.
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
