//! Scans: what they give, in both directions, as of their moment, whatever happens meanwhile.

mod basics;
mod cancelled;
mod concurrent;
mod deleted;
mod model;
mod reads;
mod support;
