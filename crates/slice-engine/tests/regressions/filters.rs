//! Bloom filters: the same bytes for ever, and a test of them that can fail.

use slice::bloom::{BloomFilter, FilterBuilder, expected_false_positive_rate, hash_key};
use slice::vfs::MemFs;
use slice_types::checksum;

use crate::support::{content, files, key, put_all, quiet};

const BITS: f64 = 10.0;
const KEYS: u32 = 2000;
/// The checksum of the filter of those keys.
const GOLDEN: u64 = 3_048_159_256_288_160_738;

fn filter() -> FilterBuilder {
    let mut builder = FilterBuilder::with_bits_per_key(BITS);
    (0..KEYS).for_each(|n| builder.add(&key(n)));
    builder
}

#[test]
fn a_filter_does_not_change_with_the_compiler() {
    assert_eq!(hash_key(b"a"), 0xe6c6_32b6_1e96_4e1f);
    // One key in one line: the bits are those of the format's description.
    let mut builder = FilterBuilder::with_bits_per_key(BITS);
    builder.add(b"a");
    let bytes = builder.build();
    let set = |bit: usize| bytes[24 + bit / 8] & (1 << (bit % 8)) != 0;
    let bits: Vec<usize> = (0..512).filter(|bit| set(*bit)).collect();
    let mut expected = [1, 371, 493, 260, 19, 132];
    expected.sort_unstable();
    assert_eq!(bits, expected);
    assert_eq!(checksum(&filter().build()), GOLDEN, "the bytes of a filter have changed");
}

/// The filter in a store's file is the one that the crate builds: its bytes are fixed by the test above.
#[test]
fn a_filter_on_disk_does_not_change_with_the_compiler() {
    let fs = MemFs::new();
    let lsm = quiet(&fs).filter_bits_per_key(BITS).open_blocking().unwrap();
    put_all(&lsm, 0..KEYS, 0);
    lsm.flush().unwrap();
    let file = content(&fs, &files(&fs, ".bloom")[0]);
    assert_eq!(&file[16..], filter().build());
}

#[test]
fn a_filter_has_every_key_and_few_others() {
    let filter = BloomFilter::from_bytes(filter().build()).unwrap();
    judge(&|key| filter.may_contain(key)).unwrap();
}

#[test]
fn a_bloom_test_is_no_tautology() {
    let filter = filter().build_filter();
    let never = judge(&|_| false).unwrap_err();
    assert!(never.contains("missing"), "{never}");
    let always = judge(&|_| true).unwrap_err();
    assert!(always.contains("false positives"), "{always}");
    let forgetful = judge(&|asked| asked != key(77) && filter.may_contain(asked)).unwrap_err();
    assert!(forgetful.contains("missing"), "{forgetful}");
    let loose = judge(&|asked| filter.may_contain(asked) || hash_key(asked).is_multiple_of(20)).unwrap_err();
    assert!(loose.contains("false positives"), "{loose}");
}

/// Looks at a filter of the first keys from both sides.
fn judge(may_contain: &dyn Fn(&[u8]) -> bool) -> Result<(), String> {
    if let Some(missing) = (0..KEYS).find(|n| !may_contain(&key(*n))) {
        return Err(format!("key {missing} is missing"));
    }
    let others = KEYS..KEYS + 20_000;
    let positives = others.clone().filter(|n| may_contain(&key(*n))).count();
    let rate = positives as f64 / others.len() as f64;
    let expected = expected_false_positive_rate(BITS);
    if rate > expected * 1.5 || rate < expected / 2.0 {
        return Err(format!("{rate} of false positives, not {expected}"));
    }
    Ok(())
}
