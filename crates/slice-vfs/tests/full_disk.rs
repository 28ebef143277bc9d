//! A disk that is full for a while, for real: a log's append says `ENOSPC`, not SIGBUS, loses nothing, and goes on at
//! the same place once there is space.
//!
//! The disk is a tmpfs of 3 MiB, mounted in a namespace of its own by running this test again below `unshare`. Where
//! that is not allowed there is no such disk to fill, and the test says so.
#![cfg(target_os = "linux")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use slice_vfs::{Fs, LOG_GAP, LogFile, StdFs, read_all};

/// Where the worker finds its small disk.
const DISK: &str = "SLICE_VFS_SMALL_DISK";
const DISK_LEN: u64 = 3 << 20;

#[test]
fn a_full_disk_is_an_error_and_the_log_goes_on_when_there_is_space() {
    if let Some(disk) = std::env::var_os(DISK) {
        on_the_small_disk(&PathBuf::from(disk));
    } else if can_mount() {
        run_on_a_small_disk("a_full_disk_is_an_error_and_the_log_goes_on_when_there_is_space");
    } else {
        eprintln!("not tried: mounting in a namespace is not allowed here");
    }
}

fn unshared(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command
}

fn can_mount() -> bool {
    let dir = tempfile::tempdir().unwrap();
    let probe = unshared("mount -t tmpfs none \"$1\"").arg(dir.path()).output();
    probe.is_ok_and(|output| output.status.success())
}

fn run_on_a_small_disk(test: &str) {
    let dir = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=3m none \"$1\" && exec \"$2\" --exact \"$3\"";
    let program = std::env::current_exe().unwrap();
    let output =
        unshared(script).arg(dir.path()).arg(program).arg(test).env(DISK, dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}: {said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("1 passed"), "the worker ran the test: {said}");
}

fn on_the_small_disk(disk: &Path) {
    for fs in [StdFs::new(), StdFs::plain_logs()] {
        let path = disk.join("log");
        let filler = fill(&fs, disk, 700_000);
        outgrow_the_disk(&fs, &path, fs.create_log(&path).unwrap(), &filler);

        // Recycled, the log reaches its past size without new space, and goes on from there.
        let filler = fill(&fs, disk, 100_000);
        let other = disk.join("other");
        outgrow_the_disk(&fs, &other, fs.recycle_log(&path, &other).unwrap(), &filler);
        fs.remove_file(&other).unwrap();
    }
}

fn fill(fs: &StdFs, disk: &Path, len: usize) -> PathBuf {
    let path = disk.join("filler");
    fs.create_append(&path).unwrap().append(&vec![1; len]).unwrap();
    path
}

/// Appends until the disk is full, frees the filler, and appends a little more.
fn outgrow_the_disk(fs: &StdFs, path: &Path, mut log: Box<dyn LogFile>, filler: &Path) {
    let mut expected = Vec::new();
    let filler_len = fs.metadata(filler).unwrap().len;
    for turn in 0.. {
        let record = [turn as u8 | 1; 10_007];
        let allocated_ahead = if log.is_low() { log.control().allocate_ahead() } else { Ok(()) };
        if let Err(e) = allocated_ahead {
            assert_eq!(e.kind(), ErrorKind::StorageFull);
        }
        match log.append(&[&record]) {
            Ok(()) => expected.extend_from_slice(&record),
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::StorageFull);
                break;
            }
        }
    }
    let unused = DISK_LEN - filler_len - expected.len() as u64;
    assert!(unused < 200_000, "{unused} bytes are left, so the disk was not full");

    assert_eq!(log.append(&[&vec![9; 200_000]]).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(log.len(), expected.len() as u64);
    assert_holds(fs, path, &expected);
    fs.remove_file(filler).unwrap();
    for _ in 0..5 {
        log.append(&[&[7; 10_007]]).unwrap();
        expected.extend_from_slice(&[7; 10_007]);
    }
    assert_holds(fs, path, &expected);
    log.finish().unwrap();
    assert_eq!(fs.metadata(path).unwrap().len, expected.len() as u64);
}

fn assert_holds(fs: &StdFs, path: &Path, expected: &[u8]) {
    let found = read_all(fs, path).unwrap();
    assert!(found.starts_with(expected));
    assert!(found[expected.len()..].iter().take(LOG_GAP).all(|byte| *byte == 0), "zeros follow");
}
