//! Maps units of OpenTelemetry to jKool's value types.

use jkool_model::ValueType;

/// The value type of a UCUM unit; a unit without one is sent as the property `unit`.
pub(crate) fn value_type(unit: &str) -> Option<ValueType> {
    Some(match unit {
        "ns" => ValueType::AgeNsec,
        "us" => ValueType::AgeUsec,
        "ms" => ValueType::AgeMsec,
        "s" => ValueType::AgeSec,
        "min" => ValueType::AgeMin,
        "h" => ValueType::AgeHour,
        "d" => ValueType::AgeDay,
        "wk" => ValueType::AgeWeek,
        "By" => ValueType::SizeByte,
        "KiBy" => ValueType::SizeKb,
        "MiBy" => ValueType::SizeMb,
        "GiBy" => ValueType::SizeGb,
        "TiBy" => ValueType::SizeTb,
        "m" => ValueType::SizeMeter,
        "km" => ValueType::SizeKm,
        "g" => ValueType::MassG,
        "kg" => ValueType::MassKg,
        "%" => ValueType::Percent,
        "Cel" => ValueType::TempC,
        "[degF]" => ValueType::TempF,
        _ => return None,
    })
}
