//! From the versions of a key to its value.
//!
//! The one place that knows what a reader makes of the kinds of entries: gets give it the versions of a key newest
//! first and stop when it has its answer, scans that go backward give them oldest first.

use std::ops::ControlFlow;

use bytes::Bytes;
use slice_types::{EXPIRY_LEN, EntryKind, Error, ErrorKind, Result, Trailer, split_expiry};

use super::Rules;
use super::operator::fold;

/// Takes the versions of one key, then gives its value, and can take those of the next.
///
/// The caller leaves out what is not to be seen: versions above its sequence number, and those that a range tombstone
/// covers.
pub(crate) struct Resolver<'r> {
    rules: &'r Rules,
    /// The time, once it was asked for: one look at the clock, so that all that is read together agrees.
    now_ms: Option<u64>,
    /// Operands, in the order in which they came.
    operands: Vec<Bytes>,
    /// What they apply to, when they come oldest first.
    base: Option<Bytes>,
}

impl<'r> Resolver<'r> {
    pub(crate) const fn new(rules: &'r Rules) -> Self {
        Self { rules, now_ms: None, operands: Vec::new(), base: None }
    }

    /// Takes the next older version of a key, the newest one first. `Break` is the value, and ends the key; `Continue`
    /// asks for what is below, or for [`finish`](Self::finish) when nothing is.
    ///
    /// # Errors
    ///
    /// `MergeOperator` when operands cannot be folded; `Unsupported` for a kind that is not known.
    #[inline]
    pub(crate) fn take_older(
        &mut self,
        key: &[u8],
        trailer: Trailer,
        value: Bytes,
    ) -> Result<ControlFlow<Option<Bytes>>> {
        if trailer.kind() == EntryKind::Merge {
            self.operands.push(value);
            return Ok(ControlFlow::Continue(()));
        }
        self.base = self.value_of(trailer, value)?;
        self.finish(key).map(ControlFlow::Break)
    }

    /// The value of a key that has no older version to take: what is below counts as deleted.
    ///
    /// # Errors
    ///
    /// As [`take_older`](Self::take_older).
    #[inline]
    pub(crate) fn finish(&mut self, key: &[u8]) -> Result<Option<Bytes>> {
        let base = self.base.take();
        if self.operands.is_empty() {
            return Ok(base);
        }
        let folded = fold(self.rules.operator.as_deref(), key, base, &self.operands);
        self.operands.clear();
        folded
    }

    /// Takes the next newer version of a key, the oldest one first. When there is none, [`finish_newest`] has the
    /// value.
    ///
    /// [`finish_newest`]: Self::finish_newest
    ///
    /// # Errors
    ///
    /// `Unsupported` for a kind that is not known.
    pub(crate) fn take_newer(&mut self, trailer: Trailer, value: Bytes) -> Result<()> {
        if trailer.kind() == EntryKind::Merge {
            self.operands.push(value);
            return Ok(());
        }
        self.operands.clear();
        self.base = self.value_of(trailer, value)?;
        Ok(())
    }

    /// The value of a key whose versions were taken oldest first.
    ///
    /// # Errors
    ///
    /// `MergeOperator` when operands cannot be folded.
    pub(crate) fn finish_newest(&mut self, key: &[u8]) -> Result<Option<Bytes>> {
        self.operands.reverse();
        self.finish(key)
    }

    /// What a version other than an operand says by itself.
    #[inline]
    fn value_of(&mut self, trailer: Trailer, value: Bytes) -> Result<Option<Bytes>> {
        match trailer.kind() {
            EntryKind::Put => Ok(Some(value)),
            EntryKind::Delete => Ok(None),
            EntryKind::PutUntil => self.unless_expired(&value),
            kind => Err(Error::new(
                ErrorKind::Unsupported,
                format!("an entry of kind {kind:?} needs a newer slice"),
            )),
        }
    }

    fn unless_expired(&mut self, value: &Bytes) -> Result<Option<Bytes>> {
        let (expiry_ms, _) = split_expiry(value)?;
        let now_ms = *self.now_ms.get_or_insert_with(|| self.rules.time.now_ms());
        Ok((now_ms < expiry_ms).then(|| value.slice(EXPIRY_LEN..)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use slice_types::{SeqNo, join_expiry};

    use super::*;
    use crate::Options;
    use crate::operators::Append;
    use crate::values::{ManualClock, Time};

    fn rules() -> Rules {
        let options = Options { merge_operator: Some(Arc::new(Append::default())), ..Options::default() };
        Rules::new(&options, Arc::new(Time::new(Some(Arc::new(ManualClock::new(100))))))
    }

    type Written<'a> = (EntryKind, &'a [u8]);

    /// Versions, oldest first, as a forward and as a backward scan resolve them.
    fn both_ways(versions: &[Written<'_>]) -> [Option<Bytes>; 2] {
        let rules = rules();
        let of = |n: usize| {
            let (kind, value) = versions[n];
            (Trailer::new(SeqNo::new(n as u64 + 1), kind), Bytes::copy_from_slice(value))
        };
        let (mut older, mut newer) = (Resolver::new(&rules), Resolver::new(&rules));
        let settled = (0..versions.len())
            .rev()
            .map(of)
            .find_map(|(trailer, value)| older.take_older(b"k", trailer, value).unwrap().break_value());
        for (trailer, value) in (0..versions.len()).map(of) {
            newer.take_newer(trailer, value).unwrap();
        }
        [settled.unwrap_or_else(|| older.finish(b"k").unwrap()), newer.finish_newest(b"k").unwrap()]
    }

    #[test]
    fn both_directions_find_the_same_value() {
        use EntryKind::{Delete, Merge, Put, PutUntil};
        let (live, expired) = (join_expiry(101, b"v"), join_expiry(100, b"v"));
        let cases: [(&[Written<'_>], Option<&str>); 9] = [
            (&[], None),
            (&[(Put, b"a"), (Put, b"b")], Some("b")),
            (&[(Put, b"a"), (Delete, b"")], None),
            (&[(Put, b"a"), (Merge, b"b"), (Merge, b"c")], Some("abc")),
            (&[(Put, b"a"), (Delete, b""), (Merge, b"b")], Some("b")),
            (&[(Put, b"a"), (PutUntil, &live)], Some("v")),
            (&[(Put, b"a"), (PutUntil, &expired)], None),
            (&[(Put, b"a"), (PutUntil, &live), (Merge, b"b")], Some("vb")),
            (&[(Put, b"a"), (PutUntil, &expired), (Merge, b"b")], Some("b")),
        ];
        for (versions, expected) in cases {
            let expected = expected.map(|value| Bytes::copy_from_slice(value.as_bytes()));
            assert_eq!(both_ways(versions), [expected.clone(), expected], "{versions:?}");
        }
    }
}
