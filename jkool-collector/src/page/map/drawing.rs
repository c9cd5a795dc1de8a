//! Draws the map in two ways; the style sheet shows the one that fits the window.

use super::geometry::{Curve, Direction, Picture};
use super::labels::Area;
use super::layout::layout;
use super::{Loads, per_minute, percent, source_url};
use crate::filter::Filter;
use crate::page::format::{count, cut, duration};
use crate::store::Flow;
use jkool_model::SourceFqn;
use maud::{Markup, html};
use std::collections::HashMap;

/// Returns the CSS class for a picture of this width in pixels, which the style sheet uses to select by window width.
fn width_class(width: i32) -> Option<&'static str> {
    match width {
        ..=340 => None,
        341..=500 => Some("over-340"),
        501..=660 => Some("over-500"),
        661..=900 => Some("over-660"),
        901..=1220 => Some("over-900"),
        _ => Some("over-1220"),
    }
}

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
    let layout = layout(nodes.len(), &edges);
    let lines: Vec<_> = flows.iter().zip(edges.iter().copied()).collect();
    html! {
        @for direction in [Direction::Across, Direction::Down] {
            (picture(&Picture::new(&layout, &edges, direction), direction, &lines, &nodes, loads, filter))
        }
    }
}

fn picture(
    picture: &Picture,
    direction: Direction,
    lines: &[(&Flow, (usize, usize))],
    nodes: &[&SourceFqn],
    loads: &Loads,
    filter: &Filter,
) -> Markup {
    let (name, letters) = match direction {
        Direction::Across => ("across", 20),
        Direction::Down => ("down", 16),
    };
    let (top, (width, height)) = (picture.top, picture.size);
    let most = lines.iter().map(|(flow, _)| flow.count).max().unwrap_or(1).max(1);
    html! {
        div class={ "way " (name) } {
            @if let Some(class) = width_class(width) {
                p class={ "hint wide " (class) } { "The map is wider than this window: scroll it sideways." }
            }
            div.scroll tabindex="0" role="region" aria-label="Map" {
                svg.map viewBox={ "0 " (top) " " (width) " " (height) } width=(width) height=(height) aria-label="Map of who sent to whom" role="group" {
                    defs {
                        @for (kind, class) in [("", "f-edge"), ("-bad", "f-bad")] {
                            marker id={ (name) (kind) } viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto" {
                                path class=(class) d="M0 0L10 5L0 10z" {}
                            }
                        }
                    }
                    @for ((flow, ends), curve) in lines.iter().zip(&picture.curves) { (edge(flow, *ends, curve, name, most, filter)) }
                    // Drawn above all lines.
                    @for ((flow, ends), curve) in lines.iter().zip(&picture.curves) { (figures(flow, *ends, curve.figures)) }
                    @for (number, (source, area)) in nodes.iter().zip(&picture.nodes).enumerate() { (node(source, number, *area, letters, loads, filter)) }
                }
            }
        }
    }
}

fn edge(flow: &Flow, ends: (usize, usize), curve: &Curve, marker: &str, most: u64, filter: &Filter) -> Markup {
    let is_bad = flow.errors > 0;
    let rare = flow.count.saturating_mul(100) < most;
    let (class, kind) = if is_bad { ("l-bad", "-bad") } else { ("l-edge", "") };
    let errors = if is_bad { format!(", {} with errors", count(flow.errors)) } else { String::new() };
    let width = 1.2 + 1.8 * (flow.count as f64 / most as f64).sqrt();
    html! {
        a.edge href=(source_url(filter, &flow.to, is_bad)) data-from=(ends.0) data-to=(ends.1) {
            title {
                (flow.from) " to " (flow.to) ": " (count(flow.count)) " messages" (errors) ", " (per_minute(flow.per_minute))
                ", 95 % came within " (duration(flow.transit_p95_usec))
            }
            path class=(class) stroke-dasharray=[rare.then_some("4 4")] d=(curve.path) fill="none" stroke-width=(format!("{width:.1}")) marker-end={ "url(#" (marker) (kind) ")" } {}
        }
    }
}

fn figures(flow: &Flow, ends: (usize, usize), area: Area) -> Markup {
    let middle = area.corner.0 + area.size.0 / 2;
    html! {
        text.count x=(middle) y=(area.corner.1 + 11) text-anchor="middle" data-from=(ends.0) data-to=(ends.1) {
            (per_minute(flow.per_minute))
            @if flow.errors > 0 { tspan.f-bad dx="5" { (percent(flow.errors as f64 / flow.count as f64)) } }
        }
        text.count.p95 x=(middle) y=(area.corner.1 + 32) text-anchor="middle" data-from=(ends.0) data-to=(ends.1) { "p95 " (duration(flow.transit_p95_usec)) }
    }
}

fn node(source: &SourceFqn, number: usize, area: Area, letters: usize, loads: &Loads, filter: &Filter) -> Markup {
    let load = loads.of(source);
    let figures = load.map_or_else(String::new, |load| {
        let p95 = load.p95.map(|usec| format!(" · p95 {}", duration(usec as i64))).unwrap_or_default();
        format!("{}{p95}", loads.rate(load))
    });
    let errors = load.filter(|load| load.errors > 0).map(|load| format!(" · {} errors", percent(load.error_share())));
    let mut elements = source.elements();
    let (kind, name) = elements.next().map_or((String::new(), ""), |(kind, name)| (kind.to_string(), name));
    let beside = elements.next().map_or("", |(_, name)| name);
    let Area { corner: (x, y), size: (width, height) } = area;
    let middle = x + width / 2;
    html! {
        a href=(source_url(filter, source, false)) data-node=(number) {
            title { (source) ": " (figures) (errors.as_deref().unwrap_or_default()) }
            rect class={ "node" @if errors.is_some() { " bad" } } x=(x) y=(y) width=(width) height=(height) rx="6" {}
            text.name x=(middle) y=(y + 20) text-anchor="middle" { (cut(name, letters)) }
            text.kind x=(middle) y=(y + 36) text-anchor="middle" {
                (kind)
                @if let Some(errors) = &errors { tspan.f-bad { (errors) } } @else if !beside.is_empty() { " · " (cut(beside, 14)) }
            }
            text.load x=(middle) y=(y + 53) text-anchor="middle" { (figures) }
            @if let Some(load) = load { (spark(&load.trend, area)) }
        }
    }
}

/// The trend of a source, at the bottom of its node.
fn spark(trend: &[u64], node: Area) -> Markup {
    const HIGH: f64 = 12.0;
    let [_, .., _] = trend else { return html! {} };
    let most = trend.iter().copied().max().unwrap_or_default().max(1) as f64;
    let (left, bottom) = (f64::from(node.corner.0 + 12), f64::from(node.bottom() - 7));
    let step = f64::from(node.size.0 - 24) / (trend.len() - 1) as f64;
    let path = trend.iter().enumerate().fold(String::new(), |mut path, (index, count)| {
        let (x, y) = (left + step * index as f64, bottom - *count as f64 / most * HIGH);
        path.push_str(&format!("{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' }));
        path
    });
    html! { path.trend d=(path) {} }
}
