//! Who is in the tree, and so when nodes that were replaced may be used again.
//!
//! ```text
//!   reader:   enter | fence | root, node, node ... | leave
//!   writer:                                              replaces a node | fence | is anybody in?  no: it is free
//! ```
//!
//! A reader who enters behind the writer's look finds the root, and each child, as they are since: the fences see to it. So
//! once nobody is in, nobody can come to a node that was replaced before. Who looks a key up in the index never enters.
//! Where there is always somebody in the tree, nodes are not used again, and all stays as it was.
//!
//! It is the simplest of what is known as epochs (K. Fraser, "Practical lock-freedom", 2004): one epoch, and a count.

use std::sync::atomic::Ordering;

use super::inner::NodeId;
use crate::primitives::{AtomicUsize, fence};

/// How many readers are in the tree.
pub(super) struct Visitors(AtomicUsize);

/// A reader's stay.
pub(super) struct Visit<'a>(&'a Visitors);

impl Visitors {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// From here on, and until what is returned goes, no node that can be come to is used again.
    #[inline]
    pub(super) fn enter(&self) -> Visit<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        Visit(self)
    }

    fn is_anybody_in(&self) -> bool {
        fence(Ordering::SeqCst);
        self.0.load(Ordering::Acquire) > 0
    }
}

impl Drop for Visit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Release);
    }
}

/// The numbers of the nodes of a kind. The writer's.
#[derive(Default)]
pub(super) struct Numbers {
    made: NodeId,
    /// Not in the tree any more, but perhaps with a reader in them.
    replaced: Vec<NodeId>,
    free: Vec<NodeId>,
}

impl Numbers {
    /// Of so many nodes.
    pub(super) const fn of(made: NodeId) -> Self {
        Self { made, replaced: Vec::new(), free: Vec::new() }
    }

    /// How many nodes there are.
    #[cfg(all(test, not(slice_loom)))]
    pub(super) const fn made(&self) -> NodeId {
        self.made
    }

    /// A node that nobody knows of: one that was used before, or else the next one.
    pub(super) fn next(&mut self, visitors: &Visitors) -> NodeId {
        if self.free.is_empty() && !self.replaced.is_empty() && !visitors.is_anybody_in() {
            std::mem::swap(&mut self.free, &mut self.replaced);
        }
        self.free.pop().unwrap_or_else(|| {
            self.made += 1;
            self.made - 1
        })
    }

    /// Says that no way leads to a node any more.
    pub(super) fn replaced(&mut self, node: NodeId) {
        self.replaced.push(node);
    }
}

#[cfg(all(test, not(slice_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_used_again_once_nobody_is_in_who_was_in_when_it_was_replaced() {
        let (visitors, mut numbers) = (Visitors::new(), Numbers::of(1));
        assert_eq!(numbers.next(&visitors), 1);
        let (one, other) = (visitors.enter(), visitors.enter());
        numbers.replaced(0);
        assert_eq!(numbers.next(&visitors), 2);
        drop(one);
        assert_eq!(numbers.next(&visitors), 3);
        drop(other);
        assert_eq!((numbers.next(&visitors), numbers.next(&visitors)), (0, 4));
    }
}
