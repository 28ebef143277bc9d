//! redb: a copy-on-write B-tree, no LSM tree; here to show what the other structure is good for.
//!
//! A put is a transaction of its own, as there is none in the other engines that could be shared. Without a sync it is
//! `Durability::None`, which, unlike the others' logs, does not survive a crash of the process either.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use redb::{Database, ReadableDatabase, TableDefinition};
use slice_benches::engine::{Direction, Engine, Mode};
use slice_benches::knobs::{Durability, Knobs};

const TABLE: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("default");

/// A database with one table.
#[derive(Clone)]
pub(crate) struct Redb {
    db: Arc<Database>,
    durability: redb::Durability,
}

impl Redb {
    /// Opens it, in a file of a directory that is made.
    #[expect(clippy::disallowed_methods, reason = "redb does not make the directory of its file")]
    pub(crate) fn open(dir: &Path, knobs: &Knobs) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let mut builder = Database::builder();
        builder.set_cache_size(knobs.cache_mib << 20);
        let db = builder.create(dir.join("store.redb")).context("redb does not open")?;
        let durability = match knobs.durability {
            Durability::Fsync => redb::Durability::Immediate,
            Durability::Buffered | Durability::Interval(_) => redb::Durability::None,
        };
        let store = Self { db: Arc::new(db), durability };
        store.write(redb::Durability::Immediate, |_| Ok(()))?;
        Ok(store)
    }

    fn write(
        &self,
        durability: redb::Durability,
        change: impl FnOnce(&mut redb::Table<'_, &[u8], &[u8]>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut transaction = self.db.begin_write()?;
        transaction.set_durability(durability)?;
        change(&mut transaction.open_table(TABLE)?)?;
        Ok(transaction.commit()?)
    }

    fn table(&self) -> anyhow::Result<redb::ReadOnlyTable<&'static [u8], &'static [u8]>> {
        Ok(self.db.begin_read()?.open_table(TABLE)?)
    }
}

impl Engine for Redb {
    const MODE: Mode = Mode::Threads;

    async fn put(&self, key: &[u8], value: &[u8]) -> anyhow::Result<()> {
        self.write(self.durability, |table| {
            table.insert(key, value)?;
            Ok(())
        })
    }

    async fn delete(&self, key: &[u8]) -> anyhow::Result<()> {
        self.write(self.durability, |table| {
            table.remove(key)?;
            Ok(())
        })
    }

    async fn get<R: Send>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R + Send,
    ) -> anyhow::Result<Option<R>> {
        Ok(self.table()?.get(key)?.map(|value| read(value.value())))
    }

    async fn scan(
        &self,
        from: &[u8],
        limit: u64,
        direction: Direction,
        mut each: impl FnMut(&[u8], &[u8]) + Send,
    ) -> anyhow::Result<()> {
        let table = self.table()?;
        let mut visit = |row: redb::Result<(_, _)>| {
            let (key, value): (redb::AccessGuard<'_, &[u8]>, redb::AccessGuard<'_, &[u8]>) = row?;
            each(key.value(), value.value());
            anyhow::Ok(())
        };
        let limit = usize::try_from(limit)?;
        match direction {
            Direction::Forward => table.range(from..)?.take(limit).try_for_each(&mut visit),
            Direction::Back => table.range(..=from)?.rev().take(limit).try_for_each(&mut visit),
        }
    }

    /// Makes all commits durable; there is no memtable.
    async fn flush(&self) -> anyhow::Result<()> {
        self.write(redb::Durability::Immediate, |_| Ok(()))
    }

    /// There is nothing in the background to wait for.
    async fn settle(&self) -> anyhow::Result<Duration> {
        self.flush().await?;
        Ok(Duration::ZERO)
    }

    /// A B-tree is in order at all times.
    async fn full_compaction(&self) -> anyhow::Result<()> {
        self.flush().await
    }

    async fn close(self) -> anyhow::Result<()> {
        Ok(())
    }
}
