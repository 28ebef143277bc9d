//! The names in a database's directory.
//!
//! ```text
//!   LOCK                   held by the process that has the database open; its pid
//!   CURRENT                the name of the manifest in force
//!   MANIFEST-000001        which tables exist, at which level, and which logs still count
//!   wal_000000.log         what the memtables hold; the newest may be empty, made ahead
//!   sstable_000001.db      a table: its blocks,
//!   sstable_000001.idx       its index and properties,
//!   sstable_000001.bloom     its filter
//! ```
//!
//! Numbers have at least six digits and grow beyond them when they must.

use std::path::{Path, PathBuf};

use slice_types::{LogNumber, TableId};

pub(crate) const LOCK: &str = "LOCK";
pub(crate) const CURRENT: &str = "CURRENT";

/// A file of a database, known by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileName {
    Lock,
    Current,
    Manifest(u64),
    Log(LogNumber),
    Table(TableId),
    /// Left behind by something that did not finish.
    Temporary,
}

impl FileName {
    /// What a name means; `None` for a file that is not ours.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            LOCK => return Some(Self::Lock),
            CURRENT => return Some(Self::Current),
            "CURRENT.tmp" => return Some(Self::Temporary),
            _ => {}
        }
        if let Some(number) = name.strip_prefix("MANIFEST-") {
            return number_of(number).map(Self::Manifest);
        }
        if let Some(number) = name.strip_prefix("wal_").and_then(|rest| rest.strip_suffix(".log")) {
            return u32::try_from(number_of(number)?).ok().map(|n| Self::Log(LogNumber(n)));
        }
        let (number, extension) = name.strip_prefix("sstable_")?.split_once('.')?;
        let known = ["db", "idx", "bloom"].contains(&extension);
        number_of(number).filter(|_| known).map(|n| Self::Table(TableId(n)))
    }
}

fn number_of(digits: &str) -> Option<u64> {
    let plain = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

pub(crate) fn manifest_name(number: u64) -> String {
    format!("MANIFEST-{number:06}")
}

pub(crate) fn log_path(dir: &Path, number: LogNumber) -> PathBuf {
    dir.join(format!("wal_{:06}.log", number.0))
}

/// The three files of a table.
pub(crate) struct TablePaths {
    pub(crate) data: PathBuf,
    pub(crate) index: PathBuf,
    pub(crate) filter: PathBuf,
}

impl TablePaths {
    pub(crate) fn new(dir: &Path, id: TableId) -> Self {
        let path = |extension| dir.join(format!("sstable_{:06}.{extension}", id.0));
        Self { data: path("db"), index: path("idx"), filter: path("bloom") }
    }

    pub(crate) fn all(&self) -> [&Path; 3] {
        [&self.data, &self.index, &self.filter]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised_and_foreign_ones_are_not() {
        assert_eq!(FileName::parse("wal_000012.log"), Some(FileName::Log(LogNumber(12))));
        assert_eq!(FileName::parse("wal_1234567.log"), Some(FileName::Log(LogNumber(1_234_567))));
        assert_eq!(FileName::parse("sstable_000001.idx"), Some(FileName::Table(TableId(1))));
        assert_eq!(FileName::parse("MANIFEST-000003"), Some(FileName::Manifest(3)));
        for foreign in
            ["wal_12.log", "wal_+00012.log", "sstable_000001.txt", "notes.txt", "MANIFEST-", "wal_.log"]
        {
            assert_eq!(FileName::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn what_is_named_is_recognised() {
        let dir = Path::new("d");
        for path in TablePaths::new(dir, TableId(7)).all() {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap();
            assert_eq!(FileName::parse(name), Some(FileName::Table(TableId(7))));
        }
        assert_eq!(log_path(dir, LogNumber(0)), Path::new("d/wal_000000.log"));
        assert_eq!(FileName::parse(&manifest_name(9)), Some(FileName::Manifest(9)));
    }
}
