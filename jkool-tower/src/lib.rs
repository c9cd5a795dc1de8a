#![cfg_attr(all(feature = "axum", feature = "reqwest"), doc = include_str!("../README.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(feature = "axum", feature = "reqwest")),
    doc = "Layers for tower: each request is an activity of jKool. See the README."
)]

mod body;
mod client;
mod exchange;
mod future;
mod names;
mod outcome;
#[cfg(feature = "reqwest")]
mod reqwest;
mod server;

pub use body::ObservedBody;
pub use client::{ClientLayer, ClientService};
pub use future::ResponseFuture;
pub use names::{Operation, Peer};
pub use server::{ServerLayer, ServerService};
