//! The map as a picture.

use super::layout::{Place, layout};
use super::source_url;
use crate::page::text::{count, cut};
use crate::{Filter, Flow};
use jkool_model::SourceFqn;
use maud::{Markup, html};
use std::collections::HashMap;

const NODE: (i32, i32) = (170, 46);
const GAP: (i32, i32) = (130, 34);
const MARGIN: (i32, i32) = (24, 44);

pub(super) fn drawing(flows: &[Flow], filter: &Filter) -> Markup {
    let mut numbers: HashMap<&SourceFqn, usize> = HashMap::new();
    let mut nodes: Vec<&SourceFqn> = Vec::new();
    let mut number = |source| {
        *numbers.entry(source).or_insert_with(|| {
            nodes.push(source);
            nodes.len() - 1
        })
    };
    let edges: Vec<_> = flows.iter().map(|flow| (number(&flow.from), number(&flow.to))).collect();
    let places = layout(nodes.len(), &edges);
    let columns = places.iter().map(|place| place.column + 1).max().unwrap_or(1);
    let height_of = |column| places.iter().filter(|place| place.column == column).count();
    let rows = (0..columns).map(height_of).max().unwrap_or(1);
    let corner = |place: &Place| {
        // Short columns are in the middle.
        let room = (rows - height_of(place.column)) as i32 * (NODE.1 + GAP.1) / 2;
        let across = MARGIN.0 + place.column as i32 * (NODE.0 + GAP.0);
        (across, MARGIN.1 + room + place.row as i32 * (NODE.1 + GAP.1))
    };
    let corners: Vec<_> = places.iter().map(corner).collect();
    let size = (
        2 * MARGIN.0 + columns as i32 * (NODE.0 + GAP.0) - GAP.0,
        2 * MARGIN.1 + rows as i32 * (NODE.1 + GAP.1) - GAP.1,
    );
    let most = flows.iter().map(|flow| flow.count).max().unwrap_or(1).max(1);
    html! {
        div.scroll {
            svg.map viewBox={ "0 0 " (size.0) " " (size.1) } width=(size.0) height=(size.1) aria-label="Map of who sent to whom" role="group" {
                defs {
                    @for (id, class) in [("arrow", "f-edge"), ("arrow-bad", "f-bad")] {
                        marker id=(id) viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto" {
                            path class=(class) d="M0 0L10 5L0 10z" {}
                        }
                    }
                }
                @for (flow, (from, to)) in flows.iter().zip(&edges) {
                    (edge(flow, Curve::between(corners[*from], corners[*to]), most, filter))
                }
                @for (source, corner) in nodes.iter().zip(&corners) { (node(source, *corner, filter)) }
            }
        }
    }
}

/// A line and the middle of it.
struct Curve {
    path: String,
    middle: (i32, i32),
}

impl Curve {
    /// From the one node to the other, by their upper left corners.
    fn between((from_x, from_y): (i32, i32), (to_x, to_y): (i32, i32)) -> Self {
        let half = NODE.1 / 2;
        if from_x < to_x {
            // A little below the middle of the sender, so that what leads on is told from what arrives.
            let (x1, y1, x2, y2) = (from_x + NODE.0, from_y + half, to_x - 2, to_y + half);
            let bend = (x2 - x1) / 2;
            return Self {
                path: format!("M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}", x1 + bend, x2 - bend),
                middle: ((x1 + x2) / 2, (y1 + y2) / 2),
            };
        }
        // Back, or to itself: around the upper side.
        let (x1, y1, x2, y2) = (from_x + NODE.0 / 3, from_y, to_x + NODE.0 * 2 / 3, to_y - 2);
        let top = y1.min(y2) - 34;
        Self { path: format!("M{x1} {y1}C{x1} {top} {x2} {top} {x2} {y2}"), middle: ((x1 + x2) / 2, top + 10) }
    }
}

fn edge(flow: &Flow, curve: Curve, most: u64, filter: &Filter) -> Markup {
    let is_bad = flow.errors > 0;
    let (class, marker) = if is_bad { ("l-bad", "url(#arrow-bad)") } else { ("l-edge", "url(#arrow)") };
    let errors = if is_bad { format!(", {} with errors", count(flow.errors)) } else { String::new() };
    let width = 1.2 + 1.8 * (flow.count as f64 / most as f64).sqrt();
    html! {
        a href=(source_url(filter, &flow.to, is_bad)) {
            title { (flow.from) " to " (flow.to) ": " (count(flow.count)) " messages" (errors) }
            path class=(class) d=(curve.path) fill="none" stroke-width=(format!("{width:.1}")) marker-end=(marker) {}
            text.count x=(curve.middle.0) y=(curve.middle.1 - 5) text-anchor="middle" {
                (count(flow.count))
                @if is_bad { tspan.f-bad dx="5" { (count(flow.errors)) " failed" } }
            }
        }
    }
}

fn node(source: &SourceFqn, (x, y): (i32, i32), filter: &Filter) -> Markup {
    let mut elements = source.elements();
    let (kind, name) = elements.next().map_or((String::new(), ""), |(kind, name)| (kind.to_string(), name));
    let beside = elements.next().map_or("", |(_, name)| name);
    html! {
        a href=(source_url(filter, source, false)) {
            title { (source) }
            rect.node x=(x) y=(y) width=(NODE.0) height=(NODE.1) rx="6" {}
            text.name x=(x + NODE.0 / 2) y=(y + 20) text-anchor="middle" { (cut(name, 20)) }
            text.kind x=(x + NODE.0 / 2) y=(y + 36) text-anchor="middle" {
                (kind) @if !beside.is_empty() { " · " (cut(beside, 14)) }
            }
        }
    }
}
