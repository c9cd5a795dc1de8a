//! The layer in axum's router.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path};
use axum::routing::get;
use common::{said, start};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use jkool_tower::ServerLayer;
use std::net::SocketAddr;
use tower::ServiceExt;
use tracing::info;

#[tokio::test]
async fn the_matched_path_is_the_operation() {
    let streamed = start();
    let orders = get(async |Path(id): Path<u32>| {
        info!("looked up {id}");
        id.to_string()
    });
    let app = Router::new().route("/orders/{id}", orders).layer(ServerLayer::new());
    let peer: SocketAddr = "192.0.2.1:4000".parse().unwrap();
    let request = Request::get("/orders/42").extension(ConnectInfo(peer)).body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "42");
    let activity = streamed.only("server");
    assert_eq!(activity.operation, "GET /orders/{id}");
    let said = |name| said(&activity.properties, name).unwrap_or_default();
    assert_eq!((said("http.route"), said("url.path")), ("/orders/{id}".into(), "/orders/42".into()));
    assert_eq!((said("network.peer.address"), said("network.peer.port")), ("192.0.2.1".into(), "4000".into()));
    assert_eq!((said("http.response.body.size"), said("http.request.body.size")), ("2".into(), "0".into()));
    assert_eq!(activity.id_set.len(), 1);
}

#[tokio::test]
async fn a_path_that_there_is_not_is_no_operation() {
    let streamed = start();
    let app = Router::<()>::new().fallback(async || StatusCode::NOT_FOUND).layer(ServerLayer::new());
    let request = Request::get("/wp-admin/17").body(Body::empty()).unwrap();
    drop(app.oneshot(request).await);
    let activity = streamed.only("server");
    assert_eq!((&*activity.operation, activity.reason_code), ("GET", Some(404)));
}
