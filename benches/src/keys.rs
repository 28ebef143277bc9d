//! Keys and values: 16 decimal digits, and bytes that can be compressed to about half.
//!
//! ```text
//! key     0000000000001234         the index of the key; keys sort as their indexes do
//! missing 0000000000001234.        sorts between two neighbours, so that only a filter can rule it out
//! value   stamp(8) noise... | the same bytes again
//! ```
//!
//! The stamp says which write of the key it was. All other bytes follow from the seed, the key and the stamp, so a
//! value can be checked by itself: it belongs to this key, and nothing in it is torn or mixed up.

/// The bytes of a key.
pub const KEY_BYTES: usize = 16;
/// The least bytes of a value: the stamp and as much noise, twice. A stamp alone would be right for any key.
pub const MIN_VALUE_BYTES: usize = 32;

const STAMP_BYTES: usize = 8;

/// The finalizer of `SplitMix64` (Steele, Lea, Flood, 2014): a bijection that spreads every bit.
pub(crate) const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The key with this index, which is below 10^16.
pub fn key(index: u64) -> [u8; KEY_BYTES] {
    let mut digits = [b'0'; KEY_BYTES];
    let mut rest = index;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    digits
}

/// A key that no workload writes, right behind the key with this index; as `readmissing` of `db_bench` makes them.
pub fn missing_key(index: u64) -> [u8; KEY_BYTES + 1] {
    let mut missing = [b'.'; KEY_BYTES + 1];
    missing[..KEY_BYTES].copy_from_slice(&key(index));
    missing
}

/// Writes and checks the values of one run.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    seed: u64,
    len: usize,
}

impl Values {
    /// Values of this many bytes.
    ///
    /// # Panics
    ///
    /// Panics if that is less than [`MIN_VALUE_BYTES`].
    pub fn new(seed: u64, len: usize) -> Self {
        assert!(len >= MIN_VALUE_BYTES, "a value has {MIN_VALUE_BYTES} bytes at least");
        Self { seed, len }
    }

    /// The bytes of each value.
    pub fn value_bytes(&self) -> usize {
        self.len
    }

    fn base(&self, index: u64) -> u64 {
        mix(self.seed ^ mix(index))
    }

    /// Puts the value of a key, with this stamp, in a buffer.
    pub fn fill(&self, index: u64, stamp: u64, buffer: &mut Vec<u8>) {
        buffer.clear();
        let base = self.base(index);
        let half = self.len.div_ceil(2);
        buffer.extend_from_slice(&(stamp ^ base).to_le_bytes());
        let mut state = mix(base ^ mix(stamp));
        while buffer.len() < half {
            state = mix(state);
            buffer.extend_from_slice(&state.to_le_bytes());
        }
        buffer.truncate(half);
        buffer.extend_from_within(..self.len - half);
    }

    /// The stamp of a value that was read for a key, or `None` if it is no value of this key. The buffer is scratch.
    pub fn check(&self, index: u64, value: &[u8], buffer: &mut Vec<u8>) -> Option<u64> {
        let stamp = u64::from_le_bytes(*value.first_chunk::<STAMP_BYTES>()?) ^ self.base(index);
        self.fill(index, stamp, buffer);
        (buffer == value).then_some(stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_indexes_and_missing_ones_between() {
        assert_eq!(&key(1234), b"0000000000001234");
        assert!(key(9) < key(10) && key(9_999) < key(10_000));
        assert!(key(9)[..] < missing_key(9)[..] && missing_key(9)[..] < key(10)[..]);
    }

    #[test]
    fn a_value_is_known_by_its_key_and_gives_its_stamp() {
        let mut scratch = Vec::new();
        for len in [32, 33, 47, 100, 101, 800] {
            let (values, mut value) = (Values::new(7, len), Vec::new());
            values.fill(42, 5, &mut value);
            assert_eq!(value.len(), len);
            assert_eq!(values.check(42, &value, &mut scratch), Some(5));
            assert_eq!(values.check(43, &value, &mut scratch), None);
            assert_eq!(Values::new(8, len).check(42, &value, &mut scratch), None);
        }
    }

    #[test]
    fn any_flipped_or_lost_byte_is_noticed() {
        let (values, mut value, mut scratch) = (Values::new(7, 100), Vec::new(), Vec::new());
        values.fill(1, 2, &mut value);
        for at in 0..value.len() {
            let mut damaged = value.clone();
            damaged[at] ^= 0x10;
            assert_eq!(values.check(1, &damaged, &mut scratch), None, "byte {at}");
            assert_eq!(values.check(1, &value[..at], &mut scratch), None, "{at} bytes");
        }
    }

    #[test]
    fn the_second_half_of_a_value_repeats_the_first() {
        let mut value = Vec::new();
        Values::new(7, 100).fill(1, 2, &mut value);
        assert_eq!(value[..50], value[50..]);
    }
}
