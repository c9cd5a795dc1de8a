//! What was received, kept in SQLite: one thread writes, in groups; readers have connections of their own.

mod apply;
mod charts;
mod connections;
mod error;
mod file;
mod find;
mod flows;
mod id;
mod link;
mod open;
mod reader;
mod record;
mod results;
mod retention;
mod rollup;
mod scale;
mod schema;
mod search;
mod writer;

pub use error::{StoreError, StoreErrorKind};
pub use id::EntityId;
pub use open::{Durability, Store, StoreBuilder};
pub use reader::Reader;
pub use record::Record;
pub use results::{Appended, Bucket, Flow, Metric, MetricName, Severities, Sizes, Stored, Top};
pub use retention::Retention;
pub(crate) use search::Search;
