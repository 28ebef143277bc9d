//! The numbers of live snapshots, in a queue.
//!
//! ```text
//!   number   7    12    12+   30    41         taken at the back, for numbers only grow
//!   count    1    0     -     2     1          an entry in the midst stays, with count 0, until it is at an end
//! ```
//!
//! Most snapshots end soon after they began: at the back. A queue makes that two stores, where a tree would allocate.

use std::collections::VecDeque;

use slice_types::SeqNo;

/// How many snapshots there are of each number.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Ascending by number. None at either end has the count 0.
    counts: VecDeque<(SeqNo, usize)>,
    /// How many have the count 0.
    ended: usize,
}

impl Live {
    /// Adds a snapshot at a number that is not below any other.
    pub(super) fn add(&mut self, at: SeqNo) {
        match self.counts.back_mut() {
            Some((last, count)) if *last == at => *count += 1,
            last => {
                debug_assert!(last.is_none_or(|(last, _)| *last < at), "the newest number only grows");
                self.counts.push_back((at, 1));
            }
        }
    }

    /// Removes one of the snapshots at a number.
    pub(super) fn remove(&mut self, at: SeqNo) {
        let place = self.counts.binary_search_by_key(&at, |(number, _)| *number);
        let count = place.ok().and_then(|place| self.counts.get_mut(place)).map(|(_, count)| count);
        let count = count.filter(|count| **count > 0).expect("a snapshot is released once");
        *count -= 1;
        if *count == 0 {
            self.ended += 1;
            self.trim();
        }
    }

    /// Forgets what has ended at the ends, and in the midst once it is the most.
    fn trim(&mut self) {
        while let Some((_, 0)) = self.counts.back() {
            self.counts.pop_back();
            self.ended -= 1;
        }
        while let Some((_, 0)) = self.counts.front() {
            self.counts.pop_front();
            self.ended -= 1;
        }
        if self.ended * 2 > self.counts.len() {
            self.counts.retain(|(_, count)| *count > 0);
            self.ended = 0;
        }
    }

    /// The numbers that have a snapshot, ascending.
    pub(super) fn numbers(&self) -> Vec<SeqNo> {
        self.counts.iter().filter(|(_, count)| *count > 0).map(|(number, _)| *number).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A step adds a snapshot, at a number so much higher, or ends one of those that live.
        #[test]
        fn it_has_the_numbers_that_a_map_has(steps in vec((any::<bool>(), 0..3_u64, any::<prop::sample::Index>()), 0..200)) {
            let (mut live, mut model, mut newest) = (Live::default(), BTreeMap::<u64, usize>::new(), 0);
            for (adds, higher, which) in steps {
                if adds || model.is_empty() {
                    newest += higher;
                    live.add(SeqNo::new(newest));
                    *model.entry(newest).or_default() += 1;
                } else {
                    let at = *which.get(&model.keys().copied().collect::<Vec<_>>());
                    live.remove(SeqNo::new(at));
                    let count = model.get_mut(&at).expect("it lives");
                    *count -= 1;
                    model.retain(|_, count| *count > 0);
                }
                let numbers: Vec<_> = live.numbers().iter().map(|number| number.get()).collect();
                prop_assert_eq!(numbers, model.keys().copied().collect::<Vec<_>>());
                prop_assert!(live.counts.len() <= 2 * model.len(), "what has ended is forgotten");
            }
        }
    }
}
