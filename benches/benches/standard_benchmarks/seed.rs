//! The mixes of the benchmark that the seed of this project came with, on its terms.
//!
//! It cut its keys to 16 bytes, so that there were 1 to 10 different ones; nothing ever left its memtable; one task did
//! all, and its scans were gets. Here the keys are whole and there are ten of them. What is timed is a loop in one task:
//! make the key, then `put` or `get` through the async face. All gets must find a value of the right length.
//!
//! `docs/BENCHMARK_RESULTS.md` sets the figures beside the seed's. As a measure of a store they are worth little.

use std::time::Duration;

use criterion::Criterion;
use slice::{LSMTree, Options};
use slice_benches::clock;
use slice_benches::keys::key;

use crate::rounds::Group;
use crate::store::Store;

const KEYS: u64 = 10;
/// Operations on one store. Even if all are writes of the largest values, they fit the memtable.
const OPS: u64 = 100_000;
/// The memtable is left alone for as long as any benchmark takes.
const FOREVER: Duration = Duration::from_secs(24 * 3600);

/// What is done: so many reads of a hundred operations, and the others are writes.
struct Mix {
    name: &'static str,
    reads_of_100: u64,
    order: Order,
    value_bytes: usize,
}

/// Which key comes next.
#[derive(Clone, Copy)]
enum Order {
    Turns,
    Scattered,
}

const fn mix(name: &'static str, reads_of_100: u64, order: Order) -> Mix {
    Mix { name, reads_of_100, order, value_bytes: 100 }
}

const MIXES: [Mix; 11] = [
    mix("ycsb-a", 50, Order::Scattered),
    mix("ycsb-b", 95, Order::Scattered),
    mix("ycsb-c", 100, Order::Scattered),
    mix("fillseq", 0, Order::Turns),
    mix("fillrandom", 0, Order::Scattered),
    mix("overwrite", 0, Order::Scattered),
    mix("readrandom", 100, Order::Scattered),
    mix("readseq", 100, Order::Turns),
    mix("seekrandom", 100, Order::Scattered),
    mix("readwhilewriting", 90, Order::Scattered),
    Mix { value_bytes: 800, ..mix("mix-80-20", 80, Order::Scattered) },
];

pub(crate) fn all(criterion: &mut Criterion) {
    let mut group = Group::new(criterion, "Seed");
    let mut options = Options::default();
    options.memtable_max_age = FOREVER;
    for mix in MIXES {
        group.measure(mix.name, OPS, || once(&mix, &options));
    }
}

/// All operations on a store of their own, which holds the keys when the clock starts.
fn once(mix: &Mix, options: &Options) -> Duration {
    let store = Store::empty(options);
    let value = vec![b'v'; mix.value_bytes];
    let took = store.block_on(async |lsm| {
        for index in 0..KEYS {
            lsm.put(&key(index), &value).await?;
        }
        let start = clock::now();
        operations(mix, lsm, &value).await?;
        Ok(start.elapsed())
    });
    took.expect("the store answers")
}

async fn operations(mix: &Mix, lsm: &LSMTree, value: &[u8]) -> slice::Result<()> {
    let mut state = 1_u64;
    for op in 0..OPS {
        let index = match mix.order {
            Order::Turns => op % KEYS,
            Order::Scattered => {
                // Knuth's generator: a multiplication, so that what is measured is the store.
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % KEYS
            }
        };
        // 61 and 100 have no divisor in common: of a hundred operations each comes once.
        if op * 61 % 100 < mix.reads_of_100 {
            let found = lsm.get(&key(index)).await?;
            assert_eq!(found.map(|found| found.len()), Some(value.len()), "key {index}");
        } else {
            lsm.put(&key(index), value).await?;
        }
    }
    Ok(())
}
