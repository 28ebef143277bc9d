//! What was written, and which operations of the disk it took.

pub(super) use crate::small_store::Contents;
use crate::small_store::{Entries, State};

/// The history of a store with one writer.
#[derive(Debug)]
pub(super) struct Written {
    /// The contents after each commit; the first is empty.
    states: Vec<State>,
    /// For each commit, how many operations the disk had seen when it began.
    begun: Vec<u64>,
    /// Operations seen, and commits that were durable by then. Both only grow.
    durable: Vec<(u64, usize)>,
    /// Operations seen, and what the clock showed from then on. Both only grow.
    clock: Vec<(u64, u64)>,
}

impl Written {
    pub(super) fn new() -> Self {
        Self { states: vec![State::default()], begun: Vec::new(), durable: Vec::new(), clock: Vec::new() }
    }

    /// Notes a commit that begins now.
    pub(super) fn begin(&mut self, entries: &Entries, operations: u64) {
        let last = self.states.last().expect("the empty state is never removed");
        self.states.push(last.after(entries, self.now_ms()));
        self.begun.push(operations);
    }

    /// What there is after all commits so far.
    pub(super) fn newest(&self) -> State {
        self.states.last().cloned().unwrap_or_default()
    }

    /// What the clock shows, in milliseconds; 0 at the beginning.
    pub(super) fn now_ms(&self) -> u64 {
        self.clock.last().map_or(0, |(_, now_ms)| *now_ms)
    }

    /// Notes that the clock will be put forward next.
    pub(super) fn pass(&mut self, ms: u64, operations: u64) {
        self.clock.push((operations, self.now_ms() + ms));
    }

    /// What the clock showed when the last of so many operations was begun.
    pub(super) fn now_ms_at(&self, operations: u64) -> u64 {
        let before = self.clock.partition_point(|(seen, _)| *seen < operations);
        before.checked_sub(1).map_or(0, |last| self.clock[last].1)
    }

    /// Notes that a keyspace is about to lose all that it has: a commit like any other.
    pub(super) fn begin_clear(&mut self, keyspace: &str, operations: u64) {
        self.states.push(self.newest().without(keyspace));
        self.begun.push(operations);
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
        Bounds { must, may, now_ms: self.now_ms_at(operations) }
    }

    /// Whether a crash may have left this.
    pub(super) fn check(&self, Bounds { must, may, now_ms }: Bounds, found: &Contents) -> Result<(), String> {
        if self.states[must..=may].iter().rev().any(|state| state.at(now_ms) == *found) {
            return Ok(());
        }
        let what = match self.states.iter().rposition(|state| state.at(now_ms) == *found) {
            Some(count) => format!("the first {count} commits"),
            None => format!("what no prefix of the commits gives ({} keys)", found.len()),
        };
        Err(format!("{must} commits were durable, {may} had begun, and there is {what}"))
    }
}

/// How many commits must be there, and how many may, and what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) must: usize,
    pub(super) may: usize,
    pub(super) now_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_store::Change;

    fn put(n: u8) -> Entries {
        vec![(vec![n], Change::Put(vec![n]))]
    }

    #[test]
    fn a_prefix_between_the_bounds_may_be_left_and_nothing_else() {
        let mut written = Written::new();
        written.begin(&put(1), 10);
        written.all_is_durable(12);
        written.begin(&put(2), 12);
        written.begin(&put(3), 15);
        assert_eq!(written.bounds(9), Bounds { must: 0, may: 0, now_ms: 0 });
        assert_eq!(written.bounds(11), Bounds { must: 0, may: 1, now_ms: 0 });
        assert_eq!(written.bounds(14), Bounds { must: 1, may: 2, now_ms: 0 });
        let bounds = written.bounds(20);
        let contents = |keys: &[u8]| keys.iter().map(|key| (vec![*key], vec![*key])).collect::<Contents>();
        for good in [&[1][..], &[1, 2], &[1, 2, 3]] {
            written.check(bounds, &contents(good)).unwrap();
        }
        for bad in [&[][..], &[2], &[1, 3]] {
            written.check(bounds, &contents(bad)).unwrap_err();
        }
    }

    #[test]
    fn a_value_is_expected_until_the_clock_showed_its_end() {
        let mut written = Written::new();
        written.begin(&vec![(vec![1], Change::PutFor(vec![1], 5))], 0);
        written.all_is_durable(10);
        written.pass(5, 20);
        let there = Contents::from([(vec![1], vec![1])]);
        written.check(written.bounds(20), &there).unwrap();
        written.check(written.bounds(20), &Contents::new()).unwrap_err();
        written.check(written.bounds(21), &Contents::new()).unwrap();
        written.check(written.bounds(21), &there).unwrap_err();
    }
}
