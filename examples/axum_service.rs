//! Two services with axum, one of which calls the other: every request is an activity, and the collector knows who calls whom.
//! `cargo run --example axum_service`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use jkool_client::model::{Activity, Entity, SourceType, TrackingId};
use jkool_examples::Destination;
use jkool_tower::{ClientLayer, Operation, ServerLayer};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::runtime;
use tokio::sync::oneshot;
use tracing::{error, info, instrument};
use tracing_subscriber::layer::SubscriberExt;

fn main() -> Result<(), Box<dyn Error>> {
    let destination = Destination::from_env()?;
    println!("Streaming to {destination}\n");
    drop(rustls::crypto::ring::default_provider().install_default()); // reqwest asks for it, whatever it calls

    let stock = Service::start(&destination, "Stock", Router::new().route("/items/{id}", get(item)))?;
    let calls = Calls {
        // Each request of this client is a span in the one that makes it, and carries the trace in its headers.
        client: ClientBuilder::new(reqwest::Client::new()).with(ClientLayer::new()).build(),
        stock: format!("http://{}", stock.address),
    };
    let orders = Router::new().route("/orders/{id}", get(order)).with_state(calls);
    let orders = Service::start(&destination, "Orders", orders)?;

    // A browser, say, which knows nothing of traces.
    let browser = reqwest::Client::new();
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    for id in [1, 13] {
        let url = format!("http://{}/orders/{id}", orders.address);
        let response = runtime.block_on(browser.get(url).send())?;
        println!("order {id}: {}", response.status());
    }
    drop(browser);
    orders.stop()?;
    stock.stop()?;

    show(&destination)
}

/// What the first service needs to call the second.
#[derive(Clone)]
struct Calls {
    client: ClientWithMiddleware,
    stock: String,
}

/// The first service.
async fn order(State(calls): State<Calls>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    match reserve(&calls, id).await {
        Ok(item) => {
            info!("order {id} taken");
            Ok(item)
        }
        Err(error) => {
            error!(error, "order {id} refused");
            Err(StatusCode::BAD_GATEWAY)
        }
    }
}

#[instrument(skip(calls))]
async fn reserve(calls: &Calls, id: u32) -> Result<String, String> {
    let request = calls.client.get(format!("{}/items/{id}", calls.stock));
    let response = request.with_extension(Operation::new("GET /items/{id}")).send().await;
    let response = response.map_err(|error| error.to_string())?;
    let response = response.error_for_status().map_err(|error| error.without_url().to_string())?;
    response.text().await.map_err(|error| error.to_string())
}

/// The second service.
async fn item(Path(id): Path<u32>) -> Result<String, StatusCode> {
    if id == 13 {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    info!("item {id} reserved");
    Ok(format!("item {id}"))
}

/// A service on a thread of its own. In a program that is one service, `init` takes the place of `with_default`, and a main function
/// that of all this.
struct Service {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Service {
    fn start(destination: &Destination, name: &str, app: Router) -> Result<Self, Box<dyn Error>> {
        let (jkool, guard) = jkool_tracing::builder()
            .url(destination.url())
            .token(destination.token())
            .source(format!("APPL={name}#SERVER=?").parse()?)
            .build()?;
        let subscriber = tracing_subscriber::registry().with(jkool);

        let app = app.layer(ServerLayer::new()).into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let serve = async move {
            let serve = axum::serve(tokio::net::TcpListener::from_std(listener)?, app);
            serve.with_graceful_shutdown(async { stopped.await.unwrap_or_default() }).await
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = thread::spawn(move || {
            let served = tracing::subscriber::with_default(subscriber, || runtime.block_on(serve));
            drop(runtime); // with the spans of what still runs
            let report = guard.flush(Duration::from_secs(10));
            served.and(if report.is_delivered() { Ok(()) } else { Err(io::Error::other(report.to_string())) })
        });
        Ok(Self { address, stop, thread })
    }

    /// Ends when all connections have.
    fn stop(self) -> io::Result<()> {
        drop(self.stop);
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the service has panicked")))
    }
}

/// The activities as trees, and the map.
fn show(destination: &Destination) -> Result<(), Box<dyn Error>> {
    let activity = |received| match received {
        Entity::Activity(activity) => Some(*activity),
        _ => None,
    };
    let received = destination.received()?.into_iter().map(|received| received.entity);
    let mut activities: Vec<Activity> = received.filter_map(activity).collect();
    activities.sort_by_key(|activity| activity.start_time);
    show_children(&activities, None, 0);

    for flow in destination.flows()? {
        let (from, to) = (flow.from.get(SourceType::Appl), flow.to.get(SourceType::Appl));
        let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
        println!("\n{from} ─► {to}: {} calls, {} failed", flow.count, flow.errors);
    }
    Ok(())
}

fn show_children(activities: &[Activity], parent: Option<&TrackingId>, depth: usize) {
    for activity in activities.iter().filter(|activity| activity.parent_id.as_ref() == parent) {
        if depth == 0 {
            println!();
        }
        let source = activity.source.as_ref().and_then(|source| source.get(SourceType::Appl)).unwrap_or_default();
        let code = activity.reason_code.map(|code| code.to_string()).unwrap_or_default();
        println!("{:width$}{source}: {} {code}", "", activity.operation, width = 2 * depth);
        show_children(activities, activity.tracking_id.as_ref(), depth + 1);
    }
}
