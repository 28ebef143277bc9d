//! Verification: what must be in the store after a run, and whether it is.
//!
//! Nothing is remembered during the run. The operations are generated once more, and say which write of each key was
//! the last.

use std::sync::Arc;

use anyhow::{Context, anyhow, bail, ensure};
use indicatif::ProgressBar;

use crate::block_on::block_on;
use crate::engine::{Engine, Mode};
use crate::keys::{Values, key};
use crate::plan::{Inserts, Op, Plan};
use crate::workload::Workload;

const TURN: u64 = 64;

/// The stamps that the values must have.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Every key has its first value.
    First,
    /// Every key has some value that was written for it: clients wrote the same keys, and which was last is not known.
    Any,
    /// The key with this index has this stamp, or is not there.
    Last(Arc<Vec<Option<u64>>>),
    /// The key with this index has some value that was written for it if there is a stamp, and is not there if not.
    There(Arc<Vec<Option<u64>>>),
}

impl Expected {
    /// What a run leaves behind whose clients have done so many operations each, and the writer beside them so many.
    pub fn after(plan: &Plan, done: &[u64], writer_done: u64) -> Self {
        match plan.workload {
            workload if workload.fills_once() || workload.only_reads() => Self::First,
            Workload::FillRandom | Workload::FillSync => Self::Last(Arc::new(replay(plan, done, None))),
            Workload::ReadWhileWriting => {
                Self::Last(Arc::new(replay(&plan.writer(), &[writer_done], Some(0))))
            }
            Workload::YcsbA | Workload::YcsbB | Workload::YcsbF | Workload::Mix8020 => Self::Any,
            _ => Self::Last(Arc::new(replay(plan, done, Some(0)))),
        }
    }

    /// The same keys, where other writes came before those that were generated.
    #[must_use]
    pub fn of_any_write(self) -> Self {
        match self {
            Self::First | Self::Any => Self::Any,
            Self::Last(stamps) | Self::There(stamps) => Self::There(stamps),
        }
    }

    /// How many keys are in the store.
    pub fn live(&self, plan: &Plan) -> u64 {
        match self {
            Self::First | Self::Any => plan.keys,
            Self::Last(stamps) | Self::There(stamps) => stamps.iter().flatten().count() as u64,
        }
    }

    /// How many keys are looked at.
    fn keys(&self, plan: &Plan) -> u64 {
        match self {
            Self::First | Self::Any => plan.keys,
            Self::Last(stamps) | Self::There(stamps) => stamps.len() as u64,
        }
    }

    fn allows(&self, index: u64, found: Option<u64>) -> bool {
        match self {
            Self::First => found == Some(0),
            Self::Any => found.is_some(),
            Self::Last(stamps) => stamps.get(index as usize).is_some_and(|stamp| *stamp == found),
            Self::There(stamps) => {
                stamps.get(index as usize).is_some_and(|stamp| stamp.is_some() == found.is_some())
            }
        }
    }
}

fn replay(plan: &Plan, done: &[u64], before: Option<u64>) -> Vec<Option<u64>> {
    let mut stamps = vec![before; plan.keys as usize];
    let inserts = Inserts::new(plan.clients);
    for (client, done) in (0..).zip(done) {
        for op in plan.ops(client, &inserts).take(*done as usize) {
            match op {
                Op::Put { index, stamp } | Op::Update { index, stamp } => {
                    stamps[index as usize] = Some(stamp);
                }
                Op::Insert(index) => {
                    stamps.resize(stamps.len().max(index as usize + 1), None);
                    stamps[index as usize] = Some(0);
                }
                Op::Delete(index) => stamps[index as usize] = None,
                Op::Get(_) | Op::GetMissing(_) | Op::Scan { .. } => {}
            }
        }
    }
    stamps
}

/// Reads every key and checks its value; gives how many keys were there.
///
/// # Errors
///
/// The first key whose value is wrong, that is missing, or that is there and should not be; and errors of the store.
pub async fn verify<E: Engine>(
    engine: &E,
    plan: &Plan,
    expected: &Expected,
    progress: &ProgressBar,
) -> anyhow::Result<u64> {
    let share = |client| {
        let (engine, plan) = (engine.clone(), *plan);
        let (expected, progress) = (expected.clone(), progress.clone());
        async move { verify_share(&engine, &plan, client, &expected, &progress).await }
    };
    let mut there = 0;
    match E::MODE {
        Mode::Threads => {
            let share = &share;
            std::thread::scope(|scope| {
                let threads: Vec<_> =
                    (0..plan.clients).map(|client| scope.spawn(move || block_on(share(client)))).collect();
                for thread in threads {
                    there += thread.join().map_err(|_| anyhow!("a verifying thread panicked"))??;
                }
                anyhow::Ok(())
            })?;
        }
        Mode::Tasks => {
            let tasks: Vec<_> = (0..plan.clients).map(|client| tokio::spawn(share(client))).collect();
            for task in tasks {
                there += task.await.context("a verifying task panicked")??;
            }
        }
    }
    let live = expected.live(plan);
    ensure!(there == live, "{there} keys are there, and {live} should be");
    Ok(there)
}

/// A contiguous share of the keys, in order.
async fn verify_share<E: Engine>(
    engine: &E,
    plan: &Plan,
    client: u64,
    expected: &Expected,
    progress: &ProgressBar,
) -> anyhow::Result<u64> {
    let keys = expected.keys(plan);
    let bound = |client| (u128::from(keys) * u128::from(client) / u128::from(plan.clients)) as u64;
    let mut there = 0;
    for index in bound(client)..bound(client + 1) {
        there += u64::from(verify_one(engine, plan.values, index, expected).await?);
        if index % TURN == 0 {
            progress.inc(TURN);
            if E::MODE == Mode::Tasks {
                tokio::task::yield_now().await;
            }
        }
    }
    Ok(there)
}

/// Whether the key is there.
async fn verify_one<E: Engine>(
    engine: &E,
    values: Values,
    index: u64,
    expected: &Expected,
) -> anyhow::Result<bool> {
    let read = |value: &[u8]| values.check_all(index, value, &mut Vec::new());
    let stamp = match engine.get(&key(index), read).await? {
        Some(None) => bail!("key {index} has a value that was never written for it"),
        found => found.flatten(),
    };
    if !expected.allows(index, stamp) {
        bail!("key {index} has the wrong value: the stamp is {stamp:?}");
    }
    Ok(stamp.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(plan: &Plan, ops: u64) -> Vec<u64> {
        (0..plan.clients).map(|client| plan.share(client, ops)).collect()
    }

    #[test]
    fn the_last_write_of_a_key_is_expected() {
        let plan = Plan::new(Workload::FillRandom, 100, 4, 100, 1);
        let Expected::Last(stamps) = Expected::after(&plan, &done(&plan, 100), 0) else {
            panic!("fillrandom is decided")
        };
        let last = plan.ops(0, &Inserts::new(4)).take(25).last();
        let Some(Op::Put { index, stamp }) = last else { panic!("{last:?} in a fill") };
        assert_eq!((stamp, stamps[index as usize]), (25, Some(25)));
    }

    #[test]
    fn random_fills_leave_about_a_third_of_the_keys_out() {
        let plan = Plan::new(Workload::FillRandom, 10_000, 4, 100, 1);
        let live = Expected::after(&plan, &done(&plan, 10_000), 0).live(&plan);
        assert!((6_100..6_550).contains(&live), "{live} of 10000, where 1 - 1/e are expected");
    }

    #[test]
    fn what_is_deleted_is_expected_to_be_gone_and_what_is_inserted_to_be_there() {
        let plan = Plan::new(Workload::DeleteRandom, 10_000, 4, 100, 1);
        let live = Expected::after(&plan, &done(&plan, 10_000), 0).live(&plan);
        assert!((3_450..3_900).contains(&live), "{live} of 10000, where 1/e are expected");
        let plan = Plan::new(Workload::YcsbE, 1_000, 2, 100, 1);
        let expected = Expected::after(&plan, &[1_000, 0], 0);
        assert!((1_030..1_075).contains(&expected.live(&plan)), "{}", expected.live(&plan));
        assert!(expected.allows(1_000, Some(0)) && expected.allows(1_001, None), "client 1 did nothing");
    }

    #[test]
    fn the_writer_beside_readers_decides_alone() {
        let plan = Plan::new(Workload::ReadWhileWriting, 1_000, 3, 100, 1);
        let Expected::Last(stamps) = Expected::after(&plan, &[500; 3], 10) else { panic!("it is decided") };
        assert!((8..=10).contains(&stamps.iter().filter(|stamp| **stamp != Some(0)).count()));
    }

    #[test]
    fn an_older_a_missing_and_a_needless_value_are_refused() {
        let expected = Expected::Last(Arc::new(vec![Some(2), None]));
        assert!(expected.allows(0, Some(2)) && expected.allows(1, None));
        assert!(!expected.allows(0, Some(1)) && !expected.allows(0, None) && !expected.allows(1, Some(2)));
        assert!(!Expected::First.allows(0, Some(1)) && !Expected::Any.allows(0, None));
        let expected = expected.of_any_write();
        assert!(expected.allows(0, Some(9)) && expected.allows(1, None));
        assert!(!expected.allows(0, None) && !expected.allows(1, Some(0)) && !expected.allows(2, None));
    }
}
