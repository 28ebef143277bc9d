//! Compaction filters: a say in what becomes of values, while they are rewritten anyway.

use std::fmt;

use slice_compaction::Decision;

/// Decides about values in compactions: see [`CompactionFilterFactory`].
///
/// Any closure of this form is one.
pub trait CompactionFilter {
    /// What becomes of a value; given as it will be read, without the time that it is to stay.
    fn decide(&mut self, key: &[u8], value: &[u8]) -> Decision;
}

impl<F: FnMut(&[u8], &[u8]) -> Decision> CompactionFilter for F {
    fn decide(&mut self, key: &[u8], value: &[u8]) -> Decision {
        self(key, value)
    }
}

/// What a compaction filter may want to know of the compaction.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CompactionContext {
    /// The level that is written to.
    pub output_level: usize,
    /// The time of the compaction, in milliseconds since the epoch.
    pub now_ms: u64,
}

/// Makes a filter for each compaction, and for each part of one that is merged in parallel.
///
/// ```
/// # let dir = tempfile::tempdir().unwrap();
/// use std::sync::Arc;
/// use slice::{CompactionContext, CompactionFilter, CompactionFilterFactory, Decision, blocking::LSMTree};
///
/// /// Takes away what belongs to users who are gone.
/// struct GoneUsers;
///
/// impl CompactionFilterFactory for GoneUsers {
///     fn name(&self) -> &str {
///         "gone users"
///     }
///
///     fn create(&self, _context: &CompactionContext) -> Box<dyn CompactionFilter> {
///         Box::new(|key: &[u8], _value: &[u8]| {
///             if key.starts_with(b"user:17:") { Decision::Remove } else { Decision::Keep }
///         })
///     }
/// }
///
/// let lsm = LSMTree::builder(&dir).compaction_filter(Arc::new(GoneUsers)).open_blocking()?;
/// lsm.put(b"user:17:name", b"ann")?;
/// lsm.put(b"user:18:name", b"bob")?;
/// lsm.compact()?;
/// assert_eq!(lsm.get(b"user:17:name")?, None);
/// assert!(lsm.get(b"user:18:name")?.is_some());
/// # Ok::<(), slice::SliceError>(())
/// ```
///
/// # What a filter sees, and when
///
/// Values that compactions rewrite, and of each key only the newest one, if no snapshot reads it that there was when
/// the compaction began. So a filter says what *may* go. It is no write: it happens when a compaction comes by, which
/// may be never, and has no place in the order of writes. A newer version may be in a memtable or higher level already;
/// operands of later merges may apply to what it leaves. Flushes do not filter. With a filter, compactions rewrite what
/// they would else move; but [`compact`](crate::LSMTree::compact) leaves alone what is in the last level already.
///
/// A snapshot that is taken while a compaction runs may find both what was there before the filter, and later what is
/// there after it.
pub trait CompactionFilterFactory: Send + Sync + 'static {
    /// A name. Factories of the same name are taken for the same.
    fn name(&self) -> &str;

    /// A filter for one compaction, or for a part of it. It sees its keys in ascending order, from one thread.
    ///
    /// A panic here or in the filter keeps the rest of the compaction as it is, and is logged.
    fn create(&self, context: &CompactionContext) -> Box<dyn CompactionFilter>;
}

impl PartialEq for dyn CompactionFilterFactory {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl fmt::Debug for dyn CompactionFilterFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompactionFilterFactory({})", self.name())
    }
}
