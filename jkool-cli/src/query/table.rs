//! Prints an answer as a table.

use crate::out::escape;
use console::{measure_text_width, pad_str};
use jkool_client::{QueryAnswer, QueryColumn, QueryColumnType, QueryRow};
use jkool_collector::Zone;

/// Between columns.
const GAP: usize = 2;
/// The minimum width of a column.
const NARROWEST: usize = 6;

/// Prints each row as a line. If they do not fit into `width`, the widest columns are cut.
pub(super) fn write(answer: &QueryAnswer, zone: &Zone, width: Option<usize>) -> String {
    let columns = &answer.columns;
    let cells: Vec<Vec<String>> =
        answer.rows.iter().map(|row| columns.iter().map(|column| cell(row, column, zone)).collect()).collect();
    let heads: Vec<String> = columns.iter().map(|column| escape(&column.name).into_owned()).collect();
    let natural = (0..columns.len()).map(|at| {
        let of = |row: &Vec<String>| row.get(at).map_or(0, |cell| measure_text_width(cell));
        cells.iter().chain([&heads]).map(of).max().unwrap_or_default()
    });
    let widths = fitting(natural.collect(), width);
    let mut text = String::new();
    for row in [&heads].into_iter().chain(&cells) {
        let mut line = String::new();
        for ((cell, width), column) in row.iter().zip(&widths).zip(columns) {
            let is_number = matches!(column.column_type, QueryColumnType::Integer | QueryColumnType::Decimal);
            let side = if is_number { console::Alignment::Right } else { console::Alignment::Left };
            line.push_str(&pad_str(cell, *width, side, Some("…")));
            line.push_str(&" ".repeat(GAP));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Formats a value for people: one line, without control characters.
pub(super) fn cell(row: &QueryRow, column: &QueryColumn, zone: &Zone) -> String {
    let time = || row.get::<i64>(&column.name).ok().map(|usec| zone.show(usec));
    let is_time = column.column_type == QueryColumnType::Timestamp;
    let text = if is_time { time() } else { None };
    let text = text.unwrap_or_else(|| match row.get::<f64>(&column.name) {
        // An average has too many digits.
        Ok(number) if column.column_type == QueryColumnType::Decimal && number.fract() != 0.0 => format!("{number:.3}"),
        _ => row.text(&column.name),
    });
    escape(&text).into_owned()
}

/// Narrows the widest columns, as long as they are wider than the minimum.
fn fitting(mut widths: Vec<usize>, width: Option<usize>) -> Vec<usize> {
    let Some(width) = width else { return widths };
    let gaps = widths.len().saturating_sub(1) * GAP;
    while widths.iter().sum::<usize>() + gaps > width {
        match widths.iter_mut().max().filter(|widest| **widest > NARROWEST) {
            Some(widest) => *widest -= 1,
            None => break,
        }
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn the_widest_columns_give_way() {
        assert_eq!(fitting(vec![5, 40, 10], None), [5, 40, 10]);
        assert_eq!(fitting(vec![5, 40, 10], Some(80)), [5, 40, 10]);
        assert_eq!(fitting(vec![5, 40, 10], Some(40)), [5, 21, 10]);
        assert_eq!(fitting(vec![5, 40, 40], Some(29)), [5, 10, 10]);
        assert_eq!(fitting(vec![5, 40, 40], Some(3)), [5, 6, 6]);
    }
}
