//! The types that a program holds and calls.

pub(crate) mod builder;
pub(crate) mod client;
pub(crate) mod draft;
pub(crate) mod error;
pub(crate) mod permit;
pub(crate) mod receipt;
pub(crate) mod scope;
