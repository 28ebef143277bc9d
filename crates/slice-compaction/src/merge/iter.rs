//! Many sorted inputs as one.
//!
//! Of each input, the first eight bytes of its current key are kept as a number, so that most matches of the
//! [`LoserTree`] compare two words and touch no key.
//!
//! Going backwards is the mirror image: the largest entry wins, and the words are complemented.

use std::cmp::Ordering;

use slice_types::{EntryIterator, EntryRef, Result, Trailer};

use super::loser_tree::LoserTree;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// Merges inputs into one stream in internal order.
///
/// Of entries that are equal in key and trailer, which no healthy tree has, the earlier input's comes first.
#[derive(Debug)]
pub struct MergingIter<I> {
    inputs: Vec<I>,
    /// For each input, what its current key starts with; all ones when it has come to its end.
    words: Vec<u64>,
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
            words: vec![u64::MAX; inputs.len()],
            inputs,
            tree: LoserTree::default(),
            direction: Direction::Forward,
            is_placed: false,
            scratch: Vec::new(),
        }
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
            self.words[index] = word(input.entry(), direction);
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
        self.words[winner] = word(input.entry(), direction);
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

    fn advance(&mut self, direction: Direction) -> Result<()> {
        if self.entry().is_none() {
            return Ok(());
        }
        if self.direction == direction { self.step() } else { self.turn(direction) }
    }
}

impl<I: EntryIterator> EntryIterator for MergingIter<I> {
    #[inline]
    fn entry(&self) -> Option<EntryRef<'_>> {
        if self.is_placed { self.inputs[self.tree.winner()].entry() } else { None }
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

/// The first eight bytes of a key as a number that orders like it; short keys are filled up with zeros. Complemented
/// on the way back. All ones for an input at its end: it ties with a key at the edge of the order, no worse.
#[inline]
fn word(entry: Option<EntryRef<'_>>, direction: Direction) -> u64 {
    let Some(entry) = entry else { return u64::MAX };
    let prefix = match entry.key.first_chunk() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => short_prefix(entry.key),
    };
    if direction == Direction::Forward { prefix } else { !prefix }
}

fn short_prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..key.len()].copy_from_slice(key);
    u64::from_be_bytes(bytes)
}

/// Whether one input's entry comes before another's, in the direction of travel. Ends come after all.
#[inline]
fn comes_before<I: EntryIterator>(
    inputs: &[I],
    words: &[u64],
    direction: Direction,
    left: usize,
    right: usize,
) -> bool {
    if words[left] != words[right] {
        return words[left] < words[right];
    }
    match (inputs[left].entry(), inputs[right].entry()) {
        (Some(one), Some(other)) => {
            let order = one.order(&other).then_with(|| left.cmp(&right));
            order == if direction == Direction::Forward { Ordering::Less } else { Ordering::Greater }
        }
        (one, _) => one.is_some(),
    }
}
