//! Sequence numbers: the one clock of the store.
//!
//! Every write takes the next number, numbers are published in order, and a reader at number `n` sees the writes
//! numbered up to `n` and nothing else.

use std::fmt;

/// The number of a write: 56 bits, 0 before the first write.
///
/// 56 bits, because a number shares one word with the [`EntryKind`](crate::EntryKind) of its entry (see
/// [`Trailer`](crate::Trailer)). At ten million writes a second they last for two centuries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SeqNo(u64);

impl SeqNo {
    /// Before the first write: nothing is visible.
    pub const ZERO: Self = Self(0);
    /// Above every write: everything is visible.
    pub const MAX: Self = Self((1 << 56) - 1);

    /// Makes a sequence number.
    ///
    /// # Panics
    ///
    /// When `n` exceeds 56 bits: written to disk, it would corrupt the kind of its entry.
    #[inline]
    pub const fn new(n: u64) -> Self {
        assert!(n <= Self::MAX.0, "a sequence number has 56 bits");
        Self(n)
    }

    /// The number itself.
    #[inline]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number `n` writes later.
    ///
    /// # Panics
    ///
    /// When the result exceeds 56 bits.
    #[inline]
    #[must_use]
    pub const fn plus(self, n: u64) -> Self {
        Self::new(self.0 + n)
    }
}

impl fmt::Debug for SeqNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

impl fmt::Display for SeqNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
