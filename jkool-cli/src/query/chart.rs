//! Prints an answer as a chart of characters.

use super::table::cell;
use crate::out::escape;
use console::{Alignment, measure_text_width, pad_str};
use jkool_client::{QueryAnswer, QueryColumn, QueryColumnType, QueryRow};
use jkool_collector::Zone;
use std::collections::BTreeMap;

/// Eighths of a cell, upwards and to the right.
const UP: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const RIGHT: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Draws the chart that `show` names; `None` if a table is better: without a figure, or without a group.
pub(super) fn draw(show: &str, answer: &QueryAnswer, zone: &Zone, width: usize) -> Option<String> {
    let figure = answer.columns.iter().rposition(is_figure)?;
    let (groups, figures) = answer.columns.split_at(figure.min(first_figure(&answer.columns)));
    let figure = figures.first()?;
    let over_time = groups.first().is_some_and(|column| column.column_type == QueryColumnType::Timestamp);
    match show {
        "linechart" | "areachart" if over_time => Some(lines(answer, groups, figure, zone, width)),
        "barchart" | "piechart" if !groups.is_empty() => {
            Some(bars(answer, groups, figure, zone, width, show == "piechart"))
        }
        "number" => answer.rows.first().map(|row| format!("{}\n", cell(row, figure, zone))),
        _ => None,
    }
}

fn is_figure(column: &QueryColumn) -> bool {
    matches!(column.column_type, QueryColumnType::Integer | QueryColumnType::Decimal)
}

/// Groups by a number come before the figures, which are recognized by their names.
fn first_figure(columns: &[QueryColumn]) -> usize {
    columns.iter().position(|column| column.name == "NumberOf" || column.name.ends_with(')')).unwrap_or(columns.len())
}

fn value(row: &QueryRow, figure: &QueryColumn) -> f64 {
    row.get::<Option<f64>>(&figure.name).ok().flatten().unwrap_or_default()
}

fn label(row: &QueryRow, groups: &[QueryColumn], zone: &Zone) -> String {
    groups.iter().map(|group| cell(row, group, zone)).collect::<Vec<_>>().join(" ")
}

/// A bar for each group; for a pie also its share.
fn bars(
    answer: &QueryAnswer,
    groups: &[QueryColumn],
    figure: &QueryColumn,
    zone: &Zone,
    width: usize,
    share: bool,
) -> String {
    let rows: Vec<(String, f64, String)> =
        answer.rows.iter().map(|row| (label(row, groups, zone), value(row, figure), cell(row, figure, zone))).collect();
    let most = rows.iter().map(|(_, value, _)| *value).fold(0.0, f64::max);
    let sum: f64 = rows.iter().map(|(_, value, _)| *value).sum();
    let widest =
        |of: fn(&(String, f64, String)) -> &str| rows.iter().map(|row| measure_text_width(of(row))).max().unwrap_or(0);
    let (labels, numbers) = (widest(|row| &row.0).min(width / 3), widest(|row| &row.2));
    let room = width.saturating_sub(labels + numbers + 4 + if share { 9 } else { 0 }).max(4);
    let mut text = String::new();
    for (label, value, number) in &rows {
        let label = pad_str(label, labels, Alignment::Left, Some("…"));
        let number = pad_str(number, numbers, Alignment::Right, None);
        let share = if share && sum > 0.0 { format!("  {:5.1} %", value / sum * 100.0) } else { String::new() };
        text.push_str(format!("{label}  {number}{share}  {}", bar(*value / most, room)).trim_end());
        text.push('\n');
    }
    text
}

/// A bar that fills this part of `room`.
fn bar(part: f64, room: usize) -> String {
    if !part.is_finite() || part <= 0.0 {
        return String::new();
    }
    let eighths = ((part * room as f64 * 8.0).round() as usize).clamp(1, room * 8);
    let last = (eighths % 8).checked_sub(1).and_then(|eighth| RIGHT.get(eighth));
    "█".repeat(eighths / 8) + &last.map(char::to_string).unwrap_or_default()
}

/// A line for each group, over time, with a character for each interval; intervals share one if there are too many.
fn lines(answer: &QueryAnswer, groups: &[QueryColumn], figure: &QueryColumn, zone: &Zone, width: usize) -> String {
    let Some((time, groups)) = groups.split_first() else { return String::new() };
    let mut series: BTreeMap<String, BTreeMap<i64, f64>> = BTreeMap::new();
    for row in &answer.rows {
        let Ok(at) = row.get::<i64>(&time.name) else { continue };
        let label = if groups.is_empty() { escape(&figure.name).into_owned() } else { label(row, groups, zone) };
        series.entry(label).or_default().insert(at, value(row, figure));
    }
    let times: Vec<i64> = series.values().flat_map(|points| points.keys().copied()).collect();
    let (Some(first), Some(last)) = (times.iter().min().copied(), times.iter().max().copied()) else {
        return String::new();
    };
    let labels = series.keys().map(|label| measure_text_width(label)).max().unwrap_or(0).min(width / 3);
    let most = series.values().flat_map(BTreeMap::values).copied().fold(0.0, f64::max);
    let number = |value: f64| if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.3}") };
    let room = width.saturating_sub(labels + 2 + number(most).len() + 6).max(4);
    // An interval is the least distance between two times.
    let mut sorted = times;
    sorted.sort_unstable();
    sorted.dedup();
    let step = sorted.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(1).max(1);
    let stretches = usize::try_from((last - first) / step).unwrap_or(usize::MAX - 1) + 1;
    let cells = stretches.min(room);
    let mut text = String::new();
    for (label, points) in &series {
        let mut line = vec![0.0_f64; cells];
        for (at, value) in points {
            let index = usize::try_from((at - first) / step).unwrap_or_default();
            // The maximum of the intervals that share a character.
            if let Some(cell) = line.get_mut((index as f64 / stretches as f64 * cells as f64) as usize) {
                *cell = cell.max(*value);
            }
        }
        let sign = |value: &f64| match *value {
            value if value <= 0.0 || most <= 0.0 => ' ',
            value => UP.get(((value / most * 8.0).ceil() as usize).clamp(1, 8) - 1).copied().unwrap_or('█'),
        };
        let line: String = line.iter().map(sign).collect();
        let greatest = points.values().copied().fold(0.0, f64::max);
        let label = pad_str(label, labels, Alignment::Left, Some("…"));
        text.push_str(&format!("{label}  {line}  ≤ {}\n", number(greatest)));
    }
    text.push_str(&format!("{:labels$}  {} … {}\n", "", zone.show(first), zone.show(last)));
    text
}
