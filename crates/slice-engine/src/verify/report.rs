//! What a look at a database finds.

use std::fmt;
use std::path::{Path, PathBuf};

use slice_types::{Error, ErrorKind};

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// A file that the database needs is not there.
    Missing,
    /// Bytes are not what was written.
    Damaged,
    /// The file is whole, and says something else than another file says of it.
    Contradiction,
    /// The operating system could not read it.
    Unreadable,
    /// It is of a format that this build does not know.
    Unsupported,
    /// No fault: a write was under way when the process or the machine ended. The next open cuts it off.
    TornTail,
    /// No fault: nothing refers to the file, and the next open removes it.
    Leftover,
}

impl FindingKind {
    /// Whether something is lost or may be: all but what every crash leaves.
    pub const fn is_fault(self) -> bool {
        !matches!(self, Self::TornTail | Self::Leftover)
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Damaged => "damaged",
            Self::Contradiction => "contradiction",
            Self::Unreadable => "unreadable",
            Self::Unsupported => "unsupported",
            Self::TornTail => "torn tail",
            Self::Leftover => "leftover",
        })
    }
}

/// Something that a look at a database found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// The file.
    pub file: PathBuf,
    /// Where in the file, in bytes, if it has a place.
    pub offset: Option<u64>,
    /// What was found, for people.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(kind: FindingKind, file: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self { kind, file: file.into(), offset: None, message: message.into() }
    }

    /// What an error says; of `file`, if it does not say of which.
    pub(crate) fn of(error: &Error, file: &Path) -> Self {
        let kind = match error.kind() {
            ErrorKind::Corruption => FindingKind::Damaged,
            ErrorKind::Unsupported => FindingKind::Unsupported,
            _ => FindingKind::Unreadable,
        };
        let source = error.io_source().map(|source| format!(": {source}")).unwrap_or_default();
        Self {
            kind,
            file: error.file().unwrap_or(file).to_owned(),
            offset: error.offset(),
            message: format!("{}{source}", error.message()),
        }
    }

    pub(crate) fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.file.display())?;
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// What a look at a whole database found: every fault, and how much was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// All that was found, faults and what a crash leaves.
    pub findings: Vec<Finding>,
    /// Tables that were read.
    pub tables: u64,
    /// Entries of tables that were read, of all kinds.
    pub entries: u64,
    /// Logs that were read.
    pub logs: u64,
    /// Batches of logs that were read.
    pub batches: u64,
}

impl Report {
    /// Whether nothing is lost: there is no fault.
    pub fn is_clean(&self) -> bool {
        self.faults().next().is_none()
    }

    /// The findings that are [faults](FindingKind::is_fault).
    pub fn faults(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.kind.is_fault())
    }

    /// Notes a finding, unless there is one of the same place.
    pub(crate) fn add(&mut self, finding: Finding) {
        let same = |other: &Finding| other.file == finding.file && other.offset == finding.offset;
        let is_known = self.findings.iter().any(same);
        let is_missing = self
            .findings
            .iter()
            .any(|other| other.kind == FindingKind::Missing && other.file == finding.file);
        if !is_known && !is_missing {
            self.findings.push(finding);
        }
    }
}

impl fmt::Display for Report {
    /// One line for each finding, then one that says how much was looked at.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let Self { tables, entries, logs, batches, .. } = self;
        let faults = self.faults().count();
        write!(
            f,
            "{tables} tables with {entries} entries, {logs} logs with {batches} batches: {faults} faults"
        )
    }
}
