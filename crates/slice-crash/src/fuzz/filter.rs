//! A bloom filter: whatever is accepted answers, and is the bytes it was made of.

use slice::bloom::{BloomFilter, FilterBuilder};
use slice_types::checksum;

pub(super) fn run(bytes: &[u8]) {
    let Some((door, content)) = bytes.split_first() else { return };
    let mut file = content.to_vec();
    if door & 1 == 1 {
        seal(&mut file);
    }
    let Ok(filter) = BloomFilter::from_bytes(file.clone()) else { return };
    assert_eq!(filter.as_bytes(), file);
    for key in [&b""[..], b"a", content] {
        filter.may_contain(key);
    }
    assert!(!filter.is_empty() || !filter.may_contain(b"a"), "an empty filter denies everything");
    assert!(filter.bits_per_key() >= 0.0);
}

/// Puts the right checksum into the last 8 bytes.
fn seal(file: &mut [u8]) {
    if let Some((summed, sum)) = file.split_last_chunk_mut::<8>() {
        *sum = checksum(summed).to_le_bytes();
    }
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let seed = |keys: u32, bits| {
        let mut builder = FilterBuilder::with_bits_per_key(bits);
        (0..keys).for_each(|key| builder.add(&key.to_le_bytes()));
        builder.build()
    };
    [seed(0, 10.0), seed(1, 10.0), seed(200, 20.0)]
        .into_iter()
        .flat_map(|filter| [[&[0], &filter[..]].concat(), [&[1], &filter[..]].concat()])
        .collect()
}
