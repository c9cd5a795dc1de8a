//! The ids of W3C Trace Context, and the sampling of traces.

use jkool_client::Client;
use jkool_client::model::json::hex;
use jkool_client::model::{Text, TrackingId};
use std::fmt;
use std::sync::Arc;

/// The id of a trace: 16 bytes. As text it has 32 hexadecimal digits, and it is a correlator of all spans and events of the trace.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

/// The id of a span: 8 bytes. As text it has 16 hexadecimal digits, and it is the tracking id of the span's activity.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

/// The trace id, span id and sampling decision of a span, as in the header `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) sampled: bool,
}

/// Headers of a request that are passed on unchanged with the requests that follow from it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PassedOn {
    pub(crate) trace_state: Option<Arc<str>>,
    pub(crate) baggage: Option<Arc<str>>,
}

impl TraceId {
    pub(crate) fn correlator(self) -> Text {
        digits(&self.hex())
    }

    pub(crate) fn bits(self) -> u128 {
        self.0
    }

    fn hex(self) -> [u8; 32] {
        let mut digits = [0; 32];
        digits[..16].copy_from_slice(&hex((self.0 >> 64) as u64));
        digits[16..].copy_from_slice(&hex(self.0 as u64));
        digits
    }

    /// Decides by the last 7 bytes of the id, which are random according to W3C. It uses their upper 53 bits, which an `f64` holds
    /// exactly. All services with the same ratio decide the same.
    fn is_sampled(self, ratio: f64) -> bool {
        const BITS: u32 = 53;
        let random = (self.0 as u64) << 8 >> (64 - BITS);
        (random as f64) < ratio * (1_u64 << BITS) as f64
    }
}

impl SpanId {
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn tracking_id(self) -> TrackingId {
        TrackingId::from_span_id(self.0)
    }

    /// The hexadecimal digits of the id.
    pub(crate) fn text(self) -> Text {
        digits(&hex(self.0))
    }
}

impl TraceContext {
    /// The context of a span without a parent.
    pub(crate) fn root(client: &Client, ratio: f64) -> Self {
        loop {
            // The span id is made of other bits, so that the two ids have none in common.
            let [trace_id, bits] = client.next_two();
            if trace_id != 0 {
                let (trace_id, span_id) = (TraceId(trace_id), span_id(bits).unwrap_or_else(|| new_span_id(client)));
                return Self { trace_id, span_id, sampled: trace_id.is_sampled(ratio) };
            }
        }
    }

    /// The context of a child of this span.
    pub(crate) fn child(self, client: &Client) -> Self {
        Self { span_id: new_span_id(client), ..self }
    }

    /// The id of the trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The id of the span.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Whether the spans of the trace are sent.
    pub fn is_sampled(&self) -> bool {
        self.sampled
    }

    /// Parses the value of a `traceparent` header, also of a later version of the specification.
    pub(crate) fn parse(traceparent: &str) -> Option<Self> {
        let text = traceparent.trim();
        let (version, rest) = (from_hex(text.get(..2)?)? as u8, text.get(55..)?);
        let later = match version {
            0 => rest.is_empty(),
            0xff => false,
            _ => rest.is_empty() || rest.starts_with('-'),
        };
        let dashes = [2, 35, 52].iter().all(|at| text.as_bytes().get(*at) == Some(&b'-'));
        if !later || !dashes {
            return None;
        }
        let trace_id = TraceId(from_hex(text.get(3..35)?)?);
        let span_id = SpanId(from_hex(text.get(36..52)?)? as u64);
        let sampled = from_hex(text.get(53..55)?)? & 1 == 1;
        (trace_id.0 != 0 && span_id.0 != 0).then_some(Self { trace_id, span_id, sampled })
    }
}

/// Formats the context as the value of a `traceparent` header.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceId({self})")
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({self})")
    }
}

fn digits(digits: &[u8]) -> Text {
    String::from_utf8(digits.to_vec()).unwrap_or_default().into()
}

fn new_span_id(client: &Client) -> SpanId {
    loop {
        if let Some(id) = span_id(client.next_bits()) {
            return id;
        }
    }
}

/// `None` for bits that are no id.
fn span_id(bits: u128) -> Option<SpanId> {
    Some(SpanId((bits >> 64) as u64)).filter(|id| id.0 != 0)
}

/// Parses hexadecimal digits in lower case, which the specification requires.
fn from_hex(digits: &str) -> Option<u128> {
    let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    digits.as_bytes().iter().all(is_digit).then(|| u128::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::{TraceContext, TraceId};

    const W3C: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_and_written() {
        let context = TraceContext::parse(W3C).unwrap();
        assert_eq!(context.to_string(), W3C);
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled());
        assert!(!TraceContext::parse(&W3C.replace("-01", "-00")).unwrap().is_sampled());
        assert!(TraceContext::parse(&W3C.replace("-01", "-03")).unwrap().is_sampled());
    }

    #[test]
    fn a_later_version_may_say_more() {
        for later in [W3C.replacen("00", "01", 1), W3C.replacen("00", "cc", 1) + "-what-comes"] {
            assert_eq!(TraceContext::parse(&later).unwrap().to_string(), W3C);
        }
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        for wrong in [
            "",
            "00",
            &W3C[..54],
            &(W3C.to_owned() + "-more"),
            &(W3C.to_owned() + "x"),
            &W3C.replacen("00", "ff", 1),
            &W3C.replace("4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000000000000000000000"),
            &W3C.replace("00f067aa0ba902b7", "0000000000000000"),
            &W3C.replace('f', "F"),
            &W3C.replace('-', "_"),
            &W3C.replace("4bf9", "+bf9"),
            &"é".repeat(40),
        ] {
            assert_eq!(TraceContext::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_ratio_chooses_about_as_many_and_those_of_a_smaller_one() {
        let traces = || (1..=10_000_u128).map(|n| TraceId(n.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)));
        let count = traces().filter(|trace| trace.is_sampled(0.25)).count();
        assert!((2_300..2_700).contains(&count), "{count}");
        assert!(traces().filter(|trace| trace.is_sampled(0.1)).all(|trace| trace.is_sampled(0.25)));
        assert!(traces().all(|trace| trace.is_sampled(1.0) && !trace.is_sampled(0.0)));
        assert!(TraceId(u128::MAX).is_sampled(1.0));
    }
}
