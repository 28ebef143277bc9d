//! The rules about files and crates together.

use super::tree_of;
use crate::tidy::edges::{forbidden_edges, rivals_in};
use crate::tidy::manifest::missing;
use crate::tidy::{dependencies, links, sites};

fn broken_links_of(files: &[(&str, &str)]) -> Vec<String> {
    links::check(&tree_of(files)).iter().map(ToString::to_string).collect()
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
