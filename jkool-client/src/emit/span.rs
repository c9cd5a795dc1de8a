//! The fields of a span that has ended. An adapter hands them over as numbers, because that takes less time than writing
//! JSON, and the worker writes them.

use crate::emit::raw_properties;
use jkool_model::json::{Json, hex};
use jkool_model::{ActivityStatus, CompCode, Severity, TrackingId};

/// The outcome of a span, as far as it is known.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanOutcome {
    /// Closing alone does not mean success.
    Unknown,
    Failed,
    /// The program reported success, regardless of failures inside.
    Fine,
}

/// A span that has ended. For tracing adapters; programs emit [`Activity`](jkool_model::Activity)s.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedSpan {
    pub trace_id: u128,
    pub span_id: u64,
    /// 0 if it has no parent.
    pub parent_id: u64,
    /// In microseconds since 1970.
    pub start: i64,
    /// In microseconds, as is `busy`.
    pub elapsed: i64,
    /// How long threads were in it, unless a property says so.
    pub busy: Option<i64>,
    pub tid: i64,
    pub outcome: SpanOutcome,
}

/// The bytes of an [`EndedSpan`] in the queue.
#[doc(hidden)]
pub type SpanBytes = [u8; LEN];

const LEN: usize = 16 + 6 * 8 + 1;

/// In place of a duration that is not known.
const NONE: i64 = i64::MIN;

/// The typical size of the JSON.
pub(crate) const JSON_LEN: usize = 448;

impl SpanOutcome {
    /// The severity for this outcome.
    pub fn severity(self, severity: Severity) -> Severity {
        if self == Self::Failed { severity.max(Severity::Error) } else { severity }
    }

    pub fn status(self) -> ActivityStatus {
        if self == Self::Failed { ActivityStatus::Exception } else { ActivityStatus::End }
    }

    /// `None` leaves it to the fields.
    pub fn comp_code(self) -> Option<CompCode> {
        match self {
            Self::Failed => Some(CompCode::Error),
            Self::Fine => Some(CompCode::Success),
            Self::Unknown => None,
        }
    }
}

impl EndedSpan {
    #[inline]
    pub fn to_bytes(&self) -> SpanBytes {
        let mut bytes = [self.outcome as u8; LEN];
        bytes[..16].copy_from_slice(&self.trace_id.to_ne_bytes());
        let busy = self.busy.unwrap_or(NONE) as u64;
        let numbers = [self.span_id, self.parent_id, self.start as u64, self.elapsed as u64, busy, self.tid as u64];
        for (place, number) in bytes[16..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_ne_bytes());
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &SpanBytes) -> Self {
        let mut trace_id = [0; 16];
        trace_id.copy_from_slice(&bytes[..16]);
        let number = |at: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&bytes[16 + at * 8..24 + at * 8]);
            u64::from_ne_bytes(number)
        };
        Self {
            trace_id: u128::from_ne_bytes(trace_id),
            span_id: number(0),
            parent_id: number(1),
            start: number(2) as i64,
            elapsed: number(3) as i64,
            busy: Some(number(4) as i64).filter(|busy| *busy != NONE),
            tid: number(5) as i64,
            outcome: match bytes[LEN - 1] {
                1 => SpanOutcome::Failed,
                2 => SpanOutcome::Fine,
                _ => SpanOutcome::Unknown,
            },
        }
    }

    /// Writes its fields, each with a comma before it. `lists` is JSON that the adapter has written.
    pub(crate) fn write_json<'j>(&self, lists: &[u8], out: Json<'j>) -> Json<'j> {
        let out = out.raw(br#","status":""#).raw(self.outcome.status().as_str().as_bytes());
        let mut out = out.raw(br#"","tracking-id":"#);
        out = TrackingId::from_span_id(self.span_id).write_json(out);
        if self.parent_id != 0 {
            out = TrackingId::from_span_id(self.parent_id).write_json(out.raw(br#","parent-id":"#));
        }
        out = out.raw(br#","corrid":[""#).raw(&hex((self.trace_id >> 64) as u64)).raw(&hex(self.trace_id as u64));
        out = match lists {
            [] => out.raw(br#""]"#),
            lists => out.raw(b"\"").raw(lists),
        };
        let end = self.start.saturating_add(self.elapsed);
        out = out.raw(br#","time-usec":"#).int(end).raw(br#","start-time-usec":"#).int(self.start);
        out = out.raw(br#","end-time-usec":"#).int(end).raw(br#","elapsed-time-usec":"#).int(self.elapsed);
        if let Some(code) = self.outcome.comp_code() {
            out = out.raw(br#","comp-code":""#).raw(code.as_str().as_bytes()).raw(b"\"");
        }
        out.raw(br#","tid":"#).int(self.tid)
    }

    /// Whether it has properties of its own.
    pub(crate) fn has_properties(bytes: &SpanBytes) -> bool {
        Self::from_bytes(bytes).busy.is_some()
    }

    /// Writes them, each with a comma before it.
    pub(crate) fn write_properties<'j>(&self, out: Json<'j>) -> Json<'j> {
        let Some(busy) = self.busy else { return out };
        let idle = self.elapsed.saturating_sub(busy);
        raw_properties::write_usec(b"idle", idle, raw_properties::write_usec(b"busy", busy, out.raw(b",")).raw(b","))
    }
}

#[cfg(test)]
mod tests {
    use super::{EndedSpan, JSON_LEN, SpanOutcome};
    use jkool_model::json::Json;
    use proptest::prelude::*;

    fn outcome() -> impl Strategy<Value = SpanOutcome> {
        prop_oneof![Just(SpanOutcome::Unknown), Just(SpanOutcome::Failed), Just(SpanOutcome::Fine)]
    }

    proptest! {
        #[test]
        fn a_span_leaves_the_queue_as_it_came(
            (trace_id, span_id, parent_id, tid) in (any::<u128>(), any::<u64>(), any::<u64>(), 0..4_000_000_i64),
            (start, elapsed, outcome) in (0..9_000_000_000_000_000_i64, 0..1_000_000_000_000_i64, outcome()),
            busy in proptest::option::of(0..1_000_000_000_000_i64),
        ) {
            let span = EndedSpan { trace_id, span_id, parent_id, start, elapsed, busy, tid, outcome };
            let bytes = span.to_bytes();
            prop_assert_eq!(EndedSpan::from_bytes(&bytes), span);
            prop_assert_eq!(EndedSpan::has_properties(&bytes), busy.is_some());
            let mut json = Vec::new();
            span.write_properties(span.write_json(b"", Json::begin(&mut json, 0))).end();
            prop_assert!(json.len() <= JSON_LEN, "{}", json.len());
        }
    }

    #[test]
    fn it_is_written_with_its_lists() {
        let (trace_id, span_id, parent_id) = (0xabc, 0xbeef, 0);
        let outcome = SpanOutcome::Failed;
        let span = EndedSpan { trace_id, span_id, parent_id, start: 5, elapsed: 3, busy: Some(2), tid: 7, outcome };
        let mut json = Vec::new();
        span.write_json(br#","order-42"],"id-set":["a"]"#, Json::begin(&mut json, 0)).end();
        let text = concat!(
            r#","status":"EXCEPTION","tracking-id":"000000000000beef""#,
            r#","corrid":["00000000000000000000000000000abc","order-42"],"id-set":["a"]"#,
            r#","time-usec":8,"start-time-usec":5,"end-time-usec":8,"elapsed-time-usec":3,"comp-code":"ERROR","tid":7"#,
        );
        assert_eq!(String::from_utf8(json).unwrap(), text);
    }
}
