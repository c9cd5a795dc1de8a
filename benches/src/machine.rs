//! What the machine has.

use std::thread::available_parallelism;

/// How many cores this process may use: fewer than there are under an affinity or a container's quota.
pub fn cores() -> u64 {
    available_parallelism().expect("a count of cores").get() as u64
}
