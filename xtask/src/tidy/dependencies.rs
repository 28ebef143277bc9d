//! Each dependency has its reason in `docs/decisions/0005-dependencies.md`.

use super::finding::Finding;
use super::tree::Tree;

/// The document with the tables, a row for each package, which opens with its name.
const REASONS: &str = "docs/decisions/0005-dependencies.md";

/// Where dependencies are named: once for the workspace, and in what has a lockfile of its own.
const MANIFESTS: [&str; 3] = ["Cargo.toml", "fuzz/Cargo.toml", "benches/peers/Cargo.toml"];

/// Looks for dependencies without a row.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(reasons) = tree.text(REASONS) else { return Vec::new() };
    let has_reason = |name: &str| {
        let is_row = |line: &str| line.starts_with(&format!("| `{name}` |"));
        // An optional one has a paragraph.
        reasons.lines().any(is_row) || reasons.contains(&format!("Feature `{name}`"))
    };
    let mut findings = Vec::new();
    for path in MANIFESTS {
        for (line, name) in tree.text(path).into_iter().flat_map(dependencies) {
            if !has_reason(name) {
                findings.push(Finding::new(path, line, format!("`{name}` has no row in {REASONS}")));
            }
        }
    }
    findings
}

/// The packages that a manifest names and that are not ours, with their lines.
fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let mut is_of_dependencies = false;
    let mut found = Vec::new();
    for (line, text) in (1..).zip(manifest.lines()) {
        if text.starts_with('[') {
            is_of_dependencies = text.ends_with("dependencies]");
        } else if let (true, Some((name, _))) = (is_of_dependencies, text.split_once(" = ")) {
            found.push((line, name));
        }
    }
    found.retain(|(_, name)| !name.starts_with("slice-") && !name.starts_with('#'));
    found
}
