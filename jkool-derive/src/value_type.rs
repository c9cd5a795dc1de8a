//! The names of value types, checked at compile time.

use proc_macro2::{Ident, Span};
use syn::LitStr;

/// Returns the variant of the model's `ValueType` with this name.
///
/// # Errors
/// If there is none; the error names the most similar one.
pub(crate) fn variant(word: &LitStr) -> syn::Result<Ident> {
    let text = word.value();
    if WORDS.contains(&&*text) {
        return Ok(Ident::new(&camel_case(&text), Span::call_site()));
    }
    let nearest = WORDS.iter().min_by_key(|known| distance(known, &text)).filter(|known| distance(known, &text) <= 3);
    let hint = match nearest {
        Some(known) => format!("write `value_type = \"{known}\"`"),
        None => "`currency.usd`, `age.msec` and `size.byte` are some".to_owned(),
    };
    let own = "write a custom value type as `value_type = ValueType::from(\"..\")`";
    Err(syn::Error::new(word.span(), format!("unknown value type `{text}`: {hint}; {own}")))
}

fn camel_case(word: &str) -> String {
    let capital = |part: &str| part[..1].to_uppercase() + &part[1..];
    word.split('.').map(capital).collect()
}

/// The edit distance of two words: letters inserted, deleted or replaced.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in b.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// The names of the model's `ValueType`.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "none", "temp.f", "temp.c", "rate.sec", "currency", "currency.usd", "currency.eur", "currency.uk", "size", "size.byte",
    "size.kb", "size.mb", "size.gb", "size.tb", "size.meter", "size.km", "size.foot", "size.mile", "age", "age.nsec", "age.usec",
    "age.msec", "age.sec", "age.min", "age.hour", "age.day", "age.week", "age.month", "age.year", "timestamp", "speed.kmh",
    "speed.mph", "mass.lb", "mass.oz", "mass.g", "mass.kg", "addr", "addr.ip", "addr.ip.v4", "addr.ip.v6", "counter",
    "counter.msec", "gauge", "derive", "absolute", "flag", "percent", "id", "guid", "crypto", "crypto.btc", "crypto.eth",
    "crypto.eth.wei", "crypto.eos", "crypto.ltc",
];

#[cfg(test)]
mod tests {
    use super::{WORDS, camel_case, distance};

    #[test]
    fn the_words_are_those_of_the_model() {
        let model = include_str!("../../jkool-model/src/value_type.rs");
        let (_, value_types) = model.split_once("pub enum ValueType").unwrap();
        let (value_types, _) = value_types.split_once("\n    }").unwrap();
        let variants = value_types.lines().filter_map(|line| line.trim().strip_suffix("\",")?.split_once(" = \""));
        let variants: Vec<(&str, &str)> = variants.collect();
        assert_eq!(variants.iter().map(|(_, word)| *word).collect::<Vec<_>>(), WORDS);
        for (variant, word) in variants {
            assert_eq!(camel_case(word), variant);
        }
    }

    #[test]
    fn the_distance_counts_letters() {
        assert_eq!(distance("age.msec", "age.msec"), 0);
        assert_eq!(distance("age.msec", "AGE.MSC"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
