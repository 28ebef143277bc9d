//! One test for each way in which an earlier store of this kind is known to have failed, under the title of the failure.
//!
//! Most run on [`MemFs`](slice::vfs::MemFs) with [`Background::Inline`](slice::Background::Inline), where one seed
//! gives one run. What only real threads, files or processes can show runs on those.

mod child;
mod compactions;
mod crashes;
mod damage;
mod filters;
mod flushes;
mod gate;
mod looks;
mod processes;
mod reads;
mod support;

/// Not a test of its own: the body of the processes that tests of this file start. Without a part to play it ends.
#[test]
fn the_part_of_a_child_process() {
    match child::part().as_deref() {
        Some("hold the store") => processes::hold_the_store(),
        Some("count threads") => processes::count_threads(),
        Some("find a violation") => processes::find_a_violation(),
        Some("read long lengths") => damage::read_long_lengths(),
        Some(unknown) => panic!("no such part: {unknown}"),
        None => {}
    }
}
