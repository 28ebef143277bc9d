//! Refuses options that cannot work, naming the field, the value and the bounds.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use slice_types::{Error, Result};

use super::{Durability, LEVELS_MAX, Options};
use crate::values::millis;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;
const TICKS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(365 * 24 * 3600);

impl Options {
    /// Checks every field against its bounds.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument), naming the first field that is out of its bounds.
    pub fn validate(&self) -> Result<()> {
        within("memtable_size", self.memtable_size as u64, KIB..=TIB)?;
        within("max_frozen_memtables", self.max_frozen_memtables, 1..=1000)?;
        if let Some(budget) = self.memory_budget {
            within("memory_budget", budget as u64, 4 * MIB..=1024 * TIB)?;
        }
        within("block_size", self.block_size as u64, 64..=16 * MIB)?;
        within("filter_bits_per_key", self.filter_bits_per_key, 0.0..=50.0)?;
        within("compression_by_level", self.compression_by_level.len(), 0..=LEVELS_MAX)?;
        within("max_levels", self.max_levels, 2..=LEVELS_MAX)?;
        within("l0_compaction_trigger", self.l0_compaction_trigger, 1..=1000)?;
        within("l0_slowdown_trigger", self.l0_slowdown_trigger, self.l0_compaction_trigger..=10_000)?;
        within("level_base_bytes", self.level_base_bytes, KIB..=TIB)?;
        within("level_multiplier", self.level_multiplier, 2..=100)?;
        within("target_table_bytes", self.target_table_bytes, KIB..=TIB)?;
        within("merge_part_bytes", self.merge_part_bytes, KIB..=TIB)?;
        if let Some(ttl) = self.default_ttl {
            within("default_ttl, in milliseconds,", millis(ttl), 1..=u64::MAX)?;
        }
        self.validate_times()?;
        self.compaction.validate()
    }

    fn validate_times(&self) -> Result<()> {
        let mut times = vec![
            ("memtable_max_age", self.memtable_max_age),
            ("flush_interval", self.flush_interval),
            ("compaction_interval", self.compaction_interval),
        ];
        if let Durability::Interval(interval) = self.durability {
            times.push(("durability interval", interval));
        }
        for (field, value) in times {
            if !TICKS.contains(&value) {
                return Err(refused(
                    field,
                    format!("{value:?}"),
                    &format!("{:?} to {:?}", TICKS.start(), TICKS.end()),
                ));
            }
        }
        Ok(())
    }
}

fn within<T: PartialOrd + Display>(field: &str, value: T, bounds: RangeInclusive<T>) -> Result<()> {
    if bounds.contains(&value) {
        return Ok(());
    }
    Err(refused(field, value, &format!("{} to {}", bounds.start(), bounds.end())))
}

fn refused(field: &str, value: impl Display, bounds: &str) -> Error {
    Error::invalid_argument(format!("option {field} is {value}, and must be within {bounds}"))
}
