//! An error at every operation: each is told, nothing is acknowledged in vain, and what was appended comes back.

mod support;

use std::path::Path;
use std::sync::Arc;

use slice_types::{Result, SeqNo};
use slice_vfs::{Fault, FaultFs, Fs, MemFs, Span, SyncSite, read_all};
use slice_wal::{GroupSync, LogPosition, LogWriter, RecoveryMode};
use support::{LOG, numbers, put, replay_with};

const PATH: &str = "/wal_000007.log";

/// What a workload was told.
#[derive(Default)]
struct Told {
    appended: Vec<u64>,
    /// How many of the appended ones were durable at the last good sync.
    durable: usize,
    errors: usize,
}

/// Appends and syncs, and goes on whatever fails.
fn run(fs: &FaultFs) -> Result<Told> {
    let file =
        fs.create_log(Path::new(PATH)).map_err(|error| slice_types::Error::io("create the log", error))?;
    let mut log = LogWriter::create(file, PATH.into(), LOG)?;
    let group = GroupSync::new();
    let names = fs.clone();
    group.add_log(
        LOG,
        PATH.into(),
        log.control(),
        Box::new(move || names.sync_dir(Path::new("/"), SyncSite::new("log.name"))),
    );
    let mut told = Told::default();
    let mut next = 1;
    for step in 0..24 {
        log.set_sync_mark(group.durable());
        match log.append(SeqNo::new(next), &put(&format!("key {step}"), &"v".repeat(100))) {
            Ok(end) => {
                group.appended(end);
                told.appended.push(next);
                next += 1;
            }
            Err(_) => told.errors += 1,
        }
        if step % 4 == 3 {
            match group.sync_now() {
                Ok(durable) => {
                    assert!(durable >= log.position() || durable == LogPosition::default());
                    told.durable = told.appended.len();
                }
                Err(_) => told.errors += 1,
            }
        }
    }
    Ok(told)
}

#[test]
fn an_error_at_any_operation_is_told_and_costs_nothing_that_was_appended() {
    let faultless = FaultFs::new(Arc::new(MemFs::new()));
    assert_eq!(run(&faultless).unwrap().errors, 0);
    for n in 0..faultless.operations() {
        for fault in [Fault::Eio, Fault::Enospc, Fault::ShortWrite, Fault::Interrupted] {
            for span in [Span::Once, Span::Forever] {
                let memory = MemFs::new();
                let fs = FaultFs::new(Arc::new(memory.clone()));
                fs.fail_at_for(n, fault, span);
                let Ok(told) = run(&fs) else { continue };
                check(&memory, &told, &format!("{fault:?} {span:?} at operation {n}"));
            }
        }
    }
}

fn check(memory: &MemFs, told: &Told, context: &str) {
    assert!(told.errors > 0, "{context}: nobody heard of it");
    let recovered = |fs: &MemFs| {
        let Ok(bytes) = read_all(fs, Path::new(PATH)) else { return Vec::new() };
        let (log, seen) = replay_with(&bytes, RecoveryMode::TolerateTornTail);
        log.unwrap_or_else(|error| panic!("{context}: {error}"));
        numbers(&seen)
    };
    assert_eq!(recovered(memory), told.appended, "{context}: after the end of the process");
    let left = recovered(&memory.crash_image(0.0, 1));
    assert!(left.len() >= told.durable, "{context}: {left:?} after a power failure");
    assert!(told.appended.starts_with(&left), "{context}: {left:?} after a power failure");
}
