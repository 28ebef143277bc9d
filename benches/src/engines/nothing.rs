//! No store at all: what the driver itself costs.
//!
//! Keys and values are taken and forgotten. A read makes the value that the first write of the key would have had, so
//! that checking costs what it does elsewhere.

use std::cell::RefCell;
use std::time::Duration;

use crate::engine::{Direction, Engine, Mode};
use crate::keys::{Values, index_of, key};

thread_local! {
    /// Kept, to spare the allocation.
    static VALUE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Answers everything rightly, and does nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nothing {
    /// How many keys are said to be there.
    pub keys: u64,
    /// The values that they are said to have.
    pub values: Values,
}

impl Engine for Nothing {
    const MODE: Mode = Mode::Threads;

    async fn put(&self, key: &[u8], value: &[u8]) -> anyhow::Result<()> {
        std::hint::black_box((key, value));
        Ok(())
    }

    async fn delete(&self, key: &[u8]) -> anyhow::Result<()> {
        std::hint::black_box(key);
        Ok(())
    }

    async fn get<R: Send>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R + Send,
    ) -> anyhow::Result<Option<R>> {
        let Some(index) = index_of(key) else { return Ok(None) };
        Ok(Some(VALUE.with_borrow_mut(|value| {
            self.values.fill(index, 0, value);
            read(value)
        })))
    }

    async fn scan(
        &self,
        from: &[u8],
        limit: u64,
        direction: Direction,
        mut each: impl FnMut(&[u8], &[u8]) + Send,
    ) -> anyhow::Result<()> {
        let Some(from) = index_of(from) else { return Ok(()) };
        let mut value = Vec::new();
        let mut give = |index| {
            self.values.fill(index, 0, &mut value);
            each(&key(index), &value);
        };
        match direction {
            Direction::Forward => (from..self.keys.min(from.saturating_add(limit))).for_each(&mut give),
            Direction::Back => (0..=from).rev().take(limit as usize).for_each(&mut give),
        }
        Ok(())
    }

    async fn flush(&self) -> anyhow::Result<()> {
        Ok(())
    }

    async fn settle(&self) -> anyhow::Result<Duration> {
        Ok(Duration::ZERO)
    }

    async fn full_compaction(&self) -> anyhow::Result<()> {
        Ok(())
    }

    async fn close(self) -> anyhow::Result<()> {
        Ok(())
    }
}
