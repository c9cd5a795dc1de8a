#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod handshake;
mod no_response;
#[cfg(feature = "tls")]
mod tls;
pub mod tokens;

pub use no_response::NoResponseStream;
#[cfg(feature = "tls")]
pub use tls::{TlsError, acceptor};
#[cfg(feature = "tls")]
pub use tokio_rustls::TlsAcceptor;
