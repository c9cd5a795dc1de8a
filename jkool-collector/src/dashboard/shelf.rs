//! The dashboards of a collector, in one small file in the store's folder. They are not entities: they change, do not
//! expire, and exist with every kind of store, so they are not in the journal.

use super::{Dashboard, DashboardError, builtin};
use crate::store::{StoreError, aside};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name of the file.
const FILE: &str = "dashboards.json";
/// The maximum number of saved dashboards.
const MOST: usize = 200;

/// All dashboards.
#[derive(Debug)]
pub(crate) struct Dashboards {
    /// The path of the file; without it, dashboards are lost at the end of the process, like a store in memory.
    path: Option<PathBuf>,
    saved: Mutex<BTreeMap<String, Dashboard>>,
}

/// What a dashboard may replace.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Replaces {
    /// Any dashboard with its name.
    Anything,
    /// Nothing: there must be none with its name.
    Nothing,
    /// The dashboard with this version.
    Version(u32),
}

/// A dashboard in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) title: String,
    /// Whether it is built in and not replaced.
    pub(crate) is_built_in: bool,
}

impl Dashboards {
    /// Reads the dashboards in the store's folder. A damaged file is renamed, and reported.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub(crate) fn open(folder: Option<&Path>) -> Result<(Self, Option<String>), StoreError> {
        let path = folder.map(|folder| folder.join(FILE));
        let mut notice = None;
        let mut saved = BTreeMap::new();
        if let Some(path) = path.as_ref().filter(|path| path.exists()) {
            let json = fs::read(path).map_err(|error| StoreError::io(&error).at(path))?;
            match serde_json::from_slice(&json) {
                Ok(read) => saved = read,
                Err(error) => {
                    let to = aside(path);
                    fs::rename(path, &to).map_err(|error| StoreError::io(&error).at(path))?;
                    notice = Some(format!("{}: damaged, and renamed to {}: {error}", path.display(), to.display()));
                }
            }
        }
        Ok((Self { path, saved: Mutex::new(saved) }, notice))
    }

    /// Lists them, by name.
    pub(crate) fn list(&self) -> Vec<Named> {
        let saved = self.lock();
        let named = |name: &str, dashboard: &Dashboard, is_built_in| Named {
            name: name.to_owned(),
            title: dashboard.title.clone(),
            is_built_in,
        };
        let built_in = builtin::all().map(|(name, dashboard)| match saved.get(name) {
            Some(saved) => named(name, saved, false),
            None => named(name, &dashboard, true),
        });
        let mut all: Vec<Named> = built_in.collect();
        let own = saved.iter().filter(|(name, _)| !builtin::is_one(name));
        all.extend(own.map(|(name, dashboard)| named(name, dashboard, false)));
        all
    }

    /// Returns the one with this name.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) fn get(&self, name: &str) -> Result<Dashboard, DashboardError> {
        find(&self.lock(), name)
    }

    /// Saves one, and returns whether it is new. It is on disk when this returns.
    ///
    /// # Errors
    /// If the name is invalid, there are too many, it would replace another one than `replaces` allows, or the file
    /// cannot be written.
    pub(crate) fn put(&self, name: &str, dashboard: Dashboard, replaces: Replaces) -> Result<bool, DashboardError> {
        let is_name = (1..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_name {
            return Err(DashboardError::Name(name.to_owned()));
        }
        dashboard.check()?;
        let mut saved = self.lock();
        let known = find(&saved, name).ok();
        match (replaces, known.as_ref().map(Dashboard::version)) {
            (Replaces::Nothing, Some(_)) => return Err(DashboardError::Exists(name.to_owned())),
            (Replaces::Version(wanted), found) if found != Some(wanted) => {
                return Err(DashboardError::Changed(name.to_owned()));
            }
            _ => {}
        }
        if saved.len() >= MOST && !saved.contains_key(name) {
            return Err(DashboardError::TooMany(saved.len()));
        }
        let mut next = saved.clone();
        next.insert(name.to_owned(), dashboard);
        self.write(&next)?;
        *saved = next;
        Ok(known.is_none())
    }

    /// Deletes one; a built-in one is restored.
    ///
    /// # Errors
    /// If there is none, none was saved, or the file cannot be written.
    pub(crate) fn remove(&self, name: &str) -> Result<(), DashboardError> {
        let mut saved = self.lock();
        let mut next = saved.clone();
        if next.remove(name).is_none() {
            find(&saved, name)?;
            return Err(DashboardError::BuiltIn(name.to_owned()));
        }
        self.write(&next)?;
        *saved = next;
        Ok(())
    }

    /// Writes the file atomically, also in case of a power failure.
    fn write(&self, all: &BTreeMap<String, Dashboard>) -> Result<(), StoreError> {
        let Some(path) = &self.path else { return Ok(()) };
        let json = serde_json::to_vec_pretty(all).map_err(std::io::Error::other);
        let new = path.with_extension("json.new");
        let write = |json: Vec<u8>| {
            let mut file = File::create(&new)?;
            file.write_all(&json)?;
            file.sync_all()?;
            fs::rename(&new, path)?;
            match path.parent() {
                // Not all systems can sync a folder.
                Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
                _ => Ok(()),
            }
        };
        json.and_then(write).map_err(|error| StoreError::io(&error).at(path))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Dashboard>> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dashboard {
    /// Equal for equal dashboards.
    pub(crate) fn version(&self) -> u32 {
        crc32fast::hash(self.to_json().as_bytes())
    }
}

fn find(saved: &BTreeMap<String, Dashboard>, name: &str) -> Result<Dashboard, DashboardError> {
    saved.get(name).cloned().or_else(|| builtin::find(name)).ok_or_else(|| DashboardError::NotFound(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Dashboards, FILE, Replaces};
    use crate::dashboard::{Dashboard, DashboardError};
    use std::fs;
    use std::path::PathBuf;

    fn dashboard(title: &str) -> Dashboard {
        Dashboard { title: title.to_owned(), since: "1h".to_owned(), viewlets: Vec::new() }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("jkool-dashboards-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn what_is_saved_is_there_after_a_restart() {
        let folder = folder("restart");
        let open = || Dashboards::open(Some(&folder)).unwrap().0;
        let first = open();
        assert!(first.put("mine", dashboard("Mine"), Replaces::Anything).unwrap());
        assert!(!first.put("mine", dashboard("Mine too"), Replaces::Anything).unwrap());
        assert!(!first.put("overview", dashboard("Other"), Replaces::Anything).unwrap());
        let again = open();
        assert_eq!(
            (again.get("mine").unwrap(), again.get("overview").unwrap()),
            (dashboard("Mine too"), dashboard("Other"))
        );
        again.remove("mine").unwrap();
        again.remove("overview").unwrap();
        let last = open();
        assert!(matches!(last.get("mine"), Err(DashboardError::NotFound(_))));
        assert_eq!(last.get("overview").unwrap().title, "Overview");
        assert!(matches!(last.remove("overview"), Err(DashboardError::BuiltIn(_))));
        assert!(matches!(last.remove("mine"), Err(DashboardError::NotFound(_))));
        // Only the file is left, without temporary files.
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [FILE]);
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_told() {
        let folder = folder("damaged");
        fs::write(folder.join(FILE), "{\"x\": {").unwrap();
        let (dashboards, notice) = Dashboards::open(Some(&folder)).unwrap();
        assert!(notice.unwrap().contains("renamed to"));
        assert_eq!(dashboards.list().len(), 3);
        dashboards.put("mine", dashboard("Mine"), Replaces::Anything).unwrap();
        assert_eq!(fs::read_to_string(folder.join(format!("{FILE}.corrupt-1"))).unwrap(), "{\"x\": {");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn who_saves_what_was_changed_meanwhile_is_told() {
        let (dashboards, _) = Dashboards::open(None).unwrap();
        dashboards.put("mine", dashboard("one"), Replaces::Anything).unwrap();
        let version = dashboards.get("mine").unwrap().version();
        dashboards.put("mine", dashboard("two"), Replaces::Version(version)).unwrap();
        let late = dashboards.put("mine", dashboard("three"), Replaces::Version(version));
        assert!(matches!(late, Err(DashboardError::Changed(_))));
        assert_eq!(dashboards.get("mine").unwrap().title, "two");
        for name in ["", "a/b", "..", "ä", &"x".repeat(65)] {
            assert!(
                matches!(dashboards.put(name, dashboard("x"), Replaces::Anything), Err(DashboardError::Name(_))),
                "{name}"
            );
        }
    }
}
