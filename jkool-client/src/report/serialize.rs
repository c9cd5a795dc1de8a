//! What is told, for machines: a status page or a log of its own writes it as JSON.

use crate::report::health::{Condition, Health};
use crate::report::loss::LossReason;
use crate::report::outcome::DeliveryOutcome;
use crate::report::stats::{Report, Stats};
use jkool_model::{Timestamp, error_chain};
use jkool_transport::{Metric, TransportError};
use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use std::borrow::Cow;

/// One word, as [`LossReason::name`] says it.
impl Serialize for LossReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

struct Dropped<'a>(&'a Stats);

impl Serialize for Dropped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(LossReason::ALL.iter().map(|reason| (reason, self.0.dropped(*reason))))
    }
}

/// A field for each count, and `dropped` with one for each [`LossReason`].
impl Serialize for Stats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut stats = serializer.serialize_struct("Stats", 11)?;
        stats.serialize_field("accepted", &self.accepted)?;
        stats.serialize_field("recovered", &self.recovered)?;
        stats.serialize_field("delivered", &self.delivered)?;
        stats.serialize_field("spooled", &self.spooled)?;
        stats.serialize_field("bytes_spooled", &self.bytes_spooled)?;
        stats.serialize_field("files_spooled", &self.files_spooled)?;
        stats.serialize_field("damaged_bytes", &self.damaged_bytes)?;
        stats.serialize_field("in_memory", &self.in_memory)?;
        stats.serialize_field("bytes_in_memory", &self.bytes_in_memory)?;
        stats.serialize_field("maybe_duplicated", &self.maybe_duplicated)?;
        stats.serialize_field("dropped", &Dropped(self))?;
        stats.end()
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 4)?;
        report.serialize_field("delivered", &self.delivered)?;
        report.serialize_field("dropped", &self.dropped)?;
        report.serialize_field("spooled", &self.spooled)?;
        report.serialize_field("pending", &self.pending)?;
        report.end()
    }
}

/// `"delivered"`, `"spooled"`, or `{"dropped": reason}`.
impl Serialize for DeliveryOutcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Delivered => serializer.serialize_unit_variant("DeliveryOutcome", 0, "delivered"),
            Self::Spooled => serializer.serialize_unit_variant("DeliveryOutcome", 1, "spooled"),
            Self::Dropped(reason) => serializer.serialize_newtype_variant("DeliveryOutcome", 2, "dropped", reason),
        }
    }
}

/// `state` is `running`, `backing_off`, `paused`, `refused` or `ended`; while nothing gets through there are also `error`, a text with all
/// its causes, and `since`.
impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (state, trouble): (&str, Option<(&TransportError, &Timestamp)>) = match self {
            Self::Running => ("running", None),
            Self::BackingOff { error, since } => ("backing_off", Some((error, since))),
            Self::Paused { error, since } => ("paused", Some((error, since))),
            Self::Refused { error, since } => ("refused", Some((error, since))),
            Self::Ended => ("ended", None),
        };
        let mut condition = serializer.serialize_struct("Condition", if trouble.is_some() { 3 } else { 1 })?;
        condition.serialize_field("state", state)?;
        if let Some((error, since)) = trouble {
            condition.serialize_field("error", &error_chain(error))?;
            condition.serialize_field("since", since)?;
        }
        condition.end()
    }
}

struct Metrics<'a>(&'a [Metric]);

impl Serialize for Metrics<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|metric| match &*metric.part {
            "" => (Cow::Borrowed(metric.name), metric.value),
            part => (Cow::Owned(format!("{part}/{}", metric.name)), metric.value),
        }))
    }
}

/// Its fields by their names; `oldest_undelivered_seconds` is a number of seconds, and `transport` has a field for each metric.
impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut health = serializer.serialize_struct("Health", 7)?;
        health.serialize_field("condition", &self.condition)?;
        health.serialize_field("last_success", &self.last_success)?;
        health.serialize_field("stats", &self.stats)?;
        health.serialize_field("oldest_undelivered_seconds", &self.oldest_undelivered.map(|age| age.as_secs_f64()))?;
        health.serialize_field("refused_last_minute", &self.refused_last_minute)?;
        health.serialize_field("spool_error", &self.spool_error)?;
        health.serialize_field("transport", &Metrics(&self.transport))?;
        health.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jkool_transport::ErrorKind;
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn health_is_json_with_all_that_it_says() -> Result<(), serde_json::Error> {
        let mut stats = Stats { accepted: 7, delivered: 4, in_memory: 1, ..Stats::default() };
        stats.dropped[LossReason::Shutdown as usize] = 2;
        let error = TransportError::new(ErrorKind::Answer, "the token was refused");
        let health = Health {
            condition: Condition::Paused { error, since: Timestamp::from_usec(1_457_524_800_000_000) },
            last_success: None,
            stats,
            oldest_undelivered: Some(Duration::from_millis(1500)),
            refused_last_minute: 3,
            spool_error: None,
            transport: vec![
                Metric::gauge("queue_records", "Records in the queue.", 5.0),
                Metric::gauge("queue_records", "Records in the queue.", 6.5).of_part("second"),
            ],
        };
        let told = serde_json::to_value(&health)?;
        assert_eq!(
            told["condition"],
            json!({"state": "paused", "error": "the token was refused", "since": 1_457_524_800_000_000_u64})
        );
        assert_eq!(told["stats"]["accepted"], 7);
        assert_eq!(told["stats"]["dropped"]["shutdown"], 2);
        assert_eq!(told["stats"]["dropped"]["overflow"], 0);
        assert_eq!(told["oldest_undelivered_seconds"], 1.5);
        assert_eq!(told["transport"], json!({"queue_records": 5.0, "second/queue_records": 6.5}));
        assert_eq!(serde_json::to_value(Condition::Running)?, json!({"state": "running"}));
        Ok(())
    }

    #[test]
    fn outcomes_and_reports_are_json() -> Result<(), serde_json::Error> {
        let outcomes =
            [DeliveryOutcome::Delivered, DeliveryOutcome::Spooled, DeliveryOutcome::Dropped(LossReason::TooLarge)];
        assert_eq!(serde_json::to_value(outcomes)?, json!(["delivered", "spooled", {"dropped": "too_large"}]));
        let report = Report { delivered: 3, dropped: 1, ..Report::default() };
        assert_eq!(serde_json::to_value(report)?, json!({"delivered": 3, "dropped": 1, "spooled": 0, "pending": 0}));
        Ok(())
    }
}
