//! Values with rules: values that expire, values that are merged, values that a filter takes away.
//!
//! ```text
//!   versions of a key, newest first           what a reader makes of them
//!
//!   Put                                       its value
//!   PutUntil                                  its value; nothing once its time is over
//!   Delete                                    nothing
//!   Merge  Merge  Put                         fold(value, older operand, newer operand)
//!   Merge  Merge  (Delete, expired, or none)  fold(nothing, older operand, newer operand)
//!          newer <------> older
//! ```
//!
//! The invariant: a reader finds the same before and after a flush or compaction, at every snapshot, whatever of this
//! those have done already. Two things stand outside the order of writes, and are the same at every snapshot: the
//! [`Clock`], and what a [`CompactionFilter`] decides.
//!
//! | file | what it has |
//! |---|---|
//! | `clock.rs` | what time it is, for expiry |
//! | `operator.rs` | merge operators, and what becomes of their failures; `operators.rs` has two ready-made |
//! | `resolve.rs` | from the versions of a key to its value: gets and scans |
//! | `merging.rs` | the same for flushes and compactions |
//! | `filter.rs` | compaction filters |
//! | `stamp.rs` | what a write becomes on its way into the log |
//! | `faces.rs` | the methods of both faces |

mod clock;
mod faces;
mod filter;
mod merging;
mod operator;
pub mod operators;
mod resolve;
mod stamp;

use std::sync::Arc;
use std::time::Duration;

pub use clock::{Clock, ManualClock};
pub(crate) use clock::{Time, millis};
pub use filter::{CompactionContext, CompactionFilter, CompactionFilterFactory};
pub use operator::MergeOperator;
pub(crate) use resolve::Resolver;
pub(crate) use stamp::stamp_batch;

use crate::options::Options;

/// What the values of a keyspace mean.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// How long values stay that are written without a time of their own.
    default_ttl: Option<Duration>,
    operator: Option<Arc<dyn MergeOperator>>,
    filter: Option<Arc<dyn CompactionFilterFactory>>,
    time: Arc<Time>,
}

impl Rules {
    pub(crate) fn new(options: &Options, time: Arc<Time>) -> Self {
        Self {
            default_ttl: options.default_ttl,
            operator: options.merge_operator.clone(),
            filter: options.compaction_filter.clone(),
            time,
        }
    }

    /// The time of the store, in milliseconds since the epoch.
    pub(crate) fn now_ms(&self) -> u64 {
        self.time.now_ms()
    }

    /// Whether compactions have somebody to ask.
    pub(crate) const fn filters(&self) -> bool {
        self.filter.is_some()
    }
}
