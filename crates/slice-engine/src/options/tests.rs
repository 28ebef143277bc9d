//! Bad options are refused by name, before anything is touched.

use std::time::Duration;

use slice_compaction::CompactionConfig;

use crate::{Durability, ErrorKind, Options, Profile};

type Damage = fn(&mut Options);

#[test]
fn the_defaults_are_valid() {
    Options::default().validate().unwrap();
}

#[test]
fn so_are_those_of_every_profile_and_they_differ() {
    let profiles = [Profile::Balanced, Profile::ReadHeavy, Profile::WriteHeavy, Profile::SmallMemory];
    let options = profiles.map(Options::for_profile);
    for (n, one) in options.iter().enumerate() {
        one.validate().unwrap();
        assert!(options[..n].iter().all(|other| other != one), "{:?}", profiles[n]);
    }
}

#[test]
fn each_option_out_of_its_bounds_is_refused_by_name() {
    let cases: [(&str, Damage); 16] = [
        ("memory_budget", |o| o.memory_budget = Some(1)),
        ("memtable_size", |o| o.memtable_size = 0),
        ("max_frozen_memtables", |o| o.max_frozen_memtables = 0),
        ("block_size", |o| o.block_size = 1),
        ("filter_bits_per_key", |o| o.filter_bits_per_key = f64::NAN),
        ("max_levels", |o| o.max_levels = 1),
        ("l0_compaction_trigger", |o| o.l0_compaction_trigger = 0),
        ("l0_slowdown_trigger", |o| o.l0_slowdown_trigger = o.l0_compaction_trigger - 1),
        ("level_base_bytes", |o| o.level_base_bytes = 0),
        ("level_multiplier", |o| o.level_multiplier = 1),
        ("target_table_bytes", |o| o.target_table_bytes = 0),
        ("merge_part_bytes", |o| o.merge_part_bytes = 0),
        ("default_ttl", |o| o.default_ttl = Some(Duration::ZERO)),
        ("flush_interval", |o| o.flush_interval = Duration::ZERO),
        ("durability interval", |o| o.durability = Durability::Interval(Duration::ZERO)),
        ("merge_parallelism", |o| {
            o.compaction = CompactionConfig { merge_parallelism: 0, ..Default::default() }
        }),
    ];
    for (field, damage) in cases {
        let mut options = Options::default();
        damage(&mut options);
        let error = options.validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(field), "{field}: {error}");
    }
}
