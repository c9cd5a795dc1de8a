//! Requests by reqwest: through a proxy, and with an HTTP client that the program provides.

use super::body::{self, RequestBody};
use super::failure::{self, Cause, Stage};
use super::limits::FOREVER;
use super::progress::{Patience, Progress};
use super::proxy::Route;
use super::{Answer, config_error};
use crate::error::TransportError;
use crate::receipt::Failure;
use hyper::HeaderMap;
use reqwest::{Body, Client, Method, Request, Url};
use rustls::ClientConfig;
use std::error::Error;
use std::io;
use std::time::Duration;

pub(super) fn new(tls: ClientConfig, route: &Route, connect_timeout: Duration) -> Result<Client, TransportError> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(connect_timeout)
        // All connections of a burst are kept for reuse; the client's limit on concurrent requests also limits these, and idle
        // ones are closed after 90 seconds.
        .pool_max_idle_per_host(usize::MAX)
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // Accepts responses that other clients accept, or an event that was stored would be sent again forever.
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        // Another crate may have enabled these for the whole program.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate();
    let client = route.apply(builder)?.build();
    client.map_err(|error| config_error("the HTTP client could not be created").with_source(error.without_url()))
}

/// Sends one request and reads its response. Without a `timeout`, the client's own applies.
pub(super) async fn post(
    client: &Client,
    url: &Url,
    headers: HeaderMap,
    body: RequestBody,
    timeout: Option<Duration>,
) -> Result<Answer, Failure> {
    let progress = Progress::new();
    let patience = Patience::new(progress.clone(), timeout.unwrap_or(FOREVER));
    let mut request = Request::new(Method::POST, url.clone());
    *request.headers_mut() = headers;
    *request.body_mut() = Some(match timeout {
        // The user's client may send it again, for example after a redirect, which needs this form.
        None => body.into_bytes().into(),
        Some(_) => Body::wrap(body.noted(progress.clone())),
    });
    let Some(answer) = patience.wait(client.execute(request)).await else { return Err(late(&progress)) };
    let mut answer = answer.map_err(of)?;
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    let mut body = body::Gathered::default();
    // Only what was read so far is used.
    patience.wait(read(answer, &mut body)).await;
    Ok(Answer { status, headers, body: body.into() })
}

/// Reads the body of a response, up to the limit. Only a body that was read to its end leaves its connection ready for the next
/// request.
async fn read(mut answer: reqwest::Response, body: &mut body::Gathered) {
    if body::may_follow(answer.status()) {
        while let Ok(Some(chunk)) = answer.chunk().await {
            if !body.add(&chunk) {
                break;
            }
        }
    }
}

/// If no part of the body was accepted, nothing was written.
fn late(progress: &Progress) -> Failure {
    let stage = if progress.has_begun() { Stage::Sent } else { Stage::Connecting };
    failure::of(stage, Cause::TimeOut, io::Error::from(io::ErrorKind::TimedOut))
}

fn of(error: reqwest::Error) -> Failure {
    // The url may contain secrets in its query.
    let error = error.without_url();
    let stage = if error.is_connect() { Stage::Connecting } else { Stage::Sent };
    let cause = match &error {
        error if error.is_builder() => Cause::Request,
        error if error.is_timeout() => Cause::TimeOut,
        error if error.is_dns() => Cause::Name,
        error if proxy_wants_authorization(error) => Cause::ProxyAuthorization,
        _ => Cause::Other,
    };
    failure::of(stage, cause, error)
}

/// The error type belongs to a crate below reqwest, so only its text can be checked. If the text changed, this would become a
/// retry, which a test would detect.
fn proxy_wants_authorization(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if error.to_string() == "tunnel error: proxy authorization required" {
            return true;
        }
        next = error.source();
    }
    false
}
