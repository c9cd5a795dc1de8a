//! Reads the body of an export request, and writes the body of its response.

use crate::limits::Limits;
use crate::mapped::{Mapped, Mapping};
use crate::proto::logs::ExportLogsServiceRequest;
use crate::proto::metrics::ExportMetricsServiceRequest;
use crate::proto::response::{ExportResponse, PartialSuccess, Status};
use crate::proto::trace::ExportTraceServiceRequest;
use crate::{log, metric, span, weight};
use bytes::Bytes;
use prost::Message;
use serde::de::DeserializeOwned;
use serde_json::json;

/// The kind of telemetry in an export. Each has its own path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Log records: `/v1/logs`.
    Logs,
    /// Spans: `/v1/traces`.
    Traces,
    /// Data points of metrics: `/v1/metrics`.
    Metrics,
}

/// The encoding of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// An error from reading the body of an export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The body is not a valid protobuf message of this signal.
    #[error("invalid OTLP in protobuf: {0}")]
    Protobuf(#[source] prost::DecodeError),
    /// The body is not valid JSON of this signal; the error contains the position.
    #[error("invalid OTLP in JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// Decoding it would take more memory than [`Limits::bytes`].
    #[error("the request would take {bytes} bytes in memory, more than the limit of {limit}; send smaller requests")]
    TooLarge {
        /// The memory that it would take, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
}

impl Signal {
    /// All signals.
    pub const ALL: [Self; 3] = [Self::Logs, Self::Traces, Self::Metrics];

    /// Returns the url path of this signal.
    ///
    /// ```
    /// assert_eq!(jkool_otlp::Signal::Logs.path(), "/v1/logs");
    /// ```
    pub fn path(self) -> &'static str {
        match self {
            Self::Logs => "/v1/logs",
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
        }
    }

    /// Decodes an export and maps its content. Everything that cannot be mapped is counted in [`Mapped::rejected`].
    ///
    /// # Errors
    /// If the body as a whole cannot be decoded.
    ///
    /// ```
    /// use jkool_otlp::{Encoding, Limits, Signal};
    ///
    /// let body = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"paid"}}]}]}]}"#;
    /// let mapped = Signal::Logs.read(Encoding::Json, body.as_slice().into(), Limits::NONE)?;
    /// assert_eq!((mapped.entities.len(), mapped.rejected), (1, 0));
    /// # Ok::<(), jkool_otlp::ReadError>(())
    /// ```
    pub fn read(self, encoding: Encoding, body: Bytes, limits: Limits) -> Result<Mapped, ReadError> {
        let bytes = match (self, encoding) {
            (Self::Logs, Encoding::Protobuf) => weight::logs(&body),
            (Self::Traces, Encoding::Protobuf) => weight::traces(&body),
            (Self::Metrics, Encoding::Protobuf) => weight::metrics(&body),
            (Self::Logs, Encoding::Json) => weight::json_logs(&body),
            (Self::Traces, Encoding::Json) => weight::json_traces(&body),
            (Self::Metrics, Encoding::Json) => weight::json_metrics(&body),
        };
        if bytes > limits.bytes {
            return Err(ReadError::TooLarge { bytes, limit: limits.bytes });
        }
        Ok(match self {
            Self::Logs => map_logs(&decode(encoding, body)?, limits),
            Self::Traces => map_traces(&decode(encoding, body)?, limits),
            Self::Metrics => map_metrics(&decode(encoding, body)?, limits),
        })
    }

    /// The name of the rejected count in the JSON response.
    fn rejected_name(self) -> &'static str {
        match self {
            Self::Logs => "rejectedLogRecords",
            Self::Traces => "rejectedSpans",
            Self::Metrics => "rejectedDataPoints",
        }
    }

    /// Returns the body of a response: empty if everything was accepted, otherwise a partial success.
    pub fn response(self, encoding: Encoding, rejected: u64, reason: Option<&str>) -> Vec<u8> {
        let reason = reason.unwrap_or_default();
        let is_full = rejected == 0 && reason.is_empty();
        match encoding {
            Encoding::Protobuf => {
                let rejected = i64::try_from(rejected).unwrap_or(i64::MAX);
                let partial = PartialSuccess { rejected, error_message: reason.to_owned() };
                ExportResponse { partial_success: (!is_full).then_some(partial) }.encode_to_vec()
            }
            Encoding::Json if is_full => b"{}".to_vec(),
            Encoding::Json => {
                let partial = json!({self.rejected_name(): rejected.to_string(), "errorMessage": reason});
                json!({"partialSuccess": partial}).to_string().into_bytes()
            }
        }
    }
}

impl Encoding {
    /// Returns the body of an error response: a `Status` with a gRPC status code.
    pub fn status(self, code: i32, message: &str) -> Vec<u8> {
        match self {
            Self::Protobuf => Status { code, message: message.to_owned() }.encode_to_vec(),
            Self::Json => json!({"code": code, "message": message}).to_string().into_bytes(),
        }
    }
}

fn decode<T: Message + Default + DeserializeOwned>(encoding: Encoding, body: Bytes) -> Result<T, ReadError> {
    match encoding {
        Encoding::Protobuf => T::decode(body).map_err(ReadError::Protobuf),
        Encoding::Json => serde_json::from_slice(&body).map_err(ReadError::Json),
    }
}

/// Maps log records to events, one for each.
pub fn map_logs(request: &ExportLogsServiceRequest, limits: Limits) -> Mapped {
    let mut mapping = Mapping::new(limits);
    log::map(request, &mut mapping);
    mapping.finish()
}

/// Maps spans to activities, one for each, and their events to events.
pub fn map_traces(request: &ExportTraceServiceRequest, limits: Limits) -> Mapped {
    let mut mapping = Mapping::new(limits);
    span::map(request, &mut mapping);
    mapping.finish()
}

/// Maps data points to snapshots, one for each.
pub fn map_metrics(request: &ExportMetricsServiceRequest, limits: Limits) -> Mapped {
    let mut mapping = Mapping::new(limits);
    metric::map(request, &mut mapping);
    mapping.finish()
}
