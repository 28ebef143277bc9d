//! A task that shares a runtime with the clients, and how late it is: what a blocked runtime does to others.
//!
//! ```text
//!   a thread:   sends the time ──┐ every millisecond
//!   the task:                    └──> receives it, and records how long it was on its way
//! ```
//!
//! The thread is none of the runtime's, so it sends in time even when all workers are blocked; what it has sent
//! meanwhile waits, and counts.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, anyhow};
use hdrhistogram::Histogram;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::clock::Stopwatch;
use crate::meter::no_latencies;

/// How often the task is sent something.
const PERIOD: Duration = Duration::from_millis(1);

/// The task, and the thread that sends.
#[derive(Debug)]
pub struct Neighbour {
    stop: std::sync::mpsc::Sender<()>,
    sender: std::thread::JoinHandle<()>,
    task: JoinHandle<Histogram<u64>>,
}

impl Neighbour {
    /// Moves into the runtime that this is called in.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn move_in() -> anyhow::Result<Self> {
        let watch = Stopwatch::start();
        let (letters, mailbox) = unbounded_channel();
        let (stop, stopped) = channel();
        let task = tokio::spawn(receive(mailbox, watch.clone(), no_latencies()?));
        let send = move || send(&letters, &watch, &stopped);
        let sender = std::thread::Builder::new().name("neighbour".to_owned()).spawn(send);
        Ok(Self { stop, sender: sender.context("no thread")?, task })
    }

    /// How late it was, in nanoseconds.
    ///
    /// # Errors
    ///
    /// If the thread or the task has panicked.
    pub async fn move_out(self) -> anyhow::Result<Histogram<u64>> {
        drop(self.stop);
        let delays = self.task.await.context("the neighbour panicked")?;
        self.sender.join().map_err(|_| anyhow!("the neighbour's thread panicked"))?;
        Ok(delays)
    }
}

fn send(letters: &UnboundedSender<u64>, watch: &Stopwatch, stopped: &std::sync::mpsc::Receiver<()>) {
    while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
        if letters.send(watch.nanos()).is_err() {
            return;
        }
    }
}

async fn receive(
    mut mailbox: UnboundedReceiver<u64>,
    watch: Stopwatch,
    mut delays: Histogram<u64>,
) -> Histogram<u64> {
    while let Some(sent) = mailbox.recv().await {
        delays.saturating_record(watch.nanos().saturating_sub(sent).max(1));
    }
    delays
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCKED_MS: u64 = 60;

    /// The longest delay while the only worker is kept for a while.
    fn longest_while(keep: fn(Duration)) -> Duration {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build();
        let delays = runtime.unwrap().block_on(async move {
            tokio::spawn(async move {
                let neighbour = Neighbour::move_in().unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
                keep(Duration::from_millis(BLOCKED_MS));
                tokio::time::sleep(Duration::from_millis(20)).await;
                neighbour.move_out().await.unwrap()
            })
            .await
            .unwrap()
        });
        assert!(delays.len() > 5, "only {} were sent", delays.len());
        Duration::from_nanos(delays.max())
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a blocked worker is what is measured")]
    fn a_blocked_worker_makes_the_neighbour_late_for_as_long() {
        let longest = longest_while(std::thread::sleep);
        // The first letter in the blocked time is sent at its beginning, give or take some turns of the sender.
        assert!(longest >= Duration::from_millis(BLOCKED_MS / 2), "{longest:?}");
    }
}
