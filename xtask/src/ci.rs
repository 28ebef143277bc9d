//! `cargo xtask ci`: what has to pass, the quick and the likely to fail first, the tests last.

use std::time::Instant;

use crate::{cargo, checkers, crash, examples, root, succeed, tidy};

/// A step: its heading, and what cargo is told.
struct Step {
    name: &'static str,
    args: &'static [&'static str],
    /// Flags for rustdoc. Only the step that builds the docs has them, not the doc tests.
    rustdoc_flags: Option<&'static str>,
}

const fn step(name: &'static str, args: &'static [&'static str]) -> Step {
    Step { name, args, rustdoc_flags: None }
}

const BEFORE_TIDY: [Step; 3] = [
    step("format", &["fmt", "--all", "--check"]),
    // They are not built here: see `cargo xtask bench --compare`.
    step("format of the rivals", &["fmt", "--manifest-path", "benches/peers/Cargo.toml", "--check"]),
    step("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
];

const AFTER_TIDY: [Step; 4] = [
    Step {
        name: "docs",
        // The command-line tool and the engine's library have the same name, `slice`, and so the same page.
        args: &["doc", "--no-deps", "--workspace", "--exclude", "slice-cli"],
        rustdoc_flags: Some("-D warnings"),
    },
    step("zstd", &["test", "--package", "slice-sstable", "--features", "zstd"]),
    // Each benchmark once, unmeasured: so that they build, and find what they look for.
    step("benches", &["bench", "--bench", "standard_benchmarks", "--", "--test"]),
    step("test", &["test", "--workspace"]),
];

/// Runs all steps, each under a heading, up to the first that fails.
pub(crate) fn run() -> anyhow::Result<()> {
    BEFORE_TIDY.iter().try_for_each(run_step)?;
    under_heading("tidy", || tidy::run(root()))?;
    under_heading("loom", || checkers::loom(&[]))?;
    let crash = |args: &[&str]| crash::run(&args.iter().map(ToString::to_string).collect::<Vec<_>>());
    under_heading("crashes", || crash(&["--minutes", "1", "--points", "100000"]))?;
    under_heading("mutants", || crash(&["--mutants", "--workloads", "12"]))?;
    under_heading("examples", examples::run)?;
    AFTER_TIDY.iter().try_for_each(run_step)
}

fn run_step(step: &Step) -> anyhow::Result<()> {
    under_heading(step.name, || {
        let mut command = cargo(step.args.iter().copied());
        if let Some(flags) = step.rustdoc_flags {
            command.env("RUSTDOCFLAGS", flags);
        }
        succeed(command)
    })
}

/// The headings go where cargo's own messages go, so that they stay in order.
#[expect(clippy::disallowed_methods, reason = "it tells how long a step took, and no store is involved")]
fn under_heading(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    eprintln!("\n==> {name}");
    let start = Instant::now();
    work()?;
    eprintln!("==> {name}: passed in {} s", start.elapsed().as_secs());
    Ok(())
}
