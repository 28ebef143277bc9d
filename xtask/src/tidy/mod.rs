//! `cargo xtask tidy`: rules of the repository that neither the compiler nor clippy knows.
//!
//! A rule is a function from a text, or from what cargo says, to findings; only [`tree`] reads files. So each rule is
//! tested on a few lines in `tests.rs`, where it has to find what it is for.

mod dependencies;
mod edges;
mod finding;
mod lexer;
mod links;
mod manifest;
mod primitives;
mod sites;
mod source;
mod tree;
mod whitespace;

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::{Context, ensure};
use cargo_metadata::{Metadata, MetadataCommand};

use finding::Finding;
use tree::Tree;

/// Checks all rules on the workspace in `root`, and prints what breaks them as `file:line: reason`.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let tree = Tree::read(root)?;
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("could not ask cargo about the workspace")?;
    let mut findings = check(&tree, &metadata);
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    ensure!(findings.is_empty(), "tidy: {} to put right", findings.len());
    println!("tidy: {} files, nothing to put right", tree.len());
    Ok(())
}

fn check(tree: &Tree, metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.texts() {
        findings.extend(whitespace::check(file));
        findings.extend(source::check(file));
        findings.extend(primitives::check(file));
    }
    findings.extend(source::check_unsafe_list(tree));
    findings.extend(sites::check(tree));
    findings.extend(dependencies::check(tree));
    findings.extend(links::check(tree));
    findings.extend(edges::check(tree, metadata));
    findings.extend(manifest::check(tree, metadata));
    findings
}
