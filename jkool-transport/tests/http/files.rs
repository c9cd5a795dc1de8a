//! Certificates and keys in files, which are renewed under a transport that runs on.
#![cfg(feature = "http")]

use crate::common::server::{Reply, Server};
use crate::common::tls::{Authority, Identity, handshake, url};
use crate::common::{event, everything_about, failure, marks};
use jkool_transport::{HttpTransport, HttpTransportBuilder, Transport};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

/// A folder of one test's own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("jkool-files-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// In place, as an editor may do it.
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("writing");
    }

    /// By another file that takes its place, as it should be done.
    fn replace(&self, name: &str, text: &str) {
        self.write("new", text);
        std::fs::rename(self.path("new"), self.path(name)).expect("moving");
    }

    fn write_identity(&self, identity: &Identity) {
        self.replace("chain", &identity.pem());
        self.replace("key", &identity.key_pem());
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A server that meets each connection in another way, and the last ones in the last way. It closes each behind its answer.
fn server(acceptors: Vec<TlsAcceptor>) -> Server {
    let count = Arc::new(AtomicUsize::new(0));
    let server = Server::with(move |stream| {
        let number = count.fetch_add(1, Ordering::SeqCst).min(acceptors.len() - 1);
        handshake(acceptors[number].clone(), stream)
    });
    server.otherwise(Reply::Headers(202, "Connection: close\r\n".into()));
    server
}

/// The files may be looked at again.
async fn a_second_later() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::resume();
}

fn with_identity(server: &Server, authority: &Authority, folder: &Folder) -> HttpTransportBuilder {
    HttpTransport::builder(url(server))
        .ca_certificate_pem(authority.pem())
        .client_identity_files(folder.path("chain"), folder.path("key"))
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_from_the_next_connection_on() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let clients = [Authority::new(), Authority::new()];
    let identity = authority.issue("127.0.0.1");
    let server = server(clients.iter().map(|clients| identity.acceptor(Some(clients))).collect());
    folder.write_identity(&clients[0].issue("client"));
    let transport = with_identity(&server, &authority, &folder).build().expect("a transport");
    assert_eq!(marks(&transport.send(&[event(1)]).await), ".");
    folder.write_identity(&clients[1].issue("client"));
    a_second_later().await;
    assert_eq!(marks(&transport.send(&[event(2)]).await), ".");
    assert_eq!((server.requests().len(), server.connections()), (2, 2));
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_through_a_proxy() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let clients = [Authority::new(), Authority::new()];
    let identity = authority.issue("127.0.0.1");
    let server = server(clients.iter().map(|clients| identity.acceptor(Some(clients))).collect());
    // Here they would be kept.
    server.otherwise(Reply::Status(202));
    let proxy = Server::start();
    proxy.otherwise(Reply::Tunnel(server.addr()));
    folder.write_identity(&clients[0].issue("client"));
    let transport = with_identity(&server, &authority, &folder).proxy(proxy.url()).build().expect("a transport");
    for number in 0..3 {
        assert_eq!(marks(&transport.send(&[event(number)]).await), ".");
    }
    folder.write_identity(&clients[1].issue("client"));
    a_second_later().await;
    for number in 3..6 {
        assert_eq!(marks(&transport.send(&[event(number)]).await), ".");
    }
    assert_eq!((server.requests().len(), server.connections()), (6, 2));
}

#[tokio::test]
async fn a_renewed_authority_is_believed_and_the_old_one_no_more() {
    let (authorities, folder) = ([Authority::new(), Authority::new()], Folder::new());
    let acceptor = |number: usize| authorities[number].issue("127.0.0.1").acceptor(None);
    let server = server(vec![acceptor(0), acceptor(1), acceptor(0)]);
    folder.write("ca", &authorities[0].pem());
    let builder = HttpTransport::builder(url(&server)).ca_certificate_file(folder.path("ca"));
    let transport = builder.build().expect("a transport");
    assert_eq!(marks(&transport.send(&[event(1)]).await), ".");
    folder.write("ca", &authorities[1].pem());
    a_second_later().await;
    assert_eq!(marks(&transport.send(&[event(2)]).await), ".");
    assert_eq!(marks(&transport.send(&[event(3)]).await), "m");
}

/// One file after the other is written, and a look falls in between.
#[tokio::test]
async fn half_of_what_is_new_leaves_the_old_in_use_and_is_told() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let clients = [Authority::new(), Authority::new()];
    let identity = authority.issue("127.0.0.1");
    let [old, new] = clients.each_ref().map(|clients| identity.acceptor(Some(clients)));
    let server = server(vec![old.clone(), new.clone(), old.clone(), new.clone(), new]);
    let [old, new] = clients.each_ref().map(|clients| clients.issue("client"));
    folder.write_identity(&old);
    let transport = with_identity(&server, &authority, &folder).build().expect("a transport");
    let told = async |expected: &[&str]| {
        a_second_later().await;
        assert_eq!(marks(&transport.send(&[event(1)]).await), ".", "the old one is still in use");
        let receipt = transport.send(&[event(2)]).await;
        let text = everything_about(&failure(&receipt));
        assert_eq!(marks(&receipt), "m", "{text}");
        for expected in expected {
            assert!(text.contains(expected), "{text}");
        }
        assert!(!text.contains(&new.key_pem()) && !text.contains("PRIVATE"), "{text}");
    };
    folder.write("chain", &new.pem());
    let [chain, key] = ["chain", "key"].map(|name| format!("{:?}", folder.path(name)));
    told(&["rejected the client certificate", "still in use", "client_identity_files", &chain, &key]).await;
    folder.write("key", &new.key_pem()[..60]);
    told(&["rejected the client certificate", &key, "no private key in PEM format"]).await;
    folder.write("key", &new.key_pem());
    a_second_later().await;
    let receipt = transport.send(&[event(3)]).await;
    assert_eq!(marks(&receipt), ".", "{receipt:?}");
}

#[tokio::test]
async fn a_missing_file_leaves_the_old_in_use() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let server = server(vec![authority.issue("127.0.0.1").acceptor(None)]);
    folder.write("ca", &authority.pem());
    let builder = HttpTransport::builder(url(&server)).ca_certificate_file(folder.path("ca"));
    let transport = builder.build().expect("a transport");
    std::fs::remove_file(folder.path("ca")).expect("removing");
    a_second_later().await;
    assert_eq!(marks(&transport.send(&[event(1)]).await), ".");
    drop(server);
    let told = failure(&transport.send(&[event(2)]).await).error.to_string();
    assert!(told.starts_with("the connection was refused; the previous TLS files"), "{told}");
    assert!(told.contains("ca_certificate_file") && told.contains("cannot be read"), "{told}");
    folder.write("ca", &authority.pem());
    a_second_later().await;
    let told = failure(&transport.send(&[event(3)]).await).error.to_string();
    assert_eq!(told, "the connection was refused");
}

/// Secret stores turn a link to another folder, whose files may be older and as long.
#[cfg(unix)]
#[tokio::test]
async fn a_link_that_is_turned_is_a_change() {
    let (authorities, folder) = ([Authority::new(), Authority::new()], Folder::new());
    let server = server(authorities.iter().map(|one| one.issue("127.0.0.1").acceptor(None)).collect());
    for (name, authority) in ["1", "2"].into_iter().zip(&authorities) {
        folder.write(name, &authority.pem());
        let file = std::fs::File::options().write(true).open(folder.path(name)).expect("the file");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("a time");
        file.set_len(authorities.iter().map(|one| one.pem().len()).max().expect("two") as u64 + 10).expect("a length");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("a time");
    }
    std::os::unix::fs::symlink(folder.path("1"), folder.path("ca")).expect("a link");
    let builder = HttpTransport::builder(url(&server)).ca_certificate_file(folder.path("ca"));
    let transport = builder.build().expect("a transport");
    assert_eq!(marks(&transport.send(&[event(1)]).await), ".");
    std::os::unix::fs::symlink(folder.path("2"), folder.path("new")).expect("a link");
    std::fs::rename(folder.path("new"), folder.path("ca")).expect("turning it");
    a_second_later().await;
    assert_eq!(marks(&transport.send(&[event(2)]).await), ".");
}

/// As a program may ask that knows of the change.
#[tokio::test]
async fn files_may_be_looked_at_at_once() {
    let (authorities, folder) = ([Authority::new(), Authority::new()], Folder::new());
    let server = server(authorities.iter().map(|one| one.issue("127.0.0.1").acceptor(None)).collect());
    folder.write("ca", &authorities[0].pem());
    let builder = HttpTransport::builder(url(&server)).ca_certificate_file(folder.path("ca"));
    let transport = builder.build().expect("a transport");
    assert_eq!(marks(&transport.send(&[event(1)]).await), ".");
    assert!(!transport.renew_certificates(), "they are the same");
    folder.write("ca", "");
    assert!(!transport.renew_certificates(), "it is of no use");
    folder.replace("ca", &authorities[1].pem());
    assert!(transport.renew_certificates());
    assert!(!transport.renew_certificates(), "once");
    assert_eq!(marks(&transport.send(&[event(2)]).await), ".");
    assert_eq!(server.requests().len(), 2);
    let without = HttpTransport::builder(url(&server)).ca_certificate_pem(authorities[0].pem());
    assert!(!without.build().expect("a transport").renew_certificates(), "there is no file");
}
