//! Rolled files: their names, how many are kept, and their compression.

use super::writer::error;
use crate::error::TransportError;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

pub(super) struct Rolled {
    /// The path of the current file.
    path: PathBuf,
    keep: Option<usize>,
    gzip: bool,
    /// Held while files are compressed and deleted.
    tidying: Mutex<()>,
}

impl Rolled {
    pub(super) fn new(path: PathBuf, keep: Option<usize>, gzip: bool) -> Self {
        Self { path, keep, gzip, tidying: Mutex::new(()) }
    }

    /// Renames the current file to the next number.
    pub(super) fn roll(&self) -> io::Result<()> {
        let last = self.list()?.last().map_or(0, |(number, _)| *number);
        fs::rename(&self.path, self.path.with_file_name(self.name(last + 1)))
    }

    /// Compresses rolled files, and deletes the oldest ones beyond the limit.
    pub(super) fn tidy(&self) -> Result<(), TransportError> {
        let _one_at_a_time = self.tidying.lock().unwrap_or_else(PoisonError::into_inner);
        self.delete_oldest().and_then(|()| self.compress_all()).map_err(|cause| {
            error(format!("{}: rolled files cannot be removed or renamed: {cause}", self.path.display()))
                .with_source(cause)
        })
    }

    fn delete_oldest(&self) -> io::Result<()> {
        let Some(keep) = self.keep else { return Ok(()) };
        let rolled = self.list()?;
        let surplus = rolled.len().saturating_sub(keep);
        rolled[..surplus].iter().try_for_each(|(_, path)| fs::remove_file(path))
    }

    fn compress_all(&self) -> io::Result<()> {
        if !self.gzip {
            return Ok(());
        }
        let plain = self.list()?.into_iter().filter(|(_, path)| path.extension().is_none_or(|end| end != "gz"));
        plain.into_iter().try_for_each(|(_, path)| compress(&path))
    }

    /// All rolled files, oldest first.
    fn list(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if let Some(number) = entry.file_name().to_str().and_then(|name| self.number(name)) {
                found.push((number, entry.path()));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Splits `events.jsonl` into `events.` and `.jsonl`, between which the number stands.
    fn parts(&self) -> (String, String) {
        let text = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).unwrap_or_default().to_owned();
        let end = text(self.path.extension());
        (text(self.path.file_stem()) + ".", if end.is_empty() { end } else { format!(".{end}") })
    }

    fn name(&self, number: u64) -> String {
        let (start, end) = self.parts();
        format!("{start}{number:06}{end}")
    }

    fn number(&self, name: &str) -> Option<u64> {
        let (start, end) = self.parts();
        let name = name.strip_suffix(".gz").unwrap_or(name);
        let number = name.strip_prefix(&*start)?.strip_suffix(&*end)?;
        (number.len() >= 6 && number.bytes().all(|byte| byte.is_ascii_digit())).then(|| number.parse().ok())?
    }
}

/// If the process is killed here, the file is left as it was, or with an incomplete compressed copy, which the next attempt
/// replaces.
#[cfg(feature = "file-gzip")]
fn compress(path: &Path) -> io::Result<()> {
    let with = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let part = with(".gz.part");
    let mut to = flate2::write::GzEncoder::new(fs::File::create(&part)?, flate2::Compression::default());
    io::copy(&mut fs::File::open(path)?, &mut to)?;
    to.finish()?.sync_all()?;
    fs::rename(&part, with(".gz"))?;
    fs::remove_file(path)
}

#[cfg(not(feature = "file-gzip"))]
fn compress(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Rolled;

    #[test]
    fn a_number_stands_before_the_extension() {
        for (path, name) in
            [("/x/events.jsonl", "events.000012.jsonl"), ("log", "log.000012"), ("a.b.c", "a.b.000012.c")]
        {
            let rolled = Rolled::new(path.into(), None, false);
            assert_eq!(rolled.name(12), name);
            assert_eq!(rolled.number(name), Some(12));
            assert_eq!(rolled.number(&format!("{name}.gz")), Some(12));
            assert_eq!(rolled.number(&format!("{name}.gz.part")), None);
        }
        let rolled = Rolled::new("events.jsonl".into(), None, false);
        for name in ["events.jsonl", "events.12.jsonl", "events.00001x.jsonl", "other.000001.jsonl"] {
            assert_eq!(rolled.number(name), None, "{name}");
        }
        assert_eq!(rolled.number(&rolled.name(12_345_678)), Some(12_345_678));
    }
}
