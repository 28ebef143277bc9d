//! Opens a disk after a crash and says what is wrong with it.

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::MemFs;

use super::Config;
use super::copies::Copies;
use super::settings::Settings;
use super::workload::{Recorded, check_files, contents};
use super::written::{Bounds, Contents, Written};
use crate::enumerate::{Enumeration, Point};

/// Of so many recoveries one is crashed, at each of its operations. A recovery has about a hundred, so about as many
/// crashes are tried in recoveries as outside of them. Primes, so that every kind of crash has its turn.
const RECOVERIES: u64 = 601;
/// Of so many recoveries of crashed recoveries one is crashed in turn.
const DEEP_RECOVERIES: u64 = 1201;
/// The key that is written after a recovery. No workload writes it.
const AFTER: &[u8] = b"after";
/// How deep crashes of recoveries go.
const DEPTH_MAX: u32 = 2;

pub(super) struct Oracle<'a> {
    settings: &'a Settings,
    written: &'a Written,
    copies: &'a Copies,
    crash_recoveries: bool,
    seed: u64,
    recoveries: u64,
    in_recoveries: u64,
}

impl<'a> Oracle<'a> {
    pub(super) fn new(recorded: &'a Recorded, config: &Config) -> Self {
        Self {
            settings: &recorded.settings,
            written: &recorded.written,
            copies: &recorded.copies,
            crash_recoveries: config.crash_recoveries,
            seed: config.seed,
            recoveries: 0,
            in_recoveries: 0,
        }
    }

    /// How many states of the disk were checked that a crash in a recovery left.
    pub(super) fn in_recoveries(&self) -> u64 {
        self.in_recoveries
    }

    /// What is wrong with a disk after a crash.
    pub(super) fn check(&mut self, point: &Point, disk: &MemFs) -> Result<(), String> {
        let bounds = self.written.bounds(point.operations());
        self.check_at(bounds, disk, 0)?;
        self.copies.check(point.operations(), bounds.now_ms, disk, self.settings)
    }

    fn check_at(&mut self, bounds: Bounds, disk: &MemFs, depth: u32) -> Result<(), String> {
        let crashes_it = self.crashes_next(depth);
        if crashes_it {
            disk.record();
        }
        let store = self.open(disk, bounds.now_ms)?;
        let found = read(&store)?;
        check_files(disk, &store)?;
        write_on(&store)?;
        drop(store);
        self.written.check(bounds, &found)?;
        let history = crashes_it.then(|| disk.history());
        self.check_second(disk, bounds.now_ms, &found)?;
        match history {
            None => Ok(()),
            Some(history) => {
                let crashes = Enumeration::new(history, self.seed ^ self.recoveries);
                let points = crashes.check(|_, disk| self.check_at(bounds, disk, depth + 1));
                self.in_recoveries += points.map_err(|failure| format!("in the recovery, {failure}"))?;
                Ok(())
            }
        }
    }

    /// Whether the next recovery is one of those that are crashed.
    fn crashes_next(&mut self, depth: u32) -> bool {
        self.recoveries += 1;
        let every = if depth == 0 { RECOVERIES } else { DEEP_RECOVERIES };
        self.crash_recoveries && depth < DEPTH_MAX && self.recoveries.is_multiple_of(every)
    }

    /// What a recovery found, another one finds, too: the process may have ended, or the power failed, in between.
    fn check_second(&self, disk: &MemFs, now_ms: u64, found: &Contents) -> Result<(), String> {
        let again = match self.recoveries % 4 {
            0 => disk.killed_image(),
            1 => disk.crash_image(0.5, self.seed ^ self.recoveries),
            _ => disk.crash_image(0.0, 0),
        };
        let store = self.open(&again, now_ms).map_err(|error| format!("the second recovery: {error}"))?;
        let second = read(&store).map_err(|error| format!("the second recovery: {error}"))?;
        check_files(&again, &store)?;
        if store.get(AFTER).map_err(|error| error.to_string())?.is_none() {
            return Err("what was synced after the recovery is gone".to_owned());
        }
        if second == *found {
            return Ok(());
        }
        Err(format!(
            "the first recovery found {} keys, and the second {}, or others",
            found.len(),
            second.len()
        ))
    }

    fn open(&self, disk: &MemFs, now_ms: u64) -> Result<LSMTree, String> {
        let store = self.settings.recover(Arc::new(disk.clone()), now_ms);
        store.map_err(|error| format!("it does not open: {error}"))
    }
}

fn read(store: &LSMTree) -> Result<Contents, String> {
    contents(store).map_err(|error| format!("it cannot be read: {error}"))
}

/// A recovered store takes writes, and keeps them: what it builds on must be durable.
fn write_on(store: &LSMTree) -> Result<(), String> {
    let written = store.put(AFTER, b"the recovery").and_then(|()| store.sync());
    written.map_err(|error| format!("it cannot be written: {error}"))
}
