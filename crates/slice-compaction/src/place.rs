//! Where a table goes that did not come from above: as deep as nothing older stands beside or above it.
//!
//! ```text
//!   level 0     [ a--d ]
//!   level 1   [a--c]          [ p--t ]
//!   level 2   [a------f]  ^             [u--z]
//!   level 3   [a--b][c---|--------------k][m--z]
//!                        [ h-j ]   goes to level 2: level 3 has older data in its range
//! ```
//!
//! What is loaded in bulk is newer than all that is there, so it must stand above what it overlaps; and the deeper it
//! stands, the less often it is merged.

use slice_types::Level;

use crate::levels::Hull;
use crate::{Busy, Levels, TableMeta};

impl Busy {
    /// The deepest level that a table newer than all others may join, beside the jobs that run.
    ///
    /// Nothing in its range stands in that level or above. A job that is about to write into a level may write there
    /// all over its range, so such a level is passed over.
    pub fn place(&self, table: &TableMeta, levels: &Levels) -> Level {
        let hull = Hull { smallest: table.smallest.clone(), largest: table.largest.clone() };
        if levels.level(0).iter().any(|other| other.overlaps(table)) {
            return Level::ZERO;
        }
        let free = (1..levels.len()).take_while(|level| levels.overlapping(*level, &hull).is_empty());
        let deepest = free.filter(|level| !self.writes_into(*level, &hull)).last().unwrap_or(0);
        Level(u8::try_from(deepest).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use slice_types::{SeqNo, TableId};

    use super::*;
    use crate::{Reason, Task, TaskKind};

    fn table(id: u64, bounds: [&str; 2]) -> Arc<TableMeta> {
        Arc::new(TableMeta {
            id: TableId(id),
            smallest: bounds[0].as_bytes().into(),
            largest: bounds[1].as_bytes().into(),
            bytes: 100,
            entries: 10,
            tombstones: 0,
            min_seqno: SeqNo::new(id),
            max_seqno: SeqNo::new(id),
            purged: SeqNo::ZERO,
        })
    }

    fn levels() -> Levels {
        Levels::new(vec![
            vec![table(9, ["a", "d"])],
            vec![table(1, ["a", "c"]), table(2, ["p", "t"])],
            vec![table(3, ["a", "f"]), table(4, ["u", "z"])],
            vec![table(5, ["c", "k"]), table(6, ["m", "z"])],
        ])
    }

    fn place(busy: &Busy, bounds: [&str; 2]) -> u8 {
        busy.place(&table(99, bounds), &levels()).0
    }

    #[test]
    fn a_table_stands_above_all_that_it_overlaps_and_no_higher() {
        let idle = Busy::new();
        assert_eq!(place(&idle, ["h", "j"]), 2);
        assert_eq!(place(&idle, ["l", "l"]), 3);
        assert_eq!(place(&idle, ["zz", "zzz"]), 3);
        assert_eq!(place(&idle, ["n", "q"]), 0, "level 1 is in the way, and above it is level 0");
        assert_eq!(place(&idle, ["v", "w"]), 1);
        assert_eq!(place(&idle, ["b", "x"]), 0);
        assert_eq!(idle.place(&table(99, ["a", "z"]), &Levels::new(vec![Vec::new(); 7])).0, 6);
    }

    #[test]
    fn a_table_keeps_out_of_the_range_that_a_running_job_writes() {
        let mut busy = Busy::new();
        let task = Task {
            inputs: vec![(Level(1), vec![TableId(2)]), (Level(2), vec![TableId(4)])],
            output: Level(2),
            kind: TaskKind::Merge,
            reason: Reason::Manual,
            score: 1.0,
        };
        assert_eq!(place(&busy, ["tt", "tu"]), 2);
        busy.start(&task, &levels());
        assert_eq!(
            place(&busy, ["tt", "tu"]),
            1,
            "between the two inputs there is nothing, but the output may span it"
        );
        assert_eq!(place(&busy, ["h", "j"]), 2, "elsewhere the level is free");
    }
}
