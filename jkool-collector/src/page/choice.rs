//! URL parameters with a fixed set of values.

/// Defines an enum with a variant for each value; the first one is the default. The text describes the expected values
/// in errors.
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
