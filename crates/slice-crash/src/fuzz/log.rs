//! A log: every mode comes to an end, no mode sees half a batch, and a second recovery agrees with the first.

use std::path::Path;

use slice::wal::{EncodedBatch, RecoveryMode, durable_mark, replay};
use slice_types::{EntryKind, KeyspaceId, LogNumber, checksum, checksum_with};

const NUMBER: LogNumber = LogNumber(7);
const MODES: [RecoveryMode; 4] = [
    RecoveryMode::TolerateTornTail,
    RecoveryMode::PointInTime,
    RecoveryMode::Absolute,
    RecoveryMode::Salvage,
];

/// What a replay gave: the batches as text, and where the log ends.
type Replayed = slice::Result<(Vec<String>, u64)>;

pub(super) fn run(bytes: &[u8]) {
    let Some((door, content)) = bytes.split_first() else { return };
    let log = if door & 1 == 1 { sealed(content) } else { content.to_vec() };
    durable_mark(&log, NUMBER);
    let [tolerant, point_in_time, absolute, salvaged] = MODES.map(|mode| replayed(&log, mode, None));
    if let Ok(whole) = &absolute {
        // Nothing is damaged, so there is nothing to disagree about.
        for other in [&tolerant, &point_in_time, &salvaged] {
            assert_eq!(other.as_ref().expect("an undamaged log"), whole);
        }
    }
    if let (Ok(cut), Ok(tolerated)) = (&point_in_time, &tolerant) {
        assert_eq!(cut, tolerated, "both end a log at its first damage");
    }
    for (mode, first) in MODES.into_iter().zip([tolerant, point_in_time, absolute]) {
        let Ok(first) = first else { continue };
        assert!(first.1 <= log.len() as u64);
        let second = replayed(&log, mode, Some(first.1)).expect("it was recovered before");
        assert_eq!(second, first, "{mode:?}: the second recovery");
    }
}

fn replayed(log: &[u8], mode: RecoveryMode, limit: Option<u64>) -> Replayed {
    let mut batches = Vec::new();
    let recovered = replay(
        log,
        Path::new("/wal_000007.log"),
        NUMBER,
        mode,
        limit,
        None,
        &mut |first, count, entries| {
            let entries = entries.collect::<slice::Result<Vec<_>>>().expect("the sink sees whole batches");
            assert_eq!(entries.len(), count as usize);
            batches.push(format!("{first} {entries:?}"));
            Ok(())
        },
    )?;
    assert_eq!(recovered.batches, batches.len() as u64);
    Ok((batches, recovered.valid_len))
}

/// A log of records with right checksums: each piece is a record's kind, count, sequence number and body. A kind above
/// 127 stands for a record whose checksum is wrong.
fn sealed(content: &[u8]) -> Vec<u8> {
    let mut log = header();
    for piece in super::pieces(content) {
        let [kind, count, seqno, body @ ..] = piece else { continue };
        let record = record(u32::from(kind & 0x7f), u32::from(*count), u64::from(*seqno), body);
        let at = log.len();
        log.extend(record);
        if kind & 0x80 != 0 {
            log[at] ^= 1;
        }
    }
    log
}

fn header() -> Vec<u8> {
    let mut header = b"SLICEWAL".to_vec();
    for field in [1, 0, NUMBER.0, 0] {
        header.extend(field.to_le_bytes());
    }
    header.extend(checksum(&header).to_le_bytes());
    header
}

fn record(kind: u32, count: u32, seqno: u64, body: &[u8]) -> Vec<u8> {
    let mut fields = Vec::new();
    fields.extend((body.len() as u32).to_le_bytes());
    fields.extend(NUMBER.0.to_le_bytes());
    fields.extend(seqno.to_le_bytes());
    fields.extend(count.to_le_bytes());
    fields.extend(kind.to_le_bytes());
    let sum = checksum_with(checksum(body), &fields);
    [&sum.to_le_bytes()[..], &fields, body].concat()
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let batch = [&[0, 2, 1][..], &entries()].concat();
    let mark = [&[1, 0, 0][..], &[6, 40]].concat();
    let own_mark = [&[1, 0, 0][..], &[7, 32]].concat();
    let damaged = [&[0x80, 2, 3][..], &entries()].concat();
    let later = [&[0, 2, 5][..], &entries()].concat();
    let sealed = |records: &[&[u8]]| [&[1], &super::joined(records.iter().copied())[..]].concat();
    let whole = sealed(&[&batch, &mark, &later]);
    let file = [&[0], &self::sealed(&whole[1..])[..], &[0; 16]].concat();
    vec![whole, sealed(&[&batch, &damaged, &later]), sealed(&[&batch, &damaged, &own_mark, &later]), file]
}

/// The body of a batch of two entries.
fn entries() -> Vec<u8> {
    let mut batch = EncodedBatch::new();
    batch.push(KeyspaceId::DEFAULT, EntryKind::Put, b"key", b"value").expect("a short key");
    batch.push(KeyspaceId::DEFAULT, EntryKind::Delete, b"gone", b"").expect("a short key");
    let kinds = batch.entries().flatten();
    kinds
        .flat_map(|entry| {
            let value = (entry.kind != EntryKind::Delete).then_some(entry.value);
            let mut bytes = vec![entry.kind as u8, 0, entry.key.len() as u8];
            bytes.extend(entry.key);
            bytes.extend(value.into_iter().flat_map(|value| [&[value.len() as u8], value].concat()));
            bytes
        })
        .collect()
}

/// The seeds write what the log writer writes, so the fuzzer starts behind the checksums.
#[test]
fn a_sealed_log_replays() {
    let replayed = replayed(&sealed(&seeds()[0][1..]), RecoveryMode::Absolute, None).unwrap();
    assert_eq!(replayed.0.len(), 2, "{replayed:?}");
    assert!(replayed.0[0].contains("WalEntry"), "{replayed:?}");
}
