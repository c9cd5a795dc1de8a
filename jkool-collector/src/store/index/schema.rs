//! The schema of the index: which part of an entity is in which field.

use super::words::{WORDS, analyser};
use crate::field::{FieldName, SEVERITY, TIME};
use std::sync::LazyLock;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, JsonObjectOptions, STORED, Schema, SchemaBuilder, TextFieldIndexing,
    TextOptions,
};
use tantivy::tokenizer::TokenizerManager;

/// The fields of the index.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    pub(super) time: Field,
    pub(super) sequence: Field,
    pub(super) received: Field,
    pub(super) kind: Field,
    pub(super) severity: Field,
    pub(super) operation: Field,
    pub(super) source: Field,
    pub(super) correlator: Field,
    pub(super) tracking_id: Field,
    pub(super) parent_id: Field,
    /// The words of operation, message, exception and tags.
    pub(super) text: Field,
    /// All other texts, by name.
    pub(super) texts: Field,
    /// All numbers, by name.
    pub(super) numbers: Field,
    /// The entity as it was received.
    pub(super) json: Field,
}

pub(super) static FIELDS: LazyLock<Fields> = LazyLock::new(Fields::new);

/// The place of a field's values in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Time,
    Kind,
    Severity,
    /// In its own column.
    Own(Field),
    /// As a hash, because nearly all values differ: only whole values are found.
    Hash(Field),
    /// In the fields `texts` and `numbers`.
    Named,
}

impl Fields {
    fn new() -> Self {
        let mut schema = SchemaBuilder::new();
        let number = |schema: &mut SchemaBuilder, name: &str| schema.add_u64_field(name, INDEXED | FAST);
        let indexing = |tokenizer: &str| TextFieldIndexing::default().set_tokenizer(tokenizer).set_fieldnorms(false);
        let words = indexing(WORDS).set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let raw = indexing("raw").set_index_option(IndexRecordOption::Basic);
        // A column without an index is sufficient for searches: it is only as long as a segment, and shows at once that
        // it lacks a value.
        let column = || TextOptions::default().set_fast("raw");
        let columns = || JsonObjectOptions::default().set_fast("raw");
        Self {
            time: schema.add_i64_field("time", FAST),
            sequence: schema.add_u64_field("sequence", FAST | STORED),
            received: schema.add_i64_field("received", FAST | STORED),
            kind: number(&mut schema, "kind"),
            severity: number(&mut schema, "severity"),
            operation: schema.add_text_field("operation", column()),
            source: schema.add_text_field("source-fqn", column()),
            // Only few entities have the same value, and each page searches for some.
            correlator: schema.add_text_field("corrid", column().set_indexing_options(raw)),
            tracking_id: schema.add_u64_field("tracking-id", INDEXED),
            parent_id: schema.add_u64_field("parent-id", INDEXED),
            text: schema.add_text_field("text", TextOptions::default().set_indexing_options(words)),
            texts: schema.add_json_field("texts", columns()),
            numbers: schema.add_json_field("numbers", columns()),
            json: schema.add_bytes_field("json", STORED),
            schema: schema.build(),
        }
    }

    pub(super) fn place(&self, name: &str) -> Place {
        match name {
            TIME => Place::Time,
            "kind" => Place::Kind,
            SEVERITY => Place::Severity,
            "operation" => Place::Own(self.operation),
            "source-fqn" => Place::Own(self.source),
            "corrid" => Place::Own(self.correlator),
            "tracking-id" => Place::Hash(self.tracking_id),
            "parent-id" => Place::Hash(self.parent_id),
            _ => Place::Named,
        }
    }
}

/// Returns the tokenizers that the schema uses.
pub(super) fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::default();
    tokenizers.register(WORDS, analyser());
    tokenizers
}

/// Characters with a special meaning in a path of the index, and their replacements.
const SIGNS: [(char, char); 2] = [('.', '\u{2}'), ('\\', '\u{3}')];

/// Returns the key of a field in `texts` or `numbers`, or `None` if the name is not supported.
pub(super) fn key(name: &str) -> Option<String> {
    let instead = |c| SIGNS.iter().find(|(sign, _)| *sign == c).map_or(c, |(_, instead)| *instead);
    (!name.contains(|c| c <= '\u{3}')).then(|| name.chars().map(instead).collect())
}

/// Returns the name of a [`key`].
pub(super) fn name(key: &str) -> String {
    let sign = |c| SIGNS.iter().find(|(_, instead)| *instead == c).map_or(c, |(sign, _)| *sign);
    key.chars().map(sign).collect()
}

/// Returns the path of a field in `texts` or `numbers`. It matches nothing if the name is not supported.
pub(super) fn path(name: &str) -> String {
    key(name).unwrap_or_default()
}

/// Returns the column with a field's numbers.
pub(super) fn number_column(name: &FieldName) -> String {
    if name.as_str() == TIME {
        return "time".to_owned();
    }
    format!("numbers.{}", path(name.as_str()))
}

/// Returns the column with a field's texts, or `None` if it has none because nearly all values differ.
pub(super) fn text_column(name: &FieldName) -> Option<String> {
    match FIELDS.place(name.as_str()) {
        Place::Hash(_) | Place::Time => None,
        Place::Named => Some(format!("texts.{}", path(name.as_str()))),
        _ => Some(name.as_str().to_owned()),
    }
}
