//! What the enumeration of crashes has found.

use std::path::Path;

use slice::vfs::{Fs, MemFs, OpKind};

use crate::support::{DIR, assert_all, put_all, quiet};

#[test]
fn a_directory_whose_maker_was_killed_is_lost_with_the_store_in_it() {
    let recorded = MemFs::recording();
    recorded.create_dir_all(Path::new(DIR)).unwrap();
    let mut replay = recorded.history().replay();
    assert_eq!(replay.advance().map(|op| op.kind), Some(OpKind::CreateDir));
    let fs = replay.killed_image();

    let lsm = quiet(&fs).open_blocking().unwrap();
    put_all(&lsm, 0..3, 0);
    lsm.sync().unwrap();
    let after_a_power_failure = fs.crash_image(0.0, 0);
    assert_all(&quiet(&after_a_power_failure).open_blocking().unwrap(), 0..3, Some(0));
}
