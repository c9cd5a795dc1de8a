//! Looks up the fields of names.

use super::JkqlError;
use super::known::{self, KNOWN, MESSAGE};
use crate::field::{FieldName, PROPERTIES};
use crate::store::{Reader, StoreError};
use jkool_jkql::{Name, NameKind, ParseError};
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// The meaning of a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Target {
    /// The fields with this name.
    Fields(Vec<FieldName>),
    /// The message.
    Message,
}

/// Looks up names: first the built-in ones, then those in the store.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    reader: Option<&'a Reader<'a>>,
    /// The names in the store; read once, and only if needed.
    names: OnceCell<BTreeSet<String>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(reader: &'a Reader<'a>) -> Self {
        Self { reader: Some(reader), names: OnceCell::new() }
    }

    /// Creates a resolver without a store, which knows only built-in names and full names.
    pub(super) fn without_store() -> Self {
        Self { reader: None, names: OnceCell::from(BTreeSet::new()) }
    }

    fn names(&self) -> Result<&BTreeSet<String>, StoreError> {
        if let (None, Some(reader)) = (self.names.get(), self.reader) {
            let names = reader.field_names()?;
            return Ok(self.names.get_or_init(|| names));
        }
        Ok(self.names.get_or_init(BTreeSet::new))
    }

    /// Returns the meaning of a name.
    pub(super) fn target(&self, name: &Name) -> Result<Target, JkqlError> {
        let fields = match &name.kind {
            NameKind::Bare(text) => match self.named(text)? {
                Target::Fields(fields) => fields,
                message => return Ok(message),
            },
            NameKind::Property(property) => {
                let own = FieldName::property(property);
                let mut fields = self.snapshots(|parts| parts[2] == *property)?;
                fields.insert(0, own);
                fields
            }
            NameKind::Snapshot { category: Some(category), name, property } => {
                vec![FieldName::snapshot(category, name, property)]
            }
            NameKind::Snapshot { name, property, .. } => {
                let found = self.snapshots(|parts| parts[1] == *name && parts[2] == *property)?;
                // No entity has this field yet.
                if found.is_empty() { vec![FieldName::snapshot("", name, property)] } else { found }
            }
            other => return Err(JkqlError::Impossible(format!("unknown name {other}"))),
        };
        if !fields.is_empty() {
            return Ok(Target::Fields(fields));
        }
        let own = KNOWN.iter().map(|known| known.service.to_owned());
        let names = self.names()?.iter().map(|name| FieldName::new(name.clone()).short());
        let expected = "the name of a field, or properties.NAME for a property that nothing has yet";
        let error = ParseError::unknown(name.column, expected, &name.kind.to_string(), own.chain(names));
        Err(error.into())
    }

    /// Returns the meaning of a bare name; without fields if the name is unknown.
    pub(super) fn named(&self, text: &str) -> Result<Target, StoreError> {
        if let Ok(field) = text.parse() {
            return Ok(Target::Fields(vec![field]));
        }
        Ok(match known::find(text) {
            Some(known) if known.wire == MESSAGE => Target::Message,
            Some(known) => Target::Fields(vec![FieldName::new(known.wire.to_owned())]),
            None => Target::Fields(self.bare(text)?),
        })
    }

    /// Returns the only field of a name.
    pub(super) fn field(&self, name: &Name) -> Result<FieldName, JkqlError> {
        let mut fields = match self.target(name)? {
            Target::Fields(fields) => fields,
            Target::Message => {
                let why = "a message can't be counted or compared; use `message contains`";
                return Err(JkqlError::Impossible(why.into()));
            }
        };
        // properties('x') means a property, unless only snapshots have it.
        if matches!(name.kind, NameKind::Property(_)) && fields.len() > 1 {
            let has_own = self.names()?.contains(fields[0].as_str());
            fields.drain(if has_own { 1..fields.len() } else { 0..1 });
        }
        if fields.len() > 1 {
            let all: Vec<&str> = fields.iter().map(FieldName::as_str).collect();
            let why = format!("{} is ambiguous; use one of {}", name.kind, all.join(", "));
            return Err(JkqlError::Impossible(why));
        }
        Ok(fields.swap_remove(0))
    }

    /// Returns the properties and snapshot values that a bare name may mean.
    fn bare(&self, text: &str) -> Result<Vec<FieldName>, StoreError> {
        let of = |is_it: &dyn Fn(&str) -> bool| -> Result<Vec<FieldName>, StoreError> {
            let own = self.names()?.iter().filter_map(|name| name.strip_prefix(PROPERTIES)).filter(|name| is_it(name));
            let mut fields: Vec<FieldName> = own.map(FieldName::property).collect();
            fields
                .extend(self.snapshots(|[_, name, property]| is_it(property) || is_it(&format!("{name}.{property}")))?);
            Ok(fields)
        };
        let exact = of(&|name| name == text)?;
        if exact.is_empty() { of(&|name| name.eq_ignore_ascii_case(text)) } else { Ok(exact) }
    }

    fn snapshots(&self, is_it: impl Fn(&[String; 3]) -> bool) -> Result<Vec<FieldName>, StoreError> {
        let names = self.names()?.iter().map(|name| FieldName::new(name.clone()));
        Ok(names.filter(|name| name.snapshot_parts().is_some_and(|parts| is_it(&parts))).collect())
    }
}

/// Returns the spelling of a stored name in the short form.
pub(super) fn short(name: &str) -> String {
    match FieldName::new(name.to_owned()).snapshot_parts() {
        Some([_, snapshot, property]) => format!("{snapshot}.{property}"),
        None => name.strip_prefix(PROPERTIES).unwrap_or(name).to_owned(),
    }
}
