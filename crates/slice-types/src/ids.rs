//! The numbers that name things.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id! {
    /// A table, and the number in the names of its three files. Never reused within a database.
    TableId(u64)
}

id! {
    /// A write-ahead log, and the number in its file's name. Logs are replayed in the order of their numbers.
    LogNumber(u32)
}

id! {
    /// A tree of its own within a database.
    KeyspaceId(u32)
}

impl LogNumber {
    /// The number of the log behind this one; `None` when numbers are used up.
    #[inline]
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(next) => Some(Self(next)),
            None => None,
        }
    }
}

impl KeyspaceId {
    /// The keyspace that every database has.
    pub const DEFAULT: Self = Self(0);
    /// None, for ever: entries of it stand in a log for sequence numbers that were taken for something else.
    pub const NONE: Self = Self(u32::MAX);
}

id! {
    /// A level of the tree: 0 holds what was flushed, overlapping, newest last; each deeper one is sorted and disjoint.
    Level(u8)
}

impl Level {
    /// Where flushes go.
    pub const ZERO: Self = Self(0);

    /// The level as an index.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The next deeper level.
    #[inline]
    #[must_use]
    pub const fn below(self) -> Self {
        Self(self.0 + 1)
    }
}
