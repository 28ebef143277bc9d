//! Tests as text: a file of cases, each an input and the output expected for it.
//!
//! ```text
//!   # a title
//!   input lines
//!   ----
//!   output lines
//!   <empty line>
//! ```
//!
//! `UPDATE=1 cargo test` writes what comes out into the file, to be read as a diff.
//!
//! Source: the data-driven tests of CockroachDB and Pebble.

use std::fmt::Write as _;
use std::path::PathBuf;

/// Runs all cases of a file of `tests/data`. `run` takes a case's input lines and gives its output.
pub(crate) fn run_file(name: &str, run: impl Fn(&[&str]) -> String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut rewritten = String::new();
    let mut failures = String::new();
    let cases: Vec<_> = text.split("\n\n").map(str::trim).filter(|case| !case.is_empty()).collect();
    assert!(!cases.is_empty(), "{name} has no cases");
    for case in cases {
        let (input, expected) = case.split_once("\n----").unwrap_or((case, ""));
        let lines: Vec<_> = input.lines().filter(|line| !line.starts_with('#')).collect();
        let found = run(&lines);
        let (found, expected) = (found.trim(), expected.trim());
        let _ = writeln!(rewritten, "{input}\n----\n{found}\n");
        if found != expected {
            let _ = writeln!(failures, "{name}: {input}\n-- expected:\n{expected}\n-- found:\n{found}\n");
        }
    }
    if std::env::var_os("UPDATE").is_some() {
        #[expect(clippy::disallowed_methods, reason = "a test rewrites its own data")]
        std::fs::write(&path, rewritten).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    } else {
        assert!(failures.is_empty(), "\n{failures}");
    }
}
