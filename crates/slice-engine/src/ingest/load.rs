//! Writing the tables of a load, one after the other.
//!
//! The store may be closed while the pairs come, and the directory be somebody else's from then on. So each step in it is
//! done while it is certainly ours, and between two steps nothing is held: the pairs may take their time.
//!
//! Invariant: keys ascend, from table to table too, so that no key is in two of them. After an error no file is left, but
//! in a directory that is not ours any more: there the next open has removed them.

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
    let mut load = Load::new(core, tree);
    for (key, value) in pairs {
        load.add(key.as_ref(), value.as_ref())?;
    }
    load.finish()
}

struct Load<'a> {
    core: &'a Core,
    /// Taken only when it is finished or dropped.
    outputs: Option<Outputs<'a>>,
    /// The size that tables are cut at, in bytes.
    target: u64,
    last: Option<Vec<u8>>,
}

impl<'a> Load<'a> {
    fn new(core: &'a Core, tree: &Tree) -> Self {
        let settings = tree.settings();
        // Most loads go to the last level.
        let level = Level(u8::try_from(settings.options.max_levels - 1).unwrap_or(u8::MAX));
        let outputs = Some(Outputs::new(core, &settings, level, SeqNo::ZERO));
        Self { core, outputs, target: settings.options.target_table_bytes, last: None }
    }

    fn add(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        if let Some(last) = self.last.as_deref().filter(|last| *last >= key) {
            return Err(out_of_order(last, key));
        }
        let Self { core, outputs: Some(outputs), target, .. } = self else { return Ok(()) };
        core.check_open()?;
        core.in_directory(|| {
            if outputs.bytes() >= *target {
                outputs.cut()?;
            }
            outputs.add(EntryRef::new(key, PLACEHOLDER, value))
        })?;
        let last = self.last.get_or_insert_default();
        last.clear();
        last.extend_from_slice(key);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Arc<OpenTable>>> {
        let Self { core, outputs, .. } = &mut self;
        core.in_directory(|| outputs.take().map_or_else(|| Ok(Vec::new()), Outputs::finish))
    }
}

impl Drop for Load<'_> {
    fn drop(&mut self) {
        let Self { core, outputs, .. } = self;
        let removed = core.in_directory(|| {
            drop(outputs.take());
            Ok(())
        });
        if removed.is_err()
            && let Some(outputs) = outputs
        {
            outputs.disown();
        }
    }
}
