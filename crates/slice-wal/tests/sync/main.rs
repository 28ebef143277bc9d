//! Group sync: who is acknowledged, when, and after how many syncs. Threads are stopped at gates, never by time.

mod doubles;
mod many;

use std::io;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};
use std::task::Poll;
use std::thread;

use slice_types::{ErrorKind, LogNumber};
use slice_vfs::{LogControl, SyncSite};
use slice_wal::{GroupSync, LogPosition};

use doubles::{Double, Events, Wakings, add, at, double, group_of, kind, lock, poll};

#[test]
fn one_sync_serves_many_waiters() {
    let (group, events, _) = group_of(1);
    group.appended(at(1, 100));
    thread::scope(|scope| {
        let waiters: Vec<_> = {
            let group = &group;
            (1..=16).map(|n| scope.spawn(move || group.wait(at(1, n)))).collect()
        };
        while waiters.iter().any(|waiter| !waiter.is_finished()) {
            // Every waiter asks for more than is durable until the first round, and for nothing after it.
            if group.durable() < at(1, 16) && group.wait_for_request() {
                group.sync_now().unwrap();
            }
            thread::yield_now();
        }
        assert!(waiters.into_iter().all(|waiter| waiter.join().unwrap().is_ok()));
    });
    assert_eq!(*lock(&events), ["sync 1", "name 1"]);
}

#[test]
fn a_thread_that_waits_syncs_where_nobody_else_does() {
    let (group, events, _) = group_of(1);
    group.appended(at(1, 10));
    assert_eq!(group.wait_or_lead(at(1, 10)).unwrap(), Some(at(1, 10)));
    assert_eq!(group.wait_or_lead(at(1, 10)).unwrap(), None, "it was durable already");
    assert_eq!(*lock(&events), ["sync 1", "name 1"]);
}

#[test]
fn one_of_those_who_came_too_late_for_a_round_leads_the_next_for_all() {
    let (group, events, doubles) = group_of(1);
    doubles[0].gate.shut();
    group.appended(at(1, 10));
    thread::scope(|scope| {
        let first = scope.spawn(|| group.wait_or_lead(at(1, 10)));
        doubles[0].gate.wait_for_arrivals(1);
        group.appended(at(1, 90));
        let late: Vec<_> = (0..8).map(|_| scope.spawn(|| group.wait_or_lead(at(1, 90)))).collect();
        while group.waiting() < 8 {
            thread::yield_now();
        }
        doubles[0].gate.open();
        assert_eq!(first.join().unwrap().unwrap(), Some(at(1, 10)));
        let led = late.into_iter().filter_map(|late| late.join().unwrap().unwrap());
        assert_eq!(led.collect::<Vec<_>>(), [at(1, 90)]);
    });
    assert_eq!(*lock(&events), ["sync 1", "name 1", "sync 1"]);
}

#[test]
fn a_leader_that_fails_fails_those_who_wait_and_nobody_leads_after_it() {
    let (group, events, doubles) = group_of(1);
    doubles[0].gate.shut();
    doubles[0].failures.store(1, Ordering::SeqCst);
    group.appended(at(1, 10));
    thread::scope(|scope| {
        let leader = scope.spawn(|| group.wait_or_lead(at(1, 10)));
        doubles[0].gate.wait_for_arrivals(1);
        group.appended(at(1, 20));
        let waiter = scope.spawn(|| group.wait_or_lead(at(1, 20)));
        while group.waiting() < 1 {
            thread::yield_now();
        }
        doubles[0].gate.open();
        assert_eq!(kind(leader.join().unwrap()), ErrorKind::Io);
        assert_eq!(kind(waiter.join().unwrap()), ErrorKind::Io);
    });
    assert_eq!(kind(group.wait_or_lead(at(1, 20))), ErrorKind::Io);
    assert_eq!(lock(&events).len(), 1, "no log is synced any more");
}

#[test]
fn who_waits_for_what_is_not_appended_yet_does_not_sync_for_ever() {
    let (group, events, _) = group_of(1);
    group.appended(at(1, 10));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| group.wait_or_lead(at(1, 20)));
        while group.waiting() < 1 {
            thread::yield_now();
        }
        assert_eq!(*lock(&events), ["sync 1", "name 1"]);
        group.appended(at(1, 20));
        assert_eq!(group.sync_now().unwrap(), at(1, 20));
        assert_eq!(waiter.join().unwrap().unwrap(), Some(at(1, 10)));
    });
}

#[test]
fn callers_during_a_round_share_the_next_one() {
    let (group, events, doubles) = group_of(1);
    doubles[0].gate.shut();
    group.appended(at(1, 10));
    thread::scope(|scope| {
        let leader = scope.spawn(|| group.sync_now());
        doubles[0].gate.wait_for_arrivals(1);
        group.appended(at(1, 90));
        let followers: Vec<_> = (0..8).map(|_| scope.spawn(|| group.sync_now())).collect();
        doubles[0].gate.open();
        assert!(leader.join().unwrap().unwrap() >= at(1, 10));
        for follower in followers {
            assert_eq!(follower.join().unwrap().unwrap(), at(1, 90));
        }
    });
    assert_eq!(*lock(&events), ["sync 1", "name 1", "sync 1"]);
}

#[test]
fn what_is_appended_during_a_sync_is_not_acknowledged_by_it() {
    let (group, _, doubles) = group_of(1);
    doubles[0].gate.shut();
    group.appended(at(1, 10));
    thread::scope(|scope| {
        let leader = scope.spawn(|| group.sync_now());
        doubles[0].gate.wait_for_arrivals(1);
        group.appended(at(1, 20));
        doubles[0].gate.open();
        assert_eq!(leader.join().unwrap().unwrap(), at(1, 10));
    });
    assert_eq!(group.durable(), at(1, 10));
    assert_eq!(group.sync_now().unwrap(), at(1, 20));
}

#[test]
fn older_logs_are_synced_first_and_the_left_ones_once() {
    let (group, events, _) = group_of(4);
    for n in 1..=3 {
        group.appended(at(n, 50));
    }
    assert_eq!(group.sync_now().unwrap(), at(3, 50));
    let first_round = ["sync 1", "name 1", "sync 2", "name 2", "sync 3", "name 3"];
    assert_eq!(*lock(&events), first_round);
    assert_eq!(group.sync_now().unwrap(), at(3, 50));
    assert_eq!(lock(&events).len(), first_round.len(), "there is nothing to sync");
    group.appended(at(3, 60));
    assert_eq!(group.sync_now().unwrap(), at(3, 60));
    assert_eq!(lock(&events)[first_round.len()..], ["sync 3"], "the name was durable already");
}

#[test]
fn waiters_of_an_older_log_do_not_wait_for_a_newer_one() {
    let (group, _, doubles) = group_of(2);
    doubles[1].gate.shut();
    group.appended(at(1, 50));
    group.appended(at(2, 50));
    thread::scope(|scope| {
        let leader = scope.spawn(|| group.sync_now());
        group.wait(at(1, 50)).unwrap();
        assert!(group.durable() < at(2, 0));
        doubles[1].gate.open();
        assert_eq!(leader.join().unwrap().unwrap(), at(2, 50));
    });
}

#[test]
fn a_name_is_durable_before_the_first_acknowledgement() {
    let group = Arc::new(GroupSync::new());
    let weak: Weak<GroupSync> = Arc::downgrade(&group);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let saw = Arc::clone(&seen);
    let sync_name = move || {
        lock(&saw).push(weak.upgrade().map(|group| group.durable()));
        Ok(())
    };
    group.add_log(LogNumber(1), "log".into(), Arc::new(Double::default()), Box::new(sync_name));
    group.appended(at(1, 9));
    assert_eq!(group.sync_now().unwrap(), at(1, 9));
    assert_eq!(*lock(&seen), [Some(LogPosition::default())], "nothing was durable when it was called");
}

#[test]
fn a_name_that_cannot_be_synced_acknowledges_nothing() {
    let group = GroupSync::new();
    let sync_name = || Err(io::Error::other("no such directory"));
    group.add_log(LogNumber(1), "log".into(), Arc::new(Double::default()), Box::new(sync_name));
    group.appended(at(1, 9));
    assert_eq!(kind(group.sync_now()), ErrorKind::Io);
    assert_eq!(group.durable(), LogPosition::default());
    assert_eq!(kind(group.wait(at(1, 9))), ErrorKind::Io);
}

#[test]
fn a_failed_sync_followed_by_a_good_one_acknowledges_nothing() {
    let (group, events, doubles) = group_of(2);
    group.appended(at(1, 10));
    group.sync_now().unwrap();
    group.appended(at(1, 20));
    doubles[0].failures.store(1, Ordering::SeqCst);
    thread::scope(|scope| {
        doubles[0].gate.shut();
        let waiters: Vec<_> = (0..4).map(|_| scope.spawn(|| group.wait(at(1, 20)))).collect();
        assert!(group.wait_for_request());
        let leader = scope.spawn(|| group.sync_now());
        doubles[0].gate.wait_for_arrivals(2);
        doubles[0].gate.open();
        assert_eq!(kind(leader.join().unwrap()), ErrorKind::Io);
        for waiter in waiters {
            assert_eq!(kind(waiter.join().unwrap()), ErrorKind::Io);
        }
    });
    let syncs = lock(&events).len();
    group.appended(at(2, 5));
    for _ in 0..3 {
        assert_eq!(kind(group.sync_now()), ErrorKind::Io);
    }
    assert_eq!(lock(&events).len(), syncs, "no log is synced any more");
    assert_eq!(group.durable(), at(1, 10));
    assert_eq!(kind(group.wait(at(2, 5))), ErrorKind::Io);
    let mut task = pin!(group.waited(at(1, 11)));
    assert!(matches!(poll(task.as_mut(), &Arc::default()), Poll::Ready(Err(_))));
    assert!(group.wait(at(1, 10)).is_ok(), "what was durable before stays so");
    let failure = group.failure().unwrap();
    assert!(failure.to_string().contains("the disk is on fire"), "{failure}");
    assert!(!failure.is_retryable());
}

#[test]
fn a_full_disk_found_out_by_a_sync_is_not_called_retryable() {
    #[derive(Debug)]
    struct Full;
    impl LogControl for Full {
        fn sync(&self, _site: SyncSite) -> io::Result<()> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
        fn allocate_ahead(&self) -> io::Result<()> {
            Ok(())
        }
    }
    let group = GroupSync::new();
    group.add_log(LogNumber(1), "log".into(), Arc::new(Full), Box::new(|| Ok(())));
    group.appended(at(1, 9));
    assert_eq!(kind(group.sync_now()), ErrorKind::Io);
}

#[test]
fn a_sync_that_panics_fails_everyone_and_blocks_no_one() {
    let (group, events) = (GroupSync::new(), Events::default());
    add(&group, Double { panics: true, ..double(1, &events) });
    group.appended(at(1, 9));
    thread::scope(|scope| assert!(scope.spawn(|| group.sync_now()).join().is_err()));
    assert_eq!(kind(group.sync_now()), ErrorKind::Io);
    assert_eq!(kind(group.wait(at(1, 9))), ErrorKind::Io);
    assert_eq!(group.durable(), LogPosition::default());
}

#[test]
fn forgetting_a_log_wakes_its_waiters_and_spares_its_sync() {
    let (group, events, _) = group_of(3);
    for n in 1..=3 {
        group.appended(at(n, 50));
    }
    thread::scope(|scope| {
        let waiter = scope.spawn(|| group.wait(at(2, 50)));
        assert!(group.wait_for_request(), "the waiter is under way");
        group.forget_through(LogNumber(2));
        waiter.join().unwrap().unwrap();
    });
    assert!(group.durable() < at(3, 0));
    assert_eq!(group.sync_now().unwrap(), at(3, 50));
    assert_eq!(*lock(&events), ["sync 3", "name 3"]);
}

#[test]
fn forgetting_all_logs_leaves_nothing_to_sync() {
    let (group, events, _) = group_of(2);
    group.appended(at(2, 50));
    group.forget_through(LogNumber(2));
    assert!(group.sync_now().unwrap() >= at(2, 50));
    group.appended(at(2, 60));
    group.wait(at(2, 60)).unwrap();
    assert!(lock(&events).is_empty());
}

#[test]
fn a_task_is_woken_when_its_position_is_durable() {
    let (group, _, _) = group_of(1);
    group.appended(at(1, 10));
    let wakings = Arc::new(Wakings::default());
    let mut task = pin!(group.waited(at(1, 10)));
    assert!(poll(task.as_mut(), &wakings).is_pending());
    assert_eq!(wakings.0.load(Ordering::SeqCst), 0);
    assert!(group.wait_for_request(), "to wait is to ask");
    group.sync_now().unwrap();
    assert!(wakings.0.load(Ordering::SeqCst) > 0);
    assert!(matches!(poll(task.as_mut(), &wakings), Poll::Ready(Ok(()))));
}

#[test]
fn a_wait_can_move_between_the_threads_of_a_runtime() {
    fn moves<T: Send>(_: T) {}
    let (group, _, _) = group_of(1);
    moves(group.waited(at(1, 10)));
    moves(group);
}

#[test]
fn a_dropped_waited_future_harms_nothing() {
    let (group, events, _) = group_of(1);
    group.appended(at(1, 10));
    let wakings = Arc::new(Wakings::default());
    let mut stays = Box::pin(group.waited(at(1, 10)));
    for _ in 0..10 {
        let mut dropped = Box::pin(group.waited(at(1, 10)));
        assert!(poll(dropped.as_mut(), &wakings).is_pending());
    }
    assert!(poll(stays.as_mut(), &wakings).is_pending());
    drop(Box::pin(group.waited(at(1, 10))));
    assert!(group.wait_for_request());
    group.sync_now().unwrap();
    assert_eq!(wakings.0.load(Ordering::SeqCst), 1, "only the one that is left is woken");
    assert!(matches!(poll(stays.as_mut(), &wakings), Poll::Ready(Ok(()))));
    assert_eq!(*lock(&events), ["sync 1", "name 1"]);
}

#[test]
fn stop_sends_everyone_home_but_those_whose_bytes_are_durable() {
    let (group, _, _) = group_of(1);
    group.appended(at(1, 10));
    group.sync_now().unwrap();
    group.appended(at(1, 20));
    let wakings = Arc::new(Wakings::default());
    let mut task = pin!(group.waited(at(1, 20)));
    assert!(poll(task.as_mut(), &wakings).is_pending());
    thread::scope(|scope| {
        let waiter = scope.spawn(|| group.wait(at(1, 20)));
        let syncing = scope.spawn(|| {
            while group.wait_for_request() {
                thread::yield_now();
            }
        });
        group.stop();
        assert_eq!(kind(waiter.join().unwrap()), ErrorKind::Closed);
        syncing.join().unwrap();
    });
    match poll(task.as_mut(), &wakings) {
        Poll::Ready(outcome) => assert_eq!(kind(outcome), ErrorKind::Closed),
        Poll::Pending => panic!("a task waits for ever"),
    }
    assert!(group.wait(at(1, 10)).is_ok());
    assert!(!group.wait_for_request());
    assert_eq!(group.sync_now().unwrap(), at(1, 20), "the owner may sync once more");
    assert!(group.wait(at(1, 20)).is_ok());
}

#[test]
fn a_request_is_served_once_and_what_is_durable_needs_none() {
    let (group, _, _) = group_of(1);
    group.appended(at(1, 10));
    group.request(at(1, 10));
    assert!(group.wait_for_request());
    group.sync_now().unwrap();
    group.request(at(1, 10));
    group.request(at(1, 99));
    thread::scope(|scope| {
        let syncing = scope.spawn(|| group.wait_for_request());
        group.stop();
        assert!(!syncing.join().unwrap(), "nothing appended is left to ask for");
    });
}

#[test]
#[should_panic(expected = "log 2 was not announced")]
fn appending_to_a_log_that_was_not_announced_is_refused() {
    let (group, _, _) = group_of(1);
    group.appended(at(1, 10));
    group.appended(at(2, 10));
}

#[test]
#[should_panic(expected = "log 1 is announced behind")]
fn logs_are_announced_in_order() {
    let (group, events, _) = group_of(1);
    add(&group, double(1, &events));
}
