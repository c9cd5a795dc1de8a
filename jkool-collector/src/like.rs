//! Patterns of `%` and `_`, as SQL's `LIKE` has them.

/// A sign of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Any text, or none.
    Any,
    /// Any character.
    One,
    /// This character.
    Same(char),
}

/// The signs of a pattern. What a `\` stands before means itself.
pub(crate) fn signs(pattern: &str) -> Vec<Sign> {
    let mut signs = Vec::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        signs.push(match c {
            '%' => Sign::Any,
            '_' => Sign::One,
            '\\' => Sign::Same(rest.next().unwrap_or(c)),
            c => Sign::Same(c),
        });
    }
    signs
}

/// Whether all of `text` fits a pattern of `%` and `_`.
pub(crate) fn is_like(text: &str, pattern: &str) -> bool {
    let signs = signs(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut sign) = (0, 0);
    // Where to go on when what stands behind the last `%` does not fit.
    let mut again = None;
    while at < text.len() {
        match (signs.get(sign), text.get(at)) {
            (Some(Sign::Any), _) => {
                sign += 1;
                again = Some((sign, at));
            }
            (Some(wanted), Some(c)) if *wanted == Sign::One || *wanted == Sign::Same(*c) => {
                (at, sign) = (at + 1, sign + 1)
            }
            _ => {
                let Some((behind, from)) = &mut again else { return false };
                *from += 1;
                (sign, at) = (*behind, *from);
            }
        }
    }
    signs.iter().skip(sign).all(|sign| *sign == Sign::Any)
}
