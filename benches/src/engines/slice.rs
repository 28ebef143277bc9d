//! slice, through both of its faces.
//!
//! The blocking one is what is compared with stores that block. Both read pinned values: nothing is copied for a check.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use slice::compaction::CompactionConfig;
use slice::lsm::LSMStats;
use slice::{Builder, LSMTree, blocking};

use crate::clock;
use crate::engine::{Direction, Engine, Mode, Stalls};
use crate::knobs::Knobs;

/// A store has come to rest when it has done nothing for this long.
const REST: Duration = Duration::from_millis(20);
const LOOK: Duration = Duration::from_millis(1);

/// slice without a runtime: its clients are threads.
#[derive(Clone, Debug)]
pub struct Slice(blocking::LSMTree);

impl Slice {
    /// Opens the store in a directory.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn open(dir: &Path, knobs: &Knobs) -> anyhow::Result<Self> {
        Ok(Self(builder(dir, knobs).open_blocking()?))
    }
}

impl Engine for Slice {
    const MODE: Mode = Mode::Threads;

    #[inline]
    async fn put(&self, key: &[u8], value: &[u8]) -> anyhow::Result<()> {
        Ok(self.0.put(key, value)?)
    }

    async fn delete(&self, key: &[u8]) -> anyhow::Result<()> {
        Ok(self.0.delete(key)?)
    }

    #[inline]
    async fn get<R: Send>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R + Send,
    ) -> anyhow::Result<Option<R>> {
        Ok(self.0.get_pinned(key)?.map(|value| read(&value)))
    }

    #[inline]
    async fn scan(
        &self,
        from: &[u8],
        limit: u64,
        direction: Direction,
        mut each: impl FnMut(&[u8], &[u8]) + Send,
    ) -> anyhow::Result<()> {
        let mut scan = match direction {
            Direction::Forward => self.0.range(from..),
            Direction::Back => self.0.range(..=from),
        };
        for _ in 0..limit {
            let entry = match direction {
                Direction::Forward => scan.next_ref(),
                Direction::Back => scan.next_back_ref(),
            };
            let Some(entry) = entry else { break };
            let (key, value) = entry?;
            each(key, value);
        }
        Ok(())
    }

    async fn flush(&self) -> anyhow::Result<()> {
        Ok(self.0.flush()?)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a store at rest gives no sign: it is looked at now and then"
    )]
    async fn settle(&self) -> anyhow::Result<Duration> {
        self.0.flush()?;
        let mut rest = Rest::default();
        loop {
            if let Some(rested) = rest.look(&self.0.stats()) {
                return Ok(rested);
            }
            std::thread::sleep(LOOK);
        }
    }

    async fn full_compaction(&self) -> anyhow::Result<()> {
        Ok(self.0.compact()?)
    }

    fn stalls(&self) -> Option<Stalls> {
        Some(stalls(&self.0.stats()))
    }

    fn details(&self) -> Value {
        details(&self.0.stats())
    }

    async fn close(self) -> anyhow::Result<()> {
        Ok(self.0.close()?)
    }
}

/// slice with a runtime: its clients are tasks.
#[derive(Clone, Debug)]
pub struct SliceAsync(LSMTree);

impl SliceAsync {
    /// Opens the store in a directory.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub async fn open(dir: &Path, knobs: &Knobs) -> anyhow::Result<Self> {
        Ok(Self(builder(dir, knobs).open().await?))
    }
}

impl From<LSMTree> for SliceAsync {
    fn from(lsm: LSMTree) -> Self {
        Self(lsm)
    }
}

impl Engine for SliceAsync {
    const MODE: Mode = Mode::Tasks;

    #[inline]
    async fn put(&self, key: &[u8], value: &[u8]) -> anyhow::Result<()> {
        Ok(self.0.put(key, value).await?)
    }

    async fn delete(&self, key: &[u8]) -> anyhow::Result<()> {
        Ok(self.0.delete(key).await?)
    }

    #[inline]
    async fn get<R: Send>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R + Send,
    ) -> anyhow::Result<Option<R>> {
        Ok(self.0.get_pinned(key).await?.map(|value| read(&value)))
    }

    async fn scan(
        &self,
        from: &[u8],
        limit: u64,
        direction: Direction,
        mut each: impl FnMut(&[u8], &[u8]) + Send,
    ) -> anyhow::Result<()> {
        let mut scan = match direction {
            Direction::Forward => self.0.range(from..),
            Direction::Back => self.0.range(..=from).rev(),
        };
        for _ in 0..limit {
            let Some(entry) = scan.next().await else { break };
            let (key, value) = entry?;
            each(&key, &value);
        }
        Ok(())
    }

    async fn flush(&self) -> anyhow::Result<()> {
        Ok(self.0.flush().await?)
    }

    async fn settle(&self) -> anyhow::Result<Duration> {
        self.0.flush().await?;
        let mut rest = Rest::default();
        loop {
            if let Some(rested) = rest.look(&self.0.stats()) {
                return Ok(rested);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn full_compaction(&self) -> anyhow::Result<()> {
        Ok(self.0.compact().await?)
    }

    fn stalls(&self) -> Option<Stalls> {
        Some(stalls(&self.0.stats()))
    }

    fn details(&self) -> Value {
        details(&self.0.stats())
    }

    async fn close(self) -> anyhow::Result<()> {
        Ok(self.0.close().await?)
    }
}

fn builder(dir: &Path, knobs: &Knobs) -> Builder {
    let compaction = CompactionConfig {
        max_concurrent_compactions: knobs.background_threads,
        ..CompactionConfig::default()
    };
    LSMTree::builder(dir)
        .durability(knobs.durability.into())
        .compression(knobs.codec.into())
        .block_cache_bytes(knobs.cache_mib << 20)
        .row_cache_entries(knobs.row_cache_entries)
        .memtable_size(knobs.memtable_mib << 20)
        .filter_bits_per_key(knobs.bloom_bits)
        .compaction(compaction)
}

/// Since when a store has been at rest, as far as it was looked at.
#[derive(Default)]
struct Rest {
    since: Option<(Instant, u64)>,
}

impl Rest {
    /// Takes a look. Once the store has been at rest for long enough: for how long.
    fn look(&mut self, stats: &LSMStats) -> Option<Duration> {
        let compactions = &stats.compaction_stats;
        let is_idle = compactions.concurrent_compactions == 0 && stats.immutable_memtables == 0;
        let done = compactions.total_compactions;
        match self.since {
            Some((since, before)) if is_idle && before == done => {
                Some(since.elapsed()).filter(|&rested| rested >= REST)
            }
            _ => {
                self.since = is_idle.then(|| (clock::now(), done));
                None
            }
        }
    }
}

fn stalls(stats: &LSMStats) -> Stalls {
    let causes = &stats.write_delays_by_cause;
    let by_cause =
        [("memtables", causes.memtables_full), ("debt", causes.flush_rate), ("level0", causes.level_0_rate)];
    by_cause.into_iter().map(|(cause, time)| (cause.to_owned(), time.as_secs_f64())).collect()
}

fn details(stats: &LSMStats) -> Value {
    let levels = stats.level_stats.iter();
    let levels: Vec<_> = levels
        .map(|(level, tables, bytes)| json!({"level": level, "tables": tables, "bytes": bytes}))
        .collect();
    json!({
        "levels": levels,
        "stalls": stats.write_delays.0,
        "flushes": stats.flush_stats.flushes,
        "flush_bytes": stats.flush_stats.bytes_written,
        "compactions": stats.compaction_stats.total_compactions,
        "trivial_moves": stats.compaction_stats.trivial_moves,
        "compaction_read_bytes": stats.compaction_stats.bytes_compacted,
        "compaction_bytes": stats.compaction_stats.bytes_written,
        "index_and_filter_bytes": stats.table_memory,
        "block_cache_hit_ratio": stats.block_cache_stats.hit_ratio,
        "row_cache_hit_ratio": stats.cache_stats.hit_ratio,
    })
}
