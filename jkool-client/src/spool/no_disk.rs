//! The disk on platforms without a spool: opening it always fails, so no other operation is called.

use super::disk::{Disk, Stat};
use std::io;
use std::path::Path;

pub(crate) struct NoDisk;

fn unsupported<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "the spool needs Unix"))
}

impl Disk for NoDisk {
    fn enter(&mut self, _: &Path, _: bool) -> io::Result<Stat> {
        unsupported()
    }
    fn create_dir(&self, _: &str) -> io::Result<()> {
        unsupported()
    }
    fn list(&self, _: &str) -> io::Result<Vec<String>> {
        unsupported()
    }
    fn stat(&self, _: &str) -> io::Result<Stat> {
        unsupported()
    }
    fn create(&self, _: &str, _: &[u8], _: bool) -> io::Result<()> {
        unsupported()
    }
    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        unsupported()
    }
    fn sync_dir(&self, _: &str) -> io::Result<()> {
        unsupported()
    }
    fn read(&self, _: &str, _: u64) -> io::Result<Vec<u8>> {
        unsupported()
    }
    fn write_at(&self, _: &str, _: u64, _: &[u8]) -> io::Result<()> {
        unsupported()
    }
    fn append(&self, _: &str, _: &[u8]) -> io::Result<()> {
        unsupported()
    }
    fn sync(&self, _: &str) -> io::Result<()> {
        unsupported()
    }
    fn remove(&self, _: &str) -> io::Result<()> {
        unsupported()
    }
    fn remove_dir(&self, _: &str) -> io::Result<()> {
        unsupported()
    }
    fn lock(&self, _: &str) -> io::Result<Option<Box<dyn Send>>> {
        unsupported()
    }
}
