//! Questions in jKQL, to scripted servers. `jkool-cli` asks a collector.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use jkool_client::{Query, QueryColumnType, QueryErrorKind};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A server that gives these answers, one on each connection; what it is asked comes out of the channel.
fn server(answers: &'static [&'static str]) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (told, asked) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            let mut buffer = [0; 4096];
            // The whole form: its length is in the head.
            loop {
                let read = stream.read(&mut buffer).unwrap();
                request.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
                let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
                let length =
                    head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                if body.len() >= length.unwrap_or(0) || read == 0 {
                    break;
                }
            }
            told.send(request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
        // Who asks once more waits in vain.
        std::mem::forget(listener.accept());
    });
    (url, asked)
}

const ANSWER: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"status\":\"SUCCESS\",\"item-type\":\"Event\",\"rows-found\":7,\
    \"row-count\":1,\"colhdr\":[\"EventName\",\"NumberOf\",\"Mean\",\"Corr\",\"When\",\"X\"],\"coltype\":{\"EventName\":\"STRING\",\"NumberOf\":\"INTEGER\",\
    \"Mean\":\"DECIMAL\",\"When\":\"TIMESTAMP\",\"X\":\"GUID\"},\"rows\":[{\"EventName\":\"Pay\",\"NumberOf\":798,\"Mean\":1.5,\"Corr\":[\"a\",\"b\"],\"When\":5}]}";

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    event_name: String,
    number_of: u64,
    mean: f64,
    corr: Vec<String>,
    nothing: Option<String>,
}

#[test]
fn an_answer_becomes_values_of_the_programs_types() {
    let (url, asked) = server(&[ANSWER, ANSWER]);
    let query = Query::builder().url(url).token("canary-0c41").max_rows(5).time_zone("Europe/Berlin").build().unwrap();
    let answer = query.ask("get number of events where a = 'ü & b'").unwrap();
    let request = asked.recv().unwrap();
    assert!(request.starts_with("POST /jkool-service/jkql HTTP/1.1\r\n"), "{request}");
    for header in ["x-api-key: canary-0c41", "token: canary-0c41", "content-type: application/x-www-form-urlencoded"] {
        assert!(request.contains(header), "{header}");
    }
    let form = request.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(
        form,
        "jk_query=get+number+of+events+where+a+%3D+%27%C3%BC+%26+b%27&jk_maxrows=5&jk_tz=Europe%2FBerlin&jk_timeout=60000"
    );
    assert_eq!((answer.item_type.as_str(), answer.found, answer.columns.len()), ("Event", 7, 6));
    assert_eq!(answer.columns[1].column_type, QueryColumnType::Integer);
    assert_eq!(answer.columns[5].column_type, QueryColumnType::Other("GUID".into()));
    let row =
        Row { event_name: "Pay".into(), number_of: 798, mean: 1.5, corr: vec!["a".into(), "b".into()], nothing: None };
    assert_eq!(answer.rows_as::<Row>().unwrap(), [row]);
    assert_eq!(answer.rows[0].get::<u64>("NumberOf").unwrap(), 798);
    assert_eq!((answer.rows[0].text("Corr"), answer.rows[0].text("Nothing")), ("a b".to_owned(), String::new()));
    let error = answer.rows[0].get::<u64>("EventName").unwrap_err();
    assert_eq!(error.kind(), QueryErrorKind::Unreadable);
    assert!(error.to_string().contains("EventName"), "{error}");
    // Within a runtime too, either way.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(query.ask_async("get events")).unwrap().found, 7);
}

#[test]
fn an_error_is_told_as_the_service_words_it() {
    let (url, _asked) = server(&[
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n{\"jk_ccode\":\"ERROR\",\"jk_error\":\"column 5: no\",\"jk_subid\":\"1\"}",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"jk_ccode\":\"ERROR\",\"jk_error\":\"no such repository\"}",
        "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n{\"error\":\"a token is needed\"}",
        "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n<html>",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"status\":\"SUCCESS\"}",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{\"status\":\"SUC",
    ]);
    let query = Query::builder().url(url).token("canary-0c42").build().unwrap();
    for (kind, text) in [
        (QueryErrorKind::Refused, "column 5: no"),
        (QueryErrorKind::Refused, "no such repository"),
        (QueryErrorKind::Unauthorized, "a token is needed"),
        (QueryErrorKind::Unauthorized, "403"),
        (QueryErrorKind::Unreadable, "not followed"),
        (QueryErrorKind::Unreadable, "200"),
        (QueryErrorKind::Unreadable, "no rows"),
        (QueryErrorKind::Unreachable, "connection was lost"),
    ] {
        let error = query.ask("get events").unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary-0c42"));
    }
}

#[test]
fn a_question_ends_when_its_time_is_over() {
    let (url, _asked) = server(&[]);
    let query = Query::builder().url(url).timeout(Duration::from_millis(50)).build().unwrap();
    assert_eq!(query.ask("get events").unwrap_err().kind(), QueryErrorKind::TimedOut);
}

#[test]
fn settings_that_are_of_no_use_are_told() {
    let refused = |builder: jkool_client::QueryBuilder| {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), QueryErrorKind::Config);
        error.to_string()
    };
    assert!(refused(Query::builder().url("http://example.com").token("canary-0c43")).contains("https"));
    assert!(refused(Query::builder().url("nowhere")).contains("url"));
    assert!(refused(Query::builder().token("two words")).contains("white space"));
    assert!(refused(Query::builder().timeout(Duration::ZERO)).contains("timeout"));
    let shown = format!("{:?}", Query::builder().token("canary-0c44"));
    assert!(!shown.contains("canary-0c44"), "{shown}");
}
