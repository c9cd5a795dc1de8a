//! The layer as a middleware of reqwest, against a real server.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic, and ends its server itself")]

mod common;

use axum::Router;
use axum::routing::post;
use common::{said, start};
use jkool_tower::{ClientLayer, Operation};
use jkool_tracing::model::{ActivityStatus, CompCode, OpType};
use reqwest::header::HeaderMap;
use reqwest_middleware::ClientBuilder;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_request_carries_the_trace_and_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let traced = post(async |headers: HeaderMap| headers["traceparent"].to_str().unwrap().to_owned());
    let server = tokio::spawn(axum::serve(listener, Router::new().route("/orders", traced)).into_future());

    // In the workspace reqwest is built with a TLS that wants to be told by what.
    drop(rustls::crypto::ring::default_provider().install_default());
    let streamed = start();
    let client = ClientBuilder::new(reqwest::Client::new()).with(ClientLayer::new()).build();
    let url = format!("http://{address}/orders?secret=1");
    let request = client.post(&url).body("four").with_extension(Operation::new("POST /orders"));
    let response = request.send().await.unwrap();
    assert_eq!((response.url().as_str(), response.content_length()), (&*url, Some(55)));
    assert!(streamed.activities().is_empty());
    let traceparent = response.text().await.unwrap();

    let activity = streamed.only("client");
    assert!(traceparent.contains(&activity.tracking_id.as_ref().unwrap().to_string()));
    assert_eq!((&*activity.operation, activity.comp_code), ("POST /orders", Some(CompCode::Success)));
    let of = |name| said(&activity.properties, name).unwrap_or_default();
    assert_eq!((of("http.request.body.size"), of("http.response.body.size")), ("4".into(), "55".into()));
    assert_eq!((of("server.address"), of("server.port")), ("127.0.0.1".into(), address.port().to_string()));
    assert_eq!(streamed.events(OpType::Send).len(), 1);
    server.abort();

    // Nobody listens there any more.
    assert!(server.await.unwrap_err().is_cancelled());
    let streamed = start();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(client.get(format!("http://{closed}/?secret=1")).send().await.is_err());
    let activity = streamed.only("client");
    assert_eq!(activity.status, Some(ActivityStatus::Exception));
    assert!(activity.exception.contains("error sending request"), "{}", activity.exception);
    assert!(!activity.exception.contains("secret"), "{}", activity.exception);
}
