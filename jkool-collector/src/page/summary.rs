//! The summary of a list: facets and a strip of bars. It is a separate request, because it counts all matches and may
//! wait for the index, while the list appears at once.

use super::error_page::ErrorPage;
use super::events::ON_A_PAGE;
use super::facets::{self, facets};
use super::format::visible;
use super::link::with_time;
use super::list_filter::{Listing, split_at_now};
use super::outside::outside;
use super::query_params::QueryParams;
use super::strip::strip;
use crate::app::App;
use crate::filter::Filter;
use axum::extract::{RawQuery, State};
use axum::response::{Html, IntoResponse};
use jkool_model::Timestamp;
use maud::html;
use std::sync::Arc;

/// The approximate number of bars above the list.
const BUCKETS: usize = 80;

pub(super) async fn show(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
) -> Result<impl IntoResponse, ErrorPage> {
    let mut params = QueryParams::read(&app, query.as_deref()).await;
    let listing = Listing::take(&app, &mut params).await?;
    params.finish();
    let (listed, now) = (listing.snapshots.listed(&params.filter), app.clock.now());
    let read = app.store.read(move |reader| {
        // The strip has its own end, because the newest entities may be old.
        let range = reader.busy_range(&listed, now)?;
        let in_range = range.map_or_else(|| listed.clone(), |range| range.of(&listed));
        let listed = split_at_now(&listed, now).map_or(listed, |(_, listed)| listed);
        let newest = reader.find(&listed, ON_A_PAGE, None, now)?;
        Ok((range, reader.histogram(&in_range, BUCKETS, now)?, facets(reader, &listed, &newest, now)?))
    });
    let (range, buckets, facets) = read.await?;
    let at = |time: Option<(Timestamp, Timestamp)>| {
        let all = Filter { since: None, until: None, ..params.filter.clone() };
        listing.url("/", &time.map_or(all.clone(), |(from, to)| with_time(&all, from, to)))
    };
    let part = html! {
        div data-part="facets" { (facets::list(&facets, &params.filter, &listing)) }
        div data-part="over-time" { (outside("/", &params.filter, range)) (strip(&buckets, &params.filter, at)) }
    };
    Ok((params.status(), Html(visible(part.into_string()))))
}
