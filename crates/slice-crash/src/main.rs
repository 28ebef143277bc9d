//! The `slice-crash` command: the harnesses of the library, for as long as one likes.

use clap::Parser;

/// Looks for a crash that loses something.
#[derive(Parser)]
#[command(name = "cargo xtask crash", version)]
struct Cli {}

fn main() {
    let Cli {} = Cli::parse();
}
