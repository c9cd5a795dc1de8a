//! The collector: how many events a second it stores durably, and how long its questions take once there are many.
//!
//!     collector [EVENTS]      1,000,000 unless said otherwise
//!
//! Prints tables in markdown. Sender and collector are one process, on the cores that there are.

mod ask;
mod events;
mod ingest;

fn main() {
    let events = std::env::args().nth(1).map_or(1_000_000, |events| events.parse().expect("a number of events"));
    let folder = std::env::temp_dir().join(format!("jkool-collector-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let store = ingest::run(events, &folder);
    ask::run(&store);
    drop(store);
    std::fs::remove_dir_all(&folder).expect("the folder of ours");
}
