//! JSON for a person: what fits on a line stays on it.

use jkool_model::Value;

const WIDTH: usize = 110;

/// The JSON of `value`, the outermost object or list with a line for each field.
pub(crate) fn print(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0, 0);
    text
}

/// `taken` is what stands on the line already.
fn write(text: &mut String, value: &Value, depth: usize, taken: usize) {
    let line = on_one_line(value);
    let fits = depth > 0 && taken + line.chars().count() <= WIDTH;
    let (open, parts, close) = match value {
        Value::Map(fields) if !fits && !fields.is_empty() => {
            ("{", fields.iter().map(|(key, value)| (format!("{}: ", quoted(key)), value)).collect::<Vec<_>>(), "}")
        }
        Value::List(items) if !fits && !items.is_empty() => {
            ("[", items.iter().map(|item| (String::new(), item)).collect(), "]")
        }
        _ => return text.push_str(&line),
    };
    text.push_str(open);
    let indent = "  ".repeat(depth + 1);
    for (index, (key, value)) in parts.iter().enumerate() {
        text.push_str(if index == 0 { "\n" } else { ",\n" });
        text.push_str(&indent);
        text.push_str(key);
        write(text, value, depth + 1, indent.len() + key.chars().count());
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push_str(close);
}

fn on_one_line(value: &Value) -> String {
    match value {
        Value::Map(fields) if !fields.is_empty() => {
            let fields = fields.iter().map(|(key, value)| format!("{}: {}", quoted(key), on_one_line(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::List(items) => format!("[{}]", items.iter().map(on_one_line).collect::<Vec<_>>().join(", ")),
        Value::Text(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::print;

    #[test]
    fn what_fits_stays_on_its_line() {
        let long = "x".repeat(60);
        let json = format!(r#"{{"a":{{"b":[1,"\"",true,null,{{}}]}},"c":["{long}","{long}"]}}"#);
        let value = serde_json::from_str(&json).unwrap();
        let printed = print(&value);
        assert_eq!(
            printed,
            format!(
                "{{\n  \"a\": {{ \"b\": [1, \"\\\"\", true, null, {{}}] }},\n  \"c\": [\n    \"{long}\",\n    \"{long}\"\n  ]\n}}"
            )
        );
        assert_eq!(serde_json::from_str::<jkool_model::Value>(&printed).unwrap(), value);
    }
}
