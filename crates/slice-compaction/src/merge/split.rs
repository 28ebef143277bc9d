//! Splitting a job into key ranges of about equal size, to be merged in parallel.

/// At most `parts - 1` user keys, ascending, that split the tables' data into ranges of about equal size.
///
/// Each table is a list of samples, ascending: a user key, and the bytes of the table's data from the sample before up
/// to that key. The entries of a table's index are such a list; so is `[(largest, bytes)]`, if coarse.
///
/// Range `i` goes from key `i - 1` (included) to key `i` (excluded), the first from the start and the last to the end:
/// what [`MergeOptions::range`](super::MergeOptions::range) takes. A user key has all of its versions in one range.
/// Fewer keys come back when there are too few samples; none for `parts` of 0 or 1.
///
/// Source: RocksDB, `CompactionJob::GenSubcompactionBoundaries`.
pub fn split_ranges(tables: &[Vec<(Vec<u8>, u64)>], parts: usize) -> Vec<Vec<u8>> {
    let mut samples: Vec<(&[u8], u64)> =
        tables.iter().flatten().map(|(key, bytes)| (key.as_slice(), *bytes)).collect();
    samples.sort_unstable();
    let total: u128 = samples.iter().map(|(_, bytes)| u128::from(*bytes)).sum();
    // The last key would leave a range with nothing but itself.
    let last = samples.last().map(|(key, _)| *key);
    let mut keys: Vec<Vec<u8>> = Vec::new();
    let mut passed = 0_u128;
    for (key, bytes) in samples {
        passed += u128::from(bytes);
        let is_due = passed * parts as u128 >= total * (keys.len() as u128 + 1);
        let is_new = keys.last().is_none_or(|last| last.as_slice() < key);
        if is_due && is_new && Some(key) != last && keys.len() + 1 < parts {
            keys.push(key.to_vec());
        }
    }
    keys
}
