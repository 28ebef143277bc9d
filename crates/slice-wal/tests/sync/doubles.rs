//! Logs that write down what is done to them, gates to stop threads at, and an executor of one poll.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use slice_types::{ErrorKind, LogNumber, Result};
use slice_vfs::{LogControl, SyncSite};
use slice_wal::{GroupSync, LogPosition};

pub(crate) fn at(log: u32, offset: u64) -> LogPosition {
    LogPosition { log: LogNumber(log), offset }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was done, in order.
pub(crate) type Events = Arc<Mutex<Vec<String>>>;

/// A log whose syncs are written down, fail when told to, and stop at a gate when it is shut.
#[derive(Debug, Default)]
pub(crate) struct Double {
    pub(crate) number: u32,
    pub(crate) events: Events,
    /// Fails this many syncs.
    pub(crate) failures: AtomicUsize,
    pub(crate) panics: bool,
    pub(crate) gate: Gate,
}

impl LogControl for Double {
    fn sync(&self, _site: SyncSite) -> io::Result<()> {
        lock(&self.events).push(format!("sync {}", self.number));
        self.gate.pass();
        assert!(!self.panics, "a file system with a bug");
        let fails = |left: usize| left.checked_sub(1);
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fails).is_ok() {
            return Err(io::Error::other("the disk is on fire"));
        }
        Ok(())
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Lets threads through, or holds them until it is opened.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct GateState {
    is_shut: bool,
    arrived: usize,
}

impl Gate {
    pub(crate) fn shut(&self) {
        lock(&self.state).is_shut = true;
    }

    pub(crate) fn open(&self) {
        lock(&self.state).is_shut = false;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let mut state = lock(&self.state);
        state.arrived += 1;
        self.changed.notify_all();
        while state.is_shut {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn wait_for_arrivals(&self, count: usize) {
        let mut state = lock(&self.state);
        while state.arrived < count {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Announces a double whose name's syncs are written down too.
pub(crate) fn add(group: &GroupSync, double: Double) -> Arc<Double> {
    let double = Arc::new(double);
    let named = Arc::clone(&double);
    let sync_name = move || {
        lock(&named.events).push(format!("name {}", named.number));
        Ok(())
    };
    group.add_log(LogNumber(double.number), "log".into(), Arc::clone(&double) as _, Box::new(sync_name));
    double
}

pub(crate) fn double(number: u32, events: &Events) -> Double {
    Double { number, events: Arc::clone(events), ..Double::default() }
}

/// A group with logs 1 up to `count`.
pub(crate) fn group_of(count: u32) -> (GroupSync, Events, Vec<Arc<Double>>) {
    let (group, events) = (GroupSync::new(), Events::default());
    let doubles = (1..=count).map(|n| add(&group, double(n, &events))).collect();
    (group, events, doubles)
}

pub(crate) fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Counts its wakings.
#[derive(Default)]
pub(crate) struct Wakings(pub(crate) AtomicUsize);

impl Wake for Wakings {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(crate) fn poll<F: Future>(future: Pin<&mut F>, wakings: &Arc<Wakings>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::clone(wakings))))
}
