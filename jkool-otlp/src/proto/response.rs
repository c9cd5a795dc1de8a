//! What a server answers. The answers to the three signals are alike on the wire: only JSON has other names in them.

/// An answer to an export: with nothing in it when all was taken.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExportResponse {
    /// What was not taken.
    #[prost(message, optional, tag = "1")]
    pub partial_success: Option<PartialSuccess>,
}

/// What was not taken of an export, and why.
#[derive(Clone, PartialEq, prost::Message)]
pub struct PartialSuccess {
    /// How many records, spans or data points.
    #[prost(int64, tag = "1")]
    pub rejected: i64,
    /// Why.
    #[prost(string, tag = "2")]
    pub error_message: String,
}

/// `google.rpc.Status`, the body of an answer that is an error.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Status {
    /// A code of gRPC.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// What is wrong.
    #[prost(string, tag = "2")]
    pub message: String,
}
