//! From the queue to the transport: which batch is sent when, and how its result is handled.

mod batch_buffer;
mod batch_limit;
pub(crate) mod decisions;
pub(crate) mod echo;
pub(crate) mod engine;
pub(crate) mod prepare;
pub(crate) mod retry;
mod truncate;
mod window;
pub(crate) mod worker;
pub(crate) mod worker_thread;
