//! The outcome of a request, derived from what is known at its end.

use http::StatusCode;
use jkool_tracing::model::{CompCode, OpType, Severity};
use std::borrow::Cow;

/// The side of a request that a layer is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

impl Side {
    /// The operation type of the side's message event.
    pub(crate) fn op_type(self) -> OpType {
        match self {
            Self::Server => OpType::Receive,
            Self::Client => OpType::Send,
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// With the last byte of the response.
    Complete,
    /// With an error instead of a response, or within it.
    Failed(String),
    /// The caller dropped it.
    Dropped,
    /// The code that handled it panicked.
    Panicked,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) severity: Severity,
    pub(crate) comp_code: CompCode,
    /// The error text. Empty if there was no error, or if the status is sufficient.
    pub(crate) trouble: Cow<'static, str>,
}

impl Outcome {
    /// 5xx, gRPC faults of the server (for a client any gRPC fault), failures and panics are errors; 4xx, other gRPC faults and
    /// dropped requests are warnings.
    pub(crate) fn of(side: Side, status: Option<StatusCode>, grpc_status: Option<i32>, end: End) -> Self {
        let severity = match (&end, status) {
            (End::Failed(_) | End::Panicked, _) => Severity::Error,
            (_, Some(status)) if status.is_server_error() => Severity::Error,
            _ if grpc_status.is_some_and(|status| is_grpc_error(side, status)) => Severity::Error,
            (_, Some(status)) if status.is_client_error() => Severity::Warning,
            (End::Dropped, None) => Severity::Warning,
            (End::Dropped, _) if side == Side::Server => Severity::Warning,
            _ if grpc_status.is_some_and(|status| status != 0) => Severity::Warning,
            _ => Severity::Info,
        };
        let comp_code = match severity {
            Severity::Error => CompCode::Error,
            Severity::Warning => CompCode::Warning,
            _ => CompCode::Success,
        };
        let trouble = match (end, side, status) {
            (End::Complete, ..) => grpc_status.filter(|status| *status != 0).map(grpc_text).unwrap_or_default(),
            (End::Failed(error), ..) => error.into(),
            (End::Panicked, ..) => "panicked".into(),
            (End::Dropped, Side::Server, None) => "the client disconnected before the response".into(),
            (End::Dropped, Side::Server, Some(_)) => "the client disconnected before the end of the response".into(),
            (End::Dropped, Side::Client, None) => "cancelled before the response".into(),
            (End::Dropped, Side::Client, Some(_)) => "the response was not read to its end".into(),
        };
        Self { severity, comp_code, trouble }
    }

    pub(crate) fn failed(&self) -> bool {
        self.comp_code == CompCode::Error
    }
}

/// The names of gRPC's status codes, by number.
const GRPC: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The method is not implemented by the server.
pub(crate) const GRPC_UNIMPLEMENTED: i32 = 12;

fn is_grpc_error(side: Side, status: i32) -> bool {
    match side {
        Side::Client => status != 0,
        Side::Server => matches!(status, 2 | 4 | GRPC_UNIMPLEMENTED | 13 | 14 | 15),
    }
}

fn grpc_text(status: i32) -> Cow<'static, str> {
    match usize::try_from(status).ok().and_then(|status| GRPC.get(status)) {
        Some(name) => (*name).into(),
        None => format!("gRPC status {status}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{End, Outcome, Side};
    use http::StatusCode;
    use jkool_tracing::model::Severity::{Error, Info, Warning};

    #[test]
    fn an_outcome_goes_by_status_and_end() {
        let table = [
            (Side::Server, Some(200), None, End::Complete, Info, ""),
            (Side::Server, Some(302), None, End::Complete, Info, ""),
            (Side::Server, Some(404), None, End::Complete, Warning, ""),
            (Side::Server, Some(503), None, End::Complete, Error, ""),
            (Side::Server, None, None, End::Failed("broken".into()), Error, "broken"),
            (Side::Server, Some(200), None, End::Failed("broken".into()), Error, "broken"),
            (Side::Server, None, None, End::Panicked, Error, "panicked"),
            (Side::Server, None, None, End::Dropped, Warning, "the client disconnected before the response"),
            (
                Side::Server,
                Some(200),
                None,
                End::Dropped,
                Warning,
                "the client disconnected before the end of the response",
            ),
            (
                Side::Server,
                Some(500),
                None,
                End::Dropped,
                Error,
                "the client disconnected before the end of the response",
            ),
            (Side::Client, None, None, End::Dropped, Warning, "cancelled before the response"),
            (Side::Client, Some(200), None, End::Dropped, Info, "the response was not read to its end"),
            (Side::Server, Some(200), Some(0), End::Complete, Info, ""),
            (Side::Server, Some(200), Some(5), End::Complete, Warning, "NOT_FOUND"),
            (Side::Client, Some(200), Some(5), End::Complete, Error, "NOT_FOUND"),
            (Side::Server, Some(200), Some(13), End::Complete, Error, "INTERNAL"),
            (Side::Client, Some(200), Some(99), End::Complete, Error, "gRPC status 99"),
            (Side::Server, Some(200), Some(-1), End::Complete, Warning, "gRPC status -1"),
        ];
        for (side, status, grpc_status, end, severity, trouble) in table {
            let case = format!("{side:?} {status:?} {grpc_status:?} {end:?}");
            let status = status.map(|status| StatusCode::from_u16(status).unwrap());
            let outcome = Outcome::of(side, status, grpc_status, end);
            assert_eq!((outcome.severity, &*outcome.trouble), (severity, trouble), "{case}");
            assert_eq!(outcome.failed(), severity == Error, "{case}");
        }
    }
}
