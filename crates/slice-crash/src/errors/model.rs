//! What the store must hold: a history of its states, of which some are durable.
//!
//! ```text
//!   state   0 ──────── durable ──────── newest
//!           └─ must ───┘└──── may ──────┘        after a power failure
//!                                        newest  in the process, and after a reopening without one
//! ```

use crate::small_store::{Contents, Entries, State};

/// Nothing expires here, so the time is always the same.
const NOW_MS: u64 = 0;

#[derive(Debug)]
pub(super) struct Model {
    /// After each write that happened, as told by the sequence number; the first is empty.
    states: Vec<State>,
    /// The last state that is known to be durable.
    durable: usize,
}

impl Model {
    pub(super) fn new() -> Self {
        Self { states: vec![State::default()], durable: 0 }
    }

    pub(super) fn newest(&self) -> Contents {
        self.last().at(NOW_MS)
    }

    fn last(&self) -> &State {
        self.states.last().expect("the empty state is never removed")
    }

    /// A write has happened, whatever its caller was told.
    pub(super) fn happened(&mut self, entries: &Entries) {
        self.states.push(self.last().after(entries, NOW_MS));
    }

    pub(super) fn all_is_durable(&mut self) {
        self.durable = self.states.len() - 1;
    }

    /// Whether a power failure may have left this.
    pub(super) fn check_after_crash(&self, found: &Contents) -> Result<(), String> {
        if self.states[self.durable..].iter().rev().any(|state| state.at(NOW_MS) == *found) {
            return Ok(());
        }
        let what = match self.states.iter().rposition(|state| state.at(NOW_MS) == *found) {
            Some(index) => format!("only the first {index} writes"),
            None => "no prefix of the writes".to_owned(),
        };
        let (durable, all) = (self.durable, self.states.len() - 1);
        Err(format!("{durable} of {all} writes were durable, and a power failure left {what}"))
    }

    /// Whether a sound store holds this.
    pub(super) fn check(&self, found: &Contents) -> Result<(), String> {
        let newest = self.newest();
        if *found == newest {
            return Ok(());
        }
        let differs = |(key, value): &(&Vec<u8>, &Vec<u8>)| newest.get(*key) != Some(*value);
        let wrong = found.iter().find(differs).map(|(key, _)| key);
        let missing = newest.keys().find(|key| !found.contains_key(*key));
        let text = |key: Option<&Vec<u8>>| key.map(|key| String::from_utf8_lossy(key).into_owned());
        let (wrong, missing) = (text(wrong), text(missing));
        Err(format!("the contents are not what was written: wrong {wrong:?}, missing {missing:?}"))
    }
}
