//! Recovery over logs that are whole, torn, damaged, recycled and hostile.

mod strange;
#[path = "../support/mod.rs"]
mod support;

use slice_types::{Error, ErrorKind, LogNumber, SeqNo};
use slice_wal::{
    Damage, DamageReason, FILE_HEADER_LEN, LogEnd, LogPosition, RecoveredLog, RecoveryMode, durable_mark,
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
fn a_mark_says_nothing_about_what_starts_at_its_position() {
    let (mut log, file) = new_log(LOG);
    let synced = log.append(SeqNo::new(1), &put("a", "1")).unwrap();
    // Appended during the sync, and lost; the next one, with the mark of that sync, was not.
    log.append(SeqNo::new(2), &put("b", "2")).unwrap();
    log.set_sync_mark(synced);
    log.append(SeqNo::new(3), &put("c", "3")).unwrap();
    let mut bytes = file.bytes();
    bytes[synced.offset as usize] ^= 1;
    assert_eq!(durable_mark(&bytes, LOG), Some(synced));
    let (log, seen) = replay_with(&bytes, TolerateTornTail);
    assert_torn_at(&log.unwrap(), synced.offset);
    assert_eq!(numbers(&seen), [1]);
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

/// A mark written while a group sync was between two logs says that the first one is durable to its end, without saying
/// where that is.
#[test]
fn a_mark_for_the_whole_of_a_log_asks_for_no_more_than_is_there() {
    let (bytes, ends) = log_of(LOG, 3);
    let whole = Some(LogPosition { log: LOG, offset: u64::MAX });
    for mode in MODES {
        let log = replay_knowing(&bytes, mode, None, whole).0.unwrap();
        assert_eq!((log.end, log.valid_len), (LogEnd::Clean, ends[2]), "{mode:?}");
    }
    let cut = &bytes[..ends[2] as usize - 1];
    assert_corrupt_at(&replay_knowing(cut, TolerateTornTail, None, whole).0.unwrap_err(), ends[1]);
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
