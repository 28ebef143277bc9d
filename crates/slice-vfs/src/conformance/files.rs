//! Files: written from front to back, read at any place.

use std::io::ErrorKind;
use std::path::Path;
use std::thread;

use super::{Check, HERE, fails, write};
use crate::{Access, Fs, RandomAccessFile, read_all};

pub(super) const CHECKS: &[Check] = &[
    appends_add_up,
    an_append_after_a_sync_counts,
    reads_are_exact,
    a_read_without_waiting_is_right_or_refused,
    an_open_file_grows_with_its_writer,
    an_open_file_outlives_its_name,
    many_threads_read_at_once,
];

/// Bytes that differ from place to place, so that a read of the wrong place shows.
fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32).flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_le_bytes()).take(len).collect()
}

fn appends_add_up(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("file");
    let bytes = pattern(100_000);
    let mut file = fs.create_append(&path).unwrap();
    let (mut rest, mut len) = (&bytes[..], 0);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(len.min(rest.len()));
        file.append(now).unwrap();
        (rest, len) = (later, len * 2 + 1);
    }
    file.sync(HERE).unwrap();
    drop(file);
    fs.sync_file(&path, HERE).unwrap();
    assert_eq!(read_all(fs, &path).unwrap(), bytes);
}

fn an_append_after_a_sync_counts(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("file");
    let mut file = fs.create_append(&path).unwrap();
    for part in [b"one", b"two"] {
        file.append(part).unwrap();
        file.sync(HERE).unwrap();
        file.sync(HERE).unwrap();
    }
    assert_eq!(read_all(fs, &path).unwrap(), b"onetwo");
}

fn reads_are_exact(fs: &dyn Fs, dir: &Path) {
    let bytes = pattern(10_000);
    write(fs, &dir.join("file"), &bytes);
    let file = fs.open_random(&dir.join("file")).unwrap();
    assert_eq!(file.len().unwrap(), 10_000);
    assert!(!file.is_empty().unwrap());
    for (offset, len) in [(0, 0), (0, 1), (4090, 20), (9_999, 1), (0, 10_000), (10_000, 0)] {
        let mut buf = vec![0; len];
        file.read_exact_at(&mut buf, offset as u64).unwrap();
        assert_eq!(buf, bytes[offset..offset + len], "{len} bytes at {offset}");
    }
    for offset in [9_997, 10_000, 1 << 40] {
        fails(file.read_exact_at(&mut [0; 4], offset), ErrorKind::UnexpectedEof);
    }
    assert!(file.read_exact_at(&mut [0; 4], u64::MAX - 1).is_err());

    write(fs, &dir.join("empty"), b"");
    assert!(fs.open_random(&dir.join("empty")).unwrap().is_empty().unwrap());
}

fn a_read_without_waiting_is_right_or_refused(fs: &dyn Fs, dir: &Path) {
    let bytes = pattern(10_000);
    write(fs, &dir.join("file"), &bytes);
    let file = fs.open_random(&dir.join("file")).unwrap();
    file.advise(Access::Random);
    for offset in (0..9_900).step_by(333) {
        let mut buf = [0; 100];
        if file.try_read_exact_at(&mut buf, offset as u64).unwrap() {
            assert_eq!(buf, bytes[offset..offset + 100], "at {offset}");
        }
    }
    assert!(!file.try_read_exact_at(&mut [0; 4], 9_997).unwrap(), "it reaches behind the end");
    file.advise(Access::Sequential);
}

fn an_open_file_grows_with_its_writer(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("file");
    let mut writer = fs.create_append(&path).unwrap();
    let reader = fs.open_random(&path).unwrap();
    writer.append(b"one").unwrap();
    assert_eq!(content(&*reader), b"one");
    writer.append(b"two").unwrap();
    assert_eq!(content(&*reader), b"onetwo");
}

fn an_open_file_outlives_its_name(fs: &dyn Fs, dir: &Path) {
    let (path, other) = (dir.join("file"), dir.join("other"));
    write(fs, &path, b"first");
    let first = fs.open_random(&path).unwrap();
    write(fs, &other, b"second");
    fs.rename(&other, &path).unwrap();
    let second = fs.open_random(&path).unwrap();
    fs.remove_file(&path).unwrap();
    write(fs, &path, b"third");
    fs.sync_dir(dir, HERE).unwrap();
    assert_eq!(content(&*first), b"first");
    assert_eq!(content(&*second), b"second");
}

fn many_threads_read_at_once(fs: &dyn Fs, dir: &Path) {
    let bytes = pattern(50_000);
    write(fs, &dir.join("file"), &bytes);
    let file = fs.open_random(&dir.join("file")).unwrap();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (file, bytes) = (&file, &bytes);
            scope.spawn(move || {
                for turn in 0..200 {
                    let offset = (turn * 241 + thread * 53) % 49_000;
                    let mut buf = [0; 1000];
                    file.read_exact_at(&mut buf, offset as u64).unwrap();
                    assert_eq!(buf, bytes[offset..offset + 1000]);
                }
            });
        }
    });
}

fn content(file: &dyn RandomAccessFile) -> Vec<u8> {
    let mut buf = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut buf, 0).unwrap();
    buf
}
