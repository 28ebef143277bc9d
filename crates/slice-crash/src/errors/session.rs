//! One case: a workload on a disk on which one operation fails.
//!
//! Of every call:
//!
//! - it fails with the kind of error that the fault is, which names the file, and only once there was a fault;
//! - a write that was acknowledged has happened, one that failed has not (with a failed fsync it may have);
//! - after a failed fsync of the log no write and no sync is acknowledged, and the store says that it is read-only.
//!
//! And once the fault has come to pass: reads see all of it, and so does, of what is durable, a power failure right then.

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{Fault, FaultFs, MemFs, Span};
use slice::{Durability, Error, ErrorKind, Health};

use super::case::{Case, Lane, Operations, Plan};
use super::model::Model;
use super::report::Outcome;
use super::store::{DIR, Settings, contents};
use super::watch::Watch;
use super::workload::{Step, Workload};
use crate::small_store::{Contents, Entries, check_files, write};

/// Fine, or the promise that was broken.
pub(super) type Checked<T = ()> = Result<T, String>;

/// A store on its failing disk, and what it should hold.
pub(super) struct Session<'a> {
    pub(super) settings: &'a Settings,
    pub(super) plan: Option<Plan>,
    pub(super) disk: MemFs,
    pub(super) faults: FaultFs,
    pub(super) watch: Arc<Watch>,
    pub(super) model: Model,
    pub(super) store: Option<LSMTree>,
    pub(super) outcome: Outcome,
    seed: u64,
    is_examined: bool,
}

/// Runs a case from the making of the store to the last look at it.
pub(super) fn run(case: &Case, workload: &Workload) -> Checked<Outcome> {
    let mut session = Session::new(case, &workload.settings);
    let first = |session: &Session<'_>, error| {
        format!("{error} (the first failure was {})", session.watch.first_fault())
    };
    for (index, step) in workload.steps.iter().enumerate() {
        let checked = session.step(step).and_then(|()| session.examine_once());
        checked.map_err(|error| first(&session, format!("step {index}, {}: {error}", step.name())))?;
    }
    session.outcome.operations =
        Operations { changes: session.faults.operations(), reads: session.faults.read_operations() };
    session.heal().map_err(|error| first(&session, format!("on the healed disk: {error}")))?;
    session.outcome.has_fired = session.watch.has_fired();
    Ok(session.outcome)
}

impl<'a> Session<'a> {
    fn new(case: &Case, settings: &'a Settings) -> Self {
        let disk = MemFs::new();
        let faults = FaultFs::new(Arc::new(disk.clone()));
        let watch = Arc::new(Watch::default());
        let seer = Arc::clone(&watch);
        let is_endless = case.plan.is_some_and(|plan| plan.span == Span::Forever);
        faults.watch(move |operation| seer.see(operation, is_endless));
        if let Some(plan) = case.plan {
            plan.arm(&faults);
        }
        Self {
            settings,
            plan: case.plan,
            disk,
            faults,
            watch,
            model: Model::new(),
            store: None,
            outcome: Outcome::default(),
            seed: case.seed,
            is_examined: false,
        }
    }

    fn step(&mut self, step: &Step) -> Checked {
        if self.store.is_none() {
            self.open()?;
        }
        let Some(store) = self.store.clone() else { return Ok(()) };
        match step {
            Step::Write(entries) => self.write(&store, entries),
            Step::Get(key) => self.get(&store, key),
            Step::Sync => {
                let was_failed = self.watch.log_sync_failed();
                let synced = store.sync();
                if was_failed && synced.is_ok() {
                    return Err("a sync succeeded after a failed fsync of the log".to_owned());
                }
                self.made_durable(synced)
            }
            Step::Flush => self.made_durable(store.flush()),
            Step::Compact => self.made_durable(store.compact()),
            Step::Reopen => {
                drop(store);
                self.open()
            }
            Step::CloseAndReopen => {
                self.made_durable(store.close())?;
                drop(store);
                self.open()
            }
        }
    }

    /// Opens the store anew, if the disk lets it be.
    pub(super) fn open(&mut self) -> Checked {
        self.store = None;
        self.watch.new_session();
        match self.settings.open(Arc::new(self.faults.clone())) {
            Ok(store) => {
                self.model.all_is_durable();
                self.store = Some(store);
                self.check_contents()
            }
            Err(error) => self.failed(&error),
        }
    }

    pub(super) fn write(&mut self, store: &LSMTree, entries: &Entries) -> Checked {
        let was_failed = self.watch.log_sync_failed();
        let before = store.stats().last_seqno;
        let written = write(store, entries);
        let happened = match store.stats().last_seqno - before {
            0 => false,
            count if count == entries.len() as u64 => true,
            _ => return Err("a part of a batch was written".to_owned()),
        };
        if happened {
            self.model.happened(entries);
        }
        let is_fsync = self.settings.durability == Durability::Fsync;
        match written {
            Ok(()) if !happened => Err("a write was acknowledged, and did not happen".to_owned()),
            // With threads a failed sync in the background is told a moment later.
            Ok(()) if was_failed && (is_fsync || self.settings.is_inline()) => {
                Err("a write was acknowledged after a failed fsync of the log".to_owned())
            }
            Ok(()) if is_fsync => {
                self.model.all_is_durable();
                Ok(())
            }
            Ok(()) => Ok(()),
            Err(_) if happened && !self.watch.log_sync_failed() => {
                Err("a write failed, and happened all the same".to_owned())
            }
            Err(error) => self.failed(&error),
        }
    }

    fn get(&mut self, store: &LSMTree, key: &[u8]) -> Checked {
        let mut found = store.get(key);
        if let Err(error) = &found {
            self.failed(error)?;
            found = store.get(key);
        }
        match found {
            Ok(value) if value.as_ref() == self.model.newest().get(key) => Ok(()),
            Ok(_) => Err("a read gave a wrong value".to_owned()),
            Err(error) => self.fails_for_ever(&error),
        }
    }

    fn made_durable(&mut self, result: Result<(), Error>) -> Checked {
        match result {
            Ok(()) => {
                self.model.all_is_durable();
                Ok(())
            }
            Err(error) => self.failed(&error),
        }
    }

    /// An error that a caller was given: is it the right one?
    pub(super) fn failed(&mut self, error: &Error) -> Checked {
        self.outcome.failed_calls += 1;
        let wrong = |why: &str| Err(format!("{why}: {error}"));
        let Some(plan) = self.plan.filter(|plan| self.watch.has_fired() && !plan.is_hidden()) else {
            return wrong("a call failed without a reason");
        };
        let kind = if plan.fault == Fault::Enospc { ErrorKind::StorageFull } else { ErrorKind::Io };
        let log_sync_failed = self.watch.log_sync_failed();
        let fits = match error.kind() {
            found if found == kind => true,
            ErrorKind::Io | ErrorKind::ReadOnly => log_sync_failed,
            _ => false,
        };
        if !fits {
            return wrong("the error is of another kind than the fault");
        }
        if error.kind() != ErrorKind::ReadOnly && error.file().is_none() {
            return wrong("the error names no file");
        }
        Ok(())
    }

    /// A read that failed, and failed again.
    fn fails_for_ever(&mut self, error: &Error) -> Checked {
        let is_endless = self.plan.is_some_and(|plan| plan.lane == Lane::Reads && plan.span == Span::Forever);
        if is_endless { self.failed(error) } else { Err(format!("reads go on failing: {error}")) }
    }

    /// What is there is what was written; a read that fails succeeds the next time, unless the disk goes on failing.
    pub(super) fn check_contents(&mut self) -> Checked {
        let Some(store) = self.store.clone() else { return Ok(()) };
        let mut found = contents(&store);
        if let Err(error) = &found {
            self.failed(error)?;
            found = contents(&store);
        }
        match found {
            Ok(found) => self.model.check(&found),
            Err(error) => self.fails_for_ever(&error),
        }
    }

    /// Takes a closer look, right after the step in which the fault came to pass.
    fn examine_once(&mut self) -> Checked {
        self.watch.check()?;
        if self.is_examined || !self.watch.has_fired() {
            return Ok(());
        }
        self.is_examined = true;
        self.check_health()?;
        self.check_contents()?;
        [0.0, 0.5, 1.0].into_iter().try_for_each(|kept| self.check_crash(kept))
    }

    /// Read-only if, and only if, a log may have lost something.
    pub(super) fn check_health(&mut self) -> Checked {
        let Some(store) = self.store.clone() else { return Ok(()) };
        let watch = Arc::clone(&self.watch);
        let fits = || matches!(store.health(), Health::ReadOnly(_)) == watch.log_sync_failed();
        if self.until(fits) { Ok(()) } else { Err(format!("the health is wrong: {:?}", store.health())) }
    }

    /// A power failure now, which keeps this part of what was not synced, loses nothing that was acknowledged as durable,
    /// and tears no batch.
    pub(super) fn check_crash(&mut self, kept: f64) -> Checked {
        self.check_crash_image(kept).map_err(|error| format!("{error} ({kept} of the unsynced kept)"))
    }

    fn check_crash_image(&mut self, kept: f64) -> Checked {
        self.outcome.crash_images += 1;
        let image = self.disk.crash_image(kept, self.seed);
        let settings = self.settings.inline();
        let store = settings
            .open(Arc::new(image.clone()))
            .map_err(|error| format!("after a power failure the store does not open: {error}"))?;
        let found: Contents = contents(&store).map_err(|error| error.to_string())?;
        self.model.check_after_crash(&found)?;
        check_files(&image, DIR, &store)
    }
}
