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
    assert_fails_in_one_line(&on(&missing, &["verify"]));
    assert!(!missing.exists());
}

/// A store with a table for each of its keys.
fn flushed_store(dir: &Path) -> std::path::PathBuf {
    let store = dir.join("store");
    for n in 0..3 {
        assert!(on(&store, &["put", &format!("key{n}"), "value"]).status.success());
    }
    assert!(on(&store, &["compact"]).status.success());
    store
}

/// Changes a byte of the first file with this ending.
fn damage(store: &Path, ending: &str) {
    let files = std::fs::read_dir(store).unwrap().map(|entry| entry.unwrap().path());
    let file = files.filter(|path| path.to_str().unwrap().ends_with(ending)).min().unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[20] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn verify_names_file_and_offset_of_a_fault_and_exits_with_1() {
    let dir = tempfile::tempdir().unwrap();
    let store = flushed_store(dir.path());
    let sound = on(&store, &["verify"]);
    assert!(sound.status.success(), "{sound:?}");
    assert!(String::from_utf8_lossy(&sound.stdout).ends_with(": 0 faults\n"), "{sound:?}");
    damage(&store, ".db");
    let output = on(&store, &["verify"]);
    assert_fails_in_one_line(&output);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("damaged: ") && text.contains(".db at byte 16: "), "{text}");
    assert!(text.ends_with(": 1 faults\n"), "{text}");
}

#[test]
fn repair_saves_what_can_be_read_and_says_what_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let store = flushed_store(dir.path());
    assert!(on(&store, &["put", "late", "value"]).status.success());
    let [whole, rest] = ["whole", "rest"].map(|name| dir.path().join(name));
    let output = on(&store, &["repair", "--into", whole.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("4 keys saved"), "{output:?}");
    assert_eq!(on(&whole, &["get", "key2"]).stdout, b"value");

    damage(&store, ".db");
    let output = on(&store, &["repair", "--into", rest.to_str().unwrap()]);
    assert_fails_in_one_line(&output);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("lost: ") && text.contains("keys from key0 to key0"), "{text}");
    assert_eq!(on(&rest, &["get", "late"]).stdout, b"value");
    assert!(on(&rest, &["verify"]).status.success());
    // Not into a directory that is in use.
    assert_fails_in_one_line(&on(&store, &["repair", "--into", rest.to_str().unwrap()]));
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
