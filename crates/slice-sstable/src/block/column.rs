//! A column of numbers in a block: a straight line, plus what each number differs from it.
//!
//! ```text
//!   number(i) = base + step * i + (residual(i) << shift)
//!
//!   residuals:  | width bytes | width bytes | ...      width 0..=8, little-endian
//! ```
//!
//! Keys of one length have ends on a line, so their residuals take no bytes at all; sequence numbers that lie close
//! together take two or three bytes instead of eight. A number is still found in one load, so a search needs no
//! decoding. The idea is that of frame-of-reference coding (Goldstein, Ramakrishnan, Shaft, "Compressing Relations
//! and Indexes", ICDE 1998), with a slope.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

/// The widest residual, in bytes.
pub(super) const MAX_WIDTH: u8 = 8;

/// Where a column lies in its block, and how its numbers are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) base: u64,
    /// Where the residuals begin, in bytes from the start of the block.
    pub(super) start: u32,
    pub(super) step: u32,
    pub(super) width: u8,
    pub(super) shift: u8,
}

impl Column {
    /// The line under ascending end offsets: its slope is the shortest length.
    pub(super) fn of_ends(ends: &[u32]) -> Self {
        let starts = std::iter::once(&0).chain(ends);
        let step = ends.iter().zip(starts).map(|(end, start)| end - start).min().unwrap_or(0);
        let line_end = u64::from(step) * ends.len() as u64;
        // The residuals ascend: each length is at least `step`. So the last one is the largest.
        let largest = ends.last().map_or(0, |&end| u64::from(end) - line_end);
        Self { base: u64::from(step), start: 0, step, width: width_of(largest), shift: 0 }
    }

    /// The level line under trailers. Where all are of one kind, its byte is not repeated.
    pub(super) fn of_trailers(trailers: &[u64]) -> Self {
        let base = trailers.iter().copied().min().unwrap_or(0);
        let spread = trailers.iter().fold(0, |bits, trailer| bits | (trailer - base));
        let shift = if spread.trailing_zeros() >= 8 { 8 } else { 0 };
        Self { base, start: 0, step: 0, width: width_of(spread >> shift), shift }
    }

    /// Appends the residuals of `numbers`, the very ones that the column was made of.
    pub(super) fn write(&self, numbers: impl Iterator<Item = u64>, out: &mut Vec<u8>) {
        if self.width == 0 {
            return;
        }
        for (i, number) in numbers.enumerate() {
            let residual = (number - self.base - u64::from(self.step) * i as u64) >> self.shift;
            // Eight bytes and back: a copy of a known length is a store, one of an unknown length a call.
            let end = out.len() + usize::from(self.width);
            out.extend_from_slice(&residual.to_le_bytes());
            out.truncate(end);
        }
    }

    /// The bytes that `count` residuals take.
    pub(super) fn len(&self, count: usize) -> usize {
        count * usize::from(self.width)
    }

    /// How far ends are apart, where they are all equally far.
    #[inline]
    pub(super) fn equal_len(&self) -> Option<usize> {
        (self.width == 0).then_some(self.step as usize)
    }

    /// Whether the lowest byte, which is the kind of a trailer, is the same in all numbers of a level column.
    pub(super) fn has_one_kind(&self) -> bool {
        self.step == 0 && (self.shift >= 8 || self.width == 0)
    }

    /// Number `i`. For an `i` out of range, or a damaged column, some number: it never panics.
    #[inline]
    pub(super) fn get(&self, block: &[u8], i: usize) -> u64 {
        let line = self.base.wrapping_add(u64::from(self.step).wrapping_mul(i as u64));
        if self.width == 0 {
            return line;
        }
        let at = self.start as usize + i * usize::from(self.width);
        line.wrapping_add(load(block, at, self.width) << self.shift)
    }
}

/// Loads `width` bytes (1 to 8) at `at`: eight at once and a mask, except near the end of the block.
#[inline]
fn load(block: &[u8], at: usize, width: u8) -> u64 {
    let rest = block.get(at..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word) & (u64::MAX >> (64 - 8 * u32::from(width))),
        None => load_near_end(rest, width),
    }
}

#[cold]
fn load_near_end(rest: &[u8], width: u8) -> u64 {
    rest.iter().take(usize::from(width)).rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// How many bytes hold every number up to `largest`.
fn width_of(largest: u64) -> u8 {
    (64 - largest.leading_zeros()).div_ceil(8) as u8
}
