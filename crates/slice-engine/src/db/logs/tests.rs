//! When a log is recycled, and when the next one is made. The tests are the janitor and the flusher.

use std::path::Path;
use std::sync::Arc;

use slice_types::{EntryKind, ErrorKind, KeyspaceId, LogNumber, SeqNo};
use slice_vfs::{Fs, LogKind, MemFs};
use slice_wal::{EncodedBatch, GroupSync, LogWriter};

use super::{Logs, Pace, Ready, Ticket, Wanted};

const DIR: &str = "/db";

struct Scene {
    fs: MemFs,
    logs: Logs,
    sync: GroupSync,
}

impl Scene {
    fn new() -> Self {
        let fs = MemFs::with_log_kind(LogKind::Preallocated { chunk: 128 });
        fs.create_dir_all(Path::new(DIR)).unwrap();
        let logs = Logs::new(Arc::new(fs.clone()), DIR.into(), LogNumber(1), true);
        Self { fs, logs, sync: GroupSync::new() }
    }

    fn begin(&self) -> LogWriter {
        self.logs.begin(&self.sync).unwrap()
    }

    fn ready(&self, pace: Pace) -> Ready<LogWriter> {
        self.logs.begin_ready(&self.sync, pace).unwrap()
    }

    #[track_caller]
    fn taken(&self, pace: Pace) -> LogWriter {
        match self.ready(pace) {
            Ready::Now(log) => log,
            Ready::Later(_) => panic!("no log is ready"),
        }
    }

    #[track_caller]
    fn asked(&self, pace: Pace) -> Ticket {
        match self.ready(pace) {
            Ready::Now(log) => panic!("{log:?} is ready"),
            Ready::Later(ticket) => ticket,
        }
    }

    /// Switches from one log to the next, which the janitor makes if need be, and gives up the one before as a flush
    /// does; `grows` says whether the next one runs low meanwhile.
    fn switch(&self, from: LogWriter, grows: bool) -> LogWriter {
        let number = from.number();
        let next = match self.ready(Pace::Busy) {
            Ready::Now(next) => next,
            Ready::Later(_) => {
                self.logs.prepare();
                self.taken(Pace::Busy)
            }
        };
        self.logs.keep(from, SeqNo::new(u64::from(number.0)));
        if grows {
            self.logs.ask_for(Wanted::Space);
        }
        self.logs.release_below(next.number());
        next
    }

    fn files(&self) -> Vec<String> {
        self.fs.list_dir(Path::new(DIR)).unwrap()
    }
}

#[test]
fn a_log_that_is_needless_becomes_the_next_one_where_much_is_written() {
    let scene = Scene::new();
    let second = scene.switch(scene.begin(), true);
    assert_eq!(scene.files(), ["wal_000002.log", "wal_000003.log"]);
    let third = scene.taken(Pace::Busy);
    assert_eq!(third.number(), LogNumber(3));
    assert_eq!(scene.files(), ["wal_000002.log", "wal_000003.log"], "it has its name already");
    drop(second);
}

#[test]
fn where_little_is_written_no_log_is_kept_for_later() {
    let scene = Scene::new();
    let second = scene.switch(scene.begin(), false);
    assert_eq!(scene.files(), ["wal_000002.log"]);
    let third = scene.switch(second, true);
    let fourth = scene.switch(third, false);
    assert_eq!(scene.files(), ["wal_000004.log"], "nor is that of busier times");
    drop(fourth);
}

#[test]
fn a_log_that_was_asked_for_is_kept_however_little_is_written() {
    let scene = Scene::new();
    let first = scene.begin();
    scene.logs.ask_for(Wanted::Next);
    scene.logs.prepare();
    scene.logs.release_below(LogNumber(1));
    assert_eq!(scene.taken(Pace::Busy).number(), LogNumber(2));
    drop(first);
}

#[test]
fn the_janitor_makes_a_log_only_near_the_end_of_the_one_before() {
    let scene = Scene::new();
    let log = scene.begin();
    scene.logs.ask_for(Wanted::Space);
    assert!(scene.logs.wants_work());
    scene.logs.prepare();
    assert_eq!(scene.files(), ["wal_000001.log"]);
    scene.logs.ask_for(Wanted::Next);
    scene.logs.prepare();
    assert_eq!(scene.files(), ["wal_000001.log", "wal_000002.log"]);
    drop(log);
}

#[test]
fn a_log_that_is_begun_for_a_flush_on_request_is_a_new_one() {
    let scene = Scene::new();
    let mut first = scene.begin();
    let mut batch = EncodedBatch::new();
    batch.push(KeyspaceId::DEFAULT, EntryKind::Put, b"key", &[0; 1000]).unwrap();
    first.append(SeqNo::new(1), &batch).unwrap();
    let second = scene.switch(first, true);
    let recycled = scene.fs.metadata(&Path::new(DIR).join("wal_000003.log")).unwrap().len;
    scene.asked(Pace::Idle);
    scene.logs.prepare();
    let third = scene.taken(Pace::Idle);
    assert_eq!(third.number(), LogNumber(3));
    assert!(scene.fs.metadata(third.path()).unwrap().len < recycled, "it has the blocks of the recycled one");
    scene.logs.keep(second, SeqNo::new(2));
    scene.logs.release_below(LogNumber(3));
    assert_eq!(scene.files(), ["wal_000003.log"], "nothing is kept at rest");
}

#[test]
fn everyone_who_waits_for_a_log_hears_of_it_and_of_its_failure() {
    let scene = Scene::new();
    let first = scene.begin();
    let ticket = scene.asked(Pace::Busy);
    assert!(scene.logs.outcome(ticket).is_none());
    // A directory in its place, which no log replaces.
    scene.fs.create_dir_all(&Path::new(DIR).join("wal_000002.log")).unwrap();
    scene.logs.prepare();
    let failure = scene.logs.outcome(ticket).expect("it could not be made").unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Io);
    assert!(failure.to_string().contains("wal_000002.log"), "{failure}");
    drop(first);

    let scene = Scene::new();
    let first = scene.begin();
    let tickets = [scene.asked(Pace::Busy), scene.asked(Pace::Busy)];
    scene.logs.prepare();
    assert!(tickets.iter().all(|ticket| scene.logs.outcome(*ticket).is_some_and(|outcome| outcome.is_ok())));
    drop(scene.taken(Pace::Busy));
    assert!(scene.logs.outcome(tickets[1]).is_some(), "whoever did not get it asks again");
    drop(first);
}

#[test]
fn a_failure_is_forgotten_by_who_asks_anew() {
    let scene = Scene::new();
    let first = scene.begin();
    let before = scene.asked(Pace::Busy);
    scene.fs.create_dir_all(&Path::new(DIR).join("wal_000002.log")).unwrap();
    scene.logs.prepare();
    assert!(scene.logs.outcome(before).is_some());
    let ticket = scene.asked(Pace::Busy);
    assert!(scene.logs.outcome(ticket).is_none(), "it is tried again");
    drop(first);
}

#[test]
fn a_log_that_takes_no_more_writes_gives_its_space_back_before_it_is_given_up() {
    let scene = Scene::new();
    let first = scene.begin();
    let (path, end) = (first.path().to_owned(), first.position().offset);
    first.control().allocate_ahead().unwrap();
    let second = scene.begin();
    scene.logs.keep(first, SeqNo::new(1));
    assert!(scene.fs.metadata(&path).unwrap().len > end, "space was allocated ahead");
    assert!(scene.logs.wants_work());
    scene.logs.prepare();
    assert_eq!(scene.fs.metadata(&path).unwrap().len, end);
    assert!(!scene.logs.wants_work());
    drop(second);
}
