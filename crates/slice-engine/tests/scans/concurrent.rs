//! Scans while others write, flush and compact: each sees whole batches of one moment, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use slice::blocking::{LSMTree, Scan};
use slice::vfs::MemFs;
use slice::{Result, WriteBatch};

const KEYS: u32 = 300;
const SCANS: usize = 60;

/// Sets all keys to one number, or deletes every other one and sets the rest.
fn write_round(lsm: &LSMTree, round: u32) -> Result<()> {
    let mut batch = WriteBatch::new();
    for n in 0..KEYS {
        if round % 2 == 1 && n % 2 == 1 {
            batch.delete(&n.to_be_bytes())?;
        } else {
            batch.put(&n.to_be_bytes(), &round.to_be_bytes())?;
        }
    }
    lsm.write(batch)
}

/// Keys and the one number that all of them have.
fn read(scan: impl Iterator<Item = <Scan as Iterator>::Item>) -> Result<(Vec<u32>, Option<u32>)> {
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes"));
    let (mut keys, mut rounds) = (Vec::new(), Vec::new());
    for entry in scan {
        let (key, value) = entry?;
        keys.push(number(&key));
        rounds.push(number(&value));
    }
    rounds.dedup();
    assert!(rounds.len() <= 1, "a scan saw several rounds: {rounds:?}");
    Ok((keys, rounds.pop()))
}

fn check((keys, round): (Vec<u32>, Option<u32>)) {
    let step = match round {
        None => return assert!(keys.is_empty()),
        Some(round) => 1 + round % 2,
    };
    assert_eq!(keys, (0..KEYS).step_by(step as usize).collect::<Vec<_>>(), "round {round:?}");
}

#[test]
fn scans_beside_writes_flushes_and_compactions_see_one_moment() -> Result<()> {
    let builder = LSMTree::builder("/db").fs(Arc::new(MemFs::new())).memtable_size(64 << 10);
    let lsm = builder.block_size(256).block_cache_bytes(64 << 10).open_blocking()?;
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let writer = threads.spawn(|| -> Result<()> {
            for round in 0.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                write_round(&lsm, round)?;
                if round % 64 == 63 {
                    lsm.compact()?;
                }
            }
            Ok(())
        });
        let scans = || -> Result<()> {
            let old = lsm.snapshot();
            let then = read(old.iter())?;
            for turn in 0..SCANS {
                let mut backward: Vec<_> = lsm.iter().rev().collect();
                backward.reverse();
                check(read(backward.into_iter())?);
                check(read(lsm.iter())?);
                let mut ends = lsm.iter();
                let front: Vec<_> = ends.by_ref().take(turn).collect();
                let mut back: Vec<_> = ends.rev().collect();
                back.reverse();
                check(read(front.into_iter().chain(back))?);
            }
            assert_eq!(read(old.iter())?, then, "a snapshot has changed");
            Ok(())
        };
        let scanned = scans();
        done.store(true, Ordering::Relaxed);
        writer.join().expect("the writer")?;
        scanned
    })?;
    lsm.close()
}
