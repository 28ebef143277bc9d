//! Checks what a scan gives: the keys that must come, in order, with values that were written for them.

use anyhow::bail;

use crate::engine::Direction;
use crate::keys::{Values, index_of, key};

/// The state of a check: what has come, and what must come next.
#[derive(Debug)]
pub struct ScanCheck {
    values: Values,
    direction: Direction,
    /// All keys below this one are there. Of those behind, some are.
    contiguous_below: u64,
    /// The first key that may come next; `None` once the first of all keys has come.
    next: Option<u64>,
    seen: u64,
    /// How many must come at least.
    least: u64,
    wrong: Option<String>,
}

impl ScanCheck {
    /// For a scan from a key on, which is there, that gives at most `limit` entries.
    pub fn new(values: Values, from: u64, limit: u64, direction: Direction, contiguous_below: u64) -> Self {
        let before_the_end = match direction {
            Direction::Forward => contiguous_below.saturating_sub(from),
            Direction::Back => from + 1,
        };
        let least = limit.min(before_the_end);
        Self { values, direction, contiguous_below, next: Some(from), seen: 0, least, wrong: None }
    }

    /// The next entry.
    #[inline]
    pub fn entry(&mut self, found: &[u8], value: &[u8]) {
        let index = self.next.filter(|&next| next < self.contiguous_below && found == key(next));
        let Some(index) = index.or_else(|| self.later(found)) else {
            return self.wrong(found, "is not the key that comes next");
        };
        if self.values.check(index, value).is_none() {
            self.wrong(found, "has a value that was never written for it");
        }
        self.next = match self.direction {
            Direction::Forward => Some(index + 1),
            Direction::Back => index.checked_sub(1),
        };
        self.seen += 1;
    }

    /// The index of a key behind those that are all there.
    #[cold]
    fn later(&self, found: &[u8]) -> Option<u64> {
        let (index, next) = (index_of(found)?, self.next?);
        let is_in_order = match self.direction {
            Direction::Forward => index >= next,
            Direction::Back => index <= next,
        };
        (is_in_order && next >= self.contiguous_below && index >= self.contiguous_below).then_some(index)
    }

    #[cold]
    fn wrong(&mut self, found: &[u8], what: &str) {
        let next = self.next;
        self.wrong.get_or_insert_with(|| {
            format!(
                "\"{}\" {what}, after {} entries, where {next:?} was due",
                found.escape_ascii(),
                self.seen
            )
        });
    }

    /// How many entries came.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The scan has ended.
    ///
    /// # Errors
    ///
    /// The first thing that was wrong, or that too few entries came.
    pub fn finish(self) -> anyhow::Result<()> {
        if let Some(wrong) = self.wrong {
            bail!("a scan: {wrong}");
        }
        if self.seen < self.least {
            bail!(
                "a scan ends after {} entries, before {:?}; {} are there",
                self.seen,
                self.next,
                self.least
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: u64 = 10;

    /// What is said of a scan that gives these keys, with the values of those.
    fn checked(from: u64, limit: u64, direction: Direction, entries: &[(u64, u64)]) -> anyhow::Result<()> {
        let values = Values::new(1, 100);
        let mut check = ScanCheck::new(values, from, limit, direction, KEYS);
        let mut value = Vec::new();
        for &(index, of) in entries {
            values.fill(of, 0, &mut value);
            check.entry(&key(index), &value);
        }
        check.finish()
    }

    fn forward(from: u64, limit: u64, keys: &[u64]) -> anyhow::Result<()> {
        checked(
            from,
            limit,
            Direction::Forward,
            &keys.iter().map(|&index| (index, index)).collect::<Vec<_>>(),
        )
    }

    fn back(from: u64, limit: u64, keys: &[u64]) -> anyhow::Result<()> {
        checked(from, limit, Direction::Back, &keys.iter().map(|&index| (index, index)).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_whole_and_in_order_passes() {
        forward(3, 4, &[3, 4, 5, 6]).unwrap();
        forward(8, 100, &[8, 9]).unwrap();
        forward(8, 100, &[8, 9, 12, 17]).unwrap();
        forward(12, 3, &[13, 14]).unwrap();
        forward(12, 3, &[]).unwrap();
        back(3, 100, &[3, 2, 1, 0]).unwrap();
        back(9, 2, &[9, 8]).unwrap();
    }

    #[test]
    fn a_gap_a_repetition_the_wrong_order_and_an_early_end_are_noticed() {
        for keys in
            [&[3, 5, 6, 7][..], &[3, 3, 4, 5], &[4, 5, 6, 7], &[2, 3, 4, 5], &[3, 4, 5], &[3, 4, 12, 13]]
        {
            assert!(forward(3, 4, keys).is_err(), "{keys:?}");
        }
        assert!(forward(8, 9, &[8, 9, 14, 13]).is_err());
        for keys in [&[3, 1, 0][..], &[3, 4, 5], &[3, 2, 1], &[3, 2, 1, 0, 0]] {
            assert!(back(3, 100, keys).is_err(), "{keys:?}");
        }
    }

    #[test]
    fn a_value_of_another_key_and_a_strange_key_are_noticed() {
        let error = checked(3, 2, Direction::Forward, &[(3, 3), (4, 5)]).unwrap_err().to_string();
        assert!(error.contains("0000000000000004\" has a value that was never written for it"), "{error}");
        let mut check = ScanCheck::new(Values::new(1, 100), 0, 1, Direction::Forward, KEYS);
        check.entry(b"x", b"y");
        assert!(check.finish().is_err());
    }
}
