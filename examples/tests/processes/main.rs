//! Two services as processes of their own, under load: what the collector has of their spans is what another layer in the same processes
//! has seen, span for span.
//!
//! The processes are this program again; the first argument says which service it is.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test ends its tasks itself")]
#![allow(clippy::print_stdout, reason = "services tell their parent where they listen and what they saw")]

mod recorder;
mod service;

use jkool_collector::Collector;
use recorder::Seen;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Requests to the first service, in which every kind of path is taken.
const REQUESTS: u32 = 400;
/// At the same time.
const CLIENTS: u32 = 16;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [service::STOCK, url] => service::run(service::STOCK, url, None),
        [service::ORDERS, url, stock] => service::run(service::ORDERS, url, Some(stock)),
        // A test runner that lists the tests, or wants another one.
        ["--list", ..] => println!("the_tree_is_what_the_services_saw: test"),
        _ => the_tree_is_what_the_services_saw(),
    }
}

fn the_tree_is_what_the_services_saw() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let collector = Collector::builder().listen("127.0.0.1:0").start().unwrap();
    let mut stock = Process::start(&[service::STOCK, &collector.url()]);
    let mut orders = Process::start(&[service::ORDERS, &collector.url(), &stock.address]);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answers = runtime.block_on(load(&orders.address, &stock.address));
    let a_tenth = REQUESTS / 10;
    let expected = [("200", 7 * a_tenth), ("404", a_tenth), ("502", a_tenth), ("given up", a_tenth)];
    assert_eq!(answers, expected.map(|(answer, count)| (answer.to_owned(), count)).into());
    let seen = [orders.stop(), stock.stop()];

    let events = runtime.block_on(read(&collector.url()));
    let activities: Vec<&Value> = events.iter().filter(|event| event["type"] == "ACTIVITY").collect();
    let told: Vec<Seen> = activities.iter().map(|activity| told(activity)).collect();
    let seen = joined(seen);
    assert_eq!(tree(&told), tree(&seen));
    // Three requests of each order, of which one is made: and what happens in them.
    let count = |name: &str| seen.iter().filter(|seen| seen.name == name).count() as u32;
    assert_eq!((count("request"), count("reserve"), count("search")), (3 * REQUESTS, REQUESTS, 2 * a_tenth));
    // Who has given up is told of, on both sides of both connections.
    let trouble = |text: &str| activities.iter().filter(|activity| activity["exception"] == text).count() as u32;
    assert_eq!(trouble("the client disconnected before the response"), 2 * a_tenth);
    assert_eq!(trouble("cancelled before the response"), a_tenth);

    // The map: a message for each request that was made, and received.
    let flows = runtime.block_on(get(&format!("{}/api/flows", collector.url())));
    let (received, failed) = (u64::from(REQUESTS), u64::from(a_tenth));
    let flows = flows["flows"].as_array().unwrap().clone();
    assert_eq!(flows.len(), 1, "{flows:?}");
    let appl = |field: &str| flows[0][field].as_str().unwrap().split('#').next().unwrap().to_owned();
    assert_eq!((appl("from"), appl("to")), (format!("APPL={}", service::ORDERS), format!("APPL={}", service::STOCK)));
    assert_eq!((flows[0]["count"].as_u64(), flows[0]["errors"].as_u64()), (Some(received), Some(failed)));
    println!("{} spans of two processes are what was seen; {received} messages, {failed} failed", seen.len());
}

/// What came of the requests, by how often.
async fn load(orders: &str, stock: &str) -> BTreeMap<String, u32> {
    let client = reqwest::Client::new();
    let mut tasks = tokio::task::JoinSet::new();
    for first in 0..CLIENTS {
        let (client, orders, stock) = (client.clone(), orders.to_owned(), stock.to_owned());
        tasks.spawn(async move {
            let mut answers = Vec::new();
            for number in (first..REQUESTS).step_by(CLIENTS as usize) {
                let answer = client.get(format!("http://{orders}/orders/{number}")).send();
                let answer = if service::hangs(number) {
                    tokio::select! {
                        answer = answer => answer,
                        // When it has come so far, nobody waits for it any more.
                        _ = client.get(format!("http://{stock}/hanging/{number}")).send() => {
                            answers.push("given up".to_owned());
                            continue;
                        }
                    }
                } else {
                    answer.await
                };
                answers.push(answer.unwrap().status().as_str().to_owned());
            }
            answers
        });
    }
    let mut answers = BTreeMap::new();
    for answer in tasks.join_all().await.into_iter().flatten() {
        *answers.entry(answer).or_default() += 1;
    }
    answers
}

async fn get(url: &str) -> Value {
    let text = reqwest::get(url).await.unwrap().error_for_status().unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}

/// All that the collector has.
async fn read(url: &str) -> Vec<Value> {
    let text = reqwest::get(format!("{url}/api/events.jsonl")).await.unwrap().text().await.unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What an activity says of the span.
fn told(activity: &Value) -> Seen {
    let property = |name: &str| {
        let found = activity["properties"].as_array()?.iter().find(|property| property["name"] == name)?;
        Some(found["value"].as_str().map_or_else(|| found["value"].to_string(), str::to_owned))
    };
    let text = |field: &str| activity[field].as_str().map(str::to_owned);
    let kind = property("otel.kind").unwrap_or_default();
    Seen {
        id: text("tracking-id").unwrap(),
        parent: text("parent-id"),
        name: if kind.is_empty() { text("operation").unwrap() } else { "request".into() },
        kind,
        about: property("url.path").or_else(|| property("number")).unwrap(),
        failed: activity["status"] == "EXCEPTION",
    }
}

/// What the recorders of both processes saw. Neither knows of the other; but there is one request for each path, made by the first and
/// received by the second.
fn joined(seen: [Vec<Seen>; 2]) -> Vec<Seen> {
    let [first, mut second] = seen;
    let made: HashMap<&str, &str> =
        first.iter().filter(|span| span.kind == "client").map(|span| (&*span.about, &*span.id)).collect();
    for span in &mut second {
        span.parent = match span.parent.take() {
            Some(parent) => Some(format!("second {parent}")),
            None => Some(made[&*span.about].to_owned()),
        };
        span.id = format!("second {}", span.id);
    }
    first.iter().cloned().chain(second).collect()
}

/// Each span by what is known of it and of those around it, up to the root of the trace. Ids differ, this does not.
fn tree(spans: &[Seen]) -> Vec<String> {
    let by_id: HashMap<&str, &Seen> = spans.iter().map(|span| (&*span.id, span)).collect();
    assert_eq!(by_id.len(), spans.len(), "an id came twice");
    let line = |span: &Seen| {
        let (mut line, mut next) = (String::new(), Some(span));
        while let Some(Seen { name, kind, about, failed, parent, .. }) = next {
            line += &format!("{name} {kind} {about} {} < ", if *failed { "failed" } else { "fine" });
            next = parent
                .as_ref()
                .map(|parent| *by_id.get(&**parent).unwrap_or_else(|| panic!("nobody has seen {parent}")));
        }
        line
    };
    let mut lines: Vec<String> = spans.iter().map(line).collect();
    lines.sort();
    lines
}

/// A service, as a process.
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Process {
    /// It says first where it listens.
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.next().unwrap().unwrap();
        Self { child, lines, address }
    }

    /// It ends with its standard input, and says last what it saw.
    fn stop(&mut self) -> Vec<Seen> {
        drop(self.child.stdin.take());
        let seen = self.lines.by_ref().map(|line| Seen::from_line(&line.unwrap())).collect();
        assert!(self.child.wait().unwrap().success());
        seen
    }
}

/// No process outlives a test that fails.
impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
    }
}
