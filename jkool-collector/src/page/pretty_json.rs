//! Formats JSON with line breaks. Names, values and their order do not change; numbers keep every digit.

/// Returns `json` with a line for each member; unchanged if it is not a valid object or array.
pub(super) fn pretty(json: &str) -> String {
    let json = json.trim();
    if !json.starts_with(['{', '[']) || serde_json::from_str::<serde::de::IgnoredAny>(json).is_err() {
        return json.to_owned();
    }
    let mut text = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut rest = json.chars().peekable();
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    while let Some(c) = rest.next() {
        if in_string {
            text.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            ' ' | '\t' | '\n' | '\r' => {}
            '{' | '[' => {
                text.push(c);
                while rest.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                match rest.next_if(|c| matches!(c, '}' | ']')) {
                    Some(end) => text.push(end),
                    None => {
                        depth += 1;
                        line(&mut text, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            c => {
                in_string = c == '"';
                text.push(c);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::pretty;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn each_member_has_a_line_and_nothing_is_changed() {
        let json = r#"{"b": [1.10, {}, [ ]],"a":"x\"{,:","n":123456789012345678901234567890}"#;
        let expected = "{\n  \"b\": [\n    1.10,\n    {},\n    []\n  ],\n  \"a\": \"x\\\"{,:\",\n  \"n\": 123456789012345678901234567890\n}";
        assert_eq!(pretty(json), expected);
        for other in ["plain", "\"text\"", "12", "{broken", "", "[1] and more"] {
            assert_eq!(pretty(other), other);
        }
    }

    proptest! {
        #[test]
        fn it_means_the_same(texts in proptest::collection::vec(".*", 0..5)) {
            let value = serde_json::json!({"texts": texts, "nested": [[texts], {}]});
            prop_assert_eq!(serde_json::from_str::<Value>(&pretty(&value.to_string())).unwrap(), value);
        }
    }
}
