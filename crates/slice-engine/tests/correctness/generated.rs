//! Histories made up: of a real register with random times, damaged ones, and the brute force that judges them.
//!
//! Nothing here knows how the search works. The register is a log of writes: a power failure cuts it.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use slice_crash::linearizability::{Action, Operation, Promise};

/// What a history is to look like.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) operations: usize,
    pub(crate) clients: usize,
    pub(crate) keys: usize,
    pub(crate) crashes: bool,
    /// Whether some writes have no answer.
    pub(crate) maybes: bool,
}

impl Shape {
    /// Small enough to try every permutation.
    pub(crate) fn small(seed: u64) -> Self {
        let n = seed as usize;
        Self {
            operations: 2 + n % 5,
            clients: 1 + n % 4,
            keys: 1 + n % 2,
            crashes: n.is_multiple_of(3),
            maybes: true,
        }
    }
}

/// All writes so far, and how many of them no power failure takes away.
#[derive(Clone, Default)]
struct Log {
    writes: Vec<Vec<(usize, Option<u64>)>>,
    durable: usize,
}

impl Log {
    fn get(&self, key: usize) -> Option<u64> {
        let newest_first = self.writes.iter().rev().flat_map(|entries| entries.iter().rev());
        newest_first.filter(|(written, _)| *written == key).map(|(_, value)| *value).next().flatten()
    }

    fn write(&mut self, entries: &[(usize, Option<u64>)], is_durable: bool) {
        self.writes.push(entries.to_vec());
        if is_durable {
            self.sync();
        }
    }

    fn sync(&mut self) {
        self.durable = self.writes.len();
    }

    fn cut(&self, len: usize) -> Self {
        Self { writes: self.writes[..len].to_vec(), durable: len }
    }
}

/// A history of a register: operations happen one after the other, and take some time before and after that.
pub(crate) fn generate(shape: Shape, seed: u64) -> (Vec<Operation<Action>>, Promise) {
    let mut random = SmallRng::seed_from_u64(seed);
    let promise = if random.random() { Promise::Durable } else { Promise::Buffered };
    let mut log = Log::default();
    let mut history: Vec<Operation<Action>> = Vec::new();
    let mut free_from = vec![0; shape.clients];
    for point in (1..=shape.operations as u64).map(|n| n * 1000) {
        let client = random.random_range(0..shape.clients);
        // The client is busy up to somewhere between its last operation and this one.
        let called = random.random_range(free_from[client]..=point);
        if let Some(last) = history.iter_mut().rev().find(|last| last.client == client) {
            last.returned = random.random_range(last.returned..=called);
        }
        let is_certain = !shape.maybes || random.random_range(0..6) > 0;
        let action = happen(&mut log, shape, promise, is_certain, point, &mut random);
        let certain = is_certain || !matches!(action, Action::Write(_));
        history.push(Operation { client, called, returned: point, certain, action });
        free_from[client] = point;
    }
    for operation in &mut history {
        if operation.returned.is_multiple_of(1000) {
            operation.returned += random.random_range(0..4000);
        }
    }
    separate(&mut history);
    (history, promise)
}

/// A client's operation is over before its next begins.
fn separate(history: &mut [Operation<Action>]) {
    for n in 0..history.len() {
        let next =
            history[n + 1..].iter().find(|next| next.client == history[n].client).map(|next| next.called);
        let last_moment = next.map_or(u64::MAX, |called| called.saturating_sub(1));
        history[n].returned = history[n].returned.min(last_moment);
    }
}

fn happen(
    log: &mut Log,
    shape: Shape,
    promise: Promise,
    is_certain: bool,
    value: u64,
    random: &mut SmallRng,
) -> Action {
    let key = random.random_range(0..shape.keys);
    let entries = match random.random_range(0..100) {
        0..40 => return Action::get(key, log.get(key)),
        40..45 if shape.crashes => {
            *log = log.cut(random.random_range(log.durable..=log.writes.len()));
            return Action::Crash;
        }
        45..50 if shape.crashes => {
            log.sync();
            return Action::Sync;
        }
        50..60 => (0..shape.keys).map(|key| (key, Some(value))).collect(),
        60..75 => vec![(key, None)],
        _ => vec![(key, Some(value))],
    };
    if is_certain || random.random() {
        log.write(&entries, is_certain && promise == Promise::Durable);
    }
    Action::Write(entries)
}

/// Changes an answer, a time or two.
pub(crate) fn mutate(history: &mut [Operation<Action>], seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed ^ 0x5EED);
    let values: Vec<u64> = (0..=history.len() as u64).map(|n| n * 1000).collect();
    for _ in 0..random.random_range(0..3) {
        let n = random.random_range(0..history.len());
        let other = random.random_range(0..history.len());
        match (&mut history[n].action, random.random_range(0..3)) {
            (Action::Get { found, .. }, 0 | 1) => {
                let value = values[random.random_range(0..values.len())];
                *found = (value > 0).then_some(value);
            }
            (_, 0) => history[n].returned = history[n].called + random.random_range(0..500),
            _ => {
                let (times, others) = (
                    (history[n].called, history[n].returned),
                    (history[other].called, history[other].returned),
                );
                (history[n].called, history[n].returned) = others;
                (history[other].called, history[other].returned) = times;
            }
        }
    }
}

/// Whether an order of some of the operations, as indices, has all that are certain, keeps to the times, and gives the
/// answers: by definition, and in no clever way.
pub(crate) fn permutation_explains(history: &[Operation<Action>], order: &[usize], promise: Promise) -> bool {
    let is_complete =
        (0..history.len()).all(|n| order.contains(&n) || !history[n].certain || is_silent(&history[n]));
    let mut pairs = order.iter().enumerate().flat_map(|(at, a)| order[at + 1..].iter().map(move |b| (a, b)));
    is_complete
        && pairs.all(|(a, b)| !history[*b].precedes(&history[*a]))
        && answers(history, order, promise, Log::default())
}

/// A read without a certain answer.
fn is_silent(operation: &Operation<Action>) -> bool {
    !operation.certain && matches!(operation.action, Action::Get { .. })
}

fn answers(history: &[Operation<Action>], order: &[usize], promise: Promise, mut log: Log) -> bool {
    let Some((first, rest)) = order.split_first() else { return true };
    let operation = &history[*first];
    match &operation.action {
        Action::Get { key, found } if log.get(*key) != *found => return false,
        Action::Get { .. } => {}
        Action::Write(entries) => log.write(entries, operation.certain && promise == Promise::Durable),
        Action::Sync => log.sync(),
        Action::Crash => {
            return (log.durable..=log.writes.len()).any(|len| answers(history, rest, promise, log.cut(len)));
        }
    }
    answers(history, rest, promise, log)
}

/// Tries every permutation of every subset that has all that is certain.
pub(crate) fn some_permutation_explains(history: &[Operation<Action>], promise: Promise) -> bool {
    extend(history, &mut Vec::new(), promise)
}

fn extend(history: &[Operation<Action>], order: &mut Vec<usize>, promise: Promise) -> bool {
    if permutation_explains(history, order, promise) {
        return true;
    }
    (0..history.len()).any(|next| {
        // What has to come before something that is placed already is in no order that begins like this.
        if order.contains(&next) || order.iter().any(|placed| history[next].precedes(&history[*placed])) {
            return false;
        }
        order.push(next);
        let found = extend(history, order, promise);
        order.pop();
        found
    })
}
