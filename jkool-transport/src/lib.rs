//! How encoded jKool events travel.

mod error;
mod payload;
mod receipt;
mod transport;

pub use error::{ErrorKind, TransportError};
pub use payload::{Kind, Payload};
pub use receipt::{Disposition, Failure, Outcome, Receipt};
pub use transport::Transport;
