//! The charts, each a piece of SVG that stands in the page.

mod bars;
mod canvas;
mod latency;
mod ratios;
mod timeline;

pub(super) use bars::{Bar, NARROW, WIDE, bars};
pub(super) use latency::{Curve, latency};
pub(super) use ratios::{Row, ratios};
pub(super) use timeline::{Lane, timeline};
