//! The search engine: which parts of an entity are indexed, and how a query is run on the indexes.

mod aggregate;
mod complement;
mod document;
mod find;
mod frequent;
mod grouped;
mod messages;
mod query;
mod ranks;
mod schema;
mod search;
mod sketches;
mod span;
mod testing;
mod weights;
mod words;

pub(super) use aggregate::aggregate;
pub(super) use document::{Names, document};
pub(super) use find::{count, find, get, has_equal};
pub(super) use messages::messages;
pub(crate) use search::Search;
pub(super) use span::{Span, SpanView, bytes_in};
pub(super) use words::words_in;
