//! Stops a background thread in the midst of its work, so that a test decides what comes first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use slice::vfs::{Call, FaultFs, MemFs};

/// How long anything may take: what is not done by then hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Where the next thread of a name stops before it begins a table, once the gate is [shut](Gate::shut).
pub(crate) struct Gate {
    is_shut: Arc<AtomicBool>,
    arrivals: Receiver<()>,
    go_on: Sender<()>,
}

impl Gate {
    pub(crate) fn shut(&self) {
        self.is_shut.store(true, Ordering::SeqCst);
    }

    /// Waits until a thread stands before it.
    pub(crate) fn arrival(&self) {
        self.arrivals.recv_timeout(LIMIT).expect("the thread has a table to write");
    }

    /// Lets the thread go on.
    pub(crate) fn open(&self) {
        self.go_on.send(()).expect("the disk is there");
    }
}

/// A disk with a gate for the threads of each of these names.
pub(crate) fn gates<const N: usize>(threads: [&'static str; N]) -> (FaultFs, [Gate; N]) {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let (gates, watchers): (Vec<_>, Vec<_>) = threads.into_iter().map(gate).unzip();
    fs.watch(move |operation| {
        if operation.call == Call::CreateAppend {
            for watcher in &watchers {
                watcher();
            }
        }
    });
    let Ok(gates) = gates.try_into() else { unreachable!("a gate for each thread") };
    (fs, gates)
}

fn gate(thread: &'static str) -> (Gate, impl Fn() + Send + Sync) {
    let is_shut = Arc::new(AtomicBool::new(false));
    let ((arrived, arrivals), (go_on, going)) = (channel(), channel::<()>());
    let (stops, going) = (Arc::clone(&is_shut), Mutex::new(going));
    let watcher = move || {
        let is_it = std::thread::current().name().is_some_and(|name| name.starts_with(thread));
        if is_it && stops.swap(false, Ordering::SeqCst) {
            // Nobody listens once the test has failed.
            let _ = arrived.send(());
            let _ = going.lock().unwrap().recv_timeout(LIMIT);
        }
    };
    (Gate { is_shut, arrivals, go_on }, watcher)
}

/// Does something on a thread of its own; what comes of it is to be waited for with a bound.
pub(crate) fn beside<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (told, tell) = channel();
    std::thread::Builder::new().spawn(move || told.send(body())).expect("a test may start threads");
    tell
}

/// Waits for what there is no signal for.
#[track_caller]
pub(crate) fn until(holds: impl Fn() -> bool + Send + 'static) {
    let done = beside(move || {
        while !holds() {
            std::thread::yield_now();
        }
    });
    done.recv_timeout(LIMIT).expect("it comes true in time");
}

/// Asserts that somebody still waits. What must not happen has no signal: a moment has to do.
#[track_caller]
pub(crate) fn assert_waits<T>(told: &Receiver<T>) {
    assert!(told.recv_timeout(Duration::from_millis(50)).is_err(), "told too early");
}
