//! What clients send: the protocol, from bytes to records.

use crate::Record;
use crate::app::App;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use std::sync::Arc;

/// The paths that take entities.
pub(crate) fn routes() -> Router<Arc<App>> {
    let mut router = Router::new();
    for path in ["/", "/event", "/activity", "/snapshot", "/log", "/dataset"] {
        router = router.route(path, post(take));
    }
    router
}

async fn take(State(app): State<Arc<App>>, body: Bytes) -> Result<StatusCode, (StatusCode, String)> {
    let now = app.clock.now();
    let mut records = Vec::new();
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let record = Record::read(body.slice_ref(line), now);
        records.push(record.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?);
    }
    app.store.append(records).await.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    Ok(StatusCode::ACCEPTED)
}
