//! What the layers tell of requests, around services of any kind.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use bytes::Bytes;
use common::{said, start};
use futures_util::{FutureExt, StreamExt, stream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use jkool_tower::{ClientLayer, Operation, Peer, ServerLayer};
use jkool_tracing::SpanExt;
use jkool_tracing::model::{ActivityStatus, CompCode, OpType, Severity};
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::panic::AssertUnwindSafe;
use tower::{Layer, ServiceExt, service_fn};
use tracing::{Instrument, Span, info_span};

fn request() -> Request<Full<Bytes>> {
    Request::post("http://stock:81/items/7?secret=1").body(Full::from("four")).unwrap()
}

/// A body of parts, the last of which may be an error.
fn parts(
    parts: Vec<Result<Frame<Bytes>, io::Error>>,
) -> StreamBody<impl futures_util::Stream<Item = Result<Frame<Bytes>, io::Error>>> {
    StreamBody::new(stream::iter(parts))
}

fn data(text: &'static str) -> Result<Frame<Bytes>, io::Error> {
    Ok(Frame::data(Bytes::from(text)))
}

/// A client calls a server in the same thread.
#[tokio::test]
async fn a_call_is_two_activities_and_two_events_of_one_trace() {
    let streamed = start();
    let server = ServerLayer::new().layer(service_fn(|request: Request<Full<Bytes>>| async move {
        assert!(request.headers().contains_key("traceparent"));
        Span::current().add_property("handled", true);
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hello"))))
    }));
    let client = ClientLayer::new().layer(server);
    let around = info_span!("checkout", corrid = "order-42");
    let response = client.oneshot(request()).instrument(around.clone()).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
    drop(around);

    let (client, server) = (streamed.only("client"), streamed.only("server"));
    assert_eq!((&*client.operation, &*server.operation), ("POST", "POST"));
    assert_eq!(server.parent_id, client.tracking_id);
    let checkout = streamed.activities().into_iter().find(|activity| activity.operation == "checkout").unwrap();
    assert_eq!(client.parent_id, checkout.tracking_id);
    for activity in [&client, &server] {
        let said = |name| said(&activity.properties, name).unwrap_or_default();
        assert_eq!((said("http.request.method"), said("url.path")), ("POST".into(), "/items/7".into()));
        assert_eq!((said("http.request.body.size"), said("http.response.body.size")), ("4".into(), "5".into()));
        assert_eq!(said("http.response.status_code"), "200");
        assert_eq!((activity.comp_code, activity.reason_code), (Some(CompCode::Success), Some(200)));
        assert_eq!(activity.status, Some(ActivityStatus::End));
        assert!(activity.correlators.contains(&"order-42".into()), "{activity:?}");
        assert!(!format!("{activity:?}").contains("secret"));
    }
    assert_eq!(said(&server.properties, "handled").as_deref(), Some("true"));
    assert_eq!(said(&client.properties, "server.port").as_deref(), Some("81"));

    let (sent, received) = (streamed.events(OpType::Send), streamed.events(OpType::Receive));
    assert_eq!((sent.len(), received.len()), (1, 1));
    let shared = client.tracking_id.as_ref().unwrap().to_string();
    for (event, activity) in [(&sent[0], &client), (&received[0], &server)] {
        assert!(event.correlators.iter().any(|correlator| *correlator == shared));
        assert_eq!((&event.parent_id, event.start_time), (&activity.tracking_id, event.time));
        assert!(event.elapsed_usec.is_some());
    }
    assert!(sent[0].time <= received[0].time);
}

/// A server that calls another one, with baggage of its own or without.
#[tokio::test]
async fn baggage_is_passed_on_unless_the_program_sets_its_own() {
    let _streamed = start();
    for (own, expected) in [(None, "session.id=8f5b,k=v"), (Some("k=own"), "k=own")] {
        let last = service_fn(|request: Request<Full<Bytes>>| async move {
            Ok::<_, Infallible>(Response::new(request.headers()["baggage"].to_str().unwrap().to_owned()))
        });
        let first = ServerLayer::new().layer(service_fn(move |_: Request<Full<Bytes>>| async move {
            let mut call = request();
            if let Some(own) = own {
                call.headers_mut().insert("baggage", own.parse().unwrap());
            }
            ClientLayer::new().layer(last).oneshot(call).await
        }));
        let mut incoming = request();
        // A header may be repeated.
        for part in ["session.id=8f5b", "k=v"] {
            incoming.headers_mut().append("baggage", part.parse().unwrap());
        }
        let response = first.oneshot(incoming).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), expected);
    }
}

#[tokio::test]
async fn a_failure_is_an_error_and_so_is_5xx() {
    for (status, severity, activity_status) in
        [(404, Severity::Warning, ActivityStatus::End), (503, Severity::Error, ActivityStatus::Exception)]
    {
        let streamed = start();
        let answer = move |_| async move {
            Ok::<_, Infallible>(Response::builder().status(status).body(Empty::<Bytes>::new()).unwrap())
        };
        drop(ServerLayer::new().layer(service_fn(answer)).oneshot(request()).await);
        let activity = streamed.only("server");
        assert_eq!((activity.severity, activity.status), (severity, Some(activity_status)));
        assert_eq!(activity.reason_code, Some(status.into()));
    }
    let streamed = start();
    let refuse = |_| async { Err::<Response<Empty<Bytes>>, _>(io::Error::other("no route to host")) };
    assert!(ClientLayer::new().layer(service_fn(refuse)).oneshot(request()).await.is_err());
    let activity = streamed.only("client");
    assert_eq!((activity.status, activity.comp_code), (Some(ActivityStatus::Exception), Some(CompCode::Error)));
    assert_eq!(activity.exception, "no route to host");
    let sent = streamed.events(OpType::Send);
    assert_eq!((sent[0].severity, &*sent[0].exception), (Severity::Error, "no route to host"));
}

#[tokio::test]
async fn a_body_counts_until_its_end() {
    let streamed = start();
    let answer = |_| async { Ok::<_, Infallible>(Response::new(parts(vec![data("abc"), data("de")]))) };
    let response = ServerLayer::new().layer(service_fn(answer)).oneshot(request()).await.unwrap();
    let mut body = response.into_body();
    for _ in 0..2 {
        assert!(body.frame().await.is_some());
        assert!(streamed.activities().is_empty());
    }
    assert!(body.frame().await.is_none());
    // Not only when the body is dropped.
    assert_eq!(said(&streamed.only("server").properties, "http.response.body.size").as_deref(), Some("5"));
    drop(body);
    assert_eq!(streamed.activities().len(), 1);
}

#[tokio::test]
async fn a_body_of_known_length_ends_with_its_last_byte() {
    let streamed = start();
    let answer = |_| async {
        let response = Response::builder().header("content-length", 5);
        Ok::<_, Infallible>(response.body(parts(vec![data("abc"), data("de")])).unwrap())
    };
    let response = ServerLayer::new().layer(service_fn(answer)).oneshot(request()).await.unwrap();
    let mut body = response.into_body();
    assert!(body.frame().await.is_some() && body.frame().await.is_some());
    drop(body);
    let activity = streamed.only("server");
    assert_eq!((activity.comp_code, activity.exception.is_empty()), (Some(CompCode::Success), true));
}

#[tokio::test]
async fn a_body_that_fails_fails_the_request() {
    let streamed = start();
    let answer =
        |_| async { Ok::<_, Infallible>(Response::new(parts(vec![data("abc"), Err(io::Error::other("disk"))]))) };
    let response = ServerLayer::new().layer(service_fn(answer)).oneshot(request()).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    let activity = streamed.only("server");
    assert_eq!((activity.status, &*activity.exception), (Some(ActivityStatus::Exception), "disk"));
    assert_eq!(said(&activity.properties, "http.response.body.size").as_deref(), Some("3"));
}

#[tokio::test]
async fn a_client_that_disconnects_is_told() {
    let streamed = start();
    let never = |_| async { Ok::<_, Infallible>(pending::<Response<Empty<Bytes>>>().await) };
    let response = ServerLayer::new().layer(service_fn(never)).oneshot(request());
    assert!(response.now_or_never().is_none());
    let activity = streamed.only("server");
    assert_eq!((activity.comp_code, activity.severity), (Some(CompCode::Warning), Severity::Warning));
    assert_eq!(activity.exception, "the client disconnected before the response");

    let streamed = start();
    let endless =
        |_| async { Ok::<_, Infallible>(Response::new(StreamBody::new(stream::repeat_with(|| data("abc"))))) };
    let response = ServerLayer::new().layer(service_fn(endless)).oneshot(request()).await.unwrap();
    let mut body = response.into_body();
    assert!(body.frame().await.is_some());
    drop(body);
    let activity = streamed.only("server");
    assert_eq!(activity.exception, "the client disconnected before the end of the response");
    assert_eq!(said(&activity.properties, "http.response.body.size").as_deref(), Some("3"));
}

#[tokio::test]
async fn a_handler_that_panics_fails_the_request() {
    let streamed = start();
    let panics = |_| async { panic!("a bug") as Result<Response<Empty<Bytes>>, Infallible> };
    let call = ServerLayer::new().layer(service_fn(panics)).oneshot(request());
    assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
    let activity = streamed.only("server");
    assert_eq!((activity.status, &*activity.exception), (Some(ActivityStatus::Exception), "panicked"));
}

#[tokio::test]
async fn grpc_is_named_by_its_method_and_fails_by_its_trailers() {
    for status in ["13", "12"] {
        let streamed = start();
        let answer = move |_| async move {
            let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), status.parse().unwrap())]);
            let body = parts(vec![data("abc"), Ok(Frame::trailers(trailers))]);
            Ok::<_, Infallible>(Response::builder().header("content-type", "application/grpc").body(body).unwrap())
        };
        let request = Request::post("/shop.Orders/Take").header("content-type", "application/grpc");
        let service = ServerLayer::new().layer(service_fn(answer));
        let response = service.oneshot(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        response.into_body().collect().await.unwrap();
        let activity = streamed.only("server");
        assert_eq!((&*activity.operation, activity.comp_code), ("shop.Orders/Take", Some(CompCode::Error)));
        assert_eq!(said(&activity.properties, "rpc.response.status_code").as_deref(), Some(status));
    }
    // A method that there is not: names without end.
    let streamed = start();
    let answer = |_| async {
        let response = Response::builder().header("content-type", "application/grpc").header("grpc-status", "12");
        Ok::<_, Infallible>(response.body(Empty::<Bytes>::new()).unwrap())
    };
    let request = Request::post("/x/y").header("content-type", "application/grpc").body(Empty::<Bytes>::new()).unwrap();
    drop(ServerLayer::new().layer(service_fn(answer)).oneshot(request).await);
    let activity = streamed.only("server");
    assert_eq!((&*activity.operation, &*activity.exception), ("POST", "UNIMPLEMENTED"));
}

#[tokio::test]
async fn a_router_inside_names_the_operation() {
    let streamed = start();
    let answer = |_| async {
        let operation = Operation::new("POST /items/{id}");
        Ok::<_, Infallible>(Response::builder().extension(operation).body(Empty::<Bytes>::new()).unwrap())
    };
    let mut request = request();
    request.extensions_mut().insert(Peer("192.0.2.1:4000".parse().unwrap()));
    drop(ServerLayer::new().layer(service_fn(answer)).oneshot(request).await);
    let activity = streamed.only("server");
    assert_eq!(activity.operation, "POST /items/{id}");
    assert_eq!(said(&activity.properties, "network.peer.address").as_deref(), Some("192.0.2.1"));
    // Nobody has sent it by a message.
    assert!(streamed.events(OpType::Receive).is_empty());
}

#[tokio::test]
async fn messages_can_be_left_out() {
    let streamed = start();
    let answer = |_| async { Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())) };
    let server = ServerLayer::new().messages(false).layer(service_fn(answer));
    drop(ClientLayer::new().messages(false).layer(server).oneshot(request()).await);
    assert_eq!(streamed.activities().len(), 2);
    assert!(streamed.events(OpType::Send).is_empty() && streamed.events(OpType::Receive).is_empty());
}

/// Without a layer of jkool-tracing the services work as they did.
#[tokio::test]
async fn no_subscriber_is_no_trouble() {
    let answer = |request: Request<Full<Bytes>>| async move {
        assert!(request.headers().is_empty());
        Ok::<_, Infallible>(Response::new(parts(vec![data("abc")])))
    };
    let service = ClientLayer::new().layer(ServerLayer::new().layer(service_fn(answer)));
    let mut body = service.oneshot(request()).await.unwrap().into_body();
    assert_eq!(body.next_data().await, "abc");
}

trait NextData {
    async fn next_data(&mut self) -> Bytes;
}

impl<B: http_body::Body<Data = Bytes, Error = io::Error> + Unpin> NextData for B {
    async fn next_data(&mut self) -> Bytes {
        let mut frames = BodyExt::into_data_stream(self);
        frames.next().await.unwrap().unwrap()
    }
}
