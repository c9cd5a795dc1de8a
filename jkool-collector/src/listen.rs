//! Where to listen.

use crate::start_error::StartError;
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket, lookup_host};

/// So many may wait to be let in.
const WAITING: u32 = 1_024;

/// Listens on the first of an address's meanings that can be had and that `allow` lets through.
pub(crate) async fn listen(
    address: &str,
    allow: impl Fn(SocketAddr) -> Result<(), StartError>,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen { address: address.to_owned(), error };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for meant in lookup_host(address).await.map_err(failed)? {
        allow(meant)?;
        match bind(meant) {
            Ok(listener) => {
                let address = listener.local_addr().map_err(failed)?;
                return Ok((listener, address));
            }
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // On Windows it would let others listen there, too.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    // What is accepted inherits it: a client that is gone for good is noticed some time.
    socket.set_keepalive(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}
