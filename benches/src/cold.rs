//! Reads that the page cache does not answer: the system is made to forget a store's files.
//!
//! Once is not enough: what a run has read is in the page cache from then on. A thread therefore has the files
//! forgotten again and again while the run lasts. Pages that the store has mapped stay, which only logs are.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, anyhow};
use rustix::fs::{Advice, fadvise};

/// How long what was read may stay.
const PERIOD: Duration = Duration::from_millis(20);

/// Has the system forget all files in a directory and below. They are written back first: what is dirty stays.
///
/// # Errors
///
/// If one cannot be opened or synced. A file that vanishes meanwhile is no error.
pub fn forget(dir: &Path) -> io::Result<()> {
    for_each_file(dir, &mut |file| {
        file.sync_data()?;
        Ok(fadvise(file, 0, None, Advice::DontNeed)?)
    })
}

/// The same for what is clean, so that it costs the disk nothing.
fn forget_clean(dir: &Path) -> io::Result<()> {
    for_each_file(dir, &mut |file| Ok(fadvise(file, 0, None, Advice::DontNeed)?))
}

#[expect(clippy::disallowed_methods, reason = "the files of the store are looked at from outside")]
fn for_each_file(dir: &Path, visit: &mut impl FnMut(&File) -> io::Result<()>) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let visited = if path.is_dir() {
            for_each_file(&path, visit)
        } else {
            File::open(&path).and_then(|file| visit(&file))
        };
        match visited {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            visited => visited?,
        }
    }
    Ok(())
}

/// Has a store's files forgotten until it is stopped.
#[derive(Debug)]
pub struct Forgetful {
    stop: Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Forgetful {
    /// Has the files of a directory forgotten now, and then at short intervals.
    ///
    /// # Errors
    ///
    /// If a file cannot be opened or synced, or no thread be started.
    pub fn start(dir: &Path) -> anyhow::Result<Self> {
        forget(dir).with_context(|| format!("{} cannot be forgotten", dir.display()))?;
        let (stop, stopped) = channel();
        let dir: PathBuf = dir.to_owned();
        let thread = std::thread::Builder::new().name("forgetful".to_owned()).spawn(move || {
            while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                forget_clean(&dir)?;
            }
            Ok(())
        });
        Ok(Self { stop, thread: thread.context("no thread")? })
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// What went wrong meanwhile.
    pub fn stop(self) -> anyhow::Result<()> {
        drop(self.stop);
        let ended = self.thread.join().map_err(|_| anyhow!("the forgetful thread panicked"))?;
        ended.context("a file could not be forgotten")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the files are no store's")]
    fn what_is_forgotten_is_read_from_the_disk_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("below")).unwrap();
        let path = dir.path().join("below/file");
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        let forgetful = Forgetful::start(dir.path()).unwrap();
        std::fs::write(dir.path().join("later"), "text").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), vec![7; 100_000]);
        std::fs::remove_file(dir.path().join("later")).unwrap();
        forgetful.stop().unwrap();
        assert!(Forgetful::start(&dir.path().join("nowhere")).is_err());
    }
}
