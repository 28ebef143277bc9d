//! Who depends on whom, and whether that goes round in a circle.
//!
//! For snapshot isolation each transaction is two nodes: one is reached by `rw` edges, and no `rw` edge leaves it. So
//! what is a cycle there has no two of them in a row.

use std::collections::VecDeque;
use std::fmt;

use super::versions::Versions;
use super::{Promise, Transaction};

/// A reason why one transaction comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    Ww(usize),
    Wr(usize),
    Rw(usize),
    Rt,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ww(key) => write!(f, "ww(k{key})"),
            Self::Wr(key) => write!(f, "wr(k{key})"),
            Self::Rw(key) => write!(f, "rw(k{key})"),
            Self::Rt => f.write_str("rt"),
        }
    }
}

/// A transaction of a cycle, and why it comes before the next one.
pub(super) type Link = (usize, String);

pub(super) struct Graph {
    promise: Promise,
    /// From each node, where to and why.
    edges: Vec<Vec<(usize, Why)>>,
}

impl Graph {
    pub(super) fn new(history: &[Transaction], versions: &Versions, promise: Promise) -> Self {
        let mut graph = Self { promise, edges: vec![Vec::new(); history.len() * 2] };
        graph.add_versions(versions);
        graph.add_reads(versions);
        graph.add_times(history);
        for edges in &mut graph.edges {
            edges.sort_unstable();
            edges.dedup();
        }
        graph
    }

    fn add(&mut self, from: usize, to: usize, why: Why) {
        if from == to {
            return;
        }
        let is_rw = matches!(why, Why::Rw(_));
        let target = to * 2 + usize::from(is_rw && self.promise == Promise::Snapshot);
        self.edges[from * 2].push((target, why));
        if !is_rw {
            self.edges[from * 2 + 1].push((target, why));
        }
    }

    fn add_versions(&mut self, versions: &Versions) {
        for (key, writers) in &versions.orders {
            for pair in writers.windows(2) {
                self.add(pair[0], pair[1], Why::Ww(*key));
            }
            for unread in versions.unread.get(key).into_iter().flatten() {
                if let Some(last) = writers.last() {
                    self.add(*last, *unread, Why::Ww(*key));
                }
            }
        }
    }

    fn add_reads(&mut self, versions: &Versions) {
        for read in &versions.reads {
            let writers = &versions.orders[&read.key];
            if let Some(last) = read.len.checked_sub(1) {
                self.add(writers[last], read.reader, Why::Wr(read.key));
            }
            match writers.get(read.len) {
                Some(next) => self.add(read.reader, *next, Why::Rw(read.key)),
                None => {
                    for unread in versions.unread.get(&read.key).into_iter().flatten() {
                        self.add(read.reader, *unread, Why::Rw(read.key));
                    }
                }
            }
        }
    }

    /// Of those that had returned before one was called, only the latest: the others come before these.
    fn add_times(&mut self, history: &[Transaction]) {
        let calls = history.iter().enumerate().map(|(n, transaction)| (transaction.called, false, n));
        let returns = history.iter().enumerate().map(|(n, transaction)| (transaction.returned, true, n));
        let mut events: Vec<_> = calls.chain(returns).collect();
        events.sort_unstable();
        let mut latest: Vec<usize> = Vec::new();
        for (_, has_returned, n) in events {
            if has_returned {
                latest.retain(|other| history[*other].returned >= history[n].called);
                latest.push(n);
            } else {
                for before in &latest {
                    self.add(*before, n, Why::Rt);
                }
            }
        }
    }

    /// A cycle with as few transactions as there can be.
    pub(super) fn shortest_cycle(&self) -> Option<Vec<Link>> {
        let cycles = self.in_cycles().into_iter().filter_map(|node| self.cycle_from(node));
        let shortest = cycles.min_by_key(Vec::len)?;
        Some(shortest.into_iter().map(|(node, why)| (node / 2, why.to_string())).collect())
    }

    /// The nodes that are left when those that nobody comes before are taken away, again and again. (A. B. Kahn,
    /// "Topological sorting of large networks", 1962.)
    fn in_cycles(&self) -> Vec<usize> {
        let mut before = vec![0_usize; self.edges.len()];
        self.edges.iter().flatten().for_each(|(to, _)| before[*to] += 1);
        let mut free: Vec<usize> = (0..before.len()).filter(|node| before[*node] == 0).collect();
        while let Some(node) = free.pop() {
            for (to, _) in &self.edges[node] {
                before[*to] -= 1;
                if before[*to] == 0 {
                    free.push(*to);
                }
            }
        }
        (0..before.len()).filter(|node| before[*node] > 0).collect()
    }

    /// The shortest way from a node back to it.
    fn cycle_from(&self, start: usize) -> Option<Vec<(usize, Why)>> {
        let mut came: Vec<Option<(usize, Why)>> = vec![None; self.edges.len()];
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for &(to, why) in &self.edges[node] {
                if came[to].is_none() {
                    came[to] = Some((node, why));
                    queue.push_back(to);
                }
            }
            if came[start].is_some() {
                break;
            }
        }
        let mut cycle = Vec::new();
        let mut at = start;
        loop {
            let (from, why) = came[at]?;
            cycle.push((from, why));
            at = from;
            if at == start {
                cycle.reverse();
                return Some(cycle);
            }
        }
    }
}

/// Names a cycle and draws it.
pub(super) fn describe(history: &[Transaction], cycle: &[Link]) -> String {
    let has = |kind: &str| cycle.iter().filter(|(_, why)| why.starts_with(kind)).count();
    let name = match (has("rw"), has("wr")) {
        (0, 0) => "writes in a circle (G0)",
        (0, _) => "information in a circle (G1c)",
        (1, _) => "a read that missed what came before it (G-single)",
        _ => "write skew (G2)",
    };
    let link = |n: usize| {
        let ((transaction, why), next) = (&cycle[n], cycle[(n + 1) % cycle.len()].0);
        format!("  T{transaction} {}\n    {why} -> T{next}\n", history[*transaction])
    };
    let links: String = (0..cycle.len()).map(link).collect();
    format!("{name}, of {} transactions:\n{links}", history.len())
}
