//! From the body of a request to what it becomes, and from that to the body of an answer.

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

/// What an export holds. Each has a path of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// Log records: `/v1/logs`.
    Logs,
    /// Spans: `/v1/traces`.
    Traces,
    /// Data points of metrics: `/v1/metrics`.
    Metrics,
}

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// Why a body is no export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It is no protobuf of that kind.
    #[error("no OTLP in protobuf: {0}")]
    Protobuf(#[source] prost::DecodeError),
    /// It is no JSON of that kind; the error says where.
    #[error("no OTLP in JSON: {0}")]
    Json(#[source] serde_json::Error),
    /// It would take more memory than [`Limits::bytes`] while it is read.
    #[error("it would take {bytes} bytes in memory, and may take {limit}: send less at a time")]
    TooLarge {
        /// What it would take.
        bytes: usize,
        /// What it may take.
        limit: usize,
    },
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Logs, Self::Traces, Self::Metrics];

    /// The path that it is sent to.
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

    /// Reads an export and maps what it holds. Nothing of it is lost without a number: what can't be mapped is in
    /// [`Mapped::rejected`].
    ///
    /// # Errors
    /// When the body as a whole can't be read.
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

    /// What is not taken, by its name in the answers' JSON.
    fn rejected_name(self) -> &'static str {
        match self {
            Self::Logs => "rejectedLogRecords",
            Self::Traces => "rejectedSpans",
            Self::Metrics => "rejectedDataPoints",
        }
    }

    /// The body of an answer to an export: empty when everything was taken, and a partial success when not.
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
    /// The body of an answer that is an error: a `Status`, with a code of gRPC.
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

/// Events, one for each log record.
pub fn map_logs(request: &ExportLogsServiceRequest, limits: Limits) -> Mapped {
    let mut mapping = Mapping::new(limits);
    log::map(request, &mut mapping);
    mapping.finish()
}

/// Activities, one for each span, and events, one for each event of a span.
pub fn map_traces(request: &ExportTraceServiceRequest, limits: Limits) -> Mapped {
    let mut mapping = Mapping::new(limits);
    span::map(request, &mut mapping);
    mapping.finish()
}

/// Snapshots, one for each data point.
pub fn map_metrics(request: &ExportMetricsServiceRequest, limits: Limits) -> Mapped {
    let mut mapping = Mapping::new(limits);
    metric::map(request, &mut mapping);
    mapping.finish()
}
