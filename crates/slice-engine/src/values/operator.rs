//! Merge operators: what it means to merge an operand into a value.
//!
//! An operator is code of the user's. It may refuse, and it may panic: either is an error of the read that met it, and
//! never one of a flush or compaction, which then leave the operands as they are.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use slice_types::{Error, ErrorKind, MAX_VALUE_LEN, Result};

use super::Rules;

/// Folds operands into values: what [`LSMTree::merge`](crate::LSMTree::merge) needs.
///
/// A merge writes its operand without reading the value, which makes it as cheap as a put. The operands of a key are
/// folded when it is read, and for good by flushes and compactions. `slice` has two ready-made in
/// [`operators`](crate::operators). One of your own, which keeps the largest number seen:
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// use std::sync::Arc;
/// use slice::{MergeOperator, Result, blocking::LSMTree};
///
/// struct Max;
///
/// impl MergeOperator for Max {
///     fn name(&self) -> &str {
///         "max"
///     }
///
///     fn merge(&self, _key: &[u8], existing: Option<&[u8]>, operand: &[u8]) -> Result<Vec<u8>> {
///         Ok(existing.map_or(operand, |existing| existing.max(operand)).to_vec())
///     }
/// }
///
/// let lsm = LSMTree::builder(&dir).merge_operator(Arc::new(Max)).open_blocking()?;
/// for sample in [3_u32, 9, 4] {
///     lsm.merge(b"peak", &sample.to_be_bytes())?;
/// }
/// assert_eq!(lsm.get(b"peak")?, Some(9_u32.to_be_bytes().to_vec()));
/// # Ok::<(), slice::SliceError>(())
/// ```
///
/// # What an operator has to be
///
/// **Associative**: an operand is itself a value, and merging `c` into the merge of `a` and `b` is the same as merging
/// the merge of `b` and `c` into `a`; the first operand of a key without a value is its value. For operands are merged
/// with each other before the value is known. **Deterministic**: the same operands give the same value, today and in
/// years, for some were merged then and some will be now. The order is that of the writes; it need not be commutative.
pub trait MergeOperator: Send + Sync + 'static {
    /// A name. Operators of the same name are taken for the same.
    fn name(&self) -> &str;

    /// What becomes of `existing`, a value or an older operand, when `operand` is merged into it. `existing` is none
    /// for a key that has no value: it was never written, was deleted, or has expired.
    ///
    /// # Errors
    ///
    /// Any, when the operand cannot be merged. Reads of the key fail with it then, and nothing is lost: the operands
    /// stay as they are, to be read with a better operator, or to be overwritten or deleted. A panic counts as one.
    fn merge(&self, key: &[u8], existing: Option<&[u8]>, operand: &[u8]) -> Result<Vec<u8>>;
}

impl PartialEq for dyn MergeOperator {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl fmt::Debug for dyn MergeOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MergeOperator({})", self.name())
    }
}

impl Rules {
    /// What becomes of a value, or of an older operand, when an operand is merged into it.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` in a keyspace without a merge operator; `MergeOperator` when it refuses or panics.
    pub(crate) fn merge(&self, key: &[u8], existing: Option<&[u8]>, operand: &[u8]) -> Result<Bytes> {
        let operator = self.operator.as_deref().ok_or_else(super::stamp::no_operator)?;
        combine(operator, key, existing, operand).map(Bytes::from)
    }
}

/// Folds operands, newest first, into a base.
///
/// # Errors
///
/// `MergeOperator` when there is no operator, when it refuses or panics, or when it makes more than a value may be.
pub(super) fn fold(
    operator: Option<&dyn MergeOperator>,
    key: &[u8],
    base: Option<Bytes>,
    operands: &[Bytes],
) -> Result<Option<Bytes>> {
    let Some(operator) = operator else { return Err(no_operator(key)) };
    operands.iter().rev().try_fold(base, |existing, operand| {
        combine(operator, key, existing.as_deref(), operand).map(|merged| Some(Bytes::from(merged)))
    })
}

/// Merges one operand into what is older.
///
/// # Errors
///
/// `MergeOperator` when the operator refuses or panics, or when it makes more than a value may be.
pub(super) fn combine(
    operator: &dyn MergeOperator,
    key: &[u8],
    existing: Option<&[u8]>,
    operand: &[u8],
) -> Result<Vec<u8>> {
    // Nothing of ours is borrowed mutably in there, so nothing of ours can be left half done.
    match catch_unwind(AssertUnwindSafe(|| operator.merge(key, existing, operand))) {
        Ok(Ok(merged)) if merged.len() <= MAX_VALUE_LEN => Ok(merged),
        Ok(Ok(merged)) => {
            Err(refused(operator, key, &format!("it made {} bytes, over the limit of a value", merged.len())))
        }
        Ok(Err(error)) => Err(refused(operator, key, &error.to_string())),
        Err(_panic) => Err(refused(operator, key, "it panicked")),
    }
}

#[cold]
fn refused(operator: &dyn MergeOperator, key: &[u8], why: &str) -> Error {
    let message = format!(
        "the merge operator {:?} does not fold the operands of key {}: {why}; they are kept, to be read with a \
         better operator, or overwritten",
        operator.name(),
        brief(key)
    );
    Error::new(ErrorKind::MergeOperator, message)
}

#[cold]
fn no_operator(key: &[u8]) -> Error {
    let message = format!(
        "key {} has operands of merges, and there is no merge operator to fold them; open the store with the one \
         that they were written for (Builder::merge_operator)",
        brief(key)
    );
    Error::new(ErrorKind::MergeOperator, message)
}

/// A key for people, cut where it gets long.
fn brief(key: &[u8]) -> String {
    const SHOWN: usize = 64;
    let cut = if key.len() > SHOWN { ".." } else { "" };
    format!("\"{}\"{cut}", key[..key.len().min(SHOWN)].escape_ascii())
}
