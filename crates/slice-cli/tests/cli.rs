//! The program as its users run it.

#![expect(clippy::disallowed_methods, reason = "a test makes files of its own")]

use std::path::Path;
use std::process::{Command, Output};

fn slice(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_slice")).args(args).output().unwrap()
}

fn on(store: &Path, args: &[&str]) -> Output {
    slice(&[&["--path", store.to_str().unwrap()], args].concat())
}

fn assert_fails_in_one_line(output: &Output) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1, "{output:?}");
}

#[test]
fn what_is_put_is_got_by_later_processes_until_it_is_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    assert!(on(&store, &["put", "key", "value"]).status.success());
    assert_eq!(on(&store, &["get", "key"]).stdout, b"value");
    for command in ["flush", "compact", "stats"] {
        let output = on(&store, &[command]);
        assert!(output.status.success(), "{output:?}");
    }
    assert!(String::from_utf8_lossy(&on(&store, &["stats"]).stdout).contains("1 tables"));
    assert_eq!(on(&store, &["get", "key"]).stdout, b"value");
    assert!(on(&store, &["delete", "key"]).status.success());
    assert_fails_in_one_line(&on(&store, &["get", "key"]));
}

#[test]
fn hex_stands_for_any_bytes_and_nothing_else_is_taken_for_it() {
    let dir = tempfile::tempdir().unwrap();
    assert!(on(dir.path(), &["--hex", "put", "00ff", "DEad"]).status.success());
    assert_eq!(on(dir.path(), &["--hex", "get", "00ff"]).stdout, b"dead");
    for bad in ["0", "zz", "+1"] {
        assert_fails_in_one_line(&on(dir.path(), &["--hex", "get", bad]));
    }
}

#[test]
fn looking_makes_no_store() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    assert_fails_in_one_line(&on(&missing, &["get", "key"]));
    assert_fails_in_one_line(&on(&missing, &["stats"]));
    assert!(!missing.exists());
}

#[test]
fn the_demonstration_counts_its_text_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.txt"), "one\ntwo\n\nfour\n").unwrap();
    std::fs::write(dir.path().join("b.bin"), [0xff, 0xfe, b'\n']).unwrap();
    let output = slice(&[dir.path().to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("4 lines of 1 files, 1 files skipped"), "{text}");
    assert!(text.contains("1 updated, 1 deleted, 4 verified"), "{text}");
    assert!(text.contains(", 0 lost"), "{text}");
}
