//! Parameters of a url that are one of some words.

/// An enum whose variants are those words, the first of them in the place of none, and what a fault says is expected.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $expected:literal: $($(#[$of:meta])* $variant:ident $text:literal),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub(in crate::page) enum $name { $($(#[$of])* $variant),+ }

        impl $name {
            pub(in crate::page) const ALL: &[Self] = &[$(Self::$variant),+];
        }

        impl std::str::FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($expected),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),+ })
            }
        }
    };
}
pub(super) use choice;
