//! Chance, for a nanosecond each time.

use std::cell::Cell;

thread_local! {
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// Yes one time in eight, in no order that a reader could be in step with. Each thread has its own dice.
#[inline]
pub(super) fn one_in_eight() -> bool {
    STATE.with(|state| {
        // Knuth's MMIX generator; its upper bits are the good ones.
        let next =
            state.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.set(next);
        next >> 61 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_about_one_in_eight_and_never_long_without() {
        let (mut hits, mut gap, mut longest) = (0, 0, 0);
        for _ in 0..80_000 {
            gap = if one_in_eight() { 0 } else { gap + 1 };
            hits += usize::from(gap == 0);
            longest = longest.max(gap);
        }
        assert!((9_000..11_000).contains(&hits) && longest < 200, "{hits} hits, {longest} without");
    }
}
