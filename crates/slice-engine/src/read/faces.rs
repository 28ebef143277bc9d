//! How it is read: the same methods on trees and snapshots, async and blocking.

use std::future::Future;
use std::ops::RangeBounds;
use std::sync::Arc;

use bytes::Bytes;
use slice_sstable::ReadMode;
use slice_types::Result;

use super::lookups::Lookups;
use super::{BlockingReadable, Readable};
use crate::lsm::lookup;
use crate::scan::{BlockingScan, KeyRange, Scan};
use crate::transaction::Inner;
use crate::tree::Tree;
use crate::{LSMTree, Snapshot, Transaction, blocking};

macro_rules! readable {
    ($face:ty) => {
        impl Readable for $face {
            async fn get_pinned(&self, key: &[u8]) -> Result<Option<Bytes>> {
                let reader = self.reader();
                lookup(&reader.handle.core, reader.tree, key, reader.at).await
            }

            fn multi_get<K: AsRef<[u8]>>(
                &self,
                keys: impl IntoIterator<Item = K>,
            ) -> impl Future<Output = Result<Vec<Option<Bytes>>>> + Send {
                let lookups = Lookups::new(self.reader().source(), keys);
                async move { lookups?.run().await }
            }

            fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Scan {
                let reader = self.reader();
                Scan::new(reader.handle, reader.ends(KeyRange::new(&range)))
            }
        }

        methods!($face);
    };
}

macro_rules! methods {
    ($face:ty) => {
        #[expect(clippy::iter_not_returning_iterator, reason = "what an async iterator is, is a stream")]
        impl $face {
            /// The value of a key. A value of more than 1 KiB shares memory with the store and is not copied: kept for
            /// long, it keeps its block in memory, or its memtable's chunk of up to 2 MiB.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            pub async fn get_pinned(&self, key: &[u8]) -> Result<Option<Bytes>> {
                Readable::get_pinned(self, key).await
            }

            /// Whether a key has a value.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            pub async fn contains_key(&self, key: &[u8]) -> Result<bool> {
                Readable::contains_key(self, key).await
            }

            /// The values of many keys as of one moment, in the order of the keys. Cheaper than one by one: keys of
            /// one block are looked up one after the other, and the disk is waited for on one thread for all.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get), for the first key that fails.
            pub fn multi_get<K: AsRef<[u8]>>(
                &self,
                keys: impl IntoIterator<Item = K>,
            ) -> impl Future<Output = Result<Vec<Option<Bytes>>>> + Send {
                Readable::multi_get(self, keys)
            }

            /// The keys of a range, ascending, with their values. Reads nothing yet.
            ///
            /// Bounds are anything that is bytes: `"a".."b"`, `&key[..]..`, `*b"a"..=*b"z"`, `vec![1]..`; for all
            /// keys there is [`iter`](Self::iter). A range that ends before it begins is an error of the first entry.
            pub fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Scan {
                Readable::range(self, range)
            }

            /// The keys that begin with `prefix`, ascending, with their values. Reads nothing yet.
            pub fn prefix(&self, prefix: impl AsRef<[u8]>) -> Scan {
                Readable::prefix(self, prefix)
            }

            /// All keys, ascending, with their values. Reads nothing yet.
            pub fn iter(&self) -> Scan {
                Readable::iter(self)
            }

            /// The first key and its value.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            pub async fn first_key_value(&self) -> Result<Option<(Bytes, Bytes)>> {
                Readable::first_key_value(self).await
            }

            /// The last key and its value.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            pub async fn last_key_value(&self) -> Result<Option<(Bytes, Bytes)>> {
                Readable::last_key_value(self).await
            }

            /// How many keys a range has: exact, and reads all of it.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get); `InvalidArgument` for a range that ends before it begins.
            pub fn count<K: AsRef<[u8]>, R: RangeBounds<K>>(
                &self,
                range: R,
            ) -> impl Future<Output = Result<u64>> + Send {
                Readable::count(self, range)
            }
        }
    };
}

macro_rules! readable_blocking {
    ($face:ty) => {
        impl BlockingReadable for $face {
            fn get_pinned(&self, key: &[u8]) -> Result<Option<Bytes>> {
                let reader = self.reader();
                reader.handle.core.get(reader.tree, key, reader.at, ReadMode::Wait)
            }

            fn multi_get<K: AsRef<[u8]>>(
                &self,
                keys: impl IntoIterator<Item = K>,
            ) -> Result<Vec<Option<Bytes>>> {
                Lookups::new(self.reader().source(), keys)?.wait()
            }

            fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> BlockingScan {
                let reader = self.reader();
                BlockingScan::new(reader.handle, reader.ends(KeyRange::new(&range)))
            }
        }

        methods_blocking!($face);
    };
}

macro_rules! methods_blocking {
    ($face:ty) => {
        impl $face {
            /// The value of a key, sharing memory with the store.
            ///
            /// # Errors
            ///
            /// As [`slice::LSMTree::get_pinned`](crate::LSMTree::get_pinned).
            pub fn get_pinned(&self, key: &[u8]) -> Result<Option<Bytes>> {
                BlockingReadable::get_pinned(self, key)
            }

            /// Whether a key has a value.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            pub fn contains_key(&self, key: &[u8]) -> Result<bool> {
                BlockingReadable::contains_key(self, key)
            }

            /// The values of many keys as of one moment, in the order of the keys.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get), for the first key that fails.
            pub fn multi_get<K: AsRef<[u8]>>(
                &self,
                keys: impl IntoIterator<Item = K>,
            ) -> Result<Vec<Option<Bytes>>> {
                BlockingReadable::multi_get(self, keys)
            }

            /// The keys of a range, ascending, with their values; see
            /// [`slice::LSMTree::range`](crate::LSMTree::range).
            pub fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> BlockingScan {
                BlockingReadable::range(self, range)
            }

            /// The keys that begin with `prefix`, ascending, with their values.
            pub fn prefix(&self, prefix: impl AsRef<[u8]>) -> BlockingScan {
                BlockingReadable::prefix(self, prefix)
            }

            /// All keys, ascending, with their values.
            pub fn iter(&self) -> BlockingScan {
                BlockingReadable::iter(self)
            }

            /// The first key and its value.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            pub fn first_key_value(&self) -> Result<Option<(Bytes, Bytes)>> {
                BlockingReadable::first_key_value(self)
            }

            /// The last key and its value.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get).
            pub fn last_key_value(&self) -> Result<Option<(Bytes, Bytes)>> {
                BlockingReadable::last_key_value(self)
            }

            /// How many keys a range has: exact, and reads all of it.
            ///
            /// # Errors
            ///
            /// As [`get`](Self::get); `InvalidArgument` for a range that ends before it begins.
            pub fn count<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<u64> {
                BlockingReadable::count(self, range)
            }
        }

        impl IntoIterator for &$face {
            type Item = <BlockingScan as Iterator>::Item;
            type IntoIter = BlockingScan;

            fn into_iter(self) -> BlockingScan {
                self.iter()
            }
        }
    };
}

impl Readable for Transaction {
    async fn get_pinned(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.look(key).await
    }

    fn multi_get<K: AsRef<[u8]>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> impl Future<Output = Result<Vec<Option<Bytes>>>> + Send {
        let lookups = lookups(&self.inner, &self.tree, keys);
        async move { lookups?.run().await }
    }

    fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Scan {
        Scan::new(&self.inner.moment.handle, self.inner.scan(&self.tree, KeyRange::new(&range)))
    }
}

impl BlockingReadable for blocking::Transaction {
    fn get_pinned(&self, key: &[u8]) -> Result<Option<Bytes>> {
        self.look(key)
    }

    fn multi_get<K: AsRef<[u8]>>(&self, keys: impl IntoIterator<Item = K>) -> Result<Vec<Option<Bytes>>> {
        lookups(&self.inner, &self.tree, keys)?.wait()
    }

    fn range<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> BlockingScan {
        BlockingScan::new(&self.inner.moment.handle, self.inner.scan(&self.tree, KeyRange::new(&range)))
    }
}

fn lookups<K: AsRef<[u8]>>(
    transaction: &Inner,
    tree: &Arc<Tree>,
    keys: impl IntoIterator<Item = K>,
) -> Result<Lookups> {
    let keys: Vec<Bytes> = keys.into_iter().map(|key| Bytes::copy_from_slice(key.as_ref())).collect();
    Lookups::new(transaction.source(tree, &keys)?, keys)
}

macro_rules! estimates {
    ($face:ty) => {
        impl $face {
            /// About how many keys there are, without reading them: exact after a full compaction, while nothing
            /// expires; before, a key that was overwritten counts for each version that is still there, and a deleted
            /// one counts as two keys less.
            pub fn approximate_len(&self) -> u64 {
                self.reader().approximate_len()
            }

            /// About how many bytes of tables the keys of a range take, as stored: to within a block or two of each
            /// table at both ends. What is in memtables counts nothing.
            ///
            /// # Errors
            ///
            /// `InvalidArgument` for a range that ends before it begins; `Closed`.
            pub fn approximate_size<K: AsRef<[u8]>, R: RangeBounds<K>>(&self, range: R) -> Result<u64> {
                self.reader().approximate_size(&KeyRange::new(&range))
            }
        }
    };
}

readable!(LSMTree);
readable!(Snapshot);
readable_blocking!(blocking::LSMTree);
readable_blocking!(blocking::Snapshot);
methods!(Transaction);
methods_blocking!(blocking::Transaction);
estimates!(LSMTree);
estimates!(blocking::LSMTree);
