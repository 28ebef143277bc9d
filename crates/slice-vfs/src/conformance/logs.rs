//! Logs: appended to, made durable from other threads, recycled.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Check, HERE};
use crate::{Fs, LOG_GAP, LogFile, read_all};

pub(super) const CHECKS: &[Check] = &[
    a_log_is_the_concatenation_of_its_parts,
    a_finished_log_ends_where_its_bytes_end,
    zeros_follow_the_end,
    a_log_can_be_appended_to_after_a_sync,
    records_may_be_larger_than_any_chunk,
    space_may_be_allocated_at_any_time,
    others_may_sync_and_allocate_while_one_appends,
    a_recycled_log_begins_empty,
    zeros_follow_the_end_of_a_recycled_log,
    a_recycled_log_outgrows_its_past,
    a_log_can_be_recycled_again_and_again,
];

/// The file begins with `bytes`, and what follows at once is nothing or zeros.
#[track_caller]
fn assert_holds(fs: &dyn Fs, path: &Path, bytes: &[u8]) {
    let found = read_all(fs, path).unwrap();
    assert!(found.starts_with(bytes), "the appended bytes are there");
    let behind = &found[bytes.len()..];
    let gap = &behind[..behind.len().min(LOG_GAP)];
    assert!(gap.iter().all(|byte| *byte == 0), "{gap:?} follows the end at {}", bytes.len());
}

/// Appends a byte string both to the log and to what is expected of it.
fn append(log: &mut dyn LogFile, expected: &mut Vec<u8>, bytes: &[u8]) {
    let (front, back) = bytes.split_at(bytes.len() / 3);
    log.append(&[front, &[], back]).unwrap();
    expected.extend_from_slice(bytes);
    assert_eq!(log.len(), expected.len() as u64);
}

/// Creates a finished log full of ones.
fn past_life(fs: &dyn Fs, path: &Path, len: usize) {
    let mut log = fs.create_log(path).unwrap();
    log.append(&[&vec![0xff; len]]).unwrap();
    log.finish().unwrap();
}

fn a_log_is_the_concatenation_of_its_parts(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("log");
    let mut log = fs.create_log(&path).unwrap();
    assert!(log.is_empty());
    log.append(&[]).unwrap();
    log.append(&[b"", b""]).unwrap();
    assert!(log.is_empty());
    log.append(&[b"one", b"", b"two"]).unwrap();
    log.append(&[b"three"]).unwrap();
    assert_eq!(log.len(), 11);
    assert!(!log.is_empty());
    assert_holds(fs, &path, b"onetwothree");
}

fn a_finished_log_ends_where_its_bytes_end(fs: &dyn Fs, dir: &Path) {
    for len in [0, 1, 4096, 1 << 20] {
        let path = dir.join(format!("log-{len}"));
        past_life(fs, &path, len);
        assert_eq!(read_all(fs, &path).unwrap(), vec![0xff; len]);
    }
}

fn zeros_follow_the_end(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("log");
    let mut log = fs.create_log(&path).unwrap();
    assert_holds(fs, &path, b"");
    let mut expected = Vec::new();
    for len in 1..60 {
        append(&mut *log, &mut expected, &vec![0xaa; len * 37]);
        assert_holds(fs, &path, &expected);
    }
}

fn a_log_can_be_appended_to_after_a_sync(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("log");
    let mut log = fs.create_log(&path).unwrap();
    let mut expected = Vec::new();
    for turn in 0..20 {
        append(&mut *log, &mut expected, &[turn; 300]);
        log.control().sync(HERE).unwrap();
    }
    assert_holds(fs, &path, &expected);
    fs.sync_file(&path, HERE).unwrap();
    fs.sync_dir(dir, HERE).unwrap();
}

fn records_may_be_larger_than_any_chunk(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("log");
    let mut log = fs.create_log(&path).unwrap();
    let mut expected = Vec::new();
    // About one and about two MiB are where a chunk ends that doubles from 1 MiB.
    for len in [10, (1 << 20) - 20, 7, 3, 1, 5 << 20, 100, 20 << 20, 1] {
        append(&mut *log, &mut expected, &vec![0xbb; len]);
        assert_holds(fs, &path, &expected);
    }
    log.finish().unwrap();
    assert_eq!(fs.metadata(&path).unwrap().len, expected.len() as u64);
}

fn space_may_be_allocated_at_any_time(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("log");
    let mut log = fs.create_log(&path).unwrap();
    let control = log.control();
    let mut expected = Vec::new();
    for turn in 0..60 {
        append(&mut *log, &mut expected, &vec![turn; 99_991]);
        if log.is_low() {
            control.allocate_ahead().unwrap();
            assert!(!log.is_low(), "there is space now");
        }
    }
    control.allocate_ahead().unwrap();
    control.allocate_ahead().unwrap();
    assert_holds(fs, &path, &expected);
    log.finish().unwrap();
    control.allocate_ahead().unwrap();
    control.sync(HERE).unwrap();
    assert_eq!(read_all(fs, &path).unwrap(), expected, "a finished log does not grow");
}

fn others_may_sync_and_allocate_while_one_appends(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("log");
    let mut log = fs.create_log(&path).unwrap();
    let control = log.control();
    let mut expected = Vec::new();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Acquire) {
                control.allocate_ahead().unwrap();
                control.sync(HERE).unwrap();
            }
        });
        for turn in 0..2_000_u32 {
            append(&mut *log, &mut expected, &vec![turn as u8; 2_000]);
        }
        is_done.store(true, Ordering::Release);
    });
    assert_holds(fs, &path, &expected);
}

fn a_recycled_log_begins_empty(fs: &dyn Fs, dir: &Path) {
    let (from, to) = (dir.join("from"), dir.join("to"));
    past_life(fs, &from, 5_000);
    let log = fs.recycle_log(&from, &to).unwrap();
    assert!(log.is_empty());
    assert_eq!(fs.list_dir(dir).unwrap(), ["to"]);
    assert!(fs.metadata(&to).unwrap().len >= 5_000, "it keeps its space");
    assert_holds(fs, &to, b"");
}

fn zeros_follow_the_end_of_a_recycled_log(fs: &dyn Fs, dir: &Path) {
    let (from, to) = (dir.join("from"), dir.join("to"));
    past_life(fs, &from, 5_000);
    let mut log = fs.recycle_log(&from, &to).unwrap();
    let mut expected = Vec::new();
    // Through the past life, and to each of the places around its end.
    for len in [1, 15, 16, 17, 1_000, 3_930, 1, 1, 1, 1, 1, 1, 10, 1, 1, 100] {
        append(&mut *log, &mut expected, &vec![0xaa; len]);
        assert_holds(fs, &to, &expected);
        let behind = read_all(fs, &to).unwrap().split_off(expected.len());
        assert!(behind.iter().all(|byte| matches!(byte, 0 | 0xff)), "behind it is the past life or nothing");
    }
    log.finish().unwrap();
    assert_eq!(read_all(fs, &to).unwrap(), expected);
}

fn a_recycled_log_outgrows_its_past(fs: &dyn Fs, dir: &Path) {
    let (from, to) = (dir.join("from"), dir.join("to"));
    past_life(fs, &from, (3 << 20) + 5);
    let mut log = fs.recycle_log(&from, &to).unwrap();
    let mut expected = Vec::new();
    // Bytes and gaps on both sides of 1 MiB and of 3 MiB, where chunks end that double from 1 MiB, and of the past's
    // end, which is just behind that.
    for len in [(1 << 20) - 20, 5, 5, 5, 4, 2, (2 << 20) - 25, 7, 7, 7, 1, 4, 7, 700_000] {
        append(&mut *log, &mut expected, &vec![0xaa; len]);
        assert_holds(fs, &to, &expected);
        log.control().sync(HERE).unwrap();
    }
}

fn a_log_can_be_recycled_again_and_again(fs: &dyn Fs, dir: &Path) {
    past_life(fs, &dir.join("log-0"), 10_000);
    for life in 0..5_u8 {
        let (from, to) = (dir.join(format!("log-{life}")), dir.join(format!("log-{}", life + 1)));
        let mut log = fs.recycle_log(&from, &to).unwrap();
        let bytes = vec![life + 1; 10_000 - usize::from(life) * 1_000];
        log.append(&[&bytes]).unwrap();
        assert_holds(fs, &to, &bytes);
        log.finish().unwrap();
    }
}
