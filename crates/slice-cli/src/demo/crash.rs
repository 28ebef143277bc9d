//! A child process is killed in mid-write; what it had acknowledged must be there.
//!
//! Invariant: the child prints a number only after the store has acknowledged its record, so a number that reached
//! the pipe is a promise.

use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use slice::blocking::LSMTree;

/// Acknowledgements to wait for before the kill.
const KILL_AFTER: u64 = 5000;

/// Small, so that the kill finds flushes behind it and beside it.
const MEMTABLE_BYTES: usize = 128 << 10;

/// Kills a child, reopens its store and counts.
pub(crate) fn section(dir: &Path) -> Result<()> {
    println!("== Kill a writing process with SIGKILL");
    let acknowledged = kill_a_writer(dir)?;
    let lsm = open(dir, false)?;
    let mut found = 0;
    for n in 0..acknowledged {
        found += u64::from(lsm.get(&key(n))? == Some(value(n)));
    }
    lsm.close()?;
    let lost = acknowledged - found;
    println!("{acknowledged} acknowledged, {found} found, {lost} lost");
    ensure!(lost == 0, "{lost} acknowledged records are lost");
    Ok(())
}

/// Writes numbered records for ever, and prints each number once its record is acknowledged.
pub(crate) fn child(dir: &Path) -> Result<()> {
    let lsm = open(dir, true)?;
    let mut out = stdout().lock();
    for n in 0.. {
        lsm.put(&key(n), &value(n))?;
        writeln!(out, "{n}")?;
        out.flush()?;
    }
    Ok(())
}

/// How many records, from 0 on, the child has acknowledged.
fn kill_a_writer(dir: &Path) -> Result<u64> {
    let program = std::env::current_exe().context("find this program")?;
    let mut child = Command::new(program)
        .arg("crash-child")
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()
        .context("start the child")?;
    let out = child.stdout.take().context("the child has no stdout")?;
    let acknowledged = count_and_kill(&mut child, out);
    // Also when counting failed: no child may be left behind.
    let _ = child.kill();
    let status = child.wait().context("wait for the child")?;
    ensure!(status.code().is_none(), "the child ended by itself: {status}");
    acknowledged
}

fn count_and_kill(child: &mut Child, out: ChildStdout) -> Result<u64> {
    let mut out = BufReader::new(out);
    let (mut count, mut line) = (0, String::new());
    // To the end: what is in the pipe at the kill was acknowledged as well. A line cut short was not.
    while out.read_line(&mut line)? > 0 && line.ends_with('\n') {
        ensure!(line.trim_end() == count.to_string(), "the child said {line:?} after {count} records");
        line.clear();
        count += 1;
        if count == KILL_AFTER {
            child.kill().context("kill the child")?;
        }
    }
    ensure!(count >= KILL_AFTER, "the child ended after {count} records");
    Ok(count)
}

fn open(dir: &Path, create: bool) -> Result<LSMTree> {
    Ok(LSMTree::builder(dir).memtable_size(MEMTABLE_BYTES).create_if_missing(create).open_blocking()?)
}

fn key(n: u64) -> Vec<u8> {
    format!("record:{n:010}").into_bytes()
}

fn value(n: u64) -> Vec<u8> {
    format!("the value of record {n}, long enough to fill a memtable now and then").into_bytes()
}
