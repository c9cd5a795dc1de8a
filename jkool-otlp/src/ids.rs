//! Converts ids of traces and spans.

use jkool_model::Text;

/// The text of a trace id, which is a correlator of everything in the trace. `None` unless it has 16 bytes that are not all
/// zero.
pub(crate) fn trace(id: &[u8]) -> Option<Text> {
    valid(id, 16)
}

/// The text of a span id, which is the tracking id of its activity. `None` unless it has 8 bytes that are not all zero.
pub(crate) fn span(id: &[u8]) -> Option<Text> {
    valid(id, 8)
}

fn valid(id: &[u8], length: usize) -> Option<Text> {
    (id.len() == length && id.iter().any(|byte| *byte != 0)).then(|| hex(id))
}

fn hex(bytes: &[u8]) -> Text {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_id_has_its_length_and_is_not_zero() {
        assert_eq!(super::span(&[0, 0x1f, 0xff, 0, 0, 0, 0, 1]).as_deref(), Some("001fff0000000001"));
        assert_eq!(super::trace(&[7; 16]).as_deref(), Some("07070707070707070707070707070707"));
        for invalid in [&[][..], &[0; 8], &[1; 7], &[1; 9]] {
            assert_eq!(super::span(invalid), None);
        }
        assert_eq!(super::trace(&[0; 16]), None);
    }
}
