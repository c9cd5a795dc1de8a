//! The spelling of the protocol's enums: closed and open lists of words, and how unknown words are read.

/// An error for a word that is not in the list of an enum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {list} {word:?}")]
pub struct UnknownWord {
    list: &'static str,
    word: String,
}

impl UnknownWord {
    pub(crate) fn new(list: &'static str, word: &str) -> Self {
        // Keeps the error text short.
        Self { list, word: word.chars().take(64).collect() }
    }

    /// Returns the word, truncated to 64 characters.
    pub fn word(&self) -> &str {
        &self.word
    }
}

/// Defines an enum with a closed list of words. Parsing ignores case and accepts the older spellings after `|`; any other word
/// is an error.
macro_rules! closed_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident: $list:literal {
            $( $(#[$variant_meta:meta])* $variant:ident = $word:literal $(| $alias:literal)* ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name { $( $(#[$variant_meta])* $variant ),+ }

        impl $name {
            /// All values, in the protocol's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            #[allow(dead_code, reason = "a source type is written as part of a name only")]
            #[inline]
            pub(crate) fn write_json(self, out: $crate::json::Json<'_>) -> $crate::json::Json<'_> {
                let quoted: &$crate::json::Quoted = match self {
                    $(Self::$variant => const { &$crate::json::Quoted::new($word) },)+
                };
                out.quoted(quoted)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::spelling::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                $( if [$word $(, $alias)*].iter().any(|known| known.eq_ignore_ascii_case(word)) {
                    return Ok(Self::$variant);
                } )+
                Err($crate::spelling::UnknownWord::new($list, word))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

/// Defines an enum with an open list of words: an unknown word is kept as text. Parsing ignores case and never fails.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $word:literal $(| $alias:literal)* ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$variant_meta])* $variant, )+
            /// A custom word.
            Other($crate::Text),
        }

        impl $name {
            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }

            #[inline]
            pub(crate) fn write_json<'a>(&self, out: $crate::json::Json<'a>) -> $crate::json::Json<'a> {
                let quoted: &$crate::json::Quoted = match self {
                    $(Self::$variant => const { &$crate::json::Quoted::new($word) },)+
                    Self::Other(word) => return out.text(word),
                };
                out.quoted(quoted)
            }

            /// A custom word is a text; the others use no heap memory.
            pub(crate) fn heap_size(&self) -> usize {
                match self {
                    Self::Other(word) => word.len(),
                    _ => 0,
                }
            }

            fn known(word: &str) -> Option<Self> {
                $( if [$word $(, $alias)*].iter().any(|known| known.eq_ignore_ascii_case(word)) {
                    return Some(Self::$variant);
                } )+
                None
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                Self::known(word).unwrap_or_else(|| Self::Other(word.to_owned().into()))
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Ok(word.into())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use {closed_enum, open_enum};
