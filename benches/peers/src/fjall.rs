//! fjall: one keyspace, with its own choice of compression and filters by level.
//!
//! A put is written to its journal without a sync; a get gives a slice of a cached block or a copy, as it has it.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use slice_benches::engine::{Direction, Engine, Mode};
use slice_benches::knobs::{Durability, Knobs};

use crate::idle;

/// A database and its keyspace.
#[derive(Clone)]
pub(crate) struct Fjall {
    db: Database,
    keyspace: Keyspace,
    sync: bool,
}

impl Fjall {
    /// Opens it in a directory that it makes.
    pub(crate) fn open(dir: &Path, knobs: &Knobs) -> anyhow::Result<Self> {
        let db = Database::builder(dir)
            .cache_size((knobs.cache_mib << 20) as u64)
            .worker_threads(knobs.background_threads)
            .open()
            .context("fjall does not open")?;
        let memtable = (knobs.memtable_mib << 20) as u64;
        let keyspace =
            db.keyspace("default", || KeyspaceCreateOptions::default().max_memtable_size(memtable))?;
        Ok(Self { db, keyspace, sync: knobs.durability == Durability::Fsync })
    }

    /// Each commit syncs for itself: fjall has no group commit.
    fn persist(&self) -> anyhow::Result<()> {
        if self.sync {
            self.db.persist(PersistMode::SyncData)?;
        }
        Ok(())
    }
}

impl Engine for Fjall {
    const MODE: Mode = Mode::Threads;

    async fn put(&self, key: &[u8], value: &[u8]) -> anyhow::Result<()> {
        self.keyspace.insert(key, value)?;
        self.persist()
    }

    async fn delete(&self, key: &[u8]) -> anyhow::Result<()> {
        self.keyspace.remove(key)?;
        self.persist()
    }

    async fn get<R: Send>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R + Send,
    ) -> anyhow::Result<Option<R>> {
        Ok(self.keyspace.get(key)?.map(|value| read(&value)))
    }

    async fn scan(
        &self,
        from: &[u8],
        limit: u64,
        direction: Direction,
        mut each: impl FnMut(&[u8], &[u8]) + Send,
    ) -> anyhow::Result<()> {
        let visit = |row: fjall::Guard| {
            let (key, value) = row.into_inner()?;
            each(&key, &value);
            Ok(())
        };
        let limit = usize::try_from(limit)?;
        match direction {
            Direction::Forward => self.keyspace.range(from..).take(limit).try_for_each(visit),
            Direction::Back => self.keyspace.range(..=from).rev().take(limit).try_for_each(visit),
        }
    }

    async fn flush(&self) -> anyhow::Result<()> {
        Ok(self.keyspace.rotate_memtable_and_wait()?)
    }

    async fn settle(&self) -> anyhow::Result<Duration> {
        self.keyspace.rotate_memtable_and_wait()?;
        idle::wait()
    }

    async fn full_compaction(&self) -> anyhow::Result<()> {
        self.keyspace.rotate_memtable_and_wait()?;
        Ok(self.keyspace.major_compact()?)
    }

    async fn close(self) -> anyhow::Result<()> {
        Ok(self.db.persist(PersistMode::SyncAll)?)
    }
}
