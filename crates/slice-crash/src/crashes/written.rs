//! What was written, and which operations of the disk it took.

pub(super) use crate::small_store::Contents;
use crate::small_store::{Entries, after};

/// The history of a store with one writer.
#[derive(Debug)]
pub(super) struct Written {
    /// The contents after each commit; the first is empty.
    states: Vec<Contents>,
    /// For each commit, how many operations the disk had seen when it began.
    begun: Vec<u64>,
    /// Operations seen, and commits that were durable by then. Both only grow.
    durable: Vec<(u64, usize)>,
}

impl Written {
    pub(super) fn new() -> Self {
        Self { states: vec![Contents::new()], begun: Vec::new(), durable: Vec::new() }
    }

    /// Notes a commit that begins now.
    pub(super) fn begin(&mut self, entries: &Entries, operations: u64) {
        let last = self.states.last().expect("the empty state is never removed");
        self.states.push(after(last, entries));
        self.begun.push(operations);
    }

    /// The contents after all commits so far.
    pub(super) fn newest(&self) -> Contents {
        self.states.last().cloned().unwrap_or_default()
    }

    /// Notes that all commits so far are durable.
    pub(super) fn all_is_durable(&mut self, operations: u64) {
        self.durable.push((operations, self.begun.len()));
    }

    /// What must be there after a crash behind this many operations, and what may.
    pub(super) fn bounds(&self, operations: u64) -> Bounds {
        let behind = self.durable.partition_point(|(seen, _)| *seen <= operations);
        let must = behind.checked_sub(1).map_or(0, |last| self.durable[last].1);
        let may = self.begun.partition_point(|seen| *seen <= operations);
        Bounds { must, may }
    }

    /// Whether a crash may have left this.
    pub(super) fn check(&self, Bounds { must, may }: Bounds, found: &Contents) -> Result<(), String> {
        if self.states[must..=may].iter().rev().any(|state| state == found) {
            return Ok(());
        }
        let what = match self.states.iter().rposition(|state| state == found) {
            Some(count) => format!("the first {count} commits"),
            None => format!("what no prefix of the commits gives ({} keys)", found.len()),
        };
        Err(format!("{must} commits were durable, {may} had begun, and there is {what}"))
    }
}

/// How many commits must be there, and how many may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) must: usize,
    pub(super) may: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(n: u8) -> Entries {
        vec![(vec![n], Some(vec![n]))]
    }

    #[test]
    fn a_prefix_between_the_bounds_may_be_left_and_nothing_else() {
        let mut written = Written::new();
        written.begin(&put(1), 10);
        written.all_is_durable(12);
        written.begin(&put(2), 12);
        written.begin(&put(3), 15);
        assert_eq!(written.bounds(9), Bounds { must: 0, may: 0 });
        assert_eq!(written.bounds(11), Bounds { must: 0, may: 1 });
        assert_eq!(written.bounds(14), Bounds { must: 1, may: 2 });
        let bounds = written.bounds(20);
        let contents = |keys: &[u8]| keys.iter().map(|key| (vec![*key], vec![*key])).collect::<Contents>();
        for good in [&[1][..], &[1, 2], &[1, 2, 3]] {
            written.check(bounds, &contents(good)).unwrap();
        }
        for bad in [&[][..], &[2], &[1, 3]] {
            written.check(bounds, &contents(bad)).unwrap_err();
        }
    }
}
