//! The input of the parsers, and the tokens of the grammars. Each token that is missing is recorded, so that an error lists
//! everything that was expected at the rightmost position that was reached.

use crate::condition::Value;
use crate::error::{ParseError, column_of};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use winnow::Parser;
use winnow::combinator::eof;
use winnow::error::EmptyError;
use winnow::stream::{LocatingSlice, Location, Stateful, Stream};
use winnow::token::{take_till, take_while};

/// The state of a parser.
#[derive(Debug)]
pub(crate) struct State<'i> {
    text: &'i str,
    farthest: RefCell<Farthest>,
    depth: Cell<usize>,
}

/// The rightmost position at which something else was expected.
#[derive(Debug, Default)]
struct Farthest {
    offset: usize,
    expected: BTreeSet<&'static str>,
}

pub(crate) type Input<'i> = Stateful<LocatingSlice<&'i str>, &'i State<'i>>;
pub(crate) type Parsed<T> = Result<T, EmptyError>;

/// The maximum nesting of parentheses, because the stack is limited.
const DEEPEST: usize = 50;

/// Parses the whole of `text`.
pub(crate) fn parse_all<T>(text: &str, mut grammar: impl FnMut(&mut Input<'_>) -> Parsed<T>) -> Result<T, ParseError> {
    let state = State { text, farthest: RefCell::default(), depth: Cell::new(0) };
    let mut input = Stateful { input: LocatingSlice::new(text), state: &state };
    let parsed = grammar(&mut input).and_then(|parsed| token("the end", eof).parse_next(&mut input).map(|_| parsed));
    parsed.map_err(|EmptyError| {
        let farthest = state.farthest.borrow();
        ParseError::at(text, farthest.offset, &farthest.expected)
    })
}

/// Runs `parser` after optional spaces; `expected` describes what it parses.
pub(crate) fn token<'i, T>(
    expected: &'static str,
    mut parser: impl Parser<Input<'i>, T, EmptyError>,
) -> impl FnMut(&mut Input<'i>) -> Parsed<T> {
    move |input| {
        spaces(input)?;
        joined(expected, parser.by_ref())(input)
    }
}

/// Runs `parser` without skipping spaces.
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

/// Records that something was expected at `offset`.
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

/// A keyword, or several, ignoring case. `expected` contains them in backquotes.
pub(crate) fn word<'i>(expected: &'static str) -> impl FnMut(&mut Input<'i>) -> Parsed<()> {
    token(expected, move |input: &mut Input<'i>| {
        for wanted in expected.trim_matches('`').split(' ') {
            spaces(input)?;
            bare.verify(|found: &str| found.eq_ignore_ascii_case(wanted)).parse_next(input)?;
        }
        Ok(())
    })
}

/// A fixed symbol. `expected` contains it in backquotes.
pub(crate) fn sign<'i>(expected: &'static str) -> impl FnMut(&mut Input<'i>) -> Parsed<()> {
    token(expected, winnow::token::literal(expected.trim_matches('`')).void())
}

/// Letters, digits, and symbols that names may contain.
fn bare<'i>(input: &mut Input<'i>) -> Parsed<&'i str> {
    take_while(1.., |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '%' | '+')).parse_next(input)
}

/// A word: a name or a value.
pub(crate) fn identifier<'i>(expected: &'static str) -> impl FnMut(&mut Input<'i>) -> Parsed<(String, usize)> {
    move |input| {
        spaces(input)?;
        let column = here(input);
        joined(expected, bare)(input).map(|text| (text.to_owned(), column))
    }
}

/// The column of the next token.
pub(crate) fn here(input: &Input<'_>) -> usize {
    column_of(input.state.text, input.current_token_start())
}

/// A text in one of these quotes; a backslash or a doubled quote escapes a quote.
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

/// A positive integer.
pub(crate) fn count(expected: &'static str) -> impl FnMut(&mut Input<'_>) -> Parsed<u32> {
    move |input| {
        let digits = take_while(1.., |c: char| c.is_ascii_digit());
        token(expected, digits.verify_map(|digits: &str| digits.parse().ok().filter(|number: &u32| *number > 0)))(input)
    }
}

/// Enters one more level of parentheses.
pub(crate) fn deeper<'i, T>(input: &mut Input<'i>, mut inner: impl FnMut(&mut Input<'i>) -> Parsed<T>) -> Parsed<T> {
    let depth = input.state.depth.get();
    if depth >= DEEPEST {
        return refuse(input, "at most 50 nested parentheses or negations");
    }
    input.state.depth.set(depth + 1);
    let parsed = inner(input);
    input.state.depth.set(depth);
    parsed
}

/// Reports that the parsed value is invalid here.
pub(crate) fn refuse<T>(input: &Input<'_>, expected: &'static str) -> Parsed<T> {
    miss(input, input.current_token_start(), expected);
    Err(EmptyError)
}

/// Zero or more.
pub(crate) fn list_or_none<'i>(input: &mut Input<'i>, item: impl FnMut(&mut Input<'i>) -> Parsed<()>) -> Parsed<()> {
    either(input, |input| list(input, item, |_| Ok(())), |_| Ok(Vec::new())).map(drop)
}

/// One or more, separated by `between`.
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

/// The first of two alternatives that matches.
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
