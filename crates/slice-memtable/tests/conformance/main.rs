//! What holds for every memtable, whatever its structure. A new one is one more line at the end.

mod basics;
mod concurrent;
mod model;

/// Makes a test of each function, for one type.
macro_rules! tests_of {
    ($memtable:ty: $($module:ident::{$($test:ident),* $(,)?})*) => {
        $($(#[test] fn $test() { crate::$module::$test::<$memtable>(); })*)*
    };
}

/// The whole suite, for one type.
macro_rules! conformance {
    ($memtable:ty) => {
        tests_of! { $memtable:
            basics::{
                an_empty_table_has_nothing,
                the_newest_version_at_or_below_a_seqno_is_found,
                a_tombstone_is_an_answer,
                keys_and_values_of_every_length_come_back,
                a_value_outlives_its_table,
                an_iterator_keeps_its_table_alive,
                an_iterator_stays_on_none_off_either_end,
                a_seek_sees_what_came_since_the_last,
                the_counters_follow_the_entries,
                memory_grows_by_at_least_what_is_stored,
                an_entry_that_could_not_be_read_back_is_refused,
                a_range_tombstone_is_no_entry_of_its_start,
                a_table_of_nothing_but_a_range_tombstone_is_not_empty,
            }
            concurrent::{
                readers_see_every_published_entry,
                scans_beside_a_writer_are_sorted_and_complete,
                two_writers_at_once_lose_nothing,
            }
            model::{
                it_answers_as_a_sorted_map_does,
                it_moves_as_a_sorted_map_does,
                it_finds_range_tombstones_as_a_list_does,
            }
        }
    };
}

mod any {
    conformance!(slice_memtable::AnyMemTable);
}

mod btree {
    conformance!(slice_memtable::BTreeMemTable);
}

mod skiplist {
    conformance!(slice_memtable::SkipListMemTable);
}
