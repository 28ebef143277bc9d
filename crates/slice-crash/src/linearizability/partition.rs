//! Keys that no batch ties together can be searched on their own: a history is linearizable if and only if it is so for
//! each object (Herlihy and Wing, 1990).

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Operation};

/// Splits a history into those of keys that have been written together, directly or by way of others.
///
/// Syncs and power failures are in each. With a power failure the parts say less than the whole: that what was lost is
/// the same for all keys.
pub fn partition(history: &[Operation<Action>]) -> Vec<Vec<Operation<Action>>> {
    let groups = groups(history);
    let representatives: BTreeSet<_> = groups.values().copied().collect();
    let is_of = |group: usize, operation: &Operation<Action>| {
        operation.action.keys().first().is_none_or(|key| groups[key] == group)
    };
    let part = |group| history.iter().filter(|operation| is_of(group, operation)).cloned().collect();
    representatives.into_iter().map(part).collect()
}

/// Of each key the smallest one that it is tied to.
fn groups(history: &[Operation<Action>]) -> BTreeMap<usize, usize> {
    let mut groups = BTreeMap::new();
    for operation in history {
        let keys = operation.action.keys();
        let tied: BTreeSet<usize> = keys.iter().map(|key| *groups.entry(*key).or_insert(*key)).collect();
        let Some(smallest) = tied.first() else { continue };
        for group in groups.values_mut().filter(|group| tied.contains(group)) {
            *group = *smallest;
        }
    }
    groups
}
