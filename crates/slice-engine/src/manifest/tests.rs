//! The manifest's bytes and promises: what was recorded comes back, torn tails are cut, damage is named.

use std::path::Path;
use std::sync::Arc;

use slice_compaction::TableMeta;
use slice_types::{ErrorKind, KeyRange, KeyspaceId, Level, LogNumber, RangeTombstone, SeqNo, TableId};
use slice_vfs::{Fault, FaultFs, Fs, MemFs};

use super::{Edit, Manifest, State, format};

const DEFAULT: KeyspaceId = KeyspaceId::DEFAULT;

fn table(id: u64, smallest: &str, largest: &str, seqno: u64) -> Arc<TableMeta> {
    Arc::new(TableMeta {
        id: TableId(id),
        smallest: smallest.as_bytes().into(),
        largest: largest.as_bytes().into(),
        bytes: 100,
        entries: 10,
        tombstones: 1,
        min_seqno: SeqNo::new(seqno),
        max_seqno: SeqNo::new(seqno),
        purged: SeqNo::ZERO,
    })
}

fn add(level: u8, table: Arc<TableMeta>) -> Edit {
    Edit { added: vec![(DEFAULT, Level(level), table)], ..Edit::default() }
}

/// The same table after a range tombstone was applied to it.
fn purged(table: &TableMeta, seqno: u64) -> Arc<TableMeta> {
    Arc::new(TableMeta { purged: SeqNo::new(seqno), ..table.clone() })
}

/// An end of no bytes is none.
fn tombstone(start: &str, end: &str, seqno: u64) -> RangeTombstone {
    let range = KeyRange::from_bytes(start.as_bytes(), end.as_bytes()).unwrap();
    RangeTombstone { range, seqno: SeqNo::new(seqno) }
}

fn delete(tombstone: RangeTombstone) -> Edit {
    Edit { tombstones_added: vec![(DEFAULT, tombstone)], ..Edit::default() }
}

fn full_edit() -> Edit {
    Edit {
        keyspaces: vec![(KeyspaceId(2), "gone".to_owned()), (KeyspaceId(3), "users".to_owned())],
        first_logs: vec![(DEFAULT, LogNumber(2)), (KeyspaceId(3), LogNumber(1))],
        removed: vec![(DEFAULT, TableId(1))],
        added: vec![
            (DEFAULT, Level(1), purged(&table(2, "a", "m", 5), 60)),
            (KeyspaceId(3), Level(0), table(3, "", "z", 6)),
        ],
        next_table: Some(TableId(9)),
        last_seqno: Some(SeqNo::new(77)),
        log_ends: vec![(LogNumber(4), 4096)],
        tombstones_added: vec![(DEFAULT, tombstone("b", "c", 70)), (KeyspaceId(3), tombstone("b", "", 71))],
        tombstones_removed: vec![(DEFAULT, SeqNo::new(60))],
        dropped: vec![KeyspaceId(2)],
        next_keyspace: Some(KeyspaceId(7)),
        oldest_log: Some(LogNumber(1)),
    }
}

fn manifest_bytes() -> (Vec<u8>, Vec<usize>, State) {
    let mut bytes = format::FORMAT.header().to_vec();
    format::put_record(&mut bytes, &State::empty().snapshot());
    let mut ends = vec![bytes.len()];
    let mut state = State::empty();
    for edit in [add(0, table(1, "a", "z", 1)), delete(tombstone("a", "", 60)), full_edit()] {
        format::put_record(&mut bytes, &edit);
        ends.push(bytes.len());
        state = state.apply(&edit).unwrap();
    }
    (bytes, ends, state)
}

#[test]
fn an_edit_survives_its_encoding() {
    let mut bytes = Vec::new();
    full_edit().encode(&mut bytes);
    assert_eq!(Edit::decode(&bytes).unwrap(), full_edit());
}

#[test]
fn edits_add_up_and_a_snapshot_says_the_same() {
    let (bytes, _, state) = manifest_bytes();
    assert_eq!(format::replay(&bytes).unwrap().state, state);
    assert_eq!(State::unknown().apply(&state.snapshot()).unwrap(), state);
    assert_eq!(state.next_table, TableId(9));
    assert_eq!(state.first_log(), LogNumber(1));
}

#[test]
fn level_0_stays_in_order_of_age_whatever_the_order_of_the_edits() {
    let state = State::empty().apply(&add(0, table(5, "a", "z", 50))).unwrap();
    let state = state.apply(&add(0, table(9, "a", "z", 20))).unwrap();
    let ids: Vec<_> = state.keyspaces[&DEFAULT].levels[0].iter().map(|table| table.id.0).collect();
    assert_eq!(ids, [9, 5]);
}

#[test]
fn edits_that_do_not_fit_are_corruption() {
    let state = State::empty().apply(&add(1, table(1, "a", "m", 1))).unwrap();
    let overlap = add(1, table(2, "m", "z", 2));
    let twice = add(0, table(1, "a", "b", 2));
    let unknown = Edit { removed: vec![(DEFAULT, TableId(8))], ..Edit::default() };
    let nowhere = Edit { first_logs: vec![(KeyspaceId(9), LogNumber(1))], ..Edit::default() };
    // Found by fuzzing: with 256 levels the last one had no number.
    let too_deep = add(255, table(2, "n", "z", 2));
    for edit in [overlap, twice, unknown, nowhere, too_deep] {
        assert_eq!(state.apply(&edit).unwrap_err().kind(), ErrorKind::Corruption, "{edit:?}");
    }
}

#[test]
fn a_manifest_cut_anywhere_gives_the_state_of_its_whole_records_or_an_error() {
    let (bytes, ends, _) = manifest_bytes();
    for len in 0..bytes.len() {
        let whole = ends.iter().rev().find(|end| **end <= len);
        match (format::replay(&bytes[..len]), whole) {
            (Ok(state), Some(end)) => {
                assert_eq!(state.state, format::replay(&bytes[..*end]).unwrap().state, "cut at {len}");
            }
            (Err(error), None) => assert_eq!(error.kind(), ErrorKind::Corruption),
            (result, _) => panic!("cut at {len}: {result:?}"),
        }
    }
}

#[test]
fn damage_before_the_last_record_is_an_error_and_never_an_older_state() {
    let (bytes, ends, _) = manifest_bytes();
    let last = ends[ends.len() - 2];
    for at in 0..last {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        let error = format::replay(&damaged).expect_err(&format!("byte {at} was damaged"));
        assert!(matches!(error.kind(), ErrorKind::Corruption | ErrorKind::Unsupported), "{error}");
    }
}

/// A seal is not synced, and what is written behind it may reach the disk before it does.
#[test]
fn a_seal_that_a_power_failure_took_is_no_damage() {
    let mut bytes = format::FORMAT.header().to_vec();
    let mut put = |edit: &Edit| {
        let start = bytes.len();
        format::put_record(&mut bytes, edit);
        start..bytes.len()
    };
    put(&State::empty().snapshot());
    let first = put(&add(0, table(1, "a", "z", 1)));
    let seal = put(&Edit::default());
    put(&add(0, table(2, "a", "z", 2)));
    let whole = format::replay(&bytes).unwrap();
    for left in [[0; 16], [0xa5; 16]] {
        let mut crashed = bytes.clone();
        crashed[seal.clone()].copy_from_slice(&left);
        let replayed = format::replay(&crashed).unwrap();
        assert_eq!((replayed.state, replayed.torn_at), (whole.state.clone(), None));
        // The edit before the seal had been synced, and the one behind proves it.
        crashed[first.start + 20] ^= 1;
        assert_eq!(format::replay(&crashed).unwrap_err().kind(), ErrorKind::Corruption);
    }
}

/// Found by fuzzing: it opened, and its first flush failed for ever.
#[test]
fn a_manifest_without_the_default_keyspace_is_corruption() {
    let fs = MemFs::new();
    let dir = Path::new("/db");
    fs.create_dir_all(dir).unwrap();
    drop(Manifest::begin(Arc::new(fs.clone()), dir, State::unknown()).unwrap());
    let error = Manifest::load(&fs, dir).unwrap_err();
    assert_eq!((error.kind(), error.file()), (ErrorKind::Corruption, Some(Path::new("/db/MANIFEST-000001"))));
}

#[test]
fn a_recorded_edit_survives_a_power_failure() {
    let fs = MemFs::new();
    let dir = Path::new("/db");
    fs.create_dir_all(dir).unwrap();
    let shared: Arc<dyn Fs> = Arc::new(fs.clone());
    let mut manifest = Manifest::begin(shared, dir, State::empty()).unwrap();
    manifest.record(&add(0, table(1, "a", "z", 1))).unwrap();
    let image = fs.crash_image(0.0, 1);
    assert_eq!(Manifest::load(&image, dir).unwrap().as_ref(), Some(manifest.state()));
}

#[test]
fn after_a_failed_edit_a_new_manifest_goes_on_without_it() {
    let fs = FaultFs::new(Arc::new(MemFs::new()));
    let dir = Path::new("/db");
    fs.create_dir_all(dir).unwrap();
    let mut manifest = Manifest::begin(Arc::new(fs.clone()), dir, State::empty()).unwrap();
    fs.fail_at(fs.operations() + 1, Fault::Eio);
    assert_eq!(manifest.record(&add(0, table(1, "a", "z", 1))).unwrap_err().kind(), ErrorKind::Io);
    assert!(!manifest.is_settled());
    manifest.record(&add(0, table(2, "a", "z", 2))).unwrap();
    let state = Manifest::load(&fs, dir).unwrap().unwrap();
    assert_eq!(manifest.number(), 2);
    let ids: Vec<_> = state.tables().map(|(_, _, table)| table.id.0).collect();
    assert_eq!(ids, [2]);
}

#[test]
fn range_tombstones_come_and_go_and_outlive_a_snapshot() {
    let state = State::empty().apply(&delete(tombstone("a", "c", 7))).unwrap();
    assert_eq!(state.last_seqno, SeqNo::new(7));
    let state = state.apply(&delete(tombstone("b", "", 9))).unwrap();
    let state = State::unknown().apply(&state.snapshot()).unwrap();
    let kept: Vec<_> = state.keyspaces[&DEFAULT].range_tombstones.values().cloned().collect();
    assert_eq!(kept, [tombstone("a", "c", 7), tombstone("b", "", 9)]);
    let leave = Edit { tombstones_removed: vec![(DEFAULT, SeqNo::new(7))], ..Edit::default() };
    let state = state.apply(&leave).unwrap();
    assert_eq!(state.keyspaces[&DEFAULT].range_tombstones.len(), 1);
    for misfit in [leave, delete(tombstone("x", "y", 9))] {
        assert_eq!(state.apply(&misfit).unwrap_err().kind(), ErrorKind::Corruption);
    }
}

#[test]
fn a_purged_table_that_is_not_added_is_refused() {
    // Field 18, two bytes: table 1, up to 5.
    assert_eq!(Edit::decode(&[18, 2, 1, 5]).unwrap_err().kind(), ErrorKind::Corruption);
}
