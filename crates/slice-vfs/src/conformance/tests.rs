//! All file systems of this crate keep the promises, and the suite notices one that does not.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{FaultFs, Fs, LogKind, MemFs, StdFs, conformance};

/// Runs the suite with a directory of the operating system for each check.
fn run_on_disk(fs: &StdFs) {
    let dir = tempfile::tempdir().unwrap();
    let made = std::cell::Cell::new(0);
    conformance::run(&|| {
        made.set(made.get() + 1);
        (Arc::new(fs.clone()), dir.path().join(made.get().to_string()))
    });
}

fn run_in_memory(make: &dyn Fn() -> Arc<dyn Fs>) {
    conformance::run(&|| (make(), PathBuf::from("/some/where")));
}

#[test]
fn the_real_file_system_conforms() {
    run_on_disk(&StdFs::new());
}

#[test]
fn the_real_file_system_with_plain_logs_conforms() {
    run_on_disk(&StdFs::plain_logs());
}

#[test]
fn the_memory_conforms() {
    run_in_memory(&|| Arc::new(MemFs::new()));
}

#[test]
fn the_memory_with_plain_logs_conforms() {
    run_in_memory(&|| Arc::new(MemFs::with_log_kind(LogKind::Plain)));
}

#[test]
fn the_memory_with_odd_chunks_conforms() {
    run_in_memory(&|| Arc::new(MemFs::with_log_kind(LogKind::Preallocated { chunk: 1_000 })));
}

#[test]
fn a_recorded_memory_conforms() {
    run_in_memory(&|| Arc::new(MemFs::recording()));
}

#[test]
fn a_file_system_without_faults_conforms() {
    run_in_memory(&|| Arc::new(FaultFs::new(Arc::new(MemFs::new()))));
}

#[test]
#[should_panic(expected = "StorageFull")]
fn a_file_system_with_a_fault_does_not_conform() {
    run_in_memory(&|| {
        let fs = FaultFs::new(Arc::new(MemFs::new()));
        fs.fail_at(7, crate::Fault::Enospc);
        Arc::new(fs)
    });
}
