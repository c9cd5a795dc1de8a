//! The state that all parts of the server share.

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

/// The state that all parts of the server share.
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

/// The limits for clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The maximum size of a body, as received and decompressed.
    pub(crate) body: usize,
    pub(crate) connections: usize,
    /// The timeout for the head of a request, from its first byte on.
    pub(crate) head_timeout: Duration,
    /// The timeout for progress of a body.
    pub(crate) body_timeout: Duration,
    /// The timeout for an idle connection, and for a client that does not read its answer.
    pub(crate) idle_timeout: Duration,
}

impl App {
    /// The prefix of its urls.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_tls { "https" } else { "http" }
    }

    /// Stores the entities of a batch, and counts all of it.
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

/// The routes of the main address.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .merge(crate::intake::routes())
        .merge(crate::intake::otlp::routes())
        .merge(crate::api::routes())
        .merge(crate::jkql::routes())
        .merge(crate::page::routes())
        .method_not_allowed_fallback(async |method: Method| ErrorResponse::Method(method))
        // Events that are sent one by one are not delayed.
        .layer(CompressionLayer::new())
        .with_state(app)
}

/// The routes of the address for OTLP.
pub(crate) fn otlp_router(app: Arc<App>) -> Router {
    crate::intake::otlp::routes()
        .method_not_allowed_fallback(async |method: Method| ErrorResponse::Method(method))
        .with_state(app)
}
