//! Both faces of a store as one, so that a client is written once: for tasks on one runtime, and for threads.

use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use slice::planted::Bug;
use slice::vfs::{FaultFs, MemFs};
use slice::{Background, Builder, Compression, Durability, LSMTree, Result, Strategy, WriteBatch, blocking};
use slice_crash::linearizability::{Clock, Promise};

/// Which face of the store clients see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// The blocking one, a thread for each client.
    Threads,
    /// The async one, a task for each client on four workers.
    Tasks,
}

/// A handle of a store. With threads, the futures of its methods block and are done at once.
#[derive(Clone)]
pub(crate) enum Store {
    Blocking(blocking::LSMTree),
    Async(LSMTree),
}

macro_rules! both {
    ($store:expr, $method:ident($($argument:expr),*)) => {
        match $store {
            Store::Blocking(lsm) => lsm.$method($($argument),*),
            Store::Async(lsm) => lsm.$method($($argument),*).await,
        }
    };
}

impl Store {
    pub(crate) async fn open(builder: Builder, face: Face) -> Result<Self> {
        match face {
            Face::Threads => builder.open_blocking().map(Self::Blocking),
            Face::Tasks => builder.open().await.map(Self::Async),
        }
    }

    pub(crate) async fn get(&self, key: usize) -> Result<Option<u64>> {
        let found = both!(self, get(&key_bytes(key)))?;
        Ok(found.map(|value| number(&value)))
    }

    /// Writes a key with `put` or `delete`, several with a batch.
    pub(crate) async fn write(&self, entries: &[(usize, Option<u64>)]) -> Result<()> {
        match entries {
            [(key, Some(value))] => both!(self, put(&key_bytes(*key), &value_bytes(*value))),
            [(key, None)] => both!(self, delete(&key_bytes(*key))),
            _ => both!(self, write(batch(entries)?)),
        }
    }

    pub(crate) async fn sync(&self) -> Result<()> {
        both!(self, sync())
    }

    pub(crate) async fn flush(&self) -> Result<()> {
        both!(self, flush())
    }

    pub(crate) async fn compact(&self) -> Result<()> {
        both!(self, compact())
    }

    pub(crate) async fn close(&self) -> Result<()> {
        both!(self, close())
    }
}

/// A batch of these entries.
pub(crate) fn batch(entries: &[(usize, Option<u64>)]) -> Result<WriteBatch> {
    let mut batch = WriteBatch::new();
    for (key, value) in entries {
        match value {
            Some(value) => batch.put(&key_bytes(*key), &value_bytes(*value))?,
            None => batch.delete(&key_bytes(*key))?,
        }
    }
    Ok(batch)
}

pub(crate) fn key_bytes(key: usize) -> Vec<u8> {
    format!("key {key:06}").into_bytes()
}

/// A value that tells whether it is whole, and fills a memtable soon.
pub(crate) fn value_bytes(value: u64) -> Vec<u8> {
    value.to_be_bytes().repeat(8)
}

pub(crate) fn number(bytes: &[u8]) -> u64 {
    let value = u64::from_be_bytes(bytes[..8].try_into().unwrap());
    assert_eq!(bytes, value_bytes(value), "a value in parts");
    value
}

/// How a store is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) durability: Durability,
    pub(crate) strategy: Strategy,
    pub(crate) background: Background,
    pub(crate) bug: Option<Bug>,
}

impl Setup {
    pub(crate) fn promise(self) -> Promise {
        if self.durability == Durability::Fsync { Promise::Durable } else { Promise::Buffered }
    }

    /// Memtables and tables of a few entries, so that flushes and compactions run all the time.
    pub(crate) fn builder(self, fs: Arc<dyn slice::vfs::Fs>) -> Builder {
        let builder = LSMTree::builder("/db")
            .fs(fs)
            .durability(self.durability)
            .strategy(self.strategy)
            .background(self.background)
            .compression(Compression::None)
            .memtable_size(1 << 10)
            .row_cache_entries(4)
            .block_size(64)
            .level_base_bytes(2 << 10)
            .target_table_bytes(1 << 10)
            .l0_compaction_trigger(2)
            .l0_slowdown_trigger(1000);
        match self.bug {
            Some(bug) => builder.plant(bug),
            None => builder,
        }
    }
}

/// The file system, whose operations take their time now and then: one in eight, chosen by the seed, waits until the
/// clients have got on by some steps, or cannot. So logs are switched, tables written and views replaced while reads
/// and writes are under way.
pub(crate) fn delayed(fs: &MemFs, clock: Arc<Clock>, seed: u64) -> FaultFs {
    let slow = FaultFs::new(Arc::new(fs.clone()));
    let random = std::sync::Mutex::new(SmallRng::seed_from_u64(seed));
    slow.watch(move |_| {
        let choice: u64 = random.lock().unwrap().random();
        if choice.is_multiple_of(8) {
            let until = clock.now() + choice / 8 % 12;
            (0..40).take_while(|_| clock.now() < until).for_each(|_| std::thread::yield_now());
        }
    });
    slow
}
