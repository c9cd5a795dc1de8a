//! Reads the parts of messages that the map needs from columns, without reading whole entities.

use super::find::{Place, places};
use super::span::SpanView;
use crate::store::StoreError;
use crate::store::engine::{Deadline, Find, Message};
use jkool_model::Severity;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use tantivy::columnar::StrColumn;
use tantivy::{DocId, SegmentReader};

/// Returns the first matches, in order.
pub(crate) fn messages(
    spans: &[SpanView],
    find: &Find,
    range: &Range<i64>,
    deadline: &Deadline,
) -> Result<Vec<Message>, StoreError> {
    let mut by_segment: BTreeMap<_, (&SpanView, Vec<Place<'_>>)> = BTreeMap::new();
    for place in places(spans, find, range, deadline)? {
        let (_, span, address) = place;
        by_segment.entry((span.number, address.segment_ord)).or_insert((span, Vec::new())).1.push(place);
    }
    let mut messages = Vec::new();
    for ((_, segment), (span, places)) in by_segment {
        deadline.check()?;
        let reader = span.searcher.segment_reader(segment);
        let documents: Vec<DocId> = places.iter().map(|(.., address)| address.doc_id).collect();
        let severities = reader.fast_fields().u64("severity")?;
        let sources = texts(reader, "source-fqn", &documents)?;
        let resources = texts(reader, "texts.resource", &documents)?;
        let correlators = texts(reader, "corrid", &documents)?;
        let texts = sources.into_iter().zip(resources).zip(correlators);
        for ((id, _, address), ((sources, resources), correlators)) in places.into_iter().zip(texts) {
            let severity = severities.first(address.doc_id).and_then(|number| Severity::ALL.get(number as usize));
            let severity = severity.copied().unwrap_or(Severity::None);
            let (source, resource) = (sources.into_iter().next(), resources.into_iter().next());
            messages.push(Message { id, severity, source, resource, correlators });
        }
    }
    messages.sort_unstable_by_key(|message| message.id);
    if find.youngest_first {
        messages.reverse();
    }
    Ok(messages)
}

/// Returns the values of a column for some documents. Each different value is read once, in the order of the
/// dictionary.
fn texts(reader: &SegmentReader, column: &str, documents: &[DocId]) -> Result<Vec<Vec<Arc<str>>>, StoreError> {
    let Some(column) = reader.fast_fields().str(column)? else { return Ok(vec![Vec::new(); documents.len()]) };
    let ordinals: Vec<Vec<u64>> = documents.iter().map(|document| column.term_ords(*document).collect()).collect();
    let mut wanted: Vec<u64> = ordinals.iter().flatten().copied().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let read = read(&column, &wanted)?;
    let text = |ordinal: &u64| read.get(wanted.binary_search(ordinal).ok()?).cloned();
    Ok(ordinals.iter().map(|ordinals| ordinals.iter().filter_map(text).collect()).collect())
}

fn read(column: &StrColumn, ordinals: &[u64]) -> Result<Vec<Arc<str>>, StoreError> {
    let mut texts = Vec::with_capacity(ordinals.len());
    let add = |text: &[u8]| texts.push(String::from_utf8_lossy(text).into());
    column.dictionary().sorted_ords_to_term_cb(ordinals, add).map_err(|error| StoreError::io(&error))?;
    Ok(texts)
}
