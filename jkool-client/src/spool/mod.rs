//! The spool: what can't be delivered now waits in a folder, and outlives the process.
//!
//! `segment.rs` is the format, pure; `store.rs` keeps the segments of this process, `adopt.rs` takes over those of dead ones;
//! `disk.rs` is all that they ask of a disk, `unix.rs` a real one. A file of the spool is written once, aside, and renamed;
//! nothing counts as written before that, and whatever is cut off, flipped or doubled later, the rest is still delivered.

mod adopt;
mod dead_letters;
pub(crate) mod disk;
pub(crate) mod disks;
pub(crate) mod error;
mod expire;
#[cfg(test)]
pub(crate) mod fake_disk;
mod line;
#[cfg(not(unix))]
mod no_disk;
mod segment;
pub(crate) mod settings;
pub(crate) mod spooler;
pub(crate) mod store;
#[cfg(unix)]
mod unix;
