//! What a crate that is published has to have: a README, a description, keywords.

use cargo_metadata::{Metadata, Package};

use super::edges::manifest_path;
use super::finding::Finding;
use super::tree::Tree;

/// Checks all crates that are published.
pub(crate) fn check(tree: &Tree, metadata: &Metadata) -> Vec<Finding> {
    let published =
        |package: &&&Package| package.publish.as_ref().is_none_or(|registries| !registries.is_empty());
    metadata
        .workspace_packages()
        .iter()
        .filter(published)
        .flat_map(|package| {
            let path = manifest_path(metadata, &package.manifest_path);
            let readme = path.replace("Cargo.toml", "README.md");
            missing(&path, tree.text(&readme), package.description.as_deref(), &package.keywords)
        })
        .collect()
}

/// What the crate with the manifest at `path` lacks.
pub(crate) fn missing(
    path: &str,
    readme: Option<&str>,
    description: Option<&str>,
    keywords: &[String],
) -> Vec<Finding> {
    let is_blank = |text: Option<&str>| text.is_none_or(|text| text.trim().is_empty());
    let lacks = [
        (is_blank(readme), "no README.md, or an empty one"),
        (is_blank(description), "no description"),
        (keywords.is_empty(), "no keywords"),
    ];
    lacks.into_iter().filter(|(lacks, _)| *lacks).map(|(_, what)| Finding::new(path, 1, what)).collect()
}
