//! Ratios between engines, round by round: what a noisy machine can tell.
//!
//! The engines of a round run one after the other, so what slows the machine down for a minute slows down all of them.
//! The ratio is therefore taken within a round, and of the rounds the median counts:
//!
//! ```text
//! round        0     1     2
//! slice      900   600   840
//! rival A    300   220   300      the best rival of a round is the divisor
//! rival B    310   150   280
//! ratio     2.90  2.73  2.80      median 2.80, from 2.73 to 2.90
//! ```

/// Which of two figures is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Throughput.
    More,
    /// Time, memory, space.
    Less,
}

impl Better {
    /// The best of some figures.
    fn best(self, figures: impl Iterator<Item = f64>) -> Option<f64> {
        match self {
            Self::More => figures.max_by(f64::total_cmp),
            Self::Less => figures.min_by(f64::total_cmp),
        }
    }

    /// How much better the one is than the other: 2 is twice as good, whatever good is.
    fn ratio(self, own: f64, other: f64) -> f64 {
        match self {
            Self::More => own / other,
            Self::Less => other / own,
        }
    }
}

/// A ratio of several rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Half of the rounds are below, half above.
    pub median: f64,
    /// The worst round.
    pub min: f64,
    /// The best round.
    pub max: f64,
}

/// What one engine measured, by round; nothing for a round that it did not run.
pub type Rounds = Vec<Option<f64>>;

/// How much better an engine is than the best of its rivals, in the rounds that it and one of them at least have run.
pub fn ratio(better: Better, own: &Rounds, rivals: &[Rounds]) -> Option<Ratio> {
    let of_round = |(round, own): (usize, &Option<f64>)| {
        let others = rivals.iter().filter_map(|rival| usable(*rival.get(round)?));
        Some(better.ratio(usable(*own)?, better.best(others)?))
    };
    let ratios: Vec<f64> = own.iter().enumerate().filter_map(of_round).collect();
    Some(Ratio {
        median: median(&ratios)?,
        min: ratios.iter().copied().min_by(f64::total_cmp)?,
        max: ratios.iter().copied().max_by(f64::total_cmp)?,
    })
}

/// A figure that something can be divided by.
fn usable(figure: Option<f64>) -> Option<f64> {
    figure.filter(|figure| figure.is_finite() && *figure > 0.0)
}

/// The middle one; of an even number, the mean of the two in the middle.
pub fn median(figures: &[f64]) -> Option<f64> {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(figures: &[f64]) -> Rounds {
        figures.iter().copied().map(Some).collect()
    }

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 0.005
    }

    #[test]
    fn the_median_is_in_the_middle_and_of_nothing_there_is_none() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn the_divisor_is_the_best_rival_of_the_round() {
        let rivals = [rounds(&[300.0, 220.0, 300.0]), rounds(&[310.0, 150.0, 280.0])];
        let ratio = ratio(Better::More, &rounds(&[900.0, 600.0, 840.0]), &rivals).unwrap();
        assert!(close(ratio.median, 2.80) && close(ratio.min, 2.73) && close(ratio.max, 2.90), "{ratio:?}");
    }

    #[test]
    fn a_slow_minute_does_not_change_a_ratio() {
        let quiet = ratio(Better::More, &rounds(&[900.0, 900.0]), &[rounds(&[300.0, 300.0])]);
        let noisy = ratio(Better::More, &rounds(&[900.0, 90.0]), &[rounds(&[300.0, 30.0])]);
        assert_eq!(quiet, noisy);
    }

    #[test]
    fn less_of_what_costs_is_a_ratio_above_one() {
        let rivals = [rounds(&[4.0]), rounds(&[3.0])];
        let ratio = ratio(Better::Less, &rounds(&[1.5]), &rivals).unwrap();
        assert!(close(ratio.median, 2.0), "{ratio:?}");
    }

    #[test]
    fn rounds_that_were_not_run_do_not_count() {
        let own = vec![Some(200.0), None, Some(600.0), Some(500.0)];
        let rivals = [vec![Some(100.0), Some(1.0), None], vec![None, Some(1.0), Some(200.0)]];
        let ratio = ratio(Better::More, &own, &rivals).unwrap();
        assert!(close(ratio.min, 2.0) && close(ratio.max, 3.0) && close(ratio.median, 2.5), "{ratio:?}");
    }

    #[test]
    fn nothing_is_divided_by_a_rival_that_measured_nothing() {
        for nothing in [0.0, f64::NAN, f64::INFINITY] {
            assert_eq!(ratio(Better::More, &rounds(&[1.0]), &[rounds(&[nothing])]), None);
            assert_eq!(ratio(Better::Less, &rounds(&[nothing]), &[rounds(&[1.0])]), None);
        }
        assert_eq!(ratio(Better::More, &rounds(&[1.0]), &[]), None);
    }
}
