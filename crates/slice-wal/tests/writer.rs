//! The writer: what counts as appended, and when sync marks are written.

mod support;

use slice_types::{ErrorKind, LogNumber, SeqNo};
use slice_wal::{EncodedBatch, LogPosition, LogWriter, RecoveryMode, durable_mark};
use support::{Failure, LOG, PATH, TestFile, new_log, numbers, put, replay_with};

#[test]
fn a_failed_append_leaves_the_end_where_it_was() {
    let (mut log, file) = new_log(LOG);
    log.append(SeqNo::new(1), &put("a", "1")).unwrap();
    let before = log.position();
    log.set_sync_mark(before);
    file.fail(Some(Failure::AsPromised));
    let error = log.append(SeqNo::new(2), &put("lost", "2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(error.file().unwrap().to_str(), Some(PATH));
    assert_eq!(log.position(), before);
    file.fail(None);
    log.append(SeqNo::new(2), &put("b", "2")).unwrap();
    let (recovered, seen) = replay_with(&file.bytes(), RecoveryMode::Absolute);
    assert_eq!(recovered.unwrap().valid_len, log.position().offset);
    assert_eq!(seen[1].1[0].key, b"b");
    assert_eq!(durable_mark(&file.bytes(), LOG), Some(before), "the mark was not lost with the append");
}

#[test]
fn nothing_is_appended_behind_what_a_failed_append_left() {
    let (mut log, file) = new_log(LOG);
    log.append(SeqNo::new(1), &put("a", "1")).unwrap();
    let before = log.position();
    file.fail(Some(Failure::HalfWay));
    log.append(SeqNo::new(2), &put("b", "2")).unwrap_err();
    file.fail(None);
    let error = log.append(SeqNo::new(2), &put("b", "2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert_eq!(log.position(), before);
    let (recovered, seen) = replay_with(&file.bytes(), RecoveryMode::TolerateTornTail);
    assert_eq!((recovered.unwrap().valid_len, numbers(&seen)), (before.offset, vec![1]));
}

#[test]
fn a_mark_costs_no_append_of_its_own_and_is_written_once() {
    let (mut log, file) = new_log(LOG);
    let end = log.append(SeqNo::new(1), &put("a", "1")).unwrap();
    let appends = file.appends();
    log.set_sync_mark(end);
    assert_eq!(durable_mark(&file.bytes(), LOG), None, "it waits for the next batch");
    let len = log.append(SeqNo::new(2), &put("a", "2")).unwrap().offset - end.offset;
    assert_eq!(file.appends(), appends + 1);
    assert_eq!(durable_mark(&file.bytes(), LOG), Some(end));

    log.set_sync_mark(end);
    log.set_sync_mark(LogPosition { log: LogNumber(6), offset: u64::MAX });
    let before = log.position().offset;
    let plain = log.append(SeqNo::new(3), &put("a", "3")).unwrap().offset - before;
    assert!(plain < len, "what is known is not said again");
}

#[test]
fn a_mark_claims_no_more_than_what_is_in_the_log() {
    for claim in [LogPosition { log: LOG, offset: u64::MAX }, LogPosition { log: LogNumber(99), offset: 1 }] {
        let (mut log, file) = new_log(LOG);
        let end = log.append(SeqNo::new(1), &put("a", "1")).unwrap();
        log.set_sync_mark(claim);
        log.append(SeqNo::new(2), &put("b", "2")).unwrap();
        assert_eq!(durable_mark(&file.bytes(), LOG), Some(end));
        assert_eq!(replay_with(&file.bytes(), RecoveryMode::Absolute).0.unwrap().batches, 2);
    }
}

#[test]
fn a_batch_reads_the_same_sealed_or_not() {
    let (mut sealed, sealed_file) = new_log(LOG);
    let (mut open, open_file) = new_log(LOG);
    let batch = put("a", "1");
    let mut unsealed = EncodedBatch::new();
    for entry in batch.entries().map(Result::unwrap) {
        unsealed.push(entry.keyspace, entry.kind, entry.key, entry.value).unwrap();
    }
    sealed.append(SeqNo::new(1), &batch).unwrap();
    open.append(SeqNo::new(1), &unsealed).unwrap();
    assert_eq!(sealed_file.bytes(), open_file.bytes());
}

#[test]
fn what_is_pushed_behind_a_seal_is_covered_by_the_checksum() {
    let (mut log, file) = new_log(LOG);
    let mut batch = put("a", "1");
    let other = put("b", "2");
    for entry in other.entries().map(Result::unwrap) {
        batch.push(entry.keyspace, entry.kind, entry.key, entry.value).unwrap();
    }
    log.append(SeqNo::new(1), &batch).unwrap();
    let (recovered, seen) = replay_with(&file.bytes(), RecoveryMode::Absolute);
    assert_eq!((recovered.unwrap().max_seqno, seen[0].1.len()), (SeqNo::new(2), 2));
}

#[test]
fn an_empty_batch_is_refused_for_it_would_read_as_the_end() {
    let (mut log, _) = new_log(LOG);
    let error = log.append(SeqNo::new(1), &EncodedBatch::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
#[should_panic(expected = "a batch that no reader would take")]
fn sequence_numbers_beyond_56_bits_are_not_written() {
    let (mut log, _) = new_log(LOG);
    let mut batch = put("a", "1");
    batch.push(slice_types::KeyspaceId::DEFAULT, slice_types::EntryKind::Delete, b"b", b"").unwrap();
    log.append(SeqNo::MAX, &batch).unwrap();
}

#[test]
fn a_finished_log_takes_no_more() {
    let (mut log, file) = new_log(LOG);
    log.append(SeqNo::new(1), &put("a", "1")).unwrap();
    log.finish().unwrap();
    log.finish().unwrap();
    let before = file.bytes();
    assert_eq!(log.append(SeqNo::new(2), &put("b", "2")).unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(file.bytes(), before);
}

#[test]
fn a_log_does_not_begin_behind_other_bytes() {
    let (_, file) = new_log(LOG);
    let error = LogWriter::create(Box::new(file), PATH.into(), LOG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let full = TestFile::default();
    full.fail(Some(Failure::AsPromised));
    let error = LogWriter::create(Box::new(full), PATH.into(), LOG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
}
