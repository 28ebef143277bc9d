//! The words of every hot path: checksums, hashes of keys, varints, the order of entries.
//!
//! `cargo bench -p slice-types`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use slice_types::coding::{Decoder, put_bytes, put_varint};
use slice_types::{EntryKind, SeqNo, Trailer, checksum, hash_key, internal_cmp};

/// Numbers of one to ten bytes, as many of each.
const NUMBERS: u64 = 1000;

fn hashes(c: &mut Criterion) {
    let mut group = c.benchmark_group("hash");
    group.throughput(Throughput::Bytes(16));
    group.bench_function("key of 16 B", |b| b.iter(|| hash_key(black_box(b"0123456789abcdef"))));
    for len in [130, 4 << 10, 64 << 10] {
        let bytes = vec![7; len];
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("checksum of {len} B"), |b| b.iter(|| checksum(black_box(&bytes))));
    }
    group.finish();
}

fn number(n: u64) -> u64 {
    u64::MAX >> (n % 10 * 7).min(63)
}

fn varints(c: &mut Criterion) {
    let mut group = c.benchmark_group("varint");
    group.throughput(Throughput::Elements(NUMBERS));
    let mut bytes = Vec::new();
    let write = |bytes: &mut Vec<u8>| {
        bytes.clear();
        (0..NUMBERS).for_each(|n| put_varint(bytes, black_box(number(n))));
    };
    group.bench_function("write", |b| b.iter(|| write(&mut bytes)));
    write(&mut bytes);
    group.bench_function("read", |b| {
        b.iter(|| {
            let mut decoder = Decoder::new(black_box(&bytes));
            (0..NUMBERS).map(|_| decoder.varint().expect("it was written here")).fold(0, u64::wrapping_add)
        });
    });
    group.finish();
}

/// An entry of a batch: two byte strings behind their lengths.
fn strings(c: &mut Criterion) {
    let mut bytes = Vec::new();
    put_bytes(&mut bytes, &[7; 16]);
    put_bytes(&mut bytes, &[7; 100]);
    c.bench_function("read strings of 16 and 100 B", |b| {
        b.iter(|| {
            let mut decoder = Decoder::new(black_box(&bytes));
            let key = decoder.bytes().expect("it was written here").len();
            key + decoder.bytes().expect("it was written here").len()
        });
    });
}

fn order(c: &mut Criterion) {
    let trailer = |n| Trailer::new(SeqNo::new(n), EntryKind::Put);
    let mut group = c.benchmark_group("order of entries");
    let near = [b"0000000000001234", b"0000000000001235"];
    let same = [near[0]; 2];
    for (name, [left, right]) in [("keys differ in the last byte", near), ("versions of a key", same)] {
        group.bench_function(name, |b| {
            b.iter(|| internal_cmp(black_box((left, trailer(1))), black_box((right, trailer(2)))));
        });
    }
    group.finish();
}

criterion_group!(benches, hashes, varints, strings, order);
criterion_main!(benches);
