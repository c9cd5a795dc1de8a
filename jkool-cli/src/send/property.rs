//! Parses properties of the command line: `name=value[:type][:measure]`.

use jkool_client::model::{DataType, Property, TypedValue, Value, ValueType};

const EXPECTED: &str = "expected NAME=VALUE[:TYPE][:MEASURE], such as amount=42.50:double:currency.usd";

/// Parses a property. The text after a colon is a type or a measure only if it is a known one, so values may contain
/// colons.
pub(crate) fn property(text: &str) -> Result<Property, String> {
    let (name, mut value) = text.split_once('=').ok_or(EXPECTED)?;
    if name.is_empty() {
        return Err(EXPECTED.into());
    }
    let last_word = |value: &str| value.rsplit_once(':').map(|(rest, word)| (rest.len(), word.to_owned()));
    let mut measure = ValueType::None;
    if let Some((end, word)) = last_word(value) {
        let known = word.parse().ok().filter(|known| !matches!(known, ValueType::Other(_) | ValueType::None));
        if let Some(known) = known {
            measure = known;
            value = &value[..end];
        }
    }
    let data_type = last_word(value).and_then(|(end, word)| {
        let known = word.parse().ok().filter(|known| !matches!(known, DataType::Other(_)))?;
        value = &value[..end];
        Some(known)
    });
    let typed = match data_type {
        Some(data_type) => typed(value, data_type)?,
        None => untyped(value),
    };
    Ok(Property::new(name.to_owned(), typed).value_type(measure))
}

/// Parses several, separated by commas.
pub(crate) fn named_properties(text: &str) -> Result<Vec<Property>, String> {
    text.split(',').map(property).collect()
}

fn typed(value: &str, data_type: DataType) -> Result<TypedValue, String> {
    let text = || Value::Text(value.to_owned().into());
    let typed = match &data_type {
        DataType::Date | DataType::DateUsec => value.parse().map_or_else(|_| text(), Value::Int),
        _ => text(),
    };
    let typed = TypedValue::new(typed, data_type);
    let is_no_text = |data_type: &DataType| {
        use DataType::{BigInt, Bool, Byte, Date, DateUsec, Double, Float, Int, Long, Short};
        matches!(data_type, BigInt | Bool | Byte | Date | DateUsec | Double | Float | Int | Long | Short)
    };
    match &typed.value {
        Value::Text(_) if is_no_text(&typed.data_type) => Err(format!("{value:?} is not a valid {}", typed.data_type)),
        _ => Ok(typed),
    }
}

/// A value that is a number or boolean in JSON is one here.
fn untyped(value: &str) -> TypedValue {
    match serde_json::from_str::<Value>(value) {
        Ok(value @ (Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Double(_))) => value.into(),
        _ => value.to_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::property;
    use jkool_client::model::{DataType, Property, Value, ValueType};

    #[test]
    fn the_type_is_said_or_told_by_the_value() {
        let of = |text: &str| property(text).unwrap();
        assert_eq!(of("n=42"), Property::new("n", 42));
        assert_eq!(of("n=5000000000"), Property::new("n", 5_000_000_000_i64));
        assert_eq!(of("n=-1.5"), Property::new("n", -1.5));
        assert_eq!(of("n=true"), Property::new("n", true));
        assert_eq!(of("n="), Property::new("n", ""));
        assert_eq!(of("n=007"), Property::new("n", "007"));
        assert_eq!(of("n=a=b"), Property::new("n", "a=b"));
        assert_eq!(of("n=42:string"), Property::new("n", "42"));
        assert_eq!(of("n=42:long"), Property::new("n", 42_i64));
        assert_eq!(of("n=true:bool"), Property::new("n", true));
        assert_eq!(of("n=42.5:double:currency.usd"), Property::new("n", 42.5).value_type(ValueType::CurrencyUsd));
        assert_eq!(of("n=12:age.msec"), Property::new("n", 12).value_type(ValueType::AgeMsec));
        assert_eq!(of("n=12:30"), Property::new("n", "12:30"));
        assert_eq!(of("n=http://host:8080/a"), Property::new("n", "http://host:8080/a"));
        assert_eq!(of("n=1457524800000000:date.usec").data_type, DataType::DateUsec);
        assert_eq!(of("n=1.0:float").value, Value::Double(1.0));
    }

    #[test]
    fn what_is_no_property_is_refused() {
        for text in ["", "n", "=1", "n=x:int", "n=1.5:int", "n=maybe:bool"] {
            assert!(property(text).is_err(), "{text}");
        }
    }
}
