//! Which crate may depend on which, and whom none depends on.
//!
//! ```text
//!   cli, benches, crash ──> engine ──> wal, memtable, compaction, sstable ──> vfs ──> types
//!                      │                                    │
//!                      └──> cache                           └──> bloom
//! ```

use cargo_metadata::{DependencyKind, Metadata};

use super::finding::Finding;
use super::tree::Tree;

/// Each crate of the workspace, and the crates of the workspace that it may depend on. Tests and benches may use more.
const ALLOWED: [(&str, &[&str]); 14] = [
    ("slice-types", &[]),
    ("slice-bloom", &[]),
    ("slice-cache", &[]),
    ("slice-vfs", &["slice-types"]),
    ("slice-wal", &["slice-types", "slice-vfs"]),
    ("slice-memtable", &["slice-types", "slice-vfs"]),
    ("slice-compaction", &["slice-types", "slice-vfs"]),
    ("slice-sstable", &["slice-types", "slice-vfs", "slice-bloom"]),
    (
        "slice-engine",
        &[
            "slice-types",
            "slice-vfs",
            "slice-bloom",
            "slice-cache",
            "slice-wal",
            "slice-memtable",
            "slice-sstable",
            "slice-compaction",
        ],
    ),
    ("slice-crash", &["slice-engine", "slice-types"]),
    ("slice-cli", &["slice-engine"]),
    ("slice-benches", &["slice-engine"]),
    ("xtask", &[]),
    ("sanitizer-bites", &[]),
];

/// Other stores. `benches/peers`, which compares with them, has a lockfile of its own.
const RIVALS: [&str; 14] = [
    "rocksdb",
    "librocksdb-sys",
    "rust-rocksdb",
    "fjall",
    "lsm-tree",
    "redb",
    "surrealkv",
    "sled",
    "lmdb",
    "lmdb-rkv",
    "lmdb-master-sys",
    "heed",
    "persy",
    "leveldb",
];

/// Checks the dependencies of all crates, and the lockfile.
pub(crate) fn check(tree: &Tree, metadata: &Metadata) -> Vec<Finding> {
    let mut findings = rivals_in(tree.text("Cargo.lock").unwrap_or_default());
    let members = metadata.workspace_packages();
    for package in &members {
        let name = package.name.as_str();
        let used =
            package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        let siblings: Vec<&str> = used
            .map(|dependency| dependency.name.as_str())
            .filter(|&dependency| members.iter().any(|member| member.name.as_str() == dependency))
            .collect();
        let path = manifest_path(metadata, &package.manifest_path);
        findings.extend(forbidden_edges(&path, tree.text(&path).unwrap_or_default(), name, &siblings));
    }
    findings
}

/// The path of a crate's manifest from the root.
pub(crate) fn manifest_path(metadata: &Metadata, absolute: &cargo_metadata::camino::Utf8Path) -> String {
    absolute.strip_prefix(&metadata.workspace_root).unwrap_or(absolute).as_str().replace('\\', "/")
}

/// The `siblings` that the crate `name`, with its manifest's `text`, may not depend on.
pub(crate) fn forbidden_edges(path: &str, text: &str, name: &str, siblings: &[&str]) -> Vec<Finding> {
    let Some((_, allowed)) = ALLOWED.iter().find(|(crate_name, _)| *crate_name == name) else {
        let reason =
            format!("{name} has no place in the order of crates: give it one in xtask/src/tidy/edges.rs");
        return vec![Finding::new(path, 1, reason)];
    };
    siblings
        .iter()
        .filter(|sibling| !allowed.contains(sibling))
        .map(|sibling| {
            Finding::new(
                path,
                line_starting_with(text, sibling),
                format!("{name} may not depend on {sibling}"),
            )
        })
        .collect()
}

fn line_starting_with(text: &str, start: &str) -> usize {
    1 + text.lines().position(|line| line.starts_with(start)).unwrap_or(0)
}

/// Other stores in a lockfile.
pub(crate) fn rivals_in(lockfile: &str) -> Vec<Finding> {
    let named = lockfile
        .lines()
        .enumerate()
        .filter_map(|(at, line)| Some((at + 1, line.strip_prefix("name = \"")?.strip_suffix('"')?)));
    named
        .filter(|(_, name)| RIVALS.contains(name))
        .map(|(line, name)| Finding::new("Cargo.lock", line, format!("{name} belongs in benches/peers only")))
        .collect()
}
