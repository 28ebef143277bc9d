//! When a log is recycled, and when a spare is made. The tests are the janitor and the flusher.

use std::path::Path;
use std::sync::Arc;

use slice_types::{LogNumber, SeqNo};
use slice_vfs::{Fs, MemFs};
use slice_wal::{GroupSync, LogWriter};

use super::{Logs, Pace, Wanted};

const DIR: &str = "/db";

struct Scene {
    fs: MemFs,
    logs: Logs,
    sync: GroupSync,
}

impl Scene {
    fn new() -> Self {
        let fs = MemFs::new();
        fs.create_dir_all(Path::new(DIR)).unwrap();
        let logs = Logs::new(Arc::new(fs.clone()), DIR.into(), true);
        Self { fs, logs, sync: GroupSync::new() }
    }

    fn begin(&self, number: u32) -> LogWriter {
        self.logs.begin(LogNumber(number), &self.sync, Pace::Busy).unwrap()
    }

    /// Switches from one log to the next, and gives up the one before as a flush does; `busy` says whether the next one
    /// grows meanwhile.
    fn switch(&self, from: LogWriter, wanted: Option<Wanted>) -> LogWriter {
        let number = from.number().0;
        let next = self.begin(number + 1);
        self.logs.keep(from, SeqNo::new(u64::from(number)));
        if let Some(wanted) = wanted {
            self.logs.ask_for(wanted);
        }
        self.logs.release_below(LogNumber(number + 1));
        next
    }

    fn files(&self) -> Vec<String> {
        self.fs.list_dir(Path::new(DIR)).unwrap()
    }
}

#[test]
fn a_log_that_is_needless_becomes_the_next_one_where_much_is_written() {
    let scene = Scene::new();
    let second = scene.switch(scene.begin(1), Some(Wanted::Space));
    assert_eq!(scene.files(), ["wal_000002.log", "wal_spare.tmp"]);
    let third = scene.begin(3);
    assert_eq!(scene.files(), ["wal_000002.log", "wal_000003.log"], "the spare was used");
    drop((second, third));
}

#[test]
fn where_little_is_written_no_log_is_kept_for_later() {
    let scene = Scene::new();
    let second = scene.switch(scene.begin(1), None);
    assert_eq!(scene.files(), ["wal_000002.log"]);
    let third = scene.switch(second, Some(Wanted::Space));
    let fourth = scene.switch(third, None);
    assert_eq!(scene.files(), ["wal_000004.log"], "nor is the spare of busier times");
    drop(fourth);
}

#[test]
fn the_janitor_makes_a_spare_only_near_the_end_of_a_log() {
    let scene = Scene::new();
    let log = scene.begin(1);
    scene.logs.ask_for(Wanted::Space);
    assert!(scene.logs.wants_work());
    scene.logs.prepare();
    assert_eq!(scene.files(), ["wal_000001.log"]);
    scene.logs.ask_for(Wanted::Spare);
    scene.logs.prepare();
    assert_eq!(scene.files(), ["wal_000001.log", "wal_spare.tmp"]);
    drop(log);
}

#[test]
fn a_log_that_is_begun_for_a_flush_on_request_leaves_the_spare_alone() {
    let scene = Scene::new();
    let second = scene.switch(scene.begin(1), Some(Wanted::Space));
    let third = scene.logs.begin(LogNumber(3), &scene.sync, Pace::Idle).unwrap();
    assert_eq!(scene.files(), ["wal_000002.log", "wal_000003.log", "wal_spare.tmp"]);
    scene.logs.keep(second, SeqNo::new(2));
    scene.logs.release_below(LogNumber(3));
    assert_eq!(scene.files(), ["wal_000003.log"], "nothing is kept at rest");
    drop(third);
}

#[test]
fn a_log_that_takes_no_more_writes_gives_its_space_back_before_it_is_given_up() {
    let scene = Scene::new();
    let first = scene.begin(1);
    let (path, end) = (first.path().to_owned(), first.position().offset);
    first.control().allocate_ahead().unwrap();
    let second = scene.begin(2);
    scene.logs.keep(first, SeqNo::new(1));
    assert!(scene.fs.metadata(&path).unwrap().len > end, "space was allocated ahead");
    assert!(scene.logs.wants_work());
    scene.logs.prepare();
    assert_eq!(scene.fs.metadata(&path).unwrap().len, end);
    assert!(!scene.logs.wants_work());
    drop(second);
}
