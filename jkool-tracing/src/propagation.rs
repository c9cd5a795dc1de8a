//! Trace propagation between services, with the headers of [W3C Trace Context](https://www.w3.org/TR/trace-context/),
//! `X-Correlator` and [W3C Baggage](https://www.w3.org/TR/baggage/).
//!
//! The functions read and write headers through closures, so they work with the header types of any library.
//!
//! ```
//! use jkool_tracing::{SpanExt, propagation};
//! use std::collections::HashMap;
//! use tracing::info_span;
//!
//! // A server continues the trace of a request,
//! let request = HashMap::from([
//!     ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
//!     ("x-correlator", "order-42, basket-9"),
//! ]);
//! let span = info_span!("take order");
//! span.set_remote_parent(&propagation::extract(|name| request.get(name).copied()));
//!
//! // and propagates it with its own requests.
//! let mut headers = HashMap::new();
//! propagation::inject(&span, |name, value| _ = headers.insert(name, value));
//! ```

use crate::correlators;
use crate::extensions;
use crate::record::Record;
use crate::span_ext::with_recorded;
use crate::trace::{PassedOn, TraceContext};
use jkool_client::model::Text;
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;
use tracing::Span;

/// The name of the header with the trace id and the span id.
pub const TRACEPARENT: &str = "traceparent";
/// The name of the header with vendor-specific trace data. Its value is passed on unchanged.
pub const TRACESTATE: &str = "tracestate";
/// The name of the header with correlators: a comma-separated list, in which each byte of a correlator that is a comma, a percent sign,
/// a space, a control character or not ASCII is written as `%XX`.
pub const X_CORRELATOR: &str = "x-correlator";

/// The name of the header with data that the services of a trace share. Its value is passed on unchanged.
pub const BAGGAGE: &str = "baggage";

/// The maximum length of a header in bytes. Longer headers are ignored.
const MAX_HEADER: usize = 4096;
/// The maximum length of baggage, which every service must be able to pass on.
const MAX_BAGGAGE: usize = 8192;

/// The trace context and the correlators of a request from another service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remote {
    pub(crate) context: Option<TraceContext>,
    pub(crate) passed_on: PassedOn,
    pub(crate) correlators: Vec<Text>,
}

impl Remote {
    /// Returns the trace of the request and the span that sent it.
    pub fn trace_context(&self) -> Option<TraceContext> {
        self.context
    }

    /// Returns the correlators of the request.
    pub fn correlators(&self) -> &[Text] {
        &self.correlators
    }

    /// Returns the baggage of the request, as its header contains it.
    pub fn baggage(&self) -> Option<&str> {
        self.passed_on.baggage.as_deref()
    }
}

/// Reads the trace context, the correlators and the baggage from the headers of a request.
///
/// `get` returns the value of a header by its name, or all values of a header that is repeated, such as `HeaderMap::get_all`: they are
/// joined by commas in their order. It is called with the name in lower case first, and then in the usual mixed case. Invalid headers,
/// and headers of more than 4,096 bytes (8,192 for baggage) in total, are ignored; so is a `traceparent` that is repeated.
pub fn extract<'h, I>(get: impl Fn(&str) -> I) -> Remote
where
    I: IntoIterator<Item = &'h str>,
{
    let found = |lower: &str, mixed: &str| joined(get(lower)).or_else(|| joined(get(mixed)));
    let either = |lower: &str, mixed: &str| found(lower, mixed).filter(|value| value.len() <= MAX_HEADER);
    let context = either(TRACEPARENT, "Traceparent").and_then(|value| TraceContext::parse(&value));
    // Without a valid `traceparent`, `tracestate` has no meaning.
    let trace_state = context.and_then(|_| either(TRACESTATE, "Tracestate")).map(Arc::from);
    let baggage = found(BAGGAGE, "Baggage").filter(|value| value.len() <= MAX_BAGGAGE).map(Arc::from);
    let mut remote = Remote { context, passed_on: PassedOn { trace_state, baggage }, correlators: Vec::new() };
    for correlator in either(X_CORRELATOR, "X-Correlator").iter().flat_map(|list| list.split(',')) {
        correlators::add(&mut remote.correlators, decode(correlator.trim()).into());
    }
    remote
}

/// The values of a header as one list. `None` if there are none.
fn joined<'h>(values: impl IntoIterator<Item = &'h str>) -> Option<Cow<'h, str>> {
    let mut values = values.into_iter();
    let mut list = Cow::Borrowed(values.next()?);
    for value in values {
        let list = list.to_mut();
        list.push(',');
        list.push_str(value);
    }
    Some(list)
}

/// Writes the headers for a request that is sent in `span`, by calling `set` with the name and the value of each header. If neither the
/// span nor a span around it is recorded, `set` is not called.
pub fn inject(span: &Span, mut set: impl FnMut(&'static str, String)) {
    let found = with_recorded(span, |span| {
        let (mut context, mut list) = (None, Vec::new());
        for span in span.scope() {
            extensions::look(&span, |records| {
                context.get_or_insert_with(|| (records.context, records.passed_on.clone()));
                for correlator in records.of_layers.iter().flat_map(Record::correlators) {
                    correlators::add(&mut list, correlator.clone());
                }
            });
        }
        (context, list)
    });
    let Some((Some((context, passed_on)), list)) = found else { return };
    set(TRACEPARENT, context.to_string());
    for (name, value) in [(TRACESTATE, passed_on.trace_state), (BAGGAGE, passed_on.baggage)] {
        if let Some(value) = value {
            set(name, value.as_ref().to_owned());
        }
    }
    let mut header = String::new();
    for correlator in list.iter().map(|correlator| encode(correlator)) {
        if header.len() + 1 + correlator.len() <= MAX_HEADER {
            header += if header.is_empty() { "" } else { "," };
            header += &correlator;
        }
    }
    if !header.is_empty() {
        set(X_CORRELATOR, header);
    }
}

fn encode(correlator: &str) -> String {
    let mut encoded = String::with_capacity(correlator.len());
    for byte in correlator.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b',' | b'%') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
    }
    encoded
}

/// Decodes `%XX`. A percent sign without two hexadecimal digits after it is kept.
fn decode(encoded: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(encoded.len()), encoded.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{MAX_BAGGAGE, MAX_HEADER, Remote, decode, encode, extract};

    #[test]
    fn any_correlator_comes_back_from_a_header() {
        for text in ["order-42", "a,b", "100%", "Zoë 1", "%2C", "日本"] {
            let encoded = encode(text);
            assert!(encoded.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','), "{encoded}");
            assert_eq!(decode(&encoded), text);
        }
        assert_eq!((encode("a,b 1%"), decode("5% of %zz%4")), ("a%2Cb%201%25".into(), "5% of %zz%4".into()));
    }

    #[test]
    fn what_makes_no_sense_is_passed_over() {
        let long = "x,".repeat(MAX_HEADER);
        let remote = extract(|name| match name {
            "traceparent" => Some("00-nonsense"),
            "tracestate" => Some("vendor=1"),
            "x-correlator" => Some(&*long),
            _ => None,
        });
        assert_eq!(remote, Remote::default());
        let remote = extract(|name| (name == "X-Correlator").then_some(" a ,, b,a"));
        assert_eq!(remote.correlators(), ["a", "b"]);
        let baggage = "k=v,".repeat(MAX_BAGGAGE / 4);
        assert_eq!(extract(|name| (name == "Baggage").then_some(&*baggage)).baggage(), Some(&*baggage));
        let baggage = baggage + ",";
        assert_eq!(extract(|name| (name == "baggage").then_some(&*baggage)).baggage(), None);
    }

    #[test]
    fn repeated_headers_are_one_list() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let headers: [(&str, &str); 7] = [
            ("traceparent", parent),
            ("baggage", "k=v"),
            ("tracestate", "a=1,b=2"),
            ("x-correlator", "order-42"),
            ("baggage", "l=w;p, m=x"),
            ("tracestate", "c=3"),
            ("x-correlator", "basket-9, order-42"),
        ];
        let all = |name: &str| -> Vec<&str> {
            headers.iter().filter(|header| header.0 == name).map(|header| header.1).collect()
        };
        let remote = extract(all);
        assert_eq!(remote.baggage(), Some("k=v,l=w;p, m=x"));
        assert_eq!(remote.passed_on.trace_state.as_deref(), Some("a=1,b=2,c=3"));
        assert_eq!(remote.correlators(), ["order-42", "basket-9"]);
        assert!(remote.trace_context().is_some());
        // Which of several parents it is, is not known; and the limits are those of the list.
        assert_eq!(
            extract(|name| (name == "traceparent").then_some([parent; 2]).into_iter().flatten()),
            Remote::default()
        );
        let half = "k".repeat(MAX_BAGGAGE / 2);
        assert_eq!(extract(|name| (name == "baggage").then_some([&*half; 2]).into_iter().flatten()), Remote::default());
    }
}
