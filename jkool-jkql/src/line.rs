//! The grammar of the query line, the short form for search fields: `severity>=WARNING -op:Login "no stock"`.

use crate::condition::{Comparison, Condition, Name, NameKind, Test, Value};
use crate::input::{Input, Parsed, deeper, either, here, joined, list, quoted, sign, spaces, token, word};
use crate::predicate::{join, optional};
use winnow::Parser;
use winnow::combinator::{alt, opt};
use winnow::token::take_while;

/// `a b OR c`: a and b, or c.
pub(crate) fn line(input: &mut Input<'_>) -> Parsed<Condition> {
    list(input, every, word("`OR`")).map(|parts| join(parts, Condition::Any))
}

fn every(input: &mut Input<'_>) -> Parsed<Condition> {
    let mut and = word("`AND`");
    list(input, term, |input| {
        optional(input, &mut and);
        Ok(())
    })
    .map(|parts| join(parts, Condition::All))
}

fn term(input: &mut Input<'_>) -> Parsed<Condition> {
    let not = |input: &mut Input<'_>| {
        either(input, sign("`-`"), word("`NOT`"))?;
        deeper(input, term).map(|part| Condition::Not(Box::new(part)))
    };
    either(input, not, |input| either(input, group, |input| either(input, test, words)))
}

fn group(input: &mut Input<'_>) -> Parsed<Condition> {
    sign("`(`")(input)?;
    let inner = deeper(input, line)?;
    sign("`)`")(input)?;
    Ok(inner)
}

/// `name:value`, `name:begin*`, `name:*part*`, `name:*`, `name:1..5`, `name>=10`.
fn test(input: &mut Input<'_>) -> Parsed<Condition> {
    spaces(input)?;
    let column = here(input);
    let name = either(input, joined("a name", phrase), joined("a name", name))?;
    let name = Name { kind: NameKind::Bare(name), column };
    let of = |test| Condition::Test { name: name.clone(), test };
    let comparison = alt((">=", "<=", "!=", "=", ">", "<", "~"));
    let signs = alt(((opt(':'), comparison).map(|(_, sign)| sign), ":"));
    let sign = joined("`:` or a comparison (=, !=, <, <=, >, >=, ~)", signs)(input)?;
    Ok(match sign {
        "<" => of(Test::Compare(Comparison::Below, value(input)?.value)),
        "<=" => of(Test::Compare(Comparison::AtMost, value(input)?.value)),
        ">" => of(Test::Compare(Comparison::Above, value(input)?.value)),
        ">=" => of(Test::Compare(Comparison::AtLeast, value(input)?.value)),
        "~" => of(Test::Like(value(input)?.value)),
        "!=" => Condition::Not(Box::new(pattern(input, &of)?)),
        _ => pattern(input, &of)?,
    })
}

/// A value, with `*` for any text.
fn pattern(input: &mut Input<'_>, of: &dyn Fn(Test) -> Condition) -> Parsed<Condition> {
    let starts_open = opt('*').parse_next(input)?.is_some();
    let any = |input: &mut Input<'_>| if starts_open { Ok(None) } else { value(input).map(Some) };
    let Some(value) = either(input, |input| value(input).map(Some), any)? else { return Ok(of(Test::Exists)) };
    let ends_open = opt('*').parse_next(input)?.is_some();
    let Written { value, is_quoted } = value;
    let column = value.column;
    Ok(match (starts_open, ends_open) {
        (false, true) => of(Test::Begins(value)),
        (true, true) => of(Test::Contains(value)),
        // A suffix.
        (true, false) => {
            let escaped = value.text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            of(Test::Like(Value { text: format!("%{escaped}"), column }))
        }
        (false, false) => match value.text.split_once("..").filter(|_| !is_quoted) {
            Some((from, to)) if !from.is_empty() && !to.is_empty() => {
                let bound =
                    |comparison, text: &str| of(Test::Compare(comparison, Value { text: text.to_owned(), column }));
                Condition::All(vec![bound(Comparison::AtLeast, from), bound(Comparison::AtMost, to)])
            }
            _ => of(Test::Is(value)),
        },
    })
}

/// Words, or a quoted phrase; a single `*` matches everything.
fn words(input: &mut Input<'_>) -> Parsed<Condition> {
    const WORDS: &str = "words, a phrase in quotes, or name:value";
    let text = |input: &mut Input<'_>| either(input, token(WORDS, phrase), token(WORDS, name));
    let some = |input: &mut Input<'_>| {
        let text = text(input)?;
        let begins = opt('*').parse_next(input)?.is_some();
        Ok(Condition::Words { text, begins })
    };
    either(input, some, |input| token(WORDS, '*')(input).map(|_| Condition::default()))
}

fn phrase(input: &mut Input<'_>) -> Parsed<String> {
    quoted("\"", input)
}

/// A name, or a word.
fn name(input: &mut Input<'_>) -> Parsed<String> {
    let is_part = |c: char| !c.is_whitespace() && !"\"():=<>*!~".contains(c);
    let is_operator = |word: &&str| !["AND", "OR", "NOT"].contains(word);
    take_while(1.., is_part).verify(is_operator).map(str::to_owned).parse_next(input)
}

/// A value, and whether it is quoted.
struct Written {
    value: Value,
    is_quoted: bool,
}

fn value(input: &mut Input<'_>) -> Parsed<Written> {
    const VALUE: &str = "a value";
    let column = here(input);
    let is_part = |c: char| !c.is_whitespace() && !"\"()*".contains(c);
    let plain =
        |input: &mut Input<'_>| joined(VALUE, take_while(1.., is_part))(input).map(|text| (text.to_owned(), false));
    let (text, is_quoted) = either(input, |input| joined(VALUE, phrase)(input).map(|text| (text, true)), plain)?;
    Ok(Written { value: Value { text, column }, is_quoted })
}
