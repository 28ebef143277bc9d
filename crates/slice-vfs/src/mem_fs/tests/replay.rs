//! The recorded history gives the same images as the live file system gave.

use std::io;

use super::{at, everything, read};
use crate::conformance::{HERE, SITES};
use crate::{Fs, LogKind, MemFs, OpKind, write_atomic};

/// A little of everything.
fn workload(fs: &MemFs, mut after_each: impl FnMut(&MemFs)) {
    let mut step = |result: io::Result<()>| {
        result.unwrap();
        after_each(fs);
    };
    let mut log = fs.create_log(at("/log-1")).unwrap();
    for turn in 0..20 {
        step(log.append(&[&[turn; 700]]));
    }
    step(log.control().sync(HERE));
    step(fs.sync_dir(at("/"), HERE));
    step(write_atomic(fs, at("/CURRENT"), b"1", SITES));
    step(log.finish());
    let mut log = fs.recycle_log(at("/log-1"), at("/log-2")).unwrap();
    step(log.append(&[b"second life"]));
    step(write_atomic(fs, at("/CURRENT"), b"2", SITES));
    step(fs.remove_file(at("/log-2")));
    step(log.append(&[b"without a name"]));
    step(fs.sync_dir(at("/"), HERE));
}

#[test]
fn a_replay_gives_the_images_of_the_live_file_system() {
    let fs = MemFs::recording();
    let mut images = Vec::new();
    workload(&fs, |fs| {
        for (seed, keep) in [0.0, 0.5, 1.0].into_iter().enumerate() {
            images.push((fs.operations(), keep, seed as u64, everything(&fs.crash_image(keep, seed as u64))));
        }
    });
    let mut replay = fs.history().replay();
    for (operations, keep, seed, image) in images {
        while (replay.applied() as u64) < operations {
            replay.advance().unwrap();
        }
        assert_eq!(everything(&replay.crash_image(keep, seed)), image, "after {operations}, keep {keep}");
    }
    assert!(replay.advance().is_none());
}

#[test]
fn a_history_tells_what_was_done_to_what() {
    let fs = MemFs::recording();
    write_atomic(&fs, at("/a"), b"x", SITES).unwrap();
    let history = fs.history();
    let found: Vec<_> = history.iter().map(|op| (op.index, op.kind, op.path.to_str().unwrap())).collect();
    assert_eq!(
        found,
        [
            (0, OpKind::Create, "/a.tmp"),
            (1, OpKind::Append, "/a.tmp"),
            (2, OpKind::SyncFile, "/a.tmp"),
            (3, OpKind::Rename, "/a"),
            (4, OpKind::SyncDir, "/"),
        ]
    );
    assert_eq!(history.len() as u64, fs.operations());
}

#[test]
fn a_failed_operation_is_not_in_the_history() {
    let fs = MemFs::recording();
    assert!(fs.remove_file(at("/a")).is_err());
    assert!(fs.create_log(at("/missing/log")).is_err());
    assert!(fs.history().is_empty());
}

#[test]
fn nothing_is_recorded_unless_asked_for() {
    let fs = MemFs::new();
    write_atomic(&fs, at("/a"), b"x", SITES).unwrap();
    assert_eq!(fs.operations(), 5);
    assert!(fs.history().is_empty());
}

#[test]
fn a_torn_image_has_a_part_of_the_last_write_and_all_before() {
    let fs = MemFs::recording_with_log_kind(LogKind::Plain);
    let mut log = fs.create_log(at("/log")).unwrap();
    log.append(&[b"whole"]).unwrap();
    log.append(&[b"torn in the middle"]).unwrap();
    let mut replay = fs.history().replay();
    while replay.advance().is_some() {}
    let mut lengths: Vec<_> =
        (0..200).map(|seed| read(&replay.torn_image(seed), "/log").unwrap().len()).collect();
    assert!((0..200).all(|seed| {
        b"wholetorn in the middle".starts_with(&read(&replay.torn_image(seed), "/log").unwrap())
    }));
    lengths.sort_unstable();
    lengths.dedup();
    assert_eq!(lengths, (5..23).collect::<Vec<_>>(), "every length but the whole");
}

#[test]
fn a_torn_image_after_anything_but_a_write_is_the_live_state() {
    let fs = MemFs::recording();
    write_atomic(&fs, at("/a"), b"x", SITES).unwrap();
    let mut replay = fs.history().replay();
    assert!(everything(&replay.torn_image(0)).is_empty(), "before the first operation");
    while replay.advance().is_some() {}
    assert_eq!(everything(&replay.torn_image(0)), everything(&fs));
}

#[test]
fn a_recording_may_begin_with_what_is_there() {
    let fs = MemFs::new();
    write_atomic(&fs, at("/a"), b"before", SITES).unwrap();
    let mut log = fs.create_log(at("/log")).unwrap();
    fs.record();
    log.append(&[b"after"]).unwrap();
    fs.remove_file(at("/a")).unwrap();
    let history = fs.history();
    assert_eq!((history.len(), history.iter().next().unwrap().index), (2, 0));
    let mut replay = history.replay();
    assert_eq!(everything(&replay.crash_image(0.0, 0)), [("a".to_owned(), b"before".to_vec())]);
    while replay.advance().is_some() {}
    assert_eq!(everything(&replay.crash_image(1.0, 0)), everything(&fs));
}

#[test]
fn the_end_of_the_process_loses_nothing_and_makes_nothing_durable() {
    let fs = MemFs::recording_with_log_kind(LogKind::Plain);
    write_atomic(&fs, at("/a"), b"durable", SITES).unwrap();
    fs.create_log(at("/log")).unwrap().append(&[b"not so"]).unwrap();
    let mut replay = fs.history().replay();
    while replay.advance().is_some() {}
    for killed in [fs.killed_image(), replay.killed_image()] {
        assert_eq!(everything(&killed), everything(&fs));
        assert_eq!(read(&killed.crash_image(0.0, 0), "/log"), None);
        killed.sync_dir(at("/"), HERE).unwrap();
        killed.sync_file(at("/log"), HERE).unwrap();
        assert_eq!(read(&killed.crash_image(0.0, 0), "/log").unwrap(), b"not so");
    }
}
