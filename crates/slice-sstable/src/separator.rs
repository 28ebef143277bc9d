//! Short keys that stand between blocks.
//!
//! LevelDB's `FindShortestSeparator` is the model: a fence need not be a key of the table.

use crate::block::common_prefix_len;

/// A short key `s` with `last <= s < next`, in `out`.
///
/// # Panics
///
/// When `last` is not below `next`.
pub(crate) fn separate(last: &[u8], next: &[u8], out: &mut Vec<u8>) {
    assert!(last < next, "nothing stands between a key and one that is not above it");
    out.clear();
    let shared_len = common_prefix_len(last, next);
    if shared_len == last.len() {
        out.extend_from_slice(last);
    } else if next.len() > shared_len + 1 {
        // Cut behind the first byte that differs, `next` stays above `last`, and is below itself uncut.
        out.extend_from_slice(&next[..=shared_len]);
    } else {
        round_up(last, shared_len, next[shared_len], out);
    }
    debug_assert!(last <= out.as_slice() && out.as_slice() < next, "a separator separates");
}

/// `last`, cut as early as a byte can be raised without reaching `limit` at `at`, where the keys first differ.
fn round_up(last: &[u8], at: usize, limit: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(last);
    let can_rise = |&i: &usize| if i == at { last[i] + 1 < limit } else { last[i] < u8::MAX };
    if let Some(cut) = (at..last.len()).find(can_rise) {
        out.truncate(cut + 1);
        // The last byte of a separator that ends with `last` itself need not rise.
        if cut + 1 < last.len() {
            out[cut] += 1;
        }
    }
}
