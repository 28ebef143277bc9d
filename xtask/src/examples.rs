//! `cargo xtask examples`: runs every example of the engine, each in an empty folder of its own.

use anyhow::Context;

use crate::{cargo, root, succeed};

const DIR: &str = "crates/slice-engine/examples";

/// What an example is told, so that it ends by itself.
const ARGS: [(&str, &[&str]); 1] = [("http_service", &["--try"])];

pub(crate) fn run() -> anyhow::Result<()> {
    for name in names()? {
        eprintln!("-- {name}");
        let folder = tempfile::tempdir()?;
        let mut command = cargo(["run", "--quiet", "--manifest-path"]);
        command.arg(root().join("Cargo.toml")).args(["--package", "slice-engine", "--example", &name]);
        let args = ARGS.iter().find(|(example, _)| *example == name).map_or(&[][..], |(_, args)| args);
        command.arg("--").args(args).current_dir(folder.path());
        succeed(command)?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the sources are not a store")]
fn names() -> anyhow::Result<Vec<String>> {
    let files = std::fs::read_dir(root().join(DIR)).with_context(|| format!("{DIR} cannot be listed"))?;
    let mut names = Vec::new();
    for file in files {
        let path = file?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        names.extend(stem.map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
