//! Which keys a memtable may have: a filter that grows, so that a lookup of a key that is not there ends here.
//!
//! ```text
//!   layer 0   [ 64 words ]                            256 keys
//!   layer 1   [        256 words        ]             1,024 keys
//!   layer 2   [                  1,024 words  ...     4,096 keys
//! ```
//!
//! A key is in one word of one layer, as five bits of 64. When a layer has as many keys as it is for, the next one is begun;
//! a lookup asks all of them. At 16 bits a key one layer mistakes about one key in a hundred.
//!
//! One-word blocks are from F. Putze, P. Sanders, J. Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007).

use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use crate::primitives::AtomicU64;

/// The words of the first layer. Few under loom, which tries what each of them may be.
const WORDS: usize = if cfg!(all(test, slice_loom)) { 1 } else { 64 };
/// How many times larger the next layer is, as a power of two.
const GROWTH: u32 = 2;
/// The bits for a key, set or not.
const BITS_PER_KEY: usize = 16;
/// Layers: enough for a thousand million keys. The last one takes all that come then.
const LAYERS: usize = 12;

/// The filter, as readers see it.
pub(super) struct Filter {
    layers: [OnceLock<Box<[AtomicU64]>>; LAYERS],
}

/// The writer's part.
pub(super) struct FilterWriter {
    /// Layers so far.
    layers: usize,
    /// How many keys the last one has room for.
    room: usize,
    allocated: usize,
}

impl FilterWriter {
    pub(super) const fn new() -> Self {
        Self { layers: 0, room: 0, allocated: 0 }
    }

    /// The memory that the filter takes, in bytes.
    pub(super) const fn allocated(&self) -> usize {
        self.allocated
    }
}

impl Filter {
    pub(super) const fn new() -> Self {
        Self { layers: [const { OnceLock::new() }; LAYERS] }
    }

    /// Whether no key was ever added.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.layers[0].get().is_none()
    }

    /// Whether a key with this hash may have been added.
    #[inline]
    pub(super) fn may_have(&self, hash: u64) -> bool {
        let mask = mask(hash);
        let layers = self.layers.iter().map_while(OnceLock::get);
        layers.into_iter().any(|layer| word(layer, hash).load(Ordering::Relaxed) & mask == mask)
    }

    /// Adds a key; says whether it may have been there. Readers are promised it once something else, stored with `Release`
    /// behind this, has reached them.
    #[inline]
    pub(super) fn add(&self, writer: &mut FilterWriter, hash: u64) -> bool {
        if self.may_have(hash) {
            return true;
        }
        if writer.room == 0 {
            self.grow(writer);
        }
        writer.room -= 1;
        let layer = self.layers[writer.layers - 1].get().expect("it was made before it was counted");
        let word = word(layer, hash);
        word.store(word.load(Ordering::Relaxed) | mask(hash), Ordering::Relaxed);
        false
    }

    #[cold]
    fn grow(&self, writer: &mut FilterWriter) {
        if writer.layers == LAYERS {
            writer.room = usize::MAX;
            return;
        }
        let words = WORDS << (GROWTH as usize * writer.layers);
        self.layers[writer.layers].get_or_init(|| (0..words).map(|_| AtomicU64::new(0)).collect());
        writer.layers += 1;
        writer.room = words * u64::BITS as usize / BITS_PER_KEY;
        writer.allocated += words * size_of::<AtomicU64>();
    }
}

/// The word for a key. Layers have a power of two of them.
#[inline]
fn word(layer: &[AtomicU64], hash: u64) -> &AtomicU64 {
    &layer[(hash >> 32) as usize & (layer.len() - 1)]
}

/// The five bits for a key, from five times six bits of its hash.
#[inline]
const fn mask(hash: u64) -> u64 {
    1 << (hash & 63)
        | 1 << (hash >> 6 & 63)
        | 1 << (hash >> 12 & 63)
        | 1 << (hash >> 18 & 63)
        | 1 << (hash >> 24 & 63)
}

#[cfg(all(test, not(slice_loom)))]
mod tests {
    use super::*;

    /// SplitMix64's finalizer.
    const fn hash(n: u64) -> u64 {
        let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    #[test]
    fn what_was_added_is_there_through_all_layers() {
        let (filter, mut writer) = (Filter::new(), FilterWriter::new());
        assert!(filter.is_empty() && !filter.may_have(hash(0)));
        for n in 0..100_000 {
            filter.add(&mut writer, hash(n));
        }
        assert!(!filter.is_empty() && writer.layers == 6);
        assert!((0..100_000).all(|n| filter.may_have(hash(n))));
    }

    #[test]
    fn few_keys_that_were_not_added_are_taken_for_such() {
        let (filter, mut writer) = (Filter::new(), FilterWriter::new());
        for n in 0..80_000 {
            filter.add(&mut writer, hash(n));
        }
        let wrong = (1_000_000..1_100_000).filter(|n| filter.may_have(hash(*n))).count();
        assert!(wrong < 8_000, "{wrong} of 100,000");
    }

    #[test]
    fn a_key_that_comes_again_takes_no_room() {
        let (filter, mut writer) = (Filter::new(), FilterWriter::new());
        for _ in 0..10_000 {
            filter.add(&mut writer, hash(1));
        }
        assert_eq!(writer.allocated(), WORDS * 8);
    }
}
