//! `/jkool-service/jkql`: answers statements over HTTP, in the format of the service.

use super::{Answer, JkqlError, Request, ask};
use crate::access::{Denied, WEB_SOCKET};
use crate::app::App;
use crate::error_response::{ErrorResponse, json_answer};
use crate::intake::body;
use crate::server::session::Session;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use jkool_jkql::{Zone, parse_period};
use jkool_model::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The maximum size of a statement in bytes.
const LONGEST: usize = 64 << 10;

pub(crate) fn routes() -> Router<Arc<App>> {
    let socket = get(super::socket::upgrade);
    Router::new().route("/jkool-service/jkql", get(answer).post(answer)).route(WEB_SOCKET, socket)
}

async fn answer(
    State(app): State<Arc<App>>,
    Extension(session): Extension<Arc<Session>>,
    request: HttpRequest,
) -> Result<Response, ErrorResponse> {
    let (head, body) = request.into_parts();
    let form = match head.method {
        Method::POST => {
            let mut reservation = app.body_memory.reserve();
            let body = body::read(body, LONGEST, app.limits.body_timeout, &mut reservation).await?;
            String::from_utf8_lossy(&body).into_owned()
        }
        _ => head.uri.query().unwrap_or_default().to_owned(),
    };
    let parameters: HashMap<String, String> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    // As in the service, the token may be a parameter.
    let shown = parameters.get("jk_token").is_some_and(|token| app.access.takes(token.as_bytes()));
    if !shown && !app.access.knows(&head.headers, session.is_authenticated()) {
        return Err(Denied::Token.into());
    }
    let began = app.clock.now();
    let subid = parameters.get("jk_subid").cloned().unwrap_or_else(|| correlator(began));
    let asked = Asked::read(&|name| parameters.get(name).map(String::as_str), began);
    let answered = match asked {
        Ok(asked) => asked.answer(&app).await,
        Err(error) => Err(error),
    };
    let elapsed = (app.clock.now().as_usec() - began.as_usec()).max(0) / 1_000;
    let mut head = Map::new();
    head.insert("jk_call".into(), json!("query"));
    head.insert("jk_subid".into(), json!(subid));
    head.insert("jk_elapsed_ms".into(), json!(elapsed));
    Ok(match answered {
        Ok(answer) => {
            head.extend(answer);
            json_answer(StatusCode::OK, &Value::Object(head))
        }
        Err(error) => {
            head.insert("jk_ccode".into(), json!("ERROR"));
            head.insert("jk_error".into(), json!(error.to_string()));
            json_answer(status(&error), &Value::Object(head))
        }
    })
}

/// Creates a correlator for a request without one.
pub(super) fn correlator(now: Timestamp) -> String {
    format!("{:x}", now.as_usec())
}

fn status(error: &JkqlError) -> StatusCode {
    use crate::store::StoreErrorKind;
    match error {
        JkqlError::Store(error) => match error.kind() {
            StoreErrorKind::NoSuchField => StatusCode::BAD_REQUEST,
            StoreErrorKind::TooSlow => StatusCode::GATEWAY_TIMEOUT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        },
        _ => StatusCode::BAD_REQUEST,
    }
}

/// A request, and the parameters of its response.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) request: Request,
    trace: bool,
    patience: Duration,
}

impl Asked {
    /// Parses the service's parameters. Those that do not apply here, such as `jk_repo`, are ignored.
    pub(super) fn read<'a>(of: &dyn Fn(&str) -> Option<&'a str>, now: Timestamp) -> Result<Self, JkqlError> {
        let wrong = |name: &str, value: &str, expected: &dyn std::fmt::Display| {
            JkqlError::Impossible(format!("{name}={value:?}: {expected}"))
        };
        let some = |name: &str| of(name).map(str::trim).filter(|value| !value.is_empty());
        let statement =
            some("jk_query").ok_or_else(|| JkqlError::Impossible("jk_query: a statement is required".into()))?;
        let mut request = Request::new(statement, now);
        if let Some(zone) = some("jk_tz") {
            request.zone = zone.parse().map_err(|error| wrong("jk_tz", zone, &error))?;
        } else {
            request.zone = Zone::local();
        }
        if let Some(date) = some("jk_date") {
            request.date = parse_period(date).map_err(|error| wrong("jk_date", date, &error))?;
        }
        let number = |name: &str| match some(name) {
            None => Ok(None),
            Some(value) => match value.parse::<u32>() {
                Ok(number) if number > 0 => Ok(Some(number)),
                _ => Err(wrong(name, value, &"expected a whole number from 1 on")),
            },
        };
        if let Some(rows) = number("jk_maxrows")? {
            request.max_rows = usize::try_from(rows).unwrap_or(usize::MAX);
        }
        let patience = Duration::from_millis(number("jk_timeout")?.unwrap_or(60_000).into());
        Ok(Self { request, trace: some("jk_trace").is_some_and(|trace| trace.eq_ignore_ascii_case("true")), patience })
    }

    /// Answers a statement that is not a subscription.
    pub(super) async fn answer(self, app: &App) -> Result<Map<String, Value>, JkqlError> {
        let Self { request, trace, patience } = self;
        let (zone, now) = (request.zone.clone(), request.now);
        let asked = app.store.read(move |reader| Ok(ask(reader, &request)));
        let asked = timeout(patience, asked).await;
        let answer: Answer = asked.map_err(|_| JkqlError::Impossible("jk_timeout exceeded".into()))???;
        let mut json = answer.to_json(&zone, now);
        if trace {
            json.insert("trace".into(), json!(answer.explained));
        }
        Ok(json)
    }
}
