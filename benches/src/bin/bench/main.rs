//! One process for one row of one workload, so that a logger can be the process's own, and nothing is warm from the last.
//!
//!     bench list hot|wire
//!     bench hot ROW MODE [--calls N]           MODE: 1t kv 4t paced lat
//!     bench wire ROW [--port P] [--tcp-port P] [--events N] [--rate EVENTS_PER_S] [--suffix TEXT]
//!     bench encode [--batches N]
//!     bench growth [--scale F]
//!
//! `growth` prints a table, the others a line of JSON for each row.

mod delivers;
mod encode;
mod growth;
mod hot;
mod options;
#[cfg(feature = "peers")]
mod otel;
#[cfg(feature = "peers")]
mod sentry;
mod wire;

use options::Options;

fn main() {
    let options = Options::parse(std::env::args().skip(1));
    match options.words() {
        ["list", "hot"] => hot::rows().for_each(|row| println!("{}\t{}", row.name, row.about)),
        ["list", "wire"] => wire::rows().for_each(|row| println!("{}\t{}", row.name, row.about)),
        ["hot", row, mode] => hot::run(row, mode, options.get("calls").unwrap_or(1_000_000)),
        ["wire", row] => wire::run(row, &options),
        ["encode"] => encode::run(options.get("batches").unwrap_or(2_000)),
        ["growth"] => growth::run(options.get("scale").unwrap_or(1.0)),
        words => panic!("{words:?} is no workload; see the head of main.rs"),
    }
}
