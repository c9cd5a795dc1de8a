//! Reads the entities that match a filter from the indexes.

use super::query::{query, time_range, within};
use super::schema::FIELDS;
use super::span::{Segment, SpanView};
use super::weights::{Weights, overlaps};
use crate::field::hash;
use crate::store::engine::{Deadline, Find};
use crate::store::parse::parse;
use crate::store::{EntityId, StoreError, StoreErrorKind, Stored};
use jkool_model::Timestamp;
use std::ops::{Bound, Range};
use tantivy::collector::sort_key::SortByStaticFastValue;
use tantivy::collector::{Collector, TopDocs};
use tantivy::query::{EnableScoring, Query};
use tantivy::schema::{IndexRecordOption, Value};
use tantivy::{DocAddress, DocSet, Order, Searcher, TERMINATED, TantivyDocument, Term};

/// The location of an entity.
pub(super) type Place<'a> = (EntityId, &'a SpanView, DocAddress);

/// The first matches, in order.
pub(crate) fn find(
    spans: &[SpanView],
    find: &Find,
    range: &Range<i64>,
    deadline: &Deadline,
) -> Result<Vec<Stored>, StoreError> {
    let found = places(spans, find, range, deadline)?;
    found.into_iter().map(|(id, span, address)| read(id, &span.searcher, address)).collect()
}

/// The locations of the first matches. Segments are searched by time, so that most can be skipped.
pub(super) fn places<'a>(
    spans: &'a [SpanView],
    find: &Find,
    range: &Range<i64>,
    deadline: &Deadline,
) -> Result<Vec<Place<'a>>, StoreError> {
    let mut segments: Vec<(&SpanView, Segment)> =
        spans.iter().flat_map(|span| span.segments.iter().map(move |segment| (span, *segment))).collect();
    segments.retain(|(_, segment)| overlaps(segment, range));
    match find.youngest_first {
        true => segments.sort_by_key(|(_, segment)| std::cmp::Reverse(segment.youngest)),
        false => segments.sort_by_key(|(_, segment)| segment.oldest),
    }
    let mut found: Vec<Place<'_>> = Vec::new();
    let mut weights = Weights::new(|range| question(find, range), range);
    for (span, segment) in segments {
        deadline.check()?;
        let is_beyond = |last: EntityId| match find.youngest_first {
            true => last.time().as_usec() > segment.youngest,
            false => last.time().as_usec() < segment.oldest,
        };
        if found.len() >= find.limit && found.last().is_some_and(|(last, ..)| is_beyond(*last)) {
            break;
        }
        let order = if find.youngest_first { Order::Desc } else { Order::Asc };
        let time = (SortByStaticFastValue::<i64>::for_field("time"), order);
        let sequence = (SortByStaticFastValue::<u64>::for_field("sequence"), order);
        // The collector allocates memory for the limit that it gets.
        let limit = find.limit.min(usize::try_from(segment.documents).unwrap_or(usize::MAX)).max(1);
        let first = TopDocs::with_limit(limit).order_by((time, sequence));
        let reader = span.searcher.segment_reader(segment.ordinal);
        let part = first.collect_segment(weights.of(span, segment)?, segment.ordinal, reader)?;
        for ((time, sequence), address) in first.merge_fruits(vec![part])? {
            let time = Timestamp::from_usec(time.unwrap_or_default());
            found.push((EntityId::new(time, sequence.unwrap_or_default()), span, address));
        }
        found.sort_unstable_by_key(|(id, ..)| *id);
        if find.youngest_first {
            found.reverse();
        }
        found.truncate(find.limit);
    }
    Ok(found)
}

/// The query for the filter, its time range, and the start position.
fn question(find: &Find, range: &Range<i64>) -> Result<Box<dyn Query>, StoreError> {
    let wanted = within(query(&find.filter)?, time_range(range));
    let Some(beyond) = find.beyond else { return Ok(wanted) };
    // For the same time, entities with lower or higher numbers.
    let time = beyond.time().as_usec();
    let of_time = time_range(&(time..time + 1));
    let number = Term::from_field_u64(FIELDS.sequence, beyond.sequence());
    let (other_times, numbers) = match find.youngest_first {
        true => (time_range(&(i64::MIN..time)), (Bound::Unbounded, Bound::Excluded(number))),
        false => (time_range(&(time + 1..i64::MAX)), (Bound::Excluded(number), Bound::Unbounded)),
    };
    let others = within(wanted.box_clone(), other_times);
    let same = within(within(wanted, of_time), Some(numbers));
    Ok(Box::new(tantivy::query::BooleanQuery::union(vec![others, same])))
}

/// An entity by its id.
pub(crate) fn get(spans: &[SpanView], id: EntityId) -> Result<Option<Stored>, StoreError> {
    let time = id.time().as_usec();
    let number = || Bound::Included(Term::from_field_u64(FIELDS.sequence, id.sequence()));
    let wanted = within(Box::new(tantivy::query::AllQuery), Some((number(), number())));
    for span in spans {
        if !span.segments.iter().any(|segment| (segment.oldest..=segment.youngest).contains(&time)) {
            continue;
        }
        let first = TopDocs::with_limit(1).order_by_fast_field::<i64>("time", Order::Desc);
        if let Some((_, address)) = span.searcher.search(&*wanted, &first)?.pop() {
            return read(id, &span.searcher, address).map(Some);
        }
    }
    Ok(None)
}

/// The number of entities in a time range.
pub(crate) fn count(spans: &[SpanView], range: &Range<i64>) -> Result<u64, StoreError> {
    let mut total = 0;
    for span in spans {
        for segment in span.segments.iter().filter(|segment| overlaps(segment, range)) {
            total += if range.start <= segment.oldest && segment.youngest < range.end {
                segment.documents
            } else {
                let query = within(Box::new(tantivy::query::AllQuery), time_range(range));
                let weight = query.weight(EnableScoring::disabled_from_searcher(&span.searcher))?;
                weight.count(span.searcher.segment_reader(segment.ordinal))?.into()
            };
        }
    }
    Ok(total)
}

/// Whether there is an entity with this tracking id, and with this time if it is given, for which `is_equal` is true.
pub(crate) fn has_equal(
    spans: &[SpanView],
    id: &str,
    time: Option<Timestamp>,
    is_equal: impl Fn(&[u8]) -> bool,
) -> Result<bool, StoreError> {
    let term = Term::from_field_u64(FIELDS.tracking_id, hash(&crate::field::cut(id)));
    for span in spans.iter().rev() {
        for segment in &span.segments {
            if time.is_some_and(|time| !(segment.oldest..=segment.youngest).contains(&time.as_usec())) {
                continue;
            }
            let reader = span.searcher.segment_reader(segment.ordinal);
            let index = reader.inverted_index(FIELDS.tracking_id)?;
            let Some(mut same_id) =
                index.read_postings(&term, IndexRecordOption::Basic).map_err(|error| StoreError::io(&error))?
            else {
                continue;
            };
            let times = reader.fast_fields().i64("time")?;
            while same_id.doc() != TERMINATED {
                let document = same_id.doc();
                if time.is_none_or(|time| times.first(document) == Some(time.as_usec())) {
                    let address = DocAddress::new(segment.ordinal, document);
                    if is_equal(&json_of(&span.searcher, address)?) {
                        return Ok(true);
                    }
                }
                same_id.advance();
            }
        }
    }
    Ok(false)
}

fn json_of(searcher: &Searcher, address: DocAddress) -> Result<Vec<u8>, StoreError> {
    let document: TantivyDocument = searcher.doc(address)?;
    let json = document.get_first(FIELDS.json).and_then(|json| json.as_bytes().map(<[u8]>::to_vec));
    json.ok_or_else(|| StoreError::new(StoreErrorKind::Corrupt, "a stored entity has no content"))
}

fn read(id: EntityId, searcher: &Searcher, address: DocAddress) -> Result<Stored, StoreError> {
    let json = json_of(searcher, address)?;
    let entity = parse(&json)
        .map_err(|error| StoreError::new(StoreErrorKind::Corrupt, format!("a stored entity can't be read: {error}")))?;
    let received = searcher.segment_reader(address.segment_ord).fast_fields().i64("received")?.first(address.doc_id);
    let received = Timestamp::from_usec(received.unwrap_or_default());
    Ok(Stored { id, time: id.time(), received, entity, json: json.into() })
}
