//! Many sorted inputs as one.
//!
//! Of each input, the first sixteen bytes of its current key are kept as a number, so that most matches of the
//! [`LoserTree`] compare two words and touch no key.
//!
//! Going backwards is the mirror image: the largest entry wins, and the words are complemented.

use std::cmp::Ordering;

use slice_types::{EntryIterator, EntryRef, Result, Trailer};

use super::loser_tree::LoserTree;

/// The word of an input that has come to its end: it ties with a key at the edge of the order, no worse.
const END: u128 = u128::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

impl Direction {
    /// A prefix as a word, or a word as a prefix: complemented on the way back.
    #[inline]
    const fn turned(self, word: u128) -> u128 {
        match self {
            Self::Forward => word,
            Self::Backward => !word,
        }
    }
}

/// Merges inputs into one stream in internal order.
///
/// Of entries that are equal in key and trailer, which no healthy tree has, the earlier input's comes first.
#[derive(Debug)]
pub struct MergingIter<I> {
    inputs: Vec<I>,
    /// For each input, what its current key starts with; all ones when it has come to its end.
    words: Vec<u128>,
    tree: LoserTree,
    direction: Direction,
    /// Whether the inputs stand where `words` and `tree` say.
    is_placed: bool,
    /// The current key, while the direction changes.
    scratch: Vec<u8>,
}

impl<I: EntryIterator> MergingIter<I> {
    /// Takes the inputs, newest first. It stands on none until the first seek.
    pub fn new(inputs: Vec<I>) -> Self {
        Self {
            words: vec![END; inputs.len()],
            inputs,
            tree: LoserTree::default(),
            direction: Direction::Forward,
            is_placed: false,
            scratch: Vec::new(),
        }
    }

    /// Takes other inputs in place of those that it has, in the same memory. It stands on none until the next seek.
    pub fn refill(&mut self, fill: impl FnOnce(&mut Vec<I>)) {
        self.is_placed = false;
        self.inputs.clear();
        fill(&mut self.inputs);
        self.words.clear();
        self.words.resize(self.inputs.len(), END);
    }

    /// Gives the inputs back.
    pub fn into_inputs(self) -> Vec<I> {
        self.inputs
    }

    /// The inputs, for changes to how they read. Where they stand is not to be changed.
    pub fn inputs_mut(&mut self) -> &mut [I] {
        &mut self.inputs
    }

    /// The input whose entry it stands on.
    #[inline]
    pub fn current(&self) -> Option<&I> {
        if self.is_placed { self.inputs.get(self.tree.winner()) } else { None }
    }

    /// Moves every input, and finds out which is first.
    fn place(&mut self, direction: Direction, mut go: impl FnMut(usize, &mut I) -> Result<()>) -> Result<()> {
        self.is_placed = false;
        self.direction = direction;
        for (index, input) in self.inputs.iter_mut().enumerate() {
            go(index, input)?;
            self.words[index] = word(input, direction);
        }
        let (inputs, words) = (&self.inputs, &self.words);
        self.tree.play(inputs.len(), |left, right| comes_before(inputs, words, direction, left, right));
        self.is_placed = !self.inputs.is_empty();
        Ok(())
    }

    /// Lets each input pass over entries, in the direction that they stand in, and stands on what is first then.
    ///
    /// # Errors
    ///
    /// The first of an input; it stands on none then.
    pub fn pass(&mut self, mut pass: impl FnMut(&mut I) -> Result<()>) -> Result<()> {
        self.place(self.direction, |_, input| pass(input))
    }

    /// Whether it stands on an entry.
    #[inline]
    fn stands(&self) -> bool {
        let Some(current) = self.current() else { return false };
        self.words[self.tree.winner()] != END || current.prefix().is_some()
    }

    /// Moves on in the direction that the inputs stand in.
    #[inline]
    fn step(&mut self) -> Result<()> {
        let winner = self.tree.winner();
        let direction = self.direction;
        let input = &mut self.inputs[winner];
        let moved = match direction {
            Direction::Forward => input.next(),
            Direction::Backward => input.prev(),
        };
        if moved.is_err() {
            self.is_placed = false;
            return moved;
        }
        self.words[winner] = word(input, direction);
        let (inputs, words) = (&self.inputs, &self.words);
        self.tree.replay(|left, right| comes_before(inputs, words, direction, left, right));
        Ok(())
    }

    /// Turns round: every input goes to its first entry beyond the current one, as seen in the new direction.
    fn turn(&mut self, direction: Direction) -> Result<()> {
        let mut key = std::mem::take(&mut self.scratch);
        let Some(entry) = self.entry() else { return Ok(()) };
        key.clear();
        key.extend_from_slice(entry.key);
        let trailer = entry.trailer;
        let winner = self.tree.winner();
        let turned = self.place(direction, |index, input| {
            if index != winner {
                seek_towards(input, direction, &key, trailer)?;
            }
            // Of equal entries, those of earlier inputs come first.
            let is_passed = match direction {
                Direction::Forward => index <= winner,
                Direction::Backward => index >= winner,
            };
            let is_equal = input.entry().is_some_and(|entry| entry.trailer == trailer && entry.key == key);
            match direction {
                Direction::Forward if is_passed && is_equal => input.next(),
                Direction::Backward if is_passed && is_equal => input.prev(),
                _ => Ok(()),
            }
        });
        self.scratch = key;
        turned
    }

    #[inline]
    fn advance(&mut self, direction: Direction) -> Result<()> {
        if !self.stands() {
            return Ok(());
        }
        if self.direction == direction { self.step() } else { self.turn(direction) }
    }
}

/// Without inputs.
impl<I: EntryIterator> Default for MergingIter<I> {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl<I: EntryIterator> EntryIterator for MergingIter<I> {
    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        if self.is_placed { self.inputs[self.tree.winner()].entry() } else { None }
    }

    #[inline]
    fn prefix(&self) -> Option<u128> {
        self.stands().then(|| self.direction.turned(self.words[self.tree.winner()]))
    }

    /// On the way back only: an input that is ahead of the others knows nothing of their versions.
    #[inline]
    fn is_newest(&self) -> bool {
        let Some(current) = self.current() else { return false };
        let winner = self.tree.winner();
        self.direction == Direction::Backward
            && current.is_newest()
            && self.tree.rivals().all(|rival| self.words[rival] != self.words[winner])
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.place(Direction::Forward, |_, input| input.seek_to_first())
    }

    fn seek_to_last(&mut self) -> Result<()> {
        self.place(Direction::Backward, |_, input| input.seek_to_last())
    }

    fn seek(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.place(Direction::Forward, |_, input| input.seek(key, trailer))
    }

    fn seek_for_prev(&mut self, key: &[u8], trailer: Trailer) -> Result<()> {
        self.place(Direction::Backward, |_, input| input.seek_for_prev(key, trailer))
    }

    #[inline]
    fn next(&mut self) -> Result<()> {
        self.advance(Direction::Forward)
    }

    #[inline]
    fn prev(&mut self) -> Result<()> {
        self.advance(Direction::Backward)
    }
}

fn seek_towards<I: EntryIterator>(
    input: &mut I,
    direction: Direction,
    key: &[u8],
    trailer: Trailer,
) -> Result<()> {
    match direction {
        Direction::Forward => input.seek(key, trailer),
        Direction::Backward => input.seek_for_prev(key, trailer),
    }
}

#[inline]
fn word<I: EntryIterator>(input: &I, direction: Direction) -> u128 {
    input.prefix().map_or(END, |prefix| direction.turned(prefix))
}

/// Whether one input's entry comes before another's, in the direction of travel. Ends come after all.
#[inline]
fn comes_before<I: EntryIterator>(
    inputs: &[I],
    words: &[u128],
    direction: Direction,
    left: usize,
    right: usize,
) -> bool {
    if words[left] != words[right] {
        return words[left] < words[right];
    }
    comes_before_in_full(inputs, direction, left, right)
}

#[cold]
fn comes_before_in_full<I: EntryIterator>(
    inputs: &[I],
    direction: Direction,
    left: usize,
    right: usize,
) -> bool {
    match (inputs[left].entry(), inputs[right].entry()) {
        (Some(one), Some(other)) => {
            let order = one.order(&other).then_with(|| left.cmp(&right));
            order == if direction == Direction::Forward { Ordering::Less } else { Ordering::Greater }
        }
        (one, _) => one.is_some(),
    }
}
