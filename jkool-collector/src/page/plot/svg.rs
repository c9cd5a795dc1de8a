//! The canvas that a chart is drawn on, and what a browser gets of it.

use super::axis::Axis;
use super::css_color::CssColor;
use crate::store::Severities;
use jkool_model::{Severity, Timestamp};
use maud::{Markup, PreEscaped, html};
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::prelude::{Cartesian2d, SVGBackend};
use plotters::style::{IntoFont, RGBColor, ShapeStyle};
use std::io;

pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type DrawError = DrawingAreaErrorKind<io::Error>;
/// A chart with two axes.
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// A part of a picture that says something and leads somewhere.
#[derive(Debug)]
pub(super) struct LinkArea {
    pub(super) from: (i32, i32),
    pub(super) to: (i32, i32),
    pub(super) url: String,
    pub(super) title: String,
}

/// Draws an SVG picture that is called `label`.
pub(super) fn draw_svg(
    size: (u32, u32),
    label: &str,
    draw: impl FnOnce(&Canvas<'_>) -> Result<Vec<LinkArea>, DrawError>,
) -> Markup {
    let mut svg = String::new();
    let drawn = {
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&canvas).and_then(|areas| canvas.present().map(|()| areas))
    };
    match drawn {
        Ok(areas) => {
            let inner = svg.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>"));
            let inner = CssColor::resolve(inner.map_or("", |(inner, _)| inner));
            html! {
                div.scroll tabindex="0" role="region" aria-label=(label) {
                    svg.chart viewBox={ "0 0 " (size.0) " " (size.1) } role="group" aria-label=(label) {
                        (PreEscaped(inner))
                        @for area in areas {
                            // The table below the picture has the same links for the keyboard.
                            a href=(area.url) tabindex="-1" {
                                rect.spot x=(area.from.0) y=(area.from.1) width=(area.to.0 - area.from.0) height=(area.to.1 - area.from.1) {
                                    title { (area.title) }
                                }
                            }
                        }
                    }
                }
            }
        }
        Err(error) => html! { p.notice { "This chart can't be drawn: " (error) } },
    }
}

/// How much room there is for what is written left of a chart, and which lines help the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChartKind {
    OverTime,
    Names,
}

/// Two axes with what they are of, drawn.
pub(super) fn axes<'a, 'b>(
    canvas: &'a Canvas<'b>,
    kind: ChartKind,
    (x, x_is): (Axis, &str),
    (y, y_is): (Axis, &str),
) -> Result<Chart<'a, 'b>, DrawError> {
    let line = ShapeStyle { color: CssColor::GRID.color().into(), filled: false, stroke_width: 1 };
    let text = ("sans-serif", 15).into_font().color(&CssColor::TEXT.color());
    let (x_ticks, y_ticks) = (x.ticks(), y.ticks());
    let left = if kind == ChartKind::Names { 160 } else { 78 };
    let mut chart = ChartBuilder::on(canvas)
        .margin(6)
        .margin_right(30)
        .x_label_area_size(46)
        .y_label_area_size(left)
        .build_cartesian_2d(x, y)?;
    let mut mesh = chart.configure_mesh();
    match kind {
        ChartKind::OverTime => mesh.disable_x_mesh(),
        ChartKind::Names => mesh.disable_y_mesh(),
    };
    mesh.bold_line_style(line)
        .light_line_style(line)
        .axis_style(line)
        .label_style(text.clone())
        .axis_desc_style(text)
        .x_labels(x_ticks)
        .y_labels(y_ticks)
        .x_desc(x_is)
        .y_desc(y_is)
        .draw()?;
    Ok(chart)
}

/// Colour, beginning and end of each severity, one upon the other, the gravest first.
pub(super) fn stacked(severities: &Severities) -> impl Iterator<Item = (RGBColor, f64, f64)> {
    let mut below = 0;
    Severity::ALL.iter().rev().filter_map(move |severity| {
        let from = below;
        below += severities.of(*severity);
        (below > from).then_some((CssColor::of(*severity).color(), from as f64, below as f64))
    })
}

/// What an axis of time is of.
pub(super) fn time_from(usec: i64) -> String {
    let iso = Timestamp::from_usec(usec).to_string();
    format!("time (UTC), from {}", iso.get(..19).unwrap_or(&iso).replace('T', " "))
}
