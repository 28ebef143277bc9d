//! Makes a report of results that are in files: a page of HTML, and `docs/BENCHMARK_RESULTS.md`.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Parser;
use slice_benches::markdown::SeedTerms;
use slice_benches::results::{FORMAT, Results};
use slice_benches::{html, markdown};

/// Makes a report of the results of some sittings.
#[derive(Parser)]
#[command(name = "slice-bench-report")]
struct Args {
    /// Files that the driver wrote, one for each sitting.
    #[arg(required = true)]
    results: Vec<PathBuf>,
    /// The page with the charts.
    #[arg(long, default_value = "target/benchmarks.html")]
    html: PathBuf,
    /// The document.
    #[arg(long, default_value = "docs/BENCHMARK_RESULTS.md")]
    markdown: PathBuf,
    /// Where criterion left what `standard_benchmarks` measured on the seed's terms.
    #[arg(long)]
    criterion: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let sittings = args.results.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let seed = args.criterion.map(|dir| SeedTerms::read(&dir)).transpose()?;
    write(&args.html, &html::write(&sittings)?)?;
    write(&args.markdown, &markdown::write(&sittings, seed.as_ref()))
}

fn read(path: &Path) -> anyhow::Result<Results> {
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let results: Results =
        serde_json::from_str(&text).with_context(|| format!("{} holds no results", path.display()))?;
    ensure!(results.format == FORMAT, "{} has format {}, not {FORMAT}", path.display(), results.format);
    Ok(results)
}

#[expect(clippy::disallowed_methods, reason = "a report is no file of a store")]
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).with_context(|| format!("could not make {}", parent.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("could not write {}", path.display()))
}
