//! The sheet that a chart is drawn on, and what a browser gets of it.

use super::axis::Axis;
use super::ink::Ink;
use crate::Severities;
use jkool_model::{Severity, Timestamp};
use maud::{Markup, PreEscaped, html};
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::prelude::{Cartesian2d, SVGBackend};
use plotters::style::{IntoFont, RGBColor, ShapeStyle};
use std::io;

pub(super) type Sheet<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Fault = DrawingAreaErrorKind<io::Error>;
/// A chart with two axes.
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// A part of a picture that says something and leads somewhere.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) from: (i32, i32),
    pub(super) to: (i32, i32),
    pub(super) url: String,
    pub(super) title: String,
}

/// Draws a picture that is called `label`.
pub(super) fn picture(
    size: (u32, u32),
    label: &str,
    draw: impl FnOnce(&Sheet<'_>) -> Result<Vec<Spot>, Fault>,
) -> Markup {
    let mut svg = String::new();
    let drawn = {
        let sheet = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&sheet).and_then(|spots| sheet.present().map(|()| spots))
    };
    match drawn {
        Ok(spots) => {
            let inner = svg.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</svg>"));
            let inner = Ink::resolve(inner.map_or("", |(inner, _)| inner));
            html! {
                div.scroll {
                    svg.chart viewBox={ "0 0 " (size.0) " " (size.1) } role="img" aria-label=(label) {
                        (PreEscaped(inner))
                        @for spot in spots {
                            // The table below the picture has the same links for the keyboard.
                            a href=(spot.url) tabindex="-1" {
                                rect.spot x=(spot.from.0) y=(spot.from.1) width=(spot.to.0 - spot.from.0) height=(spot.to.1 - spot.from.1) {
                                    title { (spot.title) }
                                }
                            }
                        }
                    }
                }
            }
        }
        Err(fault) => html! { p.notice { "This chart can't be drawn: " (fault) } },
    }
}

/// How much room there is for what is written left of a chart, and which lines help the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    OverTime,
    Names,
}

/// Two axes with what they are of, drawn.
pub(super) fn axes<'a, 'b>(
    sheet: &'a Sheet<'b>,
    kind: Kind,
    (x, x_is): (Axis, &str),
    (y, y_is): (Axis, &str),
) -> Result<Chart<'a, 'b>, Fault> {
    let line = ShapeStyle { color: Ink::GRID.color().into(), filled: false, stroke_width: 1 };
    let text = ("sans-serif", 15).into_font().color(&Ink::TEXT.color());
    let (x_marks, y_marks) = (x.marks(), y.marks());
    let left = if kind == Kind::Names { 160 } else { 78 };
    let mut chart = ChartBuilder::on(sheet)
        .margin(6)
        .margin_right(30)
        .x_label_area_size(46)
        .y_label_area_size(left)
        .build_cartesian_2d(x, y)?;
    let mut mesh = chart.configure_mesh();
    match kind {
        Kind::OverTime => mesh.disable_x_mesh(),
        Kind::Names => mesh.disable_y_mesh(),
    };
    mesh.bold_line_style(line)
        .light_line_style(line)
        .axis_style(line)
        .label_style(text.clone())
        .axis_desc_style(text)
        .x_labels(x_marks)
        .y_labels(y_marks)
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
        (below > from).then_some((Ink::of(*severity).color(), from as f64, below as f64))
    })
}

/// What an axis of time is of.
pub(super) fn time_from(usec: i64) -> String {
    let iso = Timestamp::from_usec(usec).to_string();
    format!("time (UTC), from {}", iso.get(..19).unwrap_or(&iso).replace('T', " "))
}
