//! What a filter promises to its user, whatever the keys are.

use proptest::collection::vec;
use proptest::prelude::*;
use slice_bloom::{BloomFilter, Error, FilterBuilder, MAX_BITS_PER_KEY, MIN_BITS_PER_KEY, hash_key};

fn filter_of<'a>(bits: f64, keys: impl IntoIterator<Item = &'a [u8]>) -> BloomFilter {
    let mut builder = FilterBuilder::with_bits_per_key(bits);
    keys.into_iter().for_each(|key| builder.add(key));
    BloomFilter::from_bytes(builder.build()).expect("a builder's bytes are a filter")
}

proptest! {
    #[test]
    fn a_key_that_was_added_is_found(keys in vec(vec(any::<u8>(), 0..40), 1..200), bits in 0.0..60.0) {
        let filter = filter_of(bits, keys.iter().map(Vec::as_slice));
        for key in &keys {
            prop_assert!(filter.may_contain(key));
            prop_assert!(filter.may_contain_hash(hash_key(key)));
        }
    }

    #[test]
    fn the_built_filter_is_the_one_that_is_read(hashes in vec(any::<u64>(), 0..200), bits in 0.5..50.0) {
        let mut builder = FilterBuilder::with_bits_per_key(bits);
        for &hash in &hashes {
            builder.add_hash(hash);
        }
        let built = builder.clone().build_filter();
        let read = BloomFilter::from_bytes(builder.build()).expect("a builder's bytes are a filter");
        prop_assert_eq!(built.as_bytes(), read.as_bytes());
        prop_assert_eq!(built.num_probes(), read.num_probes());
        prop_assert_eq!(built.len(), read.len());
    }
}

#[test]
fn a_filter_of_no_keys_contains_nothing() {
    let filter = filter_of(10.0, []);
    assert!(filter.is_empty());
    assert!(!filter.may_contain(b""));
    assert!((0..100_000).all(|n: u64| !filter.may_contain_hash(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))));
    assert!((filter.bits_per_key() - 0.0).abs() < f64::EPSILON);
}

#[test]
fn a_filter_of_one_key_contains_it_and_hardly_anything_else() {
    let filter = filter_of(10.0, [b"here".as_slice()]);
    assert!(filter.may_contain(b"here"));
    let passed = (0..10_000_u32).filter(|n| filter.may_contain(&n.to_le_bytes())).count();
    assert_eq!(passed, 0, "6 bits of 512 are set: no one in 10 billion passes");
}

#[test]
fn the_empty_key_is_a_key() {
    assert!(filter_of(10.0, [b"".as_slice()]).may_contain(b""));
    assert!(!filter_of(10.0, [b"a".as_slice()]).may_contain(b""));
}

#[test]
fn a_key_repeated_in_a_row_counts_once() {
    let mut builder = FilterBuilder::with_bits_per_key(10.0);
    for key in [b"a", b"a", b"b", b"b", b"a"] {
        builder.add(key);
    }
    assert_eq!(builder.len(), 3);
    assert_eq!(builder.build_filter().len(), 3);
}

#[test]
fn bits_per_key_outside_the_range_are_brought_into_it() {
    for (asked, given) in [
        (f64::NAN, MIN_BITS_PER_KEY),
        (-3.0, MIN_BITS_PER_KEY),
        (0.0, MIN_BITS_PER_KEY),
        (f64::NEG_INFINITY, MIN_BITS_PER_KEY),
        (7.5, 7.5),
        (1000.0, MAX_BITS_PER_KEY),
        (f64::INFINITY, MAX_BITS_PER_KEY),
    ] {
        let bits = FilterBuilder::with_bits_per_key(asked).bits_per_key();
        assert!((bits - given).abs() < f64::EPSILON, "{asked} became {bits}");
    }
}

#[test]
fn a_rate_that_is_no_rate_is_refused() {
    for rate in [f64::NAN, 0.0, -0.1, 1.0, 2.0, f64::INFINITY] {
        let error = FilterBuilder::with_false_positive_rate(rate).expect_err("no such rate");
        assert!(matches!(error, Error::InvalidRate { .. }), "{error}");
    }
}

#[test]
fn an_extreme_rate_gets_the_nearest_bits_there_are() {
    for (rate, bits) in [(1e-300, MAX_BITS_PER_KEY), (0.999, MIN_BITS_PER_KEY)] {
        let builder = FilterBuilder::with_false_positive_rate(rate).expect("a rate between 0 and 1");
        assert!((builder.bits_per_key() - bits).abs() < f64::EPSILON);
    }
}

#[test]
fn a_filter_takes_the_memory_that_was_asked_for_and_little_more() {
    let keys: Vec<[u8; 4]> = (0..10_000_u32).map(u32::to_le_bytes).collect();
    let filter = filter_of(10.0, keys.iter().map(<[u8; 4]>::as_slice));
    let asked = 10_000 * 10 / 8;
    assert!((asked..asked + 300).contains(&filter.memory_used()), "{} bytes", filter.memory_used());
    assert!((10.0..10.1).contains(&filter.bits_per_key()));
}
