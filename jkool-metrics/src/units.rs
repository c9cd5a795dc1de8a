//! What the units of `metrics` are in jKool's words.

use jkool_client::model::ValueType;
use metrics::Unit;

/// What it measures; what jKool has no word for is told by the property `unit`.
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
