//! What is documented to heal, does, once the disk is sound again.
//!
//! - A store whose log failed to be synced is read-only until it is opened anew. What it holds can be flushed.
//! - Any other goes on by itself: it takes writes, flushes and compacts, and says that it is healthy.
//! - Opened anew, either holds all of it, is healthy, and has no file that nothing refers to.

use std::time::{Duration, Instant};

use slice::blocking::LSMTree;
use slice::{ErrorKind, Health};

use super::session::{Checked, Session};
use super::store::DIR;
use crate::small_store::{Change, check_files, key};

/// How long the background may take to notice that the disk is sound.
const PATIENCE: Duration = Duration::from_secs(20);

impl Session<'_> {
    pub(super) fn heal(&mut self) -> Checked {
        self.faults.clear();
        if self.store.is_none() {
            self.open()?;
        }
        let Some(store) = self.store.clone() else { return Err("the store does not open".to_owned()) };
        self.check_health()?;
        let store = if self.watch.log_sync_failed() {
            self.is_read_only(&store)?;
            drop(store);
            self.open()?;
            self.store.clone().ok_or("the store does not open again")?
        } else {
            store
        };
        self.goes_on(&store)?;
        store.close().map_err(|error| format!("closing still fails: {error}"))?;
        drop(store);
        self.check_crash(0.0)?;
        self.open()?;
        let store = self.store.as_ref().ok_or("the store does not open after a close")?;
        // What could not be removed before goes when the store is opened.
        check_files(&self.disk, DIR, store)?;
        self.watch.check()
    }

    /// Nothing is acknowledged that a failed fsync may have lost, and all of it can be saved as tables.
    fn is_read_only(&mut self, store: &LSMTree) -> Checked {
        match store.put(&key(0), b"refused") {
            Err(error) if error.kind() == ErrorKind::ReadOnly => {}
            other => return Err(format!("a read-only store took a write: {other:?}")),
        }
        if store.sync().is_ok() {
            return Err("a failed fsync was followed by one that succeeded".to_owned());
        }
        store.flush().map_err(|error| format!("a read-only store could not be flushed: {error}"))?;
        self.model.all_is_durable();
        self.check_health()?;
        self.check_contents()?;
        self.check_crash(0.0)
    }

    /// All works again, without the store being opened anew.
    fn goes_on(&mut self, store: &LSMTree) -> Checked {
        let is_drained =
            || store.stats().immutable_memtables == 0 && matches!(store.health(), Health::Healthy);
        if !self.settings.is_inline() && !self.until(is_drained) {
            return Err(format!("the background does not catch up: {:?}", store.health()));
        }
        let entries = vec![(key(1), Change::Put(b"after".to_vec())), (key(2), Change::Delete)];
        self.write(store, &entries).map_err(|error| format!("a write: {error}"))?;
        if self.model.newest().get(&key(1)).map(Vec::as_slice) != Some(b"after") {
            return Err("a write is still refused".to_owned());
        }
        store.sync().map_err(|error| format!("a sync still fails: {error}"))?;
        store.flush().map_err(|error| format!("a flush still fails: {error}"))?;
        store.compact().map_err(|error| format!("a compaction still fails: {error}"))?;
        self.model.all_is_durable();
        match store.health() {
            Health::Healthy => self.check_contents(),
            health => Err(format!("all works, and the health is {health:?}")),
        }
    }

    /// Waits for something that the background does; without one it is so at once or never.
    #[expect(clippy::disallowed_methods, reason = "a wait has a bound")]
    pub(super) fn until(&self, holds: impl Fn() -> bool) -> bool {
        let end = Instant::now() + if self.settings.is_inline() { Duration::ZERO } else { PATIENCE };
        while !holds() {
            if Instant::now() >= end {
                return false;
            }
            std::thread::yield_now();
        }
        true
    }
}
