//! What parent and worker say to each other: a line each, the worker's as JSON.
//!
//! A line is one write to the pipe, so a kill leaves all lines whole but perhaps the last.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// What a worker tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Event {
    /// The store is about to be opened.
    Opening,
    /// The store is open.
    Opened,
    /// A row that is in the store, of a writer.
    Row { writer: usize, key: u16, value: String },
    /// All rows were told. The worker waits for `go`.
    Dumped,
    /// A write was acknowledged.
    Acked { writer: usize, n: u64 },
    /// A call failed, with an error of this kind.
    Failed { call: String, kind: String, text: String },
    /// Something that may never be.
    Violation(String),
    /// All is flushed and compacted, and the directory holds this many bytes.
    Settled { bytes: u64 },
    /// The store was closed.
    Closed,
}

/// Tells the parent.
pub(super) fn tell(event: &Event) {
    let line = serde_json::to_string(event).map(|line| line + "\n");
    // Without a parent there is nobody to tell, and the worker ends with its standard input.
    let _ = line.map_err(io::Error::from).and_then(|line| io::stdout().lock().write_all(line.as_bytes()));
}

/// What the parent tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Write, each writer from this write on.
    Go(Vec<u64>),
    /// Flush and compact.
    Settle,
    /// Close the store and end.
    Close,
}

impl Order {
    /// As a line, without its end.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Go(next) => {
                next.iter().fold("go".to_owned(), |line, number| line + " " + &number.to_string())
            }
            Self::Settle => "settle".to_owned(),
            Self::Close => "close".to_owned(),
        }
    }

    /// What a line means.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        match words.next()? {
            "go" => words.map(|word| word.parse().ok()).collect::<Option<_>>().map(Self::Go),
            "settle" => Some(Self::Settle),
            "close" => Some(Self::Close),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_what_its_line_says() {
        for order in [Order::Go(vec![0, 17]), Order::Settle, Order::Close] {
            assert_eq!(Order::parse(&order.line()), Some(order));
        }
        assert_eq!(Order::parse("stop"), None);
    }
}
