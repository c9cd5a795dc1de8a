//! What SQLite does with the same events when nobody wants to find anything: their JSON and their time, with an index.

use crate::events::Data;
use crate::ingest::Row;
use jkool_benches::event::now_us;
use rusqlite::{Connection, params};
use std::path::Path;

/// Prints its row, and says how many a second it stored.
pub(crate) fn run(events: u64, folder: &Path) -> f64 {
    let file = folder.join("limit.db");
    let mut connection = Connection::open(&file).expect("a database");
    connection.pragma_update(None, "page_size", 8_192).expect("a setting");
    connection.pragma_update(None, "journal_mode", "WAL").expect("a setting");
    connection.pragma_update(None, "synchronous", "FULL").expect("a setting");
    let table =
        "CREATE TABLE event (id INTEGER PRIMARY KEY, time INTEGER, json BLOB); CREATE INDEX time ON event (time);";
    connection.execute_batch(table).expect("a table");
    let (row, now) = (Row::start("limit:sqlite, 512 a transaction"), now_us());
    let mut json = Vec::new();
    for first in (0..events).step_by(512) {
        let transaction = connection.transaction().expect("a transaction");
        {
            let insert = "INSERT INTO event (time, json) VALUES (?1, ?2)";
            let mut insert = transaction.prepare_cached(insert).expect("a statement");
            for i in first..(first + 512).min(events) {
                json.clear();
                let event = Data::Demo.event(i, events, now);
                event.append_json(&mut json);
                insert.execute(params![event.time.expect("a time").as_usec(), json]).expect("an insert");
            }
        }
        transaction.commit().expect("a commit");
    }
    row.end(events, Some(&file), None)
}
