//! The parts, each by itself.
