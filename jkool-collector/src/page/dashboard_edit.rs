//! The page that edits a dashboard: its viewlets, their order and sizes. It works without the script.

use super::dashboard::{ask, range, section};
use super::dashboard_arrange::{arranged, tiles};
use super::dashboard_url::DashboardUrl;
use super::error_page::ErrorPage;
use super::layout::{Frame, Tab, frame};
use super::posted::Posted;
use super::query_params::QueryParams;
use super::watch::hidden;
use crate::app::App;
use crate::dashboard::{Dashboard, DashboardError, HIGHEST, KINDS, Replaces, Viewlet, WIDEST, kind_of};
use crate::error_response::ErrorResponse;
use crate::server::session::Session;
use axum::Extension;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use std::sync::Arc;

/// The viewlet in the form, an existing or a new one.
#[derive(Debug)]
struct Draft {
    /// The index of the viewlet; for a new one, the number of viewlets.
    index: usize,
    viewlet: Viewlet,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorPage> {
    let dashboard = app.dashboards.get(&name).map_err(|_| ErrorPage::NotFound("There is no such dashboard."))?;
    let posted = Posted::of_url(query.as_deref());
    let draft = Draft::read(&posted, &dashboard);
    page(&app, &DashboardUrl::new(&name, query.as_deref()), &dashboard, draft, StatusCode::OK, None).await
}

/// Performs the action of a button, and shows the result.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Extension(session): Extension<Arc<Session>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let url = DashboardUrl::new(&name, query.as_deref());
    let posted = Posted::read(&app, &session, request).await?;
    let dashboard = app.dashboards.get(&name)?;
    let done = match posted.get("action") {
        "delete" => {
            let app = Arc::clone(&app);
            let removed = tokio::task::spawn_blocking(move || app.dashboards.remove(&name));
            removed.await.map_err(ErrorResponse::Internal)?.map(|()| url.all())
        }
        action => {
            let changed = changed(&dashboard, action, &posted);
            let (app, version) = (Arc::clone(&app), posted.get("version").parse().unwrap_or_default());
            let put =
                tokio::task::spawn_blocking(move || app.dashboards.put(&name, changed, Replaces::Version(version)));
            put.await.map_err(ErrorResponse::Internal)?.map(|_| url.edit())
        }
    };
    Ok(match done {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(error) => {
            let draft = Draft::read(&posted, &dashboard);
            page(&app, &url, &dashboard, draft, error.status(), Some(error)).await.into_response()
        }
    })
}

/// Returns the dashboard after the action of a button. Unknown actions change nothing.
fn changed(dashboard: &Dashboard, action: &str, posted: &Posted) -> Dashboard {
    let mut changed = dashboard.clone();
    let viewlets = &mut changed.viewlets;
    let count = viewlets.len();
    let index = posted.get("viewlet").parse().unwrap_or(count);
    match (action, viewlets.get_mut(index)) {
        ("rename", _) => {
            changed.title = posted.get("title").to_owned();
            changed.since = posted.get("since").to_owned();
        }
        ("save", found) => {
            let said = said(posted);
            match found {
                Some(viewlet) => *viewlet = said,
                None => viewlets.push(said),
            }
        }
        // An invalid arrangement changes nothing.
        ("arrange", _) => *viewlets = arranged(viewlets, posted.get("places")).unwrap_or_else(|| viewlets.clone()),
        ("earlier", Some(_)) if index > 0 => viewlets.swap(index, index - 1),
        ("later", Some(_)) if index + 1 < count => viewlets.swap(index, index + 1),
        ("narrower", Some(viewlet)) => viewlet.width = viewlet.width.saturating_sub(1).max(1),
        ("wider", Some(viewlet)) => viewlet.width = (viewlet.width + 1).min(WIDEST),
        ("lower", Some(viewlet)) => viewlet.height = viewlet.height.saturating_sub(1).max(1),
        ("higher", Some(viewlet)) => viewlet.height = (viewlet.height + 1).min(HIGHEST),
        ("remove", Some(_)) => drop(viewlets.remove(index)),
        _ => {}
    }
    changed
}

/// Parses the viewlet in a form.
fn said(posted: &Posted) -> Viewlet {
    let size = |name: &str| posted.get(name).parse().unwrap_or_default();
    Viewlet {
        title: posted.get("title").to_owned(),
        query: posted.get("query").to_owned(),
        kind: kind_of(posted.get("kind")),
        width: size("width"),
        height: size("height"),
    }
}

impl Draft {
    /// Returns the requested viewlet, as it is saved or as the form describes it.
    fn read(posted: &Posted, dashboard: &Dashboard) -> Option<Self> {
        let new = dashboard.viewlets.len();
        let index = match posted.get("viewlet") {
            "" => return None,
            "new" => new,
            index => index.parse().ok().filter(|index| *index <= new)?,
        };
        let viewlet = match (posted.has("query"), dashboard.viewlets.get(index)) {
            (true, _) => said(posted),
            (false, Some(saved)) => saved.clone(),
            (false, None) => Viewlet::new("get number of events bucketed by minute group by severity"),
        };
        Some(Self { index, viewlet })
    }
}

async fn page(
    app: &App,
    url: &DashboardUrl,
    dashboard: &Dashboard,
    draft: Option<Draft>,
    status: StatusCode,
    fault: Option<DashboardError>,
) -> Result<Response, ErrorPage> {
    let total = app.store.read(|reader| reader.total()).await?;
    let params = QueryParams::read(app, Some(&url.kept.to_string())).await;
    let (filter, mark) = (&params.filter, params.mark(app).await?);
    let head = Frame { title: &dashboard.title, tab: Tab::Dashboards, filter, total: Some(total), mark: mark.as_ref() };
    let now = app.clock.now();
    let preview = match &draft {
        Some(Draft { viewlet, .. }) => {
            let viewlets = std::slice::from_ref(viewlet);
            let range = range(filter, dashboard, now);
            let answers = ask(app, viewlets, &range, now, false).await;
            Some(html! { @for answered in &answers { (section(viewlet, answered)) } })
        }
        None => None,
    };
    let main = html! {
        div.tools {
            h1 { "Edit: " (dashboard.title) }
            span.spring {}
            a.button href=(url.shown()) { "Back to the dashboard" }
        }
        @if let Some(fault) = &fault { p.fault.bar role="alert" { (fault) } }
        @if let (Some(draft), Some(preview)) = (&draft, &preview) {
            (viewlet_form(url, dashboard, draft))
            h2.preview { "Preview" }
            div.grid { (preview) }
        } @else {
            @if dashboard.viewlets.len() > 1 { (tiles(url, dashboard)) }
            (viewlets(url, dashboard))
            (settings(url, dashboard))
        }
    };
    Ok((status, frame(&head, &main)).into_response())
}

fn viewlet_form(url: &DashboardUrl, dashboard: &Dashboard, Draft { index, viewlet }: &Draft) -> Markup {
    let wrong = viewlet.check("").err().map(|error| error.to_string());
    let wrong_query = wrong.as_deref().and_then(|error| error.strip_prefix("query: "));
    let size = |label: &str, name: &str, value: u8, most: u8| {
        html! { label.field { span { (label) } input type="number" name=(name) value=(value) min="1" max=(most) required; } }
    };
    html! {
        form.fields.part method="post" action=(url.edit()) {
            // The preview is a GET, which drops the parameters of the action.
            (hidden(&url.kept))
            input type="hidden" name="viewlet" value=(index);
            input type="hidden" name="version" value=(dashboard.version());
            label.field { span { "Title" } input type="text" name="title" value=(viewlet.title) required maxlength="199" autocomplete="off"; }
            label.field {
                span { "jKQL query; without a time range, that of the dashboard counts" }
                textarea name="query" rows="3" required spellcheck="false" aria-invalid=[wrong_query.map(|_| "true")] { (viewlet.query) }
                @if let Some(error) = wrong_query { em.fault role="alert" { (error) } }
            }
            div.line {
                label.field {
                    span { "Kind" }
                    select name="kind" {
                        option value="" { "as the sentence says" }
                        @for (name, called, kind) in KINDS { option value=(name) selected[viewlet.kind == Some(kind)] { (called) } }
                    }
                }
                (size("Width, of 12 columns", "width", viewlet.width, WIDEST))
                (size("Height, in rows", "height", viewlet.height, HIGHEST))
            }
            div.line {
                button type="submit" formmethod="get" { "Preview" }
                button.main type="submit" name="action" value="save" { "Save" }
                a.button href=(url.edit()) { "Cancel" }
            }
        }
    }
}

/// The list of viewlets, with their actions.
fn viewlets(url: &DashboardUrl, dashboard: &Dashboard) -> Markup {
    const ACTIONS: [(&str, &str, &str); 6] = [
        ("earlier", "↑", "Move up"),
        ("later", "↓", "Move down"),
        ("narrower", "−", "Narrower"),
        ("wider", "+", "Wider"),
        ("lower", "▴", "Lower"),
        ("higher", "▾", "Higher"),
    ];
    html! {
        ol.editor {
            @for (index, viewlet) in dashboard.viewlets.iter().enumerate() {
                li.part {
                    div {
                        h2 { (viewlet.title) }
                        code { (viewlet.query) }
                        p.hint { (KINDS.iter().find(|(.., kind)| viewlet.kind == Some(*kind)).map_or("as the sentence says", |(_, called, _)| *called)) ", " (viewlet.width) " of 12 columns, " (viewlet.height) @if viewlet.height == 1 { " row" } @else { " rows" } }
                    }
                    form.line method="post" action=(url.edit()) {
                        input type="hidden" name="viewlet" value=(index);
                        input type="hidden" name="version" value=(dashboard.version());
                        @for (action, sign, called) in ACTIONS {
                            button type="submit" name="action" value=(action) title=(called) aria-label={ (called) ": " (viewlet.title) } { (sign) }
                        }
                        a.button href=(url.edit_viewlet(index)) aria-label={ "Change: " (viewlet.title) } { "Change" }
                        button type="submit" name="action" value="remove" aria-label={ "Remove: " (viewlet.title) } { "Remove" }
                    }
                }
            }
        }
        p { a.button href=(url.edit_viewlet("new")) { "Add a viewlet" } }
    }
}

fn settings(url: &DashboardUrl, dashboard: &Dashboard) -> Markup {
    html! {
        form.fields.part method="post" action=(url.edit()) {
            input type="hidden" name="version" value=(dashboard.version());
            div.line {
                label.field { span { "Title" } input type="text" name="title" value=(dashboard.title) required maxlength="199" autocomplete="off"; }
                label.field { span { "Default time range, since" } input type="text" name="since" value=(dashboard.since) required autocomplete="off"; }
            }
            div.line {
                button.main type="submit" name="action" value="rename" { "Save" }
                span.spring {}
                button type="submit" name="action" value="delete" formnovalidate { "Delete this dashboard" }
            }
        }
    }
}
