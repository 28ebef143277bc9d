//! Recovery over logs that are whole, torn, damaged, recycled and hostile.

mod support;

use slice_types::{Error, ErrorKind, LogNumber, SeqNo, checksum, checksum_with};
use slice_wal::{
    Damage, DamageReason, FILE_HEADER_LEN, LogEnd, LogPosition, RECORD_HEADER_LEN, RecoveredLog,
    RecoveryMode, durable_mark, replay,
};
use support::{LOG, MODES, PATH, log_of, new_log, numbers, put, replay_knowing, replay_with};

use RecoveryMode::{Absolute, PointInTime, Salvage, TolerateTornTail};

const HEADER: u64 = FILE_HEADER_LEN as u64;

/// Two batches, a sync mark for them, a third and a fourth batch: the bytes, and the end of each batch.
fn log_with_mark() -> (Vec<u8>, Vec<u64>) {
    let (mut log, file) = new_log(LOG);
    let mut ends = Vec::new();
    for n in 1..=4_u64 {
        if n == 3 {
            log.set_sync_mark(log.position());
        }
        ends.push(log.append(SeqNo::new(n), &put(&format!("key {n}"), "value")).unwrap().offset);
    }
    (file.bytes(), ends)
}

fn assert_corrupt_at(error: &Error, at: u64) {
    assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
    assert_eq!(error.file().unwrap().to_str(), Some(PATH));
    assert_eq!(error.offset(), Some(at), "{error}");
}

fn assert_torn_at(log: &RecoveredLog, torn_at: u64) {
    assert_eq!(log.valid_len, torn_at);
    assert!(matches!(log.end, LogEnd::Torn { at, .. } if at == torn_at), "{log:?}");
}

/// A record with a right checksum around any body.
fn record(log: u32, first_seqno: u64, count: u32, kind: u32, body: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    fields.extend((body.len() as u32).to_le_bytes());
    fields.extend(log.to_le_bytes());
    fields.extend(first_seqno.to_le_bytes());
    fields.extend(count.to_le_bytes());
    fields.extend(kind.to_le_bytes());
    let sum = checksum_with(checksum(body), &fields);
    [&sum.to_le_bytes(), &fields[..], body].concat()
}

#[test]
fn a_whole_log_comes_back_in_every_mode() {
    let (bytes, ends) = log_of(LOG, 5);
    for mode in MODES {
        let (log, seen) = replay_with(&bytes, mode);
        assert_eq!(numbers(&seen), [1, 2, 3, 4, 5]);
        let expected = RecoveredLog {
            number: LOG,
            valid_len: ends[4],
            batches: 5,
            end: LogEnd::Clean,
            max_seqno: SeqNo::new(5),
            skipped: Vec::new(),
        };
        assert_eq!(log.unwrap(), expected);
    }
}

#[test]
fn a_torn_wal_tail_does_not_prevent_opening() {
    let (bytes, ends) = log_of(LOG, 3);
    for kept in ends[1] + 1..ends[2] {
        let (log, seen) = replay_with(&bytes[..kept as usize], RecoveryMode::default());
        assert_torn_at(&log.unwrap(), ends[1]);
        assert_eq!(numbers(&seen), [1, 2], "{kept} bytes kept");
    }
}

#[test]
fn a_length_field_does_not_allocate_gigabytes() {
    let (mut bytes, ends) = log_of(LOG, 2);
    let length = ends[0] as usize + 8;
    bytes[length..length + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    for mode in MODES {
        let (log, seen) = replay_with(&bytes, mode);
        assert_eq!(numbers(&seen), [1]);
        if mode == Absolute {
            assert_corrupt_at(&log.unwrap_err(), ends[0]);
        } else {
            let reason = DamageReason::CutShort;
            assert_eq!(log.unwrap().end, LogEnd::Torn { at: ends[0], reason });
        }
    }
    assert_eq!(durable_mark(&bytes, LOG), None);
}

#[test]
fn every_truncation_leaves_the_records_before_it() {
    let (bytes, ends) = log_of(LOG, 4);
    for len in 0..=bytes.len() {
        let whole = ends.iter().filter(|end| **end <= len as u64).count();
        let boundary = len == 0 || len as u64 == HEADER || ends.contains(&(len as u64));
        for mode in MODES {
            let (log, seen) = replay_with(&bytes[..len], mode);
            assert_eq!(seen.len(), whole, "{len} bytes, {mode:?}");
            if mode == Absolute && !boundary {
                let at =
                    if len < FILE_HEADER_LEN { 0 } else { whole.checked_sub(1).map_or(HEADER, |n| ends[n]) };
                assert_corrupt_at(&log.unwrap_err(), at);
            } else {
                assert_eq!(log.unwrap().end == LogEnd::Clean, boundary, "{len} bytes, {mode:?}");
            }
        }
    }
}

#[test]
fn every_altered_byte_is_noticed_and_costs_no_more_than_the_mode_says() {
    let (bytes, ends) = log_of(LOG, 4);
    for place in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = bytes.clone();
            bytes[place] ^= flip;
            for mode in MODES {
                check_altered(&bytes, place as u64, mode, &ends);
            }
        }
    }
}

/// Four batches, and a byte altered at `place`.
fn check_altered(bytes: &[u8], place: u64, mode: RecoveryMode, ends: &[u64]) {
    let (log, seen) = replay_with(bytes, mode);
    let context = format!("byte {place}, {mode:?}: {log:?}");
    if place < HEADER {
        match mode {
            Absolute => assert_corrupt_at(&log.unwrap_err(), 0),
            // An altered magic number is no work of a crash.
            TolerateTornTail if place < 8 => assert_corrupt_at(&log.unwrap_err(), 0),
            Salvage => assert_eq!(numbers(&seen), [1, 2, 3, 4], "{context}"),
            _ => assert_torn_at(&log.unwrap(), 0),
        }
        return;
    }
    let hit = ends.iter().filter(|end| **end <= place).count();
    let start = hit.checked_sub(1).map_or(HEADER, |n| ends[n]);
    let before: Vec<u64> = (1..=hit as u64).collect();
    match mode {
        TolerateTornTail | PointInTime => {
            assert_torn_at(&log.unwrap(), start);
            assert_eq!(numbers(&seen), before, "{context}");
        }
        Absolute => assert_corrupt_at(&log.unwrap_err(), start),
        Salvage => {
            let others: Vec<u64> = (1..=4).filter(|n| *n != hit as u64 + 1).collect();
            assert_eq!(numbers(&seen), others, "{context}");
            let log = log.unwrap();
            let skipped = log.skipped.iter().map(|damage| (damage.at, damage.at + damage.len));
            let expected = (hit < 3).then_some((start, ends[hit]));
            assert!(skipped.eq(expected), "{log:?}");
        }
    }
}

#[test]
fn damage_below_a_later_sync_mark_is_an_error_and_damage_behind_it_a_torn_tail() {
    let (bytes, ends) = log_with_mark();
    for place in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[place] ^= 0x10;
        let (log, seen) = replay_with(&bytes, TolerateTornTail);
        let place = place as u64;
        match place {
            _ if place < HEADER => assert_corrupt_at(&log.unwrap_err(), 0),
            _ if place < ends[0] => assert_corrupt_at(&log.unwrap_err(), HEADER),
            _ if place < ends[1] => assert_corrupt_at(&log.unwrap_err(), ends[0]),
            _ => {
                let log = log.unwrap();
                assert!(log.valid_len >= ends[1] && log.valid_len <= place, "byte {place}: {log:?}");
                assert!(seen.len() < 4, "byte {place}: {log:?}");
            }
        }
    }
}

#[test]
fn a_mark_is_found_behind_damage_and_is_not_a_batch() {
    let (mut bytes, ends) = log_with_mark();
    let durable = Some(LogPosition { log: LOG, offset: ends[1] });
    assert_eq!(durable_mark(&bytes, LOG), durable);
    let (log, seen) = replay_with(&bytes, Absolute);
    assert_eq!((log.unwrap().batches, numbers(&seen)), (4, vec![1, 2, 3, 4]));
    bytes[HEADER as usize + 3] ^= 1;
    assert_eq!(durable_mark(&bytes, LOG), durable);
    bytes[0] ^= 1;
    assert_eq!(durable_mark(&bytes, LOG), durable);
    assert_eq!(durable_mark(&bytes, LogNumber(8)), None, "a record of another log is no record");
}

#[test]
fn later_records_without_proof_of_a_sync_do_not_fill_a_hole() {
    let (mut bytes, ends) = log_of(LOG, 4);
    // A page that never reached the disk: zeros, with good records behind.
    bytes[ends[0] as usize..ends[1] as usize].fill(0);
    for mode in MODES {
        let (log, seen) = replay_with(&bytes, mode);
        match mode {
            Absolute => assert_corrupt_at(&log.unwrap_err(), ends[0]),
            Salvage => {
                assert_eq!(numbers(&seen), [1, 3, 4]);
                let damage = Damage { at: ends[0], len: ends[1] - ends[0], reason: DamageReason::Missing };
                assert_eq!(log.unwrap().skipped, [damage]);
            }
            _ => {
                assert_eq!(numbers(&seen), [1]);
                assert_torn_at(&log.unwrap(), ends[0]);
            }
        }
    }
}

#[test]
fn what_a_later_log_knows_turns_a_torn_tail_into_damage() {
    let (bytes, ends) = log_of(LOG, 3);
    let cut = &bytes[..ends[2] as usize - 1];
    let at = |log, offset| Some(LogPosition { log, offset });
    let outcome = |bytes, durable| replay_knowing(bytes, TolerateTornTail, None, durable).0;

    assert_torn_at(&outcome(cut, at(LOG, ends[1])).unwrap(), ends[1]);
    assert_torn_at(&outcome(cut, at(LogNumber(6), u64::MAX)).unwrap(), ends[1]);
    assert_corrupt_at(&outcome(cut, at(LOG, ends[2])).unwrap_err(), ends[1]);
    assert_corrupt_at(&outcome(cut, at(LogNumber(8), 0)).unwrap_err(), ends[1]);

    // Zeros where there must be records are no clean end.
    let short = &bytes[..ends[1] as usize];
    assert_corrupt_at(&outcome(short, at(LOG, ends[2])).unwrap_err(), ends[1]);
    assert_eq!(outcome(short, at(LOG, ends[1])).unwrap().end, LogEnd::Clean);
    assert_eq!(outcome(short, at(LogNumber(8), 0)).unwrap().end, LogEnd::Clean);
}

#[test]
fn an_earlier_recoverys_length_is_a_clean_end_and_no_less() {
    let (mut bytes, ends) = log_of(LOG, 3);
    for mode in MODES {
        let (log, seen) = replay_knowing(&bytes, mode, Some(ends[1]), None);
        assert_eq!(log.unwrap().end, LogEnd::Clean);
        assert_eq!(numbers(&seen), [1, 2]);
        assert_eq!(replay_knowing(&bytes, mode, Some(0), None).0.unwrap().valid_len, 0);
    }
    let too_far = replay_knowing(&bytes, TolerateTornTail, Some(ends[2] + 1), None).0;
    assert_corrupt_at(&too_far.unwrap_err(), ends[2]);
    bytes[ends[0] as usize] ^= 1;
    for mode in MODES {
        let (log, _) = replay_knowing(&bytes, mode, Some(ends[1]), None);
        match mode {
            PointInTime | Salvage => assert_torn_at(&log.unwrap(), ends[0]),
            _ => assert_corrupt_at(&log.unwrap_err(), ends[0]),
        }
    }
}

#[test]
fn a_recovery_is_repeated_with_the_same_result() {
    let (bytes, ends) = log_of(LOG, 4);
    for place in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[place] ^= 0x20;
        let Ok(first) = replay_with(&bytes, TolerateTornTail).0 else { continue };
        let again = replay_knowing(&bytes, TolerateTornTail, Some(first.valid_len), None).0.unwrap();
        assert_eq!((again.end, again.valid_len), (LogEnd::Clean, first.valid_len));
        assert_eq!((again.batches, again.max_seqno), (first.batches, first.max_seqno));
        assert!(first.valid_len < *ends.last().unwrap());
    }
}

#[test]
fn a_file_that_was_not_begun_is_an_empty_log() {
    let past_life = log_of(LogNumber(3), 5).0;
    for bytes in [Vec::new(), vec![0; 5], vec![0; 4096], past_life] {
        for mode in MODES {
            let (log, seen) = replay_with(&bytes, mode);
            let log = log.unwrap();
            assert_eq!((log.end, log.valid_len, seen.len()), (LogEnd::Clean, 0, 0));
            let superseded = Some(LogPosition { log: LogNumber(9), offset: 50 });
            assert_eq!(replay_knowing(&bytes, mode, None, superseded).0.unwrap().end, LogEnd::Clean);
        }
    }
}

#[test]
fn the_past_life_of_a_recycled_file_stays_past() {
    let (new, ends) = log_of(LOG, 3);
    let old = log_of(LogNumber(6), 20).0;
    for end in ends {
        // What the file holds once it was overwritten up to `end`, with the zeros that follow.
        let end = end as usize;
        let bytes = [&new[..end], &[0; 16], &old[end + 16..]].concat();
        for mode in MODES {
            let (log, seen) = replay_with(&bytes, mode);
            let log = log.unwrap();
            assert_eq!((log.end, log.valid_len), (LogEnd::Clean, end as u64), "{mode:?}");
            assert!(seen.iter().all(|(first, _)| first.get() <= 3));
        }
        // The zeros did not reach the disk, the past life did.
        let bytes = [&new[..end], &old[end..]].concat();
        assert_torn_at(&replay_with(&bytes, TolerateTornTail).0.unwrap(), end as u64);
    }
}

#[test]
fn a_header_that_a_crash_tore_is_a_torn_tail_and_a_foreign_one_is_not() {
    let fresh = log_of(LOG, 0).0;
    let past_life = log_of(LogNumber(6), 0).0;
    for written in 1..FILE_HEADER_LEN {
        for below in [&vec![0; FILE_HEADER_LEN], &past_life] {
            let bytes = [&fresh[..written], &below[written..]].concat();
            let log = replay_with(&bytes, TolerateTornTail).0.unwrap();
            assert_eq!((log.valid_len, log.batches), (0, 0), "{written} bytes");
        }
    }
    let later = log_of(LogNumber(8), 2).0;
    for foreign in [b"PK\x03\x04".to_vec(), vec![0xff; 100], later] {
        for mode in MODES {
            match replay_with(&foreign, mode).0 {
                Ok(log) => {
                    assert!(matches!(mode, PointInTime | Salvage));
                    assert_torn_at(&log, 0);
                }
                Err(error) => assert_corrupt_at(&error, 0),
            }
        }
    }
}

#[test]
fn a_newer_format_is_refused_in_every_mode() {
    let mut bytes = log_of(LOG, 1).0;
    bytes[8] = 2;
    let sum = checksum(&bytes[..24]);
    bytes[24..32].copy_from_slice(&sum.to_le_bytes());
    for mode in MODES {
        let error = replay_with(&bytes, mode).0.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.file().unwrap().to_str(), Some(PATH));
    }
    assert_eq!(durable_mark(&bytes, LOG), None);
}

#[test]
fn a_record_with_the_right_checksum_that_does_not_decode_is_corruption() {
    let (good, ends) = log_of(LOG, 1);
    let mark_of_the_future = [7, 0xff, 0xff, 0xff, 0x7f];
    let strange = [
        record(7, 2, 1, 0, b"\x01\x00\x05key"),          // the key ends early
        record(7, 2, 1, 0, b"\xc8\x00\x01k\x01v"),       // no such kind of entry
        record(7, 2, 2, 0, b"\x00\x00\x00\x00\x00\x00"), // fine, for the next lines
        record(7, 2, 1, 0, b"\x00\x00\x00\x00\x00\x00"), // more entries than announced
        record(7, 2, 2, 0, b"\x01\x00\x01k\x01v"),       // fewer entries than announced
        record(7, 2, 0, 0, b"\x00\x00\x00"),             // no entries
        record(7, u64::MAX, 1, 0, b"\x00\x00\x00"),      // a sequence number of 64 bits
        record(7, 2, 1, 9, b"\x00\x00\x00"),             // no such kind of record
        record(7, 0, 0, 1, &mark_of_the_future),         // a mark for what is not written yet
        record(7, 0, 0, 1, b"\x07\x01\x00"),             // a mark and a byte more
    ];
    for (n, strange) in strange.iter().enumerate() {
        let bytes = [&good[..], strange, &record(7, 9, 1, 0, b"\x00\x00\x00")].concat();
        for mode in MODES {
            let (log, seen) = replay_with(&bytes, mode);
            if n == 2 {
                assert_eq!(numbers(&seen), [1, 2, 9], "the helper makes good records too");
                continue;
            }
            match mode {
                TolerateTornTail | Absolute => assert_corrupt_at(&log.unwrap_err(), ends[0]),
                PointInTime => assert_torn_at(&log.unwrap(), ends[0]),
                Salvage => {
                    assert_eq!(numbers(&seen), [1, 9], "case {n}");
                    let damage =
                        Damage { at: ends[0], len: strange.len() as u64, reason: DamageReason::Content };
                    assert_eq!(log.unwrap().skipped, [damage]);
                }
            }
        }
    }
}

#[test]
fn an_error_of_the_sink_ends_the_replay_as_it_is() {
    let bytes = log_of(LOG, 3).0;
    for mode in MODES {
        let mut calls = 0;
        let error = replay(&bytes, PATH.as_ref(), LOG, mode, None, None, &mut |_, _, _| {
            calls += 1;
            Err(Error::new(ErrorKind::StorageFull, "no room"))
        });
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.file(), calls), (ErrorKind::StorageFull, None, 1));
    }
}

#[test]
fn the_log_numbered_zero_ends_where_its_zeros_begin() {
    let (mut bytes, ends) = log_of(LogNumber(0), 2);
    bytes.resize(10_000, 0);
    let mut batches = 0;
    let log = replay(&bytes, PATH.as_ref(), LogNumber(0), Absolute, None, None, &mut |_, _, _| {
        batches += 1;
        Ok(())
    });
    assert_eq!((log.unwrap().valid_len, batches), (ends[1], 2));
}

#[test]
fn a_log_full_of_false_record_headers_is_given_up_in_linear_time() {
    // Each of 25,000 places claims that all of the rest is its body: hashed for all, that would be ten gigabytes.
    let (mut bytes, ends) = log_of(LOG, 1);
    let false_ones = 25_000;
    for n in (0..false_ones).rev() {
        let mut header = record(7, 2, 1, 0, b"xyz")[..RECORD_HEADER_LEN].to_vec();
        header[8..12].copy_from_slice(&(n * RECORD_HEADER_LEN as u32 + 3).to_le_bytes());
        bytes.extend(header);
    }
    bytes.extend(b"xyz");
    // Behind them stands proof that they are damage: who hashed all that comes before would find it.
    bytes.extend(record(7, 0, 0, 1, &[7, 0x7f]));
    let log = replay_with(&bytes, TolerateTornTail).0.unwrap();
    assert_torn_at(&log, ends[0]);
}
