//! What the enumeration of crashes has found.

use std::path::Path;
use std::sync::Arc;

use slice::vfs::{Fs, MemFs};
use slice::{Background, LSMTree};

use crate::support::{DIR, assert_all, put_all};

/// Whoever comes next must make the names durable that the killed process had not come to.
#[test]
fn a_store_is_as_durable_as_the_directories_that_a_killed_process_made_for_it() {
    let dir = Path::new(DIR).join("inner");
    let recorded = MemFs::recording();
    recorded.create_dir_all(&dir).unwrap();
    let mut replay = recorded.history().replay();
    let open = |fs: &MemFs| {
        let builder = LSMTree::builder(&dir).fs(Arc::new(fs.clone())).background(Background::Inline);
        builder.open_blocking().unwrap()
    };
    while replay.advance().is_some() {
        let fs = replay.killed_image();
        let lsm = open(&fs);
        put_all(&lsm, 0..3, 0);
        lsm.sync().unwrap();
        let after_a_power_failure = fs.crash_image(0.0, 0);
        let lsm = open(&after_a_power_failure);
        assert_all(&lsm, 0..3, Some(0));
    }
}
