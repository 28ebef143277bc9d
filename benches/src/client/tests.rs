//! Clients over no store, and over stores that lie.

use std::time::Duration;

use clap::ValueEnum;

use super::*;
use crate::engines::nothing::Nothing;
use crate::workload::Workload;

const KEYS: u64 = 1000;
const OPS: Limit = Limit { ops: 2000, deadline_ns: u64::MAX };

/// A store that answers wrongly, in one of some ways, after some right answers.
#[derive(Clone, Copy)]
struct Liar {
    truth: Nothing,
    lie: Lie,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    LostKey,
    OtherValue,
    KeyThatWasNeverWritten,
    GapInScan,
    EndOfScan,
}

fn is_lied_about(key: &[u8]) -> bool {
    key.starts_with(b"00000000000005")
}

impl Engine for Liar {
    const MODE: Mode = Mode::Threads;

    async fn put(&self, _: &[u8], _: &[u8]) -> anyhow::Result<()> {
        Ok(())
    }

    async fn delete(&self, _: &[u8]) -> anyhow::Result<()> {
        Ok(())
    }

    async fn get<R: Send>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R + Send,
    ) -> anyhow::Result<Option<R>> {
        match self.lie {
            Lie::LostKey if is_lied_about(key) => Ok(None),
            Lie::OtherValue if is_lied_about(key) => self.truth.get(b"0000000000000001", read).await,
            Lie::KeyThatWasNeverWritten if is_lied_about(key) => Ok(Some(read(b""))),
            _ => self.truth.get(key, read).await,
        }
    }

    async fn scan(
        &self,
        from: &[u8],
        limit: u64,
        direction: Direction,
        mut each: impl FnMut(&[u8], &[u8]) + Send,
    ) -> anyhow::Result<()> {
        let limit = limit - u64::from(self.lie == Lie::EndOfScan);
        let is_told = |key: &[u8]| self.lie != Lie::GapInScan || !is_lied_about(key);
        let each = |key: &[u8], value: &[u8]| {
            if is_told(key) {
                each(key, value);
            }
        };
        self.truth.scan(from, limit, direction, each).await
    }

    async fn flush(&self) -> anyhow::Result<()> {
        Ok(())
    }

    async fn settle(&self) -> anyhow::Result<Duration> {
        Ok(Duration::ZERO)
    }

    async fn full_compaction(&self) -> anyhow::Result<()> {
        Ok(())
    }

    async fn close(self) -> anyhow::Result<()> {
        Ok(())
    }
}

fn run_on<E: Engine>(
    engine: impl FnOnce(&Plan) -> E,
    workload: Workload,
    limit: Limit,
) -> anyhow::Result<Outcome> {
    let plan = Plan::new(workload, KEYS, 3, 100, 7);
    block_on(run(&engine(&plan), &plan, limit, &ProgressBar::hidden()))
}

fn nothing(plan: &Plan) -> Nothing {
    Nothing { keys: KEYS, values: plan.values }
}

#[test]
fn every_workload_does_as_many_operations_as_it_is_told() {
    for &workload in Workload::value_variants() {
        let outcome = run_on(nothing, workload, OPS).unwrap();
        let expected = if workload.fills_once() { KEYS } else { 2000 };
        assert_eq!(outcome.ops, expected, "{workload:?}");
        assert_eq!(outcome.timeline.iter().sum::<u64>(), expected, "{workload:?}");
        let counted = outcome.done.iter().sum::<u64>();
        assert!(counted == expected || workload.counts_keys(), "{workload:?}: {counted}");
        let Latencies { reads, writes, scans } = &outcome.latencies;
        assert_eq!(reads.len() + writes.len() + scans.len(), counted + outcome.writer_ops, "{workload:?}");
    }
}

#[test]
fn a_run_that_is_bounded_in_time_ends_and_takes_that_time() {
    for workload in [Workload::ReadRandom, Workload::ReadSeq, Workload::ReadWhileWriting] {
        let limit = Limit { ops: u64::MAX, deadline_ns: 200_000_000 };
        let outcome = run_on(nothing, workload, limit).unwrap();
        assert!(outcome.wall_ns >= 200_000_000, "{workload:?}: {} ns", outcome.wall_ns);
        assert!(outcome.timeline.len() >= 2, "{workload:?}: {:?}", outcome.timeline);
        assert_eq!(workload.has_writer(), outcome.writer_ops > 0);
    }
}

#[test]
fn each_lie_is_noticed_by_a_workload_that_can_see_it() {
    for (lie, workload) in [
        (Lie::LostKey, Workload::ReadRandom),
        (Lie::LostKey, Workload::YcsbA),
        (Lie::LostKey, Workload::YcsbF),
        (Lie::LostKey, Workload::ReadWhileWriting),
        (Lie::OtherValue, Workload::ReadRandom),
        (Lie::KeyThatWasNeverWritten, Workload::ReadMissing),
        (Lie::GapInScan, Workload::SeekRandom),
        (Lie::GapInScan, Workload::Scan100),
        (Lie::GapInScan, Workload::ReadSeq),
        (Lie::GapInScan, Workload::ReadReverse),
        (Lie::GapInScan, Workload::YcsbE),
        (Lie::EndOfScan, Workload::Scan100),
        (Lie::EndOfScan, Workload::ReadReverse),
    ] {
        let liar = |plan: &Plan| Liar { truth: nothing(plan), lie };
        let outcome = run_on(liar, workload, OPS);
        assert!(outcome.is_err(), "{workload:?} believes {lie:?}");
    }
}
