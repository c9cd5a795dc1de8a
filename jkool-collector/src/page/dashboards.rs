//! The page of all dashboards, and the forms that create and import one.

use super::dashboard_url::{DashboardUrl, all, kept};
use super::error_page::ErrorPage;
use super::layout::{Frame, Tab, frame};
use super::link::url;
use super::posted::Posted;
use super::query_params::QueryParams;
use crate::app::App;
use crate::dashboard::{Dashboard, DashboardError, Replaces};
use crate::error_response::ErrorResponse;
use crate::query::Query;
use crate::server::session::Session;
use axum::Extension;
use axum::extract::{RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use std::sync::Arc;

pub(super) async fn show(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Result<Response, ErrorPage> {
    let params = QueryParams::read(&app, query.as_deref()).await;
    list(&app, &params, &kept(query.as_deref()), params.status(), &Posted::default(), None).await
}

/// The list. Its links keep the time range of the filter, its forms all parameters.
async fn list(
    app: &App,
    params: &QueryParams,
    kept: &Query,
    status: StatusCode,
    said: &Posted,
    fault: Option<&str>,
) -> Result<Response, ErrorPage> {
    let total = app.store.read(|reader| reader.total()).await?;
    let (filter, mark) = (&params.filter, params.mark(app).await?);
    let head = Frame { title: "Dashboards", tab: Tab::Dashboards, filter, total: Some(total), mark: mark.as_ref() };
    let time = filter.time_only();
    let main = html! {
        h1 { "Dashboards" }
        ul.dashboards {
            @for named in app.dashboards.list() {
                li {
                    a href=(url(&format!("/dashboards/{}", named.name), &time)) { (named.title) }
                    span.hint { (named.name) @if named.is_built_in { ", built in" } }
                }
            }
        }
        @if let Some(fault) = fault { p.fault.bar role="alert" { (fault) } }
        div.columns {
            section.part { h2 { "New dashboard" } (form(kept, said, false)) }
            section.part { h2 { "Import exported JSON" } (form(kept, said, true)) }
        }
    };
    Ok((status, frame(&head, &main)).into_response())
}

/// The fields for a new dashboard: a title, or JSON for an import.
fn form(kept: &Query, said: &Posted, imports: bool) -> Markup {
    let said = |name: &str| if said.has("json") == imports { said.get(name).to_owned() } else { String::new() };
    html! {
        form.fields method="post" action=(all(kept)) {
            label.field {
                span { "Name in the url" }
                input type="text" name="name" value=(said("name")) required pattern="[A-Za-z0-9_\\-]{1,64}" placeholder="payments" autocomplete="off";
            }
            @if imports {
                label.field { span { "JSON" } textarea name="json" rows="6" required spellcheck="false" { (said("json")) } }
                button type="submit" { "Import" }
            } @else {
                label.field { span { "Title" } input type="text" name="title" value=(said("title")) required maxlength="199" placeholder="Payments" autocomplete="off"; }
                button type="submit" { "Create" }
            }
        }
    }
}

/// Creates a dashboard from a title or from JSON. An existing one is not replaced.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Extension(session): Extension<Arc<Session>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let posted = Posted::read(&app, &session, request).await?;
    let name = posted.get("name").to_owned();
    let dashboard = match posted.has("json") {
        true => Dashboard::from_json(posted.get("json").as_bytes()).map_err(DashboardError::from),
        false => Ok(Dashboard::new(posted.get("title"))),
    };
    let url = DashboardUrl::new(&name, query.as_deref());
    let saved = match dashboard {
        Ok(dashboard) => {
            let app = Arc::clone(&app);
            let put = tokio::task::spawn_blocking(move || app.dashboards.put(&name, dashboard, Replaces::Nothing));
            put.await.map_err(ErrorResponse::Internal)?.map(drop)
        }
        Err(error) => Err(error),
    };
    Ok(match saved {
        Ok(()) => Redirect::to(&if posted.has("json") { url.shown() } else { url.edit() }).into_response(),
        Err(error) => {
            let params = QueryParams::read(&app, query.as_deref()).await;
            list(&app, &params, &url.kept, error.status(), &posted, Some(&error.to_string())).await.into_response()
        }
    })
}
