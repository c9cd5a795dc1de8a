//! The web page. It is rendered on the server; a small script adds live updates.

mod activities;
mod assets;
mod chart;
mod charts;
mod choice;
mod columns;
mod dashboard;
mod dashboard_arrange;
mod dashboard_edit;
mod dashboard_url;
mod dashboards;
mod error_page;
mod errors;
mod event;
mod events;
mod facets;
mod fields;
mod filter_form;
mod format;
mod layout;
mod link;
mod list_filter;
mod map;
mod metric;
mod outside;
mod posted;
mod pretty_json;
mod query_params;
mod row;
mod strip;
mod summary;
mod tail;
mod trace;
mod viewlet;
mod watch;
mod watch_form;
mod watching;
mod welcome;

use crate::app::App;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

/// The routes of the pages and their files, and the response for unknown paths.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(events::show))
        .route("/tail", get(tail::stream))
        .route("/watch", get(watching::stream))
        .route("/summary", get(summary::show))
        .route("/events/{id}", get(event::show))
        .route("/traces/{id}", get(trace::show))
        .route("/traces/{id}/chosen", get(trace::show_chosen))
        .route("/compare", get(trace::compare))
        .route("/activities", get(activities::show))
        .route("/errors", get(errors::show))
        .route("/charts", get(charts::show))
        .route("/dashboards", get(dashboards::show).post(dashboards::create))
        .route("/dashboards/{name}", get(dashboard::show))
        .route("/dashboards/{name}/edit", get(dashboard_edit::show).post(dashboard_edit::change))
        .route("/map", get(map::show))
        .merge(assets::routes())
        .fallback(error_page::not_found)
}
