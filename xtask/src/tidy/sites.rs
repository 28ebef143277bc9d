//! Each site that the sources make something durable at is explained, once, in `docs/DURABILITY.md`.
//!
//! No `sync` is called without a site, so what is left to check is that no site is declared unseen: a test of the
//! engine compares the same table with the list of all sites, from which each is left out in turn.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::lexer::mask;
use super::source::is_library_source;
use super::tree::{TextFile, Tree};

/// The document with the table, a row for each site, which opens with its name.
const TABLE: &str = "docs/DURABILITY.md";

const DECLARATION: &str = "SyncSite::new(";

/// Library code that makes things durable to try whether that works, and not for a store.
const CHECKS: &str = "crates/slice-vfs/src/conformance/";

/// Compares the sites that are declared with those that are explained.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(table) = tree.text(TABLE) else { return Vec::new() };
    let explained: BTreeSet<&str> = table.lines().filter_map(row).collect();
    let mut declared = BTreeSet::new();
    let mut findings = Vec::new();
    for file in tree.texts().filter(|file| is_library_source(file) && !file.path.starts_with(CHECKS)) {
        for (at, name) in declarations(file) {
            let first = declared.insert(name);
            let reason = match explained.contains(name) {
                false => format!("the site `{name}` has no row in the table of {TABLE}"),
                true if !first => {
                    format!("the site `{name}` is declared twice: give each place its own name")
                }
                true => continue,
            };
            findings.push(Finding::at(&file.path, &file.text, at, reason));
        }
    }
    let gone = explained.iter().filter(|name| !declared.contains(**name));
    findings.extend(gone.map(|name| Finding::new(TABLE, 1, format!("no code declares the site `{name}`"))));
    findings
}

/// The name that a row of the table opens with: lower case with a dot, which no other table has.
fn row(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix("| `")?.split_once("` |")?;
    let is_name = name.contains('.') && name.chars().all(|c| c.is_ascii_lowercase() || ".-".contains(c));
    is_name.then_some(name)
}

/// The names that a file declares, and where; only in code, not in what a comment says.
fn declarations(file: &TextFile) -> Vec<(usize, &str)> {
    let code = if file.has_extension("rs") { mask(&file.text).code } else { String::new() };
    let starts: Vec<usize> = code.match_indices(DECLARATION).map(|(at, _)| at).collect();
    let named = |at: usize| {
        let argument = file.text[at + DECLARATION.len()..].trim_start();
        Some((at, argument.strip_prefix('"')?.split('"').next()?))
    };
    starts.into_iter().filter_map(named).collect()
}
