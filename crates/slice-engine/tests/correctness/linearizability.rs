//! Whether a history of one register could have happened one operation after the other.
//!
//! A search for an order that agrees with the times and with what was read, after Wing and Gong, "Testing and
//! Verifying Concurrent Objects" (1993), which remembers the states it has been in, after Lowe, "Testing for
//! Linearizability" (2017).

use std::collections::HashSet;

/// What a client did: `None` stands for a key that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Write(Option<u64>),
    Read(Option<u64>),
}

/// An operation, and the times between which it took effect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    pub(crate) called: u64,
    pub(crate) returned: u64,
    pub(crate) action: Action,
}

/// Whether there is an order in which a register, empty at first, gives these answers.
///
/// # Panics
///
/// On more than 64 operations.
pub(crate) fn is_linearizable(history: &[Operation]) -> bool {
    assert!(history.len() <= 64, "a search over {} operations", history.len());
    search(history, 0, None, &mut HashSet::new())
}

/// `done` has a bit for each operation that is placed already.
fn search(
    history: &[Operation],
    done: u64,
    value: Option<u64>,
    seen: &mut HashSet<(u64, Option<u64>)>,
) -> bool {
    let open = || history.iter().enumerate().filter(|(n, _)| done & (1 << n) == 0);
    // The next is one that was called before any other had returned.
    let Some(first_return) = open().map(|(_, operation)| operation.returned).min() else { return true };
    if !seen.insert((done, value)) {
        return false;
    }
    open().filter(|(_, operation)| operation.called <= first_return).any(|(n, operation)| {
        match operation.action {
            Action::Write(written) => search(history, done | 1 << n, written, seen),
            Action::Read(found) => found == value && search(history, done | 1 << n, value, seen),
        }
    })
}

fn history(operations: &[(u64, u64, Action)]) -> Vec<Operation> {
    let operation = |&(called, returned, action)| Operation { called, returned, action };
    operations.iter().map(operation).collect()
}

#[test]
fn good_histories_are_accepted() {
    use Action::{Read, Write};
    assert!(is_linearizable(&[]));
    assert!(is_linearizable(&history(&[(0, 1, Read(None)), (2, 3, Write(Some(1))), (4, 5, Read(Some(1)))])));
    // Beside a write, both its value and the one before it may be read, in that order.
    let beside = [(0, 9, Write(Some(1))), (1, 2, Read(None)), (3, 4, Read(Some(1)))];
    assert!(is_linearizable(&history(&beside)));
    let deleted = [(0, 1, Write(Some(1))), (2, 5, Write(None)), (3, 4, Read(None)), (6, 7, Read(None))];
    assert!(is_linearizable(&history(&deleted)));
}

#[test]
fn bad_histories_are_refused() {
    use Action::{Read, Write};
    let lost_write = [(0, 1, Write(Some(1))), (2, 3, Read(None))];
    let stale_read = [(0, 1, Write(Some(1))), (2, 3, Write(Some(2))), (4, 5, Read(Some(1)))];
    let never_written = [(0, 5, Write(Some(1))), (1, 2, Read(Some(3)))];
    let goes_back = [(0, 9, Write(Some(1))), (1, 2, Read(Some(1))), (3, 4, Read(None))];
    let undeleted = [(0, 1, Write(Some(1))), (2, 3, Write(None)), (4, 5, Read(Some(1)))];
    for bad in [&lost_write[..], &stale_read, &never_written, &goes_back, &undeleted] {
        assert!(!is_linearizable(&history(bad)), "{bad:?}");
    }
}
