//! The rules about one file by itself.

use super::tree_of;
use crate::tidy::tree::TextFile;
use crate::tidy::{source, whitespace};

const LIB: &str = "crates/slice-wal/src/reader.rs";

/// What the rules about one file find, as `line: reason`.
fn found_in(path: &str, text: &str) -> Vec<String> {
    let file = TextFile { path: path.to_owned(), text: text.to_owned() };
    let findings = [whitespace::check(&file), source::check(&file)].concat();
    findings.into_iter().map(|finding| format!("{}: {}", finding.line, finding.reason)).collect()
}

/// Asserts that there is one finding, in this line, with these words in its reason.
#[track_caller]
fn assert_one(path: &str, text: &str, line: usize, words: &str) {
    let found = found_in(path, text);
    let [only] = found.as_slice() else { panic!("one finding was to be expected, and there are {found:?}") };
    assert!(only.starts_with(&format!("{line}: ")) && only.contains(words), "{only}");
}

#[track_caller]
fn assert_none(path: &str, text: &str) {
    assert_eq!(found_in(path, text), Vec::<String>::new());
}

#[test]
fn a_plain_file_breaks_no_rule() {
    assert_none(LIB, "//! What it is.\n\nfn main() {}\n");
    assert_none(LIB, "#![doc = include_str!(\"../README.md\")]\n\nmod a;\n");
}

#[test]
fn a_file_that_does_not_say_what_it_is_is_found() {
    assert_one(LIB, "use std::io;\n", 1, "open the file with `//!`");
    assert_one(LIB, "// What it is.\n", 1, "open the file with `//!`");
    assert_one(LIB, "", 1, "open the file with `//!`");
    assert_one("crates/slice-wal/tests/torn.rs", "use std::io;\n", 1, "open the file with `//!`");
}

#[test]
fn placeholders_in_code_are_found() {
    assert_one(LIB, "//! A.\nfn f() {\n    todo!()\n}\n", 3, "todo!");
    assert_one(LIB, "//! A.\nfn f() { unimplemented!(\"later\") }\n", 2, "unimplemented!");
    assert_one("benches/src/main.rs", "//! A.\nfn f() { dbg!(1); }\n", 2, "dbg!");
    assert_one("crates/a/tests/b.rs", "//! A.\n#[test]\n#[ignore = \"slow\"]\nfn f() {}\n", 3, "#[ignore");
}

#[test]
fn placeholders_in_comments_are_found() {
    assert_one(LIB, "//! A.\n// FIXME: wrong\n", 2, "FIXME");
    assert_one(LIB, "//! A.\n/* XXX */\n", 2, "XXX");
    assert_one(LIB, "//! A.\n/// TODO(me) later\nfn f() {}\n", 2, "TODO");
}

#[test]
fn words_that_only_look_like_placeholders_are_left_alone() {
    assert_none(LIB, "//! A `todo!()` is a placeholder.\nconst A: &str = \"todo!() FIXME\";\n");
    assert_none(LIB, "//! A.\n// wal_XXXXXX.log\nfn my_dbg() {}\n");
}

#[test]
fn printing_in_a_library_is_found() {
    for word in ["println", "eprintln", "print", "eprint"] {
        assert_one(LIB, &format!("//! A.\nfn f() {{ {word}!(\"a\"); }}\n"), 2, "in a library");
    }
}

#[test]
fn programs_and_tests_may_print() {
    let text = "//! A.\nfn f() { println!(\"a\"); }\n";
    for path in [
        "crates/slice-cli/src/main.rs",
        "crates/slice-engine/src/stats.rs",
        "xtask/src/main.rs",
        "benches/src/main.rs",
        "crates/slice-wal/tests/torn.rs",
        "crates/slice-wal/examples/log.rs",
        "crates/slice-wal/src/tests.rs",
    ] {
        assert_none(path, text);
    }
}

#[test]
fn files_opened_past_the_vfs_are_found() {
    assert_one(LIB, "//! A.\nuse std::fs::File;\n", 2, "only slice-vfs");
    assert_one(LIB, "//! A.\nuse std::fs;\n", 2, "only slice-vfs");
    assert_one(LIB, "//! A.\nuse std::{\n    fs,\n    io,\n};\n", 2, "only slice-vfs");
    assert_one(LIB, "//! A.\nuse std::{io, fs::File};\n", 2, "only slice-vfs");
}

#[test]
fn the_vfs_programs_and_tests_may_open_files() {
    let text = "//! A.\nuse std::fs::File;\n";
    for path in [
        "crates/slice-vfs/src/std_fs/file.rs",
        "crates/slice-cli/src/main.rs",
        "crates/slice-wal/tests/torn.rs",
        "crates/slice-wal/src/reader/tests.rs",
        "xtask/src/main.rs",
    ] {
        assert_none(path, text);
    }
    assert_none(LIB, "//! Nothing here calls `std::fs`.\nuse std::{fmt, io};\nuse slice_vfs::fs;\n");
}

#[test]
fn a_file_of_601_lines_is_found() {
    let text = |lines: usize| format!("//! A.\n{}", "fn f() {}\n".repeat(lines - 1));
    assert_one(LIB, &text(601), 601, "601 lines");
    assert_none(LIB, &text(600));
    assert_none("crates/slice-wal/tests/torn.rs", &text(601));
}

#[test]
fn unsafe_outside_its_files_is_found() {
    let text = "//! A.\nfn f() { unsafe { g() } }\n";
    assert_one(LIB, text, 2, "`unsafe`");
    assert_one("crates/slice-wal/tests/torn.rs", text, 2, "`unsafe`");
    assert_none("crates/slice-vfs/src/std_fs/mapped.rs", text);
    assert_none(LIB, "//! No unsafe here.\n#![deny(unsafe_code)]\n");
}

#[test]
fn a_listed_file_without_unsafe_is_found() {
    let paths =
        |text| source::check_unsafe_list(&tree_of(&[("crates/slice-vfs/src/std_fs/mapped.rs", text)]));
    let with = paths("fn f() { unsafe { g() } }");
    let without = paths("// no unsafe any more");
    assert_eq!(without.len(), with.len() + 1);
}

#[test]
fn blanks_and_line_ends_that_do_not_belong_are_found() {
    assert_one(LIB, "//! A.\nfn f() {} \n", 2, "blanks at the end");
    assert_one(LIB, "//! A.\nfn f() {\n\tg()\n}\n", 3, "a tab");
    assert_one(LIB, "//! A.\r\n", 1, "Windows");
    assert_one(LIB, "//! A.", 1, "no line end");
    assert_one("README.md", "# A\n\ntext  \n", 3, "blanks at the end");
    assert_none("Makefile.toml", "[a]\n\tb = 1\n");
}
