//! Medians, and how far to trust them.

use serde::{Deserialize, Serialize};

const RESAMPLES: usize = 10_000;

/// A median with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Estimate {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The median of the values; `None` if there are none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    (!values.is_empty()).then(|| median_of(&mut values))
}

/// The median, and where it would be in 95 % of repetitions: a percentile bootstrap, which takes the values that were
/// measured for all that could have been, and assumes nothing about how they are spread.
///
/// Of fewer than [nine](crate::run::ROUNDS) values it is narrower than it should be.
pub(crate) fn estimate(values: &[f64]) -> Option<Estimate> {
    let median = median(values.iter().copied())?;
    // The same seed each time, so that the same measurements give the same report.
    let mut random = fastrand::Rng::with_seed(0);
    let mut resample = vec![0.0; values.len()];
    let mut medians: Vec<f64> = std::iter::repeat_with(|| {
        resample.fill_with(|| values[random.usize(..values.len())]);
        median_of(&mut resample)
    })
    .take(RESAMPLES)
    .collect();
    medians.sort_by(f64::total_cmp);
    Some(Estimate {
        median,
        low: medians[RESAMPLES / 40],
        high: medians[RESAMPLES - 1 - RESAMPLES / 40],
    })
}

fn median_of(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::ROUNDS;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0]), Some(3.0));
        assert_eq!(median([9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([9.0, 1.0, 2.0, 4.0]), Some(3.0));
    }

    #[test]
    fn equal_values_leave_no_doubt() {
        let estimate = estimate(&[4.0; 7]).unwrap();
        let sure = Estimate {
            median: 4.0,
            low: 4.0,
            high: 4.0,
        };
        assert_eq!(estimate, sure);
    }

    #[test]
    fn the_interval_holds_the_median_and_is_the_same_each_time() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0, 100.0, 6.0];
        let first = estimate(&values).unwrap();
        assert_eq!(first.median, 4.0);
        assert!(first.low < 4.0 && 4.0 < first.high, "{first:?}");
        // The one outlier is in most resamples, and the median of hardly any.
        assert!(first.high < 100.0, "{first:?}");
        assert_eq!(estimate(&values), Some(first));
        assert_eq!(estimate(&[]), None);
    }

    /// Of samples from a known distribution, nearly all intervals must hold its median.
    #[test]
    fn the_interval_is_as_wide_as_it_says() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut holds = || {
            let values: Vec<f64> = (0..ROUNDS).map(|_| random.f64()).collect();
            let estimate = estimate(&values).unwrap();
            estimate.low <= 0.5 && 0.5 <= estimate.high
        };
        let held = (0..200).filter(|_| holds()).count();
        assert!((186..=197).contains(&held), "{held} of 200");
    }
}
