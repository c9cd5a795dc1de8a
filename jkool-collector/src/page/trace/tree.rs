//! A trace as a tree. Children are ordered by start. Without I/O.

use super::span::span;
use crate::filter::severity_of;
use crate::store::Stored;
use jkool_model::{Severity, TrackingId};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// A trace. Each step follows its parent; siblings are ordered by start.
#[derive(Debug)]
pub(in crate::page) struct Trace<'a> {
    pub(in crate::page) steps: Vec<Step<'a>>,
    /// The start and the end, in microseconds.
    pub(in crate::page) start: i64,
    pub(in crate::page) end: i64,
}

/// An entity of a trace.
#[derive(Debug)]
pub(in crate::page) struct Step<'a> {
    pub(in crate::page) stored: &'a Stored,
    /// The start and the end, in microseconds.
    pub(in crate::page) from: i64,
    pub(in crate::page) to: i64,
    /// The depth below the root.
    pub(in crate::page) depth: usize,
    /// The index of the parent.
    pub(in crate::page) parent: Option<usize>,
    /// The duration without that of its children, in microseconds.
    pub(in crate::page) own: i64,
    /// Whether a descendant has severity ERROR or above.
    pub(in crate::page) fails_below: bool,
    /// Whether the step is on the critical path: if it were shorter, the trace would end earlier.
    pub(in crate::page) is_critical: bool,
}

impl Step<'_> {
    /// Returns the duration in microseconds.
    pub(in crate::page) fn took(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }

    pub(in crate::page) fn severity(&self) -> Severity {
        severity_of(&self.stored.entity)
    }

    /// Whether the parent is not part of the trace.
    pub(in crate::page) fn is_orphan(&self) -> bool {
        self.parent.is_none() && self.stored.entity.parent_id().is_some()
    }
}

impl<'a> Trace<'a> {
    pub(in crate::page) fn of(entities: &'a [Stored]) -> Self {
        let mut steps = arranged(entities);
        let children = children(&steps);
        mark_errors(&mut steps);
        mark_critical(&mut steps, &children);
        for (index, children) in children.iter().enumerate() {
            steps[index].own = own(&steps, index, children);
        }
        let start = steps.iter().map(|step| step.from).min().unwrap_or_default();
        let end = steps.iter().map(|step| step.to).max().unwrap_or_default();
        Self { steps, start, end }
    }

    /// Returns the duration in microseconds, at least 1.
    pub(in crate::page) fn length(&self) -> i64 {
        self.end.saturating_sub(self.start).max(1)
    }
}

/// Orders the steps: each follows its parent, siblings by start. Steps in a cycle of parents occur once, too.
fn arranged(entities: &[Stored]) -> Vec<Step<'_>> {
    let mut by_start: Vec<_> = entities.iter().collect();
    by_start.sort_by_cached_key(|stored| (span(stored).0, stored.id));
    let ids: HashSet<&TrackingId> = entities.iter().filter_map(|stored| stored.entity.tracking_id()).collect();
    let mut children: HashMap<&TrackingId, Vec<&Stored>> = HashMap::new();
    let mut waiting = Vec::new();
    for stored in by_start.iter().rev() {
        match stored.entity.parent_id().filter(|parent| ids.contains(parent)) {
            Some(parent) => children.entry(parent).or_default().push(stored),
            None => waiting.push((*stored, None)),
        }
    }
    // Steps in a cycle have no root: they come last.
    let mut left = by_start.into_iter();
    let (mut seen, mut steps) = (HashSet::new(), Vec::<Step<'_>>::with_capacity(entities.len()));
    loop {
        let Some((stored, parent)) = waiting.pop() else {
            match left.find(|stored| !seen.contains(&stored.id)) {
                Some(stored) => waiting.push((stored, None)),
                None => return steps,
            }
            continue;
        };
        if seen.insert(stored.id) {
            let below = stored.entity.tracking_id().and_then(|id| children.remove(id)).unwrap_or_default();
            waiting.extend(below.into_iter().map(|child| (child, Some(steps.len()))));
            let ((from, to), depth) = (span(stored), parent.map_or(0, |parent: usize| steps[parent].depth + 1));
            steps.push(Step { stored, from, to, depth, parent, own: 0, fails_below: false, is_critical: false });
        }
    }
}

/// Returns the indexes of the children of each step.
fn children(steps: &[Step<'_>]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); steps.len()];
    for (index, step) in steps.iter().enumerate() {
        if let Some(parent) = step.parent {
            children[parent].push(index);
        }
    }
    children
}

fn mark_errors(steps: &mut [Step<'_>]) {
    for index in 0..steps.len() {
        if steps[index].severity() < Severity::Error {
            continue;
        }
        let mut above = steps[index].parent;
        while let Some(parent) = above.filter(|parent| !steps[*parent].fails_below) {
            steps[parent].fails_below = true;
            above = steps[parent].parent;
        }
    }
}

/// Marks the critical path of the longest tree.
fn mark_critical(steps: &mut [Step<'_>], children: &[Vec<usize>]) {
    let roots = (0..steps.len()).filter(|index| steps[*index].parent.is_none() && !children[*index].is_empty());
    let mut waiting: Vec<usize> = roots.max_by_key(|index| steps[*index].took()).into_iter().collect();
    while let Some(index) = waiting.pop() {
        steps[index].is_critical = true;
        // Backwards from the end: the child that ended last, then the last one that ended before that one started.
        let mut ended: Vec<_> = children[index].iter().copied().filter(|child| steps[*child].took() > 0).collect();
        ended.sort_unstable_by_key(|child| Reverse(steps[*child].to));
        let mut until = steps[index].to;
        for child in ended {
            if steps[child].to <= until {
                until = steps[child].from;
                waiting.push(child);
            }
        }
    }
}

/// Returns the duration of a step without its children, which are ordered by start.
fn own(steps: &[Step<'_>], index: usize, children: &[usize]) -> i64 {
    let step = &steps[index];
    let (mut own, mut until) = (step.took(), step.from);
    for child in children {
        let (from, to) = (steps[*child].from.max(until), steps[*child].to.min(step.to));
        if to > from {
            own -= to - from;
            until = to;
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::{Step, Trace};
    use crate::page::trace::span::name;
    use crate::page::trace::testing::stored;

    #[test]
    fn each_is_below_its_parent_and_nobody_is_lost() {
        let entities = stored(&[
            r#"{"operation":"b","tracking-id":"2","parent-id":"1","time-usec":300}"#,
            r#"{"operation":"c","tracking-id":"3","parent-id":"2","time-usec":400}"#,
            r#"{"operation":"a","tracking-id":"1","parent-id":"nobody","time-usec":500,"elapsed-time-usec":400}"#,
            r#"{"operation":"d","tracking-id":"4","parent-id":"1","time-usec":200}"#,
            r#"{"operation":"x","tracking-id":"8","parent-id":"9","time-usec":600}"#,
            r#"{"operation":"y","tracking-id":"9","parent-id":"8","time-usec":700}"#,
            r#"{"operation":"self","tracking-id":"7","parent-id":"7","time-usec":800}"#,
        ]);
        let trace = Trace::of(&entities);
        let said = |step: &Step<'_>| format!("{}{}", ".".repeat(step.depth), name(&step.stored.entity));
        assert_eq!(trace.steps.iter().map(said).collect::<Vec<_>>(), ["a", ".d", ".b", "..c", "x", ".y", "self"]);
        assert_eq!((trace.start, trace.length()), (100, 700));
        assert!(trace.steps[0].is_orphan() && !trace.steps[1].is_orphan());
        assert_eq!(Trace::of(&[]).length(), 1);
    }

    #[test]
    fn errors_are_seen_from_above_and_the_end_waited_for_the_critical_path() {
        let entities = stored(&[
            r#"{"operation":"all","tracking-id":"1","time-usec":1000,"elapsed-time-usec":900}"#,
            r#"{"operation":"first","tracking-id":"2","parent-id":"1","time-usec":400,"elapsed-time-usec":300}"#,
            r#"{"operation":"beside","tracking-id":"3","parent-id":"1","time-usec":600,"elapsed-time-usec":500}"#,
            r#"{"operation":"last","tracking-id":"4","parent-id":"1","time-usec":990,"elapsed-time-usec":580}"#,
            r#"{"operation":"inner","tracking-id":"5","parent-id":"4","time-usec":900,"elapsed-time-usec":100,"severity":"ERROR"}"#,
        ]);
        let trace = Trace::of(&entities);
        let named = |which: fn(&Step<'_>) -> bool| -> Vec<&str> {
            trace.steps.iter().filter(|step| which(step)).map(|step| name(&step.stored.entity)).collect()
        };
        assert_eq!(named(|step| step.fails_below), ["all", "last"]);
        assert_eq!(named(|step| step.is_critical), ["all", "first", "last", "inner"]);
        // The children together cover 890 of the outermost step's 900; the inner one covers 100 of the last one's 580.
        let own: Vec<_> = trace.steps.iter().map(|step| step.own).collect();
        assert_eq!(own, [10, 300, 500, 480, 100]);
    }
}
