//! The text that is parsed, and the smallest parts of the grammars. Each part that is not there is noted, so that an error tells
//! all that was expected at the farthest place that was reached.

use crate::condition::Value;
use crate::error::{ParseError, column_of};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use winnow::Parser;
use winnow::combinator::eof;
use winnow::error::EmptyError;
use winnow::stream::{LocatingSlice, Location, Stateful, Stream};
use winnow::token::{take_till, take_while};

/// What is known while a text is parsed.
#[derive(Debug)]
pub(crate) struct State<'i> {
    text: &'i str,
    farthest: RefCell<Farthest>,
    depth: Cell<usize>,
}

/// The farthest place at which something was expected.
#[derive(Debug, Default)]
struct Farthest {
    offset: usize,
    expected: BTreeSet<&'static str>,
}

pub(crate) type Input<'i> = Stateful<LocatingSlice<&'i str>, &'i State<'i>>;
pub(crate) type Parsed<T> = Result<T, EmptyError>;

/// Parentheses within each other: a stack has an end.
const DEEPEST: usize = 50;

/// Reads all of `text`.
pub(crate) fn parse_all<T>(text: &str, mut grammar: impl FnMut(&mut Input<'_>) -> Parsed<T>) -> Result<T, ParseError> {
    let state = State { text, farthest: RefCell::default(), depth: Cell::new(0) };
    let mut input = Stateful { input: LocatingSlice::new(text), state: &state };
    let parsed = grammar(&mut input).and_then(|parsed| token("the end", eof).parse_next(&mut input).map(|_| parsed));
    parsed.map_err(|EmptyError| {
        let farthest = state.farthest.borrow();
        ParseError::at(text, farthest.offset, &farthest.expected)
    })
}

/// What `parser` reads, behind spaces; `expected` says what that is.
pub(crate) fn token<'i, T>(
    expected: &'static str,
    mut parser: impl Parser<Input<'i>, T, EmptyError>,
) -> impl FnMut(&mut Input<'i>) -> Parsed<T> {
    move |input| {
        spaces(input)?;
        joined(expected, parser.by_ref())(input)
    }
}

/// What `parser` reads at once, without spaces before it.
pub(crate) fn joined<'i, T>(
    expected: &'static str,
    mut parser: impl Parser<Input<'i>, T, EmptyError>,
) -> impl FnMut(&mut Input<'i>) -> Parsed<T> {
    move |input| {
        let (begin, offset) = (input.checkpoint(), input.current_token_start());
        parser.parse_next(input).inspect_err(|_| {
            input.reset(&begin);
            miss(input, offset, expected);
        })
    }
}

/// Notes that something was expected at `offset`.
fn miss(input: &Input<'_>, offset: usize, expected: &'static str) {
    let mut farthest = input.state.farthest.borrow_mut();
    if offset > farthest.offset {
        farthest.offset = offset;
        farthest.expected.clear();
    }
    if offset == farthest.offset {
        farthest.expected.insert(expected);
    }
}

pub(crate) fn spaces(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., char::is_whitespace).void().parse_next(input)
}

/// A word of the grammar, or several, in small or capital letters. `expected` is them in backquotes.
pub(crate) fn word<'i>(expected: &'static str) -> impl FnMut(&mut Input<'i>) -> Parsed<()> {
    token(expected, move |input: &mut Input<'i>| {
        for wanted in expected.trim_matches('`').split(' ') {
            spaces(input)?;
            bare.verify(|found: &str| found.eq_ignore_ascii_case(wanted)).parse_next(input)?;
        }
        Ok(())
    })
}

/// Signs that stand for themselves. `expected` is them in backquotes.
pub(crate) fn sign<'i>(expected: &'static str) -> impl FnMut(&mut Input<'i>) -> Parsed<()> {
    token(expected, winnow::token::literal(expected.trim_matches('`')).void())
}

/// Letters, digits, and signs that names have within.
fn bare<'i>(input: &mut Input<'i>) -> Parsed<&'i str> {
    take_while(1.., |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '%' | '+')).parse_next(input)
}

/// A word that is a name or a value.
pub(crate) fn identifier<'i>(expected: &'static str) -> impl FnMut(&mut Input<'i>) -> Parsed<(String, usize)> {
    move |input| {
        spaces(input)?;
        let column = here(input);
        joined(expected, bare)(input).map(|text| (text.to_owned(), column))
    }
}

/// The column of what comes next.
pub(crate) fn here(input: &Input<'_>) -> usize {
    column_of(input.state.text, input.current_token_start())
}

/// A text in one of these quotes, in which a backslash or a doubled quote lets a quote stand for itself.
pub(crate) fn quoted(quotes: &str, input: &mut Input<'_>) -> Parsed<String> {
    let quote = winnow::token::any.verify(|c| quotes.contains(*c)).parse_next(input)?;
    let mut text = String::new();
    loop {
        text.push_str(take_till(0.., |c| c == quote || c == '\\').parse_next(input)?);
        let sign = winnow::token::any.parse_next(input)?;
        let next = input.input.as_ref().chars().next();
        match (sign, next) {
            ('\\', Some(next)) if next == '\\' || next == '\'' || next == '"' => {
                text.push(winnow::token::any.parse_next(input)?);
            }
            ('\\', _) => text.push('\\'),
            (sign, Some(next)) if sign == next => text.push(winnow::token::any.parse_next(input)?),
            _ => return Ok(text),
        }
    }
}

/// A text in quotes.
pub(crate) fn text(expected: &'static str) -> impl FnMut(&mut Input<'_>) -> Parsed<Value> {
    move |input| {
        spaces(input)?;
        let column = here(input);
        Ok(Value { text: joined(expected, |input: &mut Input<'_>| quoted("'\"", input))(input)?, column })
    }
}

/// A whole number from 1 on.
pub(crate) fn count(expected: &'static str) -> impl FnMut(&mut Input<'_>) -> Parsed<u32> {
    move |input| {
        let digits = take_while(1.., |c: char| c.is_ascii_digit());
        token(expected, digits.verify_map(|digits: &str| digits.parse().ok().filter(|number: &u32| *number > 0)))(input)
    }
}

/// One more level of parentheses.
pub(crate) fn deeper<'i, T>(input: &mut Input<'i>, mut inner: impl FnMut(&mut Input<'i>) -> Parsed<T>) -> Parsed<T> {
    let depth = input.state.depth.get();
    if depth >= DEEPEST {
        return refuse(input, "no more than 50 parentheses or negations within each other");
    }
    input.state.depth.set(depth + 1);
    let parsed = inner(input);
    input.state.depth.set(depth);
    parsed
}

/// Says that what was read is not right here.
pub(crate) fn refuse<T>(input: &Input<'_>, expected: &'static str) -> Parsed<T> {
    miss(input, input.current_token_start(), expected);
    Err(EmptyError)
}

/// As many as there are.
pub(crate) fn list_or_none<'i>(input: &mut Input<'i>, item: impl FnMut(&mut Input<'i>) -> Parsed<()>) -> Parsed<()> {
    either(input, |input| list(input, item, |_| Ok(())), |_| Ok(Vec::new())).map(drop)
}

/// One or more, with `between` between them.
pub(crate) fn list<'i, T>(
    input: &mut Input<'i>,
    mut item: impl FnMut(&mut Input<'i>) -> Parsed<T>,
    mut between: impl FnMut(&mut Input<'i>) -> Parsed<()>,
) -> Parsed<Vec<T>> {
    let mut items = vec![item(input)?];
    loop {
        let begin = input.checkpoint();
        match between(input).and_then(|()| item(input)) {
            Ok(item) => items.push(item),
            Err(EmptyError) => {
                input.reset(&begin);
                return Ok(items);
            }
        }
    }
}

/// The first of two that is there.
pub(crate) fn either<'i, T>(
    input: &mut Input<'i>,
    one: impl FnOnce(&mut Input<'i>) -> Parsed<T>,
    other: impl FnOnce(&mut Input<'i>) -> Parsed<T>,
) -> Parsed<T> {
    let begin = input.checkpoint();
    one(input).or_else(|EmptyError| {
        input.reset(&begin);
        other(input)
    })
}
