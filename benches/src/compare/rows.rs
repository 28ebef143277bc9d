//! What is compared: workloads, each with a number of clients and with a store that it starts from.

use anyhow::{Context, anyhow, ensure};
use clap::ValueEnum;

use crate::knobs::Durability;
use crate::workload::Workload;

/// The store that a run finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// None.
    Empty,
    /// The loaded one itself: the run only reads.
    Loaded,
    /// A copy of the loaded one, which is thrown away afterwards.
    Copy,
    /// The loaded one, of which the system's page cache is made to forget everything again and again.
    Cold,
    /// One whose process was killed with a log of writes that are in no table.
    Crashed,
}

/// A workload as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What is done.
    pub workload: Workload,
    /// By how many.
    pub clients: u64,
    /// When a write is acknowledged.
    pub durability: Durability,
    /// What it starts from.
    pub start: Start,
    /// Left out where time is short: it says little that others do not say.
    pub is_detail: bool,
}

impl Row {
    const fn new(workload: Workload, clients: u64, start: Start) -> Self {
        Self { workload, clients, durability: Durability::Buffered, start, is_detail: false }
    }

    const fn detail(self) -> Self {
        Self { is_detail: true, ..self }
    }

    const fn synced(self) -> Self {
        Self { durability: Durability::Fsync, ..self }
    }

    /// A workload as nothing else is said of it: `overwrite`, `overwrite@4`, `overwrite-fsync@16`, `readrandom-cold@2`.
    fn parse(name: &str) -> anyhow::Result<Self> {
        let (label, clients) = name.split_once('@').unwrap_or((name, "4"));
        let clients = clients.parse().with_context(|| format!("{clients} clients"))?;
        let (bare, is_synced) = label.strip_suffix("-fsync").map_or((label, false), |bare| (bare, true));
        let (bare, is_cold) = bare.strip_suffix("-cold").map_or((bare, false), |bare| (bare, true));
        let workload = Workload::from_str(bare, false).map_err(|_| anyhow!("there is no {name}"))?;
        let start = match workload {
            _ if workload.fills() => Start::Empty,
            _ if workload.only_reads() => Start::Loaded,
            _ => Start::Copy,
        };
        ensure!(!is_cold || start == Start::Loaded, "{bare} does not only read");
        ensure!(!is_synced || !workload.only_reads(), "{bare} only reads");
        let row = Self::new(workload, clients, if is_cold { Start::Cold } else { start });
        Ok(if is_synced { row.synced() } else { row })
    }

    /// Whether the store is worn in before it, if that is asked for.
    pub fn is_worn_in(&self) -> bool {
        self.start == Start::Copy
    }

    /// The workload, with what distinguishes this row from others that have the same.
    pub fn label(&self) -> String {
        let name = self.workload.name();
        match (self.start, self.durability) {
            (Start::Cold, _) => format!("{name}-cold"),
            (Start::Crashed, _) => "open-after-crash".to_owned(),
            (_, Durability::Fsync) => format!("{name}-fsync"),
            _ => name,
        }
    }

    /// `overwrite@4`, as it is asked for and shown.
    pub fn name(&self) -> String {
        format!("{}@{}", self.label(), self.clients)
    }

    /// Whether it is what loads the stores of the others.
    pub fn loads(&self) -> bool {
        self.workload == Workload::FillRandomDistinct && self.start == Start::Empty
    }

    /// Whether keys are read before it, to fill the caches.
    pub fn is_warmed(&self) -> bool {
        matches!(self.start, Start::Loaded | Start::Copy) && !self.is_counted()
    }

    /// Whether how long it takes depends on what it leaves to be compacted, so that all engines do as many operations,
    /// however long that takes them.
    pub fn is_counted(&self) -> bool {
        let only_writes =
            self.workload.fills() || matches!(self.workload, Workload::Overwrite | Workload::DeleteRandom);
        only_writes && self.durability == Durability::Buffered
    }
}

/// All rows, in the order in which they are run.
pub const ROWS: [Row; 30] = {
    use Start::{Cold, Copy, Crashed, Empty, Loaded};
    use Workload::{
        FillRandom, FillRandomDistinct, FillSeq, Overwrite, ReadHot, ReadMissing, ReadRandom, ReadReverse,
        ReadSeq, ReadWhileWriting, Scan100, SeekRandom, YcsbA, YcsbB, YcsbC, YcsbD, YcsbE, YcsbF,
    };
    [
        Row::new(FillRandomDistinct, 4, Empty),
        Row::new(FillSeq, 1, Empty),
        Row::new(FillSeq, 4, Empty).detail(),
        Row::new(FillSeq, 16, Empty).detail(),
        Row::new(FillRandom, 1, Empty),
        Row::new(FillRandom, 4, Empty).detail(),
        Row::new(FillRandom, 16, Empty).detail(),
        Row::new(Overwrite, 1, Copy),
        Row::new(Overwrite, 4, Copy),
        Row::new(Overwrite, 16, Copy),
        Row::new(Overwrite, 1, Copy).synced(),
        Row::new(Overwrite, 16, Copy).synced(),
        Row::new(ReadRandom, 1, Loaded),
        Row::new(ReadRandom, 2, Loaded),
        Row::new(ReadHot, 1, Loaded),
        Row::new(ReadMissing, 1, Loaded),
        Row::new(SeekRandom, 1, Loaded),
        Row::new(Scan100, 1, Loaded),
        Row::new(ReadSeq, 1, Loaded),
        Row::new(ReadReverse, 1, Loaded),
        Row::new(YcsbA, 4, Copy),
        Row::new(YcsbB, 4, Copy),
        Row::new(YcsbC, 4, Loaded),
        Row::new(YcsbD, 4, Copy),
        Row::new(YcsbE, 4, Copy),
        Row::new(YcsbF, 4, Copy),
        Row::new(ReadWhileWriting, 2, Copy),
        Row::new(ReadWhileWriting, 16, Copy),
        Row::new(ReadRandom, 2, Cold),
        Row::new(FillRandomDistinct, 1, Crashed),
    ]
};

/// The rows that a list asks for: by label, with any number of clients, or by name. All, if it is empty or says so. Then
/// those that it makes up by itself, of any workload, with 4 clients where it says nothing else.
///
/// # Errors
///
/// If there is no such row.
pub fn choose(list: &[String], details: bool) -> anyhow::Result<Vec<Row>> {
    if list.is_empty() || list == ["all"] {
        return Ok(ROWS.iter().copied().filter(|row| details || !row.is_detail).collect());
    }
    let fits = |row: &Row, wanted: &String| row.name() == *wanted || row.label() == *wanted;
    let known = ROWS.iter().copied().filter(|row| list.iter().any(|wanted| fits(row, wanted)));
    let unknown = list.iter().filter(|wanted| !ROWS.iter().any(|row| fits(row, wanted)));
    let made_up = unknown.map(|wanted| Row::parse(wanted).with_context(names));
    known.map(Ok).chain(made_up).collect()
}

/// For whoever has asked for something else.
fn names() -> String {
    let rows: Vec<_> = ROWS.iter().map(Row::name).collect();
    let workloads: Vec<_> = Workload::value_variants().iter().map(|workload| workload.name()).collect();
    format!("there are {}; and others of {}", rows.join(", "), workloads.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_rows_have_the_same_name() {
        let names: BTreeSet<_> = ROWS.iter().map(Row::name).collect();
        assert_eq!(names.len(), ROWS.len());
    }

    #[test]
    fn no_row_writes_into_the_store_that_others_read() {
        for row in ROWS.iter().filter(|row| matches!(row.start, Start::Loaded | Start::Cold)) {
            assert!(row.workload.only_reads(), "{}", row.name());
        }
    }

    #[test]
    fn what_loads_the_stores_comes_first() {
        assert!(ROWS[0].loads());
        assert_eq!(ROWS.iter().filter(|row| row.loads()).count(), 1);
    }

    #[test]
    fn rows_are_chosen_by_workload_or_by_name() {
        let choose = |list: &[&str]| choose(&list.iter().map(ToString::to_string).collect::<Vec<_>>(), false);
        let names = |list| choose(list).unwrap().iter().map(Row::name).collect::<Vec<_>>();
        assert_eq!(names(&["readhot", "overwrite@4"]), ["overwrite@4", "readhot@1"]);
        assert_eq!(names(&["readwhilewriting"]), ["readwhilewriting@2", "readwhilewriting@16"]);
        assert!(choose(&["readrandom", "reedrandom"]).is_err());
        assert!(choose(&[]).unwrap().iter().all(|row| !row.is_detail));
    }

    #[test]
    fn rows_are_made_up_of_any_workload() {
        let chosen = |name: &str| choose(&[name.to_owned()], false);
        let one = |name: &str| chosen(name).unwrap()[0];
        assert_eq!(one("mix-80-20"), Row::new(Workload::Mix8020, 4, Start::Copy));
        assert_eq!(one("overwrite-fsync@3"), Row::new(Workload::Overwrite, 3, Start::Copy).synced());
        assert_eq!(one("readhot-cold@2"), Row::new(Workload::ReadHot, 2, Start::Cold));
        assert_eq!(one("fillsync@1").start, Start::Empty);
        assert_eq!(one("scan100@9").start, Start::Loaded);
        for name in ["overwrite-cold", "readrandom-fsync", "readrandom@x", "fill"] {
            assert!(chosen(name).is_err(), "{name}");
        }
        for row in ROWS.iter().filter(|row| row.start != Start::Crashed) {
            assert_eq!(Row { is_detail: row.is_detail, ..Row::parse(&row.name()).unwrap() }, *row);
        }
    }
}
