//! The built-in fields, with their names on the wire and in the service.

use super::answer::ColumnType;
use crate::field::FieldName;

/// The names of a field.
#[derive(Debug, PartialEq)]
pub(super) struct Known {
    /// The name in the service, which is also the name of columns.
    pub(super) service: &'static str,
    /// The name on the wire.
    pub(super) wire: &'static str,
    /// Short names.
    also: &'static [&'static str],
    pub(super) column_type: ColumnType,
}

/// The name of the message. It is not a field of the index; its words are indexed.
pub(super) const MESSAGE: &str = "msg-text";

const fn known(service: &'static str, wire: &'static str, column_type: ColumnType) -> Known {
    Known { service, wire, also: &[], column_type }
}

const fn also(known: Known, also: &'static [&'static str]) -> Known {
    Known { also, ..known }
}

use ColumnType::{Integer, String, Timestamp};

pub(super) const KNOWN: &[Known] = &[
    also(known("EventID", "tracking-id", String), &["id", "ActivityID", "SnapshotID"]),
    also(known("ParentID", "parent-id", String), &["parent"]),
    also(known("EventName", "operation", String), &["op", "ActivityName"]),
    also(known("EventType", "type", String), &["ActivityType"]),
    known("Kind", "kind", String),
    also(known("Severity", "severity", String), &["sev"]),
    also(known("Time", "time-usec", Timestamp), &[]),
    known("StartTime", "start-time-usec", Timestamp),
    known("EndTime", "end-time-usec", Timestamp),
    also(known("ElapsedTime", "elapsed-time-usec", Integer), &["elapsed"]),
    also(known("WaitTime", "wait-time-usec", Integer), &["wait"]),
    also(known("Message", MESSAGE, String), &["msg"]),
    known("Exception", "exception", String),
    also(known("Correlator", "corrid", String), &["corr"]),
    also(known("Tag", "msg-tag", String), &["MsgTag", "tags"]),
    also(known("ApplName", "APPL", String), &["app", "application"]),
    also(known("ServerName", "SERVER", String), &[]),
    also(known("DataCenterName", "DATACENTER", String), &[]),
    known("NetAddr", "NETADDR", String),
    known("GeoAddr", "GEOADDR", String),
    also(known("Source", "source-fqn", String), &[]),
    also(known("UserName", "user", String), &[]),
    also(known("ResourceName", "resource", String), &[]),
    known("Location", "location", String),
    known("CompCode", "comp-code", String),
    known("ReasonCode", "reason-code", Integer),
    known("ProcessID", "pid", Integer),
    known("ThreadID", "tid", Integer),
    known("Status", "status", String),
    known("SnapshotName", "name", String),
    known("Category", "category", String),
    known("MsgSize", "msg-size", Integer),
    known("MsgAge", "msg-age", Integer),
];

/// Returns the field with this name; case, `-` and `_` are ignored.
pub(super) fn find(name: &str) -> Option<&'static Known> {
    let wanted = plain(name);
    let is_it = |known: &&Known| {
        let names = [known.service, known.wire].into_iter().chain(known.also.iter().copied());
        names.map(plain).any(|name| name == wanted || name.strip_suffix("usec") == Some(&wanted))
    };
    KNOWN.iter().find(is_it)
}

/// Returns the field with this name on the wire.
pub(super) fn of_wire(name: &FieldName) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.wire == name.as_str())
}

fn plain(name: &str) -> std::string::String {
    name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}
