//! Clients that write down what they do, and the maintenance that goes on beside them: flushes, compactions, reopens
//! and power failures.
//!
//! ```text
//!   client 0      [put k0=1]   [get k1: nothing]     [batch]  ...
//!   client 1         [delete k1      ]  [get k0: 1]
//!   maintenance        [flush]      [close, open]        [crash] ...
//! ```
//!
//! A power failure begins a new epoch: the store goes on from a crash image, and the old one is left alone. What was
//! under way in the old one may have happened before the failure, or never.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use slice::vfs::MemFs;
use slice::{ErrorKind, Result};
use slice_crash::linearizability::{Action, Clock, Operation};
use tokio::sync::RwLock;

use crate::store::{Face, Setup, Store, delayed};

/// What clients do to a store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) face: Face,
    pub(crate) setup: Setup,
    pub(crate) clients: usize,
    pub(crate) keys: usize,
    /// Of each client.
    pub(crate) operations: usize,
    /// Of a hundred writes, how many are batches of all keys.
    pub(crate) batches: u32,
    /// Whether each client writes two keys that are its own, of which there are enough then, and deletes nothing.
    pub(crate) own_keys: bool,
    /// Whether the power may fail.
    pub(crate) crashes: bool,
}

/// An operation, and on the store of which epoch it was tried.
struct Note {
    epoch: usize,
    operation: Operation<Action>,
}

/// The store that clients find.
struct Open {
    epoch: usize,
    fs: MemFs,
    /// `None` only while it is being reopened.
    store: Option<Store>,
}

struct World {
    plan: Plan,
    clock: Arc<Clock>,
    open: RwLock<Open>,
    /// Clients that are not done yet.
    busy: AtomicUsize,
    notes: Mutex<Vec<Note>>,
    /// Of each epoch that a power failure ended: the times before and after the image was taken.
    crashes: Mutex<Vec<(u64, u64)>>,
}

/// Carries the plan out on an empty store, and gives the history.
pub(crate) fn run(plan: Plan) -> Vec<Operation<Action>> {
    let clock = Arc::new(Clock::new());
    let open = RwLock::new(Open { epoch: 0, fs: MemFs::new(), store: None });
    let busy = AtomicUsize::new(plan.clients);
    let world =
        Arc::new(World { plan, clock, open, busy, notes: Mutex::default(), crashes: Mutex::default() });
    match plan.face {
        Face::Threads => run_threads(&world),
        Face::Tasks => run_tasks(&world),
    }
    world.history()
}

fn run_threads(world: &Arc<World>) {
    current_thread(world.reopen_from(MemFs::new()));
    std::thread::scope(|scope| {
        for client in 0..world.plan.clients {
            scope.spawn(move || current_thread(world.client(client)));
        }
        scope.spawn(|| current_thread(world.maintain()));
    });
}

fn current_thread<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn run_tasks(world: &Arc<World>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        world.reopen_from(MemFs::new()).await;
        let mut tasks = tokio::task::JoinSet::new();
        for client in 0..world.plan.clients {
            let world = Arc::clone(world);
            tasks.spawn(async move { world.client(client).await });
        }
        let maintained = Arc::clone(world);
        tasks.spawn(async move { maintained.maintain().await });
        tasks.join_all().await;
    });
}

/// Counts a client as done when it is, also by a panic, so that nobody waits for it.
struct Busy<'a>(&'a AtomicUsize);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What came of a write.
enum Written {
    Acknowledged,
    /// Nobody knows.
    Unanswered,
}

impl World {
    fn random(&self, part: usize) -> SmallRng {
        SmallRng::seed_from_u64(self.plan.seed << 8 | part as u64)
    }

    async fn store(&self) -> (usize, Store) {
        let open = self.open.read().await;
        (open.epoch, open.store.clone().expect("whoever reopens it holds the lock"))
    }

    fn note(&self, epoch: usize, operation: Operation<Action>) {
        self.notes.lock().unwrap().push(Note { epoch, operation });
    }

    async fn client(&self, id: usize) {
        let _busy = Busy(&self.busy);
        let mut random = self.random(id);
        for n in 0..self.plan.operations {
            let (epoch, store) = self.store().await;
            let key = random.random_range(0..self.plan.keys);
            match random.random_range(0..100) {
                0..45 => self.read(id, epoch, &store, key).await,
                45..47 => self.sync(id, epoch, &store).await,
                _ => {
                    let entries = self.entries(id, n, key, &mut random);
                    let patient = self.plan.face == Face::Threads || random.random_range(0..12) > 0;
                    self.write(id, epoch, &store, entries, patient).await;
                }
            }
        }
    }

    /// What to write: to all keys at once, or to one. The value is nobody else's.
    fn entries(&self, id: usize, n: usize, key: usize, random: &mut SmallRng) -> Vec<(usize, Option<u64>)> {
        let value = (id * self.plan.operations + n) as u64 + 1;
        if self.plan.own_keys {
            return vec![(2 * id + n % 2, Some(value))];
        }
        if random.random_range(0..100) < self.plan.batches {
            (0..self.plan.keys).map(|key| (key, Some(value))).collect()
        } else {
            vec![(key, (random.random_range(0..4) > 0).then_some(value))]
        }
    }

    async fn read(&self, id: usize, epoch: usize, store: &Store, key: usize) {
        let called = self.clock.tick();
        let found = store.get(key).await;
        let returned = self.clock.tick();
        // A read that finds the store closed says nothing.
        if let Some(found) = unless_closed(found) {
            self.note(epoch, Operation::done(id, called, returned, Action::get(key, found)));
        }
    }

    async fn sync(&self, id: usize, epoch: usize, store: &Store) {
        let called = self.clock.tick();
        if unless_closed(store.sync().await).is_some() {
            self.note(epoch, Operation::done(id, called, self.clock.tick(), Action::Sync));
        }
    }

    async fn write(
        &self,
        id: usize,
        epoch: usize,
        store: &Store,
        entries: Vec<(usize, Option<u64>)>,
        patient: bool,
    ) {
        let called = self.clock.tick();
        let written = write(store, &entries, patient).await;
        let (returned, action) = (self.clock.tick(), Action::Write(entries));
        self.note(
            epoch,
            match written {
                Written::Acknowledged => Operation::done(id, called, returned, action),
                Written::Unanswered => Operation::maybe(id, called, returned, action),
            },
        );
    }

    /// Keeps the store busy for as long as there are clients.
    async fn maintain(&self) {
        let mut random = self.random(255);
        loop {
            let until = self.clock.now() + random.random_range(1..80);
            while self.clock.now() < until && self.busy.load(Ordering::SeqCst) > 0 {
                std::thread::yield_now();
                tokio::task::yield_now().await;
            }
            if self.busy.load(Ordering::SeqCst) == 0 {
                return;
            }
            match random.random_range(0..12) {
                0..4 => self.flush_or_compact(false).await,
                4..6 => self.flush_or_compact(true).await,
                6..8 => self.close_and_open().await,
                8..10 => self.drop_and_open().await,
                _ if self.plan.crashes => self.crash(random.random_range(0..3), random.random()).await,
                _ => {}
            }
        }
    }

    async fn flush_or_compact(&self, compact: bool) {
        let (epoch, store) = self.store().await;
        let called = self.clock.tick();
        let done = if compact { store.compact().await } else { store.flush().await };
        done.unwrap();
        self.note(epoch, Operation::done(self.plan.clients, called, self.clock.tick(), Action::Sync));
    }

    /// Clients that are in the midst of something find the store closed.
    async fn close_and_open(&self) {
        let mut open = self.open.write().await;
        let called = self.clock.tick();
        open.store.take().expect("it is open").close().await.unwrap();
        self.note(open.epoch, Operation::done(self.plan.clients, called, self.clock.tick(), Action::Sync));
        self.reopen(&mut open).await;
    }

    /// Clients that are in the midst of something keep the store open, or are the ones to drop it.
    async fn drop_and_open(&self) {
        let mut open = self.open.write().await;
        open.store = None;
        self.reopen(&mut open).await;
    }

    /// The image is taken while clients are in the midst of something; the times around it say of what.
    async fn crash(&self, keep: u32, seed: u64) {
        let mut open = self.open.write().await;
        let before = self.clock.tick();
        let image = open.fs.crash_image(f64::from(keep) / 2.0, seed);
        let after = self.clock.tick();
        self.crashes.lock().unwrap().push((before, after));
        let called = self.clock.tick();
        open.epoch += 1;
        self.note(open.epoch, Operation::done(self.plan.clients, called, self.clock.tick(), Action::Crash));
        open.store = None;
        open.fs = image;
        self.reopen(&mut open).await;
    }

    async fn reopen_from(&self, fs: MemFs) {
        let mut open = self.open.write().await;
        open.fs = fs;
        self.reopen(&mut open).await;
    }

    async fn reopen(&self, open: &mut Open) {
        let slow = delayed(&open.fs, Arc::clone(&self.clock), self.plan.seed);
        let builder = self.plan.setup.builder(Arc::new(slow));
        open.store = Some(Store::open(builder, self.plan.face).await.expect("the disk is sound"));
    }

    /// All that was noted, held against the power failures.
    fn history(&self) -> Vec<Operation<Action>> {
        let crashes = self.crashes.lock().unwrap().clone();
        let notes = std::mem::take(&mut *self.notes.lock().unwrap());
        let settled =
            notes.into_iter().filter_map(|note| settle(note.operation, crashes.get(note.epoch).copied()));
        // Without power failures, syncs say nothing.
        settled.filter(|operation| !crashes.is_empty() || operation.action != Action::Sync).collect()
    }
}

async fn write(store: &Store, entries: &[(usize, Option<u64>)], patient: bool) -> Written {
    let written =
        if patient { Some(store.write(entries).await) } else { at_once(store.write(entries)).await };
    match written.and_then(unless_closed) {
        Some(()) => Written::Acknowledged,
        None => Written::Unanswered,
    }
}

/// Gives a future one chance, and drops it.
async fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// The answer, if the store was not closed in the meantime. No other error is expected of a sound disk.
fn unless_closed<T>(answer: Result<T>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) if error.kind() == ErrorKind::Closed => None,
        Err(error) => panic!("the disk is sound, and yet: {error}"),
    }
}

/// What is known of an operation, when the power failed between two times in the epoch that it was tried in.
fn settle(operation: Operation<Action>, crash: Option<(u64, u64)>) -> Option<Operation<Action>> {
    let Some((before, after)) = crash else { return Some(operation) };
    if operation.returned < before {
        return Some(operation);
    }
    // What was under way is a write that may have happened before the failure; the rest was told to nobody.
    let is_write = matches!(operation.action, Action::Write(_));
    (is_write && operation.called < after).then(|| Operation {
        returned: operation.returned.min(after),
        certain: false,
        ..operation
    })
}
