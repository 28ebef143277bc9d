//! What the other crates build on: order, coding, headers, messages.

use std::cmp::Ordering;

use proptest::prelude::*;

use crate::coding::{Decoder, put_bytes, put_varint};
use crate::{
    EntryKind, Error, ErrorKind, FileFormat, MAX_KEY_LEN, SeqNo, Trailer, check_key, check_value,
    internal_cmp, key_prefix,
};

const FORMAT: FileFormat = FileFormat { magic: *b"SLICETST", version: 2, name: "test file" };

#[test]
fn newer_versions_of_a_key_come_first_and_kinds_break_ties() {
    let at = |n, kind| Trailer::new(SeqNo::new(n), kind);
    assert_eq!(internal_cmp((b"a", at(1, EntryKind::Put)), (b"b", at(9, EntryKind::Put))), Ordering::Less);
    assert_eq!(internal_cmp((b"a", at(9, EntryKind::Put)), (b"a", at(1, EntryKind::Put))), Ordering::Less);
    assert_eq!(internal_cmp((b"a", at(5, EntryKind::Put)), (b"a", at(5, EntryKind::Delete))), Ordering::Less);
    assert_eq!(internal_cmp((b"a", Trailer::FIRST), (b"a", at(9, EntryKind::Merge))), Ordering::Less);
    assert_eq!(internal_cmp((b"a", Trailer::LAST), (b"a", at(0, EntryKind::Put))), Ordering::Greater);
}

#[test]
fn a_trailer_of_an_unknown_kind_is_refused() {
    assert_eq!(Trailer::from_u64(7 << 8 | 1), Some(Trailer::new(SeqNo::new(7), EntryKind::Put)));
    assert_eq!(Trailer::from_u64(7 << 8 | 0xc8), None);
}

#[test]
fn a_varint_that_overflows_or_is_cut_is_corruption() {
    for bytes in [&[0xff; 10][..], &[0x80], &[], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]] {
        assert_eq!(Decoder::new(bytes).varint().unwrap_err().kind(), ErrorKind::Corruption);
    }
}

#[test]
fn a_length_beyond_the_end_is_corruption_not_an_allocation() {
    let mut out = Vec::new();
    put_varint(&mut out, u64::MAX);
    out.extend_from_slice(b"short");
    assert_eq!(Decoder::new(&out).bytes().unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn headers_tell_foreign_damaged_and_newer_files_apart() {
    let mut header = FORMAT.header();
    assert_eq!(FORMAT.check(&header).unwrap(), 2);
    header[8] = 3;
    assert_eq!(FORMAT.check(&header).unwrap_err().kind(), ErrorKind::Unsupported);
    header[8] = 0;
    assert_eq!(FORMAT.check(&header).unwrap_err().kind(), ErrorKind::Corruption);
    assert_eq!(FORMAT.check(b"PK\x03\x04").unwrap_err().kind(), ErrorKind::Corruption);
    assert_eq!(FORMAT.check(b"").unwrap_err().kind(), ErrorKind::Corruption);
}

#[test]
fn keys_end_at_64_kib() {
    assert!(check_key(b"").is_ok());
    assert!(check_key(&vec![0; MAX_KEY_LEN]).is_ok());
    let error = check_key(&vec![0; MAX_KEY_LEN + 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("65537"), "{error}");
    assert!(check_value(&[0; 9]).is_ok());
}

#[test]
fn an_error_says_what_where_and_why() {
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let error =
        Error::io("append to the log", full).with_file("wal_000001.log").with_offset(12).with_offset(99);
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!(error.is_retryable());
    assert_eq!(
        error.to_string(),
        "no space left: could not append to the log [wal_000001.log at byte 12]: no storage space"
    );
}

proptest! {
    #[test]
    fn prefixes_order_as_the_first_sixteen_bytes_with_zeros_behind(
        left in prop::collection::vec(any::<u8>(), 0..20),
        right in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        let padded = |key: &[u8]| {
            let mut bytes = [0; 16];
            let len = key.len().min(16);
            bytes[..len].copy_from_slice(&key[..len]);
            bytes
        };
        prop_assert_eq!(key_prefix(&left).to_be_bytes(), padded(&left));
        prop_assert_eq!(key_prefix(&left).cmp(&key_prefix(&right)), padded(&left).cmp(&padded(&right)));
    }

    #[test]
    fn what_is_encoded_is_decoded(n: u64, bytes: Vec<u8>) {
        let mut out = Vec::new();
        put_varint(&mut out, n);
        put_bytes(&mut out, &bytes);
        out.extend_from_slice(&n.to_le_bytes());
        let mut decoder = Decoder::new(&out);
        prop_assert_eq!(decoder.varint().unwrap(), n);
        prop_assert_eq!(decoder.bytes().unwrap(), &bytes[..]);
        prop_assert_eq!(decoder.u64().unwrap(), n);
        prop_assert!(decoder.finish().is_ok());
    }

    #[test]
    fn decoding_garbage_never_panics(bytes: Vec<u8>) {
        let mut decoder = Decoder::new(&bytes);
        while decoder.bytes().is_ok() && !decoder.is_empty() {}
        let _ = FORMAT.check(&bytes);
    }
}
