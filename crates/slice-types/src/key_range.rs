//! A range of user keys, and its bytes.
//!
//! ```text
//!   what a user says         start        end               bytes of the end
//!   "b" .. "d"               "b"          "d", excluded     "d"
//!   "b" ..= "d"              "b"          "d\0", excluded   "d\0"       the key behind "d"
//!   "b" ..                   "b"          none              ""          no key is below "", so no range ends there
//! ```

use std::fmt;
use std::ops::{Bound, RangeBounds};

use bytes::Bytes;

use crate::{Error, MAX_KEY_LEN, Result, check_key};

/// User keys from a first one (included) to an end (excluded); never empty as ranges of byte strings go.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRange {
    start: Bytes,
    /// Empty for no end.
    end: Bytes,
}

impl KeyRange {
    /// All keys.
    pub const ALL: Self = Self { start: Bytes::new(), end: Bytes::new() };

    /// The keys within some bounds; `None` when there are none, as in `"a".."a"`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when the start is behind the end, or a bound is too long
    /// for a key.
    pub fn within<K: AsRef<[u8]>>(bounds: &impl RangeBounds<K>) -> Result<Option<Self>> {
        check_bounds(bounds)?;
        let start = match bounds.start_bound() {
            Bound::Unbounded => Some(Bytes::new()),
            Bound::Included(key) => Some(Bytes::copy_from_slice(key.as_ref())),
            Bound::Excluded(key) => behind(key.as_ref()),
        };
        let end = match bounds.end_bound() {
            Bound::Unbounded => None,
            Bound::Excluded(key) if key.as_ref().is_empty() => return Ok(None),
            Bound::Excluded(key) => Some(Bytes::copy_from_slice(key.as_ref())),
            Bound::Included(key) => behind(key.as_ref()),
        };
        // There may be no key behind the start.
        let Some(start) = start else { return Ok(None) };
        let range = Self { start, end: end.unwrap_or_default() };
        Ok((!range.is_empty()).then_some(range))
    }

    /// The range with these bytes.
    ///
    /// # Errors
    ///
    /// [`Corruption`](crate::ErrorKind::Corruption) when no range has them.
    pub fn from_bytes(start: &[u8], end: &[u8]) -> Result<Self> {
        let range = Self { start: Bytes::copy_from_slice(start), end: Bytes::copy_from_slice(end) };
        if start.len() > MAX_KEY_LEN || end.len() > MAX_KEY_LEN || range.is_empty() {
            return Err(Error::corruption(format!("{range:?} is not a range of keys")));
        }
        Ok(range)
    }

    /// The first key.
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// The first key behind the range; `None` when it has no end.
    pub fn end(&self) -> Option<&[u8]> {
        (!self.end.is_empty()).then_some(&*self.end)
    }

    /// The end as it is stored: empty for none.
    pub fn end_bytes(&self) -> &[u8] {
        &self.end
    }

    /// Both bounds, to be shared; an end of no bytes is none.
    pub(crate) const fn bounds(&self) -> (&Bytes, &Bytes) {
        (&self.start, &self.end)
    }

    /// Whether the key is in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        *self.start <= *key && self.ends_behind(key)
    }

    /// Whether some key from `smallest` to `largest`, both included, may be in the range.
    pub fn touches(&self, smallest: &[u8], largest: &[u8]) -> bool {
        *self.start <= *largest && self.ends_behind(smallest)
    }

    fn ends_behind(&self, key: &[u8]) -> bool {
        self.end().is_none_or(|end| key < end)
    }

    fn is_empty(&self) -> bool {
        self.end().is_some_and(|end| *self.start >= *end)
    }
}

impl fmt::Debug for KeyRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}..{})", self.start.escape_ascii(), self.end.escape_ascii())
    }
}

/// Refuses bounds that no key may have, and a start behind the end. Bounds that both leave the same key out are the
/// wrong way round too: the start is the key behind it.
fn check_bounds<K: AsRef<[u8]>>(bounds: &impl RangeBounds<K>) -> Result<()> {
    let key = |bound: Bound<&K>| match bound {
        Bound::Unbounded => None,
        Bound::Included(key) => Some((key.as_ref().to_vec(), true)),
        Bound::Excluded(key) => Some((key.as_ref().to_vec(), false)),
    };
    let (start, end) = (key(bounds.start_bound()), key(bounds.end_bound()));
    for (bound, _) in [&start, &end].into_iter().flatten() {
        check_key(bound)?;
    }
    match (start, end) {
        (Some((start, true)), Some((end, _))) | (Some((start, _)), Some((end, true))) if start <= end => {
            Ok(())
        }
        (Some((start, _)), Some((end, _))) if start >= end => Err(Error::invalid_argument(format!(
            "the range starts at {} and ends before that, at {}",
            start.escape_ascii(),
            end.escape_ascii()
        ))),
        _ => Ok(()),
    }
}

/// The least key above another; `None` when there is none.
fn behind(key: &[u8]) -> Option<Bytes> {
    let mut next = key.to_vec();
    if next.len() < MAX_KEY_LEN {
        next.push(0);
        return Some(next.into());
    }
    // The longest keys are followed by shorter ones.
    while let Some(last) = next.pop() {
        if let Some(larger) = last.checked_add(1) {
            next.push(larger);
            return Some(next.into());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn range(bounds: impl RangeBounds<&'static str>) -> Option<KeyRange> {
        let as_bytes = |bound: Bound<&&'static str>| bound.map(|key| key.as_bytes());
        KeyRange::within::<&[u8]>(&(as_bytes(bounds.start_bound()), as_bytes(bounds.end_bound()))).unwrap()
    }

    #[test]
    fn each_kind_of_bound_takes_in_what_it_says() {
        let cases: [(Option<KeyRange>, &str); 6] = [
            (range("b".."d"), "b b! c"),
            (range("b"..="d"), "b b! c d"),
            (range((Bound::Excluded("b"), Bound::Excluded("d"))), "b! c"),
            (range("c"..), "c d d! e"),
            (range(..="b"), " a b"),
            (range(..), " a b b! c d d! e"),
        ];
        for (range, inside) in cases {
            let range = range.unwrap();
            let keys = ["", "a", "b", "b!", "c", "d", "d!", "e"];
            let found: Vec<_> = keys.into_iter().filter(|key| range.contains(key.as_bytes())).collect();
            assert_eq!(found.join(" "), inside, "{range:?}");
        }
    }

    #[test]
    fn a_range_without_keys_is_none() {
        assert_eq!(range("b".."b"), None);
        assert_eq!(range((Bound::Excluded("b"), Bound::Included("b"))), None);
        assert_eq!(range(..""), None);
        let last = vec![0xff; MAX_KEY_LEN];
        assert_eq!(KeyRange::within::<Vec<u8>>(&(Bound::Excluded(last), Bound::Unbounded)).unwrap(), None);
    }

    #[test]
    fn a_reversed_range_and_a_bound_too_long_are_refused() {
        let neither = (Bound::Excluded("b"), Bound::Excluded("b"));
        for bounds in [(Bound::Included("c"), Bound::Excluded("b")), neither] {
            let reversed = KeyRange::within::<&str>(&bounds).unwrap_err();
            assert_eq!(reversed.kind(), ErrorKind::InvalidArgument);
        }
        let long = vec![0; MAX_KEY_LEN + 1];
        assert_eq!(KeyRange::within::<Vec<u8>>(&(..long)).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn a_range_can_include_the_longest_key() {
        let mut key = vec![0xff; MAX_KEY_LEN];
        let all = KeyRange::within::<&[u8]>(&(..=&key[..])).unwrap().unwrap();
        assert_eq!(all.end(), None);
        key[0] = 7;
        let range = KeyRange::within::<&[u8]>(&(..=&key[..])).unwrap().unwrap();
        assert_eq!(range.end(), Some(&[8][..]));
        assert!(range.contains(&key));
    }

    #[test]
    fn what_is_stored_is_read_back_and_no_empty_range_is() {
        for bounds in [range("b".."d"), range("b"..), range(..)] {
            let range = bounds.unwrap();
            assert_eq!(KeyRange::from_bytes(range.start(), range.end_bytes()).unwrap(), range);
        }
        for (start, end) in [("b", "b"), ("c", "b")] {
            let error = KeyRange::from_bytes(start.as_bytes(), end.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corruption);
        }
    }
}
