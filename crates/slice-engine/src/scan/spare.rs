//! The memory of a cursor, kept by its thread for the next one.
//!
//! A merge over a few tables takes more than a kilobyte, which allocators give out slowly, and a scan of a few entries
//! takes little longer than that.
//!
//! Invariant: what is kept holds no input, and so no table, memtable or view.

use std::cell::RefCell;

use slice_compaction::MergingIter;

use crate::tree::Input;

/// How many a thread keeps: those of one scan, which has two ends, and of another within it.
const SPARES_MAX: usize = 4;
/// The most inputs whose memory is kept.
const INPUTS_MAX: usize = 64;

thread_local! {
    static SPARES: RefCell<Vec<MergingIter<Input>>> = const { RefCell::new(Vec::new()) };
}

/// A merge without inputs.
pub(super) fn take() -> MergingIter<Input> {
    SPARES.try_with(|spares| spares.borrow_mut().pop()).ok().flatten().unwrap_or_default()
}

/// Gives a merge back, whose inputs go.
pub(super) fn give(mut merge: MergingIter<Input>) {
    let is_large = merge.inputs_mut().len() > INPUTS_MAX;
    // A table that goes with its last reader may have much to do: the thread's spares are not borrowed meanwhile.
    merge.refill(|_none| {});
    let keep = |spares: &RefCell<Vec<_>>| {
        let mut spares = spares.borrow_mut();
        if spares.len() < SPARES_MAX && !is_large {
            spares.push(merge);
        }
    };
    // A thread that ends has no spares any more.
    SPARES.try_with(keep).unwrap_or_default();
}
