//! Merge operators for what merges are most often wanted for: counting, and appending.

use slice_types::{Error, Result};

use super::MergeOperator;

/// Adds signed numbers: values and operands are `i64`, little-endian.
///
/// A sum beyond 64 bits wraps around, so that it does not matter which operands are added first. A value or operand
/// that has not eight bytes is an error of the reads that meet it.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// use std::sync::Arc;
/// use slice::{blocking::LSMTree, operators::Counter};
///
/// let lsm = LSMTree::builder(&dir).merge_operator(Arc::new(Counter)).open_blocking()?;
/// lsm.merge(b"visits", &1_i64.to_le_bytes())?;
/// lsm.merge(b"visits", &5_i64.to_le_bytes())?;
/// lsm.merge(b"visits", &(-2_i64).to_le_bytes())?;
/// assert_eq!(lsm.get(b"visits")?, Some(4_i64.to_le_bytes().to_vec()));
/// # Ok::<(), slice::SliceError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter;

impl MergeOperator for Counter {
    fn name(&self) -> &'static str {
        "slice.counter"
    }

    fn merge(&self, _key: &[u8], existing: Option<&[u8]>, operand: &[u8]) -> Result<Vec<u8>> {
        let sum = number(existing.unwrap_or(&[0; 8]))?.wrapping_add(number(operand)?);
        Ok(sum.to_le_bytes().to_vec())
    }
}

fn number(bytes: &[u8]) -> Result<i64> {
    let bytes = bytes.try_into().map_err(|_| {
        Error::invalid_argument(format!("a count has eight bytes, and there are {}", bytes.len()))
    })?;
    Ok(i64::from_le_bytes(bytes))
}

/// Puts operands behind one another, with a separator in between.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// use std::sync::Arc;
/// use slice::{blocking::LSMTree, operators::Append};
///
/// let lsm = LSMTree::builder(&dir).merge_operator(Arc::new(Append::with(b", "))).open_blocking()?;
/// lsm.put(b"followers", b"ann")?;
/// lsm.merge(b"followers", b"bob")?;
/// lsm.merge(b"followers", b"cy")?;
/// assert_eq!(lsm.get(b"followers")?, Some(b"ann, bob, cy".to_vec()));
/// # Ok::<(), slice::SliceError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Append {
    separator: Vec<u8>,
}

impl Append {
    /// An operator that writes `separator` between two operands.
    pub fn with(separator: &[u8]) -> Self {
        Self { separator: separator.to_vec() }
    }
}

impl MergeOperator for Append {
    fn name(&self) -> &'static str {
        "slice.append"
    }

    fn merge(&self, _key: &[u8], existing: Option<&[u8]>, operand: &[u8]) -> Result<Vec<u8>> {
        Ok(match existing {
            None => operand.to_vec(),
            Some(existing) => [existing, &self.separator, operand].concat(),
        })
    }
}
