//! Which versions a key had, in which order, and who read and wrote them: as the lists tell.

use std::collections::{BTreeMap, BTreeSet};

use super::{Outcome, Step, Transaction, Violation};

/// A read of what others wrote: own elements at the end are left out.
pub(super) struct Read {
    pub(super) reader: usize,
    pub(super) key: usize,
    /// How many elements of the key's order it saw.
    pub(super) len: usize,
}

/// What a history says of its keys. Transactions are numbers: places in the history.
pub(super) struct Versions {
    pub(super) reads: Vec<Read>,
    /// Of each key, who wrote its elements, in their order.
    pub(super) orders: BTreeMap<usize, Vec<usize>>,
    /// Of each key, who wrote elements that nobody read: later than all others, in an order that nobody knows.
    pub(super) unread: BTreeMap<usize, BTreeSet<usize>>,
}

/// Who appended an element, to which key, and whether it was the last that it appended there.
struct Written {
    writer: usize,
    key: usize,
    is_last: bool,
}

impl Versions {
    pub(super) fn of(history: &[Transaction]) -> Result<Self, Violation> {
        let written = written(history);
        let found = external_reads(history)?;
        let mut longest: BTreeMap<usize, &[u64]> = BTreeMap::new();
        for (reader, key, list) in &found {
            check_list(history, *reader, *key, list, &written)?;
            let known = longest.entry(*key).or_default();
            if known.len() < list.len() {
                *known = list;
            }
        }
        for (reader, key, list) in &found {
            if !longest[key].starts_with(list) {
                let message =
                    format!("lists of k{key} that contradict each other: one is {:?}", longest[key]);
                return Err(violation(&message, &history[*reader]));
            }
        }
        let reads =
            found.iter().map(|(reader, key, list)| Read { reader: *reader, key: *key, len: list.len() });
        let seen: BTreeSet<u64> = longest.values().flat_map(|list| list.iter().copied()).collect();
        let mut unread: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (element, Written { writer, key, .. }) in &written {
            if !seen.contains(element) && history[*writer].outcome == Outcome::Committed {
                unread.entry(*key).or_default().insert(*writer);
            }
        }
        let writers = |list: &[u64]| list.iter().map(|element| written[element].writer).collect();
        let orders = longest.iter().map(|(key, list)| (*key, writers(list))).collect();
        Ok(Self { reads: reads.collect(), orders, unread })
    }
}

fn written(history: &[Transaction]) -> BTreeMap<u64, Written> {
    let mut all: BTreeMap<u64, Written> = BTreeMap::new();
    for (writer, transaction) in history.iter().enumerate() {
        let mut last = BTreeSet::new();
        for step in transaction.steps.iter().rev() {
            let Step::Append { key, element } = step else { continue };
            let before = all.insert(*element, Written { writer, key: *key, is_last: last.insert(*key) });
            assert!(before.is_none(), "{element} is appended twice: use each element once");
        }
    }
    all
}

/// Who read which list of which key, without what it had appended itself.
type Found<'a> = (usize, usize, &'a [u64]);

fn external_reads(history: &[Transaction]) -> Result<Vec<Found<'_>>, Violation> {
    let mut reads = Vec::new();
    for (reader, transaction) in history.iter().enumerate() {
        let mut own: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for step in &transaction.steps {
            match step {
                Step::Append { key, element } => own.entry(*key).or_default().push(*element),
                Step::Read { key, found } => {
                    let mine = own.get(key).map_or(&[][..], Vec::as_slice);
                    let list = found.strip_suffix(mine);
                    let list = list.ok_or_else(|| violation("an own write that is not seen", transaction))?;
                    reads.push((reader, *key, list));
                }
            }
        }
    }
    Ok(reads)
}

/// Insists that the list has what was committed there, each once, and no transaction by half.
fn check_list(
    history: &[Transaction],
    reader: usize,
    key: usize,
    list: &[u64],
    written: &BTreeMap<u64, Written>,
) -> Result<(), Violation> {
    let wrong = |what: String| Err(violation(&what, &history[reader]));
    for (place, element) in list.iter().enumerate() {
        let writer = match written.get(element) {
            Some(by) if by.key == key && by.writer != reader => &history[by.writer],
            Some(_) => return wrong(format!("{element}, which cannot be in k{key}")),
            None => return wrong(format!("{element}, which nobody wrote")),
        };
        if writer.outcome == Outcome::Aborted {
            return wrong(format!("{element}, of a transaction that was not committed"));
        }
        if list[..place].contains(element) {
            return wrong(format!("{element} twice"));
        }
    }
    match list.last() {
        Some(end) if !written[end].is_last => wrong(format!("a half of the transaction that wrote {end}")),
        _ => Ok(()),
    }
}

fn violation(what: &str, transaction: &Transaction) -> Violation {
    Violation(format!("a transaction finds {what}\n  {transaction}"))
}
