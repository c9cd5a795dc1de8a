//! What arrived at the endpoint.

use crate::pretty;
use hyper::http::request::Parts;
use jkool_model::{Entity, Value};
use std::fmt;

/// An entity as the endpoint received it. Printed, it is the request: method, path, headers and the JSON.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Received {
    /// The request's method.
    pub method: String,
    /// The request's path, by which the service tells the kinds apart.
    pub path: String,
    /// The request's headers, names in small letters, sorted; `***` stands for the token.
    pub headers: Vec<(String, String)>,
    /// The entity's JSON, fields in the order of the wire.
    pub body: Value,
}

impl Received {
    pub(crate) fn new(head: &Parts, body: Value) -> Self {
        let mut headers: Vec<_> = head
            .headers
            .iter()
            .map(|(name, value)| match name.as_str() {
                name @ ("x-api-key" | "token" | "authorization") => (name.into(), "***".into()),
                name => (name.into(), String::from_utf8_lossy(value.as_bytes()).into_owned()),
            })
            .collect();
        headers.sort();
        Self { method: head.method.to_string(), path: head.uri.path().to_owned(), headers, body }
    }

    /// The value of a header, by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// What the JSON means.
    ///
    /// # Errors
    /// When it is no event, activity or snapshot.
    pub fn entity(&self) -> Result<Entity, Box<dyn std::error::Error>> {
        Ok(serde_json::from_value(serde_json::to_value(&self.body)?)?)
    }
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.method, self.path)?;
        let headers = ["content-type", "user-agent", "x-api-key", "token"]
            .iter()
            .filter_map(|name| Some(format!("{name}: {}", self.header(name)?)));
        writeln!(f, "{}", headers.collect::<Vec<_>>().join(", "))?;
        f.write_str(&pretty::print(&self.body))
    }
}
