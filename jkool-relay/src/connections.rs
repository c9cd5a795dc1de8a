//! Accepts connections, for the sources that listen.

use std::future::Future;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The maximum number of concurrent connections; further connections wait.
const MAX_CONNECTIONS: usize = 1024;
/// How long to wait after a connection could not be accepted, for example because there are no free file descriptors.
const REST: Duration = Duration::from_millis(100);

/// Accepts connections and serves each in its own task, until the stop; then waits for the tasks.
pub(crate) async fn accept<F: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    mut stopped: watch::Receiver<bool>,
    mut serve: impl FnMut(TcpStream) -> F,
) {
    let mut connections = JoinSet::new();
    loop {
        let taken = tokio::select! {
            taken = listener.accept(), if connections.len() < MAX_CONNECTIONS => taken,
            Some(_) = connections.join_next() => continue,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match taken {
            Ok((stream, _)) => {
                connections.spawn(serve(stream));
            }
            Err(_) => tokio::time::sleep(REST).await,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
