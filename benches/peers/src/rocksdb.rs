//! RocksDB, twice: as it comes, and with the knobs that slice has, tuned as its own guide says.
//!
//! A put is one write to its log without a sync, as slice's is; a get pins the value in the block cache and copies
//! nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rocksdb::{
    BlockBasedOptions, Cache, CompactOptions, DB, DBCompressionType, Options, WaitForCompactOptions,
    WriteOptions,
};
use slice_benches::engine::{Direction, Engine, Mode, Stalls};
use slice_benches::knobs::{Codec, Durability, Knobs};

const MIB: usize = 1 << 20;

/// A database, and how it is written to.
#[derive(Clone)]
pub(crate) struct RocksDb {
    db: Arc<DB>,
    sync: bool,
}

impl RocksDb {
    /// Opens it with its defaults, in a directory that it makes.
    pub(crate) fn open_with_defaults(dir: &Path, knobs: &Knobs) -> anyhow::Result<Self> {
        Self::open(dir, knobs, Options::default())
    }

    /// Opens it with the knobs of a run and what its guide recommends, in a directory that it makes.
    pub(crate) fn open_tuned(dir: &Path, knobs: &Knobs) -> anyhow::Result<Self> {
        Self::open(dir, knobs, tuned(knobs))
    }

    fn open(dir: &Path, knobs: &Knobs, mut of_rocksdb: Options) -> anyhow::Result<Self> {
        of_rocksdb.create_if_missing(true);
        let db = DB::open(&of_rocksdb, dir).context("RocksDB does not open")?;
        Ok(Self { db: Arc::new(db), sync: knobs.durability == Durability::Fsync })
    }

    fn write_options(&self) -> WriteOptions {
        let mut options = WriteOptions::default();
        options.set_sync(self.sync);
        options
    }
}

/// What the guide recommends for all, and what was the fastest here: README.md has the figures.
fn tuned(knobs: &Knobs) -> Options {
    let mut options = Options::default();
    options.set_write_buffer_size(knobs.memtable_mib * MIB);
    options.set_max_write_buffer_number(4);
    options.set_max_background_jobs(i32::try_from(knobs.background_threads).unwrap_or(i32::MAX));
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_bytes_per_sync(MIB as u64);
    options.set_enable_pipelined_write(true);
    options.set_compression_type(match knobs.codec {
        Codec::None => DBCompressionType::None,
        Codec::Lz4 => DBCompressionType::Lz4,
    });
    options.set_block_based_table_factory(&tables(knobs));
    options
}

/// Index and filter blocks are in memory beside the cache, as slice has them.
fn tables(knobs: &Knobs) -> BlockBasedOptions {
    let mut tables = BlockBasedOptions::default();
    // An entry charge of 0 lets the cache find out by itself how large its entries are.
    tables.set_block_cache(&Cache::new_hyper_clock_cache(knobs.cache_mib * MIB, 0));
    tables.set_block_size(16 << 10);
    tables.set_bloom_filter(knobs.bloom_bits, false);
    tables
}

impl Engine for RocksDb {
    const MODE: Mode = Mode::Threads;

    async fn put(&self, key: &[u8], value: &[u8]) -> anyhow::Result<()> {
        Ok(self.db.put_opt(key, value, &self.write_options())?)
    }

    async fn delete(&self, key: &[u8]) -> anyhow::Result<()> {
        Ok(self.db.delete_opt(key, &self.write_options())?)
    }

    async fn get<R: Send>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R + Send,
    ) -> anyhow::Result<Option<R>> {
        Ok(self.db.get_pinned(key)?.map(|value| read(&value)))
    }

    async fn scan(
        &self,
        from: &[u8],
        limit: u64,
        direction: Direction,
        mut each: impl FnMut(&[u8], &[u8]) + Send,
    ) -> anyhow::Result<()> {
        let mut rows = self.db.raw_iterator();
        match direction {
            Direction::Forward => rows.seek(from),
            Direction::Back => rows.seek_for_prev(from),
        }
        for _ in 0..limit {
            let Some((key, value)) = rows.item() else { break };
            each(key, value);
            match direction {
                Direction::Forward => rows.next(),
                Direction::Back => rows.prev(),
            }
        }
        Ok(rows.status()?)
    }

    async fn flush(&self) -> anyhow::Result<()> {
        Ok(self.db.flush()?)
    }

    async fn settle(&self) -> anyhow::Result<Duration> {
        let mut options = WaitForCompactOptions::default();
        options.set_flush(true);
        self.db.wait_for_compact(&options)?;
        Ok(Duration::ZERO)
    }

    async fn full_compaction(&self) -> anyhow::Result<()> {
        self.db.flush()?;
        self.db.compact_range_opt(None::<&[u8]>, None::<&[u8]>, &CompactOptions::default());
        Ok(())
    }

    fn stalls(&self) -> Option<Stalls> {
        let text = self.db.property_value("rocksdb.dbstats").ok()??;
        Some(Stalls::from([("all".to_owned(), stalled_s(&text)?)]))
    }

    async fn close(self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The time from the line `Cumulative stall: 00:01:02.345 H:M:S, 3.1 percent` of its statistics, in seconds.
fn stalled_s(stats: &str) -> Option<f64> {
    let clock = stats.split("Cumulative stall: ").nth(1)?.split_whitespace().next()?;
    clock.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_stalls_is_read_from_the_statistics() {
        let stats = "Interval writes: 1\nCumulative stall: 01:02:03.500 H:M:S, 3.1 percent\n";
        assert_eq!(stalled_s(stats), Some(3723.5));
        assert_eq!(stalled_s("nothing of it"), None);
    }
}
