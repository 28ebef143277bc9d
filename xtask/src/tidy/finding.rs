//! What a rule found: where, and why it is wrong.

use std::fmt;

/// A breach of a rule. They sort by place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// From the root of the workspace, with `/`.
    pub(crate) path: String,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) reason: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, reason: reason.into() }
    }

    /// A breach at the byte `offset` of the file's text.
    pub(crate) fn at(path: &str, text: &str, offset: usize, reason: impl Into<String>) -> Self {
        Self::new(path, line_of(text, offset), reason)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.reason)
    }
}

/// The line, from 1, of the byte `offset`.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}
