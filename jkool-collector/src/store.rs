//! What was received: acknowledged when it is in a journal, found in search indexes that follow it.

mod aggregation;
mod busy_range;
mod charts;
pub(crate) mod engine;
mod error;
mod flows;
mod front;
mod id;
mod index;
mod journal;
mod loads;
mod local;
mod matching;
mod open;
mod progress;
mod reader;
mod record;
mod results;
mod retention;
mod scale;
mod takeover;
mod victoria;

pub use aggregation::{Aggregation, Function, Group, InvalidMeasure, Key, Measure, Row};
pub(crate) use busy_range::BusyRange;
pub(crate) use engine::Health;
pub use error::{StoreError, StoreErrorKind};
pub(crate) use front::aside;
pub use id::{EntityId, InvalidEntityId};
pub(crate) use index::Search;
pub(crate) use loads::Load;
pub use open::{Durability, Store, StoreBuilder};
pub use progress::Progress;
pub use reader::Reader;
pub use record::Record;
pub use results::{Appended, Bucket, Flow, Metric, MetricName, Severities, Sizes, Stored, Top};
pub use retention::Retention;
