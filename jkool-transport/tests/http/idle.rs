//! Connections that the server closes while nothing is sent.
//!
//! What the system says of them stands in `/proc/net/tcp`, and so only Linux is asked.
#![cfg(all(feature = "http", target_os = "linux"))]

use crate::common::server::{Reply, Server};
use crate::common::tls::{Authority, handshake, url};
use crate::common::{event, events, marks};
use jkool_transport::{HttpTransport, Transport};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// The state of a socket whose other side has closed, and this one has not.
const CLOSE_WAIT: &str = "08";
const ESTABLISHED: &str = "01";

/// How many sockets to this server are in this state.
fn sockets(addr: SocketAddr, state: &str) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the system's table of sockets");
    let port = format!(":{:04X}", addr.port());
    let is_one = |line: &&str| {
        let mut fields = line.split_whitespace().skip(2);
        fields.next().is_some_and(|remote| remote.ends_with(&port)) && fields.next() == Some(state)
    };
    table.lines().filter(is_one).count()
}

/// A server, and its port, which stays ours when it ends.
fn start() -> (TcpListener, Server) {
    let port = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = restart(&port);
    (port, server)
}

fn restart(port: &TcpListener) -> Server {
    Server::over(port.try_clone().expect("the same port"), |stream| async { Ok(stream) })
}

/// Lets so much time pass, in steps in which timers fire and sockets get their turn.
async fn pass(seconds: u64) {
    for _ in 0..seconds {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::time::resume();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

/// As many sends as make so many connections.
async fn burst(server: &Server, transport: &Arc<HttpTransport>, count: usize) {
    let all = Arc::new(Barrier::new(count));
    server.script((0..count).map(|_| Reply::Together(Arc::clone(&all))));
    let mut sends = JoinSet::new();
    for number in 0..count {
        let transport = Arc::clone(transport);
        sends.spawn(async move { marks(&transport.send(&[event(number)]).await) });
    }
    assert!(sends.join_all().await.iter().all(|mark| mark == "."));
}

#[tokio::test]
async fn what_the_server_has_closed_is_closed_while_nothing_is_sent() {
    for by_proxy in [false, true] {
        let (port, mut server) = start();
        let builder = HttpTransport::builder(server.url());
        let builder = if by_proxy { builder.proxy(server.url()) } else { builder };
        let transport = builder.build().expect("a transport");
        // Twice: the task that looks has ended meanwhile.
        for number in 0..2 {
            assert_eq!(marks(&transport.send(&[event(number)]).await), ".");
            assert_eq!(sockets(server.addr(), ESTABLISHED), 1);
            drop(server);
            pass(4).await;
            server = restart(&port);
            assert_eq!(sockets(server.addr(), CLOSE_WAIT), 0, "by a proxy: {by_proxy}");
        }
    }
}

#[tokio::test]
async fn over_tls_too() {
    let authority = Authority::new();
    let acceptor = authority.issue("127.0.0.1").acceptor(None);
    let port = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let listener = port.try_clone().expect("the same port");
    let server = Server::over(listener, move |stream| handshake(acceptor.clone(), stream));
    let transport = HttpTransport::builder(url(&server)).ca_certificate_pem(authority.pem());
    let transport = transport.build().expect("a transport");
    assert_eq!(marks(&transport.send(&events(1)).await), ".");
    let addr = server.addr();
    assert_eq!(sockets(addr, ESTABLISHED), 1);
    drop(server);
    pass(4).await;
    assert_eq!(sockets(addr, CLOSE_WAIT), 0);
}

/// A server that restarts closes all, and those of a burst are many.
#[tokio::test]
async fn any_number_of_them_is_closed() {
    let (_port, server) = start();
    let addr = server.addr();
    let transport = Arc::new(HttpTransport::builder(server.url()).build().expect("a transport"));
    burst(&server, &transport, 200).await;
    assert_eq!(sockets(addr, ESTABLISHED), 200);
    drop(server);
    pass(4).await;
    assert_eq!(sockets(addr, CLOSE_WAIT), 0);
}

#[tokio::test]
async fn what_is_not_needed_any_more_is_closed_without_another_request() {
    let server = Server::start();
    let transport = Arc::new(HttpTransport::builder(server.url()).build().expect("a transport"));
    burst(&server, &transport, 3).await;
    pass(85).await;
    assert_eq!(sockets(server.addr(), ESTABLISHED), 3);
    pass(10).await;
    server.ended(3).await;
    assert_eq!(sockets(server.addr(), ESTABLISHED), 0);
}

/// A program may end the runtime in which it has sent, and go on in another one.
#[test]
fn another_runtime_looks_after_its_own() {
    let (port, mut server) = start();
    let transport = HttpTransport::builder(server.url()).build().expect("a transport");
    for number in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            assert_eq!(marks(&transport.send(&[event(number)]).await), ".");
            drop(server);
            if number == 1 {
                pass(4).await;
            }
        });
        server = restart(&port);
    }
    assert_eq!(sockets(server.addr(), CLOSE_WAIT), 0);
}
