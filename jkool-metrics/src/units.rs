//! Maps units of `metrics` to jKool's value types.

use jkool_client::model::ValueType;
use metrics::Unit;

/// The value type of a unit; a unit without one is sent as the property `unit`.
pub(crate) fn value_type(unit: Unit) -> Option<ValueType> {
    Some(match unit {
        Unit::Percent => ValueType::Percent,
        Unit::Seconds => ValueType::AgeSec,
        Unit::Milliseconds => ValueType::AgeMsec,
        Unit::Microseconds => ValueType::AgeUsec,
        Unit::Nanoseconds => ValueType::AgeNsec,
        Unit::Tebibytes => ValueType::SizeTb,
        Unit::Gibibytes => ValueType::SizeGb,
        Unit::Mebibytes => ValueType::SizeMb,
        Unit::Kibibytes => ValueType::SizeKb,
        Unit::Bytes => ValueType::SizeByte,
        Unit::CountPerSecond => ValueType::RateSec,
        _ => return None,
    })
}
