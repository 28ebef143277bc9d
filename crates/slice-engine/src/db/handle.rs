//! What users hold: the last one to let go ends the threads and releases the directory.
//!
//! One process has a directory open at most once. The registry knows which are open; asking for one again gives the
//! same handle, if the options are the same but for the size of the row cache, which changes for all.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use slice_types::{Error, ErrorKind, Result};
use slice_vfs::{Fs, uninterrupted};

use super::{Core, Declared};
use crate::options::{Builder, Options};
use crate::primitives::{Mutex, global};
use crate::signal::{Signal, lock};

/// A use of an open database.
pub(crate) struct Handle {
    pub(crate) core: Arc<Core>,
    key: Key,
}

/// A directory, on its file system.
type Key = (u64, PathBuf);

enum Slot {
    /// Somebody is opening it.
    Opening,
    /// It is open, or its last handle is going.
    Open(Weak<Handle>, Box<Options>),
    /// It is being closed.
    Closing,
}

global! {
    static REGISTRY: Registry = Registry::default();
}

#[derive(Default)]
struct Registry {
    slots: Mutex<HashMap<Key, Slot>>,
    changed: Signal,
}

/// A directory that nobody else in the process has open, or the handle of who has.
enum Opened {
    Now(Arc<Handle>),
    Before(Arc<Handle>),
}

impl Handle {
    /// The open database of a directory, opened now unless it is.
    ///
    /// # Errors
    ///
    /// `Locked` when it is open with other options, and all that [`super::open`] says.
    pub(crate) fn open(builder: Builder) -> Result<Arc<Self>> {
        let rows = builder.options.row_cache_entries;
        let keyspaces = builder.keyspaces.clone();
        match Self::open_or_share(builder)? {
            Opened::Now(handle) => Ok(handle),
            Opened::Before(handle) => {
                handle.core.declare(&keyspaces)?;
                handle.core.caches.rows.resize(rows);
                Ok(handle)
            }
        }
    }

    /// The database of a directory, opened now.
    ///
    /// # Errors
    ///
    /// `Locked` when it is open, and all that [`super::open`] says.
    pub(crate) fn open_alone(builder: Builder) -> Result<Arc<Self>> {
        match Self::open_or_share(builder)? {
            Opened::Now(handle) => Ok(handle),
            Opened::Before(handle) => {
                let message = "the directory is open in this process; close it first";
                Err(Error::new(ErrorKind::Locked, message).with_file(&handle.key.1))
            }
        }
    }

    fn open_or_share(builder: Builder) -> Result<Opened> {
        builder.options.validate()?;
        for (name, own) in &builder.keyspaces {
            super::check_own(name, own, &builder.options)?;
        }
        let may_create = builder.may_create();
        // From here down nobody has to think of signals.
        let fs = uninterrupted(builder.fs);
        let directory = super::open::directory(&*fs, &builder.path, may_create)?;
        let key = (fs.id(), directory);
        match REGISTRY.changed.wait(|| REGISTRY.claim(&key, &builder.options)) {
            Claim::Mine => Self::open_claimed(key, fs, builder.options, &builder.keyspaces).map(Opened::Now),
            Claim::Shared(handle) => Ok(Opened::Before(handle)),
            Claim::Refused(_handle) => Err(otherwise(&key)),
        }
    }

    fn open_claimed(key: Key, fs: Arc<dyn Fs>, options: Options, declared: &Declared) -> Result<Arc<Self>> {
        // Also on a panic: a slot that stayed would block the directory for ever.
        let claimed = Claimed(Some(key.clone()));
        let core = super::open(fs, key.1.clone(), options.clone(), declared)?;
        let handle = Arc::new(Self { core, key: key.clone() });
        REGISTRY.set(key, Slot::Open(Arc::downgrade(&handle), Box::new(options)));
        claimed.keep();
        Ok(handle)
    }
}

impl Handle {
    /// Makes everything durable, ends the threads and releases the directory; then it can be opened anew, even while
    /// this handle is kept.
    pub(crate) fn close(&self) -> Result<()> {
        self.core.check_open()?;
        if !REGISTRY.replace(self, Some(Slot::Closing)) {
            return Err(self.core.closed());
        }
        // Also on a panic.
        let _cleared = Claimed(Some(self.key.clone()));
        self.core.close()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.core.stop();
        REGISTRY.replace(self, None);
    }
}

/// A slot that is cleared again unless it is kept.
struct Claimed(Option<Key>);

impl Claimed {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        if let Some(key) = &self.0 {
            REGISTRY.clear(key);
        }
    }
}

enum Claim {
    Mine,
    Shared(Arc<Handle>),
    /// The handle comes along, so that it is not dropped under the registry's lock.
    Refused(Arc<Handle>),
}

impl Registry {
    /// Takes the slot of a directory, or shares what is in it; `None` while that is not decided.
    fn claim(&self, key: &Key, options: &Options) -> Option<Claim> {
        let mut slots = lock(&self.slots);
        match slots.get(key) {
            None => {
                slots.insert(key.clone(), Slot::Opening);
                Some(Claim::Mine)
            }
            Some(Slot::Opening | Slot::Closing) => None,
            // No handle to upgrade: the last one is going, and clears the slot when it is gone.
            Some(Slot::Open(handle, as_opened)) if are_alike(as_opened, options) => {
                handle.upgrade().map(Claim::Shared)
            }
            Some(Slot::Open(handle, _)) => handle.upgrade().map(Claim::Refused),
        }
    }

    fn set(&self, key: Key, slot: Slot) {
        lock(&self.slots).insert(key, slot);
        self.changed.raise();
    }

    /// Changes the slot of a handle, if it is still that handle's: closed, it may be another's by now.
    /// Says whether it was.
    fn replace(&self, handle: &Handle, with: Option<Slot>) -> bool {
        let mut slots = lock(&self.slots);
        let is_mine = matches!(slots.get(&handle.key),
            Some(Slot::Open(weak, _)) if std::ptr::eq(weak.as_ptr(), handle));
        if is_mine {
            slots.remove(&handle.key);
            slots.extend(with.map(|slot| (handle.key.clone(), slot)));
        }
        drop(slots);
        self.changed.raise();
        is_mine
    }

    fn clear(&self, key: &Key) {
        lock(&self.slots).remove(key);
        self.changed.raise();
    }
}

/// Whether a store opened with the one can serve who asks for the other: the row cache can be resized, nothing else.
fn are_alike(as_opened: &Options, asked: &Options) -> bool {
    let resized = Options { row_cache_entries: as_opened.row_cache_entries, ..asked.clone() };
    *as_opened == resized
}

fn otherwise(key: &Key) -> Error {
    let message = "the directory is open in this process with other options; use the same, or close it first";
    Error::new(ErrorKind::Locked, message).with_file(&key.1)
}
