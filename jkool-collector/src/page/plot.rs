//! Charts drawn by `plotters` as SVG that takes its colours from the style sheet, so that one picture fits both themes.

mod axis;
mod bars;
mod css_color;
mod histogram;
mod metric;
mod svg;
mod ticks;

pub(super) use bars::bars;
pub(super) use histogram::{histogram, width_of};
pub(super) use metric::metric;
