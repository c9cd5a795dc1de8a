//! Tokens: which ones are taken, and which ones a request offers.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use std::borrow::Cow;
use std::fmt;
use std::hint::black_box;

/// The tokens that are taken. With none, any is.
#[derive(Clone, Default)]
pub struct Tokens(Vec<String>);

impl Tokens {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one.
    pub fn push(&mut self, token: String) {
        self.0.push(token);
    }

    /// Whether `offered` is one of them. How long it takes tells nothing but the length.
    pub fn take(&self, offered: &[u8]) -> bool {
        self.is_empty() || self.0.iter().fold(false, |taken, token| taken | same(token.as_bytes(), offered))
    }

    /// Whether the headers of a request hold one of them. Without any it counts what the connection showed before.
    pub fn admit(&self, headers: &HeaderMap, authenticated_before: bool) -> bool {
        let offered = offered(headers);
        if offered.is_empty() {
            return authenticated_before || self.is_empty();
        }
        offered.iter().any(|token| self.take(token))
    }
}

/// No token is ever shown.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

/// The tokens in a file's text: one a line, none in lines that begin with `#`.
pub fn in_file(text: &str) -> impl Iterator<Item = &str> {
    text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// What a request offers, wherever its client puts it.
fn offered(headers: &HeaderMap) -> Vec<Cow<'_, [u8]>> {
    let own = ["x-api-key", "token"].into_iter().flat_map(|name| headers.get_all(name));
    let own = own.map(|value| as_utf8(value.as_bytes().trim_ascii()));
    own.chain(headers.get_all(AUTHORIZATION).iter().filter_map(|value| in_authorization(value.as_bytes()))).collect()
}

/// A token's bytes as UTF-8; what is not is taken for the Latin-1 that Python's `http.client` sends.
pub(crate) fn as_utf8(token: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(token) {
        Ok(_) => Cow::Borrowed(token),
        Err(_) => Cow::Owned(token.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()),
    }
}

fn in_authorization(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let (scheme, rest) = value.split_at_checked(value.iter().position(|byte| *byte == b' ')?)?;
    let rest = rest.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        Some(as_utf8(rest))
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        let pair = decode_base64(rest)?;
        let colon = pair.iter().position(|byte| *byte == b':')?;
        Some(Cow::Owned(pair.get(colon + 1..)?.to_vec()))
    } else {
        None
    }
}

fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.iter().take_while(|byte| **byte != b'=') {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(decoded)
}

fn same(token: &[u8], offered: &[u8]) -> bool {
    token.len() == offered.len()
        && token.iter().zip(offered).fold(0, |difference, (a, b)| black_box(difference | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use super::{Tokens, decode_base64, in_file, offered};
    use http::{HeaderMap, HeaderName, HeaderValue};

    #[test]
    fn a_token_is_found_wherever_a_client_puts_it() {
        for (name, value) in [
            ("x-api-key", "canary-1"),
            ("token", " canary-1 "),
            ("authorization", "Bearer canary-1"),
            ("authorization", "bearer   canary-1"),
            ("authorization", "Basic Y2FuYXJ5LXU6Y2FuYXJ5LTE="),
            ("authorization", "basic OmNhbmFyeS0x"),
        ] {
            let headers =
                HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())]);
            assert_eq!(offered(&headers), [b"canary-1".as_slice()], "{name}");
        }
        for value in ["", "Basic", "Basic ?", "Basic YQ==", "Digest canary-1"] {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_static("authorization"),
                HeaderValue::from_str(value).unwrap(),
            )]);
            assert!(offered(&headers).is_empty());
        }
    }

    #[test]
    fn only_those_that_were_set_are_taken() {
        let mut tokens = Tokens::default();
        assert!(tokens.take(b"") && tokens.take(b"canary-1"));
        tokens.push("canary-1".into());
        tokens.push("canary-22".into());
        assert!(tokens.take(b"canary-1") && tokens.take(b"canary-22"));
        for other in ["", "canary-", "canary-2", "canary-11", "Canary-1"] {
            assert!(!tokens.take(other.as_bytes()));
        }
        assert_eq!(format!("{tokens:?}"), "Tokens(2)");
    }

    #[test]
    fn a_file_has_one_a_line() {
        let text = "\u{feff}# for the shop\r\ncanary-1\r\n\n  canary-2  \n#canary-3";
        assert_eq!(in_file(text).collect::<Vec<_>>(), ["canary-1", "canary-2"]);
    }

    #[test]
    fn base64_of_every_length() {
        for (encoded, plain) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob")] {
            assert_eq!(decode_base64(encoded.as_bytes()).unwrap(), plain.as_bytes());
        }
        assert!(decode_base64(b"Zm9v!").is_none());
    }
}
