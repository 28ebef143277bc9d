//! What holds for any batches and for any bytes.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use slice_types::{EntryKind, KeyspaceId, LogNumber, SeqNo};
use slice_wal::{EncodedBatch, LogEnd, LogPosition, RecoveryMode, durable_mark};
use support::{LOG, MODES, Owned, Seen, log_of, new_log, replay_knowing, replay_with};

fn entry() -> impl Strategy<Value = Owned> {
    let kind = prop_oneof![
        Just(EntryKind::Delete),
        Just(EntryKind::Put),
        Just(EntryKind::Merge),
        Just(EntryKind::RangeDelete)
    ];
    (any::<u32>(), kind, vec(any::<u8>(), 0..40), vec(any::<u8>(), 0..200)).prop_map(
        |(keyspace, kind, key, value)| {
            let value = match kind {
                // An end behind the start, or none.
                EntryKind::RangeDelete if value.len() > 100 => [&key[..], &value].concat(),
                EntryKind::Delete | EntryKind::RangeDelete => Vec::new(),
                _ => value,
            };
            Owned { keyspace: KeyspaceId(keyspace), kind, key, value }
        },
    )
}

/// A log of these batches, with a sync mark in front of every third; what a sink is to see; the ends of the batches.
fn write(batches: Vec<Vec<Owned>>) -> (Vec<u8>, Vec<Seen>, Vec<u64>) {
    let (mut log, file) = new_log(LOG);
    let (mut seen, mut ends, mut next) = (Vec::new(), Vec::new(), SeqNo::new(1));
    for (n, entries) in batches.into_iter().enumerate() {
        let mut batch = EncodedBatch::new();
        for entry in &entries {
            batch.push(entry.keyspace, entry.kind, &entry.key, &entry.value).unwrap();
        }
        batch.seal();
        if n % 3 == 2 {
            log.set_sync_mark(log.position());
        }
        ends.push(log.append(next, &batch).unwrap().offset);
        let count = entries.len() as u64;
        seen.push((next, entries));
        next = next.plus(count);
    }
    (file.bytes(), seen, ends)
}

/// Bytes that are most of the time close to what a log holds.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let altered =
        (0_u64..8, vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)).prop_map(|(batches, edits)| {
            let mut bytes = log_of(LOG, batches).0;
            for (place, byte) in edits {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes
        });
    prop_oneof![vec(any::<u8>(), 0..300), altered]
}

proptest! {
    #[test]
    fn any_batches_come_back(batches in vec(vec(entry(), 1..6), 0..12)) {
        let (bytes, written, ends) = write(batches);
        for mode in MODES {
            let (log, seen) = replay_with(&bytes, mode);
            let log = log.unwrap();
            prop_assert_eq!(&seen, &written);
            prop_assert_eq!(log.end, LogEnd::Clean);
            prop_assert_eq!(log.valid_len, ends.last().copied().unwrap_or(32));
        }
    }

    #[test]
    fn a_cut_leaves_a_prefix(batches in vec(vec(entry(), 1..6), 0..8), cut: prop::sample::Index) {
        let (bytes, written, ends) = write(batches);
        let len = cut.index(bytes.len() + 1);
        let (log, seen) = replay_with(&bytes[..len], RecoveryMode::TolerateTornTail);
        let whole = ends.iter().filter(|end| **end <= len as u64).count();
        prop_assert!(log.unwrap().valid_len <= len as u64);
        prop_assert_eq!(&seen[..], &written[..whole]);
    }

    #[test]
    fn garbage_never_panics_and_recovers_the_same_twice(
        bytes in garbage(), limit: Option<u8>, durable: Option<(u8, u8)>
    ) {
        let durable = durable.map(|(log, offset)| LogPosition {
            log: LogNumber(u32::from(log % 16)),
            offset: u64::from(offset),
        });
        durable_mark(&bytes, LOG);
        for mode in MODES {
            let (log, seen) = replay_knowing(&bytes, mode, limit.map(u64::from), durable);
            let Ok(log) = log else { continue };
            prop_assert!(log.valid_len <= bytes.len() as u64);
            prop_assert_eq!(log.batches, seen.len() as u64);
            prop_assert!(mode == RecoveryMode::Salvage || log.skipped.is_empty());
            if mode != RecoveryMode::Salvage {
                let (again, seen_again) = replay_knowing(&bytes, mode, Some(log.valid_len), durable);
                prop_assert_eq!(again.unwrap().end, LogEnd::Clean);
                prop_assert_eq!(seen_again, seen);
            }
        }
    }
}
