//! Writes the inputs that fuzzing begins with into `fuzz/corpus`. To be run after a change of a format:
//! `cargo run --package slice-crash --example fuzz_seeds`.

#![expect(clippy::disallowed_methods, reason = "the corpus lies beside the sources, in no store")]

use std::fs;
use std::path::Path;

use slice_crash::fuzz::TARGETS;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for target in TARGETS {
        let folder = corpus.join(target.name);
        fs::create_dir_all(&folder)?;
        for (n, seed) in (target.seeds)().into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{n:02}")), seed)?;
        }
    }
    Ok(())
}
