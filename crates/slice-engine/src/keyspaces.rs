//! Keyspaces on both faces: to open, list, clear and drop them, and to write batches over several.
//!
//! A keyspace is a tree of its own within a store. All of them share its log, so a batch over several is atomic.

use std::sync::{Arc, Weak};

use slice_types::{KeyspaceId, Result};

use crate::db::Handle;
use crate::lsm::offload;
use crate::options::{Durability, KeyspaceOptions};
use crate::write_batch::WriteBatch;
use crate::{LSMTree, blocking};

/// How a batch is to be written, by [`LSMTree::write_with`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// When the batch is acknowledged, whatever the store's own [`Options::durability`](crate::Options::durability) says.
    /// With [`Durability::Interval`] at once, and an fsync is asked for at once, too.
    pub durability: Durability,
}

/// A handle of a keyspace, of either face: what [`WriteBatch::put_in`] asks for.
pub trait Keyspace: sealed::Sealed {}

pub(crate) mod sealed {
    use super::{Handle, KeyspaceId, Weak};

    #[expect(unnameable_types, reason = "nobody else implements it")]
    pub trait Sealed {
        #[doc(hidden)]
        fn place(&self) -> Place;
    }

    /// A keyspace, and the store that it is of.
    #[derive(Debug)]
    #[expect(unnameable_types, reason = "nobody else implements it")]
    pub struct Place {
        pub(crate) store: Weak<Handle>,
        pub(crate) id: KeyspaceId,
    }
}

macro_rules! is_keyspace {
    ($face:ty) => {
        impl Keyspace for $face {}

        impl sealed::Sealed for $face {
            fn place(&self) -> sealed::Place {
                sealed::Place { store: Arc::downgrade(&self.handle), id: self.tree.id }
            }
        }
    };
}

is_keyspace!(LSMTree);
is_keyspace!(blocking::LSMTree);

impl LSMTree {
    /// The keyspace of this name, in the same store: a tree of its own, with its own keys. Made, with the store's
    /// options, if there is none. `"default"` is the one that every store has.
    ///
    /// The handle reads and writes that keyspace, and [`flush`](Self::flush), [`compact`](Self::compact),
    /// [`clear`](Self::clear) and the levels in [`stats`](Self::stats) are of it; all else is the store's.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a name that is empty or longer than [`MAX_KEYSPACE_NAME_LEN`](crate::MAX_KEYSPACE_NAME_LEN);
    /// `Closed`; `Io` or `StorageFull` when it cannot be made.
    pub async fn keyspace(&self, name: &str) -> Result<Self> {
        let (handle, name) = (Arc::clone(&self.handle), name.to_owned());
        let tree = offload(move || handle.core.keyspace(&name)).await?;
        Ok(Self { handle: Arc::clone(&self.handle), tree })
    }

    /// As [`keyspace`](Self::keyspace), with options of its own. Of a keyspace that is there, they count from now on.
    ///
    /// # Errors
    ///
    /// As [`keyspace`](Self::keyspace); `InvalidArgument` for options out of their bounds, for other options than the
    /// store's of the default keyspace, and for another merge operator or time to live than a keyspace has that is there:
    /// declare those with [`Builder::keyspace`](crate::Builder::keyspace).
    pub async fn keyspace_with(&self, name: &str, options: KeyspaceOptions) -> Result<Self> {
        let (handle, name) = (Arc::clone(&self.handle), name.to_owned());
        let tree = offload(move || handle.core.keyspace_with(&name, &options)).await?;
        Ok(Self { handle: Arc::clone(&self.handle), tree })
    }

    /// The names of all keyspaces, in order.
    pub fn keyspaces(&self) -> Vec<String> {
        self.handle.core.keyspaces()
    }

    /// The name of the keyspace that this handle is of.
    pub fn keyspace_name(&self) -> &str {
        &self.tree.name
    }

    /// Drops a keyspace, with all that is in it: durable when this returns. Whoever has a handle of it is refused from
    /// then on, and its files are removed once nobody reads them.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when there is none of this name, and for the default one; `Closed`; `Io`, `StorageFull` or
    /// `ReadOnly` when that cannot be recorded. After `Io` it may be dropped when the store is opened anew.
    pub async fn drop_keyspace(&self, name: &str) -> Result<()> {
        let (handle, name) = (Arc::clone(&self.handle), name.to_owned());
        offload(move || handle.core.drop_keyspace(&name)).await
    }

    /// Takes away all that is in this keyspace, at once and durably, without reading or writing any of it. Writers to
    /// it wait meanwhile. Snapshots see it empty, too.
    ///
    /// # Errors
    ///
    /// As [`drop_keyspace`](Self::drop_keyspace).
    pub async fn clear(&self) -> Result<()> {
        let (handle, tree) = (Arc::clone(&self.handle), Arc::clone(&self.tree));
        offload(move || handle.core.clear(&tree)).await
    }

    /// As [`write`](Self::write), acknowledged as asked for here.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn write_with(&self, batch: WriteBatch, options: WriteOptions) -> Result<()> {
        let core = &self.handle.core;
        match core.write_batch_now(&self.handle, &self.tree, batch)? {
            Some(written) => core.finish_as(written, options.durability).await,
            None => Ok(()),
        }
    }
}

impl blocking::LSMTree {
    /// The keyspace of this name, made if there is none.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::keyspace`](crate::LSMTree::keyspace).
    pub fn keyspace(&self, name: &str) -> Result<Self> {
        let tree = self.handle.core.keyspace(name)?;
        Ok(Self { handle: Arc::clone(&self.handle), tree })
    }

    /// As [`keyspace`](Self::keyspace), with options of its own.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::keyspace_with`](crate::LSMTree::keyspace_with).
    pub fn keyspace_with(&self, name: &str, options: &KeyspaceOptions) -> Result<Self> {
        let tree = self.handle.core.keyspace_with(name, options)?;
        Ok(Self { handle: Arc::clone(&self.handle), tree })
    }

    /// The names of all keyspaces, in order.
    pub fn keyspaces(&self) -> Vec<String> {
        self.handle.core.keyspaces()
    }

    /// The name of the keyspace that this handle is of.
    pub fn keyspace_name(&self) -> &str {
        &self.tree.name
    }

    /// Drops a keyspace, with all that is in it.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::drop_keyspace`](crate::LSMTree::drop_keyspace).
    pub fn drop_keyspace(&self, name: &str) -> Result<()> {
        self.handle.core.drop_keyspace(name)
    }

    /// Takes away all that is in this keyspace.
    ///
    /// # Errors
    ///
    /// As [`slice::LSMTree::clear`](crate::LSMTree::clear).
    pub fn clear(&self) -> Result<()> {
        self.handle.core.clear(&self.tree)
    }

    /// As [`write`](Self::write), acknowledged as asked for here.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub fn write_with(&self, batch: WriteBatch, options: WriteOptions) -> Result<()> {
        let core = &self.handle.core;
        match core.write_batch_now(&self.handle, &self.tree, batch)? {
            Some(written) => core.finish_as_blocking(written, options.durability),
            None => Ok(()),
        }
    }
}
