//! The rule about what threads meet at.

use crate::tidy::primitives;
use crate::tidy::tree::TextFile;

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
