//! `/jkool-service/jkqlasync`: answers statements concurrently over one WebSocket, and serves subscriptions.

use super::http::{Asked, correlator};
use super::subscription::Subscription;
use super::{JkqlError, answer::Answer};
use crate::app::App;
use crate::error_response::json_answer;
use crate::server::session::Session;
use crate::server::shutdown::Shutdown;
use crate::tail::{TailItem, tail};
use axum::Extension;
use axum::extract::State;
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt, StreamExt};
use jkool_jkql::Statement;
use jkool_model::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::interval;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// The maximum size of a statement in bytes.
const LONGEST: usize = 64 << 10;

/// The maximum number of concurrent statements and subscriptions of one connection.
const AT_ONCE: usize = 32;

/// The maximum number of answers that wait to be sent. A client that reads too slowly misses entities of a
/// subscription.
const WAITING: usize = 64;

/// The interval of pings, which detect lost connections.
const PING: Duration = Duration::from_secs(30);

/// Accepts a WebSocket. Each message may contain a token.
pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    Extension(session): Extension<Arc<Session>>,
    headers: HeaderMap,
) -> Response {
    let says = |name, wanted: &str| {
        let said = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        said.flat_map(|said| said.split(',')).any(|said| said.trim().eq_ignore_ascii_case(wanted))
    };
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| says(CONNECTION, "upgrade") && says(UPGRADE, "websocket"));
    let Some(key) = key.filter(|_| says(SEC_WEBSOCKET_VERSION, "13")) else {
        let error = json!({"error": "this path accepts WebSocket version 13 only; for POST use /jkool-service/jkql"});
        let refused = json_answer(StatusCode::UPGRADE_REQUIRED, &error);
        return ([(UPGRADE, "websocket"), (SEC_WEBSOCKET_VERSION, "13")], refused).into_response();
    };
    if app.access.knows(&headers, session.is_authenticated()) {
        session.set_authenticated(true);
    }
    session.upgrade();
    let accept = derive_accept_key(key.as_bytes());
    let headers = [(CONNECTION, "upgrade"), (UPGRADE, "websocket"), (SEC_WEBSOCKET_ACCEPT, accept.as_str())];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Serves the connection until either side closes it. `read` is the data that was already read after the request.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    read: Vec<u8>,
    app: Arc<App>,
    session: Arc<Session>,
    mut shutdown: Shutdown,
) {
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    let socket = WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await;
    let (mut sink, mut source) = socket.split();
    let (answers, mut waiting) = mpsc::channel(WAITING);
    let mut connection =
        Connection { app, session, answers, tasks: JoinSet::new(), subscriptions: HashMap::new(), number: 0 };
    let mut ping = interval(PING);
    loop {
        let sent = tokio::select! {
            () = shutdown.wait() => break,
            // If the client does not read answers, no further statements are read.
            message = source.next(), if connection.tasks.len() < 2 * AT_ONCE => match message {
                Some(Ok(Message::Text(text))) => {
                    connection.take(&text).await;
                    Ok(())
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                // The library answers pings; the answer must be flushed.
                Some(Ok(_)) => sink.flush().await,
            },
            Some(answer) = waiting.recv() => sink.send(Message::text(Value::Object(answer).to_string())).await,
            _ = ping.tick() => sink.send(Message::Ping(Vec::new().into())).await,
            Some(_) = connection.tasks.join_next() => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
    // The client may have disconnected.
    drop(sink.close().await);
}

/// The statements of one connection.
struct Connection {
    app: Arc<App>,
    session: Arc<Session>,
    answers: mpsc::Sender<Map<String, Value>>,
    tasks: JoinSet<()>,
    /// The running subscriptions, by the ids that end them.
    subscriptions: HashMap<String, AbortHandle>,
    number: u64,
}

impl Connection {
    /// Starts to answer a message.
    async fn take(&mut self, text: &str) {
        let now = self.app.clock.now();
        let message: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        let texts: HashMap<String, String> = message
            .into_iter()
            .map(|(name, value)| match value {
                Value::String(text) => (name, text),
                other => (name, other.to_string()),
            })
            .collect();
        let subid = texts.get("jk_subid").cloned().unwrap_or_else(|| correlator(now));
        let head = Head { subid, began: now, app: Arc::clone(&self.app) };
        if let Err(error) = self.begin(&texts, &head) {
            // The channel is read by the task that runs this code: if it is full, another task must send the answer.
            self.reply(head.failure("query", &error.to_string()));
        }
    }

    fn begin(&mut self, texts: &HashMap<String, String>, head: &Head) -> Result<(), JkqlError> {
        let offered = texts.get("jk_token").map(String::as_bytes).unwrap_or_default();
        if !self.session.is_authenticated() && !self.app.access.takes(offered) {
            return Err(JkqlError::Impossible("token required, as jk_token or in the headers".into()));
        }
        let asked = Asked::read(&|name| texts.get(name).map(String::as_str), head.began)?;
        self.subscriptions.retain(|_, task| !task.is_finished());
        match jkool_jkql::parse(&asked.request.statement)? {
            Statement::Unsubscribe(id) => {
                let task = self.subscriptions.remove(&id);
                let task = task.ok_or_else(|| JkqlError::Impossible(format!("no subscription {id:?}")))?;
                task.abort();
                let mut answer = head.success("unsubscribe", json!({"status": "SUCCESS"}));
                answer.insert("jk_msg_id".into(), json!(id));
                self.reply(answer);
                return Ok(());
            }
            _ if self.tasks.len() >= AT_ONCE => {
                return Err(JkqlError::Impossible(format!("more than {AT_ONCE} statements at once on one connection")));
            }
            Statement::Subscribe(select) => {
                self.number += 1;
                let id = format!("sub-{}", self.number);
                let (answers, head, zone, own) =
                    (self.answers.clone(), head.clone(), asked.request.zone.clone(), id.clone());
                let task = async move {
                    let request = asked.request;
                    let planned =
                        head.app.store.read(move |reader| Ok(Subscription::new(reader, &select, &request))).await;
                    let subscription = match planned.map_err(JkqlError::from).and_then(|planned| planned) {
                        Ok(subscription) => subscription,
                        Err(error) => {
                            answers.send(head.failure("subscribe", &error.to_string())).await.unwrap_or_default();
                            return;
                        }
                    };
                    let tell = |answer: Answer| {
                        let response = Value::Object(answer.to_json(&zone, head.app.clock.now()));
                        let mut answer = head.success("subscribe", response);
                        answer.insert("jk_msg_id".into(), json!(own));
                        answer
                    };
                    // Subscribes before the first answer is sent, so that no entity after it is missed.
                    let mut told = std::pin::pin!(tail(&head.app, subscription.filter.clone()));
                    let mut next = Some(tell(subscription.answer(None)));
                    while let Some(answer) = next {
                        if answers.send(answer).await.is_err() {
                            return;
                        }
                        next = told.next().await.map(|item| match item {
                            TailItem::Stored(stored) => tell(subscription.answer(Some(&stored))),
                            TailItem::Missed(count) => {
                                let mut answer = tell(subscription.answer(None));
                                answer.insert("jk_missed".into(), json!(count));
                                answer
                            }
                        });
                    }
                };
                self.subscriptions.insert(id, self.tasks.spawn(task));
            }
            _ => {
                let (answers, head) = (self.answers.clone(), head.clone());
                self.tasks.spawn(async move {
                    let answer = match asked.answer(&head.app).await {
                        Ok(answer) => head.success("query", Value::Object(answer)),
                        Err(error) => head.failure("query", &error.to_string()),
                    };
                    answers.send(answer).await.unwrap_or_default();
                });
            }
        }
        Ok(())
    }

    /// Sends an answer from another task, because the current one must empty the channel.
    fn reply(&mut self, answer: Map<String, Value>) {
        let answers = self.answers.clone();
        self.tasks.spawn(async move { answers.send(answer).await.unwrap_or_default() });
    }
}

/// The fields that all answers to a statement have in common.
#[derive(Clone)]
struct Head {
    subid: String,
    began: Timestamp,
    app: Arc<App>,
}

impl Head {
    fn of(&self, call: &str) -> Map<String, Value> {
        let elapsed = (self.app.clock.now().as_usec() - self.began.as_usec()).max(0) / 1_000;
        let head = [("jk_call", json!(call)), ("jk_subid", json!(self.subid)), ("jk_elapsed_ms", json!(elapsed))];
        head.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn success(&self, call: &str, response: Value) -> Map<String, Value> {
        let mut answer = self.of(call);
        answer.insert("jk_response".into(), response);
        answer
    }

    fn failure(&self, call: &str, error: &str) -> Map<String, Value> {
        let mut answer = self.of(call);
        answer.insert("jk_ccode".into(), json!("ERROR"));
        answer.insert("jk_error".into(), json!(error));
        answer
    }
}
