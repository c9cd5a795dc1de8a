//! The responses of a server. The responses for the three signals are the same in protobuf; only the names in JSON differ.

/// The response to an export: empty if everything was accepted.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExportResponse {
    /// What was rejected.
    #[prost(message, optional, tag = "1")]
    pub partial_success: Option<PartialSuccess>,
}

/// What was rejected of an export, and why.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PartialSuccess {
    /// The number of rejected log records, spans or data points.
    #[prost(int64, tag = "1")]
    pub rejected: i64,
    /// The reason.
    #[prost(string, tag = "2")]
    pub error_message: String,
}

/// `google.rpc.Status`, the body of an error response.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Status {
    /// A gRPC status code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// The error message.
    #[prost(string, tag = "2")]
    pub message: String,
}
