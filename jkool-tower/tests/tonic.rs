//! gRPC by tonic itself: its server and its client, over a real connection.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test may panic, and ends its server itself")]

mod common;

use bytes::{Buf, BufMut};
use common::{Streamed, said, start};
use futures_util::{Stream, stream};
use http::uri::PathAndQuery;
use jkool_tower::{ClientLayer, ClientService, ServerLayer};
use jkool_tracing::model::{Activity, ActivityStatus, CompCode, OpType};
use std::convert::Infallible;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};
use tower::{Layer, service_fn};

/// Messages are texts.
#[derive(Clone, Copy)]
struct Texts;

impl Codec for Texts {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Texts {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Texts {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let text = bytes.copy_to_bytes(bytes.remaining()).to_vec();
        String::from_utf8(text).map(Some).map_err(|_| Status::invalid_argument("no text"))
    }
}

async fn take(request: Request<String>) -> Result<Response<String>, Status> {
    match request.into_inner().as_str() {
        "" => Err(Status::invalid_argument("no order")),
        order => Ok(Response::new(format!("took {order}"))),
    }
}

/// Tells of three steps, and fails if it is told to.
async fn watch(
    request: Request<String>,
) -> Result<Response<impl Stream<Item = Result<String, Status>> + use<>>, Status> {
    let mut steps: Vec<_> = ["picked", "packed", "sent"].map(|step| Ok(step.to_owned())).into();
    if request.into_inner() == "fail" {
        steps.push(Err(Status::data_loss("lost on the way")));
    }
    Ok(Response::new(stream::iter(steps)))
}

async fn orders(request: http::Request<Body>) -> Result<http::Response<Body>, Infallible> {
    let mut grpc = tonic::server::Grpc::new(Texts);
    Ok(match request.uri().path() {
        "/shop.Orders/Take" => grpc.unary(service_fn(take), request).await,
        "/shop.Orders/Watch" => grpc.server_streaming(service_fn(watch), request).await,
        _ => Status::unimplemented("").into_http(),
    })
}

type Orders = tonic::client::Grpc<ClientService<Channel>>;

/// Calls a server until it has gone, and all that it did is told.
async fn with_server(call: impl AsyncFnOnce(&mut Orders)) -> Streamed {
    let streamed = start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::builder().layer(ServerLayer::new()).serve_with_incoming_shutdown(
        service_fn(orders),
        TcpIncoming::from(listener),
        async { stopped.await.unwrap_or_default() },
    );
    // On this thread, whose subscriber it is.
    let server = tokio::spawn(server);
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut client = tonic::client::Grpc::new(ClientLayer::new().layer(channel));
    client.ready().await.unwrap();
    call(&mut client).await;
    drop((client, stop));
    server.await.unwrap().unwrap();
    streamed
}

const TAKE: PathAndQuery = PathAndQuery::from_static("/shop.Orders/Take");
const WATCH: PathAndQuery = PathAndQuery::from_static("/shop.Orders/Watch");

fn request(text: &str) -> Request<String> {
    Request::new(text.to_owned())
}

fn status(activity: &Activity) -> String {
    said(&activity.properties, "rpc.response.status_code").unwrap_or_default()
}

#[tokio::test]
async fn a_call_is_an_activity_on_both_sides_and_a_message_between_them() {
    let streamed = with_server(async |orders| {
        let response = orders.unary(request("order-42"), TAKE, Texts).await.unwrap();
        assert_eq!(response.into_inner(), "took order-42");
    })
    .await;
    let (client, server) = (streamed.only("client"), streamed.only("server"));
    for activity in [&client, &server] {
        assert_eq!((&*activity.operation, status(activity)), ("shop.Orders/Take", "0".into()));
        assert_eq!((activity.status, activity.comp_code), (Some(ActivityStatus::End), Some(CompCode::Success)));
        // A flag, a length of four bytes, and the text.
        assert_eq!(said(&activity.properties, "http.response.body.size").as_deref(), Some("18"));
    }
    assert_eq!(server.parent_id, client.tracking_id);
    let (sent, received) = (streamed.events(OpType::Send), streamed.events(OpType::Receive));
    let shared = client.tracking_id.unwrap().to_string();
    for event in [&sent[0], &received[0]] {
        assert!(event.correlators.iter().any(|correlator| *correlator == shared), "{event:?}");
    }
}

#[tokio::test]
async fn what_the_trailers_say_is_the_outcome() {
    let streamed = with_server(async |orders| {
        let error = orders.unary(request(""), TAKE, Texts).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    })
    .await;
    let (client, server) = (streamed.only("client"), streamed.only("server"));
    assert_eq!((status(&client), status(&server)), ("3".into(), "3".into()));
    // It is the client's fault, which the server need not worry about.
    assert_eq!((client.comp_code, server.comp_code), (Some(CompCode::Error), Some(CompCode::Warning)));
    assert_eq!((&*client.exception, &*server.exception), ("INVALID_ARGUMENT", "INVALID_ARGUMENT"));
}

#[tokio::test]
async fn a_stream_lasts_until_its_trailers_which_may_say_that_it_failed() {
    for (text, code) in [("", Code::Ok), ("fail", Code::DataLoss)] {
        let streamed = with_server(async |orders| {
            let mut steps = orders.server_streaming(request(text), WATCH, Texts).await.unwrap().into_inner();
            for expected in ["picked", "packed", "sent"] {
                assert_eq!(steps.message().await.unwrap().as_deref(), Some(expected));
            }
            let end = steps.message().await;
            assert_eq!(end.err().map_or(Code::Ok, |status| status.code()), code);
        })
        .await;
        for activity in [streamed.only("client"), streamed.only("server")] {
            let failed = code != Code::Ok;
            assert_eq!((&*activity.operation, status(&activity)), ("shop.Orders/Watch", (code as i32).to_string()));
            let expected = if failed { ActivityStatus::Exception } else { ActivityStatus::End };
            assert_eq!(
                (activity.status, &*activity.exception),
                (Some(expected), if failed { "DATA_LOSS" } else { "" })
            );
            assert_eq!(said(&activity.properties, "http.response.body.size").as_deref(), Some("31"));
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_given_up_is_told_by_both_sides() {
    let streamed = with_server(async |orders| {
        let mut steps = orders.server_streaming(request(""), WATCH, Texts).await.unwrap().into_inner();
        assert!(steps.message().await.unwrap().is_some());
    })
    .await;
    assert_eq!(streamed.only("client").exception, "the response was not read to its end");
    assert_eq!(streamed.only("server").operation, "shop.Orders/Watch");
}

#[tokio::test]
async fn a_method_that_there_is_not_is_no_name() {
    let streamed = with_server(async |orders| {
        let error =
            orders.unary(request("x"), PathAndQuery::from_static("/shop.Orders/None"), Texts).await.unwrap_err();
        assert_eq!(error.code(), Code::Unimplemented);
    })
    .await;
    let server = streamed.only("server");
    assert_eq!((&*server.operation, status(&server)), ("POST", "12".into()));
}
