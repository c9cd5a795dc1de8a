//! What every part of the server shares.

use crate::{Clock, Store};
use axum::Router;
use std::sync::Arc;

/// What every part of the server shares.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
}

/// Everything under the one address.
pub(crate) fn router(app: App) -> Router {
    let app = Arc::new(app);
    Router::new()
        .merge(crate::intake::routes())
        .merge(crate::api::routes())
        .merge(crate::page::routes())
        .with_state(app)
}
