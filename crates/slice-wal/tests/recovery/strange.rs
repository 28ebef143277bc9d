//! Files that are not, or not only, what a writer of this log left: recycled, foreign, newer, hostile.

use slice_types::{Error, ErrorKind, LogNumber, checksum, checksum_with};
use slice_wal::{
    Damage, DamageReason, FILE_HEADER_LEN, LogEnd, LogPosition, RECORD_HEADER_LEN, RecoveryMode,
    durable_mark, replay,
};

use crate::support::{LOG, MODES, PATH, log_of, numbers, replay_knowing, replay_with};
use crate::{assert_corrupt_at, assert_torn_at};
use RecoveryMode::{Absolute, PointInTime, Salvage, TolerateTornTail};

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
