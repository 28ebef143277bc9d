//! The demonstration: real text in, out again by every way, and a process killed in mid-write.
//!
//! Invariant: every answer of the store is compared with the text; a wrong one is an error.

pub(crate) mod crash;
mod text;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use slice::blocking::LSMTree;
use text::{Record, Text};

/// How the demonstration is run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The directory (or file) of text.
    #[arg(default_value = ".")]
    text: PathBuf,
    /// Keep the stores, and say where they are.
    #[arg(long)]
    keep: bool,
    /// Put the stores into this directory, new or empty, and keep them.
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

/// Runs all sections.
pub(crate) fn run(args: &Args) -> Result<()> {
    let text = text::collect(&args.text)?;
    if let Some(dir) = &args.store {
        let used = std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
        ensure!(!used, "{}: not empty", dir.display());
        return sections(dir, &text).and_then(|()| kept(dir));
    }
    let mut temporary = tempfile::tempdir().context("make a temporary directory")?;
    temporary.disable_cleanup(args.keep);
    sections(temporary.path(), &text)?;
    if args.keep { kept(temporary.path()) } else { Ok(()) }
}

#[expect(clippy::unnecessary_wraps, reason = "it ends a chain of results")]
fn kept(dir: &Path) -> Result<()> {
    println!("The stores are kept in {}", dir.display());
    Ok(())
}

fn sections(dir: &Path, text: &Text) -> Result<()> {
    let path = dir.join("text");
    println!("== Text: {text}");
    let lsm = LSMTree::new(&path)?;
    write(&lsm, &text.records)?;
    timed("Flush", || Ok(lsm.flush()?))?;
    timed("Compact", || Ok(lsm.compact()?))?;
    lsm.close()?;

    let lsm = LSMTree::new(&path)?;
    lsm.clear_cache();
    read(&lsm, &text.records, "Read cold (store reopened, caches empty)")?;
    read(&lsm, &text.records, "Read warm")?;
    absent(&lsm, &text.records)?;
    change(&lsm, &text.records)?;
    crash::section(&dir.join("crash"))?;
    println!("== Statistics");
    lsm.stats().print();
    lsm.close()?;
    Ok(())
}

fn write(lsm: &LSMTree, records: &[Record]) -> Result<()> {
    // Draws on stderr, and nothing where that is no terminal.
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} records, {per_sec}")?;
    let bar = ProgressBar::new(records.len() as u64).with_style(style);
    let start = Instant::now();
    for (key, value) in bar.wrap_iter(records.iter()) {
        lsm.put(key.as_bytes(), value.as_bytes())?;
    }
    bar.finish_and_clear();
    rate("Write", records.len(), start);
    Ok(())
}

fn read(lsm: &LSMTree, records: &[Record], heading: &str) -> Result<()> {
    let start = Instant::now();
    for (key, value) in records {
        ensure!(
            lsm.get(key.as_bytes())?.as_deref() == Some(value.as_bytes()),
            "{key} does not hold its line"
        );
    }
    rate(heading, records.len(), start);
    Ok(())
}

/// Keys that lie between those of the text, so that only the filters can tell.
fn absent(lsm: &LSMTree, records: &[Record]) -> Result<()> {
    let start = Instant::now();
    for (key, _) in records {
        ensure!(lsm.get(format!("{key}?").as_bytes())?.is_none(), "{key}? was never written");
    }
    rate("Look up absent keys", records.len(), start);
    Ok(())
}

/// Of each ten records one is updated and one deleted; then all are compared.
fn change(lsm: &LSMTree, records: &[Record]) -> Result<()> {
    let expected = |n: usize, value: &str| match n % 10 {
        0 => Some(format!("{value} (updated)").into_bytes()),
        1 => None,
        _ => Some(value.as_bytes().to_vec()),
    };
    let (mut updated, mut deleted) = (0, 0);
    for (n, (key, value)) in records.iter().enumerate().filter(|(n, _)| n % 10 < 2) {
        if let Some(new) = expected(n, value) {
            lsm.put(key.as_bytes(), &new)?;
            updated += 1;
        } else {
            lsm.delete(key.as_bytes())?;
            deleted += 1;
        }
    }
    for (n, (key, value)) in records.iter().enumerate() {
        ensure!(lsm.get(key.as_bytes())? == expected(n, value), "{key} is wrong after updates and deletions");
    }
    println!("== Change: {updated} updated, {deleted} deleted, {} verified", records.len());
    Ok(())
}

fn timed(heading: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    work()?;
    println!("== {heading}: {:.1?}", start.elapsed());
    Ok(())
}

fn rate(heading: &str, count: usize, start: Instant) {
    let per_second = count as f64 / start.elapsed().as_secs_f64().max(1e-9);
    println!("== {heading}: {count} records, {per_second:.0} a second");
}
