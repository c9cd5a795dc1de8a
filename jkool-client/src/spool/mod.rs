//! The spool: events that cannot be delivered now wait in a folder, and survive the process.
//!
//! `segment.rs` is the file format, pure; `store.rs` manages the segments of this process, `adopt.rs` takes over those of
//! processes that have ended; `disk.rs` is the interface to a disk, and `unix.rs` and `windows.rs` are real ones. A spool
//! file is written once under a temporary name, and renamed; nothing counts as written before that. Whatever is truncated,
//! flipped or doubled later, the rest is still delivered.

mod adopt;
mod dead_letters;
pub(crate) mod disk;
pub(crate) mod disks;
pub(crate) mod error;
mod expire;
#[cfg(test)]
pub(crate) mod fake_disk;
mod line;
mod segment;
pub(crate) mod settings;
pub(crate) mod spooler;
pub(crate) mod store;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
