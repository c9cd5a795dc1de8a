//! The JSON encoding of OTLP, where it differs from serde's defaults: ids are hexadecimal, 64-bit integers may be texts, enums
//! are numbers or names, bytes are base64, and null means absent. Unknown fields are ignored.

use crate::proto::common::{AnyValue, any_value};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;

/// Any value; null becomes the default.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(d: D) -> Result<T, D::Error> {
    Option::deserialize(d).map(Option::unwrap_or_default)
}

/// A text.
pub(crate) fn text<'de, D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
    let text: String = or_default(d)?;
    Ok(text.into())
}

/// An id, in hexadecimal digits of upper or lower case.
pub(crate) fn id<'de, D: Deserializer<'de>>(d: D) -> Result<Bytes, D::Error> {
    let text: Cow<'_, str> = or_default(d)?;
    let digits: Option<Vec<u8>> = text.bytes().map(|digit| char::from(digit).to_digit(16).map(|d| d as u8)).collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => {
            Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect::<Vec<u8>>().into())
        }
        _ => Err(D::Error::custom(format_args!(
            "{:?} is not an id; expected an even number of hexadecimal digits",
            shorten(&text)
        ))),
    }
}

/// A number, or a text that contains one.
struct Number {
    text: String,
}

impl Number {
    /// Converts it to an integer of type `T`. By the rules of protobuf's JSON, `1.0` and `1e3` are integers too.
    fn whole<T: TryFrom<i128>, E: Error>(&self) -> Result<T, E> {
        const MOST: f64 = 1e20;
        let exact = self.text.parse::<i128>().ok();
        let float = || self.text.parse::<f64>().ok().filter(|float| float.fract() == 0.0 && float.abs() < MOST);
        let whole = exact.or_else(|| float().map(|float| float as i128));
        whole.and_then(|whole| T::try_from(whole).ok()).ok_or_else(|| self.invalid("a whole number in its range"))
    }

    fn float<E: Error>(&self) -> Result<f64, E> {
        match self.text.as_str() {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            text => text.parse().ok().filter(|float: &f64| float.is_finite()).ok_or_else(|| self.invalid("a number")),
        }
    }

    fn invalid<E: Error>(&self, expected: &str) -> E {
        E::custom(format_args!("{:?} is not {expected}", shorten(&self.text)))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a text that holds one")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Number, E> {
        Ok(Number { text: value.to_string() })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Number, E> {
        Ok(Number { text: value.to_string() })
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Number, E> {
        Ok(Number { text: value.to_string() })
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Number, E> {
        Ok(Number { text: value.trim().to_owned() })
    }
}

fn whole<'de, D: Deserializer<'de>, T: TryFrom<i128> + Default>(d: D) -> Result<T, D::Error> {
    Option::<Number>::deserialize(d)?.map_or_else(|| Ok(T::default()), |number| number.whole())
}

/// A whole number of 64 bits, not negative.
pub(crate) fn uint64<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    whole(d)
}

/// A whole number of 32 bits, not negative.
pub(crate) fn uint32<'de, D: Deserializer<'de>>(d: D) -> Result<u32, D::Error> {
    whole(d)
}

/// A whole number of 32 bits.
pub(crate) fn sint32<'de, D: Deserializer<'de>>(d: D) -> Result<i32, D::Error> {
    whole(d)
}

/// A whole number of 64 bits, if there is one.
pub(crate) fn optional_int64<'de, D: Deserializer<'de>>(d: D) -> Result<Option<i64>, D::Error> {
    Option::<Number>::deserialize(d)?.map(|number| number.whole()).transpose()
}

/// A float.
pub(crate) fn double<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    optional_double(d).map(Option::unwrap_or_default)
}

/// A float, if there is one.
pub(crate) fn optional_double<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
    Option::<Number>::deserialize(d)?.map(|number| number.float()).transpose()
}

/// Whole numbers of 64 bits.
pub(crate) fn uint64s<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u64>, D::Error> {
    or_default::<D, Vec<Number>>(d)?.iter().map(Number::whole).collect()
}

/// Floats.
pub(crate) fn doubles<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<f64>, D::Error> {
    or_default::<D, Vec<Number>>(d)?.iter().map(Number::float).collect()
}

/// An enum: its number, or its name. `names` are the names from 0 on without `prefix`. An unknown name is 0.
fn named<'de, D: Deserializer<'de>>(d: D, prefix: &str, names: &[&str]) -> Result<i32, D::Error> {
    let Some(number) = Option::<Number>::deserialize(d)? else { return Ok(0) };
    match number.text.strip_prefix(prefix) {
        Some(name) => Ok(names.iter().position(|known| *known == name).unwrap_or_default() as i32),
        None => number.whole(),
    }
}

/// A span's kind.
pub(crate) fn span_kind<'de, D: Deserializer<'de>>(d: D) -> Result<i32, D::Error> {
    named(d, "SPAN_KIND_", &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"])
}

/// A span's status.
pub(crate) fn status_code<'de, D: Deserializer<'de>>(d: D) -> Result<i32, D::Error> {
    named(d, "STATUS_CODE_", &["UNSET", "OK", "ERROR"])
}

/// The temporality of a sum.
pub(crate) fn temporality<'de, D: Deserializer<'de>>(d: D) -> Result<i32, D::Error> {
    named(d, "AGGREGATION_TEMPORALITY_", &["UNSPECIFIED", "DELTA", "CUMULATIVE"])
}

/// The severity of a log record.
pub(crate) fn severity_number<'de, D: Deserializer<'de>>(d: D) -> Result<i32, D::Error> {
    const NAMES: [&str; 25] = [
        "UNSPECIFIED",
        "TRACE",
        "TRACE2",
        "TRACE3",
        "TRACE4",
        "DEBUG",
        "DEBUG2",
        "DEBUG3",
        "DEBUG4",
        "INFO",
        "INFO2",
        "INFO3",
        "INFO4",
        "WARN",
        "WARN2",
        "WARN3",
        "WARN4",
        "ERROR",
        "ERROR2",
        "ERROR3",
        "ERROR4",
        "FATAL",
        "FATAL2",
        "FATAL3",
        "FATAL4",
    ];
    named(d, "SEVERITY_NUMBER_", &NAMES)
}

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_map(AnyValueVisitor)
    }
}

struct AnyValueVisitor;

impl<'de> Visitor<'de> for AnyValueVisitor {
    type Value = AnyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value: an object with one of stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyValue, A::Error> {
        let mut value = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let said = match &*key {
                "stringValue" => map.next_value::<Option<String>>()?.map(|text| any_value::Value::String(text.into())),
                "boolValue" => map.next_value::<Option<bool>>()?.map(any_value::Value::Bool),
                "intValue" => {
                    let number = map.next_value::<Option<Number>>()?;
                    number.map(|number| number.whole()).transpose()?.map(any_value::Value::Int)
                }
                "doubleValue" => {
                    let number = map.next_value::<Option<Number>>()?;
                    number.map(|number| number.float()).transpose()?.map(any_value::Value::Double)
                }
                "arrayValue" => map.next_value::<Option<_>>()?.map(any_value::Value::Array),
                "kvlistValue" => map.next_value::<Option<_>>()?.map(any_value::Value::KeyValueList),
                "bytesValue" => {
                    let text = map.next_value::<Option<String>>()?;
                    text.map(|text| from_base64(&text)).transpose()?.map(any_value::Value::Bytes)
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    None
                }
            };
            value = said.or(value);
        }
        Ok(AnyValue { value })
    }
}

fn from_base64<E: Error>(text: &str) -> Result<Bytes, E> {
    let bytes = BASE64_STANDARD.decode(text);
    bytes.map(Bytes::from).map_err(|_| E::custom(format_args!("{:?} is not base64", shorten(text))))
}

/// The part of the input that an error quotes.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use crate::proto::common::{AnyValue, any_value::Value};
    use crate::proto::logs::LogRecord;
    use crate::proto::metrics::ExponentialHistogramDataPoint;
    use crate::proto::trace::Span;

    fn value(json: &str) -> Option<Value> {
        serde_json::from_str::<AnyValue>(json).unwrap().value
    }

    #[test]
    fn whole_numbers_are_numbers_or_texts() {
        for json in ["-5", "\"-5\"", "-5.0", "\" -5 \"", "-0.5e1"] {
            assert_eq!(value(&format!("{{\"intValue\":{json}}}")), Some(Value::Int(-5)), "{json}");
        }
        assert_eq!(value("{\"intValue\":\"9223372036854775807\"}"), Some(Value::Int(i64::MAX)));
        for json in ["\"9223372036854775808\"", "1.5", "\"\"", "\"x\"", "{}", "[1]", "true"] {
            assert!(serde_json::from_str::<AnyValue>(&format!("{{\"intValue\":{json}}}")).is_err(), "{json}");
        }
    }

    #[test]
    fn floats_are_numbers_or_texts() {
        assert_eq!(value("{\"doubleValue\":\"-Infinity\"}"), Some(Value::Double(f64::NEG_INFINITY)));
        assert_eq!(value("{\"doubleValue\":1}"), Some(Value::Double(1.0)));
        assert_eq!(value("{\"doubleValue\":\"2.5\"}"), Some(Value::Double(2.5)));
        assert!(serde_json::from_str::<AnyValue>("{\"doubleValue\":\"inf\"}").is_err());
    }

    #[test]
    fn null_and_what_nobody_knows_say_nothing() {
        assert_eq!(value("{\"stringValue\":null,\"newValue\":{\"deep\":[1]}}"), None);
        let record: LogRecord =
            serde_json::from_str(r#"{"timeUnixNano":null,"attributes":null,"body":null,"traceId":"","later":1}"#)
                .unwrap();
        assert_eq!(record, LogRecord::default());
    }

    #[test]
    fn enums_are_numbers_or_names() {
        for (json, kind) in [("2", 2), ("\"2\"", 2), ("\"SPAN_KIND_SERVER\"", 2), ("\"SPAN_KIND_NEW\"", 0), ("99", 99)]
        {
            assert_eq!(serde_json::from_str::<Span>(&format!("{{\"kind\":{json}}}")).unwrap().kind, kind, "{json}");
        }
        let record: LogRecord = serde_json::from_str(r#"{"severityNumber":"SEVERITY_NUMBER_WARN2"}"#).unwrap();
        assert_eq!(record.severity_number, 14);
    }

    #[test]
    fn ids_are_hexadecimal_and_bytes_are_base64() {
        let span: Span = serde_json::from_str(r#"{"spanId":"00f067AA0ba902b7"}"#).unwrap();
        assert_eq!(&span.span_id[..], [0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        for wrong in ["0", "0g", "é0"] {
            let error = serde_json::from_str::<Span>(&format!("{{\"spanId\":\"{wrong}\"}}")).unwrap_err().to_string();
            assert!(error.contains("is not an id"), "{error}");
        }
        assert_eq!(value("{\"bytesValue\":\"AP8=\"}"), Some(Value::Bytes(vec![0, 255].into())));
        assert!(serde_json::from_str::<AnyValue>("{\"bytesValue\":\"*\"}").is_err());
    }

    #[test]
    fn buckets_may_be_numbers_and_texts() {
        let json = r#"{"scale":-1,"count":"3","positive":{"offset":-2,"bucketCounts":["1",2]},"zeroThreshold":0.5}"#;
        let point: ExponentialHistogramDataPoint = serde_json::from_str(json).unwrap();
        let buckets = point.positive.unwrap();
        assert_eq!((point.scale, point.count, buckets.offset), (-1, 3, -2));
        assert_eq!((buckets.bucket_counts, point.zero_threshold), (vec![1, 2], 0.5));
    }
}
