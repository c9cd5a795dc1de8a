//! Charts as SVG. The picture stretches to the available width and the texts next to it do not, so that charts fit
//! every width. The colours come from the style sheet, so that a picture fits both themes.

mod axis;
mod bars;
mod color;
mod frame;
mod heat;
mod log_axis;
mod number;
mod over_time;
mod pie;
mod ticks;
mod unit;

pub(super) use bars::{Bar, Part, bars};
pub(super) use color::{legend, of_series, of_severity};
pub(super) use frame::{frame, share};
pub(super) use heat::{HeatRow, heat};
pub(super) use log_axis::LogAxis;
pub(super) use number::{Trend, number};
pub(super) use over_time::{Mark, OverTime, Series};
pub(super) use pie::{Slice, pie};
pub(super) use unit::Unit;
