//! The files that a page loads: they are in the program.

use crate::app::App;
use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use std::sync::Arc;

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asset {
    path: &'static str,
    content_type: &'static str,
    content: &'static str,
}

pub(super) const STYLE: Asset = Asset {
    path: "/assets/style.css",
    content_type: "text/css; charset=utf-8",
    content: include_str!("assets/style.css"),
};
pub(super) const SCRIPT: Asset = Asset {
    path: "/assets/page.js",
    content_type: "text/javascript; charset=utf-8",
    content: include_str!("assets/page.js"),
};
pub(super) const FAVICON: Asset =
    Asset { path: "/assets/favicon.svg", content_type: "image/svg+xml", content: include_str!("assets/favicon.svg") };

/// The url names the content, so a browser may keep it for good.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

impl Asset {
    pub(super) fn url(&self) -> String {
        let hash = self
            .content
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        format!("{}?{hash:x}", self.path)
    }
}

pub(super) fn routes() -> Router<Arc<App>> {
    [STYLE, SCRIPT, FAVICON].into_iter().fold(Router::new(), |router, asset| {
        let headers = [(CONTENT_TYPE, asset.content_type), (CACHE_CONTROL, FOR_GOOD)];
        router.route(asset.path, get(move || async move { (headers, asset.content) }))
    })
}
