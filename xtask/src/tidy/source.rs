//! Rules about one Rust file: how it opens, how long it is, and what it may not say.

use super::finding::Finding;
use super::lexer::{Masked, is_word, mask};
use super::tree::{TextFile, Tree};

/// The only files with `unsafe` in them.
const UNSAFE_FILES: [&str; 5] = [
    "crates/slice-vfs/src/std_fs/mapped.rs",
    // Memory that one writer fills while others read what is filled.
    "crates/slice-memtable/src/btree/chunk.rs",
    // Memory of the system, in huge pages.
    "crates/slice-memtable/src/btree/pages.rs",
    // A global allocator that counts, which is an unsafe trait.
    "crates/slice-memtable/tests/memory.rs",
    // Bugs that safe code does not have, for sanitizers to find.
    "xtask/sanitizer-bites/src/main.rs",
];

/// The most lines that a file of a crate has.
const MAX_LINES: usize = 600;

/// What no code has, with the reason.
const FORBIDDEN_CODE: [(&str, &str); 4] = [
    ("todo!", "a placeholder: write it or leave it out"),
    ("unimplemented!", "a placeholder: write it or leave it out"),
    ("dbg!", "left over from debugging"),
    ("#[ignore", "a test that is not run: fix it or delete it"),
];

/// What no comment has, with the reason.
const FORBIDDEN_COMMENTS: [(&str, &str); 3] = [
    ("FIXME", "fix it, or say what is so and why"),
    ("XXX", "fix it, or say what is so and why"),
    ("TODO", "do it, or say what is so and why"),
];

/// The macros that print.
const PRINTING: [&str; 4] = ["println!", "eprintln!", "print!", "eprint!"];

/// Where a library or a program in `crates` prints, since that is what it is called for.
const PRINTING_PLACES: [&str; 3] =
    ["crates/slice-cli/", "crates/slice-crash/src/main.rs", "crates/slice-engine/src/stats.rs"];

/// Where files are reached without the vfs: in the vfs, and in programs that are no part of the store.
const FILE_PLACES: [&str; 3] = ["crates/slice-vfs/", "crates/slice-cli/", "crates/slice-crash/src/real/"];

/// Checks a file, if it is a Rust one.
pub(crate) fn check(file: &TextFile) -> Vec<Finding> {
    if !file.has_extension("rs") {
        return Vec::new();
    }
    let masked = mask(&file.text);
    [
        opens_with_docs(file),
        is_short(file),
        has_no_placeholder(file, &masked),
        does_not_print(file, &masked),
        leaves_files_to_the_vfs(file, &masked),
        is_safe(file, &masked),
    ]
    .concat()
}

/// A list that names files without `unsafe` would let it come in unseen.
pub(crate) fn check_unsafe_list(tree: &Tree) -> Vec<Finding> {
    UNSAFE_FILES
        .iter()
        .filter(|path| tree.text(path).is_none_or(|text| words(&mask(text).code, "unsafe").next().is_none()))
        .map(|path| {
            Finding::new(path, 1, "has no unsafe code: take it off the list in xtask/src/tidy/source.rs")
        })
        .collect()
}

fn opens_with_docs(file: &TextFile) -> Vec<Finding> {
    let first = file.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    if first.starts_with("//!") || first.starts_with("#![doc = include_str!") {
        return Vec::new();
    }
    vec![Finding::new(&file.path, 1, "open the file with `//!`: what it is, and its invariant")]
}

fn is_short(file: &TextFile) -> Vec<Finding> {
    let lines = file.text.lines().count();
    if lines <= MAX_LINES || !file.path.starts_with("crates/") || !is_in(file, "src") {
        return Vec::new();
    }
    vec![Finding::new(&file.path, lines, format!("{lines} lines, {MAX_LINES} at most: one concept a file"))]
}

fn has_no_placeholder(file: &TextFile, masked: &Masked) -> Vec<Finding> {
    let in_code = FORBIDDEN_CODE.iter().map(|rule| (&masked.code, rule));
    let in_comments = FORBIDDEN_COMMENTS.iter().map(|rule| (&masked.comments, rule));
    in_code
        .chain(in_comments)
        .flat_map(|(text, (word, reason))| {
            words(text, word).map(move |at| Finding::at(&file.path, text, at, format!("`{word}`: {reason}")))
        })
        .collect()
}

/// A library says what it has to say by its results and by `tracing`.
fn does_not_print(file: &TextFile, masked: &Masked) -> Vec<Finding> {
    if !is_library_source(file) || is_under(file, &PRINTING_PLACES) {
        return Vec::new();
    }
    PRINTING
        .iter()
        .flat_map(|word| words(&masked.code, word).map(move |at| (word, at)))
        .map(|(word, at)| Finding::at(&file.path, &masked.code, at, format!("`{word}` in a library")))
        .collect()
}

fn leaves_files_to_the_vfs(file: &TextFile, masked: &Masked) -> Vec<Finding> {
    if !is_library_source(file) || is_under(file, &FILE_PLACES) {
        return Vec::new();
    }
    std_fs_uses(&masked.code)
        .into_iter()
        .map(|at| Finding::at(&file.path, &masked.code, at, "`std::fs`: only slice-vfs touches files"))
        .collect()
}

/// Where `std::fs` is named, be it in a path or in a group (`use std::{fs, io}`).
fn std_fs_uses(code: &str) -> Vec<usize> {
    let grouped = words(code, "std::{").filter(|&at| {
        let group = code[at..].split(['}', ';']).next().unwrap_or_default();
        words(group, "fs").next().is_some()
    });
    words(code, "std::fs").chain(grouped).collect()
}

fn is_safe(file: &TextFile, masked: &Masked) -> Vec<Finding> {
    if UNSAFE_FILES.contains(&file.path.as_str()) {
        return Vec::new();
    }
    words(&masked.code, "unsafe")
        .map(|at| {
            let reason = "`unsafe` outside the files that xtask/src/tidy/source.rs lists";
            Finding::at(&file.path, &masked.code, at, reason)
        })
        .collect()
}

/// Whether the file is a part of what a crate's user compiles: in its `src`, and no test.
pub(crate) fn is_library_source(file: &TextFile) -> bool {
    let is_test = is_in(file, "tests") || file.path.ends_with("/tests.rs");
    file.path.starts_with("crates/") && is_in(file, "src") && !is_test
}

/// Whether the file is one of these places, or in one.
fn is_under(file: &TextFile, places: &[&str]) -> bool {
    places.iter().any(|place| file.path.starts_with(place))
}

/// Whether one of the folders above the file has this name.
fn is_in(file: &TextFile, folder: &str) -> bool {
    file.path.split('/').rev().skip(1).any(|part| part == folder)
}

/// Where a word is in a text, and not a part of a longer word.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let ends_as_word = word.ends_with(is_word);
    let starts_as_word = word.starts_with(is_word);
    text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let joined_before = starts_as_word && text[..at].ends_with(is_word);
        let joined_after = ends_as_word && text[at + word.len()..].starts_with(is_word);
        !joined_before && !joined_after
    })
}
