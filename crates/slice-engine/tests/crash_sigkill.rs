//! A process that is killed in mid-write loses no write that it was told of.
//!
//! The parent starts itself as a child that writes and tells each acknowledged write through a pipe; kills it with
//! SIGKILL after a seeded number of them; opens the directory and compares. Fifty times, on one directory, so that
//! recoveries build on recoveries. Durability is `Buffered`, the weakest: what the kernel has survives the process.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use slice::blocking::LSMTree;

const KILLS: u64 = 50;
const KEYS: u64 = 5000;
const CHILD_DIR: &str = "SLICE_TEST_CHILD_DIR";
const CHILD_START: &str = "SLICE_TEST_CHILD_START";
/// What the child says before its first number.
const HELLO: &[u8] = b"from here on there are numbers\n";

fn open(dir: &Path) -> LSMTree {
    LSMTree::builder(dir)
        .memtable_size(256 << 10)
        .target_table_bytes(256 << 10)
        .level_base_bytes(1 << 20)
        .open_blocking()
        .unwrap()
}

/// Write number `n`: its key, and its value unless it is a delete. The same in parent and child.
fn write_number(n: u64) -> (Vec<u8>, Option<Vec<u8>>) {
    let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let key = format!("key{:05}", (mixed >> 33) % KEYS).into_bytes();
    let value = (n % 10 != 7).then(|| format!("write {n} ").repeat(1 + (mixed >> 60) as usize).into_bytes());
    (key, value)
}

fn apply(state: &mut BTreeMap<Vec<u8>, Vec<u8>>, n: u64) {
    match write_number(n) {
        (key, Some(value)) => drop(state.insert(key, value)),
        (key, None) => drop(state.remove(&key)),
    }
}

/// What the child does: writes for ever, from the number it was given on.
fn child(dir: &Path, start: u64) {
    let lsm = open(dir);
    let mut told = std::io::stdout().lock();
    told.write_all(HELLO).unwrap();
    for n in start.. {
        match write_number(n) {
            (key, Some(value)) => lsm.put(&key, &value).unwrap(),
            (key, None) => lsm.delete(&key).unwrap(),
        }
        told.write_all(&n.to_le_bytes()).unwrap();
        told.flush().unwrap();
    }
}

/// Runs a child until it has acknowledged `count` writes, kills it, and gives the number of all it acknowledged.
fn run_and_kill(dir: &Path, start: u64, count: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fifty_kills_lose_no_acknowledged_write", "--nocapture"])
        .env(CHILD_DIR, dir)
        .env(CHILD_START, start.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    skip_to_numbers(&mut pipe);
    let mut acknowledged = 0;
    let mut number = [0; 8];
    while pipe.read_exact(&mut number).is_ok() {
        assert_eq!(u64::from_le_bytes(number), start + acknowledged);
        acknowledged += 1;
        if acknowledged == count {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged >= count, "the child ended by itself");
    acknowledged
}

/// Of the test runner's words, how many there are depends on how many tests it runs at a time.
fn skip_to_numbers(pipe: &mut impl Read) {
    let mut said = Vec::new();
    let mut byte = [0];
    while !said.ends_with(HELLO) {
        pipe.read_exact(&mut byte).expect("the child starts");
        said.push(byte[0]);
    }
}

#[test]
fn fifty_kills_lose_no_acknowledged_write() {
    if let Some(dir) = std::env::var_os(CHILD_DIR) {
        let start = std::env::var(CHILD_START).unwrap().parse().unwrap();
        child(Path::new(&dir), start);
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut state = BTreeMap::new();
    let mut next = 0;
    for kill in 0..KILLS {
        let count = 200 + kill.wrapping_mul(0x9E37_79B9) % 3000;
        let acknowledged = run_and_kill(dir.path(), next, count);
        for n in next..next + acknowledged {
            apply(&mut state, n);
        }
        next += acknowledged;
        // The write after the last acknowledged one may have happened.
        let mut with_next = state.clone();
        apply(&mut with_next, next);
        let lsm = open(dir.path());
        for n in 0..KEYS {
            let key = format!("key{n:05}").into_bytes();
            let found = lsm.get(&key).unwrap();
            let expected = [state.get(&key), with_next.get(&key)];
            assert!(expected.contains(&found.as_ref()), "kill {kill}, key {n}: {found:?}, not {expected:?}");
        }
    }
}
