//! Splits a body into records: one entity, an array, or one entity per line.

use crate::store::Record;
use bytes::Bytes;
use jkool_model::{Timestamp, repair_json};
use serde::de::{Error, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// The maximum number of entities in a request; each takes some memory, however short it is.
pub(crate) const MOST: usize = 65_536;

/// The number of rejections that are reported one by one; the others are counted.
const TOLD: usize = 32;

/// The maximum length of an error text, in characters.
const LONGEST_ERROR: usize = 200;

/// The content of a body.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Record>,
    /// The records to store, one for each entity.
    pub(crate) bodies: Vec<Bytes>,
    /// The number of entities whose JSON was repaired.
    pub(crate) repaired: usize,
    pub(crate) refused: Vec<Refused>,
    /// The number of further rejections.
    pub(crate) refused_more: usize,
}

/// A rejected part: its position and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) line: usize,
    /// The column in bytes, from 1.
    pub(crate) column: usize,
    pub(crate) error: String,
}

/// The options for parsing a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ParseOptions {
    /// The `type` of an entity without one.
    pub(crate) default_type: Option<&'static str>,
    /// Whether an entity may span several lines.
    pub(crate) multi_line: bool,
}

/// A position in the body: a line, and the number of bytes before it.
#[derive(Debug, Clone, Copy)]
struct Place {
    line: usize,
    before: usize,
}

impl Batch {
    pub(crate) fn read(body: &Bytes, options: ParseOptions, now: Timestamp) -> Self {
        let mut parser = Parser { options, now, batch: Self::default() };
        parser.lines(body);
        parser.batch
    }

    pub(crate) fn refused_count(&self) -> usize {
        self.refused.len() + self.refused_more
    }

    fn refuse(&mut self, place: Place, error: &serde_json::Error) {
        if self.refused.len() == TOLD {
            self.refused_more += 1;
            return;
        }
        let text = error.to_string();
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        // The error may quote a part of the body, of any length.
        let mut error_text: String = text.chars().take(LONGEST_ERROR).collect();
        if error_text.len() < text.len() {
            error_text.push('…');
        }
        let (line, column) = match error.line() {
            0 | 1 => (place.line, place.before + error.column()),
            line => (place.line + line - 1, error.column()),
        };
        self.refused.push(Refused { line, column: column.max(1), error: error_text });
    }
}

struct Parser {
    options: ParseOptions,
    now: Timestamp,
    batch: Batch,
}

impl Parser {
    fn lines(&mut self, body: &Bytes) {
        let mut at = if body.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        let mut place = Place { line: 1, before: at };
        while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
            let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let blank = line.len() - line.trim_ascii_start().len();
            let text = line.trim_ascii();
            let here = Place { before: place.before + blank, ..place };
            let read = if text.is_empty() { Ok(()) } else { self.document(body.slice_ref(text), here) };
            let taken = match read {
                Ok(()) => line.len(),
                Err(error) => {
                    let from_here = rest.get(blank..).unwrap_or_default();
                    blank + self.multi_line_or_refuse(body, from_here, text.len(), here, &error)
                }
            };
            // In most cases it is a whole line.
            place = match rest.get(line.len()..taken) {
                Some(below) => Place { before: place.before + line.len(), ..place }.behind(below),
                None => Place { before: place.before + taken, ..place },
            };
            at += taken;
            if body.get(at) == Some(&b'\n') {
                place = Place { line: place.line + 1, before: 0 };
                at += 1;
            }
        }
    }

    /// Handles a line that is not a complete document: it may be the first of several lines. Returns the number of
    /// bytes of `rest` that were read.
    fn multi_line_or_refuse(
        &mut self,
        body: &Bytes,
        rest: &[u8],
        line: usize,
        here: Place,
        error: &serde_json::Error,
    ) -> usize {
        if error.is_eof() && self.options.multi_line && begins_document(rest) {
            let mut documents = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
            match documents.next() {
                Some(Ok(_)) => {
                    let length = documents.byte_offset();
                    let document = rest.get(..length).unwrap_or_default();
                    if let Err(error) = self.document(body.slice_ref(document), here) {
                        self.batch.refuse(here, &error);
                    }
                    return length;
                }
                // Only one search can fail, so that a body of incomplete documents does not take longer than others.
                Some(Err(broken)) => {
                    self.options.multi_line = false;
                    let next = next_line_that(rest, |line| !line.trim_ascii().is_empty());
                    if next.is_some_and(|next| !begins_document(rest.get(next..).unwrap_or_default())) {
                        // The following lines are part of the broken document, up to a line that starts a document.
                        self.batch.refuse(here, &broken);
                        return next_line_that(rest, begins_document).unwrap_or(rest.len());
                    }
                }
                None => {}
            }
        }
        self.batch.refuse(here, error);
        line
    }

    /// Parses an entity or an array. Invalid elements of an array are rejected one by one.
    fn document(&mut self, json: Bytes, place: Place) -> Result<(), serde_json::Error> {
        if json.first() != Some(&b'[') {
            return self.entity(json, place);
        }
        match serde_json::from_slice(&json) {
            Ok(Elements(elements)) => self.elements(&json, elements, place, true),
            Err(error) => {
                let Some(json) = repair_json(&json).map(Bytes::from) else { return Err(error) };
                let Ok(Elements(elements)) = serde_json::from_slice(&json) else { return Err(error) };
                let before = self.batch.records.len();
                self.elements(&json, elements, place, false);
                self.batch.repaired += self.batch.records.len() - before;
            }
        }
        Ok(())
    }

    /// Positions in a repaired text differ from the received text, so the position of the array is reported for all of
    /// it.
    fn elements(&mut self, json: &Bytes, elements: Vec<&RawValue>, mut place: Place, as_it_came: bool) {
        let mut at = 0;
        for element in elements {
            let element = json.slice_ref(element.get().as_bytes());
            let offset = element.as_ptr() as usize - json.as_ptr() as usize;
            if as_it_came {
                place = place.behind(json.get(at..offset).unwrap_or_default());
                at = offset;
            }
            if let Err(error) = self.entity(element, place) {
                let error = if as_it_came { error } else { Error::custom(error) };
                self.batch.refuse(place, &error);
            }
        }
    }

    fn entity(&mut self, json: Bytes, place: Place) -> Result<(), serde_json::Error> {
        if self.batch.records.len() == MOST {
            self.batch.refuse(place, &Error::custom(too_many()));
            return Ok(());
        }
        let mut json = self.typed(json);
        let mut record = match Record::parse(Bytes::clone(&json), self.now) {
            Ok(record) => record,
            Err(error) => {
                let Some(repaired) = repair_json(&json) else { return Err(error) };
                json = self.typed(repaired.into());
                // For parts that are still invalid, the position in the received text is reported.
                let record = Record::parse(Bytes::clone(&json), self.now).map_err(|_| error)?;
                self.batch.repaired += 1;
                record
            }
        };
        // Entities are exported one per line. A JSON string contains no line break.
        if json.contains(&b'\n') {
            json = json.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
            record = Record::parse(Bytes::clone(&json), self.now)?;
        }
        self.batch.records.push(record);
        self.batch.bodies.push(json);
        Ok(())
    }

    /// The service's swagger description has activities without a `type`: the path determines it.
    fn typed(&self, json: Bytes) -> Bytes {
        let Some(default) = self.options.default_type else { return json };
        // The jKool clients write the type first, so this is fast for them.
        if json.starts_with(br#"{"type":"#) {
            return json;
        }
        match serde_json::from_slice::<BTreeMap<Cow<'_, str>, IgnoredAny>>(&json) {
            Ok(fields) if !fields.contains_key("type") => {
                let fields = if fields.is_empty() { "" } else { "," };
                let mut typed = format!(r#"{{"type":"{default}"{fields}"#).into_bytes();
                typed.extend_from_slice(json.get(1..).unwrap_or_default());
                typed.into()
            }
            _ => json,
        }
    }
}

impl Place {
    /// The position after `text`.
    fn behind(self, text: &[u8]) -> Self {
        match text.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => Self {
                line: self.line + text.iter().filter(|byte| **byte == b'\n').count(),
                before: text.len() - last - 1,
            },
            None => Self { before: self.before + text.len(), ..self },
        }
    }
}

fn begins_document(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// The start of the next line that satisfies `is_so`, after the line at the beginning of `text`.
fn next_line_that(text: &[u8], is_so: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let mut at = 0;
    for line in text.split(|byte| *byte == b'\n') {
        if at > 0 && is_so(line) {
            return Some(at);
        }
        at += line.len() + 1;
    }
    None
}

fn too_many() -> String {
    format!("a request may contain at most {MOST} entities")
}

/// The elements of an array, unparsed.
struct Elements<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Elements<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ElementsVisitor)
    }
}

struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Elements<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events, activities and snapshots")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            if elements.len() == MOST {
                return Err(A::Error::custom(too_many()));
            }
            elements.push(element);
        }
        Ok(Elements(elements))
    }
}

#[cfg(test)]
mod tests;
