//! Prints an answer as comma-separated values (RFC 4180).

use jkool_client::{QueryAnswer, QueryRow};
use jkool_collector::csv_field;

pub(super) fn write(answer: &QueryAnswer) -> String {
    let rows = answer.rows.iter().map(|row| self::row(answer, row));
    head(answer) + &rows.collect::<String>()
}

/// The names of the columns.
pub(super) fn head(answer: &QueryAnswer) -> String {
    line(answer.columns.iter().map(|column| column.name.clone()))
}

pub(super) fn row(answer: &QueryAnswer, row: &QueryRow) -> String {
    line(answer.columns.iter().map(|column| row.text(&column.name)))
}

fn line(fields: impl Iterator<Item = String>) -> String {
    let fields: Vec<String> = fields.map(csv_field).collect();
    fields.join(",") + "\r\n"
}
