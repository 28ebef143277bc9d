//! What merges of a keyspace know of its values: the rules, at one time.
//!
//! A merge never fails for what the user's code does. What an operator cannot fold stays as it is, for a reader to be
//! told; a filter that panics is not asked again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use slice_compaction::{Decision, ValueRules};
use slice_types::{MAX_VALUE_LEN, Result, split_expiry};

use super::filter::{CompactionContext, CompactionFilter};
use super::operator::combine;
use super::{MergeOperator, Rules};

/// The rules of one merge.
pub(crate) struct Merging<'r> {
    operator: Option<&'r dyn MergeOperator>,
    filter: Option<Box<dyn CompactionFilter>>,
    now_ms: u64,
    /// Whether a failure was logged: one a merge is enough.
    has_failed: bool,
}

impl Rules {
    /// The rules of a flush, which does not filter.
    pub(crate) fn of_flush(&self) -> Merging<'_> {
        let operator = self.operator.as_deref();
        Merging { operator, filter: None, now_ms: self.time.now_ms(), has_failed: false }
    }

    /// The rules of a compaction that writes to a level, or of a part of one.
    pub(crate) fn of_compaction(&self, output_level: usize) -> Merging<'_> {
        let merging = self.of_flush();
        let context = CompactionContext { output_level, now_ms: merging.now_ms };
        let filter = self.filter.as_ref().and_then(|factory| {
            let created = catch_unwind(AssertUnwindSafe(|| factory.create(&context)));
            created
                .map_err(|_panic| tracing::error!("a compaction filter panicked; nothing is filtered"))
                .ok()
        });
        Merging { filter, ..merging }
    }
}

impl ValueRules for Merging<'_> {
    fn combines(&self) -> bool {
        self.operator.is_some()
    }

    fn combine(&mut self, key: &[u8], older: Option<&[u8]>, operand: &[u8]) -> Option<Vec<u8>> {
        match combine(self.operator?, key, older, operand) {
            Ok(combined) => Some(combined),
            Err(error) => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::warn!(%error, "operands stay as they are");
                }
                None
            }
        }
    }

    fn is_expired(&self, value: &[u8]) -> Result<bool> {
        split_expiry(value).map(|(expiry_ms, _)| expiry_ms <= self.now_ms)
    }

    fn filters(&self) -> bool {
        self.filter.is_some()
    }

    fn decide(&mut self, key: &[u8], value: &[u8]) -> Decision {
        let Some(filter) = &mut self.filter else { return Decision::Keep };
        // A filter that panicked is not asked again, so nobody sees what it left half done.
        match catch_unwind(AssertUnwindSafe(|| filter.decide(key, value))) {
            Ok(Decision::Replace(value)) if value.len() > MAX_VALUE_LEN => {
                tracing::error!("a compaction filter made a value over the limit; the old one stays");
                Decision::Keep
            }
            Ok(decision) => decision,
            Err(_panic) => {
                tracing::error!("a compaction filter panicked; the rest of the merge is not filtered");
                self.filter = None;
                Decision::Keep
            }
        }
    }
}
