//! A crash at every operation of a checkpoint: the copy is whole, or it is none.

use slice::vfs::MemFs;
use slice_crash::enumerate::{Enumeration, Point};

use super::{at, fill, holds, store};

#[test]
fn a_crash_in_a_checkpoint_leaves_a_whole_copy_or_none() {
    for on_another_device in [false, true] {
        let fs = MemFs::new();
        let lsm = store(&fs);
        fill(&lsm, 0..120, 1);
        lsm.compact().unwrap();
        fill(&lsm, 120..125, 1);
        lsm.sync().unwrap();
        if on_another_device {
            fs.mount("/copies".as_ref());
        }
        fs.record();
        lsm.checkpoint("/copies/1").unwrap();
        let operations = fs.history().len() as u64;
        drop(lsm);
        let mut whole = 0;
        let points = Enumeration::new(fs.history(), 7).check(|point: &Point, disk| {
            holds(&store(disk), 0..125, 1);
            let copy = at("/copies/1", disk).create_if_missing(false);
            match copy.open_blocking() {
                Ok(copy) => {
                    whole += 1;
                    holds(&copy, 0..125, 1);
                    Ok(())
                }
                Err(error) if point.operations() < operations => {
                    let _typed = error.kind();
                    Ok(())
                }
                Err(error) => Err(format!("the checkpoint was done: {error}")),
            }
        });
        let points = points.unwrap_or_else(|failure| panic!("{failure}"));
        assert!(points > 100 && whole > 0 && whole < points, "{whole} of {points}");
    }
}
