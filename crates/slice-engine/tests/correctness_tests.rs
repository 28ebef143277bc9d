//! What a user relies on: writes that stay, whole and in order, seen by everyone, through restarts, kills and crowds.

#[path = "correctness/acid.rs"]
mod acid;
#[path = "correctness/checker.rs"]
mod checker;
#[path = "correctness/clients.rs"]
mod clients;
#[path = "correctness/generated.rs"]
mod generated;
#[path = "correctness/histories.rs"]
mod histories;
#[path = "correctness/sessions.rs"]
mod sessions;
#[path = "correctness/store.rs"]
mod store;
#[path = "correctness/tally.rs"]
mod tally;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use slice::blocking::LSMTree;
use slice::vfs::MemFs;
use slice::{Background, Builder};

fn in_memory(fs: &MemFs) -> Builder {
    LSMTree::builder("/db").fs(Arc::new(fs.clone()))
}

/// With threads, and memtables of a few entries.
fn busy(fs: &MemFs) -> Builder {
    in_memory(fs).memtable_size(1 << 10).l0_compaction_trigger(2).l0_slowdown_trigger(1000)
}

fn key(writer: u64, n: u64) -> Vec<u8> {
    format!("{writer}/{n:06}").into_bytes()
}

/// A value that tells whether it is whole.
fn value(n: u64) -> Vec<u8> {
    n.to_be_bytes().repeat(8)
}

fn number(value: &[u8]) -> u64 {
    let n = u64::from_be_bytes(value[..8].try_into().unwrap());
    assert_eq!(value, self::value(n), "a value in parts");
    n
}

fn get(lsm: &LSMTree, writer: u64, n: u64) -> Option<u64> {
    lsm.get(&key(writer, n)).unwrap().map(|found| number(&found))
}

/// How many entries of a writer there are; none may be behind a missing one.
#[track_caller]
fn prefix(lsm: &LSMTree, writer: u64, most: u64) -> u64 {
    let len = (0..most).take_while(|n| get(lsm, writer, *n).is_some()).count() as u64;
    for n in 0..most {
        assert_eq!(
            get(lsm, writer, n),
            (n < len).then_some(n),
            "writer {writer}, whose first {len} are there"
        );
    }
    len
}

#[test]
fn basic_operations_agree_with_a_map() {
    let lsm = in_memory(&MemFs::new()).background(Background::Inline).open_blocking().unwrap();
    let mut map = BTreeMap::new();
    let mut random = 1_u64;
    for step in 0..3000_u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let k = (random >> 33) % 50;
        match (random >> 50) % 100 {
            0..50 => {
                lsm.put(&key(0, k), &value(step)).unwrap();
                map.insert(k, step);
            }
            50..75 => {
                lsm.delete(&key(0, k)).unwrap();
                map.remove(&k);
            }
            75..78 => lsm.flush().unwrap(),
            78 => lsm.compact().unwrap(),
            _ => {}
        }
        assert_eq!(get(&lsm, 0, k), map.get(&k).copied(), "step {step}");
    }
    for k in 0..50 {
        assert_eq!(get(&lsm, 0, k), map.get(&k).copied());
    }
}

#[test]
fn an_unflushed_memtable_is_recovered_from_the_log_deletions_included() {
    let dir = tempfile::tempdir().unwrap();
    let lsm = LSMTree::new(dir.path()).unwrap();
    (0..100).for_each(|n| lsm.put(&key(0, n), &value(n)).unwrap());
    lsm.flush().unwrap();
    (100..200).for_each(|n| lsm.put(&key(0, n), &value(n)).unwrap());
    (0..200).step_by(3).for_each(|n| lsm.delete(&key(0, n)).unwrap());
    (0..200).step_by(9).for_each(|n| lsm.put(&key(0, n), &value(n + 1000)).unwrap());
    for _ in 0..3 {
        // Dropped, not closed.
        let expected = |n: u64| match (n % 3, n % 9) {
            (_, 0) => Some(n + 1000),
            (0, _) => None,
            _ => Some(n),
        };
        let lsm = LSMTree::new(dir.path()).unwrap();
        (0..200).for_each(|n| assert_eq!(get(&lsm, 0, n), expected(n), "key {n}"));
    }
    drop(lsm);
    let lsm = LSMTree::new(dir.path()).unwrap();
    assert_eq!((get(&lsm, 0, 1), get(&lsm, 0, 3), get(&lsm, 0, 9)), (Some(1), None, Some(1009)));
    assert!(lsm.stats().last_seqno >= 200);
}

/// Recovered memtables are flushed in the background while new writes come in.
#[test]
fn writes_beside_a_recovery_neither_lose_nor_are_lost() {
    let fs = MemFs::new();
    for round in 0..5_u64 {
        let lsm = busy(&fs).open_blocking().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let lsm = &lsm;
                scope.spawn(move || {
                    for n in round * 40..(round + 1) * 40 {
                        lsm.put(&key(writer, n), &value(n)).unwrap();
                    }
                    assert_eq!(prefix(lsm, writer, (round + 1) * 40), (round + 1) * 40);
                });
            }
        });
    }
}

#[test]
fn what_is_there_survives_reopening_again_and_again() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..8_u64 {
        let lsm = LSMTree::new(dir.path()).unwrap();
        assert_eq!(prefix(&lsm, 0, round * 20), round * 20);
        (round * 20..(round + 1) * 20).for_each(|n| lsm.put(&key(0, n), &value(n)).unwrap());
        match round % 4 {
            0 => lsm.close().unwrap(),
            1 => lsm.flush().unwrap(),
            2 => lsm.compact().unwrap(),
            _ => {}
        }
    }
}

const WRITERS: u64 = 3;
const PART: &str = "SLICE_CORRECTNESS_DIR";

/// Not a test of its own: the process that the next one kills. It writes until then, and says what is acknowledged.
#[test]
fn the_part_of_a_writing_process() {
    let Some(dir) = std::env::var_os(PART) else { return };
    let lsm = LSMTree::builder(Path::new(&dir)).memtable_size(64 << 10).open_blocking().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let lsm = &lsm;
            scope.spawn(move || {
                for n in 0.. {
                    lsm.put(&key(writer, n), &value(n)).unwrap();
                    let mut out = std::io::stdout().lock();
                    out.write_all(format!("acknowledged {writer} {n}\n").as_bytes()).unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

#[test]
fn a_killed_process_leaves_a_prefix_of_each_writer_with_all_that_was_acknowledged() {
    for round in 1..6 {
        let dir = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_part_of_a_writing_process", "--nocapture", "--test-threads=1"])
            .env(PART, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut acknowledged = [0; WRITERS as usize];
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut note = |line: String| {
            let mut words = line.split(' ').skip_while(|word| *word != "acknowledged").skip(1);
            if let (Some(writer), Some(n)) = (words.next(), words.next()) {
                let n: u64 = n.parse().unwrap_or_default();
                acknowledged[writer.parse::<usize>().unwrap()] = n + 1;
            }
        };
        lines.by_ref().take(round * 700).for_each(&mut note);
        // SIGKILL; what was said before it is still in the pipe, the last line perhaps in parts.
        child.kill().unwrap();
        child.wait().unwrap();
        let rest: Vec<String> = lines.collect();
        rest.into_iter().rev().skip(1).rev().for_each(&mut note);
        assert!(acknowledged.iter().sum::<u64>() > 500, "{acknowledged:?}");
        let lsm = LSMTree::new(dir.path()).unwrap();
        for (writer, count) in (0..).zip(acknowledged) {
            let found = prefix(&lsm, writer, count + 100);
            assert!(found >= count, "writer {writer}: {found} of {count} acknowledged");
        }
    }
}

#[test]
fn readers_see_whole_values_that_never_go_back_and_writers_their_own() {
    let lsm = busy(&MemFs::new()).open_blocking().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut last = [0; 3];
                while !done.load(Ordering::Acquire) {
                    for (writer, last) in (0..).zip(&mut last) {
                        let found = get(&lsm, writer, 0).unwrap_or(0);
                        assert!(found >= *last, "{found} after {last}");
                        *last = found;
                    }
                }
            });
        }
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let lsm = &lsm;
                scope.spawn(move || {
                    for n in 1..400 {
                        lsm.put(&key(writer, 0), &value(n)).unwrap();
                        assert_eq!(get(lsm, writer, 0), Some(n), "a writer's own");
                    }
                })
            })
            .collect();
        let ended: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Release);
        for writer in ended {
            writer.unwrap();
        }
    });
    assert!(lsm.stats().flush_stats.flushes > 10, "{}", lsm.stats());
}
