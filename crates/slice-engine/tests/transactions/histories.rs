//! Many transactions at once, each in the middle of the others, and what they say held against their isolation: no
//! cycle that it forbids. A store that leaves out one of its checks is found out.
//!
//! Values are lists of numbers, to which transactions append; see `slice_crash::isolation`. A scan reads all keys.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use slice::blocking::{LSMTree, Transaction};
use slice::planted::Bug;
use slice::{Builder, ErrorKind, Isolation, Result};
use slice_crash::isolation::{Outcome, Promise, Step, Transaction as Told, verify};
use slice_crash::linearizability::Clock;

use crate::threaded;

const KEYS: usize = 5;
const CLIENTS: usize = 4;
const TRANSACTIONS: usize = 150;

/// What the clients of a run share.
struct Run {
    clock: Clock,
    elements: AtomicU64,
    told: Mutex<Vec<Told>>,
    isolation: Isolation,
}

fn key(n: usize) -> Vec<u8> {
    format!("list{n}").into_bytes()
}

fn list(value: Option<&[u8]>) -> Vec<u64> {
    let text = std::str::from_utf8(value.unwrap_or_default()).expect("a list is text");
    text.split_terminator(',').map(|element| element.parse().expect("a number")).collect()
}

/// What one transaction does, chosen before it begins.
#[derive(Clone, Copy)]
enum Todo {
    Read(usize),
    Append(usize),
    Scan,
    Wait,
}

fn todo(random: &mut StdRng) -> Vec<Todo> {
    let one = |random: &mut StdRng| match random.random_range(0..10) {
        0..4 => Todo::Read(random.random_range(0..KEYS)),
        4..7 => Todo::Append(random.random_range(0..KEYS)),
        7 => Todo::Scan,
        _ => Todo::Wait,
    };
    (0..random.random_range(2..7)).map(|_| one(random)).collect()
}

impl Run {
    fn new(isolation: Isolation) -> Self {
        Self { clock: Clock::new(), elements: AtomicU64::new(0), told: Mutex::default(), isolation }
    }

    fn append(&self, value: Option<&[u8]>) -> (u64, Vec<u8>) {
        let element = self.elements.fetch_add(1, Ordering::Relaxed);
        let mut value = value.unwrap_or_default().to_vec();
        value.extend_from_slice(format!("{element},").as_bytes());
        (element, value)
    }

    fn tell(&self, client: usize, called: u64, steps: Vec<Step>, committed: &Result<()>) {
        let outcome = match committed {
            Ok(()) => Outcome::Committed,
            Err(error) if error.kind() == ErrorKind::Conflict => Outcome::Aborted,
            Err(error) => panic!("the disk is sound, and yet: {error}"),
        };
        let told = Told { client, called, returned: self.clock.tick(), outcome, steps };
        self.told.lock().expect("no client panics").push(told);
    }

    /// A client with threads.
    fn client(&self, lsm: &LSMTree, client: usize, seed: u64) {
        let mut random = StdRng::seed_from_u64(seed << 8 | client as u64);
        for _ in 0..TRANSACTIONS {
            let called = self.clock.tick();
            let transaction = lsm.begin(self.isolation);
            let mut steps = Vec::new();
            for todo in todo(&mut random) {
                self.step(&transaction, todo, &mut steps).expect("the disk is sound");
            }
            self.tell(client, called, steps, &transaction.commit());
        }
    }

    fn step(&self, transaction: &Transaction, todo: Todo, steps: &mut Vec<Step>) -> Result<()> {
        match todo {
            Todo::Wait => std::thread::yield_now(),
            Todo::Read(n) => steps.push(read(n, transaction.get(&key(n))?.as_deref())),
            Todo::Append(n) => {
                let value = transaction.get(&key(n))?;
                steps.push(read(n, value.as_deref()));
                let (element, value) = self.append(value.as_deref());
                transaction.put(&key(n), &value)?;
                steps.push(Step::Append { key: n, element });
            }
            Todo::Scan => {
                let found = transaction.prefix("list").collect::<Result<Vec<_>>>()?;
                steps.extend(scanned(&found));
            }
        }
        Ok(())
    }

    /// A client with tasks.
    async fn async_client(&self, lsm: &slice::LSMTree, client: usize, seed: u64) -> Result<()> {
        let mut random = StdRng::seed_from_u64(seed << 8 | client as u64);
        for _ in 0..TRANSACTIONS {
            let called = self.clock.tick();
            let transaction = lsm.begin(self.isolation);
            let mut steps = Vec::new();
            for todo in todo(&mut random) {
                match todo {
                    Todo::Wait => tokio::task::yield_now().await,
                    Todo::Read(n) => steps.push(read(n, transaction.get(&key(n)).await?.as_deref())),
                    Todo::Append(n) => {
                        let value = transaction.get(&key(n)).await?;
                        steps.push(read(n, value.as_deref()));
                        let (element, value) = self.append(value.as_deref());
                        transaction.put(&key(n), &value)?;
                        steps.push(Step::Append { key: n, element });
                    }
                    Todo::Scan => {
                        let (mut scan, mut found) = (transaction.prefix("list"), Vec::new());
                        while let Some(entry) = scan.next().await {
                            found.push(entry?);
                        }
                        steps.extend(scanned(&found));
                    }
                }
            }
            self.tell(client, called, steps, &transaction.commit().await);
        }
        Ok(())
    }

    /// The history, with a last transaction that reads all.
    fn history(self, lsm: &LSMTree) -> Vec<Told> {
        let (called, transaction) = (self.clock.tick(), lsm.begin(self.isolation));
        let found = transaction.iter().collect::<Result<Vec<_>>>().expect("the disk is sound");
        self.tell(CLIENTS, called, scanned(&found), &Ok(()));
        self.told.into_inner().expect("no client panics")
    }
}

fn read(key: usize, value: Option<&[u8]>) -> Step {
    Step::Read { key, found: list(value) }
}

/// A read of each key, there or not.
fn scanned(found: &[(bytes::Bytes, bytes::Bytes)]) -> Vec<Step> {
    let value = |n: usize| found.iter().find(|(name, _)| **name == key(n)).map(|(_, value)| &**value);
    (0..KEYS).map(|n| read(n, value(n))).collect()
}

/// What clients with threads say of a store.
fn history(builder: Builder, isolation: Isolation, seed: u64) -> Vec<Told> {
    let lsm = builder.open_blocking().expect("it opens");
    let run = Run::new(isolation);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (lsm, run) = (&lsm, &run);
            scope.spawn(move || run.client(lsm, client, seed));
        }
    });
    run.history(&lsm)
}

const PROMISES: [(Isolation, Promise); 2] =
    [(Isolation::Snapshot, Promise::Snapshot), (Isolation::Serializable, Promise::Serializable)];

#[test]
fn histories_of_threads_keep_to_their_isolation() {
    for (isolation, promise) in PROMISES {
        for seed in 0..4 {
            let history = history(threaded(), isolation, seed);
            let refused = history.iter().filter(|told| told.outcome == Outcome::Aborted).count();
            assert!(refused > 0, "seed {seed}: the clients do not meet");
            verify(&history, promise).unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_of_tasks_keep_to_their_isolation() -> Result<()> {
    for (isolation, promise) in PROMISES {
        let fs = Arc::new(slice::vfs::MemFs::new());
        let lsm = threaded().fs(Arc::clone(&fs) as _).open().await?;
        let run = Arc::new(Run::new(isolation));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (lsm, run) = (lsm.clone(), Arc::clone(&run));
                tokio::spawn(async move { run.async_client(&lsm, client, 7).await })
            })
            .collect();
        for client in clients {
            client.await.expect("no client panics")?;
        }
        let run = Arc::into_inner(run).expect("the clients are done");
        let history = tokio::task::spawn_blocking(move || {
            run.history(&threaded().fs(fs).open_blocking().expect("it is open"))
        });
        verify(&history.await.expect("it reads"), promise).unwrap_or_else(|violation| panic!("{violation}"));
    }
    Ok(())
}

#[test]
fn snapshot_isolation_shows_write_skew_in_a_history() {
    let is_skewed =
        |seed| verify(&history(threaded(), Isolation::Snapshot, seed), Promise::Serializable).is_err();
    assert!((0..20).any(is_skewed), "no two transactions met");
}

/// Whether the store that has the bug is found out.
fn is_caught(bug: Bug, isolation: Isolation, promise: Promise) -> bool {
    (0..20).any(|seed| verify(&history(threaded().plant(bug), isolation, seed), promise).is_err())
}

#[test]
fn a_store_that_does_not_check_reads_is_found_out() {
    assert!(is_caught(Bug::SkipReadValidation, Isolation::Serializable, Promise::Serializable));
}

#[test]
fn a_store_that_does_not_check_writes_is_found_out() {
    assert!(is_caught(Bug::SkipWriteValidation, Isolation::Snapshot, Promise::Snapshot));
}
