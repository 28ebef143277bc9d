//! [`GroupSync`] under loom: nothing is called durable that a sync did not cover, and nobody who waits is forgotten.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::thread;
use slice_types::LogNumber;
use slice_vfs::{LogControl, SyncSite};

use super::*;
use crate::primitives::AtomicU64;

/// A file that knows how far it was written and synced. Relaxed: only the group orders one thread behind another.
#[derive(Debug)]
struct File {
    written: AtomicU64,
    synced: AtomicU64,
}

impl File {
    fn new() -> Arc<Self> {
        Arc::new(Self { written: AtomicU64::new(0), synced: AtomicU64::new(0) })
    }

    fn write_to(&self, end: u64) {
        self.written.store(end, Ordering::Relaxed);
    }

    fn assert_synced_to(&self, end: u64) {
        let synced = self.synced.load(Ordering::Relaxed);
        assert!(synced >= end, "{end} bytes are called durable, {synced} are");
    }
}

impl LogControl for File {
    fn sync(&self, _site: SyncSite) -> io::Result<()> {
        self.synced.store(self.written.load(Ordering::Relaxed), Ordering::Relaxed);
        Ok(())
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        Ok(())
    }
}

fn at(log: u32, offset: u64) -> LogPosition {
    LogPosition { log: LogNumber(log), offset }
}

fn add_log(group: &GroupSync, number: u32, file: &Arc<File>) {
    group.add_log(LogNumber(number), "log".into(), Arc::<File>::clone(file), Box::new(|| Ok(())));
}

fn explore(program: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(program);
}

/// A writer appends and waits, while a thread of its own syncs.
fn append_and_wait(append: fn(&GroupSync, &File, u64)) {
    let (group, file) = (Arc::new(GroupSync::new()), File::new());
    add_log(&group, 1, &file);
    let syncing = Arc::clone(&group);
    let syncer = thread::spawn(move || while syncing.wait_for_request() && syncing.sync_now().is_ok() {});
    for end in [10, 20] {
        append(&group, &file, end);
        group.wait(at(1, end)).expect("no sync fails");
        file.assert_synced_to(end);
    }
    group.stop();
    syncer.join().expect("a panic ends the model");
}

#[test]
fn who_waits_is_woken_when_the_bytes_are_synced() {
    explore(|| {
        append_and_wait(|group, file, end| {
            file.write_to(end);
            group.appended(at(1, end));
        });
    });
}

/// Two writers and nobody else: each syncs for itself, for the other, or is served by it.
#[test]
fn writers_that_lead_each_other_leave_nobody_waiting() {
    explore(|| {
        let (group, file) = (Arc::new(GroupSync::new()), File::new());
        let ends = Arc::new(loom::sync::Mutex::new(0));
        add_log(&group, 1, &file);
        let write = {
            let (group, file) = (Arc::clone(&group), Arc::clone(&file));
            move || {
                let end = {
                    // The commit lock: appends follow one another.
                    let mut last = ends.lock().expect("no writer panics here");
                    *last += 10;
                    file.write_to(*last);
                    group.appended(at(1, *last));
                    *last
                };
                group.wait_or_lead(at(1, end)).expect("no sync fails");
                file.assert_synced_to(end);
            }
        };
        let other = thread::spawn(write.clone());
        write();
        other.join().expect("a panic ends the model");
        assert_eq!(group.waiting(), 0);
    });
}

#[test]
#[should_panic(expected = "bytes are called durable")]
fn an_append_that_is_announced_before_it_is_made_is_caught() {
    explore(|| {
        append_and_wait(|group, file, end| {
            group.appended(at(1, end));
            thread::yield_now();
            group.request(at(1, end));
            file.write_to(end);
        });
    });
}

#[test]
fn a_log_is_left_behind_only_when_all_of_it_is_synced() {
    explore(|| {
        let (group, files) = (Arc::new(GroupSync::new()), [File::new(), File::new()]);
        add_log(&group, 1, &files[0]);
        let (syncing, synced) = (Arc::clone(&group), files.clone());
        let syncer = thread::spawn(move || {
            let durable = syncing.sync_now().expect("no sync fails");
            if durable.log == LogNumber(2) {
                synced[0].assert_synced_to(20);
                synced[1].assert_synced_to(durable.offset);
            } else {
                synced[0].assert_synced_to(durable.offset);
            }
        });
        for end in [10, 20] {
            files[0].write_to(end);
            group.appended(at(1, end));
        }
        add_log(&group, 2, &files[1]);
        files[1].write_to(5);
        group.appended(at(2, 5));
        syncer.join().expect("a panic ends the model");
    });
}
