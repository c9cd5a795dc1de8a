//! An answer as comma-separated values (RFC 4180).

use jkool_client::QueryAnswer;
use jkool_collector::csv_field;

pub(super) fn write(answer: &QueryAnswer) -> String {
    let mut text = String::new();
    let mut line = |fields: Vec<String>| {
        let fields: Vec<String> = fields.into_iter().map(csv_field).collect();
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    };
    line(answer.columns.iter().map(|column| column.name.clone()).collect());
    for row in &answer.rows {
        line(answer.columns.iter().map(|column| row.text(&column.name)).collect());
    }
    text
}
