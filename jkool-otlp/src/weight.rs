//! Estimates the memory of a message before it is decoded: an empty element takes two bytes in a request, and may take several
//! hundred in memory.

use crate::proto::{common, logs, metrics, trace};
use std::mem::size_of;

/// A message type, with the message types of its fields.
struct Kind {
    size: usize,
    /// The message types, by field number.
    parts: &'static [(u64, &'static Kind)],
    /// The packed field whose numbers take up to 8 times as much in memory.
    numbers: Option<u64>,
}

const fn kind<T>(parts: &'static [(u64, &'static Kind)]) -> Kind {
    Kind { size: size_of::<T>(), parts, numbers: None }
}

static VALUE: Kind = kind::<common::AnyValue>(&[(5, &LIST), (6, &MAP)]);
static LIST: Kind = kind::<common::ArrayValue>(&[(1, &VALUE)]);
static MAP: Kind = kind::<common::KeyValueList>(&[(1, &ATTRIBUTE)]);
static ATTRIBUTE: Kind = kind::<common::KeyValue>(&[(2, &VALUE)]);
static RESOURCE: Kind = kind::<common::Resource>(&[(1, &ATTRIBUTE)]);
static SCOPE: Kind = kind::<common::InstrumentationScope>(&[(3, &ATTRIBUTE)]);

static LOGS: Kind = kind::<logs::ExportLogsServiceRequest>(&[(1, &RESOURCE_LOGS)]);
static RESOURCE_LOGS: Kind = kind::<logs::ResourceLogs>(&[(1, &RESOURCE), (2, &SCOPE_LOGS)]);
static SCOPE_LOGS: Kind = kind::<logs::ScopeLogs>(&[(1, &SCOPE), (2, &LOG_RECORD)]);
static LOG_RECORD: Kind = kind::<logs::LogRecord>(&[(5, &VALUE), (6, &ATTRIBUTE)]);

static TRACES: Kind = kind::<trace::ExportTraceServiceRequest>(&[(1, &RESOURCE_SPANS)]);
static RESOURCE_SPANS: Kind = kind::<trace::ResourceSpans>(&[(1, &RESOURCE), (2, &SCOPE_SPANS)]);
static SCOPE_SPANS: Kind = kind::<trace::ScopeSpans>(&[(1, &SCOPE), (2, &SPAN)]);
static SPAN: Kind = kind::<trace::Span>(&[(9, &ATTRIBUTE), (11, &SPAN_EVENT), (13, &SPAN_LINK)]);
static SPAN_EVENT: Kind = kind::<trace::SpanEvent>(&[(3, &ATTRIBUTE)]);
static SPAN_LINK: Kind = kind::<trace::SpanLink>(&[(4, &ATTRIBUTE)]);

static METRICS: Kind = kind::<metrics::ExportMetricsServiceRequest>(&[(1, &RESOURCE_METRICS)]);
static RESOURCE_METRICS: Kind = kind::<metrics::ResourceMetrics>(&[(1, &RESOURCE), (2, &SCOPE_METRICS)]);
static SCOPE_METRICS: Kind = kind::<metrics::ScopeMetrics>(&[(1, &SCOPE), (2, &METRIC)]);
static METRIC: Kind = kind::<metrics::Metric>(&[
    (5, &NUMBERS),
    (7, &NUMBERS),
    (9, &HISTOGRAM),
    (10, &EXPONENTIAL_HISTOGRAM),
    (11, &SUMMARY),
    (12, &ATTRIBUTE),
]);
static NUMBERS: Kind = kind::<metrics::Sum>(&[(1, &NUMBER_POINT)]);
static NUMBER_POINT: Kind = kind::<metrics::NumberDataPoint>(&[(7, &ATTRIBUTE), (5, &EXEMPLAR)]);
static HISTOGRAM: Kind = kind::<metrics::Histogram>(&[(1, &HISTOGRAM_POINT)]);
static HISTOGRAM_POINT: Kind = kind::<metrics::HistogramDataPoint>(&[(9, &ATTRIBUTE), (8, &EXEMPLAR)]);
static EXPONENTIAL_HISTOGRAM: Kind = kind::<metrics::ExponentialHistogram>(&[(1, &EXPONENTIAL_POINT)]);
static EXPONENTIAL_POINT: Kind =
    kind::<metrics::ExponentialHistogramDataPoint>(&[(1, &ATTRIBUTE), (8, &BUCKETS), (9, &BUCKETS), (11, &EXEMPLAR)]);
static BUCKETS: Kind = Kind { size: size_of::<metrics::Buckets>(), parts: &[], numbers: Some(2) };
static SUMMARY: Kind = kind::<metrics::Summary>(&[(1, &SUMMARY_POINT)]);
static SUMMARY_POINT: Kind = kind::<metrics::SummaryDataPoint>(&[(7, &ATTRIBUTE), (6, &QUANTILE)]);
static QUANTILE: Kind = kind::<metrics::ValueAtQuantile>(&[]);
static EXEMPLAR: Kind = kind::<metrics::Exemplar>(&[(7, &ATTRIBUTE)]);

/// The memory of a logs request in bytes, in addition to its body.
pub(crate) fn logs(body: &[u8]) -> usize {
    weigh(&LOGS, body, 0)
}

/// The memory of a traces request.
pub(crate) fn traces(body: &[u8]) -> usize {
    weigh(&TRACES, body, 0)
}

/// The memory of a metrics request.
pub(crate) fn metrics(body: &[u8]) -> usize {
    weigh(&METRICS, body, 0)
}

/// The memory of a logs request in JSON. A log record is at the fourth level of objects; attributes are smaller.
pub(crate) fn json_logs(body: &[u8]) -> usize {
    objects(body, 4, LOG_RECORD.size, ATTRIBUTE.size)
}

/// The memory of a traces request in JSON.
pub(crate) fn json_traces(body: &[u8]) -> usize {
    objects(body, 4, SPAN.size, SPAN_LINK.size)
}

/// The memory of a metrics request in JSON. The buckets of a data point are at the seventh level of objects.
pub(crate) fn json_metrics(body: &[u8]) -> usize {
    objects(body, 7, METRIC.size.max(EXPONENTIAL_POINT.size), ATTRIBUTE.size)
}

/// Each object counts with one of two sizes, by its depth, and each comma counts for a number, which is read as a text.
fn objects(json: &[u8], shallow: usize, of_shallow: usize, of_deep: usize) -> usize {
    let (mut weight, mut depth, mut in_text, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in json {
        match byte {
            _ if std::mem::take(&mut escaped) => {}
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' => {
                depth += 1;
                weight += if depth <= shallow { of_shallow } else { of_deep };
            }
            b'}' => depth = depth.saturating_sub(1),
            b',' => weight += size_of::<String>(),
            _ => {}
        }
    }
    weight
}

/// The maximum depth; deeper messages are refused.
const DEEPEST: usize = 100;

/// The memory of the message and everything in it. Data that cannot be decoded counts nothing, because nothing is created from
/// it.
fn weigh(kind: &Kind, message: &[u8], depth: usize) -> usize {
    let mut weight = kind.size;
    if depth == DEEPEST {
        return weight;
    }
    let mut rest = message;
    while let Some((number, field)) = next_field(&mut rest) {
        let Some(inner) = field else { continue };
        if let Some((_, part)) = kind.parts.iter().find(|(part, _)| *part == number) {
            weight += weigh(part, inner, depth + 1);
        } else if kind.numbers == Some(number) {
            weight += inner.len() * 8;
        }
    }
    weight
}

/// The next field: its number, and its content if that is a message, text or list. `None` at the end, or if it cannot be
/// decoded.
fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let tag = varint(rest)?;
    let inner = match tag & 7 {
        0 => {
            varint(rest)?;
            None
        }
        1 => {
            take(rest, 8)?;
            None
        }
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            Some(take(rest, length)?)
        }
        5 => {
            take(rest, 4)?;
            None
        }
        // Groups are decoded as unknown fields, of which nothing is kept.
        3 | 4 => None,
        _ => return None,
    };
    Some((tag >> 3, inner))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::proto::common::KeyValue;
    use crate::proto::logs::LogRecord;

    #[test]
    fn empty_elements_weigh_what_they_take() {
        let records: Vec<u8> = [0x12, 0].repeat(60);
        let scope = [&[0x12, 120], &records[..]].concat();
        let resource = [&[0x0a, scope.len() as u8], &scope[..]].concat();
        let weight = super::logs(&resource);
        assert!(weight > 60 * size_of::<LogRecord>(), "{weight}");
        assert!(weight < 61 * size_of::<LogRecord>(), "{weight}");
    }

    #[test]
    fn objects_of_json_weigh_what_they_take() {
        let json = br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"\"{{{"}}]}]}]}"#;
        assert_eq!(super::json_logs(json), 4 * size_of::<LogRecord>() + size_of::<KeyValue>());
    }

    #[test]
    fn what_can_not_be_read_ends_it() {
        for body in [&[0xff; 20][..], &[0x0a, 0xff], &[0x0f], &[0x0a, 5, 1], &[8], &[9, 1]] {
            assert!(super::logs(body) < 100, "{body:?}");
        }
    }
}
