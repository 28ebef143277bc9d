//! What is written: keys of a small alphabet, and values that name themselves.
//!
//! Few keys, and some far more often than others, so that a key is overwritten, deleted and read again many times in
//! a short sequence. Among them are those that sort or encode in ways of their own: the empty key, bytes at both ends
//! of their range, keys that are prefixes of others, and one as long as a key may be.

use std::fmt;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use slice::MAX_KEY_LEN;

/// The keys; the first ones are the plain ones, to which a failure shrinks.
static KEYS: LazyLock<Vec<Arc<[u8]>>> = LazyLock::new(|| {
    let plain = (0..24).map(|n| format!("k{n:02}").into_bytes());
    let strange: [&[u8]; 12] = [
        b"",
        b"\0",
        b"\0\0",
        b"\xff",
        b"\xff\xff",
        b"k",
        b"k0",
        b"k00\0",
        b"k00\xff",
        b"k01\0\0",
        b"k0\xff",
        b"l",
    ];
    let long = [vec![b'k'; 300], [vec![b'k'; 299], vec![0xff]].concat(), vec![b'm'; MAX_KEY_LEN]];
    plain.chain(strange.map(<[u8]>::to_vec)).chain(long).map(Arc::from).collect()
});

/// A key of the alphabet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(usize);

impl Key {
    pub(crate) fn bytes(self) -> Arc<[u8]> {
        Arc::clone(&KEYS[self.0])
    }

    pub(crate) fn all() -> impl Iterator<Item = Arc<[u8]>> {
        KEYS.iter().cloned()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", brief(&KEYS[self.0]))
    }
}

/// A key: one of a handful in half of the cases, any of the alphabet in the other half.
pub(crate) fn key() -> impl Strategy<Value = Key> {
    prop_oneof![0..6_usize, 0..KEYS.len()].prop_map(Key)
}

/// A key to look for: of the alphabet, or next to one.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    key: Key,
    near: Near,
}

/// Where a probe is, seen from its key.
#[derive(Clone, Copy, Debug)]
enum Near {
    Here,
    /// The next key there can be.
    Behind,
    /// Without its last byte.
    Prefix,
    /// With its last byte one higher or, at the end, 0.
    Beside,
}

impl Probe {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.key.bytes().to_vec();
        match self.near {
            Near::Here => {}
            Near::Behind => bytes.push(0),
            Near::Prefix => bytes.truncate(bytes.len().saturating_sub(1)),
            Near::Beside => bytes.iter_mut().last().into_iter().for_each(|last| *last = last.wrapping_add(1)),
        }
        bytes.truncate(MAX_KEY_LEN);
        bytes
    }
}

/// Most often a key of the alphabet itself.
pub(crate) fn probe() -> impl Strategy<Value = Probe> {
    let near = prop_oneof![
        5 => Just(Near::Here),
        1 => Just(Near::Behind),
        1 => Just(Near::Prefix),
        1 => Just(Near::Beside),
    ];
    (key(), near).prop_map(|(key, near)| Probe { key, near })
}

/// A value by its description. Two writes rarely have the same, so an old value in a new one's place is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    tag: u16,
    len: usize,
}

impl Value {
    /// Even tags give bytes that compress well, odd ones bytes that do not.
    pub(crate) fn bytes(self) -> Vec<u8> {
        let mut state = u32::from(self.tag) | 1 << 16;
        let mut byte = |n: usize| {
            if self.tag.is_multiple_of(2) {
                return self.tag.to_le_bytes()[n % 2];
            }
            // xorshift32 (Marsaglia, 2003).
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[1]
        };
        (0..self.len).map(&mut byte).collect()
    }
}

/// A value from empty to several KiB, that is beyond any small block.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let len = prop_oneof![
        6 => 1..80_usize,
        1 => Just(0),
        3 => 80..1500_usize,
        1 => 1500..6000_usize,
    ];
    (any::<u16>(), len).prop_map(|(tag, len)| Value { tag, len })
}

/// Bytes for people: short ones in full, of long ones the front and the length.
pub(crate) fn brief(bytes: &[u8]) -> String {
    match bytes.get(..24) {
        Some(front) => format!("{:?}.. ({} bytes)", front.escape_ascii().to_string(), bytes.len()),
        None => format!("{:?}", bytes.escape_ascii().to_string()),
    }
}
