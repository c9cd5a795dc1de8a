//! What belongs together, in the order in which it happened, with bars for how long it took.

use super::format::{cut, duration, severity_class};
use super::link::event_url;
use crate::filter::{operation_of, severity_of};
use crate::store::{EntityId, Stored};
use jkool_model::{Entity, OpType, Severity, Timestamp, TrackingId};
use maud::{Markup, html};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// One line of a timeline.
#[derive(Debug)]
struct Step<'a> {
    stored: &'a Stored,
    /// So deep below what has no parent here.
    depth: usize,
    /// Whether something below it is an ERROR or worse.
    fails_below: bool,
    /// Whether all of it would have ended earlier, had this taken less time.
    is_critical: bool,
}

/// Steps deeper than this are drawn no further to the right.
const DEEPEST: usize = 8;
/// So many marks, and one at the end, are on the axis of time.
const MARKS: i64 = 4;
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
        div.axis aria-hidden="true" {
            div.marks { @for mark in 0..=MARKS { span { "+" (duration(length / MARKS * mark)) } } }
        }
        p.hint.path { "Framed bars are the critical path: what the end waited for." }
        ol.timeline {
            @for step in steps {
                @let (from, to) = span(step.stored);
                @let entity = &step.stored.entity;
                @let severity = severity_of(entity);
                @let x = place(from).min(WIDTH - 4.0);
                li class={ "d" (step.depth.min(DEEPEST)) @if step.is_critical { " critical" } } data-depth=(step.depth) aria-current=[(step.stored.id == current).then_some("true")] {
                    span.offset { "+" (duration(from.saturating_sub(start))) }
                    a.name href=(event_url(step.stored.id)) {
                        @if step.depth > DEEPEST { span.dim { (step.depth) "› " } }
                        (cut(name(entity), 60))
                        @if entity.op_type() != OpType::Event { " " span.type { (entity.op_type()) } }
                    }
                    span class={ "sev " (severity_class(severity)) } {
                        (severity)
                        @if step.fails_below { span.below title="An error is below it" { " ●" span.unseen { " (an error is below it)" } } }
                    }
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
                None => {
                    mark(&mut steps);
                    return steps;
                }
            }
            continue;
        };
        if seen.insert(stored.id) {
            steps.push(Step { stored, depth, fails_below: false, is_critical: false });
            let below = stored.entity.tracking_id().and_then(|id| children.remove(id)).unwrap_or_default();
            waiting.extend(below.into_iter().map(|child| (child, depth + 1)));
        }
    }
}

/// Marks what has an error below, and what the end waited for.
fn mark(steps: &mut [Step<'_>]) {
    let parents = parents(steps);
    let mut children = vec![Vec::new(); steps.len()];
    for (index, parent) in parents.iter().enumerate() {
        let Some(parent) = *parent else { continue };
        children[parent].push(index);
    }
    for index in 0..steps.len() {
        if severity_of(&steps[index].stored.entity) < Severity::Error {
            continue;
        }
        let mut above = parents[index];
        while let Some(parent) = above.filter(|parent| !steps[*parent].fails_below) {
            steps[parent].fails_below = true;
            above = parents[parent];
        }
    }
    let spans: Vec<_> = steps.iter().map(|step| span(step.stored)).collect();
    let took = |index: &usize| spans[*index].1 - spans[*index].0;
    let roots = (0..steps.len()).filter(|index| parents[*index].is_none() && !children[*index].is_empty());
    let mut waiting: Vec<usize> = roots.max_by_key(took).into_iter().collect();
    while let Some(index) = waiting.pop() {
        steps[index].is_critical = true;
        // Backwards from its end: the child that ended last, then the one that ended last before that one began.
        let mut ended: Vec<_> = children[index].iter().copied().filter(|child| took(child) > 0).collect();
        ended.sort_unstable_by_key(|child| Reverse(spans[*child].1));
        let mut until = spans[index].1;
        for child in ended {
            if spans[child].1 <= until {
                until = spans[child].0;
                waiting.push(child);
            }
        }
    }
}

/// Where each one's parent is: the nearest before it that is less deep by one.
fn parents(steps: &[Step<'_>]) -> Vec<Option<usize>> {
    let mut above: Vec<usize> = Vec::new();
    let parent = |(index, step): (usize, &Step<'_>)| {
        above.truncate(step.depth);
        let parent = above.last().copied();
        above.push(index);
        parent
    };
    steps.iter().enumerate().map(parent).collect()
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
    fn errors_are_seen_from_above_and_the_end_waited_for_the_critical_path() {
        let related = stored(&[
            r#"{"operation":"all","tracking-id":"1","time-usec":1000,"elapsed-time-usec":900}"#,
            r#"{"operation":"first","tracking-id":"2","parent-id":"1","time-usec":400,"elapsed-time-usec":300}"#,
            r#"{"operation":"beside","tracking-id":"3","parent-id":"1","time-usec":600,"elapsed-time-usec":500}"#,
            r#"{"operation":"last","tracking-id":"4","parent-id":"1","time-usec":990,"elapsed-time-usec":580}"#,
            r#"{"operation":"inner","tracking-id":"5","parent-id":"4","time-usec":900,"elapsed-time-usec":100,"severity":"ERROR"}"#,
        ]);
        let steps = arranged(&related);
        let named = |which: fn(&super::Step<'_>) -> bool| -> Vec<&str> {
            steps.iter().filter(|step| which(step)).map(|step| super::name(&step.stored.entity)).collect()
        };
        assert_eq!(named(|step| step.fails_below), ["all", "last"]);
        assert_eq!(named(|step| step.is_critical), ["all", "first", "last", "inner"]);
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
