//! Opens the same search on the collector's page.

use crate::exit::{Exit, Failure};
use crate::out;
use crate::server::Reader;
use jkool_collector::Query;
use reqwest::Url;
use std::process::{Command, Stdio};

/// The option of who may look at the page in its place.
#[derive(Debug, clap::Args)]
pub(crate) struct WebArgs {
    /// Opens the same on the collector's page, or prints its address where nothing can open it
    #[arg(long)]
    pub(crate) web: bool,
}

/// What opens an address in the browser of this system's user.
const OPENER: &[&str] = match () {
    () if cfg!(windows) => &["rundll32", "url.dll,FileProtocolHandler"],
    () if cfg!(target_os = "macos") => &["open"],
    () => &["xdg-open"],
};

/// The page that shows what a query lets through.
pub(crate) fn page(reader: &Reader, query: &Query) -> Url {
    let mut url = reader.url().clone();
    url.set_path(&format!("{}/", url.path().trim_end_matches('/')));
    url.set_query(Some(query.to_string()).as_deref().filter(|query| !query.is_empty()));
    url
}

/// Opens the page.
pub(crate) async fn open(reader: &Reader, query: &Query) -> Result<Exit, Failure> {
    let url = page(reader, query);
    let page = url.to_string();
    let opened = tokio::task::spawn_blocking(move || has_opened(&page)).await.unwrap_or(false);
    match opened {
        true => out::note(format_args!("Opened {url}")),
        false => out::line(url)?,
    }
    Ok(Exit::Done)
}

fn has_opened(url: &str) -> bool {
    let [program, args @ ..] = OPENER else { return false };
    let mut opener = Command::new(program);
    opener.args(args).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    opener.status().is_ok_and(|status| status.success())
}
