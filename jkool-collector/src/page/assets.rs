//! The static files of the page, which are part of the executable.

use super::error_page::ErrorPage;
use crate::app::App;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::{Arc, LazyLock};

/// A file of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asset {
    name: &'static str,
    content: &'static str,
}

macro_rules! asset {
    ($name:literal) => {
        Asset { name: $name, content: include_str!(concat!("assets/", $name)) }
    };
}

pub(super) const STYLE: Asset = asset!("style.css");
pub(super) const SCRIPT: Asset = asset!("page.js");
pub(super) const FAVICON: Asset = asset!("favicon.svg");

/// The modules of the script import each other, so all files have one version.
const ALL: [Asset; 21] = [
    STYLE,
    SCRIPT,
    FAVICON,
    asset!("favicon-alert.svg"),
    asset!("arrange.js"),
    asset!("brush.js"),
    asset!("complete.js"),
    asset!("copy.js"),
    asset!("explore.js"),
    asset!("fold.js"),
    asset!("form.js"),
    asset!("keys.js"),
    asset!("links.js"),
    asset!("listen.js"),
    asset!("live.js"),
    asset!("map.js"),
    asset!("refresh.js"),
    asset!("rows.js"),
    asset!("time.js"),
    asset!("trace.js"),
    asset!("watch.js"),
];

/// A hash of all files.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let bytes = ALL.iter().flat_map(|asset| asset.content.bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:x}")
});

impl Asset {
    /// Returns the URL. It contains the version, so that browsers can cache the file forever.
    pub(super) fn url(&self) -> String {
        format!("/assets/{}/{}", *VERSION, self.name)
    }

    fn content_type(&self) -> &'static str {
        match self.name.rsplit_once('.') {
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        }
    }
}

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/assets/{version}/{name}", get(file))
}

/// Serves a file. A page that was loaded from an older collector requests another version: it gets the current file,
/// but must not cache it.
async fn file(Path((version, name)): Path<(String, String)>, headers: HeaderMap) -> Result<Response, ErrorPage> {
    let asset = ALL.iter().find(|asset| asset.name == name);
    let asset = asset.ok_or(ErrorPage::NotFound("There is no such file here."))?;
    let caching = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = format!("\"{}\"", *VERSION);
    let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|known| known.as_bytes() == tag.as_bytes());
    let head = [(ETAG, tag.as_str()), (CACHE_CONTROL, caching), (CONTENT_TYPE, asset.content_type())];
    Ok(if is_known { (StatusCode::NOT_MODIFIED, head).into_response() } else { (head, asset.content).into_response() })
}
