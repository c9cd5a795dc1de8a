//! The disk of this platform.

use super::disk::Disk;

/// Returns a factory for the disk of this machine, which is called for each try to open a spool.
pub(crate) fn disks() -> Box<dyn Fn() -> Box<dyn Disk> + Send> {
    #[cfg(unix)]
    return Box::new(|| Box::new(super::unix::Unix::default()));
    #[cfg(windows)]
    return Box::new(|| Box::new(super::windows::Windows::default()));
}
