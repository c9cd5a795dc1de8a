#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod handshake;
mod no_response;
mod requests;
#[cfg(feature = "tls")]
mod tls;
pub mod tokens;

pub use no_response::NoResponseStream;
pub use requests::{InProgress, Requests};
#[cfg(feature = "tls")]
pub use tls::{TlsError, acceptor};
#[cfg(feature = "tls")]
pub use tokio_rustls::TlsAcceptor;
