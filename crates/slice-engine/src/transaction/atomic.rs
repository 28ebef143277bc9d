//! Read and write of one key as one: a transaction that is begun, checked and run again by itself.
//!
//! The conflict index says at the write whether the key has been written since it was read. Another writer of the key
//! is the only reason to try again, so of those who try somebody always gets on.

use slice_types::Result;

use super::blocking::pause;
use super::retry::Retries;
use super::{Isolation, blocking};
use crate::lsm::LSMTree;

macro_rules! set {
    ($face:ty) => {
        impl $face {
            /// Sets a key to a value, or removes it.
            fn set(&self, key: &[u8], value: Option<&[u8]>) -> Result<()> {
                value.map_or_else(|| self.delete(key), |value| self.put(key, value))
            }
        }
    };
}

set!(super::Transaction);
set!(blocking::Transaction);

impl LSMTree {
    /// Sets a key to `new`, or removes it for `None`, if its value is `expected`, where `None` says that it is not
    /// there. Whether that was so.
    ///
    /// The comparison and the write are one: nobody writes to the key in between. Dropped before it is done, it has
    /// either happened or not.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get) and [`put`](Self::put).
    pub async fn compare_and_swap(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool> {
        let mut retries = Retries::unbounded();
        loop {
            match self.try_swap(key, expected, new).await {
                Err(error) => self.pause(retries.after(error)?).await,
                swapped => return swapped,
            }
        }
    }

    async fn try_swap(&self, key: &[u8], expected: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool> {
        let transaction = self.begin(Isolation::Snapshot);
        if transaction.get(key).await?.as_deref() != expected {
            return Ok(false);
        }
        transaction.set(key, new)?;
        transaction.commit().await.map(|()| true)
    }

    /// Sets a key to what `update` makes of its value, `None` standing for a key that is not there. Gives the value
    /// from before.
    ///
    /// Nobody writes to the key in between. `update` may run many times, so it should have no other effects. Dropped
    /// before it is done, it has either happened or not.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get) and [`put`](Self::put).
    pub async fn fetch_update(
        &self,
        key: &[u8],
        mut update: impl FnMut(Option<&[u8]>) -> Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>> {
        let mut retries = Retries::unbounded();
        loop {
            match self.try_update(key, &mut update).await {
                Err(error) => self.pause(retries.after(error)?).await,
                before => return before,
            }
        }
    }

    async fn try_update(
        &self,
        key: &[u8],
        update: &mut impl FnMut(Option<&[u8]>) -> Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>> {
        let transaction = self.begin(Isolation::Snapshot);
        let before = transaction.get(key).await?;
        let after = update(before.as_deref());
        if before.is_some() || after.is_some() {
            transaction.set(key, after.as_deref())?;
        }
        transaction.commit().await.map(|()| before)
    }
}

impl crate::blocking::LSMTree {
    /// Sets a key to `new`, or removes it for `None`, if its value is `expected`. Whether that was so.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::compare_and_swap`](crate::LSMTree::compare_and_swap).
    pub fn compare_and_swap(&self, key: &[u8], expected: Option<&[u8]>, new: Option<&[u8]>) -> Result<bool> {
        let swap = |transaction: &blocking::Transaction| {
            let is_expected = transaction.get(key)?.as_deref() == expected;
            if is_expected {
                transaction.set(key, new)?;
            }
            Ok(is_expected)
        };
        self.complete_for_ever(swap)
    }

    /// Sets a key to what `update` makes of its value. Gives the value from before.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::fetch_update`](crate::LSMTree::fetch_update).
    pub fn fetch_update(
        &self,
        key: &[u8],
        mut update: impl FnMut(Option<&[u8]>) -> Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>> {
        let run = |transaction: &blocking::Transaction| {
            let before = transaction.get(key)?;
            let after = update(before.as_deref());
            if before.is_some() || after.is_some() {
                transaction.set(key, after.as_deref())?;
            }
            Ok(before)
        };
        self.complete_for_ever(run)
    }

    fn complete_for_ever<T>(&self, mut body: impl FnMut(&blocking::Transaction) -> Result<T>) -> Result<T> {
        let mut retries = Retries::unbounded();
        loop {
            match self.begin(Isolation::Snapshot).complete(&mut body) {
                Err(error) => pause(retries.after(error)?),
                answer => return answer,
            }
        }
    }
}
