//! The checkpoints of a workload: after a crash each is whole, or it is no store.

use std::sync::Arc;

use slice::Error;
use slice::vfs::MemFs;

use super::settings::Settings;
use super::workload::contents;
use super::written::Contents;
use crate::small_store::State;

/// Checkpoints behind their end are looked at after so many crashes in a row, and after one in [`RARELY`] of the rest.
const CLOSELY: u64 = 40;
const RARELY: u64 = 23;

/// A checkpoint that was made.
#[derive(Debug)]
struct Copy {
    dir: String,
    /// How many operations the disk had seen when it began, and when it was done.
    begun: u64,
    done: u64,
    state: State,
}

/// The checkpoints, oldest first.
#[derive(Debug, Default)]
pub(super) struct Copies(Vec<Copy>);

impl Copies {
    /// A directory for the next one.
    pub(super) fn next_dir(&self) -> String {
        format!("/copies/{}", self.0.len())
    }

    /// Notes one that is done, with what was written before it.
    pub(super) fn add(&mut self, dir: String, begun: u64, done: u64, state: State) {
        self.0.push(Copy { dir, begun, done, state });
    }

    /// What is wrong with the newest one after a crash behind so many operations, at this time.
    pub(super) fn check(
        &self,
        operations: u64,
        now_ms: u64,
        disk: &MemFs,
        settings: &Settings,
    ) -> Result<(), String> {
        let newest = self.0.iter().rfind(|copy| copy.begun < operations);
        let Some(copy) = newest.filter(|copy| copy.is_due(operations)) else { return Ok(()) };
        let opened =
            settings.open_copy(&copy.dir, Arc::new(disk.clone()), now_ms).and_then(|copy| contents(&copy));
        copy.judge(operations, now_ms, opened)
            .map_err(|error| format!("of the checkpoint {}: {error}", copy.dir))
    }
}

impl Copy {
    fn is_due(&self, operations: u64) -> bool {
        operations <= self.done + CLOSELY || operations.is_multiple_of(RARELY)
    }

    fn judge(&self, operations: u64, now_ms: u64, opened: Result<Contents, Error>) -> Result<(), String> {
        let contents = self.state.at(now_ms);
        match opened {
            Ok(found) if found == contents => Ok(()),
            Ok(found) => Err(format!("it opens with {} keys of {}, or others", found.len(), contents.len())),
            Err(error) if operations >= self.done => Err(format!("it was done and does not open: {error}")),
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_store::Change;
    use slice::ErrorKind;

    #[test]
    fn a_checkpoint_is_whole_or_no_store_and_whole_once_it_is_done() {
        let state = State::default().after(&vec![(b"k".to_vec(), Change::Put(b"v".to_vec()))], 0);
        let whole = state.at(0);
        let copy = Copy { dir: "/copy".to_owned(), begun: 10, done: 20, state };
        let refused = || Err(Error::new(ErrorKind::Corruption, "no store"));
        for operations in [11, 20] {
            copy.judge(operations, 0, Ok(whole.clone())).unwrap();
            copy.judge(operations, 0, Ok(Contents::new())).unwrap_err();
        }
        copy.judge(19, 0, refused()).unwrap();
        copy.judge(20, 0, refused()).unwrap_err();
    }
}
