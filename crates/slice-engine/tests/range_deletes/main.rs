//! Ranges that are deleted: what readers see, what compactions remove, and what it costs.

mod api;
mod compactions;
mod scans;
mod support;
mod versions;
