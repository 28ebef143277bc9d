//! What is particular to the operating system: kinds of logs, past lives, durable names.
#![expect(clippy::disallowed_methods, reason = "the other side of what is tested")]

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use super::plain::PlainLog;
use crate::conformance::HERE;
use crate::{Fs, LogFile, StdFs, lower_thread_priority, read_all};

/// Opens a file to be read and written, as logs are.
fn open(path: &Path) -> File {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).unwrap()
}

#[test]
fn a_past_life_shows_behind_the_gap_of_either_kind_of_log() {
    for std_fs in [StdFs::new(), StdFs::plain_logs()] {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        std_fs.create_append(&from).unwrap().append(&[7; 100]).unwrap();
        let mut log = std_fs.recycle_log(&from, &to).unwrap();
        log.append(&[&[8; 10]]).unwrap();
        let expected = [&[8; 10][..], &[0; 16], &[7; 74]].concat();
        assert_eq!(read_all(&std_fs, &to).unwrap()[..100], expected);
    }
}

#[test]
fn a_plain_log_that_cannot_be_written_counts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, [7; 100]).unwrap();
    assert!(PlainLog::open(File::open(&path).unwrap(), 100).is_err(), "the gap cannot be made");
    let mut log = PlainLog::open(File::open(&path).unwrap(), 0).unwrap();
    assert!(log.append(&[b"x"]).is_err());
    assert!(log.is_empty());
}

#[test]
fn a_plain_log_does_not_grow_by_its_gap() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let mut log = StdFs::plain_logs().create_log(&path).unwrap();
    log.append(&[b"12345"]).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 5);
}

#[test]
fn a_recycling_that_fails_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    fs::create_dir(&from).unwrap();
    assert!(StdFs::new().recycle_log(&from, &to).is_err(), "a directory is no log");
    assert!(from.exists() && !to.exists());
}

#[test]
fn existing_directories_above_need_not_be_ours() {
    StdFs::new().create_dir_all(Path::new("/")).unwrap();
    StdFs::new().create_dir_all(Path::new(".")).unwrap();
    StdFs::new().create_dir_all(Path::new("")).unwrap();
    StdFs::new().create_dir_all(&std::env::temp_dir()).unwrap();
}

#[test]
fn names_that_are_not_text_are_not_listed() {
    use std::os::unix::ffi::OsStrExt;

    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff")), b"").unwrap();
    fs::write(dir.path().join("text"), b"").unwrap();
    assert_eq!(StdFs::new().list_dir(dir.path()).unwrap(), ["text"]);
}

#[test]
fn all_values_are_the_same_file_system() {
    assert_eq!(StdFs::new().id(), StdFs::plain_logs().id());
    assert_eq!(StdFs::default().id(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_lower_priority_is_the_threads_own() {
    let priority = || rustix::process::getpriority_process(None).unwrap();
    let before = priority();
    let lowered = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            lower_thread_priority();
            priority()
        });
        thread.join().unwrap()
    });
    assert!(lowered >= before.max(10));
    assert_eq!(priority(), before);
}

#[cfg(target_os = "linux")]
mod mapped {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::std_fs::mapped_log::MappedLog;

    #[test]
    fn space_is_allocated_before_it_is_mapped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = MappedLog::open(open(&path)).unwrap();
        for _ in 0..4 {
            let found = fs::metadata(&path).unwrap();
            assert!(found.len() >= log.len() + 16);
            assert!(found.blocks() * 512 >= found.len(), "a hole would be a SIGBUS on a full disk");
            log.append(&[&vec![1; 700_000]]).unwrap();
        }
    }

    #[test]
    fn a_log_is_low_when_little_of_its_last_chunk_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = MappedLog::open(open(&dir.path().join("log"))).unwrap();
        log.append(&[&vec![1; 400_000]]).unwrap();
        assert!(!log.is_low());
        log.append(&[&vec![1; 200_000]]).unwrap();
        assert!(log.is_low());
        log.control().allocate_ahead().unwrap();
        assert!(!log.is_low());
        log.append(&[&vec![1; 600_000]]).unwrap();
        assert!(!log.is_low(), "the next chunk is in use now");
    }

    #[test]
    fn a_log_grows_by_small_chunks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = MappedLog::open(open(&path)).unwrap();
        let mut lengths = vec![fs::metadata(&path).unwrap().len() >> 20];
        while lengths.len() < 5 {
            log.append(&[&[1; 10_000]]).unwrap();
            let len = fs::metadata(&path).unwrap().len() >> 20;
            if lengths.last() != Some(&len) {
                lengths.push(len);
            }
        }
        log.append(&[&vec![1; 3 << 20]]).unwrap();
        lengths.push(fs::metadata(&path).unwrap().len() >> 20);
        assert_eq!(lengths, [1, 2, 3, 4, 5, 8]);
    }

    #[test]
    fn a_finished_log_takes_no_more_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = MappedLog::open(open(&path)).unwrap();
        log.append(&[b"12345"]).unwrap();
        let control = log.control();
        control.allocate_ahead().unwrap();
        log.finish().unwrap();
        log.finish().unwrap();
        assert!(log.append(&[b"6"]).is_err());
        assert!(!log.is_low());
        control.allocate_ahead().unwrap();
        drop(log);
        control.sync(HERE).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"12345");
    }

    #[test]
    fn records_that_are_written_and_records_that_are_copied_lie_end_to_end() {
        use std::os::unix::fs::FileExt;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, vec![7; 3 << 20]).unwrap();
        let mut log = MappedLog::open(open(&path)).unwrap();
        let mut expected = Vec::new();
        for n in 0..750_usize {
            // Behind a sync the next 64 that are no longer than a page are written, and all others are copied.
            if n % 150 == 10 {
                log.control().sync(HERE).unwrap();
            }
            let record = vec![n as u8 | 1; [300, 900, 9_000][n % 3]];
            log.append(&[&record[..100], &record[100..]]).unwrap();
            let mut found = vec![1; record.len() + 16];
            File::open(&path).unwrap().read_exact_at(&mut found, expected.len() as u64).unwrap();
            assert_eq!(found, [&record[..], &[0; 16]].concat(), "append {n}, its gap included");
            expected.extend_from_slice(&record);
        }
        assert!(expected.len() > 2 << 20, "some of it is in a third chunk");
        assert!(fs::read(&path).unwrap().starts_with(&expected));
    }

    #[test]
    fn a_record_that_cannot_be_written_counts_nothing_and_the_next_takes_its_place() {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

        let flags = MemfdFlags::ALLOW_SEALING | MemfdFlags::CLOEXEC;
        let file = File::from(memfd_create("log", flags).unwrap());
        let mut log = MappedLog::open(file.try_clone().unwrap()).unwrap();
        log.append(&[b"before"]).unwrap();
        log.control().sync(HERE).unwrap();
        // From now on only what is mapped already can be changed.
        fcntl_add_seals(&file, SealFlags::FUTURE_WRITE).unwrap();
        for _ in 0..64 {
            log.append(&[b"lost"]).unwrap_err();
            assert_eq!(log.len(), 6);
        }
        log.append(&[b" and ", b"behind"]).unwrap();
        let mut found = [1; 33];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut found, 0).unwrap();
        assert_eq!(found, *b"before and behind\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, b"").unwrap();
        assert!(MappedLog::open(File::open(&path).unwrap()).is_err());
    }
}

#[test]
fn a_dropped_lock_is_free_at_once_even_while_processes_are_being_started() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("LOCK");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                std::process::Command::new("true").status().unwrap();
            }
        });
        let taken = (0..3000).all(|_| StdFs::new().try_lock(&path, "note").unwrap().is_some());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(taken, "the lock was still held");
    });
}
