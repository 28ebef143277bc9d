//! Ways to choose keys, as the [YCSB](https://doi.org/10.1145/1807128.1807152) has them.

use rand::RngExt;

use crate::keys::mix;

/// The skew of the YCSB.
pub const YCSB_THETA: f64 = 0.99;

/// Ranks from 0, where rank `r` comes up in proportion to `1 / (r + 1)^theta`.
///
/// The algorithm is that of Gray et al., [Quickly Generating Billion-Record Synthetic
/// Databases](https://doi.org/10.1145/191839.191886), 1994: exact for the first two ranks, close for the others.
#[derive(Clone, Copy, Debug)]
pub struct Zipfian {
    items: u64,
    zeta: f64,
    /// Below this the rank is 0 or 1.
    first_two: f64,
    alpha: f64,
    eta: f64,
}

impl Zipfian {
    /// Ranks below `items`. Takes time in proportion to them.
    ///
    /// # Panics
    ///
    /// Panics if there are no items, or if `theta` is not between 0 and 1.
    pub fn new(items: u64, theta: f64) -> Self {
        assert!(items > 0 && theta > 0.0 && theta < 1.0, "no Zipfian of {items} items, theta {theta}");
        let zeta = zeta(items, theta);
        let eta = (1.0 - (2.0 / items as f64).powf(1.0 - theta)) / (1.0 - zeta_of_two(theta) / zeta);
        Self { items, zeta, first_two: zeta_of_two(theta), alpha: 1.0 / (1.0 - theta), eta }
    }

    /// Draws a rank.
    #[inline]
    pub fn sample(&self, rng: &mut impl rand::Rng) -> u64 {
        let u: f64 = rng.random();
        let uz = u * self.zeta;
        if uz < 1.0 {
            return 0;
        }
        if uz < self.first_two {
            return 1.min(self.items - 1);
        }
        let rank = self.items as f64 * (self.eta * u - self.eta + 1.0).powf(self.alpha);
        (rank as u64).min(self.items - 1)
    }
}

fn zeta(items: u64, theta: f64) -> f64 {
    (1..=items).map(|i| (i as f64).powf(-theta)).sum()
}

fn zeta_of_two(theta: f64) -> f64 {
    1.0 + 0.5_f64.powf(theta)
}

/// A fixed shuffle of `0..items` that takes no memory: a Feistel network of four steps, walked until it is within.
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    items: u64,
    /// Bits of the lower part; the upper has as many, or one less.
    low_bits: u32,
    high_bits: u32,
    keys: [u64; 4],
}

impl Permutation {
    /// One of the shuffles of `0..items`, which is at most 2^62.
    ///
    /// # Panics
    ///
    /// Panics if it is more.
    pub fn new(items: u64, seed: u64) -> Self {
        assert!(items <= 1 << 62, "{items} items are too many to shuffle");
        let bits = (u64::BITS - items.saturating_sub(1).leading_zeros()).max(2);
        let keys = [0, 1, 2, 3].map(|step| mix(seed.wrapping_add(step)));
        Self { items, low_bits: bits.div_ceil(2), high_bits: bits / 2, keys }
    }

    /// Where an item goes.
    ///
    /// # Panics
    ///
    /// Panics if it is none of the items: the walk might not end.
    #[inline]
    pub fn at(&self, item: u64) -> u64 {
        assert!(item < self.items, "{item} is not below {}", self.items);
        let mut shuffled = self.steps(item);
        // At most twice as many numbers as items: a few steps, and it ends, as `item` is on the same cycle.
        while shuffled >= self.items {
            shuffled = self.steps(shuffled);
        }
        shuffled
    }

    /// Each step changes one part by the other, which can be undone.
    #[inline]
    fn steps(&self, x: u64) -> u64 {
        let (mut high, mut low) = (x >> self.low_bits, x & ((1 << self.low_bits) - 1));
        for pair in self.keys.chunks_exact(2) {
            low ^= hash(high ^ pair[0]) >> (u64::BITS - self.low_bits);
            high ^= hash(low ^ pair[1]) >> (u64::BITS - self.high_bits);
        }
        (high << self.low_bits) | low
    }
}

/// One multiplication whose upper bits are good: all that four steps need.
#[inline]
const fn hash(x: u64) -> u64 {
    let x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ (x >> 32)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// Zipfian, with the hot keys scattered over all keys.
///
/// The YCSB scatters by a hash, by which ranks collide. Steps of about the golden section of all keys, which have no
/// factor in common with their number, keep the shape exact, for the price of a division.
#[derive(Clone, Copy, Debug)]
pub struct Scrambled {
    ranks: Zipfian,
    step: u64,
    offset: u64,
}

impl Scrambled {
    /// Indexes below `items`, with the skew of the YCSB.
    ///
    /// # Panics
    ///
    /// Panics if there are no items, or more than 2^32.
    pub fn new(items: u64, seed: u64) -> Self {
        assert!(items <= 1 << 32, "{items} items are too many to scatter");
        let golden = (items as f64 * 0.618_033_988_749_895) as u64;
        // One of any few neighbours will do.
        let step = (golden.max(1)..=items).find(|&step| common_factor(step, items) == 1).unwrap_or(1);
        Self { ranks: Zipfian::new(items, YCSB_THETA), step, offset: seed % items }
    }

    /// Draws an index.
    #[inline]
    pub fn sample(&self, rng: &mut impl rand::Rng) -> u64 {
        (self.ranks.sample(rng) * self.step + self.offset) % self.ranks.items
    }

    /// The same skew over ages.
    pub fn latest(&self) -> Latest {
        Latest { ages: self.ranks }
    }
}

fn common_factor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_factor(b, a % b) }
}

/// Zipfian, counted back from the newest of a number of items that grows: what was written last is hottest.
#[derive(Clone, Copy, Debug)]
pub struct Latest {
    ages: Zipfian,
}

impl Latest {
    /// Draws an index that is not above the newest.
    #[inline]
    pub fn sample(&self, newest: u64, rng: &mut impl rand::Rng) -> u64 {
        newest - self.ages.sample(rng).min(newest)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    const DRAWS: u32 = 200_000;

    fn counts(items: usize, mut draw: impl FnMut(&mut SmallRng) -> u64) -> Vec<f64> {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut counts = vec![0.0; items];
        for _ in 0..DRAWS {
            counts[draw(&mut rng) as usize] += 1.0 / f64::from(DRAWS);
        }
        counts
    }

    #[test]
    fn zipfian_ranks_come_up_as_often_as_the_law_says() {
        let zipfian = Zipfian::new(1000, YCSB_THETA);
        let counts = counts(1000, |rng| zipfian.sample(rng));
        let law = |ranks: std::ops::Range<usize>| -> f64 {
            ranks.map(|r| ((r + 1) as f64).powf(-YCSB_THETA)).sum::<f64>() / zeta(1000, YCSB_THETA)
        };
        for (ranks, tolerance) in
            [(0..1, 0.005), (1..2, 0.005), (0..10, 0.02), (0..100, 0.02), (500..1000, 0.02)]
        {
            let share: f64 = counts[ranks.clone()].iter().sum();
            let expected = law(ranks.clone());
            assert!((share - expected).abs() < tolerance, "{ranks:?}: {share} and not {expected}");
        }
    }

    #[test]
    fn zipfian_of_one_or_two_items_stays_within() {
        assert!(counts(1, |rng| Zipfian::new(1, YCSB_THETA).sample(rng))[0] > 0.99);
        let two = counts(2, |rng| Zipfian::new(2, YCSB_THETA).sample(rng));
        assert!((two[0] - 1.0 / zeta_of_two(YCSB_THETA)).abs() < 0.01, "{two:?}");
    }

    #[test]
    fn a_permutation_meets_every_item_once() {
        for items in [1, 2, 3, 10, 64, 65, 1000, 4097] {
            let permutation = Permutation::new(items, 9);
            let met: BTreeSet<u64> = (0..items).map(|item| permutation.at(item)).collect();
            assert_eq!(met, (0..items).collect());
        }
    }

    #[test]
    fn a_permutation_leaves_few_items_beside_their_neighbours() {
        let permutation = Permutation::new(10_000, 9);
        let near = (1..10_000).filter(|&i| permutation.at(i).abs_diff(permutation.at(i - 1)) < 10).count();
        assert!(near < 100, "{near} of 10000 pairs are still near each other");
    }

    #[test]
    fn scrambling_moves_the_hot_keys_and_keeps_their_shares() {
        let mut ranks = counts(1000, |rng| Zipfian::new(1000, YCSB_THETA).sample(rng));
        let scrambled = Scrambled::new(1000, 3);
        let mut places = counts(1000, |rng| scrambled.sample(rng));
        assert_ne!(ranks, places);
        ranks.sort_by(f64::total_cmp);
        places.sort_by(f64::total_cmp);
        assert_eq!(ranks, places);
    }

    #[test]
    fn latest_prefers_the_newest_and_never_goes_beyond() {
        let latest = Scrambled::new(1000, 0).latest();
        let counts = counts(500, |rng| latest.sample(499, rng));
        let newest = 1.0 / zeta(1000, YCSB_THETA);
        assert!((counts[499] - newest).abs() < 0.005, "{} and not {newest}", counts[499]);
    }
}
