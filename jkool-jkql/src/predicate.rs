//! The grammar of conditions after `where`.

use crate::condition::{Comparison, Condition, Name, NameKind, Test, Value};
use crate::input::{Input, Parsed, deeper, either, identifier, list, sign, text, token, word};
use winnow::Parser;
use winnow::combinator::{alt, opt, peek};
use winnow::error::EmptyError;

const FIELD: &str = "a field";
const VALUE: &str = "a value";

/// `a or b and not (c)`.
pub(crate) fn condition(input: &mut Input<'_>) -> Parsed<Condition> {
    list(input, every, word("`or`")).map(|parts| join(parts, Condition::Any))
}

fn every(input: &mut Input<'_>) -> Parsed<Condition> {
    list(input, negation, word("`and`")).map(|parts| join(parts, Condition::All))
}

fn negation(input: &mut Input<'_>) -> Parsed<Condition> {
    let not = |input: &mut Input<'_>| {
        word("`not`")(input)?;
        deeper(input, negation).map(|part| Condition::Not(Box::new(part)))
    };
    either(input, not, |input| either(input, group, predicate))
}

fn group(input: &mut Input<'_>) -> Parsed<Condition> {
    sign("`(`")(input)?;
    let inner = deeper(input, condition)?;
    sign("`)`")(input)?;
    Ok(inner)
}

fn predicate(input: &mut Input<'_>) -> Parsed<Condition> {
    let exists = |input: &mut Input<'_>| {
        word("`exists`")(input)?;
        sign("`(`")(input)?;
        let name = name(input)?;
        sign("`)`")(input)?;
        Ok(Condition::Test { name, test: Test::Exists })
    };
    either(input, exists, |input| {
        let name = name(input)?;
        of_name(input, &name)
    })
}

/// The name of a field.
pub(crate) fn name(input: &mut Input<'_>) -> Parsed<Name> {
    let (word, column) = plain(FIELD)(input)?;
    let has_parts = opt(peek(token("`(`", '('))).parse_next(input)?.is_some();
    let part = |input: &mut Input<'_>| text("a name in quotes")(input).map(|value| value.text);
    let kind = match word.to_ascii_lowercase().as_str() {
        "properties" | "property" if has_parts => {
            sign("`(`")(input)?;
            NameKind::Property(part(input)?)
        }
        "snapshots" | "snapshot" if has_parts => {
            sign("`(`")(input)?;
            let first = part(input)?;
            sign("`,`")(input)?;
            let second = part(input)?;
            let third = |input: &mut Input<'_>| {
                sign("`,`")(input)?;
                part(input).map(Some)
            };
            match either(input, third, |_| Ok(None))? {
                Some(property) => NameKind::Snapshot { category: Some(first), name: second, property },
                None => NameKind::Snapshot { category: None, name: first, property: second },
            }
        }
        _ => return Ok(Name { kind: NameKind::Bare(word), column }),
    };
    sign("`)`")(input)?;
    Ok(Name { kind, column })
}

/// A test of a field.
fn of_name(input: &mut Input<'_>, name: &Name) -> Parsed<Condition> {
    let of = |test| Condition::Test { name: name.clone(), test };
    either(
        input,
        |input| {
            let sign =
                token("a comparison (=, !=, <, <=, >, >=)", alt(("<=", ">=", "!=", "<>", "==", "=", "<", ">")))(input)?;
            let value = value(input)?;
            Ok(match sign {
                "<" => of(Test::Compare(Comparison::Below, value)),
                "<=" => of(Test::Compare(Comparison::AtMost, value)),
                ">" => of(Test::Compare(Comparison::Above, value)),
                ">=" => of(Test::Compare(Comparison::AtLeast, value)),
                "!=" | "<>" => Condition::Not(Box::new(of(Test::Is(value)))),
                _ => of(Test::Is(value)),
            })
        },
        |input| either(input, |input| in_words(input, &of), |input| is_null(input, &of)),
    )
}

/// `[not] in (..)`, `between .. and ..`, `like`, `contains`, `exists`.
fn in_words(input: &mut Input<'_>, of: &dyn Fn(Test) -> Condition) -> Parsed<Condition> {
    let negated = optional(input, word("`not`"));
    let test = |input: &mut Input<'_>| {
        let one = |input: &mut Input<'_>, word_: &'static str, test: fn(Value) -> Test| {
            word(word_)(input)?;
            value(input).map(|value| of(test(value)))
        };
        either(
            input,
            |input| one(input, "`like`", Test::Like),
            |input| {
                either(
                    input,
                    |input| one(input, "`contains`", Test::Contains),
                    |input| {
                        either(
                            input,
                            |input| word("`exists`")(input).map(|()| of(Test::Exists)),
                            |input| either(input, |input| within(input, of), |input| between(input, of)),
                        )
                    },
                )
            },
        )
    };
    let found = test(input)?;
    Ok(if negated { Condition::Not(Box::new(found)) } else { found })
}

fn within(input: &mut Input<'_>, of: &dyn Fn(Test) -> Condition) -> Parsed<Condition> {
    word("`in`")(input)?;
    sign("`(`")(input)?;
    let values = list(input, value, sign("`,`"))?;
    sign("`)`")(input)?;
    Ok(join(values.into_iter().map(|value| of(Test::Is(value))).collect(), Condition::Any))
}

fn between(input: &mut Input<'_>, of: &dyn Fn(Test) -> Condition) -> Parsed<Condition> {
    word("`between`")(input)?;
    let from = of(Test::Compare(Comparison::AtLeast, value(input)?));
    word("`and`")(input)?;
    let to = of(Test::Compare(Comparison::AtMost, value(input)?));
    Ok(Condition::All(vec![from, to]))
}

/// `is [not] null`.
fn is_null(input: &mut Input<'_>, of: &dyn Fn(Test) -> Condition) -> Parsed<Condition> {
    word("`is`")(input)?;
    let exists = optional(input, word("`not`"));
    word("`null`")(input)?;
    let found = of(Test::Exists);
    Ok(if exists { found } else { Condition::Not(Box::new(found)) })
}

/// A quoted text, a number with or without a unit, or a word.
pub(crate) fn value(input: &mut Input<'_>) -> Parsed<Value> {
    either(input, text(VALUE), |input| {
        let (text, column) = plain(VALUE)(input)?;
        Ok(Value { text, column })
    })
}

/// A word other than `and`, `or` and `not`.
fn plain<'i>(expected: &'static str) -> impl FnMut(&mut Input<'i>) -> Parsed<(String, usize)> {
    let is_plain = |(word, _): &(String, usize)| !["and", "or", "not"].iter().any(|own| word.eq_ignore_ascii_case(own));
    token(expected, identifier(expected).verify(is_plain))
}

/// Whether `part` matches.
pub(crate) fn optional<'i>(input: &mut Input<'i>, part: impl FnOnce(&mut Input<'i>) -> Parsed<()>) -> bool {
    either(input, |input| part(input).map(|()| true), |_| Ok::<_, EmptyError>(false)).unwrap_or_default()
}

/// A single condition is not wrapped.
pub(crate) fn join(mut parts: Vec<Condition>, around: fn(Vec<Condition>) -> Condition) -> Condition {
    if parts.len() == 1 { parts.remove(0) } else { around(parts) }
}

/// `where` and a condition.
pub(crate) fn where_condition(input: &mut Input<'_>) -> Parsed<Condition> {
    word("`where`")(input)?;
    condition(input)
}
