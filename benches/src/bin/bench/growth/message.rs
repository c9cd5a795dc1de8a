//! Longer messages; always about the same number of bytes in all.

use super::{Calls, Cost, scaled, table};
use jkool_benches::jkool::{client, lossless};
use jkool_benches::null_transport::NullTransport;

const SIZES: [(&str, usize); 4] = [("100 B", 100), ("1 kB", 1_000), ("10 kB", 10_000), ("1 MB", 1_000_000)];

pub(super) fn run(scale: f64) {
    let case = |(to, size): (&str, usize)| (to.to_owned(), cost(size, scaled(200_000_000 / size as u64, scale)));
    table("bytes of the message", SIZES.into_iter().map(case));
}

fn cost(size: usize, events: u64) -> Cost {
    let client = lossless(client()).transport(NullTransport).build().expect("a client");
    let message: String = "order 123456 processed in 12 ms, ".chars().cycle().take(size).collect();
    Cost::of(&client, events, || {
        Calls::of(|| {
            for _ in 0..events {
                client.event("orders").message(message.clone()).emit();
            }
        })
    })
}
