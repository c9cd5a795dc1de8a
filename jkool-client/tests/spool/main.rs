//! The client with a disk: what goes to the spool and what comes back from it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../common/child.rs"]
mod child;
#[path = "../common/mod.rs"]
mod common;
#[cfg(all(target_os = "linux", feature = "http"))]
#[path = "../common/faults.rs"]
mod faults;
#[cfg(all(target_os = "linux", feature = "http"))]
#[path = "../common/spooled.rs"]
mod spooled;
#[path = "../common/spools.rs"]
mod spools;
#[path = "../common/transports.rs"]
mod transports;

mod age;
mod disk;
mod durable;
mod folder;
mod lane;
mod restart;
mod token;
