//! Of a database that is closed: what comes too late changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use slice_types::{EntryKind, ErrorKind};
use slice_vfs::{Fs, MemFs};

use super::{Declared, open};
use crate::background::clock::now;
use crate::options::{Background, Options};

/// A freeze that was about to begin when the database was closed would begin a log in a directory that may be
/// somebody else's by now.
#[test]
fn a_freeze_that_comes_after_the_close_begins_no_log() {
    let fs: Arc<dyn Fs> = Arc::new(MemFs::new());
    let dir = PathBuf::from("/db");
    fs.create_dir_all(&dir).unwrap();
    let options = Options { background: Background::Inline, ..Options::default() };
    let core = open(Arc::clone(&fs), dir.clone(), options, &Declared::new()).unwrap();
    core.finish_blocking(core.write_now(&core.tree, EntryKind::Put, b"key", b"value").unwrap()).unwrap();
    core.close().unwrap();
    let names = || fs.list_dir(Path::new("/db")).unwrap();
    let before = names();
    let late = [
        core.commit.freeze(&core.trees.all(), &core.logs).map(drop),
        core.commit.freeze_older(now(), &core.logs).map(drop),
        core.flush_blocking(&core.trees.all()),
        core.write_now(&core.tree, EntryKind::Put, b"key", b"late").map(drop),
    ];
    for attempt in late {
        assert_eq!(attempt.unwrap_err().kind(), ErrorKind::Closed);
    }
    assert_eq!(names(), before);
    assert!(core.tree.view().frozen.is_empty());
}
