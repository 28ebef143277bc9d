//! The bytes of files in crash images.

use proptest::prelude::*;

use super::{at, create_durable, everything, read};
use crate::conformance::HERE;
use crate::{Fs, LogKind, MemFs};

#[test]
fn unsynced_bytes_may_be_lost_and_synced_ones_never() {
    let fs = MemFs::new();
    let mut file = create_durable(&fs, "/a", b"synced");
    file.append(b" lost").unwrap();
    assert_eq!(read(&fs, "/a").unwrap(), b"synced lost");
    assert_eq!(read(&fs.crash_image(0.0, 1), "/a").unwrap(), b"synced");
    assert_eq!(read(&fs.crash_image(1.0, 1), "/a").unwrap(), b"synced lost");
    for seed in 0..50 {
        assert!(read(&fs.crash_image(0.5, seed), "/a").unwrap().starts_with(b"synced"));
    }
}

#[test]
fn a_sync_of_the_name_is_not_a_sync_of_the_bytes() {
    let fs = MemFs::new();
    let mut file = fs.create_append(at("/a")).unwrap();
    file.append(b"bytes").unwrap();
    fs.sync_dir(at("/"), HERE).unwrap();
    assert_eq!(read(&fs.crash_image(0.0, 0), "/a").unwrap(), b"");
    fs.sync_file(at("/a"), HERE).unwrap();
    assert_eq!(read(&fs.crash_image(0.0, 0), "/a").unwrap(), b"bytes");
}

#[test]
fn a_write_is_torn_at_sectors_and_holes_are_zeros() {
    let fs = MemFs::new();
    create_durable(&fs, "/a", b"").append(&[1; 4096]).unwrap();
    let mut holes = 0;
    for seed in 0..50 {
        let found = read(&fs.crash_image(0.5, seed), "/a").unwrap();
        assert_eq!(found.len() % 512, 0, "the length covers what is kept, and may be all of it");
        for sector in found.chunks(512) {
            assert!(sector == [0; 512] || sector == [1; 512], "a sector is written in one piece");
        }
        holes += found.chunks(512).filter(|sector| sector[0] == 0).count();
    }
    assert!(holes > 50, "later sectors are kept without earlier ones");
}

#[test]
fn a_later_append_to_a_sector_takes_the_earlier_one_along() {
    let fs = MemFs::new();
    let mut file = create_durable(&fs, "/a", b"");
    for part in [b"one", b"two"] {
        file.append(part).unwrap();
    }
    let mut found: Vec<_> = (0..100).map(|seed| read(&fs.crash_image(0.5, seed), "/a").unwrap()).collect();
    found.sort();
    found.dedup();
    assert!(found.contains(&b"onetwo".to_vec()));
    let nothing_to_the_front = |found: &Vec<u8>| *found != b"\0\0\0two" && *found != b"two";
    assert!(found.iter().all(nothing_to_the_front), "{found:?}");
}

#[test]
fn a_recycled_log_shows_its_past_life_behind_the_gap() {
    for kind in [LogKind::Plain, LogKind::default()] {
        let fs = MemFs::with_log_kind(kind);
        let mut log = fs.create_log(at("/1")).unwrap();
        log.append(&[&[7; 100]]).unwrap();
        log.finish().unwrap();
        log.control().sync(HERE).unwrap();
        let mut log = fs.recycle_log(at("/1"), at("/2")).unwrap();
        log.append(&[&[8; 10]]).unwrap();
        let expected = [&[8; 10][..], &[0; 16], &[7; 74]].concat();
        assert_eq!(read(&fs, "/2").unwrap()[..100], expected);
        fs.sync_dir(at("/"), HERE).unwrap();
        assert_eq!(read(&fs.crash_image(0.0, 0), "/2").unwrap(), [7; 100], "the new life was not synced");
    }
}

#[test]
fn a_preallocated_log_ends_in_zeros_and_a_finished_one_does_not() {
    let fs = MemFs::with_log_kind(LogKind::Preallocated { chunk: 1000 });
    let mut log = fs.create_log(at("/log")).unwrap();
    log.append(&[&[1; 990]]).unwrap();
    assert_eq!(fs.metadata(at("/log")).unwrap().len, 2000, "the gap must fit");
    log.finish().unwrap();
    assert_eq!(read(&fs, "/log").unwrap(), [1; 990]);
    assert!(log.append(&[b"x"]).is_err());
}

#[test]
fn a_preallocated_log_asks_for_space_past_the_middle_of_its_chunk() {
    let fs = MemFs::with_log_kind(LogKind::Preallocated { chunk: 1000 });
    let mut log = fs.create_log(at("/log")).unwrap();
    log.append(&[&[1; 400]]).unwrap();
    log.control().allocate_ahead().unwrap();
    assert_eq!(fs.metadata(at("/log")).unwrap().len, 1000, "there is enough");
    log.append(&[&[1; 200]]).unwrap();
    assert!(log.is_low());
    log.control().allocate_ahead().unwrap();
    assert!(!log.is_low());
    assert_eq!(fs.metadata(at("/log")).unwrap().len, 2000);
}

#[test]
#[should_panic(expected = "a chunk has bytes")]
fn chunks_of_no_bytes_are_refused() {
    let _ = MemFs::with_log_kind(LogKind::Preallocated { chunk: 0 });
}

#[test]
fn an_image_is_a_file_system_of_its_own_in_which_all_is_synced() {
    let fs = MemFs::new();
    let lock = fs.try_lock(at("/LOCK"), "me").unwrap();
    create_durable(&fs, "/a", b"one").append(b"two").unwrap();
    let image = fs.crash_image(1.0, 0);
    assert_ne!(image.id(), fs.id());
    assert!(image.try_lock(at("/LOCK"), "you").unwrap().is_some(), "no lock outlives a crash");
    assert!(fs.try_lock(at("/LOCK"), "you").unwrap().is_none());
    drop(lock);

    let image = fs.crash_image(1.0, 0);
    assert_eq!(everything(&image.crash_image(0.0, 0)), everything(&image), "a crash of it loses nothing");
    fs.remove_file(at("/a")).unwrap();
    let mut file = image.create_append(at("/b")).unwrap();
    file.append(b"new").unwrap();
    assert_eq!(read(&image, "/a").unwrap(), b"onetwo", "what happens to one does not happen to the other");
    assert_eq!(read(&fs, "/b"), None);
    assert_eq!(read(&image.crash_image(0.0, 0), "/b"), None, "its own changes are at stake again");
}

#[test]
fn the_seed_decides() {
    let fs = MemFs::new();
    create_durable(&fs, "/a", b"").append(&vec![1; 512 * 64]).unwrap();
    let image = |seed| everything(&fs.crash_image(0.5, seed));
    assert_eq!(image(1), image(1));
    assert_ne!(image(1), image(2));
}

/// What happens to one file.
#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Sync,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![4 => (0..1500_usize).prop_map(Step::Append), 1 => Just(Step::Sync)];
    prop::collection::vec(step, 0..20)
}

proptest! {
    /// An image against the definition: each sector is one that the file had in memory since the last sync, and the
    /// length lies between the synced and the live one.
    #[test]
    fn an_image_holds_what_the_file_held_since_its_sync(steps in steps(), keep in 0.0..1.0, seed: u64) {
        let fs = MemFs::new();
        let mut file = create_durable(&fs, "/a", b"");
        let mut states = vec![Vec::new()];
        for (turn, step) in steps.iter().enumerate() {
            let now = states.last().cloned().unwrap_or_default();
            match step {
                Step::Append(len) => {
                    file.append(&vec![turn as u8 + 1; *len]).unwrap();
                    states.push([now, vec![turn as u8 + 1; *len]].concat());
                }
                Step::Sync => {
                    file.sync(HERE).unwrap();
                    states = vec![now];
                }
            }
        }
        let found = read(&fs.crash_image(keep, seed), "/a").unwrap();
        prop_assert!((states[0].len()..=states[states.len() - 1].len()).contains(&found.len()));
        for start in (0..found.len()).step_by(512) {
            let held = |state: &Vec<u8>| -> Vec<u8> {
                (start..(start + 512).min(found.len())).map(|at| state.get(at).copied().unwrap_or(0)).collect()
            };
            let sector = &found[start..(start + 512).min(found.len())];
            prop_assert!(states.iter().any(|state| held(state) == sector), "sector at {start}");
        }
        prop_assert_eq!(&read(&fs.crash_image(0.0, seed), "/a").unwrap(), &states[0]);
        prop_assert_eq!(&read(&fs.crash_image(1.0, seed), "/a").unwrap(), &states[states.len() - 1]);
    }
}

#[test]
fn a_file_may_have_grown_without_its_bytes() {
    let fs = MemFs::new();
    create_durable(&fs, "/a", b"").append(&[7; 700]).unwrap();
    let left: Vec<_> = (0..100).map(|seed| read(&fs.crash_image(0.5, seed), "/a").unwrap()).collect();
    assert!(left.contains(&vec![0; 700]), "the length is there, and none of the bytes");
    assert!(left.contains(&Vec::new()), "neither is there");
}

#[test]
fn a_cold_file_gives_its_bytes_only_to_those_who_wait() {
    let fs = MemFs::new();
    create_durable(&fs, "/a", b"abc");
    let file = fs.open_random("/a".as_ref()).unwrap();
    let mut buf = [0; 2];
    assert!(file.try_read_exact_at(&mut buf, 1).unwrap());
    fs.make_cold();
    assert!(!file.try_read_exact_at(&mut buf, 0).unwrap());
    assert_eq!(buf, *b"bc");
    file.read_exact_at(&mut buf, 0).unwrap();
    assert_eq!(buf, *b"ab");
}
