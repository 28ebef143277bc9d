//! What was chosen for a keyspace, and what follows from it.

use slice_compaction::{CompactionStrategy, Leveled, StrategyOptions, Tiered};
use slice_sstable::{Compression, TableOptions};
use slice_types::Level;

use crate::options::{Options, Strategy};

/// The options of a keyspace, and the strategy that they ask for.
pub(crate) struct Settings {
    /// Those of the store, with the keyspace's own in their places.
    pub(crate) options: Options,
    pub(crate) strategy: Box<dyn CompactionStrategy>,
    pub(crate) strategy_options: StrategyOptions,
}

impl Settings {
    pub(crate) fn new(options: Options) -> Self {
        let strategy_options = strategy_options(&options);
        Self { strategy: strategy(&options, &strategy_options), strategy_options, options }
    }

    /// How tables of a level are built.
    pub(crate) fn table_options(&self, level: Level) -> TableOptions {
        TableOptions {
            block_size: self.options.block_size,
            compression: self.compression(level),
            filter_bits_per_key: self.options.filter_bits_per_key,
        }
    }

    fn compression(&self, level: Level) -> Compression {
        let by_level = &self.options.compression_by_level;
        let chosen = by_level.get(level.index()).or(by_level.last());
        chosen.copied().unwrap_or(self.options.compression)
    }
}

fn strategy_options(options: &Options) -> StrategyOptions {
    StrategyOptions {
        levels: options.max_levels,
        l0_trigger: options.l0_compaction_trigger,
        level_base_bytes: options.level_base_bytes,
        level_multiplier: options.level_multiplier,
        target_table_bytes: options.target_table_bytes,
        max_sstables_per_job: options.compaction.max_sstables_per_job,
        ..StrategyOptions::default()
    }
}

fn strategy(options: &Options, numbers: &StrategyOptions) -> Box<dyn CompactionStrategy> {
    match options.strategy {
        Strategy::Leveled => Box::new(Leveled::new(numbers.clone())),
        Strategy::Tiered => Box::new(Tiered::new(numbers.clone())),
    }
}
