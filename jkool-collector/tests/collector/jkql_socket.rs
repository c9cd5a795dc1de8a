//! `/jkool-service/jkqlasync`, by the WebSocket client that a program would use.

use crate::common::records;
use futures_util::{SinkExt, StreamExt};
use jkool_collector::{Clock, Collector, CollectorBuilder};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

type Socket = WebSocketStream<TcpStream>;

fn start(settings: impl FnOnce(CollectorBuilder) -> CollectorBuilder) -> Collector {
    settings(Collector::builder().listen("127.0.0.1:0")).start().unwrap()
}

async fn connect(collector: &Collector, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
    let mut request = format!("ws://{}/jkool-service/jkqlasync", collector.address()).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let stream = TcpStream::connect(collector.address()).await.unwrap();
    client_async(request, stream).await.map(|(socket, _)| socket)
}

async fn send(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

async fn receive(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(Duration::from_secs(90), socket.next()).await.unwrap().unwrap().unwrap();
        if let Message::Text(text) = message {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

async fn store(collector: &Collector, operation: &str, severity: &str) {
    let entity = json!({"operation": operation, "severity": severity, "msg-text": "new"}).to_string();
    collector.store().append(records(&[entity], Clock::default().now())).await.unwrap();
}

#[tokio::test]
async fn several_statements_are_answered_at_once_each_with_its_id() {
    let collector = start(|builder| builder);
    store(&collector, "Pay", "INFO").await;
    let mut socket = connect(&collector, &[]).await.unwrap();
    for (id, statement) in [("a", "get number of events"), ("b", "get evnts"), ("c", "get events fields operation")] {
        send(&mut socket, json!({"jk_query": statement, "jk_subid": id, "jk_maxrows": 5, "jk_date": "all"})).await;
    }
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(receive(&mut socket).await);
    }
    answers.sort_by_key(|answer| answer["jk_subid"].to_string());
    let [number, wrong, rows] = &*answers else { panic!("{answers:?}") };
    assert_eq!((&number["jk_call"], &number["jk_response"]["rows"]), (&json!("query"), &json!([{"NumberOf": 1}])));
    assert!(number["jk_elapsed_ms"].is_u64() && number.get("jk_error").is_none());
    assert_eq!((&wrong["jk_subid"], &wrong["jk_ccode"]), (&json!("b"), &json!("ERROR")));
    assert!(wrong["jk_error"].as_str().unwrap().starts_with("column 5: expected "));
    assert_eq!(rows["jk_response"]["rows"], json!([{"EventName": "Pay"}]));
    assert_eq!(rows["jk_response"]["status"], "SUCCESS");
    // What is no request is answered too, and the connection goes on.
    socket.send(Message::text("no json")).await.unwrap();
    assert!(receive(&mut socket).await["jk_error"].as_str().unwrap().contains("a statement is required"));
}

#[tokio::test]
async fn a_subscription_goes_on_until_it_is_ended() {
    let collector = start(|builder| builder);
    let mut socket = connect(&collector, &[]).await.unwrap();
    let statement = "subscribe to events fields operation, severity where severity > 'INFO'";
    send(&mut socket, json!({"jk_query": statement, "jk_subid": "$sub/1"})).await;
    let began = receive(&mut socket).await;
    assert_eq!((&began["jk_call"], &began["jk_subid"]), (&json!("subscribe"), &json!("$sub/1")));
    assert_eq!(
        (&began["jk_response"]["rows"], &began["jk_response"]["colhdr"]),
        (&json!([]), &json!(["EventName", "Severity"]))
    );
    for (operation, severity) in [("Pay", "INFO"), ("Charge", "ERROR"), ("Ship", "WARNING")] {
        store(&collector, operation, severity).await;
    }
    for (operation, severity) in [("Charge", "ERROR"), ("Ship", "WARNING")] {
        let told = receive(&mut socket).await;
        assert_eq!(told["jk_response"]["rows"], json!([{"EventName": operation, "Severity": severity}]));
        assert_eq!((&told["jk_msg_id"], &told["jk_subid"]), (&began["jk_msg_id"], &json!("$sub/1")));
    }
    let id = began["jk_msg_id"].as_str().unwrap();
    send(&mut socket, json!({"jk_query": format!("unsubscribe from '{id}'"), "jk_subid": "u"})).await;
    let ended = receive(&mut socket).await;
    assert_eq!(
        (&ended["jk_call"], &ended["jk_subid"], &ended["jk_msg_id"]),
        (&json!("unsubscribe"), &json!("u"), &json!(id))
    );
    // Nothing of it comes behind that.
    store(&collector, "Charge", "ERROR").await;
    send(&mut socket, json!({"jk_query": format!("unsubscribe from '{id}'"), "jk_subid": "v"})).await;
    let unknown = receive(&mut socket).await;
    assert_eq!((&unknown["jk_subid"], &unknown["jk_ccode"]), (&json!("v"), &json!("ERROR")));
    // A subscription to what there is not says so.
    send(&mut socket, json!({"jk_query": "sub to events where colour = 1"})).await;
    assert!(receive(&mut socket).await["jk_error"].as_str().unwrap().contains("the name of a field"));
}

#[tokio::test]
async fn a_token_comes_with_the_connection_or_with_each_message() {
    let collector = start(|builder| builder.token("canary-7e01"));
    let mut socket = connect(&collector, &[]).await.unwrap();
    send(&mut socket, json!({"jk_query": "get number of events"})).await;
    assert!(receive(&mut socket).await["jk_error"].as_str().unwrap().contains("token required"));
    send(&mut socket, json!({"jk_query": "get number of events", "jk_token": "canary-7e02"})).await;
    assert!(receive(&mut socket).await["jk_error"].as_str().unwrap().contains("token required"));
    send(&mut socket, json!({"jk_query": "get number of events", "jk_token": "canary-7e01"})).await;
    assert_eq!(receive(&mut socket).await["jk_response"]["row-count"], 1);
    // Each message has its own.
    send(&mut socket, json!({"jk_query": "get number of events"})).await;
    assert!(receive(&mut socket).await["jk_error"].as_str().unwrap().contains("token required"));
    let mut known = connect(&collector, &[("x-api-key", "canary-7e01")]).await.unwrap();
    send(&mut known, json!({"jk_query": "get number of events"})).await;
    assert_eq!(receive(&mut known).await["jk_response"]["row-count"], 1);
}

#[tokio::test]
async fn a_page_of_another_origin_opens_no_socket() {
    let collector = start(|builder| builder);
    let Err(Error::Http(refused)) = connect(&collector, &[("origin", "http://evil.test")]).await else {
        panic!("it opened")
    };
    assert_eq!(refused.status(), 403);
    let own = format!("http://{}", collector.address());
    assert!(connect(&collector, &[("origin", &own)]).await.is_ok());
}

#[tokio::test]
async fn a_socket_ends_with_the_collector_and_takes_no_huge_message() {
    let collector = start(|builder| builder);
    let mut socket = connect(&collector, &[]).await.unwrap();
    send(&mut socket, json!({"jk_query": "x".repeat(100 << 10)})).await;
    let end = timeout(Duration::from_secs(90), async { while let Some(Ok(_)) = socket.next().await {} });
    end.await.unwrap();
    let mut socket = connect(&collector, &[]).await.unwrap();
    send(&mut socket, json!({"jk_query": "subscribe to events"})).await;
    receive(&mut socket).await;
    let stopped = tokio::task::spawn_blocking(move || drop(collector));
    let end = timeout(Duration::from_secs(90), async { while let Some(Ok(_)) = socket.next().await {} });
    end.await.unwrap();
    stopped.await.unwrap();
}
