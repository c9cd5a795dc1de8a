//! A trace as a flame graph: each step is a box below the step that contains it, as wide as its duration.

use super::span::name;
use super::tree::{Step, Trace};
use super::window::Window;
use crate::page::format::{cut, duration, severity_class};
use crate::store::EntityId;
use maud::{Markup, html};
use std::collections::HashSet;

/// The height of a row in pixels.
const ROW: usize = 22;
/// The minimum width of a box, and the minimum width of a box with a name, as fractions of the picture.
const LEAST: f64 = 0.003;
const NAMED: f64 = 0.03;

/// The box of a step.
#[derive(Debug)]
struct Box<'a> {
    step: &'a Step<'a>,
    row: usize,
    /// The left edge and the width, as fractions of the picture.
    from: f64,
    width: f64,
}

/// The boxes in a limited number of rows, and the number of steps without room.
struct Layout<'a> {
    boxes: Vec<Box<'a>>,
    rows: usize,
    left_out: usize,
}

/// Places each step in the first row below its parent's in which its place is free. Moments without children are placed
/// last, where room is left.
fn layout<'a>(trace: &'a Trace<'a>, window: Window, most: usize) -> Layout<'a> {
    // The occupied ranges of each row, and the row of each step; `most` for a step without room.
    let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut rows: Vec<Option<usize>> = vec![None; trace.steps.len()];
    let mut layout = Layout { boxes: Vec::new(), rows: 0, left_out: 0 };
    let parents: HashSet<usize> = trace.steps.iter().filter_map(|step| step.parent).collect();
    let is_moment = |index: &usize, step: &Step<'_>| step.took() == 0 && !parents.contains(index);
    let (moments, spans): (Vec<_>, Vec<_>) =
        trace.steps.iter().enumerate().partition(|(index, step)| is_moment(index, step));
    for (index, step) in spans.into_iter().chain(moments) {
        let Some((from, width)) = window.part(step.from, step.to, LEAST) else { continue };
        // A step outside the window may have descendants within it.
        let mut above = step.parent;
        while let Some(parent) = above.filter(|parent| rows[*parent].is_none()) {
            above = trace.steps[parent].parent;
        }
        let first = above.and_then(|parent| rows[parent]).map_or(0, |row| row + 1);
        // Boxes that only touch do not overlap.
        let is_free = |row: usize| {
            let taken = taken.get(row).map_or(&[][..], Vec::as_slice);
            taken.iter().all(|(other, end)| from + width <= *other + 1e-9 || *end <= from + 1e-9)
        };
        let row = (first..most).find(|row| is_free(*row));
        rows[index] = Some(row.unwrap_or(most));
        let Some(row) = row else {
            layout.left_out += 1;
            continue;
        };
        if taken.len() <= row {
            taken.resize(row + 1, Vec::new());
        }
        taken[row].push((from, from + width));
        layout.boxes.push(Box { step, row, from, width });
    }
    // The order of the tab key.
    layout.boxes.sort_by_key(|drawn| (drawn.step.from, drawn.row));
    layout.rows = taken.len();
    layout
}

/// The picture in a limited number of rows; `link` returns the URL of a box.
pub(in crate::page) fn flame(
    trace: &Trace<'_>,
    window: Window,
    most: usize,
    current: Option<EntityId>,
    link: impl Fn(EntityId) -> String,
) -> Markup {
    let Layout { boxes, rows, left_out } = layout(trace, window, most);
    html! {
        svg.flame data-steps role="group" aria-label="Flame graph: boxes are as long as what they stand for took" width="100%" height=(rows.max(1) * ROW) {
            @for drawn in &boxes { (drawn.draw(trace, current, &link)) }
        }
        @if left_out > 0 {
            p.hint { (left_out) " more find no room in " (most) " rows: zoom in, or see the list." }
        }
    }
}

impl Box<'_> {
    fn draw(&self, trace: &Trace<'_>, current: Option<EntityId>, link: &impl Fn(EntityId) -> String) -> Markup {
        let Self { step, row, from, width } = self;
        let (id, entity) = (step.stored.id, &step.stored.entity);
        let per_cent = |part: f64| format!("{:.2}%", part * 100.0);
        let critical = if step.is_critical { " critical" } else { "" };
        let fails = if step.fails_below { ", an error is below it" } else { "" };
        html! {
            a href=(link(id)) data-step aria-current=[(current == Some(id)).then_some("true")] {
                title {
                    (cut(name(entity), 80)) ": " (duration(step.took())) " from +" (duration(step.from.saturating_sub(trace.start)))
                    ", " (step.severity()) (fails)
                }
                svg x=(per_cent(*from)) y=(row * ROW) width=(per_cent(*width)) height=(ROW - 1) {
                    rect class={ "f-" (severity_class(step.severity())) (critical) } width="100%" height="100%" {}
                    @if *width >= NAMED { text x="4" y="15" { (cut(name(entity), 60)) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::layout;
    use crate::page::trace::span::name;
    use crate::page::trace::testing::{entities, stored};
    use crate::page::trace::tree::Trace;
    use crate::page::trace::window::{Usec, Window};
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    fn drawn(trace: &Trace<'_>, window: Window, most: usize) -> (Vec<String>, usize) {
        let layout = layout(trace, window, most);
        let said = layout.boxes.iter().map(|drawn| {
            let (from, to) = (drawn.from * 100.0, (drawn.from + drawn.width) * 100.0);
            format!("{} {} {from:.0}-{to:.0}", name(&drawn.step.stored.entity), drawn.row)
        });
        (said.collect(), layout.left_out)
    }

    proptest! {
        #[test]
        fn of_any_trace_no_box_is_upon_another_and_none_is_lost(
            entities in entities(), from in 0..1_000_i64, to in 0..1_600_i64, most in 1..30_usize
        ) {
            let trace = Trace::of(&entities);
            prop_assert_eq!(trace.steps.len(), entities.len());
            let window = Window::new(trace.start, trace.length(), Some(Usec(from)), Some(Usec(to)));
            let layout = layout(&trace, window, most);
            let inside = trace.steps.iter().filter(|step| window.part(step.from, step.to, 0.0).is_some()).count();
            prop_assert_eq!(layout.boxes.len() + layout.left_out, inside);
            for (index, one) in layout.boxes.iter().enumerate() {
                prop_assert!(one.row < most && one.from >= 0.0 && one.from + one.width <= 1.0 + 1e-9);
                for other in layout.boxes[..index].iter().filter(|other| other.row == one.row) {
                    let apart = one.from.max(other.from) + 1e-6 >= (one.from + one.width).min(other.from + other.width);
                    prop_assert!(apart, "{one:?} {other:?}");
                }
                let parent = one.step.parent.map(|parent| trace.steps[parent].stored.id);
                let above = layout.boxes.iter().find(|other| Some(other.step.stored.id) == parent);
                prop_assert!(above.is_none_or(|above| above.row < one.row));
            }
        }
    }

    #[test]
    fn boxes_are_below_what_they_are_within_and_never_upon_another() {
        let entities = stored(&[
            r#"{"operation":"all","tracking-id":"1","time-usec":1000,"elapsed-time-usec":1000}"#,
            r#"{"operation":"one","tracking-id":"2","parent-id":"1","time-usec":500,"elapsed-time-usec":500}"#,
            r#"{"operation":"inner","tracking-id":"3","parent-id":"2","time-usec":400,"elapsed-time-usec":300}"#,
            r#"{"operation":"beside","tracking-id":"4","parent-id":"1","time-usec":700,"elapsed-time-usec":400}"#,
            r#"{"operation":"then","tracking-id":"5","parent-id":"1","time-usec":900,"elapsed-time-usec":200}"#,
            r#"{"operation":"told","tracking-id":"6","parent-id":"1","time-usec":100}"#,
        ]);
        let trace = Trace::of(&entities);
        let whole = Window::new(trace.start, trace.length(), None, None);
        let expected = ["all 0 0-100", "one 1 0-50", "inner 2 10-40", "told 3 10-10", "beside 3 30-70", "then 1 70-90"];
        assert_eq!(drawn(&trace, whole, 10), (expected.map(str::to_owned).to_vec(), 0));
        let zoomed = Window::new(trace.start, trace.length(), Some(Usec(400)), Some(Usec(500)));
        let expected = ["all 0 0-100", "one 1 0-100", "inner 2 0-0", "beside 3 0-100"];
        assert_eq!(drawn(&trace, zoomed, 10).0, expected);
        // Steps without room, and their descendants, are counted.
        let (boxes, left_out) = drawn(&trace, whole, 2);
        assert_eq!((boxes.len(), left_out), (3, 3));
    }
}
