//! Keys and values: 16 decimal digits, and bytes that can be compressed to about half.
//!
//! ```text
//! key     0000000000001234         the index of the key; keys sort as their indexes do
//! missing 0000000000001234.        sorts between two neighbours, so that only a filter can rule it out
//! value   stamp(8) noise... | the same bytes again
//! ```
//!
//! The stamp says which write of the key it was. All other bytes follow from the seed, the key and the stamp, so a
//! value can be checked by itself: it belongs to this key, and nothing in it is torn or mixed up. Making a key and
//! checking a value are part of every operation that is measured, so they have to cost nearly nothing.

/// The bytes of a key.
pub const KEY_BYTES: usize = 16;
/// The least bytes of a value: the stamp and as much noise, twice. A stamp alone would be right for any key.
pub const MIN_VALUE_BYTES: usize = 32;

const WORD: usize = 8;

/// The finalizer of `SplitMix64` (Steele, Lea, Flood, 2014): a bijection that spreads every bit.
#[inline]
pub(crate) const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The key with this index, which is below 10^16.
#[inline]
pub fn key(index: u64) -> [u8; KEY_BYTES] {
    let mut digits = [0; KEY_BYTES];
    digits[..WORD].copy_from_slice(&eight_digits(index / 100_000_000));
    digits[WORD..].copy_from_slice(&eight_digits(index % 100_000_000));
    digits
}

/// All digits at once, by halving: 8 digits into 2 lanes of 4, these into 4 of 2, these into 8 of 1. The divisions by 100
/// and 10 are multiplications that are exact in their lanes. After Paul Khuong, "How to print integers really fast", 2017.
#[inline]
const fn eight_digits(n: u64) -> [u8; WORD] {
    let fours = (n / 10_000) | ((n % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | ((twos - 10 * tens) << 8);
    (ones | 0x3030_3030_3030_3030).to_le_bytes()
}

/// The index of a key; `None` for what is no key.
#[inline]
pub fn index_of(key: &[u8]) -> Option<u64> {
    let digits: &[u8; KEY_BYTES] = key.try_into().ok()?;
    digits.iter().try_fold(0, |index, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then_some(index * 10 + u64::from(digit))
    })
}

/// A key that no workload writes, right behind the key with this index; as `readmissing` of `db_bench` makes them.
#[inline]
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
        Self { seed: mix(seed), len }
    }

    /// The bytes of each value.
    pub fn value_bytes(&self) -> usize {
        self.len
    }

    #[inline]
    fn base(&self, index: u64) -> u64 {
        mix(self.seed ^ index)
    }

    /// Puts the value of a key, with this stamp, in a buffer.
    #[inline]
    pub fn fill(&self, index: u64, stamp: u64, buffer: &mut Vec<u8>) {
        buffer.clear();
        let base = self.base(index);
        let half = self.len.div_ceil(2);
        buffer.extend_from_slice(&(stamp ^ base).to_le_bytes());
        for word in 1..half.div_ceil(WORD) as u64 {
            buffer.extend_from_slice(&noise(base, stamp, word).to_le_bytes());
        }
        buffer.truncate(half);
        buffer.extend_from_within(..self.len - half);
    }

    /// The stamp of a value that was read for a key, or `None` if it is no value of this key.
    ///
    /// Looks at the length, the first 16 bytes and the last 8: another key's value, an older run's and one that is cut are
    /// known by these. [`check_all`](Self::check_all) looks at every byte.
    #[inline]
    pub fn check(&self, index: u64, value: &[u8]) -> Option<u64> {
        let base = self.base(index);
        let stamp = word(value, 0)? ^ base;
        let half = self.len.div_ceil(2);
        let is_right = value.len() == self.len
            && word(value, WORD)? == noise(base, stamp, 1)
            && word(value, self.len - WORD)? == word(value, self.len - half - WORD)?;
        is_right.then_some(stamp)
    }

    /// As [`check`](Self::check), for all bytes. The buffer is scratch.
    pub fn check_all(&self, index: u64, value: &[u8], buffer: &mut Vec<u8>) -> Option<u64> {
        let stamp = word(value, 0)? ^ self.base(index);
        self.fill(index, stamp, buffer);
        (buffer == value).then_some(stamp)
    }
}

#[inline]
fn noise(base: u64, stamp: u64, word: u64) -> u64 {
    mix(base.wrapping_add(stamp.rotate_left(32)).wrapping_add(word))
}

#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk::<WORD>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_index_in_decimal_and_back() {
        let powers = (0..16).map(|e| 10_u64.pow(e));
        for index in powers.flat_map(|power| [power - 1, power, power + 1, power * 9, power / 7 * 5]) {
            assert_eq!(key(index), format!("{index:016}").as_bytes());
            assert_eq!(index_of(&key(index)), Some(index));
        }
        assert_eq!(
            (index_of(b"123"), index_of(&missing_key(7)), index_of(b"00000000000000:1")),
            (None, None, None)
        );
    }

    #[test]
    fn every_group_of_four_digits_is_right_in_both_halves() {
        for four in 0..10_000_u64 {
            let index = four * 100_010_001;
            assert_eq!(key(index), format!("{index:016}").as_bytes());
        }
    }

    #[test]
    fn keys_sort_as_their_indexes_and_missing_ones_between() {
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
            assert_eq!(values.check(42, &value), Some(5));
            assert_eq!(values.check_all(42, &value, &mut scratch), Some(5));
            assert_eq!(values.check(43, &value), None);
            assert_eq!(Values::new(8, len).check(42, &value), None);
            assert_eq!(values.check(42, &value[..len - 1]), None);
        }
    }

    #[test]
    fn any_flipped_or_lost_byte_is_noticed() {
        let (values, mut value, mut scratch) = (Values::new(7, 100), Vec::new(), Vec::new());
        values.fill(1, 2, &mut value);
        for at in 0..value.len() {
            let mut damaged = value.clone();
            damaged[at] ^= 0x10;
            assert_eq!(values.check_all(1, &damaged, &mut scratch), None, "byte {at}");
            assert_eq!(values.check_all(1, &value[..at], &mut scratch), None, "{at} bytes");
        }
    }

    #[test]
    fn the_quick_look_notices_damage_at_both_ends() {
        let (values, mut value) = (Values::new(7, 100), Vec::new());
        values.fill(1, 2, &mut value);
        for at in (0..16).chain(92..100) {
            let mut damaged = value.clone();
            damaged[at] ^= 0x10;
            assert_eq!(values.check(1, &damaged), None, "byte {at}");
        }
    }

    #[test]
    fn the_second_half_of_a_value_repeats_the_first() {
        let mut value = Vec::new();
        Values::new(7, 100).fill(1, 2, &mut value);
        assert_eq!(value[..50], value[50..]);
    }
}
