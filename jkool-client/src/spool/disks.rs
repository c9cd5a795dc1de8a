//! Which disk it is.

use super::disk::Disk;

/// Makes the disk of this machine, anew for each try to open a spool on it.
pub(crate) fn disks() -> Box<dyn Fn() -> Box<dyn Disk> + Send> {
    #[cfg(unix)]
    return Box::new(|| Box::new(super::unix::Unix::default()));
    #[cfg(not(unix))]
    return Box::new(|| Box::new(super::no_disk::NoDisk));
}
