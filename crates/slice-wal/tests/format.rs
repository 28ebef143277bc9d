//! The bytes of the format, pinned: a change here is a change of the format's version.

mod support;

use slice_types::{EntryKind, ErrorKind, KeyspaceId, MAX_KEY_LEN, SeqNo};
use slice_wal::{EncodedBatch, FORMAT, LogEnd, LogPosition, RecoveryMode, durable_mark};
use support::{LOG, Owned, new_log, replay_with};

/// Written by the first version of this crate.
const GOLDEN: &[u8] = include_bytes!("golden/v1.log");

fn golden_entries() -> [Vec<Owned>; 2] {
    let entry = |keyspace, kind, key: &[u8], value: &[u8]| Owned {
        keyspace: KeyspaceId(keyspace),
        kind,
        key: key.to_vec(),
        value: value.to_vec(),
    };
    [
        vec![entry(0, EntryKind::Put, b"bear", b"brown"), entry(300, EntryKind::Delete, b"hare", b"")],
        vec![
            entry(1, EntryKind::Merge, b"", &[b'm'; 200]),
            entry(u32::MAX, EntryKind::RangeDelete, b"a", b"b"),
        ],
    ]
}

fn golden_log() -> Vec<u8> {
    let (mut log, file) = new_log(LOG);
    let numbers = [SeqNo::new(41), SeqNo::new(SeqNo::MAX.get() - 1)];
    for (first, entries) in numbers.into_iter().zip(golden_entries()) {
        let mut batch = EncodedBatch::new();
        for entry in entries {
            batch.push(entry.keyspace, entry.kind, &entry.key, &entry.value).unwrap();
        }
        batch.seal();
        let end = log.append(first, &batch).unwrap();
        log.set_sync_mark(end);
    }
    file.bytes()
}

#[test]
fn what_is_written_is_the_golden_file() {
    assert_eq!(golden_log().escape_ascii().to_string(), GOLDEN.escape_ascii().to_string());
}

#[test]
fn the_golden_file_is_read() {
    let (log, seen) = replay_with(GOLDEN, RecoveryMode::Absolute);
    let log = log.unwrap();
    assert_eq!((log.end, log.max_seqno), (LogEnd::Clean, SeqNo::MAX));
    let firsts = [SeqNo::new(41), SeqNo::new(SeqNo::MAX.get() - 1)];
    assert!(seen.into_iter().eq(firsts.into_iter().zip(golden_entries())));
    assert_eq!(durable_mark(GOLDEN, LOG), Some(LogPosition { log: LOG, offset: 85 }));
}

#[test]
fn the_fields_stand_where_the_specification_says() {
    assert_eq!(GOLDEN[..16], FORMAT.header());
    assert_eq!(GOLDEN[16..24], [7, 0, 0, 0, 0, 0, 0, 0], "log number, reserved");
    let record = &GOLDEN[32..];
    assert_eq!(record[8..12], 21_u32.to_le_bytes(), "length");
    assert_eq!(record[12..16], 7_u32.to_le_bytes(), "log number");
    assert_eq!(record[16..24], 41_u64.to_le_bytes(), "first seqno");
    assert_eq!(record[24..28], 2_u32.to_le_bytes(), "count");
    assert_eq!(record[28..32], 0_u32.to_le_bytes(), "kind: batch");
    assert_eq!(record[32..53].escape_ascii().to_string(), r"\x01\x00\x04bear\x05brown\x00\xac\x02\x04hare");
    let mark = &GOLDEN[85..];
    assert_eq!(mark[8..12], 2_u32.to_le_bytes(), "length");
    assert_eq!(mark[16..28], [0; 12], "first seqno, count");
    assert_eq!(mark[28..32], 1_u32.to_le_bytes(), "kind: sync mark");
    assert_eq!(mark[32..34], [7, 85], "log number, offset");
}

#[test]
fn a_batch_refuses_what_no_reader_would_take_and_stays_as_it_was() {
    let mut batch = EncodedBatch::new();
    batch.push(KeyspaceId::DEFAULT, EntryKind::Put, b"key", b"value").unwrap();
    let before = batch.byte_len();
    let long = vec![0; MAX_KEY_LEN + 1];
    for (kind, key, value) in [
        (EntryKind::Put, &long[..], &b""[..]),
        (EntryKind::Delete, b"key", b"value"),
        (EntryKind::RangeDelete, b"key", b"key"),
        (EntryKind::RangeDelete, b"key", b"ke"),
    ] {
        let error = batch.push(KeyspaceId::DEFAULT, kind, key, value).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert_eq!((batch.count(), batch.byte_len()), (1, before));
    }
    batch.push(KeyspaceId::DEFAULT, EntryKind::Put, &long[1..], b"").unwrap();
    assert_eq!(batch.entries().count(), 2);
    batch.clear();
    assert_eq!((batch.count(), batch.byte_len(), batch.entries().count()), (0, 0, 0));
}
