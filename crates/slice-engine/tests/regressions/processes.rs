//! What only a process of its own can show: a second one on the directory, threads that stay, a test that must fail.

#![expect(clippy::disallowed_methods, reason = "threads are counted where the operating system lists them")]

use std::process::Stdio;

use slice::ErrorKind;
use slice::blocking::LSMTree;
use slice::vfs::MemFs;

use crate::child::{self, Waiting};
use crate::support::{assert_all, busy, key, put_all, quiet, value};

#[test]
fn two_processes_on_one_directory_is_a_typed_error() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().canonicalize().unwrap();
    let holder = Waiting::start("hold the store", &dir);
    for _ in 0..2 {
        let error = LSMTree::new(&dir).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
        assert_eq!(error.file(), Some(dir.as_path()));
        let message = error.to_string();
        assert!(message.contains(&dir.display().to_string()), "{message}");
        assert!(message.contains(&format!("pid {}", holder.pid())), "{message}");
    }
    holder.kill();
    // The lock goes with its process, and what that process was told is there is there.
    let lsm = LSMTree::new(&dir).unwrap();
    assert_eq!(lsm.get(&key(0)).unwrap(), Some(value(0, 0)));
}

pub(crate) fn hold_the_store() {
    let lsm = LSMTree::new(child::dir()).unwrap();
    lsm.put(&key(0), &value(0, 0)).unwrap();
    child::ready_and_wait();
}

#[test]
fn background_tasks_do_not_outlive_the_tree() {
    let said = run("count threads", true);
    assert!(said.contains("no thread was left, ten times"), "{said}");
}

pub(crate) fn count_threads() {
    for round in 0..10 {
        let lsm = busy(&MemFs::new()).open_blocking().unwrap();
        let other = lsm.clone();
        put_all(&lsm, 0..200, round);
        assert!(threads() >= 5, "the threads have other names by now: {}", threads());
        drop(lsm);
        assert_all(&other, 0..200, Some(round));
        assert!(threads() >= 5, "another handle is still there");
        if round % 2 == 0 {
            other.close().unwrap();
            assert_eq!(threads(), 0, "after close");
        }
        drop(other);
        assert_eq!(threads(), 0, "after drop");
    }
    println!("no thread was left, ten times");
}

/// How many of this process's threads are a store's.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.starts_with("slice-")).count()
}

/// The check that all of these tests use, on a store that breaks its promise: the process has to fail.
#[test]
fn violations_fail_tests() {
    let said = run("find a violation", false);
    assert!(said.contains("so far all is well") && !said.contains("the violation went unnoticed"), "{said}");
}

pub(crate) fn find_a_violation() {
    let lsm = quiet(&MemFs::new()).open_blocking().unwrap();
    put_all(&lsm, 0..10, 1);
    assert_all(&lsm, 0..10, Some(1));
    lsm.put(&key(7), &value(7, 0)).unwrap();
    println!("so far all is well");
    assert_all(&lsm, 0..10, Some(1));
    println!("the violation went unnoticed");
}

/// Runs a child to its end, which must be a good or a bad one, and gives what it said.
fn run(part: &str, good: bool) -> String {
    let nowhere = std::path::Path::new("/nowhere");
    let mut command = child::command(&[], child::this_program(), part, nowhere);
    let output = command.stdout(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), good, "{}\n{said}\n{complaint}", output.status);
    said
}
