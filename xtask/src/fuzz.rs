//! `cargo xtask fuzz`: libFuzzer on the decoders, by cargo-fuzz, which is installed when it is missing.
//!
//! New inputs are kept in `target/fuzz/corpus`, and what makes a target fail in `fuzz/artifacts`. The committed corpus
//! is only read.

use std::fs;

use anyhow::{Context, ensure};

use crate::{cargo, root, succeed};

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// One target: block, filter, log, manifest, store or table. All, one after the other, without a name.
    target: Option<String>,
    /// Minutes for each target.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    install()?;
    let targets = targets()?;
    let chosen: Vec<_> = match &args.target {
        Some(name) => targets.iter().filter(|target| *target == name).collect(),
        None => targets.iter().collect(),
    };
    ensure!(!chosen.is_empty(), "there is no such target; there are {}", targets.join(", "));
    chosen.into_iter().try_for_each(|target| fuzz(target, args.minutes))
}

/// The targets: the files of `fuzz/fuzz_targets`.
#[expect(clippy::disallowed_methods, reason = "it reads the sources, which no store keeps")]
fn targets() -> anyhow::Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).with_context(|| format!("could not list {}", folder.display()))?;
    let mut names: Vec<_> = files
        .filter_map(|file| Some(file.ok()?.path().file_stem()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    Ok(names)
}

fn install() -> anyhow::Result<()> {
    if cargo(["fuzz", "--version"]).output().is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    eprintln!("cargo-fuzz is missing, and is installed");
    succeed(cargo(["install", "cargo-fuzz", "--locked"]))
}

#[expect(clippy::disallowed_methods, reason = "the corpus is no store's")]
fn fuzz(target: &str, minutes: u64) -> anyhow::Result<()> {
    let kept = root().join("target/fuzz/corpus").join(target);
    fs::create_dir_all(&kept).with_context(|| format!("could not make {}", kept.display()))?;
    let (kept, seconds) = (kept.to_string_lossy(), format!("-max_total_time={}", minutes * 60));
    let committed = format!("fuzz/corpus/{target}");
    let mut command =
        cargo(["fuzz", "run", "--sanitizer", "none", target, &kept, &committed, "--", &seconds]);
    // Coverage needs flags of the compiler that are not stable; nothing of it gets into what users build.
    command.env("RUSTC_BOOTSTRAP", "1");
    // A decoder that takes memory by an unchecked length, or does not come to an end, fails as well.
    command.args(["-rss_limit_mb=1024", "-malloc_limit_mb=256", "-timeout=10", "-print_final_stats=1"]);
    succeed(command)
}
