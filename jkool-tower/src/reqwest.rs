//! The client layer as a middleware of reqwest.

use crate::client::ClientLayer;
use crate::exchange::{Exchange, end};
use crate::future::observe;
use crate::outcome::End;
use async_trait::async_trait;
use http::{Extensions, Uri};
use jkool_tracing::model::error_chain;
use reqwest::{Body, Request, Response, ResponseBuilderExt};
use reqwest_middleware::{Middleware, Next, Result};
use tracing::Instrument;

#[async_trait]
impl Middleware for ClientLayer {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        let method = request.method().clone();
        // The url of a request is always a valid uri.
        let uri: Uri = request.url().as_str().parse().unwrap_or_default();
        let size = request.body().map_or(Some(0), |body| body.as_bytes().map(|bytes| bytes.len() as u64));
        let exchange = Exchange::made(&method, &uri, request.headers_mut(), extensions, size, self.messages);
        let span = exchange.span().clone();
        match next.run(request, extensions).instrument(span).await {
            Ok(response) => Ok(counted(response, exchange)),
            Err(error) => {
                // Its text contains the url, whose query must not be recorded.
                let mut text = error_chain(&error);
                if let Some(query) = uri.query() {
                    text = text.replace(query, "..");
                }
                end(&mut Some(exchange), End::Failed(text));
                Err(error)
            }
        }
    }
}

/// The response with its body counted, and its other parts.
fn counted(response: Response, exchange: Exchange) -> Response {
    let url = response.url().clone();
    let (mut parts, body) = observe(http::Response::from(response), Some(exchange)).into_parts();
    if let Ok(url) = http::Response::builder().url(url).body(()) {
        parts.extensions.extend(url.into_parts().0.extensions);
    }
    Response::from(http::Response::from_parts(parts, Body::wrap(body)))
}
