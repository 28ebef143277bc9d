//! What the sequences of operations are like.

use std::collections::BTreeSet;

use super::*;

fn plan(workload: Workload) -> Plan {
    Plan::new(workload, 1003, 4, 100, 5)
}

fn ops(plan: &Plan, client: u64, ops: usize) -> Vec<Op> {
    plan.ops(client, &Inserts::new(plan.clients)).take(ops).collect()
}

fn puts(plan: &Plan, client: u64, count: usize) -> Vec<u64> {
    let index = |op| if let Op::Put { index, .. } = op { index } else { panic!("{op:?} in a fill") };
    ops(plan, client, count).into_iter().map(index).collect()
}

#[test]
fn distinct_fills_write_every_key_once() {
    for workload in [Workload::FillSeq, Workload::FillRandomDistinct] {
        let plan = plan(workload);
        let all: Vec<u64> = (0..4).flat_map(|client| puts(&plan, client, 2000)).collect();
        assert_eq!(all.len(), 1003);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), (0..1003).collect());
    }
}

#[test]
fn random_fills_give_each_client_keys_of_its_own() {
    let plan = plan(Workload::FillRandom);
    for client in 0..4 {
        let written = puts(&plan, client, 2000);
        assert!(written.iter().all(|index| index % 4 == client && *index < 1003));
        assert!(written.iter().collect::<BTreeSet<_>>().len() > 240, "nearly all of its 251 keys");
    }
}

#[test]
fn shares_add_up() {
    let plan = plan(Workload::ReadRandom);
    for ops in [0, 1, 3, 4, 5, 1001] {
        assert_eq!((0..4).map(|client| plan.share(client, ops)).sum::<u64>(), ops);
    }
}

#[test]
fn mixes_have_their_share_of_reads() {
    for (workload, share) in [
        (Workload::YcsbA, 0.5),
        (Workload::YcsbB, 0.95),
        (Workload::YcsbC, 1.0),
        (Workload::YcsbD, 0.95),
        (Workload::YcsbE, 0.95),
        (Workload::YcsbF, 0.5),
        (Workload::Mix8020, 0.8),
    ] {
        let ops = ops(&plan(workload), 0, 20_000);
        let reads = ops.iter().filter(|op| matches!(op, Op::Get(_) | Op::Scan { .. })).count();
        assert!((reads as f64 / 20_000.0 - share).abs() < 0.015, "{workload:?}: {reads} reads");
    }
}

#[test]
fn what_is_no_read_is_what_the_ycsb_says() {
    let others = |workload| {
        let ops = ops(&plan(workload), 1, 1000).into_iter();
        ops.filter(|op| !matches!(op, Op::Get(_) | Op::Scan { .. })).collect::<Vec<_>>()
    };
    assert!(others(Workload::YcsbA).iter().all(|op| matches!(op, Op::Put { .. })));
    assert!(others(Workload::YcsbF).iter().all(|op| matches!(op, Op::Update { .. })));
    for workload in [Workload::YcsbD, Workload::YcsbE] {
        let inserts = others(workload);
        let expected: Vec<_> = (0..inserts.len() as u64).map(|nth| Op::Insert(1003 + nth * 4 + 1)).collect();
        assert_eq!(inserts, expected);
    }
}

#[test]
fn scans_of_the_ycsb_have_all_lengths_up_to_100() {
    let lengths: BTreeSet<u64> = ops(&plan(Workload::YcsbE), 0, 5000)
        .into_iter()
        .filter_map(|op| if let Op::Scan { limit, .. } = op { Some(limit) } else { None })
        .collect();
    assert_eq!(lengths, (1..=100).collect());
}

#[test]
fn the_latest_keys_are_read_most_and_none_that_is_not_acknowledged() {
    let plan = plan(Workload::YcsbD);
    let inserts = Inserts::new(4);
    let (mut own, mut recent, mut reads) = (0, 0, 0);
    for op in plan.ops(2, &inserts).take(20_000) {
        match op {
            Op::Insert(_) => {
                inserts.acknowledged(2);
                own += 1;
            }
            Op::Get(index) => {
                let is_there = index < 1003 || (index % 4 == (1003 + 2) % 4 && (index - 1003) / 4 < own);
                assert!(is_there, "{index} after {own} inserts of this client alone");
                reads += 1;
                recent += u64::from(own > 20 && (index - 1003.min(index)) / 4 + 10 >= own);
            }
            op => panic!("{op:?} in YCSB D"),
        }
    }
    assert!(recent * 3 > reads, "only {recent} of {reads} reads are of the last ten");
}

#[test]
fn others_inserts_are_read_once_they_are_acknowledged() {
    let plan = plan(Workload::YcsbD);
    let inserts = Inserts::new(4);
    (0..10_000).for_each(|_| inserts.acknowledged(3));
    let ops: Vec<_> = plan.ops(2, &inserts).take(20_000).collect();
    let theirs = |op: &&Op| matches!(op, Op::Get(index) if *index >= 1003 && (index - 1003) % 4 == 3);
    assert!(ops.iter().filter(theirs).count() > 1000);
}

#[test]
fn a_plan_repeats_itself_and_its_rounds_differ() {
    let plan = plan(Workload::YcsbA);
    assert_eq!(ops(&plan, 1, 100), ops(&plan, 1, 100));
    assert_ne!(ops(&plan, 1, 100), ops(&plan.round(1), 1, 100));
}
