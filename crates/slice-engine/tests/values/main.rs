//! Values with rules: what merges make, what expires, what a filter takes away; whatever is flushed, compacted and
//! reopened in between.

mod asynchronous;
mod expiry;
mod filters;
mod merging;
mod model;
mod support;
