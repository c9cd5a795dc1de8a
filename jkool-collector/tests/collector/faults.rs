//! A slow, huge, endless or malformed request harms nobody else.

use crate::socket::{Connection, PATIENCE, ask, collector, event, eventually, post, request, stored};
use jkool_collector::{Clock, Collector, CollectorBuilder, Store};
use std::net::TcpStream;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(50);

fn builder() -> CollectorBuilder {
    Collector::builder().listen("127.0.0.1:0")
}

fn is_well(collector: &Collector) {
    assert_eq!(ask(collector, post("/event", event("good"))).status, 202);
}

/// Both ends are in this process.
#[cfg(unix)]
fn allow_files(count: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.current.max(Some(limit.maximum.unwrap_or(count).min(count)));
    setrlimit(Resource::Nofile, limit).unwrap();
}

#[cfg(not(unix))]
fn allow_files(_: u64) {}

#[test]
fn a_thousand_connections_at_once_are_all_served() {
    allow_files(4_000);
    let collector = collector();
    let mut connections: Vec<_> = (0..1_000).map(|_| Connection::open(collector.address())).collect();
    for connection in &mut connections {
        connection.send(post("/event", event("a")));
    }
    assert!(connections.iter_mut().all(|connection| connection.answer().status == 202));
    // Open and silent they are in nobody's way.
    is_well(&collector);
    assert_eq!(stored(&collector).len(), 1_001);
    assert!(collector.counts().open >= 1_000, "{:?}", collector.counts());
    drop(connections);
    eventually("all are closed", || collector.counts().open == 0);
}

#[test]
fn one_connection_too_many_takes_the_place_of_a_silent_one() {
    let collector = builder().max_connections(2).start().unwrap();
    let mut silent = Connection::open(collector.address());
    assert_eq!(silent.ask(post("/event", event("a"))).status, 202);
    let mut active = Connection::open(collector.address());
    for _ in 0..20 {
        assert_eq!(active.ask(post("/event", event("a"))).status, 202);
    }
    let mut third = Connection::open(collector.address());
    assert_eq!(third.ask(post("/event", event("a"))).status, 202);
    // The one that has been silent for longest is gone, the other goes on.
    assert!(silent.is_closed());
    assert_eq!(active.ask(post("/event", event("a"))).status, 202);
    // However many come and are silent, there is room.
    let crowd = (0..100).map(|_| {
        let mut connection = Connection::open(collector.address());
        assert_eq!(connection.ask(post("/event", event("a"))).status, 202);
        connection
    });
    assert_eq!(crowd.collect::<Vec<_>>().len(), 100);
    assert_eq!(collector.counts().turned_away, 0);
}

#[test]
fn one_connection_too_many_is_told_so_when_all_are_busy() {
    let collector = builder().max_connections(2).start().unwrap();
    let mut busy: Vec<_> = (0..2).map(|_| Connection::open(collector.address())).collect();
    for connection in &mut busy {
        // The server has begun with it: it asks for the body.
        let head = "POST /event HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 17\r\n\r\n";
        connection.send(head);
        assert_eq!(connection.line(), "HTTP/1.1 100 Continue\r\n");
        assert_eq!(connection.line(), "\r\n");
    }
    let answer = ask(&collector, post("/event", event("b")));
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert_eq!(answer.json()["error"], "too many connections");
    assert_eq!(collector.counts().turned_away, 1);
    for connection in &mut busy {
        assert_eq!(connection.ask(event("a")).status, 202);
    }
    is_well(&collector);
}

#[test]
fn a_head_that_never_ends_is_not_waited_for() {
    let collector = builder().head_timeout(SHORT).start().unwrap();
    let mut silent = Connection::open(collector.address());
    let mut slow = Connection::open(collector.address());
    slow.send("POST /event HTTP/1.1\r\nHost: loc");
    let mut dripping = Connection::open(collector.address());
    dripping.send("POST /event HTTP/1.1\r\n");
    // However many bytes come, it is the whole that must be there in time.
    eventually("it is closed", || !dripping.try_send("a: b\r\n"));
    assert!(slow.is_closed());
    // Who has begun nothing has more time.
    assert_eq!(silent.ask(post("/event", event("a"))).status, 202);
    is_well(&collector);
}

#[test]
fn a_body_that_stops_coming_is_not_waited_for() {
    let collector = builder().body_timeout(SHORT).start().unwrap();
    let mut slow = Connection::open(collector.address());
    slow.send("POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"oper");
    let answer = slow.answer();
    assert_eq!((answer.status, answer.json()["error"].as_str()), (408, Some("the body did not arrive in time")));
    assert!(slow.is_closed());
    is_well(&collector);
    assert_eq!(stored(&collector).len(), 1);
}

#[test]
fn a_silent_connection_is_closed_some_time() {
    let collector = builder().head_timeout(Duration::MAX).idle_timeout(SHORT).start().unwrap();
    let mut silent = Connection::open(collector.address());
    assert!(silent.is_closed());
    let mut silent = Connection::open(collector.address());
    assert_eq!(silent.ask(post("/event", event("a"))).status, 202);
    assert!(silent.is_closed());
}

#[test]
fn an_answer_that_is_not_read_is_not_waited_for() {
    let collector = builder().idle_timeout(SHORT).start().unwrap();
    let mut deaf = Connection::open_narrow(collector.address());
    // Their answers are more than fits between the two.
    let all = request("GET", "/api/openapi.json", &[], "").repeat(10);
    eventually("it is closed", || !deaf.try_send(&all));
    is_well(&collector);
}

#[test]
fn a_hundred_megabytes_are_refused_and_the_answer_arrives() {
    let collector = collector();
    let megabyte = vec![b' '; 1 << 20];
    for head in ["Content-Length: 104857600", "Transfer-Encoding: chunked"] {
        let mut huge = Connection::open(collector.address());
        huge.send(format!("POST /event HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n"));
        for _ in 0..100 {
            if head.starts_with('T') && !huge.try_send("100000\r\n") {
                break;
            }
            if !huge.try_send(&megabyte) || (head.starts_with('T') && !huge.try_send("\r\n")) {
                break;
            }
        }
        let answer = huge.answer();
        assert_eq!((answer.status, answer.header("connection")), (413, Some("close")), "{head}");
    }
    is_well(&collector);
}

#[test]
fn what_is_no_http_is_turned_away() {
    let collector = collector();
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(1_000));
    for garbage in [
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".as_slice(),
        b"\0\0\0\0\r\n\r\n",
        b"{\"operation\":\"a\"}\n",
        b"POST /event HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /event HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST /event HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ] {
        let mut connection = Connection::open(collector.address());
        connection.try_send(garbage);
        let status = connection.try_answer().map(|answer| answer.status);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{status:?}");
        assert!(connection.is_closed());
    }
    is_well(&collector);
    assert_eq!(stored(&collector).len(), 1);
}

#[test]
fn who_goes_away_in_the_middle_is_forgotten() {
    let collector = collector();
    for part in [
        "",
        "POST",
        "POST /event HTTP/1.1\r\nContent-Length: 10\r\n\r\n",
        "POST /event HTTP/1.1\r\nContent-Length: 10\r\n\r\n{",
    ] {
        let mut connection = Connection::open(collector.address());
        connection.send(part);
        drop(connection);
        let mut connection = Connection::open(collector.address());
        connection.send(part);
        connection.send_no_more();
        while connection.try_answer().is_some() {}
    }
    eventually("all are closed", || collector.counts().open == 0);
    is_well(&collector);
}

/// Sends everything at once to a store that is kept from writing until `meanwhile` is over, and has room for one batch.
fn to_a_busy_store(
    builder: CollectorBuilder,
    send: impl FnOnce(&Collector),
    meanwhile: impl FnOnce(&Collector),
) -> Collector {
    let (go, held) = mpsc::channel::<()>();
    let (holds, is_held) = mpsc::channel();
    let held = Mutex::new(Some(held));
    // The store asks for the time before it writes.
    let clock = Clock::new(move || {
        if let Some(held) = held.lock().unwrap().take() {
            holds.send(()).unwrap();
            held.recv().unwrap();
        }
        Clock::default().now()
    });
    let collector = builder.store(Store::builder().waiting(1).clock(clock)).start().unwrap();
    let address = collector.address();
    let first = thread::spawn(move || Connection::open(address).ask(post("/event", event("first"))));
    is_held.recv().unwrap();
    send(&collector);
    meanwhile(&collector);
    go.send(()).unwrap();
    assert_eq!(first.join().unwrap().status, 202);
    collector
}

#[test]
fn a_store_that_is_too_busy_says_when_to_come_again() {
    let (tell, told) = mpsc::channel();
    let send = |collector: &Collector| {
        for _ in 0..3 {
            let (address, tell) = (collector.address(), tell.clone());
            thread::spawn(move || tell.send(Connection::open(address).ask(post("/event", event("a")))));
        }
    };
    let collector = to_a_busy_store(builder(), send, |_| {
        for _ in 0..3 {
            let answer = told.recv_timeout(PATIENCE).unwrap();
            assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
        }
    });
    is_well(&collector);
}

#[test]
fn lines_over_tcp_wait_for_a_busy_store() {
    let send = |collector: &Collector| {
        for _ in 0..3 {
            let mut connection = Connection::open(collector.tcp_address().unwrap());
            connection.send(format!("{}\n", event("a")).repeat(10));
        }
    };
    let collector = to_a_busy_store(builder().listen_tcp("127.0.0.1:0"), send, |collector| {
        eventually("all are connected", || collector.counts().open == 4);
    });
    eventually("all are stored", || collector.counts().stored == 31);
}

#[test]
fn who_watches_is_not_cut_off_and_told_when_it_ends() {
    let collector = builder().idle_timeout(SHORT).head_timeout(SHORT).body_timeout(SHORT).start().unwrap();
    let mut watching = Connection::open(collector.address());
    watching.send(request("GET", "/api/tail", &[], ""));
    // Who came later and does nothing is closed.
    let mut answer = watching.head().unwrap();
    assert!(Connection::open(collector.address()).is_closed());
    assert!(Connection::open(collector.address()).is_closed());
    is_well(&collector);
    while !watching.line().contains(&event("good")) {}
    drop(collector);
    watching.body(&mut answer);
    // The end of the last chunk: it was not torn off.
    assert!(answer.body.ends_with("0\r\n\r\n"), "{answer:?}");
}

#[test]
fn it_ends_even_if_clients_do_not() {
    let collector = collector();
    let address = collector.address();
    let mut idle = Connection::open(address);
    assert_eq!(idle.ask(post("/event", event("a"))).status, 202);
    let mut stuck = Connection::open(address);
    stuck.send("POST /event HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"oper");
    collector.shutdown();
    assert!(idle.is_closed() && stuck.is_closed());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn what_a_client_that_reads_no_answer_has_sent_before_the_end_is_kept() {
    let collector = collector();
    let store = collector.store().clone();
    let mut connection = Connection::open(collector.address());
    let one = request("POST", "/event", &[("Pragma", "no-response")], event("a"));
    connection.send(&one);
    eventually("it is there", || collector.counts().stored == 1);
    // All at once: the collector is told to end long before it has read them one by one.
    connection.send(one.repeat(200));
    collector.shutdown();
    assert!(connection.is_closed());
    assert_eq!(store.read_now(|reader| reader.sizes()).unwrap().events, 201);
}

#[test]
fn it_starts_and_ends_inside_of_any_runtime() {
    for mut runtime in [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()] {
        runtime.build().unwrap().block_on(async {
            let collector = collector();
            is_well(&collector);
            drop(collector);
        });
    }
}

#[test]
fn an_address_that_somebody_has_is_named() {
    let first = collector();
    let address = first.address().to_string();
    let error = Collector::builder().listen(&address).start().unwrap_err();
    assert!(error.to_string().starts_with(&format!("can't listen on {address}: ")), "{error}");
    drop(first);
    Collector::builder().listen(&address).start().unwrap();
    let error = Collector::builder().listen("no port").start().unwrap_err();
    assert!(error.to_string().starts_with("can't listen on no port: "), "{error}");
}
