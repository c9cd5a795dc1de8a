//! What every part of the server shares.

use crate::access::Access;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::dashboard::Dashboards;
use crate::error_response::ErrorResponse;
use crate::intake::{Batch, BodyMemory};
use crate::script::Script;
use crate::store::{Appended, Store, StoreError};
use axum::Router;
use axum::http::Method;
use std::sync::Arc;
use std::time::Duration;
use tower_http::compression::CompressionLayer;

/// What every part of the server shares.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) access: Access,
    pub(crate) is_tls: bool,
    pub(crate) limits: Limits,
    pub(crate) body_memory: BodyMemory,
    pub(crate) counters: Counters,
    pub(crate) dashboards: Dashboards,
    pub(crate) script: Option<Arc<Script>>,
}

/// How far a client may go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of a body, as it comes and unpacked.
    pub(crate) body: usize,
    pub(crate) connections: usize,
    /// How long a request's head may take from its first byte on.
    pub(crate) head_timeout: Duration,
    /// How long a body may make no progress.
    pub(crate) body_timeout: Duration,
    /// How long a connection may be silent, and how long an answer may wait to be read.
    pub(crate) idle_timeout: Duration,
}

impl App {
    /// How its urls begin.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// Stores what was read of a batch, and counts all of it.
    pub(crate) async fn keep(&self, batch: &mut Batch) -> Result<Appended, StoreError> {
        let refused = batch.refused_count();
        let appended = self.store.append(std::mem::take(&mut batch.records)).await?;
        self.counters.count(appended, refused, batch.repaired);
        if let Some(script) = &self.script {
            script.arrived(&batch.bodies);
        }
        Ok(appended)
    }
}

/// Everything under the one address.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(crate::intake::routes())
        .merge(crate::intake::otlp::routes())
        .merge(crate::api::routes())
        .merge(crate::jkql::routes())
        .merge(crate::page::routes())
        .method_not_allowed_fallback(async |method: Method| ErrorResponse::Method(method))
        // Events that are sent one by one go out as they are.
        .layer(CompressionLayer::new())
        .with_state(app)
}

/// What there is at the address for OTLP alone.
pub(crate) fn otlp_router(app: Arc<App>) -> Router {
    crate::intake::otlp::routes()
        .method_not_allowed_fallback(async |method: Method| ErrorResponse::Method(method))
        .with_state(app)
}
