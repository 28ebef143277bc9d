//! What a repair saved, and what it could not.

use std::fmt;
use std::path::PathBuf;

/// Something of the damaged database that is not in the repaired one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lost {
    /// The damaged file.
    pub file: PathBuf,
    /// Where in it, in bytes, if it is not the whole file.
    pub offset: Option<u64>,
    /// Between which keys the loss lies, both included; `None` when it may be anywhere.
    pub keys: Option<(Vec<u8>, Vec<u8>)>,
    /// Why, for people.
    pub message: String,
}

impl Lost {
    /// Whether the value of a key may be lost by this.
    pub fn concerns(&self, key: &[u8]) -> bool {
        self.keys.as_ref().is_none_or(|(from, through)| from.as_slice() <= key && key <= through.as_slice())
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lost: {}", self.file.display())?;
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        match &self.keys {
            Some((from, through)) => {
                write!(f, ", keys from {} to {}", from.escape_ascii(), through.escape_ascii())?;
            }
            None => f.write_str(", keys unknown")?,
        }
        write!(f, ": {}", self.message)
    }
}

/// Where a repair learnt which files count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// From the manifest, which was whole.
    Manifest,
    /// From the newest manifest that could be read, and from the directory: files that it does not name count too.
    StaleManifest,
    /// From the directory alone: every table and every log in it counts.
    Listing,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manifest => "the manifest says which files count",
            Self::StaleManifest => {
                "the manifest may be stale: files that it does not name are taken too, so a deleted key may be back"
            }
            Self::Listing => "no manifest can be read: every file is taken, so a deleted key may be back",
        })
    }
}

/// What a repair did.
///
/// A key that none of [`lost`](Self::lost) [concerns](Lost::concerns) has the value that it had, if
/// [`origin`](Self::origin) is [`Origin::Manifest`]. Any other key has that value, an older one, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepairReport {
    /// Where it learnt which files count.
    pub origin: Origin,
    /// What is lost.
    pub lost: Vec<Lost>,
    /// Tables that were read, in whole or in part.
    pub tables: u64,
    /// Logs that were read.
    pub logs: u64,
    /// Keys in the repaired database.
    pub keys: u64,
}

impl RepairReport {
    /// Whether all is there that was there.
    pub fn is_complete(&self) -> bool {
        self.lost.is_empty() && self.origin == Origin::Manifest
    }
}

impl fmt::Display for RepairReport {
    /// One line for each loss, then what was saved and how.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for lost in &self.lost {
            writeln!(f, "{lost}")?;
        }
        let Self { origin, tables, logs, keys, lost } = self;
        write!(f, "{keys} keys saved from {tables} tables and {logs} logs, {} losses; {origin}", lost.len())
    }
}
