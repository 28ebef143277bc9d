//! Every promise of the traits, tried on a file system: ours, and yours if you bring your own.
//!
//! What a power failure leaves cannot be tried from inside; [`MemFs`](crate::MemFs) is the model of that.

mod files;
mod logs;
mod names;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{AtomicSites, Fs, SyncSite};

type Check = fn(&dyn Fs, &Path);

/// Tries every promise, each on a fresh file system and an empty directory in it, as `make` gives them. The
/// directory need not exist yet.
///
/// # Panics
///
/// At the first promise that is not kept, with its name.
pub fn run(make: &dyn Fn() -> (Arc<dyn Fs>, PathBuf)) {
    for check in [names::CHECKS, files::CHECKS, logs::CHECKS].into_iter().flatten() {
        let (fs, dir) = make();
        fs.create_dir_all(&dir).unwrap();
        assert!(fs.list_dir(&dir).unwrap().is_empty(), "the directory is to be empty");
        check(&*fs, &dir);
    }
}

/// Why a check makes something durable: to see whether it can.
pub(crate) const HERE: SyncSite = SyncSite::new("check");

/// The same for an atomic write.
pub(crate) const SITES: AtomicSites = AtomicSites { bytes: HERE, name: HERE };

/// Insists on an error of this kind.
#[track_caller]
fn fails<T>(result: io::Result<T>, kind: ErrorKind) {
    match result {
        Ok(_) => panic!("expected {kind:?}, and it worked"),
        Err(e) => assert_eq!(e.kind(), kind, "{e}"),
    }
}

/// Creates a file with these bytes.
fn write(fs: &dyn Fs, path: &Path, bytes: &[u8]) {
    let mut file = fs.create_append(path).unwrap();
    file.append(bytes).unwrap();
}
