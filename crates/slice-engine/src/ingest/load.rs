//! Writing the tables of a load, one after the other.
//!
//! Invariant: keys ascend, from table to table too, so that no key is in two of them. After an error no file is left.

use std::sync::Arc;

use slice_compaction::TableSink;
use slice_types::{EntryKind, EntryRef, Level, Result, SeqNo, Trailer};

use super::out_of_order;
use crate::background::outputs::Outputs;
use crate::db::Core;
use crate::tree::{OpenTable, Tree};

/// What all entries carry until the table is given its number.
const PLACEHOLDER: Trailer = Trailer::new(SeqNo::ZERO, EntryKind::Put);

/// Writes pairs to tables that nobody knows of yet.
pub(super) fn write<K: AsRef<[u8]>, V: AsRef<[u8]>>(
    core: &Core,
    tree: &Tree,
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Result<Vec<Arc<OpenTable>>> {
    core.settle_manifest()?;
    let settings = tree.settings();
    // Most loads go to the last level.
    let level = Level(u8::try_from(settings.options.max_levels - 1).unwrap_or(u8::MAX));
    let mut outputs = Outputs::new(core, &settings, level, SeqNo::ZERO);
    let mut last: Option<Vec<u8>> = None;
    for (key, value) in pairs {
        let key = key.as_ref();
        if let Some(last) = last.as_deref().filter(|last| *last >= key) {
            return Err(out_of_order(last, key));
        }
        core.check_open()?;
        if outputs.bytes() >= settings.options.target_table_bytes {
            outputs.cut()?;
        }
        outputs.add(EntryRef::new(key, PLACEHOLDER, value.as_ref()))?;
        let last = last.get_or_insert_default();
        last.clear();
        last.extend_from_slice(key);
    }
    outputs.finish()
}
