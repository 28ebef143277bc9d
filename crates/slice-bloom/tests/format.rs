//! The bytes of a filter: they stay as they are, and damage to them is an error.

use proptest::collection::vec;
use proptest::prelude::*;
use slice_bloom::{BloomFilter, Error, FilterBuilder, hash_key};

/// Five keys with 10 bits each: one line.
fn small_filter() -> Vec<u8> {
    let mut builder = FilterBuilder::with_bits_per_key(10.0);
    for key in ["", "a", "key", "slice", "a longer key than the others are"] {
        builder.add(key.as_bytes());
    }
    builder.build()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[test]
fn a_filter_does_not_change_with_the_compiler() {
    // The hash first: were it another, all bits would be elsewhere.
    assert_eq!(hash_key(b""), 0x2d06_8005_38d3_94c2);
    assert_eq!(hash_key(b"a"), 0xe6c6_32b6_1e96_4e1f);
    let bytes = small_filter();
    let golden = [
        "534c42460106000001000000000000000500000000000000",
        "220008100200000000800040404108001100000000404000000800000000008012008000000000000080080204000a0000000000000000400000004000200000",
        "aa34134f7c8db105",
    ];
    assert_eq!([&bytes[..24], &bytes[24..88], &bytes[88..]].map(hex), golden);
}

#[test]
fn a_large_filter_does_not_change_either() {
    let mut builder = FilterBuilder::with_bits_per_key(14.3);
    (0..10_000_u32).for_each(|key| builder.add(&key.to_be_bytes()));
    let bytes = builder.build();
    assert_eq!(bytes.len(), 32 + 280 * 64);
    assert_eq!(hash_key(&bytes), 9_639_962_014_148_112_033);
}

#[test]
fn every_flipped_bit_is_noticed() {
    let bytes = small_filter();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert!(BloomFilter::from_bytes(damaged).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn every_truncation_is_noticed() {
    let bytes = small_filter();
    for len in 0..bytes.len() {
        let error = BloomFilter::from_bytes(bytes[..len].to_vec()).expect_err("a part of a filter");
        assert!(matches!(error, Error::TooShort { .. } | Error::Length { .. }), "{len} bytes: {error}");
    }
}

#[test]
fn bytes_behind_the_filter_are_noticed() {
    for extra in [1, 8, 64] {
        let mut bytes = small_filter();
        bytes.resize(bytes.len() + extra, 0);
        assert!(matches!(BloomFilter::from_bytes(bytes), Err(Error::Length { .. })));
    }
}

/// A filter with `patch` written over it at `at`, and the checksum made right again.
fn resealed(at: usize, patch: &[u8]) -> Vec<u8> {
    let mut bytes = small_filter();
    bytes[at..at + patch.len()].copy_from_slice(patch);
    let body = bytes.len() - 8;
    let checksum = hash_key(&bytes[..body]);
    bytes[body..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

proptest! {
    #[test]
    fn other_bytes_are_an_error(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(BloomFilter::from_bytes(bytes).is_err());
    }

    /// A checksum says that the bytes are those that were written, not that a builder wrote them.
    #[test]
    fn changed_bytes_with_a_right_checksum_do_no_harm(at in 0..88_usize, byte in any::<u8>(), hash in any::<u64>()) {
        if let Ok(filter) = BloomFilter::from_bytes(resealed(at, &[byte])) {
            // It may answer wrongly, as any other filter would. It has to answer.
            let set: u32 = filter.as_bytes()[24..88].iter().map(|byte| byte.count_ones()).sum();
            prop_assert!(!filter.may_contain_hash(hash) || set > 0);
        }
    }
}

#[test]
fn something_else_is_not_taken_for_a_filter() {
    let error = BloomFilter::from_bytes(resealed(0, b"ELF\0")).expect_err("other bytes");
    assert_eq!(error, Error::Magic { found: *b"ELF\0" });
    assert_eq!(error.to_string(), r#"not a filter: it starts with "ELF\x00""#);
}

#[test]
fn a_newer_version_is_refused_by_its_number() {
    let error = BloomFilter::from_bytes(resealed(4, &[2])).expect_err("a newer version");
    assert_eq!(error, Error::Version { found: 2, known: 1 });
}

#[test]
fn a_number_of_lines_is_not_believed() {
    for lines in [0, 2, u64::from(u32::MAX), u64::MAX / 64, u64::MAX / 64 + 1, u64::MAX] {
        let error = BloomFilter::from_bytes(resealed(8, &lines.to_le_bytes())).expect_err("it has one line");
        assert_eq!(error, Error::Length { lines, found: 96 });
    }
}

#[test]
fn a_changed_line_is_told_by_the_checksum() {
    let mut bytes = small_filter();
    bytes[50] ^= 0x10;
    assert!(matches!(BloomFilter::from_bytes(bytes), Err(Error::Checksum { .. })));
}

#[test]
fn a_header_that_no_builder_writes_is_refused_even_with_a_right_checksum() {
    for (at, patch) in [(5, [0].as_slice()), (5, &[25]), (5, &[255]), (6, &[1]), (7, &[1]), (16, &[0; 8])] {
        let error = BloomFilter::from_bytes(resealed(at, patch)).expect_err("a header out of its range");
        assert!(matches!(error, Error::Header { .. }), "byte {at}: {error}");
    }
}
