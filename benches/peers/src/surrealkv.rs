//! SurrealKV: a transaction of one operation for each put, a read-only one for each get and scan.
//!
//! Its clients are tasks of a tokio runtime, as its commits are async. It has no LZ4, so it compresses by Snappy.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use slice_benches::engine::{Direction, Engine, Mode};
use slice_benches::knobs::{Codec, Durability, Knobs};
use surrealkv::{
    CompactRangeOptions, CompressionType, LSMIterator, Mode as Access, Options, Transaction, Tree,
    TreeBuilder,
};

use crate::idle;

/// A tree, and how its transactions commit.
#[derive(Clone)]
pub(crate) struct SurrealKv {
    tree: Arc<Tree>,
    durability: surrealkv::Durability,
}

impl SurrealKv {
    /// Opens it in a directory that it makes.
    pub(crate) async fn open(dir: &Path, knobs: &Knobs) -> anyhow::Result<Self> {
        let tree = TreeBuilder::with_options(options(dir, knobs)).build_async().await;
        let durability = match knobs.durability {
            Durability::Fsync => surrealkv::Durability::Immediate,
            Durability::Buffered | Durability::Interval(_) => surrealkv::Durability::Eventual,
        };
        Ok(Self { tree: Arc::new(tree.context("SurrealKV does not open")?), durability })
    }

    /// Commits one change. If another transaction has changed the same key meanwhile, it is tried anew.
    async fn write(
        &self,
        change: impl Fn(&mut Transaction) -> surrealkv::Result<()> + Send,
    ) -> anyhow::Result<()> {
        loop {
            let mut transaction =
                self.tree.begin_with_mode(Access::WriteOnly)?.with_durability(self.durability);
            change(&mut transaction)?;
            match transaction.commit().await {
                Err(surrealkv::Error::TransactionWriteConflict) => {}
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Compacts down to a level, or to the last. It blocks for as long as it takes.
    fn compact(&self, target_level: Option<u8>) -> anyhow::Result<()> {
        let options = CompactRangeOptions { target_level, ..CompactRangeOptions::default() };
        Ok(self.tree.compact_range(None, None, &options)?)
    }
}

fn options(dir: &Path, knobs: &Knobs) -> Options {
    let codec = match knobs.codec {
        Codec::None => CompressionType::None,
        Codec::Lz4 => CompressionType::SnappyCompression,
    };
    Options::new()
        .with_path(dir.to_owned())
        .with_max_memtable_size(knobs.memtable_mib << 20)
        .with_block_cache_capacity((knobs.cache_mib << 20) as u64)
        .with_compression_per_level(vec![codec])
}

impl Engine for SurrealKv {
    const MODE: Mode = Mode::Tasks;

    async fn put(&self, key: &[u8], value: &[u8]) -> anyhow::Result<()> {
        self.write(|transaction| transaction.set(key, value)).await
    }

    async fn delete(&self, key: &[u8]) -> anyhow::Result<()> {
        self.write(|transaction| transaction.delete(key)).await
    }

    async fn get<R: Send>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R + Send,
    ) -> anyhow::Result<Option<R>> {
        Ok(self.tree.begin_with_mode(Access::ReadOnly)?.get(key)?.map(|value| read(&value)))
    }

    async fn scan(
        &self,
        from: &[u8],
        limit: u64,
        direction: Direction,
        mut each: impl FnMut(&[u8], &[u8]) + Send,
    ) -> anyhow::Result<()> {
        let transaction = self.tree.begin_with_mode(Access::ReadOnly)?;
        match direction {
            Direction::Forward => {
                let mut rows = transaction.scan(from..)?;
                rows.seek_first()?;
                visit(rows, limit, LSMIterator::next, &mut each)
            }
            Direction::Back => {
                let mut rows = transaction.scan(..=from)?;
                rows.seek_last()?;
                visit(rows, limit, LSMIterator::prev, &mut each)
            }
        }
    }

    /// A compaction down to level 0 merges nothing, and so only flushes: there is no other way to ask for it.
    async fn flush(&self) -> anyhow::Result<()> {
        self.compact(Some(0))
    }

    async fn settle(&self) -> anyhow::Result<Duration> {
        self.compact(Some(0))?;
        idle::wait()
    }

    async fn full_compaction(&self) -> anyhow::Result<()> {
        self.compact(None)
    }

    async fn close(self) -> anyhow::Result<()> {
        Ok(self.tree.close().await?)
    }
}

fn visit<I: LSMIterator>(
    mut rows: I,
    limit: u64,
    step: impl Fn(&mut I) -> surrealkv::Result<bool>,
    each: &mut impl FnMut(&[u8], &[u8]),
) -> anyhow::Result<()> {
    for _ in 0..limit {
        if !rows.valid() {
            break;
        }
        each(rows.key().user_key(), &rows.value_ref()?);
        step(&mut rows)?;
    }
    Ok(())
}
