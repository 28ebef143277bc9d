//! What a filter's bits buy: the false-positive rate of a blocked filter, and the number of probes that makes it low.
//!
//! After Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007), section 3. The keys do
//! not spread evenly over the lines: the load of a line is Poisson distributed, and each line is a classic bloom filter
//! of 512 bits with its own rate. The rate of the whole is the mean of those, a little above that of a classic filter
//! of the same size.

use crate::Error;
use crate::probe::LINE_BITS;

/// The fewest bits per key of a filter. With them, six of seven absent keys pass.
pub const MIN_BITS_PER_KEY: f64 = 0.5;

/// The most bits per key of a filter. With them, one of ten million absent keys passes.
pub const MAX_BITS_PER_KEY: f64 = 50.0;

/// From how many bits per key on one more probe pays: below the first 1 probe, from there on 2, and so on.
///
/// The fewest probes whose rate is at most 2 % above that of the best number. A table, so that what is written does not
/// depend on a platform's `exp`; the tests derive it from the theory again.
const PROBE_STEPS: [f64; 17] = [
    2.1875, 3.75, 5.375, 7.0, 8.6875, 10.5625, 12.5, 14.625, 16.875, 19.4375, 22.25, 25.375, 28.875, 32.8125,
    37.25, 42.3125, 48.125,
];

/// Rates are looked up in steps of this many bits, so that the answer does not depend on a platform's `exp` either.
const STEPS_PER_BIT: f64 = 16.0;

/// The bits per key that a builder uses when asked for `bits`: NaN counts as the fewest.
pub(crate) fn clamp_bits(bits: f64) -> f64 {
    if bits.is_nan() { MIN_BITS_PER_KEY } else { bits.clamp(MIN_BITS_PER_KEY, MAX_BITS_PER_KEY) }
}

/// The number of probes for so many bits per key.
pub(crate) fn probes_for(bits: f64) -> u32 {
    1 + PROBE_STEPS.partition_point(|&step| step <= bits) as u32
}

/// The share of absent keys that a filter with so many bits per key lets pass, in theory: about 0.0096 for 10 bits.
///
/// `bits_per_key` is brought into [`MIN_BITS_PER_KEY`] to [`MAX_BITS_PER_KEY`] first, as a builder does.
pub fn expected_false_positive_rate(bits_per_key: f64) -> f64 {
    let bits = clamp_bits(bits_per_key);
    rate_with(bits, probes_for(bits))
}

/// The fewest bits per key, in sixteenths, with which no more than `rate` of the absent keys pass.
///
/// # Errors
///
/// [`Error::InvalidRate`] unless the rate is between 0 and 1, both excluded.
pub(crate) fn bits_for(rate: f64) -> Result<f64, Error> {
    if !(rate > 0.0 && rate < 1.0) {
        return Err(Error::InvalidRate { rate });
    }
    let (mut low, mut high) =
        ((MIN_BITS_PER_KEY * STEPS_PER_BIT) as u32, (MAX_BITS_PER_KEY * STEPS_PER_BIT) as u32);
    while low < high {
        let middle = low.midpoint(high);
        if expected_false_positive_rate(f64::from(middle) / STEPS_PER_BIT) <= rate {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(f64::from(low) / STEPS_PER_BIT)
}

/// The mean over the loads of a line of the classic rate at that load.
pub(crate) fn rate_with(bits: f64, probes: u32) -> f64 {
    let mean_load = LINE_BITS as f64 / bits;
    // Twelve standard deviations: what is beyond them weighs less than the rounding of the rest.
    let max_load = (mean_load + 12.0 * mean_load.sqrt() + 40.0) as u32;
    let mut ln_weight = -mean_load;
    let mut rate = 0.0;
    for load in 0..=max_load {
        rate += ln_weight.exp() * classic_rate(load, probes);
        ln_weight += mean_load.ln() - f64::from(load + 1).ln();
    }
    rate
}

/// The rate of one line with so many keys: the chance that all probes meet a bit that is set.
fn classic_rate(keys: u32, probes: u32) -> f64 {
    let still_zero = (1.0 - 1.0 / LINE_BITS as f64).powf(f64::from(keys * probes));
    (1.0 - still_zero).powf(f64::from(probes))
}
