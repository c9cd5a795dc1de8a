//! Signals that ask the command to stop.

/// Returns when the process is asked to stop: by Ctrl-C, or by SIGTERM on Unix.
pub(crate) async fn stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a signal handler, it never returns.
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => drop(terminate.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}
