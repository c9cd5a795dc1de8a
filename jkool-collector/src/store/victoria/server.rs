//! The HTTP client for VictoriaLogs: inserts and queries.

use crate::store::{StoreError, StoreErrorKind};
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader};
use std::time::Duration;
use ureq::http::Uri;
use ureq::{Agent, Body, RequestBuilder, http};

/// The timeout for connecting.
const CONNECT: Duration = Duration::from_secs(5);

/// The maximum number of bytes of an error response that are shown.
const TOLD: u64 = 2_000;

/// The timeout for storing a batch, and for a flush.
const INSERT: Duration = Duration::from_secs(30);

/// A row of an answer: its fields by name.
pub(super) type Answer = Map<String, Value>;

/// A VictoriaLogs server, or the front server of a cluster.
#[derive(Debug, Clone)]
pub(super) struct Server {
    agent: Agent,
    url: String,
}

impl Server {
    pub(super) fn new(url: &str) -> Result<Self, StoreError> {
        let url = url.trim_end_matches('/');
        let is_http =
            |uri: &Uri| uri.scheme_str() == Some("http") && uri.authority().is_some() && uri.query().is_none();
        if !url.parse().is_ok_and(|uri| is_http(&uri)) {
            let error = format!("VictoriaLogs: expected a url such as http://127.0.0.1:9428, found {url}");
            return Err(StoreError::new(StoreErrorKind::Server, error));
        }
        let config = Agent::config_builder().http_status_as_error(false).timeout_connect(Some(CONNECT)).proxy(None);
        Ok(Self { agent: config.build().into(), url: url.to_owned() })
    }

    /// Stores rows, one per line. They are in the server's memory at first, and on its disk some seconds later.
    pub(super) fn insert(&self, lines: &[u8]) -> Result<(), StoreError> {
        let path = "/insert/jsonline?_stream_fields=store&_time_field=_time&_msg_field=_msg";
        let request = self.agent.post(format!("{}{path}", self.url)).content_type("application/stream+json");
        let request = request.config().timeout_global(Some(INSERT)).build();
        self.taken(request.send(lines)).map(drop)
    }

    /// Makes stored rows visible to queries.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        let request = self.agent.get(format!("{}/internal/force_flush", self.url));
        self.get(request, INSERT).map(drop)
    }

    /// Runs a LogsQL query.
    pub(super) fn query(&self, text: &str, patience: Duration) -> Result<Vec<Answer>, StoreError> {
        let request = self.agent.post(format!("{}/select/logsql/query", self.url));
        // The server must stop the query at the timeout, too.
        let timeout = format!("{}ms", patience.as_millis().max(1));
        let request = request.config().timeout_global(Some(patience)).build();
        let mut response = self.taken(request.send_form([("query", text), ("timeout", &timeout)]))?;
        let lines = BufReader::new(response.body_mut().as_reader()).lines();
        let line = |line: std::io::Result<String>| {
            let line = line.map_err(|error| self.failed(&error, is_late(&error)))?;
            serde_json::from_str(&line).map_err(|_| self.failed(&line, false))
        };
        lines.filter(|line| !line.as_ref().is_ok_and(String::is_empty)).map(line).collect()
    }

    /// Returns the names of all fields that start with `prefix`.
    pub(super) fn field_names(&self, query: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        let request = self.agent.get(format!("{}/select/logsql/field_names", self.url)).query("query", query);
        let text = self.get(request, INSERT)?;
        let answer: Value = serde_json::from_str(&text).map_err(|_| self.failed(&text, false))?;
        let values = answer["values"].as_array().into_iter().flatten();
        Ok(values.filter_map(|value| value["value"].as_str()?.strip_prefix(prefix).map(str::to_owned)).collect())
    }

    /// Returns the size of the server's files in bytes; 0 if it does not report it, such as the front server of a
    /// cluster.
    pub(super) fn bytes(&self) -> Result<u64, StoreError> {
        let metrics = self.get(self.agent.get(format!("{}/metrics", self.url)), INSERT)?;
        let sizes = metrics.lines().filter(|line| line.starts_with("vl_compressed_data_size_bytes{"));
        Ok(sizes.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as u64)
    }

    fn get(
        &self,
        request: RequestBuilder<ureq::typestate::WithoutBody>,
        patience: Duration,
    ) -> Result<String, StoreError> {
        let request = request.config().timeout_global(Some(patience)).build();
        let mut response = self.taken(request.call())?;
        response.body_mut().with_config().limit(u64::MAX).read_to_string().map_err(|error| self.failed(&error, false))
    }

    /// Returns the response if it reports success, else an error.
    fn taken(&self, result: Result<http::Response<Body>, ureq::Error>) -> Result<http::Response<Body>, StoreError> {
        let mut response = result.map_err(|error| self.failed(&error, matches!(error, ureq::Error::Timeout(_))))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let said = response.body_mut().with_config().limit(TOLD).lossy_utf8(true).read_to_string().unwrap_or_default();
        Err(self.failed(&format_args!("the server answered {}: {}", response.status(), said.trim()), false))
    }

    fn failed(&self, error: &dyn std::fmt::Display, is_late: bool) -> StoreError {
        let kind = if is_late { StoreErrorKind::TooSlow } else { StoreErrorKind::Server };
        // A password in the URL must not be shown.
        let place = self.url.rsplit('@').next().unwrap_or_default().trim_start_matches("http://");
        StoreError::new(kind, format_args!("VictoriaLogs at {place}: {error}"))
    }
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock)
}
