//! The API for the command, tests and other programs: what is stored, as JSON, and dashboards. `api/openapi.json` describes it.

mod answer;
mod charts;
mod complete;
mod csv;
mod dashboards;
mod errors;
mod events;
mod export;
mod figures;
mod item;
mod live;
mod open_metrics;

pub use csv::field as csv_field;

use crate::app::App;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use std::sync::Arc;

const OPENAPI: &str = include_str!("api/openapi.json");

type Routes = [(&'static str, fn() -> MethodRouter<Arc<App>>); 20];

/// Every path. A test makes sure that each is described, and each of its parameters.
const ROUTES: Routes = [
    ("/api/events", || get(events::list)),
    ("/api/events/{id}", || get(events::one)),
    ("/api/events/{id}/related", || get(events::related)),
    ("/api/events.jsonl", || get(export::jsonl)),
    ("/api/events.csv", || get(export::csv)),
    ("/api/series", || get(charts::series)),
    ("/api/metrics", || get(charts::metrics)),
    ("/api/top", || get(charts::top)),
    ("/api/facets", || get(figures::facets)),
    ("/api/aggregate", || get(figures::aggregate)),
    ("/api/complete", || get(complete::complete)),
    ("/api/errors", || get(errors::errors)),
    ("/api/flows", || get(charts::flows)),
    ("/api/stats", || get(charts::stats)),
    ("/metrics", || get(open_metrics::open_metrics)),
    ("/api/tail", || get(live::tail)),
    ("/api/dashboards", || get(dashboards::list)),
    ("/api/dashboards/{name}", || get(dashboards::one).put(dashboards::put).delete(dashboards::delete)),
    ("/api/openapi.json", || get(openapi)),
    // Of what is not above, too, the answer is JSON.
    ("/api/{*path}", || get(answer::no_such_path)),
];

pub(crate) fn routes() -> Router<Arc<App>> {
    ROUTES.iter().fold(Router::new(), |router, (path, handler)| router.route(path, handler()))
}

async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI)
}

#[cfg(test)]
mod tests {
    use super::{OPENAPI, ROUTES};

    #[test]
    fn every_path_is_described() {
        let described: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let described = described["paths"].as_object().unwrap();
        let mut described: Vec<&str> =
            described.iter().filter(|(_, path)| path.get("get").is_some()).map(|(path, _)| path.as_str()).collect();
        let mut routed: Vec<&str> = ROUTES.iter().map(|(path, _)| *path).filter(|path| !path.contains('*')).collect();
        described.sort_unstable();
        routed.sort_unstable();
        assert_eq!(described, routed);
    }
}
