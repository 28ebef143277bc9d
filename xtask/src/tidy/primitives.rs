//! What threads meet at comes from a crate's own `primitives`, where the model checkers can put theirs in its place.
//!
//! The invariant, of the crates that have such a module:
//!
//! - a thread waits for another one only at a lock, a condition or a channel of `primitives`: a checker that does not
//!   see the wait takes it for a hang, or never tries the order in which it matters;
//! - an atomic of `std` is `Relaxed` wherever it is used: no order hangs on it, so a checker need not know of it.

use super::finding::Finding;
use super::lexer::{is_word, mask};
use super::source::{is_library_source, words};
use super::tree::TextFile;

/// The crates whose code runs under a model checker.
const CHECKED: [&str; 3] = ["crates/slice-engine/src/", "crates/slice-wal/src/", "crates/slice-cache/src/"];

/// Where threads wait.
const WAITS: [&str; 5] = ["Mutex", "RwLock", "Condvar", "Barrier", "mpsc"];

/// What an order hangs on.
const ORDERS: [&str; 4] = ["Acquire", "Release", "AcqRel", "SeqCst"];

/// Checks a file, if it is one of the code that runs under a checker.
pub(crate) fn check(file: &TextFile) -> Vec<Finding> {
    if !file.has_extension("rs") || !is_checked(file) {
        return Vec::new();
    }
    let masked = mask(&file.text).code;
    // Unit tests have threads of their own.
    let code = masked.split("\nmod tests {").next().unwrap_or_default();
    let uses = std_sync_uses(code);
    let waits = uses.iter().flat_map(|(at, items)| {
        let named = WAITS.iter().filter(|wait| words(items, wait).next().is_some());
        named.map(|wait| (*at, format!("`{wait}` of std: take it from `crate::primitives`")))
    });
    let has_atomics = uses.iter().any(|(_, items)| words_begin(items, "Atomic"));
    let orders = ORDERS.iter().filter(|_| has_atomics).flat_map(|order| {
        let reason = format!(
            "`{order}` beside an atomic of std: take what an order hangs on from `crate::primitives`"
        );
        words(code, &format!("Ordering::{order}")).map(|at| (at, reason.clone())).collect::<Vec<_>>()
    });
    waits.chain(orders).map(|(at, reason)| Finding::at(&file.path, code, at, reason)).collect()
}

/// The primitives themselves are made of others, and models have counts that the checker is not to see.
fn is_checked(file: &TextFile) -> bool {
    let is_of =
        |name: &str| file.path.split('/').any(|part| part.strip_suffix(".rs").unwrap_or(part) == name);
    let is_in = CHECKED.iter().any(|folder| file.path.starts_with(folder));
    is_in && is_library_source(file) && !is_of("primitives") && !is_of("models")
}

/// Where something of `std::sync` is named, and what: one path, or all of a group.
fn std_sync_uses(code: &str) -> Vec<(usize, &str)> {
    let paths = words(code, "std::sync").map(|at| (at, path_at(&code[at..])));
    let groups = words(code, "std::{").map(|at| (at, path_at(&code[at..])));
    paths.chain(groups.filter(|(_, group)| words(group, "sync").next().is_some())).collect()
}

/// The path that a text begins with, with the group at its end.
fn path_at(text: &str) -> &str {
    let end = text.find(|c| !is_word(c) && c != ':').unwrap_or(text.len());
    if text[end..].starts_with('{') {
        return text.split(';').next().unwrap_or_default();
    }
    &text[..end]
}

fn words_begin(text: &str, start: &str) -> bool {
    text.match_indices(start).any(|(at, _)| !text[..at].ends_with(is_word))
}
