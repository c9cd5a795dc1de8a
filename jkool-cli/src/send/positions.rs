//! Stores how far followed files were delivered, for the next start.

use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The position up to which a file was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) path: PathBuf,
    /// Device and inode: the file may have been renamed.
    pub(super) id: (u64, u64),
    pub(super) offset: u64,
    /// The number of lines up to there.
    pub(super) line: u64,
    /// The digest of the content up to there, in hexadecimal.
    pub(super) digest: String,
}

/// The file that stores the positions.
#[derive(Debug)]
pub(super) struct Positions {
    path: PathBuf,
    last: Vec<Position>,
    /// Locked until this process ends.
    #[cfg(unix)]
    _lock: nix::fcntl::Flock<File>,
}

impl Positions {
    /// Opens and locks the file.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        #[cfg(unix)]
        let lock = lock(&with(&path, ".lock"))?;
        let last = match fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            path,
            last,
            #[cfg(unix)]
            _lock: lock,
        })
    }

    pub(super) fn last(&self) -> &[Position] {
        &self.last
    }

    /// Writes the positions, if they have changed. If the process is killed here, the file still has the previous ones.
    pub(super) fn save(&mut self, positions: Vec<Position>) -> io::Result<()> {
        if positions == self.last {
            return Ok(());
        }
        let part = with(&self.path, ".part");
        let mut file = File::create(&part)?;
        file.write_all(&serde_json::to_vec(&positions).map_err(io::Error::other)?)?;
        file.sync_data()?;
        fs::rename(&part, &self.path)?;
        self.last = positions;
        Ok(())
    }
}

/// The default path.
pub(super) fn usual_path(env: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let set = |name| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_STATE_HOME").or_else(|| Some(set("HOME")?.join(".local/state")))?;
    Some(folder.join("jkool").join("positions.json"))
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[cfg(unix)]
fn lock(path: &Path) -> io::Result<nix::fcntl::Flock<File>> {
    use nix::fcntl::{Flock, FlockArg};
    Flock::lock(File::create(path)?, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
        nix::errno::Errno::EWOULDBLOCK => io::Error::new(io::ErrorKind::ResourceBusy, "another process uses it"),
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::usual_path;
    use std::path::PathBuf;

    #[test]
    fn the_usual_place_is_that_of_the_desktop_standard() {
        let path =
            |state: &str, home: &str| usual_path(|name| Some(if name == "HOME" { home.into() } else { state.into() }));
        assert_eq!(path("/s", "/h"), Some(PathBuf::from("/s/jkool/positions.json")));
        assert_eq!(path("", "/h"), Some(PathBuf::from("/h/.local/state/jkool/positions.json")));
        assert_eq!(path("", ""), None);
    }
}
