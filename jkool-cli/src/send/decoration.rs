//! The arguments for the fields of a single event, besides its message.

use super::property::{named_properties, property};
use crate::units;
use jkool_client::model::{CompCode, Event, OpType, Property, Severity, Snapshot, TrackingId};
use std::time::Duration;

/// The options for one event.
#[derive(Debug, Clone, Default, PartialEq, clap::Args)]
#[command(next_help_heading = "Decoration of one event")]
pub(crate) struct Decoration {
    /// The name of the operation [default: send]
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// NONE, TRACE, DEBUG, INFO, NOTICE, WARNING, ERROR, FAILURE, CRITICAL, FATAL or HALT [default: INFO]
    #[arg(long)]
    severity: Option<Severity>,
    /// The type of the operation: EVENT, SEND, RECEIVE, CALL, START, STOP and others [default: EVENT]
    #[arg(long = "type", value_parser = event_type)]
    op_type: Option<OpType>,
    /// A correlator: a text that related events share; can be repeated
    #[arg(long, value_name = "CORRELATOR")]
    corrid: Vec<String>,
    /// The tracking id [default: a new one]
    #[arg(long, value_name = "ID")]
    pub(crate) tracking_id: Option<String>,
    /// The tracking id of the parent
    #[arg(long, value_name = "ID")]
    parent_id: Option<String>,
    /// A tag to search by; can be repeated
    #[arg(long)]
    tag: Vec<String>,
    /// The location: a place, or latitude and longitude
    #[arg(long)]
    location: Option<String>,
    /// The user
    #[arg(long)]
    user: Option<String>,
    /// The resource of the operation: a queue, a table, a file
    #[arg(long)]
    resource: Option<String>,
    /// The completion code: SUCCESS, WARNING or ERROR
    #[arg(long)]
    comp_code: Option<CompCode>,
    /// The reason code, a number
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    reason_code: Option<i64>,
    /// The error that occurred
    #[arg(long)]
    exception: Option<String>,
    /// The elapsed time: 250ms, 1.5s
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    elapsed: Option<Duration>,
    /// A property; can be repeated. The type is string, int, long, double, float, bool, ... and the measure
    /// currency.usd, size.byte, age.msec, percent, ...; the default type depends on the value
    #[arg(long, value_name = "NAME=VALUE[:TYPE][:MEASURE]", value_parser = property)]
    property: Vec<Property>,
    /// A snapshot; can be repeated
    #[arg(long, value_name = "NAME[@CATEGORY]:NAME=VALUE[:TYPE],...", value_parser = snapshot)]
    snapshot: Vec<Snapshot>,
}

impl Decoration {
    /// Creates the event. The client adds what is missing.
    pub(crate) fn event(self, id: TrackingId, message: String) -> Event {
        let mut event = Event::default();
        event.tracking_id = Some(id);
        event.message = message.into();
        event.operation = self.operation.unwrap_or_else(|| "send".into()).into();
        event.severity = self.severity.unwrap_or_default();
        event.op_type = self.op_type.unwrap_or_default();
        event.correlators = self.corrid.into_iter().map(Into::into).collect();
        event.parent_id = self.parent_id.map(TrackingId::from);
        event.tags = self.tag.into_iter().map(Into::into).collect();
        event.location = self.location.unwrap_or_default().into();
        event.user = self.user.unwrap_or_default().into();
        event.resource = self.resource.unwrap_or_default().into();
        event.comp_code = self.comp_code;
        event.reason_code = self.reason_code;
        event.exception = self.exception.unwrap_or_default().into();
        event.elapsed_usec = self.elapsed.map(|elapsed| i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX));
        event.properties = self.property;
        event.snapshots = self.snapshot;
        event
    }
}

fn event_type(text: &str) -> Result<OpType, String> {
    match text.parse::<OpType>() {
        Ok(OpType::Activity | OpType::Snapshot | OpType::Dataset) => {
            Err("activities, snapshots and data sets come from a file, see --file".into())
        }
        Ok(op_type) => Ok(op_type),
        Err(error) => Err(error.to_string()),
    }
}

/// `Payment@Order:order-no=A-100,amount=42`
fn snapshot(text: &str) -> Result<Snapshot, String> {
    const EXPECTED: &str = "expected NAME[@CATEGORY]:NAME=VALUE,... such as Payment@Order:order-no=A-100,amount=42";
    let (name, properties) = text.split_once(':').ok_or(EXPECTED)?;
    // The default of TNT4J.
    let (name, category) = name.split_once('@').unwrap_or((name, "Default"));
    if name.is_empty() || category.is_empty() {
        return Err(EXPECTED.into());
    }
    let mut snapshot = Snapshot::builder(name.to_owned()).category(category.to_owned());
    for property in named_properties(properties)? {
        snapshot = snapshot.add_property(property);
    }
    Ok(snapshot.build())
}

#[cfg(test)]
mod tests {
    use super::{event_type, snapshot};
    use jkool_client::model::{OpType, Snapshot};

    #[test]
    fn snapshots_are_read() {
        let expected = Snapshot::builder("Payment")
            .category("Order")
            .property("order-no", "A-100")
            .property("amount", 42)
            .property("url", "http://x:string")
            .build();
        assert_eq!(snapshot("Payment@Order:order-no=A-100,amount=42,url=http://x:string:string"), Ok(expected));
        assert_eq!(snapshot("Cpu:load=1.5").map(|cpu| cpu.category), Ok("Default".into()));
        for text in ["", "Cpu", "@Order:a=1", "Cpu@:a=1", "Cpu:", "Cpu:a", "Cpu:=1"] {
            assert!(snapshot(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_events_are_made_here() {
        assert_eq!(event_type("send"), Ok(OpType::Send));
        assert!(event_type("ACTIVITY").is_err() && event_type("nonsense").is_err());
    }
}
