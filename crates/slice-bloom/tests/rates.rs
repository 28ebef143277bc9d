//! Whether a filter lets pass as few absent keys as the theory says, and all present ones.
//!
//! A filter that always says "maybe" passes any test that looks at the present keys only, and one that always says "no"
//! any that looks at the absent ones only. So each test of a filter here looks at both.

use slice_bloom::{BloomFilter, FilterBuilder, expected_false_positive_rate};

const KEYS: u64 = 1_000_000;

/// The n-th output of SplitMix64 (Steele, Lea and Flood, 2014): a permutation, so no two n have the same hash.
fn splitmix(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn filter_of_hashes(bits_per_key: f64, keys: u64) -> BloomFilter {
    let mut builder = FilterBuilder::with_bits_per_key(bits_per_key);
    (0..keys).for_each(|n| builder.add_hash(splitmix(n)));
    builder.build_filter()
}

/// The share of `absent` keys that pass, after all the present ones did.
fn measured_rate(filter: &BloomFilter, absent: u64) -> f64 {
    let present = filter.len();
    assert!((0..present).all(|n| filter.may_contain_hash(splitmix(n))), "a key that was added is not found");
    let passed = (present..present + absent).filter(|&n| filter.may_contain_hash(splitmix(n))).count();
    passed as f64 / absent as f64
}

#[track_caller]
fn assert_near_theory(bits_per_key: f64, absent: u64) -> f64 {
    let measured = measured_rate(&filter_of_hashes(bits_per_key, KEYS), absent);
    let theory = expected_false_positive_rate(bits_per_key);
    let ratio = measured / theory;
    assert!((0.75..=1.25).contains(&ratio), "{bits_per_key} bits: measured {measured}, in theory {theory}");
    measured
}

#[test]
fn five_bits_a_key_are_as_good_as_the_theory_says() {
    assert_near_theory(5.0, 200_000);
}

#[test]
fn ten_bits_a_key_let_about_one_in_a_hundred_pass() {
    assert!(assert_near_theory(10.0, 500_000) < 0.013);
}

#[test]
fn fifteen_bits_a_key_are_as_good_as_the_theory_says() {
    assert_near_theory(15.0, 1_000_000);
}

#[test]
fn twenty_bits_a_key_are_as_good_as_the_theory_says() {
    // 1.9e-4 of 2 million are 380, so 25 % off is five standard deviations.
    assert_near_theory(20.0, 2_000_000);
}

#[test]
fn the_theory_gives_the_rates_of_the_paper() {
    // Computed apart from this crate, from the formula of section 3 of the paper.
    for (bits, rate) in
        [(5.0, 0.092_885_4), (10.0, 0.009_575_67), (15.0, 0.001_206_23), (20.0, 0.000_191_474)]
    {
        let ours = expected_false_positive_rate(bits);
        assert!((ours / rate - 1.0).abs() < 1e-3, "{bits} bits: {ours} instead of {rate}");
    }
}

#[test]
fn a_filter_for_a_rate_reaches_it() {
    let mut builder = FilterBuilder::with_false_positive_rate(0.02).expect("a rate between 0 and 1");
    (0..100_000).for_each(|n| builder.add_hash(splitmix(n)));
    let measured = measured_rate(&builder.build_filter(), 200_000);
    assert!((0.015..0.0225).contains(&measured), "measured {measured} for 0.02");
}

#[test]
fn small_filters_are_no_worse_than_large_ones() {
    let rate_of = |keys: u64| measured_rate(&filter_of_hashes(10.0, keys), 20_000);
    let mean = (100..150).map(rate_of).sum::<f64>() / 50.0;
    // Better, as a part of a line is given as a whole one.
    assert!((0.001..0.01).contains(&mean), "measured {mean} at 10 bits");
}

#[test]
fn keys_that_differ_in_one_digit_are_told_apart() {
    let key = |n: u32| format!("user:{n:08}:profile").into_bytes();
    let mut builder = FilterBuilder::with_bits_per_key(10.0);
    (0..20_000).step_by(2).for_each(|n| builder.add(&key(n)));
    let filter = builder.build_filter();
    assert!((0..20_000).step_by(2).all(|n| filter.may_contain(&key(n))));
    let passed = (1..100_000).step_by(2).filter(|&n| filter.may_contain(&key(n))).count();
    assert!((300..650).contains(&passed), "{passed} of 50,000 absent keys pass, 480 would be right");
}
