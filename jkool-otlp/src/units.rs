//! What the units of OpenTelemetry are in jKool's words.

use jkool_model::ValueType;

/// What it measures, by UCUM; what jKool has no word for is told by the property `unit`.
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
