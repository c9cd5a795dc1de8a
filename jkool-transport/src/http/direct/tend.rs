//! A task that checks idle connections periodically.
//!
//! An idle connection is not a task, so nothing notices that the server has closed it. Without this task, its socket would stay
//! in CLOSE_WAIT for as long as the program sends nothing. One task checks all of them: a wake-up for each connection would
//! cost every request one more wake-up.

use super::connection::Connection;
use super::idle::Idle;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

/// The interval of the checks, within which a connection that the server closed is closed on this side too.
const INTERVAL: Duration = Duration::from_secs(1);

/// Starts the task on the current runtime. It sees what the runtime sees: while nobody polls the runtime, nothing is closed.
#[expect(
    clippy::disallowed_methods,
    reason = "it ends with the last idle connection, with the transport, and with the runtime"
)]
pub(super) fn tend<U: Send + 'static>(idle: &Arc<Idle<(U, Connection)>>) -> AbortHandle {
    tokio::spawn(watch(Arc::downgrade(idle))).abort_handle()
}

async fn watch<U>(idle: Weak<Idle<(U, Connection)>>) {
    loop {
        sleep(INTERVAL).await;
        let Some(idle) = idle.upgrade() else { return };
        if !idle.sweep(Instant::now(), |(_, connection)| connection.has_ended()) {
            return;
        }
    }
}
