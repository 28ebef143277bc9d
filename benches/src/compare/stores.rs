//! The directories of the stores that are compared: loaded once, read as they are, copied before they are written to.
//!
//! ```text
//! <dir>/<engine>/loaded      what the readers open
//! <dir>/<engine>/work        empty, or a copy of it: for one run
//! ```

#![expect(clippy::disallowed_methods, reason = "the stores are placed from outside, as files like others")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::sync;

/// The directories of one engine.
#[derive(Clone, Debug)]
pub struct Stores(PathBuf);

impl Stores {
    /// Below a directory, for the engine with this name.
    pub fn of(dir: &Path, engine: &str) -> Self {
        Self(dir.join(engine))
    }

    /// The store that was loaded.
    pub fn loaded(&self) -> PathBuf {
        self.0.join("loaded")
    }

    /// The store of one run.
    pub fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// An empty place for one run.
    ///
    /// # Errors
    ///
    /// If it cannot be emptied.
    pub fn empty_work(&self) -> anyhow::Result<PathBuf> {
        remove(&self.work())?;
        Ok(self.work())
    }

    /// An empty place for the store that is loaded.
    ///
    /// # Errors
    ///
    /// If it cannot be emptied.
    pub fn empty_loaded(&self) -> anyhow::Result<PathBuf> {
        remove(&self.loaded())?;
        Ok(self.loaded())
    }

    /// A copy of the loaded store.
    ///
    /// # Errors
    ///
    /// If it cannot be copied.
    pub fn copied_work(&self) -> anyhow::Result<PathBuf> {
        let work = self.empty_work()?;
        copy(&self.loaded(), &work).with_context(|| format!("could not copy {}", self.loaded().display()))?;
        Ok(work)
    }

    /// Removes everything.
    ///
    /// # Errors
    ///
    /// If it cannot be removed.
    pub fn remove(&self) -> anyhow::Result<()> {
        remove(&self.0)
    }
}

/// Writes all that the system still has to write, so that no run pays for the one before.
pub fn write_back() {
    sync();
}

fn remove(dir: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.with_context(|| format!("could not remove {}", dir.display())),
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_to_a_copy_is_not_in_the_loaded_store() {
        let dir = tempfile::tempdir().unwrap();
        let stores = Stores::of(dir.path(), "an engine");
        fs::create_dir_all(stores.loaded().join("tables")).unwrap();
        fs::write(stores.loaded().join("tables/1"), "one").unwrap();
        fs::write(stores.loaded().join("log"), "").unwrap();
        for _ in 0..2 {
            let work = stores.copied_work().unwrap();
            assert_eq!(fs::read_to_string(work.join("tables/1")).unwrap(), "one");
            fs::write(work.join("tables/1"), "other").unwrap();
            fs::write(work.join("tables/2"), "more").unwrap();
        }
        assert_eq!(fs::read_to_string(stores.loaded().join("tables/1")).unwrap(), "one");
        assert!(stores.loaded().join("log").exists() && !stores.loaded().join("tables/2").exists());
        assert!(!stores.empty_work().unwrap().exists());
    }
}
