//! What only the inside of the crate can see: the table of probes, and where the lines are in memory.

use crate::format::HEADER_LEN;
use crate::probe::LINE_LEN;
use crate::theory::{bits_for, probes_for, rate_with};
use crate::{BloomFilter, FilterBuilder, expected_false_positive_rate};

fn is_aligned(filter: &BloomFilter) -> bool {
    (filter.as_bytes().as_ptr().addr() + HEADER_LEN).is_multiple_of(LINE_LEN)
}

#[test]
fn the_table_of_probes_is_what_the_theory_says() {
    for sixteenths in 8..=800 {
        let bits = f64::from(sixteenths) / 16.0;
        let best = (1..=24).map(|probes| rate_with(bits, probes)).fold(1.0, f64::min);
        let fewest = (1..=24).find(|&probes| rate_with(bits, probes) <= best * 1.02);
        assert_eq!(Some(probes_for(bits)), fewest, "at {bits} bits per key");
    }
}

#[test]
fn more_bits_never_let_more_keys_pass() {
    let rates: Vec<f64> =
        (8..=800).map(|step| expected_false_positive_rate(f64::from(step) / 16.0)).collect();
    assert!(rates.is_sorted_by(|more, fewer| more > fewer));
}

#[test]
fn the_bits_for_a_rate_are_the_fewest_that_reach_it() {
    for rate in [0.5, 0.1, 0.01, 0.001, 1e-6] {
        let bits = bits_for(rate).expect("a rate between 0 and 1");
        assert!(expected_false_positive_rate(bits) <= rate, "{bits} bits are too few for {rate}");
        assert!(
            expected_false_positive_rate(bits - 1.0 / 16.0) > rate,
            "{bits} bits are too many for {rate}"
        );
    }
}

#[test]
fn every_filter_has_its_lines_on_cache_lines() {
    let mut builder = FilterBuilder::with_bits_per_key(10.0);
    (0..300_u32).for_each(|key| builder.add(&key.to_le_bytes()));
    let built = builder.clone().build_filter();
    assert!(is_aligned(&built));
    assert!(is_aligned(&built.clone()));
    // The allocator decides where a vector is: several sizes meet several alignments.
    let read: Vec<BloomFilter> = (0..64)
        .map(|spare| {
            let mut bytes = Vec::with_capacity(built.as_bytes().len() + spare * 16);
            bytes.extend_from_slice(built.as_bytes());
            BloomFilter::from_bytes(bytes).expect("the bytes of a filter")
        })
        .collect();
    assert!(read.iter().all(is_aligned));
    assert!(read.iter().all(|filter| filter.as_bytes() == built.as_bytes()));
}

#[test]
fn keys_of_many_pieces_of_memory_are_in_once_each() {
    const KEYS: u32 = 20_000;
    let mut builder = FilterBuilder::with_bits_per_key(10.0);
    for key in 0..KEYS {
        (0..2).for_each(|_| builder.add(&key.to_le_bytes()));
        assert_eq!(builder.len(), key as usize + 1);
    }
    let filter = BloomFilter::copied_from(&builder.build()).expect("the bytes of a filter");
    assert_eq!(filter.len(), u64::from(KEYS));
    assert!(is_aligned(&filter));
    assert!((0..KEYS).all(|key| filter.may_contain(&key.to_le_bytes())));
    let passed = (KEYS..2 * KEYS).filter(|key| filter.may_contain(&key.to_le_bytes())).count();
    assert!(passed < KEYS as usize / 50, "{passed} of the others pass");
}
