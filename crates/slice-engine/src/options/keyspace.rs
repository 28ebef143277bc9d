//! What can be chosen for one keyspace; all else is the store's.

use std::sync::Arc;
use std::time::Duration;

use slice_sstable::Compression;

use super::{Options, Strategy};
use crate::values::{CompactionFilterFactory, MergeOperator};

macro_rules! keyspace_options {
    ($($field:ident: $type:ty),* $(,)?) => {
        /// Options of one keyspace. Whatever is not set is as in the [`Options`] of the store, which are those of the
        /// default keyspace.
        ///
        /// They are not kept on disk: an open may choose others, by [`Builder::keyspace`](super::Builder::keyspace) or
        /// when it opens the keyspace.
        ///
        /// ```
        /// use slice::{KeyspaceOptions, Strategy};
        ///
        /// let events = KeyspaceOptions::new().memtable_size(8 << 20).strategy(Strategy::Tiered);
        /// # let _ = events;
        /// ```
        #[derive(Clone, Debug, Default, PartialEq)]
        #[must_use = "options do nothing until a keyspace is opened with them"]
        pub struct KeyspaceOptions {
            $($field: Option<$type>,)*
        }

        impl KeyspaceOptions {
            /// Those of the store.
            pub fn new() -> Self {
                Self::default()
            }

            $(
                #[doc = concat!("Sets [`Options::", stringify!($field), "`] for the keyspace.")]
                pub fn $field(mut self, $field: $type) -> Self {
                    self.$field = Some($field);
                    self
                }
            )*

            /// All options of the keyspace in a store of these options.
            pub(crate) fn over(&self, store: &Options) -> Options {
                let mut options = store.clone();
                $(if let Some(own) = &self.$field {
                    options.$field = own.clone();
                })*
                options
            }
        }
    };
}

keyspace_options! {
    memtable_size: usize,
    block_size: usize,
    compression: Compression,
    compression_by_level: Vec<Compression>,
    filter_bits_per_key: f64,
    strategy: Strategy,
    max_levels: usize,
    l0_compaction_trigger: usize,
    l0_slowdown_trigger: usize,
    level_base_bytes: u64,
    level_multiplier: u64,
    target_table_bytes: u64,
    default_ttl: Option<Duration>,
    merge_operator: Option<Arc<dyn MergeOperator>>,
    compaction_filter: Option<Arc<dyn CompactionFilterFactory>>,
}
