//! What an async scan reads on a blocking thread in one go.
//!
//! A hop to another thread costs as much as reading many entries. So one reads ahead there: a few entries at first,
//! for those who want only a few, then more and more.

use std::collections::VecDeque;

use slice_sstable::ReadMode;
use slice_types::{Error, Result};

use super::{Ends, Item};

/// The entries that the first batch takes.
pub(super) const BATCH_MIN: usize = 16;
/// The entries that a batch grows to.
const BATCH_MAX: usize = 1024;
/// The bytes of keys and values after which a batch is full.
const BATCH_BYTES: usize = 256 << 10;

/// The end of the range that something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Front,
    Back,
}

impl End {
    pub(super) fn opposite(self) -> Self {
        match self {
            Self::Front => Self::Back,
            Self::Back => Self::Front,
        }
    }

    /// The next entry from this end.
    pub(super) fn take(self, ends: &mut Ends) -> Result<Option<Item>> {
        match self {
            Self::Front => ends.next(),
            Self::Back => ends.next_back(),
        }
    }
}

/// What a blocking thread brings back.
pub(super) struct Batch {
    pub(super) ends: Box<Ends>,
    pub(super) end: End,
    /// In the order of the walk.
    pub(super) items: VecDeque<Item>,
    /// What came after the items.
    pub(super) failure: Option<Error>,
}

/// Takes up to `want` entries, waiting for the disk.
pub(super) fn fill(mut ends: Box<Ends>, end: End, want: usize) -> Batch {
    ends.set_mode(ReadMode::Wait);
    let mut items = VecDeque::new();
    let mut bytes = 0;
    let mut failure = None;
    while items.len() < want.min(BATCH_MAX) && bytes < BATCH_BYTES && !ends.source.is_abandoned() {
        match end.take(&mut ends) {
            Err(error) => failure = Some(error),
            Ok(Some(item)) => {
                bytes += item.0.len() + item.1.len();
                items.push_back(item);
                continue;
            }
            Ok(None) => {}
        }
        break;
    }
    ends.set_mode(ReadMode::CachedOnly);
    Batch { ends, end, items, failure }
}
