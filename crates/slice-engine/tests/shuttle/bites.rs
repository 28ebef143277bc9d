//! The harness finds what it looks for: planted bugs of the kinds that only some schedules show, and a deadlock.

use shuttle::FailurePersistence;
use shuttle::scheduler::{RandomScheduler, UncontrolledNondeterminismCheckScheduler};
use slice::planted::Bug;

use super::reads::reads_beside_everything;
use super::{SEED, caught, run};

#[test]
fn a_batch_that_is_published_before_it_is_inserted_is_caught() {
    let failure = caught(|| reads_beside_everything(|builder| builder.plant(Bug::PublishBeforeInsert)));
    assert!(failure.contains("a reader"), "{failure}");
}

#[test]
fn a_batch_that_is_published_piece_by_piece_is_caught() {
    let failure = caught(|| reads_beside_everything(|builder| builder.plant(Bug::SplitBatch)));
    assert!(failure.contains("half of a batch"), "{failure}");
}

#[test]
fn a_read_that_does_not_see_the_newest_commit_is_caught() {
    let failure = caught(|| reads_beside_everything(|builder| builder.plant(Bug::ReadBehind)));
    assert!(failure.contains("its own write") || failure.contains("half of a batch"), "{failure}");
}

/// A schedule decides everything: where it did not, a failure could not be run again.
#[test]
fn a_schedule_can_be_run_again() {
    let random = RandomScheduler::new_from_seed(SEED, 20);
    let twice = UncontrolledNondeterminismCheckScheduler::new(random);
    run(twice, FailurePersistence::Print, || reads_beside_everything(|builder| builder));
}
