//! The handshake of JESL and TNT4PY: a token in a little XML, answered in XML.

use crate::tokens::as_utf8;
use std::borrow::Cow;

/// The token of an `<access-request>`; `None` when `body` is something else. The clients don't escape it.
pub fn token_in(body: &[u8]) -> Option<Cow<'_, [u8]>> {
    let request = strip(body.trim_ascii(), b"<access-request>", b"</access-request>")?;
    strip(request.trim_ascii(), b"<token>", b"</token>").map(as_utf8)
}

/// What the client is told.
pub fn answer(token: &[u8], success: bool) -> String {
    let token = escape(&String::from_utf8_lossy(token));
    let reason = if success { "" } else { "<reason>Invalid token</reason>" };
    format!("<access-resp><token>{token}</token><success>{success}</success>{reason}</access-resp>")
}

fn strip<'a>(text: &'a [u8], begin: &[u8], end: &[u8]) -> Option<&'a [u8]> {
    text.strip_prefix(begin)?.strip_suffix(end)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // XML has no way to say it.
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{answer, token_in};

    #[test]
    fn a_token_is_read_as_the_clients_write_it() {
        let token = |body: &[u8]| token_in(body).map(std::borrow::Cow::into_owned);
        let read = |body: &str| token(body.as_bytes()).map(|token| String::from_utf8(token).unwrap());
        assert_eq!(read("<access-request><token>a b</token></access-request>\n").unwrap(), "a b");
        assert_eq!(read("<access-request><token>a<b>&c</token></access-request>").unwrap(), "a<b>&c");
        let latin = b"<access-request><token>tok\xe9n</token></access-request>";
        assert_eq!(token(latin).unwrap(), "tokén".as_bytes());
        for body in ["", "{}", "<access-request>", "<access-request></access-request>", "<?xml version=\"1.0\"?><x/>"] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn what_comes_back_is_escaped() {
        assert_eq!(
            answer(b"a<b>&c\0", false),
            "<access-resp><token>a&lt;b&gt;&amp;c\u{fffd}</token><success>false</success><reason>Invalid token</reason></access-resp>"
        );
        assert_eq!(answer(b"t", true), "<access-resp><token>t</token><success>true</success></access-resp>");
    }
}
