//! The access token.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// The access token of a jKool repository. It is sent to the server and never displayed.
///
/// It implements neither `Display` nor `Serialize`, and `Debug` writes `Token(***)`. Cloning is cheap.
///
/// ```
/// use jkool_transport::{Token, TokenError};
/// let token = Token::new("bb5fd83b-17d3-4d3c-8c1a-0d6b1f6d9c3e")?;
/// assert_eq!(format!("{token:?}"), "Token(***)");
/// assert!(matches!(Token::new("two words"), Err(TokenError::Whitespace { at: 3 })));
/// # Ok::<(), TokenError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<str>);

/// An error from creating a [`Token`]. It says what is wrong and at which byte, and shows no part of the text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The text is empty.
    #[error("the token is empty")]
    Empty,
    /// A space or other white space, often copied by mistake.
    #[error("the token has white space at byte {at}")]
    Whitespace {
        /// Where, in bytes from the start.
        at: usize,
    },
    /// A line break or another control character, which could start a new header.
    #[error("the token has a line break or another control character at byte {at}")]
    Control {
        /// Where, in bytes from the start.
        at: usize,
    },
    /// A character that is not allowed in a header.
    #[error("the token has a character that is not ASCII at byte {at}")]
    NotAscii {
        /// Where, in bytes from the start.
        at: usize,
    },
    /// The file could not be read.
    #[error("the token file {path:?} cannot be read: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        reason: std::io::Error,
    },
    /// The file was read, and its content is not a valid token.
    #[error("the token file {path:?} is invalid: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        reason: Box<TokenError>,
    },
}

impl Token {
    /// Creates a token from a text.
    ///
    /// # Errors
    /// If the text is empty, or contains anything but visible ASCII characters. Surrounding white space is an error, so that it
    /// is fixed at its origin.
    pub fn new(text: impl Into<String>) -> Result<Self, TokenError> {
        let text = text.into();
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        match text.char_indices().find(|(_, c)| !c.is_ascii_graphic()) {
            None => Ok(Self(text.into())),
            Some((at, c)) if c.is_control() => Err(TokenError::Control { at }),
            Some((at, c)) if c.is_whitespace() => Err(TokenError::Whitespace { at }),
            Some((at, _)) => Err(TokenError::NotAscii { at }),
        }
    }

    /// Reads a token from a file that contains nothing else, such as a mounted secret. White space at the end of the file, such
    /// as a line break that an editor adds, is ignored.
    ///
    /// # Errors
    /// If the file cannot be read or does not contain a token. The error contains the path and the reason.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, TokenError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|reason| TokenError::Read { path: path.into(), reason })?;
        Self::new(text.trim_end()).map_err(|reason| TokenError::Content { path: path.into(), reason: Box::new(reason) })
    }

    /// Returns the secret, for the header and nothing else.
    #[cfg_attr(not(feature = "http"), expect(dead_code, reason = "only transports over a wire need it"))]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        Self::new(text)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_the_service_hands_out() {
        for text in ["bb5fd83b-17d3-4d3c-8c1a-0d6b1f6d9c3e", "a", "!~+/=:,;<>&\"'#%"] {
            assert!(Token::new(text).is_ok_and(|token| token.0.as_ref() == text), "{text}");
            assert!(text.parse::<Token>().is_ok());
        }
    }

    #[test]
    fn refuses_the_rest_and_says_where() {
        let cases = [
            ("", "the token is empty"),
            (" s3cret", "white space at byte 0"),
            ("s3cret ", "white space at byte 6"),
            ("s3 cret", "white space at byte 2"),
            ("s3\u{a0}cret", "white space at byte 2"),
            ("s3cret\n", "control character at byte 6"),
            ("s3\r\nX-Evil: 1", "control character at byte 2"),
            ("s3\tcret", "control character at byte 2"),
            ("s3\0cret", "control character at byte 2"),
            ("s3\u{7f}cret", "control character at byte 2"),
            ("s3\u{85}cret", "control character at byte 2"),
            ("s3crét", "not ASCII at byte 4"),
            ("\u{feff}s3cret", "not ASCII at byte 0"),
        ];
        for (text, expected) in cases {
            let error = Token::new(text).expect_err(text);
            assert!(error.to_string().contains(expected), "{text:?}: {error}");
            assert!(!format!("{error} {error:?}").contains("s3"), "{text:?} is shown by {error:?}");
        }
    }

    #[test]
    fn is_never_shown() {
        let token = Token::new("s3cret").expect("a token");
        assert_eq!(format!("{token:?} {:#?}", Some(&token)), "Token(***) Some(\n    Token(***),\n)");
    }

    fn file(name: &str, content: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("jkool-token-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("writing to the temporary folder");
        path
    }

    #[test]
    fn a_file_may_end_in_a_line_break() {
        for (name, content) in
            [("plain", "s3cret"), ("unix", "s3cret\n"), ("windows", "s3cret\r\n"), ("blank", "s3cret \n\n")]
        {
            let path = file(name, content.as_bytes());
            let token = Token::from_file(&path);
            std::fs::remove_file(&path).expect("removing it");
            assert!(token.is_ok_and(|token| token.0.as_ref() == "s3cret"), "{name}");
        }
    }

    #[test]
    fn a_bad_file_is_named_with_the_reason() {
        let cases: [(&str, &[u8], &str); 5] = [
            ("empty", b"", "is invalid: the token is empty"),
            ("newline", b"\n", "is invalid: the token is empty"),
            (
                "two-lines",
                b"s3cret\ns3cret\n",
                "is invalid: the token has a line break or another control character at byte 6",
            ),
            ("indented", b" s3cret", "is invalid: the token has white space at byte 0"),
            ("binary", b"s3\xff", "cannot be read"),
        ];
        for (name, content, expected) in cases {
            let path = file(name, content);
            let error = Token::from_file(&path).expect_err(name);
            std::fs::remove_file(&path).expect("removing it");
            let text = error.to_string();
            assert!(text.contains(expected) && text.contains(name), "{text}");
            assert!(!format!("{error} {error:?}").contains("s3"), "{error:?}");
        }
        let error = Token::from_file("/no/such/token").expect_err("a missing file");
        assert!(error.to_string().starts_with("the token file \"/no/such/token\" cannot be read: "), "{error}");
    }
}
