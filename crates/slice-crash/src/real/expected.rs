//! What must be in a store: kept by the parent, outside of it, and by nothing but what the workers told.
//!
//! ```text
//!   writes of a writer   0 1 2 3 4 5 6 | 7 |          0..=6 acknowledged: there
//!                        all there       there, whole, or not      nothing behind it
//! ```
//!
//! Invariant: once a state was found, it is the state: what was not there may not come back.

use anyhow::{Result, ensure};

use super::workload::{Rows, Workload, apply};

/// What must be in the store of one directory.
#[derive(Debug)]
pub(super) struct Expected {
    workload: Workload,
    writers: Vec<Writer>,
    /// Acknowledged writes.
    pub(super) acknowledged: u64,
    /// Writes that were found although nobody had been told of them.
    pub(super) found_untold: u64,
    /// States that were compared.
    pub(super) checks: u64,
}

#[derive(Clone, Debug, Default)]
struct Writer {
    /// The number of the write that comes next.
    next: u64,
    rows: Rows,
    /// Whether the next write may have happened.
    in_flight: bool,
}

impl Expected {
    /// Of an empty store.
    pub(super) fn new(workload: Workload) -> Self {
        let writers = vec![Writer::default(); workload.writers];
        Self { workload, writers, acknowledged: 0, found_untold: 0, checks: 0 }
    }

    pub(super) fn workload(&self) -> &Workload {
        &self.workload
    }

    /// With which write each writer goes on.
    pub(super) fn next(&self) -> Vec<u64> {
        self.writers.iter().map(|writer| writer.next).collect()
    }

    /// Says that the writers go on: a write of each may happen from now on.
    pub(super) fn go(&mut self) {
        for writer in &mut self.writers {
            writer.in_flight = true;
        }
    }

    /// Takes note of an acknowledged write.
    ///
    /// # Errors
    ///
    /// When it is not the one whose turn it is.
    pub(super) fn acked(&mut self, writer: usize, n: u64) -> Result<()> {
        let next = self.writers[writer].next;
        ensure!(n == next, "writer {writer} acknowledged write {n}, and its next was {next}");
        apply(&mut self.writers[writer].rows, self.workload.write(writer, n));
        self.writers[writer].next += 1;
        self.acknowledged += 1;
        Ok(())
    }

    /// Compares with all that a worker found in the store before it wrote.
    ///
    /// # Errors
    ///
    /// When it is neither what was acknowledged nor that and the whole write in flight.
    pub(super) fn check(&mut self, found: &[Rows]) -> Result<()> {
        ensure!(found.len() == self.writers.len(), "rows of {} writers were found", found.len());
        for (number, rows) in found.iter().enumerate() {
            self.check_writer(number, rows)?;
        }
        self.checks += 1;
        Ok(())
    }

    fn check_writer(&mut self, number: usize, found: &Rows) -> Result<()> {
        let writer = &mut self.writers[number];
        if *found != writer.rows {
            let mut with_next = writer.rows.clone();
            apply(&mut with_next, self.workload.write(number, writer.next));
            ensure!(
                writer.in_flight && *found == with_next,
                "writer {number}, write {} is next and {}:\n{}",
                writer.next,
                if writer.in_flight { "may have happened" } else { "was not there before" },
                differences(&writer.rows, &with_next, found),
            );
            writer.rows = with_next;
            writer.next += 1;
            self.found_untold += 1;
        }
        writer.in_flight = false;
        Ok(())
    }
}

/// Up to five keys that are wrong.
fn differences(expected: &Rows, with_next: &Rows, found: &Rows) -> String {
    let keys = expected.keys().chain(with_next.keys()).chain(found.keys());
    let keys: std::collections::BTreeSet<_> = keys.collect();
    let differ = keys.into_iter().filter(|key| found.get(key) != expected.get(key));
    let shown = |rows: &Rows, key| rows.get(key).map_or("nothing".to_owned(), |row| format!("{row:.60}"));
    let lines = differ.take(5).map(|key| {
        let (was, next, is) = (shown(expected, key), shown(with_next, key), shown(found, key));
        format!("  key {key}: found {is:?}, acknowledged {was:?}, with the next write {next:?}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_writer() -> Expected {
        Expected::new(Workload { seed: 1, writers: 1, keys: 8, largest_batch: 8 })
    }

    fn rows_after(writes: u64) -> Rows {
        let mut rows = Rows::new();
        let workload = one_writer().workload;
        (0..writes).for_each(|n| apply(&mut rows, workload.write(0, n)));
        rows
    }

    fn after_ten() -> Expected {
        let mut expected = one_writer();
        expected.go();
        (0..10).for_each(|n| expected.acked(0, n).unwrap());
        expected
    }

    #[test]
    fn the_write_in_flight_may_be_there_or_not() {
        after_ten().check(&[rows_after(10)]).unwrap();
        after_ten().check(&[rows_after(11)]).unwrap();
    }

    #[test]
    fn a_lost_write_and_one_too_many_are_refused() {
        after_ten().check(&[rows_after(9)]).unwrap_err();
        after_ten().check(&[rows_after(13)]).unwrap_err();
    }

    #[test]
    fn half_a_batch_is_refused() {
        let mut expected = one_writer();
        expected.go();
        let is_batch = |n| expected.workload.write(0, n).len() > 2;
        let batch = (0..100).find(|&n| is_batch(n)).unwrap();
        (0..batch).for_each(|n| expected.acked(0, n).unwrap());
        let mut half = rows_after(batch);
        half.insert(7, "half of a batch".to_owned());
        expected.check(&[half]).unwrap_err();
    }

    #[test]
    fn what_was_not_there_may_not_come_back() {
        let mut expected = after_ten();
        expected.check(&[rows_after(10)]).unwrap();
        expected.check(&[rows_after(11)]).unwrap_err();
    }
}
