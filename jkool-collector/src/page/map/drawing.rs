//! The map as a picture.

use super::labels::apart;
use super::layout::{Layout, Place, layout};
use super::{Loads, percent, source_url};
use crate::filter::Filter;
use crate::page::format::{count, cut, duration};
use crate::store::Flow;
use jkool_model::SourceFqn;
use maud::{Markup, html};
use std::collections::HashMap;

const NODE: (i32, i32) = (176, 62);
const GAP: (i32, i32) = (150, 34);
const MARGIN: (i32, i32) = (24, 44);

pub(super) fn drawing(flows: &[Flow], loads: &Loads, filter: &Filter) -> Markup {
    let mut numbers: HashMap<&SourceFqn, usize> = HashMap::new();
    let mut nodes: Vec<&SourceFqn> = Vec::new();
    let mut number = |source| {
        *numbers.entry(source).or_insert_with(|| {
            nodes.push(source);
            nodes.len() - 1
        })
    };
    let edges: Vec<_> = flows.iter().map(|flow| (number(&flow.from), number(&flow.to))).collect();
    let Layout { places, ways } = layout(nodes.len(), &edges);
    let all = || places.iter().chain(ways.iter().flatten());
    let columns = all().map(|place| place.column + 1).max().unwrap_or(1);
    let heights: Vec<_> = (0..columns).map(|column| all().filter(|place| place.column == column).count()).collect();
    let rows = heights.iter().max().copied().unwrap_or(1);
    let corner = |place: &Place| {
        // Short columns are in the middle.
        let room = (rows - heights[place.column]) as i32 * (NODE.1 + GAP.1) / 2;
        let across = MARGIN.0 + place.column as i32 * (NODE.0 + GAP.0);
        (across, MARGIN.1 + room + place.row as i32 * (NODE.1 + GAP.1))
    };
    let corners: Vec<_> = places.iter().map(corner).collect();
    let size = (
        2 * MARGIN.0 + columns as i32 * (NODE.0 + GAP.0) - GAP.0,
        2 * MARGIN.1 + rows as i32 * (NODE.1 + GAP.1) - GAP.1,
    );
    let most = flows.iter().map(|flow| flow.count).max().unwrap_or(1).max(1);
    let curves: Vec<_> = edges
        .iter()
        .zip(&ways)
        .map(|((from, to), way)| {
            let way: Vec<_> = way.iter().map(corner).collect();
            Curve::between(corners[*from], &way, corners[*to])
        })
        .collect();
    let texts = apart(&curves.iter().map(|curve| curve.text).collect::<Vec<_>>());
    // Not what was moved out of the picture.
    let height = texts.iter().map(|(_, y)| y + 10).fold(size.1, i32::max);
    let top = texts.iter().map(|(_, y)| y - 20).fold(0, i32::min);
    html! {
        p.hint.wide { "It is wider than this window: it can be moved sideways." }
        div.scroll tabindex="0" role="region" aria-label="Map" {
            svg.map viewBox={ "0 " (top) " " (size.0) " " (height - top) } width=(size.0) height=(height - top) aria-label="Map of who sent to whom" role="group" {
                defs {
                    @for (id, class) in [("arrow", "f-edge"), ("arrow-bad", "f-bad")] {
                        marker id=(id) viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto" {
                            path class=(class) d="M0 0L10 5L0 10z" {}
                        }
                    }
                }
                @for ((flow, curve), text) in flows.iter().zip(&curves).zip(&texts) { (edge(flow, curve, *text, most, loads, filter)) }
                @for (source, corner) in nodes.iter().zip(&corners) { (node(source, *corner, loads, filter)) }
            }
        }
    }
}

/// A line, and where its text is.
struct Curve {
    path: String,
    text: (i32, i32),
}

impl Curve {
    /// From the one node to the other by way of places that are free, all by their upper left corners.
    fn between(from: (i32, i32), way: &[(i32, i32)], to: (i32, i32)) -> Self {
        if from.0 >= to.0 {
            return Self::back(from, to);
        }
        let half = NODE.1 / 2;
        let (mut x, mut y) = (from.0 + NODE.0, from.1 + half);
        // In the middle of its first bend, which no other line has unless both begin and end alike.
        let first = way.first().map_or(to, |corner| *corner);
        let text = ((x + first.0) / 2, (y + first.1 + half) / 2 - 4);
        let mut path = format!("M{x} {y}");
        let end = (to.0 - 2, to.1 + half);
        for next in way.iter().map(|corner| (corner.0, corner.1 + half)).chain([end]) {
            let bend = (next.0 - x) / 2;
            path.push_str(&format!("C{} {y} {} {} {} {}", x + bend, next.0 - bend, next.1, next.0, next.1));
            if next != end {
                path.push_str(&format!("H{}", next.0 + NODE.0));
            }
            (x, y) = (next.0 + NODE.0, next.1);
        }
        Self { path, text }
    }

    /// Back, or to itself: around the upper side.
    fn back(from: (i32, i32), to: (i32, i32)) -> Self {
        let (x1, y1, x2, y2) = (from.0 + NODE.0 / 3, from.1, to.0 + NODE.0 * 2 / 3, to.1 - 2);
        let top = y1.min(y2) - 36;
        Self { path: format!("M{x1} {y1}C{x1} {top} {x2} {top} {x2} {y2}"), text: ((x1 + x2) / 2, top + 5) }
    }
}

fn edge(flow: &Flow, curve: &Curve, text: (i32, i32), most: u64, loads: &Loads, filter: &Filter) -> Markup {
    let is_bad = flow.errors > 0;
    let rare = flow.count.saturating_mul(100) < most;
    let (class, marker) = if is_bad { ("l-bad", "url(#arrow-bad)") } else { ("l-edge", "url(#arrow)") };
    let errors = if is_bad { format!(", {} with errors", count(flow.errors)) } else { String::new() };
    let width = 1.2 + 1.8 * (flow.count as f64 / most as f64).sqrt();
    html! {
        a href=(source_url(filter, &flow.to, is_bad)) {
            title { (flow.from) " to " (flow.to) ": " (count(flow.count)) " messages" (errors) ", " (loads.rate(flow.count)) }
            path class=(class) stroke-dasharray=[rare.then_some("4 4")] d=(curve.path) fill="none" stroke-width=(format!("{width:.1}")) marker-end=(marker) {}
            text.count x=(text.0) y=(text.1) text-anchor="middle" {
                (count(flow.count))
                @if is_bad { tspan.f-bad dx="5" { "(" (percent(flow.errors as f64 / flow.count as f64)) ")" } }
            }
        }
    }
}

fn node(source: &SourceFqn, (x, y): (i32, i32), loads: &Loads, filter: &Filter) -> Markup {
    let load = loads.of(source);
    let p95 = load.p95.map(|usec| format!(" · p95 {}", duration(usec as i64))).unwrap_or_default();
    let share = percent(load.error_share());
    let mut elements = source.elements();
    let (kind, name) = elements.next().map_or((String::new(), ""), |(kind, name)| (kind.to_string(), name));
    let beside = elements.next().map_or("", |(_, name)| name);
    html! {
        a href=(source_url(filter, source, false)) {
            title { (source) ": " (loads.rate(load.entities)) ", " (share) " of them errors" (p95) }
            rect class={ "node" @if load.errors > 0 { " bad" } } x=(x) y=(y) width=(NODE.0) height=(NODE.1) rx="6" {}
            text.name x=(x + NODE.0 / 2) y=(y + 20) text-anchor="middle" { (cut(name, 20)) }
            text.kind x=(x + NODE.0 / 2) y=(y + 36) text-anchor="middle" {
                (kind) @if !beside.is_empty() { " · " (cut(beside, 14)) }
            }
            text.load x=(x + NODE.0 / 2) y=(y + 53) text-anchor="middle" {
                (loads.rate(load.entities)) (p95)
                @if load.errors > 0 { tspan.f-bad dx="4" { "· " (share) } }
            }
        }
    }
}
