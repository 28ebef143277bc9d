//! A worker as its parent sees it: started, listened to, told, killed.
//!
//! Invariant: every wait has an end. A worker that says nothing for [`PATIENCE`] hangs, which is a failure.
#![expect(clippy::disallowed_methods, reason = "waits end by the clock, and the listener is a thread")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

use super::expected::Expected;
use super::protocol::{Event, Order};
use super::tuning::Tuning;
use super::workload::Rows;

/// How long a worker may say nothing.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The arguments that make this program a worker on a directory.
pub(super) fn worker_args(dir: &Path, expected: &Expected, tuning: &Tuning) -> Vec<String> {
    let workload = expected.workload();
    let mut args = vec!["worker".to_owned()];
    let mut option = |name: &str, value: String| args.extend([format!("--{name}"), value]);
    option("dir", dir.display().to_string());
    option("seed", workload.seed.to_string());
    option("writers", workload.writers.to_string());
    option("keys", workload.keys.to_string());
    option("largest-batch", workload.largest_batch.to_string());
    option("round", tuning.round.to_string());
    tuning.memtable.into_iter().for_each(|bytes| option("memtable", bytes.to_string()));
    args.extend(tuning.inline.then(|| "--inline".to_owned()));
    args.extend(tuning.fsync.then(|| "--fsync".to_owned()));
    args
}

/// A running worker.
pub(super) struct Worker {
    child: Child,
    orders: Option<ChildStdin>,
    events: Receiver<Event>,
    rows: Vec<Rows>,
    /// What failed, so far, by call and kind.
    pub(super) failures: Vec<String>,
    pub(super) has_opened: bool,
    pub(super) has_closed: bool,
}

/// What there was to hear.
#[derive(Debug)]
pub(super) enum Heard {
    Event(Event),
    /// Nothing, until the time was over.
    Nothing,
    /// The worker has ended.
    End,
}

impl Worker {
    /// Starts a worker, as the leader of a process group.
    pub(super) fn start(mut command: Command, writers: usize) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().with_context(|| format!("could not start {command:?}"))?;
        let stdout = child.stdout.take().context("the worker's output is piped")?;
        let orders = child.stdin.take();
        let (told, events) = channel();
        std::thread::spawn(move || {
            // The last line of a killed worker may be half a line.
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines
                .map_while(|line| serde_json::from_str(&line).ok())
                .take_while(|event: &Event| told.send(event.clone()).is_ok())
                .for_each(drop);
        });
        let rows = vec![Rows::new(); writers];
        Ok(Self { child, orders, events, rows, failures: Vec::new(), has_opened: false, has_closed: false })
    }

    /// Waits for what the worker says next, but no longer than that, and compares it with what is expected.
    ///
    /// # Errors
    ///
    /// When it is not as expected.
    pub(super) fn listen(&mut self, expected: &mut Expected, wait: Duration) -> Result<Heard> {
        let event = match self.events.recv_timeout(wait) {
            Ok(event) => event,
            Err(RecvTimeoutError::Timeout) => return Ok(Heard::Nothing),
            Err(RecvTimeoutError::Disconnected) => return Ok(Heard::End),
        };
        match &event {
            Event::Opened => self.has_opened = true,
            Event::Closed => self.has_closed = true,
            Event::Row { writer, key, value } => drop(self.rows[*writer].insert(*key, value.clone())),
            Event::Dumped => expected.check(&self.rows)?,
            Event::Acked { writer, n } => expected.acked(*writer, *n)?,
            Event::Violation(text) => bail!("{text}"),
            Event::Failed { call, kind, text } => {
                ensure!(["Io", "StorageFull", "ReadOnly"].contains(&kind.as_str()), "{call}: {kind}: {text}");
                self.failures.push(format!("{call} {kind}"));
            }
            Event::Opening | Event::Settled { .. } => {}
        }
        Ok(Heard::Event(event))
    }

    /// Listens until something was said, the worker has ended, or a moment has come.
    pub(super) fn listen_until(
        &mut self,
        expected: &mut Expected,
        moment: Instant,
        mut is_it: impl FnMut(&Event) -> bool,
    ) -> Result<Heard> {
        loop {
            let left = moment.saturating_duration_since(Instant::now());
            match self.listen(expected, left)? {
                Heard::Event(event) if is_it(&event) => return Ok(Heard::Event(event)),
                Heard::Event(_) if !left.is_zero() => {}
                Heard::Event(_) => return Ok(Heard::Nothing),
                other => return Ok(other),
            }
        }
    }

    /// As [`listen_until`](Self::listen_until), for what has to come.
    pub(super) fn await_event(
        &mut self,
        expected: &mut Expected,
        what: &str,
        is_it: impl FnMut(&Event) -> bool,
    ) -> Result<Event> {
        match self.listen_until(expected, Instant::now() + PATIENCE, is_it)? {
            Heard::Event(event) => Ok(event),
            Heard::Nothing => {
                bail!("the worker hangs: no {what} within {PATIENCE:?}; failures {:?}", self.failures)
            }
            Heard::End => bail!("the worker ended before {what}; failures {:?}", self.failures),
        }
    }

    /// Waits until all rows are told, and lets the writers begin.
    pub(super) fn go(&mut self, expected: &mut Expected) -> Result<()> {
        self.await_event(expected, "all rows", |event| matches!(event, Event::Dumped))?;
        self.order_go(expected);
        Ok(())
    }

    /// Lets the writers begin.
    pub(super) fn order_go(&mut self, expected: &mut Expected) {
        let next = expected.next();
        expected.go();
        self.order(&Order::Go(next));
    }

    /// Tells the worker something; a dead one does not mind.
    pub(super) fn order(&mut self, order: &Order) {
        if let Some(orders) = &mut self.orders {
            let _dead = writeln!(orders, "{}", order.line());
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // The group may be gone already.
        let _ = group.map(|group| kill_process_group(group, signal));
    }

    /// Hears the worker out, to its end.
    pub(super) fn end(&mut self, expected: &mut Expected) -> Result<ExitStatus> {
        let moment = Instant::now() + PATIENCE;
        self.orders = None;
        match self.listen_until(expected, moment, |_| false)? {
            Heard::End => {}
            _ => bail!("the worker hangs: it did not end within {PATIENCE:?}; failures {:?}", self.failures),
        }
        Ok(self.child.wait()?)
    }

    /// Kills the worker, and hears what it had said.
    pub(super) fn kill(&mut self, expected: &mut Expected) -> Result<()> {
        self.signal(Signal::KILL);
        let status = self.end(expected)?;
        let as_meant = status.signal() == Some(Signal::KILL.as_raw()) || status.success();
        ensure!(as_meant, "the worker ended with {status}, before it was killed");
        Ok(())
    }

    /// Closes the store, and waits for the end of the worker.
    pub(super) fn close(&mut self, expected: &mut Expected) -> Result<()> {
        self.order(&Order::Close);
        let status = self.end(expected)?;
        ensure!(
            status.success() && self.has_closed,
            "{status}, closed: {}: {:?}",
            self.has_closed,
            self.failures
        );
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        // A killed process is there until somebody asks for its end.
        let _ = self.child.wait();
    }
}
