//! One process for one row of one workload, so that a logger can be the process's own, and nothing is warm from the last.
//!
//!     bench list hot|wire
//!     bench hot|cores ROW MODE [--calls N]     MODE: kv paced lat, and for N threads Nt pacedN
//!     bench wire ROW [--port P] [--tcp-port P] [--events N] [--rate EVENTS_PER_S] [--suffix TEXT]
//!     bench encode [--batches N]
//!     bench growth [--scale F]
//!     bench parallelism
//!
//! `growth` prints a table, `parallelism` the number of cores, the others a line of JSON for each row.

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

use jkool_benches::machine::cores;
use options::Options;

fn main() {
    let options = Options::parse(std::env::args().skip(1));
    match options.words() {
        ["list", "hot"] => hot::rows().for_each(|row| println!("{}\t{}", row.name, row.about)),
        ["list", "wire"] => wire::rows().for_each(|row| println!("{}\t{}", row.name, row.about)),
        [workload @ ("hot" | "cores"), row, mode] => {
            hot::run(workload, row, mode, options.get("calls").unwrap_or(1_000_000));
        }
        ["wire", row] => wire::run(row, &options),
        ["encode"] => encode::run(options.get("batches").unwrap_or(2_000)),
        ["growth"] => growth::run(options.get("scale").unwrap_or(1.0)),
        ["parallelism"] => println!("{}", cores()),
        words => panic!("{words:?} is no workload; see the head of main.rs"),
    }
}
