//! Verification: what must be in the store after a run, and whether it is.
//!
//! Nothing is remembered during the run. The operations are generated once more, and say which write of each key was
//! the last.

use std::sync::Arc;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use slice::LSMTree;

use crate::keys::key;
use crate::workload::{Op, Plan, Workload};

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
}

impl Expected {
    /// What so many operations of a plan leave behind.
    pub fn after(plan: &Plan, ops: u64) -> Self {
        match plan.workload {
            Workload::FillRandom => Self::Last(Arc::new(replay(plan, ops, None))),
            Workload::Overwrite => Self::Last(Arc::new(replay(plan, ops, Some(0)))),
            workload if workload.is_decided() => Self::First,
            _ => Self::Any,
        }
    }

    /// How many keys are in the store.
    pub fn live(&self, plan: &Plan) -> u64 {
        match self {
            Self::First | Self::Any => plan.keys,
            Self::Last(stamps) => stamps.iter().flatten().count() as u64,
        }
    }

    fn allows(&self, index: u64, found: Option<u64>) -> bool {
        match self {
            Self::First => found == Some(0),
            Self::Any => found.is_some(),
            Self::Last(stamps) => stamps.get(index as usize).is_some_and(|stamp| *stamp == found),
        }
    }
}

fn replay(plan: &Plan, ops: u64, before: Option<u64>) -> Vec<Option<u64>> {
    let mut stamps = vec![before; plan.keys as usize];
    for client in 0..plan.clients {
        for op in plan.ops(client).take(plan.share(client, ops) as usize) {
            if let Op::Put { index, stamp } = op {
                stamps[index as usize] = Some(stamp);
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
pub async fn verify(
    store: &LSMTree,
    plan: &Plan,
    expected: &Expected,
    progress: &ProgressBar,
) -> anyhow::Result<u64> {
    let tasks: Vec<_> = (0..plan.clients)
        .map(|client| {
            let (store, plan) = (store.clone(), *plan);
            let (expected, progress) = (expected.clone(), progress.clone());
            tokio::spawn(async move { verify_share(&store, &plan, client, &expected, &progress).await })
        })
        .collect();
    let mut there = 0;
    for task in tasks {
        there += task.await.context("a verifying task panicked")??;
    }
    Ok(there)
}

/// A contiguous share of the keys, in order.
async fn verify_share(
    store: &LSMTree,
    plan: &Plan,
    client: u64,
    expected: &Expected,
    progress: &ProgressBar,
) -> anyhow::Result<u64> {
    let bound = |client| (u128::from(plan.keys) * u128::from(client) / u128::from(plan.clients)) as u64;
    let (mut there, mut scratch) = (0, Vec::new());
    for index in bound(client)..bound(client + 1) {
        let value = store.get(&key(index)).await?;
        let stamp = match &value {
            Some(value) => match plan.values.check(index, value, &mut scratch) {
                None => bail!("key {index} has a value that was never written for it"),
                stamp => stamp,
            },
            None => None,
        };
        if !expected.allows(index, stamp) {
            bail!("key {index} has the wrong value: the stamp is {stamp:?}");
        }
        there += u64::from(stamp.is_some());
        if index % TURN == 0 {
            progress.inc(TURN);
            tokio::task::yield_now().await;
        }
    }
    Ok(there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_write_of_a_key_is_expected() {
        let plan = Plan::new(Workload::FillRandom, 100, 4, 100, 1);
        let Expected::Last(stamps) = Expected::after(&plan, 100) else { panic!("fillrandom is decided") };
        let last = plan.ops(0).take(25).last();
        let Some(Op::Put { index, stamp }) = last else { panic!("{last:?} in a fill") };
        assert_eq!((stamp, stamps[index as usize]), (25, Some(25)));
    }

    #[test]
    fn random_fills_leave_about_a_third_of_the_keys_out() {
        let plan = Plan::new(Workload::FillRandom, 10_000, 4, 100, 1);
        let live = Expected::after(&plan, 10_000).live(&plan);
        assert!((6_100..6_550).contains(&live), "{live} of 10000, where 1 - 1/e are expected");
    }

    #[test]
    fn an_older_a_missing_and_a_needless_value_are_refused() {
        let expected = Expected::Last(Arc::new(vec![Some(2), None]));
        assert!(expected.allows(0, Some(2)) && expected.allows(1, None));
        assert!(!expected.allows(0, Some(1)) && !expected.allows(0, None) && !expected.allows(1, Some(2)));
        assert!(!Expected::First.allows(0, Some(1)) && !Expected::Any.allows(0, None));
    }
}
