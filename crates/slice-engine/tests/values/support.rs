//! Small stores in memory.

use std::sync::Arc;

use slice::vfs::MemFs;
use slice::{Background, Builder, LSMTree, ManualClock};

/// A store on `fs` that does nothing on its own, and compacts only when it is told to.
pub(crate) fn quiet(fs: &MemFs) -> Builder {
    LSMTree::builder("/db")
        .fs(Arc::new(fs.clone()))
        .background(Background::Inline)
        .l0_compaction_trigger(100)
        .l0_slowdown_trigger(1000)
}

/// The same, with a clock that is set by hand.
pub(crate) fn timed(fs: &MemFs, clock: &Arc<ManualClock>) -> Builder {
    let clock: Arc<ManualClock> = Arc::clone(clock);
    quiet(fs).clock(clock)
}
