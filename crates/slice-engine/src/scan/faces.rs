//! How scans are asked for: the same methods on trees and snapshots, async and blocking.

use std::ops::RangeBounds;
use std::sync::Arc;

use slice_types::Result;

use super::{BlockingScan, Ends, KeyRange, Overlay, Scan, Source};
use crate::db::{Handle, ReadAt};
use crate::tree::Tree;
use crate::{LSMTree, Snapshot, blocking};

/// A scan of a range at a moment, with a transaction's own writes if there are any.
pub(crate) fn ends(
    handle: &Arc<Handle>,
    tree: &Arc<Tree>,
    at: ReadAt,
    range: KeyRange,
    overlay: Option<Overlay>,
) -> Result<Ends> {
    Ends::new(Source::new(&handle.core, tree, at, overlay), range)
}

macro_rules! scans {
    ($(#[$lint:meta])* $face:ty => $scan:ident, $self:ident: $handle:expr, $tree:expr, $at:expr) => {
        $(#[$lint])*
        impl $face {
            /// The keys of a range, ascending, with their values. Reads nothing yet.
            ///
            /// Bounds are anything that is bytes: `"a".."b"`, `&key[..]..`, `*b"a"..=*b"z"`, `vec![1]..`; for all keys
            /// there is [`iter`](Self::iter). A range that ends before it begins is an error of the first entry.
            pub fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&$self, range: R) -> $scan {
                $self.scan(KeyRange::new(&range))
            }

            /// The keys that begin with `prefix`, ascending, with their values. Reads nothing yet.
            pub fn prefix(&$self, prefix: impl AsRef<[u8]>) -> $scan {
                $self.scan(KeyRange::of_prefix(prefix.as_ref()))
            }

            /// All keys, ascending, with their values. Reads nothing yet.
            pub fn iter(&$self) -> $scan {
                $self.scan(KeyRange::ALL)
            }

            fn scan(&$self, range: KeyRange) -> $scan {
                let handle = $handle;
                $scan::new(handle, ends(handle, $tree, $at, range, None))
            }
        }
    };
}

scans!(
    #[expect(clippy::iter_not_returning_iterator, reason = "what an async iterator is, is a stream")]
    LSMTree => Scan, self: &self.handle, &self.tree, ReadAt::Newest
);
scans!(
    #[expect(clippy::iter_not_returning_iterator, reason = "what an async iterator is, is a stream")]
    Snapshot => Scan, self: &self.moment.handle, &self.tree, self.moment.at()
);
scans!(blocking::LSMTree => BlockingScan, self: &self.handle, &self.tree, ReadAt::Newest);
scans!(blocking::Snapshot => BlockingScan, self: &self.moment.handle, &self.tree, self.moment.at());

impl IntoIterator for &blocking::LSMTree {
    type Item = <BlockingScan as Iterator>::Item;
    type IntoIter = BlockingScan;

    fn into_iter(self) -> BlockingScan {
        self.iter()
    }
}

impl IntoIterator for &blocking::Snapshot {
    type Item = <BlockingScan as Iterator>::Item;
    type IntoIter = BlockingScan;

    fn into_iter(self) -> BlockingScan {
        self.iter()
    }
}
