//! The keyspaces of a database: which there are, by number and by name.
//!
//! The list is replaced as a whole, under the manifest's lock, once the manifest says the same. Whoever looks at it takes
//! no lock.

use std::sync::Arc;

use arc_swap::ArcSwap;
use slice_types::KeyspaceId;

use crate::tree::Tree;

/// All keyspaces, ascending by number: the default one is the first.
pub(crate) struct Trees(ArcSwap<Vec<Arc<Tree>>>);

impl Trees {
    pub(crate) fn new(trees: Vec<Arc<Tree>>) -> Self {
        Self(ArcSwap::from_pointee(trees))
    }

    pub(crate) fn all(&self) -> Arc<Vec<Arc<Tree>>> {
        self.0.load_full()
    }

    pub(crate) fn get(&self, id: KeyspaceId) -> Option<Arc<Tree>> {
        let all = self.0.load();
        all.iter().find(|tree| tree.id == id).cloned()
    }

    pub(crate) fn named(&self, name: &str) -> Option<Arc<Tree>> {
        let all = self.0.load();
        all.iter().find(|tree| tree.name == name).cloned()
    }

    /// Adds a keyspace, whose number is above all others. Under the manifest's lock.
    pub(crate) fn add(&self, tree: Arc<Tree>) {
        let mut trees = Vec::clone(&self.0.load());
        trees.push(tree);
        self.0.store(Arc::new(trees));
    }

    /// Takes a keyspace out. Under the manifest's lock.
    pub(crate) fn remove(&self, id: KeyspaceId) {
        let mut trees = Vec::clone(&self.0.load());
        trees.retain(|tree| tree.id != id);
        self.0.store(Arc::new(trees));
    }
}
