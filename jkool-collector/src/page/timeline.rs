//! What belongs together, in the order in which it happened, with bars for how long it took.

use super::format::{cut, duration, severity_class};
use super::link::event_url;
use crate::filter::{operation_of, severity_of};
use crate::store::{EntityId, Stored};
use jkool_model::{Entity, OpType, Timestamp, TrackingId};
use maud::{Markup, html};
use std::collections::{HashMap, HashSet};

/// One line of a timeline.
#[derive(Debug)]
struct Step<'a> {
    stored: &'a Stored,
    /// So deep below what has no parent here.
    depth: usize,
}

/// Steps deeper than this are drawn no further to the right.
const DEEPEST: usize = 8;
/// The width of the picture in its own units.
const WIDTH: f64 = 1000.0;

pub(super) fn timeline(related: &[Stored], current: EntityId) -> Markup {
    let steps = arranged(related);
    let spans: Vec<_> = related.iter().map(span).collect();
    let start = spans.iter().map(|(from, _)| *from).min().unwrap_or_default();
    let end = spans.iter().map(|(_, to)| *to).max().unwrap_or_default();
    let length = end.saturating_sub(start).max(1);
    let place = |usec: i64| usec.saturating_sub(start) as f64 / length as f64 * WIDTH;
    html! {
        ol.timeline {
            @for step in steps {
                @let (from, to) = span(step.stored);
                @let entity = &step.stored.entity;
                @let severity = severity_of(entity);
                @let x = place(from).min(WIDTH - 4.0);
                li class={ "d" (step.depth.min(DEEPEST)) } aria-current=[(step.stored.id == current).then_some("true")] {
                    span.offset { "+" (duration(from.saturating_sub(start))) }
                    a.name href=(event_url(step.stored.id)) {
                        (cut(name(entity), 60))
                        @if entity.op_type() != OpType::Event { " " span.type { (entity.op_type()) } }
                    }
                    span class={ "sev " (severity_class(severity)) } { (severity) }
                    span.src {
                        @if let Some(source) = entity.source() {
                            span title=(source) { (cut(source.elements().next().map_or("", |(_, name)| name), 40)) }
                        }
                    }
                    svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                        rect.track x="0" y="4" width="1000" height="2" {}
                        rect class={ "f-" (severity_class(severity)) } x=(format!("{x:.1}")) y="0" height="10"
                            width=(format!("{:.1}", (place(to) - place(from)).max(4.0).min(WIDTH - x))) {}
                    }
                    span.took { @if to > from { (duration(to.saturating_sub(from))) } }
                }
            }
        }
    }
}

fn name(entity: &Entity) -> &str {
    match entity {
        Entity::Snapshot(snapshot) => &snapshot.name,
        entity => operation_of(entity).filter(|name| !name.is_empty()).unwrap_or("(no operation)"),
    }
}

/// From when to when it went on, in microseconds. An event that says how long it took, but not since when, ended at its time.
fn span(stored: &Stored) -> (i64, i64) {
    let known = |time: Option<Timestamp>| time.map(Timestamp::as_usec).filter(|usec| *usec > 0);
    let (start, end, elapsed) = match &stored.entity {
        Entity::Event(event) => (known(event.start_time), known(event.end_time), event.elapsed_usec),
        Entity::Activity(activity) => (known(activity.start_time), known(activity.end_time), activity.elapsed_usec),
        _ => (None, None, None),
    };
    let (elapsed, time) = (elapsed.unwrap_or_default().max(0), stored.time.as_usec());
    let start = start.unwrap_or_else(|| end.unwrap_or(time).saturating_sub(elapsed));
    (start, end.unwrap_or_else(|| start.saturating_add(elapsed)).max(start))
}

/// Each below its parent, brothers by their start. Whoever is his own ancestor is shown all the same, once.
fn arranged(related: &[Stored]) -> Vec<Step<'_>> {
    let mut by_start: Vec<_> = related.iter().collect();
    by_start.sort_by_key(|stored| (span(stored).0, stored.id));
    let ids: HashSet<&TrackingId> = related.iter().filter_map(|stored| stored.entity.tracking_id()).collect();
    let mut children: HashMap<&TrackingId, Vec<&Stored>> = HashMap::new();
    let mut waiting = Vec::new();
    for stored in by_start.iter().rev() {
        match stored.entity.parent_id().filter(|parent| ids.contains(parent)) {
            Some(parent) => children.entry(parent).or_default().push(stored),
            None => waiting.push((*stored, 0)),
        }
    }
    // Those in a circle have no root: they come last.
    let mut left = by_start.into_iter();
    let (mut seen, mut steps) = (HashSet::new(), Vec::with_capacity(related.len()));
    loop {
        let Some((stored, depth)) = waiting.pop() else {
            match left.find(|stored| !seen.contains(&stored.id)) {
                Some(stored) => waiting.push((stored, 0)),
                None => return steps,
            }
            continue;
        };
        if seen.insert(stored.id) {
            steps.push(Step { stored, depth });
            let below = stored.entity.tracking_id().and_then(|id| children.remove(id)).unwrap_or_default();
            waiting.extend(below.into_iter().map(|child| (child, depth + 1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{arranged, span};
    use crate::filter::Filter;
    use crate::store::{Record, Store, Stored};
    use jkool_model::Timestamp;

    fn stored(entities: &[&str]) -> Vec<Stored> {
        let now = Timestamp::from_usec(1_000_000);
        let store = Store::builder().open().unwrap();
        let records = entities.iter().map(|json| Record::read(json.as_bytes().to_vec().into(), now).unwrap()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(store.append(records)).unwrap();
        store.read_now(|reader| reader.find(&Filter::default(), 100, None, now)).unwrap()
    }

    #[test]
    fn each_is_below_its_parent_and_nobody_is_lost() {
        let related = stored(&[
            r#"{"operation":"b","tracking-id":"2","parent-id":"1","time-usec":300}"#,
            r#"{"operation":"c","tracking-id":"3","parent-id":"2","time-usec":400}"#,
            r#"{"operation":"a","tracking-id":"1","parent-id":"nobody","time-usec":500,"elapsed-time-usec":400}"#,
            r#"{"operation":"d","tracking-id":"4","parent-id":"1","time-usec":200}"#,
            r#"{"operation":"x","tracking-id":"8","parent-id":"9","time-usec":600}"#,
            r#"{"operation":"y","tracking-id":"9","parent-id":"8","time-usec":700}"#,
            r#"{"operation":"self","tracking-id":"7","parent-id":"7","time-usec":800}"#,
        ]);
        let steps: Vec<_> = arranged(&related)
            .into_iter()
            .map(|step| format!("{}{}", ".".repeat(step.depth), super::name(&step.stored.entity)))
            .collect();
        assert_eq!(steps, ["a", ".d", ".b", "..c", "x", ".y", "self"]);
    }

    #[test]
    fn what_says_only_how_long_it_took_ended_when_it_was_reported() {
        for (json, expected) in [
            (r#"{"time-usec":500,"elapsed-time-usec":400}"#, (100, 500)),
            (r#"{"time-usec":500,"start-time-usec":0,"end-time-usec":0}"#, (500, 500)),
            (r#"{"time-usec":500,"start-time-usec":200,"elapsed-time-usec":50}"#, (200, 250)),
            (r#"{"time-usec":500,"start-time-usec":400,"end-time-usec":300}"#, (400, 400)),
            (r#"{"time-usec":500,"elapsed-time-usec":-7}"#, (500, 500)),
        ] {
            assert_eq!(span(&stored(&[json])[0]), expected, "{json}");
        }
    }
}
