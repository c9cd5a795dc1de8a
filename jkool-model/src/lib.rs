#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod activity;
#[doc(hidden)]
pub mod derived;
mod entity;
mod enums;
mod event;
mod heap_size;
#[doc(hidden)]
pub mod json;
#[doc(hidden)]
pub mod open_metrics;
mod property;
mod repair;
mod resource;
mod snapshot;
mod source;
mod source_type;
mod spelling;
mod surrogates;
mod tags;
mod timestamp;
mod to_properties;
mod to_snapshot;
mod trackable;
mod tracking_id;
mod tracking_ids;
mod value;
mod value_type;
mod wire;
mod wire_fields;

pub use activity::{Activity, ActivityBuilder};
pub use entity::Entity;
pub use enums::{ActivityStatus, CompCode, LogType, OpType, Severity};
pub use event::{Event, EventBuilder};
#[cfg(feature = "derive")]
pub use jkool_derive::Snapshot;
pub use property::{Property, TypedValue};
#[doc(hidden)]
pub use property::{Scalar, write_property};
pub use repair::repair_json;
pub use snapshot::{Snapshot, SnapshotBuilder};
pub use source::{SourceError, SourceFault, SourceFqn, SourceFqnBuilder};
pub use source_type::SourceType;
pub use spelling::UnknownWord;
pub use surrogates::replace_lone_surrogates;
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use to_properties::{PropertySet, ToProperties};
pub use to_snapshot::ToSnapshot;
#[doc(hidden)]
pub use trackable::FORMAT_FAILED;
pub use trackable::{InvalidEntity, error_chain};
pub use tracking_id::TrackingId;
pub use tracking_ids::TrackingIds;
pub use value::Value;
pub use value_type::{DataType, ValueType};

#[doc(hidden)]
pub use trackable::usec;

/// The type of texts in events. A literal is not copied, a `String` is moved, and a borrowed `&str` that is no literal needs
/// `.to_owned()`. An empty text means absent.
pub type Text = std::borrow::Cow<'static, str>;
