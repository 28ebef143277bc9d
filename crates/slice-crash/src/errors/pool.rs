//! Runs cases side by side, under a watchdog.
//!
//! A case that does not end cannot be ended; its thread is left behind, and the run fails with its name.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, available_parallelism};
use std::time::Duration;

use super::case::{Case, Failure};
use super::report::{Outcome, Report};
use super::session::{self, Checked};
use super::workload::Workload;

/// The cases of a run, and how far it is.
struct Queue {
    cases: Vec<Case>,
    workload: Workload,
    next: AtomicUsize,
    /// What each worker is at.
    running: Vec<Mutex<Option<Case>>>,
}

/// Runs the cases, the first failure ends it.
pub(super) fn run(cases: Vec<Case>, workload: &Workload, limit: Duration) -> Result<Report, Failure> {
    let workers = available_parallelism().map_or(1, usize::from).min(cases.len());
    let running = (0..workers).map(|_| Mutex::default()).collect();
    let queue = Arc::new(Queue { cases, workload: workload.clone(), next: AtomicUsize::new(0), running });
    let (told, tell) = channel();
    for worker in 0..workers {
        let (queue, told) = (Arc::clone(&queue), told.clone());
        let started = Builder::new().name(format!("case-{worker}")).spawn(move || queue.work(worker, &told));
        started.expect("a test may start threads");
    }
    drop(told);
    let collected = queue.collect(&tell, limit);
    // Nobody begins another case.
    queue.next.store(queue.cases.len(), Ordering::Relaxed);
    collected
}

impl Queue {
    fn work(&self, worker: usize, told: &Sender<(Case, Checked<Outcome>)>) {
        while let Some(case) = self.cases.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            *self.running[worker].lock().unwrap_or_else(PoisonError::into_inner) = Some(*case);
            let caught = catch_unwind(AssertUnwindSafe(|| session::run(case, &self.workload)));
            let outcome = caught.unwrap_or_else(|panic| Err(format!("a panic: {}", text_of(&*panic))));
            *self.running[worker].lock().unwrap_or_else(PoisonError::into_inner) = None;
            if told.send((*case, outcome)).is_err() {
                return;
            }
        }
    }

    fn collect(
        &self,
        outcomes: &Receiver<(Case, Checked<Outcome>)>,
        limit: Duration,
    ) -> Result<Report, Failure> {
        let mut report = Report::default();
        for _ in 0..self.cases.len() {
            let Ok((case, outcome)) = outcomes.recv_timeout(limit) else { return Err(self.hang(limit)) };
            let outcome = outcome.map_err(|message| Failure { case, message })?;
            report.add_outcome(&case, &outcome);
        }
        Ok(report)
    }

    fn hang(&self, limit: Duration) -> Failure {
        let at_work = |slot: &Mutex<Option<Case>>| *slot.lock().unwrap_or_else(PoisonError::into_inner);
        let hanging: Vec<_> = self.running.iter().filter_map(at_work).collect();
        let names: Vec<_> = hanging.iter().map(ToString::to_string).collect();
        let case = hanging.first().copied().unwrap_or(self.cases[0]);
        Failure { case, message: format!("no case has ended for {limit:?}; at work: {}", names.join("; ")) }
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".to_owned())
}
