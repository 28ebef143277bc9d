//! Many threads, many logs, and a double that knows what a sync covered.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use slice_vfs::{LogControl, SyncSite};
use slice_wal::{GroupSync, LogPosition};

use crate::doubles::{at, lock};

/// A log that knows how much of it was synced.
#[derive(Debug, Default)]
struct Measured {
    appended: AtomicU64,
    synced: AtomicU64,
}

impl LogControl for Measured {
    fn sync(&self, _site: SyncSite) -> io::Result<()> {
        let covered = self.appended.load(Ordering::SeqCst);
        thread::yield_now();
        self.synced.fetch_max(covered, Ordering::SeqCst);
        Ok(())
    }

    fn allocate_ahead(&self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn many_writers_over_many_logs_are_acknowledged_only_behind_a_sync() {
    const WRITERS: usize = 4;
    const LOGS: u32 = 20;
    const APPENDS_PER_LOG: u64 = 25;
    let group = GroupSync::new();
    let logs: Vec<Arc<Measured>> = (0..LOGS).map(|_| Arc::default()).collect();
    let next = Mutex::new(LogPosition::default());
    let append = || {
        let mut next = lock(&next);
        if next.offset == APPENDS_PER_LOG {
            *next = at(next.log.0 + 1, 0);
        }
        let log = logs.get(next.log.0 as usize)?;
        if next.offset == 0 {
            group.add_log(next.log, "log".into(), Arc::clone(log) as _, Box::new(|| Ok(())));
        }
        next.offset += 1;
        log.appended.store(next.offset, Ordering::SeqCst);
        group.appended(*next);
        Some(*next)
    };
    let write = || {
        while let Some(end) = append() {
            match end.offset % 3 {
                0 => group.wait(end).unwrap(),
                1 => drop(group.wait_or_lead(end).unwrap()),
                _ => drop(group.sync_now().unwrap()),
            }
            let synced = |log: u32| logs[log as usize].synced.load(Ordering::SeqCst);
            assert!(synced(end.log.0) >= end.offset, "{end:?} was acknowledged");
            assert!((0..end.log.0).all(|log| synced(log) == APPENDS_PER_LOG), "as were all older logs");
        }
    };
    thread::scope(|scope| {
        let syncing = scope.spawn(|| {
            while group.wait_for_request() {
                group.sync_now().unwrap();
            }
        });
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(write)).collect();
        let outcomes: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        group.stop();
        syncing.join().unwrap();
        assert!(outcomes.iter().all(Result::is_ok));
    });
    assert_eq!(group.durable(), at(LOGS - 1, APPENDS_PER_LOG));
}
