//! Converts an entity to a document of the index.

use super::schema::{FIELDS, Place, key};
use crate::field::{FieldValue, each_value, hash};
use crate::filter::{Kind, severity_of, words_of};
use crate::store::Stored;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use tantivy::TantivyDocument;
use tantivy::schema::document::{ReferenceValue, ReferenceValueLeaf, Value};

/// The names of fields in an index, and the number of values of further ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    known: BTreeMap<String, Known>,
    /// The number of values that are not indexed, because there were too many fields.
    pub(crate) passed_over: u64,
}

#[derive(Debug, Clone)]
struct Known {
    /// The name in the index.
    key: Arc<str>,
    has_numbers: bool,
}

/// The maximum number of fields with columns: each takes space in every segment.
pub(crate) const MOST_NAMES: usize = 1_000;

/// The maximum length of an indexed name.
const LONGEST_NAME: usize = 256;

impl Names {
    /// The name in the index, if there is room for the field.
    pub(crate) fn add(&mut self, name: &str, is_number: bool) -> Option<Arc<str>> {
        if let Some(known) = self.known.get_mut(name) {
            known.has_numbers |= is_number;
            return Some(Arc::clone(&known.key));
        }
        let key = key(name).filter(|key| self.known.len() < MOST_NAMES && key.len() <= LONGEST_NAME);
        let Some(key) = key else {
            self.passed_over += 1;
            return None;
        };
        let key: Arc<str> = key.into();
        self.known.insert(name.to_owned(), Known { key: Arc::clone(&key), has_numbers: is_number });
        Some(key)
    }

    /// Whether a field has numbers.
    pub(crate) fn has_numbers(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(|known| known.has_numbers)
    }

    /// The fields.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }

    /// The fields with numbers.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &str> {
        self.known.iter().filter(|(_, known)| known.has_numbers).map(|(name, _)| &**name)
    }
}

/// The value of the index's column `kind`.
pub(super) const fn kind_number(kind: Kind) -> u64 {
    match kind {
        Kind::Event => 0,
        Kind::Activity => 1,
        Kind::Snapshot => 2,
    }
}

/// Creates the document of an entity.
pub(crate) fn document(stored: &Stored, names: &mut Names) -> TantivyDocument {
    let mut document = TantivyDocument::with_capacity(stored.json.len() * 2);
    let entity = &stored.entity;
    let fields = &*FIELDS;
    document.add_i64(fields.time, stored.time.as_usec());
    document.add_u64(fields.sequence, stored.id.sequence());
    document.add_i64(fields.received, stored.received.as_usec());
    document.add_u64(fields.kind, kind_number(Kind::of(entity)));
    document.add_u64(fields.severity, severity_of(entity) as u64);
    document.add_text(fields.text, words_of(entity));
    let (mut texts, mut numbers) = (Vec::with_capacity(16), Vec::with_capacity(16));
    each_value(entity, &mut |name, value| match (fields.place(name), value) {
        (Place::Own(field), FieldValue::Text(text)) => document.add_text(field, text),
        (Place::Hash(field), FieldValue::Text(text)) => document.add_u64(field, hash(&text)),
        (Place::Named, FieldValue::Text(text)) => texts.extend(names.add(name, false).map(|name| (name, text))),
        (Place::Named, FieldValue::Number(number)) => numbers.extend(names.add(name, true).map(|name| (name, number))),
        _ => {}
    });
    if !texts.is_empty() {
        document.add_field_value(fields.texts, Named::Texts(&texts));
    }
    if !numbers.is_empty() {
        document.add_field_value(fields.numbers, Named::Numbers(&numbers));
    }
    document.add_bytes(fields.json, &stored.json);
    document
}

/// Named values, in a form that the index supports.
#[derive(Debug, Clone, Copy)]
enum Named<'a> {
    Texts(&'a [(Arc<str>, Cow<'a, str>)]),
    Numbers(&'a [(Arc<str>, f64)]),
    Text(&'a str),
    Number(f64),
}

/// The values one by one.
#[derive(Debug)]
struct Each<'a>(Named<'a>);

impl<'a> Iterator for Each<'a> {
    type Item = (&'a str, Named<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Named::Texts(texts) => {
                let ((name, text), rest) = texts.split_first()?;
                *texts = rest;
                Some((name, Named::Text(text)))
            }
            Named::Numbers(numbers) => {
                let ((name, number), rest) = numbers.split_first()?;
                *numbers = rest;
                Some((name, Named::Number(*number)))
            }
            Named::Text(_) | Named::Number(_) => None,
        }
    }
}

impl<'a> Value<'a> for Named<'a> {
    type ArrayIter = std::iter::Empty<Self>;
    type ObjectIter = Each<'a>;

    fn as_value(&self) -> ReferenceValue<'a, Self> {
        match self {
            Named::Text(text) => ReferenceValue::Leaf(ReferenceValueLeaf::Str(text)),
            Named::Number(number) => ReferenceValue::Leaf(ReferenceValueLeaf::F64(*number)),
            named => ReferenceValue::Object(Each(*named)),
        }
    }
}
