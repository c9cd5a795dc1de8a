//! The two services: the first calls the second, in which items are out of stock, slow to find, unknown, or never found.

use crate::recorder::Recorder;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use jkool_tower::{ClientLayer, ServerLayer};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use std::collections::HashSet;
use std::future::pending;
use std::io::Read;
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tracing::{Instrument, debug_span, info, info_span, instrument};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub(crate) const ORDERS: &str = "Orders";
pub(crate) const STOCK: &str = "Stock";

/// An order that is answered only when nobody waits for it any more.
pub(crate) fn hangs(number: u32) -> bool {
    number % 10 == 7
}

/// Says where it listens, serves until its standard input ends, and says what its recorder saw.
pub(crate) fn run(name: &str, collector: &str, stock: Option<&str>) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let (jkool, guard) = jkool_tracing::builder()
        .url(collector)
        .token("any")
        .source(format!("APPL={name}#SERVER=test").parse().unwrap())
        .configure(|client| client.loss_events(false).notices(false))
        .build()
        .unwrap();
    let recorder = Recorder::default();
    // The clients' own libraries open spans as well, which are not the test's business.
    let filter = tracing_subscriber::filter::Targets::new()
        .with_target("jkool_tower", tracing::Level::TRACE)
        .with_target(module_path!(), tracing::Level::TRACE);
    tracing_subscriber::registry().with(filter).with(jkool).with(recorder.clone()).init();

    let app = match stock {
        Some(stock) => orders(stock),
        None => items(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let end = std::io::stdin().read_to_end(&mut Vec::new());
            drop((stop, end));
        });
        let serve = axum::serve(listener, app).with_graceful_shutdown(async { stopped.await.unwrap_or_default() });
        serve.await.unwrap();
    });
    // What still runs is cancelled.
    drop(runtime);
    let report = guard.flush(Duration::from_secs(60));
    assert!(report.is_delivered(), "{report}");
    recorder.closed().iter().for_each(|seen| println!("{}", seen.to_line()));
}

#[derive(Clone)]
struct Orders {
    client: ClientWithMiddleware,
    stock: String,
}

fn orders(stock: &str) -> Router {
    let client = ClientBuilder::new(reqwest::Client::new()).with(ClientLayer::new()).build();
    let state = Orders { client, stock: format!("http://{stock}") };
    Router::new().route("/orders/{number}", get(order)).with_state(state).layer(ServerLayer::new())
}

async fn order(State(orders): State<Orders>, Path(number): Path<u32>) -> StatusCode {
    // One that goes on after the answer, in the trace, and one at the same time as another.
    tokio::spawn(async move { info!("order {number}") }.instrument(info_span!("audit", number)));
    let price = async { tokio::task::yield_now().await }.instrument(debug_span!("price", number));
    match tokio::join!(reserve(&orders, number), price).0 {
        Ok(StatusCode::INTERNAL_SERVER_ERROR) => StatusCode::BAD_GATEWAY,
        Ok(status) => status,
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}

#[instrument(err, skip(orders))]
async fn reserve(orders: &Orders, number: u32) -> Result<StatusCode, reqwest_middleware::Error> {
    let response = orders.client.get(format!("{}/items/{number}", orders.stock)).send().await?;
    let status = response.status();
    response.bytes().await?;
    if status.is_server_error() {
        tracing::error!("the stock has failed");
    }
    Ok(status)
}

/// Which items were asked for that nobody finds.
type Hanging = watch::Sender<HashSet<u32>>;

fn items() -> Router {
    let hanging = Hanging::default();
    // What the test asks for is no part of the story.
    Router::new()
        .route("/items/{number}", get(item))
        .layer(ServerLayer::new())
        .route("/hanging/{number}", get(is_hanging))
        .with_state(hanging)
}

async fn item(State(hanging): State<Hanging>, Path(number): Path<u32>) -> (StatusCode, String) {
    match number % 10 {
        3 => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        5 => {
            tokio::time::sleep(Duration::from_millis(20)).instrument(info_span!("search", number)).await;
            (StatusCode::OK, "found".into())
        }
        _ if hangs(number) => {
            hanging.send_modify(|numbers| _ = numbers.insert(number));
            pending().instrument(info_span!("search", number)).await
        }
        9 => (StatusCode::NOT_FOUND, String::new()),
        _ => (StatusCode::OK, format!("item {number}")),
    }
}

/// Answers when the item is being searched for.
async fn is_hanging(State(hanging): State<Hanging>, Path(number): Path<u32>) {
    let waited = hanging.subscribe().wait_for(|numbers| numbers.contains(&number)).await.map(drop);
    waited.unwrap_or_default();
}
