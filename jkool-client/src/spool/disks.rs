//! The disk of this platform.

use super::disk::Disk;

/// Returns a factory for the disk of this machine, which is called for each try to open a spool.
pub(crate) fn disks() -> Box<dyn Fn() -> Box<dyn Disk> + Send> {
    #[cfg(unix)]
    return Box::new(|| Box::new(super::unix::Unix::default()));
    #[cfg(not(unix))]
    return Box::new(|| Box::new(super::no_disk::NoDisk));
}
