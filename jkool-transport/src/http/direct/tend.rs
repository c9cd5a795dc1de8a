//! A look at idle connections, now and then.
//!
//! A connection that waits is no task, and so nobody hears that the server has closed it. Were it left until the next request,
//! its socket would stay in CLOSE_WAIT for as long as the program has nothing to send. One task for all of them looks: a wake
//! for each connection would cost each request one more.

use super::connection::Connection;
use super::idle::Idle;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

/// A connection that the server has closed is closed on this side too so much later.
const INTERVAL: Duration = Duration::from_secs(1);

/// Starts the task, on the runtime of whoever calls. It sees what the runtime sees: while nobody drives that, nothing ends.
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
