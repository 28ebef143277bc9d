//! Each rule finds what it is for, says where, and leaves alone what only looks like it.
//!
//! Words that the rules forbid stand in string literals here, which the rules do not look into.

use super::dependencies;
use super::edges::{forbidden_edges, rivals_in};
use super::lexer::mask;
use super::manifest::missing;
use super::tree::{TextFile, Tree};
use super::{links, primitives, sites, source, whitespace};

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

fn tree_of(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, text) in files {
        tree.add(path, text);
    }
    tree
}

fn broken_links_of(files: &[(&str, &str)]) -> Vec<String> {
    links::check(&tree_of(files)).iter().map(ToString::to_string).collect()
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

const ENGINE: &str = "crates/slice-engine/src/db/logs.rs";

/// What the rule about primitives finds, as `line: reason`.
fn primitives_in(path: &str, text: &str) -> Vec<String> {
    let found = primitives::check(&TextFile { path: path.to_owned(), text: text.to_owned() });
    found.into_iter().map(|finding| format!("{}: {}", finding.line, finding.reason)).collect()
}

#[test]
fn a_lock_that_the_model_checkers_do_not_see_is_found() {
    for text in [
        "//! A.\nuse std::sync::Mutex;\n",
        "//! A.\nuse std::sync::{Arc, Mutex};\n",
        "//! A.\nuse std::{io, sync::{Arc, Mutex}};\n",
        "//! A.\nstatic A: std::sync::Mutex<u8> = f();\n",
    ] {
        for path in [ENGINE, "crates/slice-wal/src/sync.rs", "crates/slice-cache/src/shard.rs"] {
            assert_eq!(
                primitives_in(path, text),
                ["2: `Mutex` of std: take it from `crate::primitives`"],
                "{text}"
            );
        }
    }
    for wait in ["RwLock", "Condvar", "Barrier", "mpsc::channel"] {
        assert_eq!(primitives_in(ENGINE, &format!("//! A.\nuse std::sync::{wait};\n")).len(), 1, "{wait}");
    }
}

#[test]
fn an_atomic_that_the_model_checkers_do_not_see_and_an_order_hangs_on_is_found() {
    let text =
        |import, order| format!("//! A.\nuse {import};\nfn f() {{ A.store(1, Ordering::{order}); }}\n");
    let of_std = "std::sync::atomic::{AtomicU64, Ordering}";
    for order in ["Acquire", "Release", "AcqRel", "SeqCst"] {
        let found = primitives_in(ENGINE, &text(of_std, order));
        assert!(found.len() == 1 && found[0].starts_with(&format!("3: `{order}`")), "{found:?}");
    }
    assert!(primitives_in(ENGINE, &text(of_std, "Relaxed")).is_empty());
    let of_primitives = "crate::primitives::AtomicU64;\nuse std::sync::atomic::Ordering";
    assert!(primitives_in(ENGINE, &text(of_primitives, "Release")).is_empty());
}

#[test]
fn locks_where_no_checker_looks_are_left_alone() {
    let text = "//! A.\nuse std::sync::Mutex;\n";
    for path in [
        "crates/slice-vfs/src/mem_fs/mod.rs",
        "crates/slice-crash/src/errors/pool.rs",
        "crates/slice-engine/src/primitives/real.rs",
        "crates/slice-engine/src/models/mod.rs",
        "crates/slice-engine/src/db/tests.rs",
        "crates/slice-engine/tests/healing.rs",
        "crates/slice-cache/src/primitives.rs",
    ] {
        assert!(primitives_in(path, text).is_empty(), "{path}");
    }
    let unit_tests = "//! A.\nuse std::sync::{Arc, PoisonError};\n\n#[cfg(test)]\nmod tests {\n    use std::sync::Mutex;\n}\n";
    assert!(primitives_in(ENGINE, unit_tests).is_empty());
    assert!(primitives_in(ENGINE, "//! Not `std::sync::Mutex`.\nuse crate::primitives::Mutex;\n").is_empty());
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

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let readme = "# A\n\n[a](docs/a.md) and [b](docs/b.md#part) and ![c](c.png)\n\n[d]: docs/d.md\n";
    assert_eq!(
        broken_links_of(&[
            ("README.md", readme),
            ("docs/a.md", "[up](../README.md) [out](../../x) [self](a.md)\n")
        ]),
        [
            "README.md:3: the link leads nowhere: docs/b.md#part",
            "README.md:3: the link leads nowhere: c.png",
            "README.md:5: the link leads nowhere: docs/d.md",
            "docs/a.md:1: the link leads nowhere: ../../x",
        ]
    );
}

#[test]
fn links_to_the_web_to_items_and_in_code_are_left_alone() {
    let text = "[a](https://a.example/b) [b](#part) [c](crate::Error) `[d](nowhere)`\n\
                ```\n[e](nowhere)\n```\n[f](docs/)\n";
    assert!(broken_links_of(&[("README.md", text), ("docs/a.md", "a\n")]).is_empty());
}

#[test]
fn a_format_that_the_architecture_does_not_name_is_found() {
    let formats = [("docs/formats/a.md", "a\n"), ("docs/formats/b.md", "b\n")];
    assert!(broken_links_of(&formats).is_empty(), "without an architecture there is nothing to ask");
    let architecture = ("docs/ARCHITECTURE.md", "[a](formats/a.md)\n");
    assert_eq!(
        broken_links_of(&[formats[0], formats[1], architecture]),
        ["docs/formats/b.md:1: docs/ARCHITECTURE.md has no link to it"]
    );
}

#[test]
fn an_edge_between_siblings_is_found_with_its_line() {
    let manifest =
        "[package]\nname = \"slice-wal\"\n\n[dependencies]\nslice-memtable = { workspace = true }\n";
    let found = forbidden_edges(
        "crates/slice-wal/Cargo.toml",
        manifest,
        "slice-wal",
        &["slice-types", "slice-memtable"],
    );
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].to_string(),
        "crates/slice-wal/Cargo.toml:5: slice-wal may not depend on slice-memtable"
    );
}

#[test]
fn the_edges_of_the_design_are_allowed_and_those_upward_are_not() {
    let allowed = |name, sibling| forbidden_edges("Cargo.toml", "", name, &[sibling]).is_empty();
    assert!(allowed("slice-sstable", "slice-bloom") && allowed("slice-engine", "slice-cache"));
    assert!(!allowed("slice-bloom", "slice-types") && !allowed("slice-cache", "slice-vfs"));
    assert!(!allowed("slice-vfs", "slice-engine") && !allowed("slice-cli", "slice-sstable"));
}

#[test]
fn a_crate_that_the_order_does_not_know_is_found() {
    let found = forbidden_edges("crates/slice-new/Cargo.toml", "", "slice-new", &[]);
    assert!(found[0].reason.contains("has no place"), "{found:?}");
}

fn site_findings(code: &str, table: &str) -> Vec<String> {
    let files = [("crates/slice-wal/src/sync.rs", code), ("docs/DURABILITY.md", table)];
    sites::check(&tree_of(&files)).iter().map(ToString::to_string).collect()
}

#[test]
fn a_sync_site_without_a_row_and_a_row_without_a_site_are_found() {
    let code = "//! A.\nconst A: SyncSite = SyncSite::new(\"log.bytes\");\n// SyncSite::new(\"not.code\")\n";
    assert_eq!(site_findings(code, "| `log.bytes` | here |\n| `fsync` | not a site |\n"), [""; 0]);
    let found = site_findings(code, "| `log.name` | here |\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("crates/slice-wal/src/sync.rs:2: the site `log.bytes` has no row"),
        "{found:?}"
    );
    assert!(found[1].contains("no code declares the site `log.name`"), "{found:?}");
}

#[test]
fn a_sync_site_that_is_declared_twice_is_found() {
    let twice =
        "//! A.\nconst A: SyncSite = SyncSite::new(\"a.b\");\nconst B: SyncSite = SyncSite::new(\"a.b\");\n";
    let found = site_findings(twice, "| `a.b` | here |\n");
    assert!(found.len() == 1 && found[0].contains(":3: the site `a.b` is declared twice"), "{found:?}");
}

#[test]
fn a_dependency_without_a_reason_is_found() {
    let workspace = "[workspace.dependencies]\nslice-vfs = \"1\"\nrand = \"1\"\n# loom = 1\nzstd = \"1\"\n\n[lints]\nlru = 1\n";
    let fuzz = "[dependencies]\nlibfuzzer-sys = \"0.4\"\n";
    let with = |reasons| {
        let files = [
            ("Cargo.toml", workspace),
            ("fuzz/Cargo.toml", fuzz),
            ("docs/decisions/0005-dependencies.md", reasons),
        ];
        dependencies::check(&tree_of(&files)).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(with("| `rand` | 1 |\n| `libfuzzer-sys` | 1 |\nFeature `zstd` (off)\n"), [""; 0]);
    let found = with("`rand` is fine\nFeature `zstd` (off)\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("Cargo.toml:3: `rand` has no row"), "{found:?}");
    assert!(found[1].starts_with("fuzz/Cargo.toml:2: `libfuzzer-sys` has no row"), "{found:?}");
}

#[test]
fn a_rival_in_the_lockfile_is_found() {
    let lockfile = "[[package]]\nname = \"memmap2\"\n\n[[package]]\nname = \"fjall\"\n";
    let found = rivals_in(lockfile);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].line, 5);
    assert!(
        rivals_in("[[package]]\nname = \"slice-engine\"\ndependencies = [\n \"crossbeam-skiplist\",\n]\n")
            .is_empty()
    );
}

#[test]
fn a_crate_without_a_face_is_found() {
    let reasons = |readme, description, keywords: &[&str]| -> Vec<String> {
        let keywords: Vec<String> = keywords.iter().map(ToString::to_string).collect();
        missing("crates/a/Cargo.toml", readme, description, &keywords)
            .into_iter()
            .map(|found| found.reason)
            .collect()
    };
    assert!(reasons(Some("# a\n"), Some("A crate"), &["a"]).is_empty());
    assert_eq!(reasons(None, Some("A crate"), &["a"]), ["no README.md, or an empty one"]);
    assert_eq!(
        reasons(Some("\n"), Some(" "), &[]),
        ["no README.md, or an empty one", "no description", "no keywords"]
    );
}

/// Asserts what is code and what is comment, with the rest as dots.
#[track_caller]
fn assert_masked(text: &str, code: &str, comments: &str) {
    let masked = mask(text);
    assert_eq!([masked.code, masked.comments].map(|kept| kept.replace(' ', ".")), [code, comments]);
}

#[test]
fn code_comments_and_literals_are_told_apart() {
    assert_masked("a//b\nc", "a...\nc", ".//b\n.");
    assert_masked("a/*b/*c*/d*/e", "a...........e", "./*b/*c*/d*/.");
    assert_masked(r#"f("//a\"b")c"#, "f(........)c", "............");
    assert_masked("g(r#\"a\"b\"#)h", "g(........)h", "............");
    assert_masked("(b'\"',c\"x\",br\"\\\")y", "(....,....,.....)y", "..................");
}

#[test]
fn a_lifetime_is_no_character() {
    assert_masked("<'a,'b>'c'", "<'a,'b>...", "..........");
    assert_masked(r"'\''x'\\'y", "....x....y", "..........");
}

#[test]
fn text_beyond_ascii_keeps_its_offsets() {
    let text = "é\"ü\"// ñ\nunsafe";
    let masked = mask(text);
    assert_eq!((masked.code.len(), masked.comments.len()), (text.len(), text.len()));
    assert_eq!(masked.code.find("unsafe"), text.find("unsafe"));
}

#[test]
fn what_is_left_open_ends_with_the_file() {
    for text in ["\"a", "/* a", "/*/", "r#\"a\"", "'\\", "b'", "//", "r#", "'"] {
        assert_eq!(mask(text).code.len(), text.len(), "{text}");
    }
}
