//! What a merge writes and drops, as text: `tests/data/merge.txt`.
//!
//! ```text
//!   run a@9=x b@4- c@3+1           an input, newest first: put, delete, merge operand
//!   deleted a..c@8 d..@2           range tombstones; without an end to the right
//!   snapshots 3 7                  live snapshots
//!   visible 8                      the newest published sequence number (all, if left out)
//!   deeper a-c x-z                 bounds of tables below
//!   raise 9 a-c x-z                the number to raise others to, and bounds of tables that may have newer data
//!   target 100                     bytes of a table; an entry has as many as its key and value
//!   grandparents a-c,40 d-f,60     tables below the output
//!   range b..k                     user keys to merge; either end may be left out
//! ```

mod common;
#[path = "common/text.rs"]
mod text;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use common::{Entry, VecIter, VecSink};
use slice_compaction::{DeeperKeys, Grandparent, MergeOptions, Raise, merge};
use slice_types::{EntryKind, KeyRange, RangeIndex, RangeTombstone, SeqNo};

#[test]
fn merges_come_out_as_written() {
    text::run_file("merge.txt", run);
}

struct Case<'a> {
    runs: Vec<Vec<Entry>>,
    snapshots: Vec<SeqNo>,
    options: MergeOptions<'a>,
}

fn run(lines: &[&str]) -> String {
    let cancel = AtomicBool::new(false);
    let options = MergeOptions {
        snapshots: &[],
        visible: SeqNo::MAX,
        range_tombstones: Arc::default(),
        deeper: DeeperKeys::default(),
        raise: Raise::default(),
        target_table_bytes: 1000,
        grandparents: Vec::new(),
        range: (None, None),
        cancel: &cancel,
    };
    let mut case = Case { runs: Vec::new(), snapshots: Vec::new(), options };
    for line in lines {
        read_line(line, &mut case);
    }
    let mut sink = VecSink::default();
    let inputs = case.runs.into_iter().map(VecIter::new).collect();
    let options = MergeOptions { snapshots: &case.snapshots, ..case.options };
    let stats = match merge(inputs, &options, &mut sink) {
        Ok(stats) => stats,
        Err(error) => return error.to_string(),
    };
    let mut out = String::new();
    for table in &sink.tables {
        let entries: Vec<_> = table.iter().map(show_entry).collect();
        let _ = writeln!(out, "table {}", entries.join(" "));
    }
    let (versions, tombstones) = (stats.dropped_versions, stats.dropped_tombstones);
    assert_eq!(stats.entries_in, stats.entries_out + versions + tombstones);
    assert_eq!(stats.tables_out, sink.tables.len() as u64);
    let _ = writeln!(out, "dropped {versions} versions, {tombstones} tombstones");
    out
}

fn read_line<'a>(line: &'a str, case: &mut Case<'a>) {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let words = rest.split_whitespace();
    match command {
        "run" => case.runs.push(words.map(parse_entry).collect()),
        "deleted" => case.options.range_tombstones = Arc::new(RangeIndex::new(words.map(parse_tombstone))),
        "snapshots" => case.snapshots = words.map(parse_seqno).collect(),
        "visible" => case.options.visible = parse_seqno(rest),
        "target" => case.options.target_table_bytes = rest.parse().unwrap(),
        "deeper" => case.options.deeper = DeeperKeys::new(words.map(parse_bounds)),
        "raise" => {
            let (to, newer) = rest.split_once(' ').unwrap_or((rest, ""));
            let newer = DeeperKeys::new(newer.split_whitespace().map(parse_bounds));
            case.options.raise = Raise { to: parse_seqno(to), newer };
        }
        "grandparents" => case.options.grandparents = words.map(parse_grandparent).collect(),
        "range" => {
            let (start, end) = rest.split_once("..").expect("two ends");
            let bound = |key: &'a str| Some(key.as_bytes()).filter(|key| !key.is_empty());
            case.options.range = (bound(start), bound(end));
        }
        other => panic!("{other} is no command"),
    }
}

fn parse_seqno(word: &str) -> SeqNo {
    SeqNo::new(word.parse().unwrap())
}

fn parse_tombstone(word: &str) -> RangeTombstone {
    let (range, seqno) = word.split_once('@').expect("a range and a sequence number");
    let (start, end) = range.split_once("..").expect("two ends");
    let range = KeyRange::from_bytes(start.as_bytes(), end.as_bytes()).unwrap();
    RangeTombstone { range, seqno: parse_seqno(seqno) }
}

fn parse_bounds(word: &str) -> (Arc<[u8]>, Arc<[u8]>) {
    let (smallest, largest) = word.split_once('-').expect("bounds");
    (smallest.as_bytes().into(), largest.as_bytes().into())
}

fn parse_grandparent(word: &str) -> Grandparent {
    let (bounds, bytes) = word.split_once(',').expect("bounds and bytes");
    let (smallest, largest) = parse_bounds(bounds);
    Grandparent { smallest, largest, bytes: bytes.parse().unwrap() }
}

fn parse_entry(word: &str) -> Entry {
    let (key, rest) = word.split_once('@').expect("a key and a sequence number");
    let end = rest.find(|char: char| !char.is_ascii_digit()).expect("a kind");
    let kind = match &rest[end..=end] {
        "=" => EntryKind::Put,
        "-" => EntryKind::Delete,
        "+" => EntryKind::Merge,
        other => panic!("{other} is no kind"),
    };
    Entry::new(key.as_bytes(), rest[..end].parse().unwrap(), kind, &rest.as_bytes()[end + 1..])
}

fn show_entry(entry: &Entry) -> String {
    let sign = match entry.trailer.kind() {
        EntryKind::Put => '=',
        EntryKind::Delete => '-',
        EntryKind::Merge => '+',
        _ => '~',
    };
    let (key, value) = (entry.key.escape_ascii(), entry.value.escape_ascii());
    format!("{key}@{}{sign}{value}", entry.trailer.seqno())
}
