//! Where the ordinary ends: the nine trigger methods.
//!
//! With `x` the values and `s` the sensitivity:
//!
//! | method | frontier |
//! | --- | --- |
//! | `percentile` | the `s`-th percentile of the distinct values, between two of them linear |
//! | `pct_of_max_value` | `max(x) · s / 100` |
//! | `pct_of_median_value` | `median(x) · s / 100` |
//! | `pct_of_avg_value` | `mean(x) · s / 100` |
//! | `stdev` | `mean(x) ± s · σ`, with σ of the population |
//! | `mad` | `median(x) ± s · MAD`, MAD the median of the distances from the median |
//! | `madpos` | as `mad`, but not below 0 |
//! | `float` | `s` |
//! | `coeff_of_variation` | `σ / mean(x)` |
//!
//! `±` is `+` where high values are outliers, `−` where low ones are. Where half of the values are the same, MAD is 0 and `mad`
//! would call every other value an outlier: then it is `mean(x) ± s · σ`; ee-outliers takes 1 for `s` there.

use crate::Mode;

/// Which values are outliers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    High,
    Low,
}

impl Side {
    /// Whether a value lies beyond a frontier.
    pub(crate) fn is_beyond(self, value: f64, frontier: f64) -> bool {
        match self {
            Side::High => value > frontier,
            Side::Low => value < frontier,
        }
    }

    fn sign(self) -> f64 {
        match self {
            Side::High => 1.0,
            Side::Low => -1.0,
        }
    }
}

/// A trigger method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Percentile,
    PctOfMax,
    PctOfMedian,
    PctOfAvg,
    Stdev,
    Mad,
    MadPos,
    Float,
    CoeffOfVariation,
}

/// All of them by name.
pub(crate) const METHODS: [(&str, Method); 9] = [
    ("percentile", Method::Percentile),
    ("pct_of_max_value", Method::PctOfMax),
    ("pct_of_median_value", Method::PctOfMedian),
    ("pct_of_avg_value", Method::PctOfAvg),
    ("stdev", Method::Stdev),
    ("mad", Method::Mad),
    ("madpos", Method::MadPos),
    ("float", Method::Float),
    ("coeff_of_variation", Method::CoeffOfVariation),
];

/// What decides: a method, how sensitive it is, and on which side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trigger {
    pub(crate) method: Method,
    pub(crate) sensitivity: f64,
    pub(crate) side: Side,
    pub(crate) mode: Mode,
}

impl Trigger {
    /// The frontier for these values; not a number if there is none.
    pub(crate) fn frontier(&self, values: &[f64]) -> f64 {
        let share = self.sensitivity / 100.0;
        match self.method {
            Method::Percentile => percentile(values, self.sensitivity),
            Method::PctOfMax => max(values) * share,
            Method::PctOfMedian => median(values) * share,
            Method::PctOfAvg => mean(values) * share,
            Method::Stdev => {
                mean(values) + self.side.sign() * (self.sensitivity * deviation(values))
            }
            Method::Mad => self.mad(values),
            Method::MadPos => self.mad(values).max(0.0),
            Method::Float => self.sensitivity,
            Method::CoeffOfVariation => deviation(values) / mean(values),
        }
    }

    /// What it decides for these values, in words.
    pub(crate) fn explain(&self, values: &[f64]) -> String {
        let side = match self.side {
            Side::High => "above",
            Side::Low => "below",
        };
        let method = METHODS.iter().find(|(_, method)| *method == self.method);
        let method = method.map_or("", |(name, _)| name);
        let (frontier, sensitivity) = (self.frontier(values), self.sensitivity);
        format!("outliers are {side} {frontier} ({method}, {sensitivity})")
    }

    fn mad(&self, values: &[f64]) -> f64 {
        let middle = median(values);
        let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        let frontier = middle + self.side.sign() * (self.sensitivity * median(&distances));
        if frontier != middle {
            return frontier;
        }
        let times = match self.mode {
            Mode::Compat => 1.0,
            Mode::Strict => self.sensitivity,
        };
        mean(values) + self.side.sign() * (times * deviation(values))
    }
}

/// The largest value, where a value that is no number wins if it comes first.
fn max(values: &[f64]) -> f64 {
    let larger = |a: f64, b: &f64| if *b > a { *b } else { a };
    let mut values = values.iter();
    let first = values.next().copied().unwrap_or(f64::NAN);
    values.fold(first, larger)
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        1 => sorted[middle],
        _ => (sorted[middle - 1] + sorted[middle]) / 2.0,
    }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    sum(values) / values.len() as f64
}

/// The standard deviation of the population.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: Vec<f64> = values
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .collect();
    (sum(&squares) / values.len() as f64).sqrt()
}

fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut distinct = values.to_vec();
    if distinct.iter().any(|value| value.is_nan()) || !(0.0..=100.0).contains(&percent) {
        return f64::NAN;
    }
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let Some(last) = distinct.len().checked_sub(1) else {
        return f64::NAN;
    };
    let at = percent / 100.0 * last as f64;
    let below = (at.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let part = at - below as f64;
    let (low, high) = (distinct[below], distinct[above]);
    // From the nearer end, which is how the last digit comes out right.
    match part >= 0.5 {
        true => high - (high - low) * (1.0 - part),
        false => low + (high - low) * part,
    }
}

/// The sum, added up in pairs as numpy does: frontiers are shown with all their digits.
fn sum(values: &[f64]) -> f64 {
    const BLOCK: usize = 128;
    match values.len() {
        0..8 => values.iter().fold(-0.0, |sum, value| sum + value),
        length if length <= BLOCK => {
            let (eights, rest) = values.as_chunks::<8>();
            let mut sums = [0.0; 8];
            for (number, eight) in eights.iter().enumerate() {
                for (sum, value) in sums.iter_mut().zip(eight) {
                    *sum = if number == 0 { *value } else { *sum + value };
                }
            }
            let [a, b, c, d, e, f, g, h] = sums;
            let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
            rest.iter().fold(sum, |sum, value| sum + value)
        }
        length => {
            let half = length / 2;
            let half = half - half % 8;
            sum(&values[..half]) + sum(&values[half..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALUES: [f64; 7] = [1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0];

    fn frontier(method: &str, sensitivity: f64, side: Side, values: &[f64]) -> f64 {
        let method = METHODS.iter().find(|(name, _)| *name == method).unwrap().1;
        let mode = Mode::Compat;
        let trigger = Trigger {
            method,
            sensitivity,
            side,
            mode,
        };
        trigger.frontier(values)
    }

    #[test]
    fn frontiers_are_those_of_the_original_to_the_last_digit() {
        for (method, sensitivity, side, expected) in [
            ("percentile", 10.0, Side::High, 1.4),
            ("pct_of_max_value", 5.0, Side::High, 0.45),
            ("pct_of_median_value", 10.0, Side::High, 0.2),
            ("pct_of_avg_value", 10.0, Side::High, 0.3571428571428572),
            ("mad", 2.0, Side::High, 4.0),
            ("mad", 2.0, Side::Low, 0.0),
            ("madpos", 5.0, Side::Low, 0.0),
            ("stdev", 1.0, Side::High, 6.341531347095046),
            ("stdev", 2.0, Side::Low, -1.968776979904376),
            ("float", 3.5, Side::Low, 3.5),
            ("coeff_of_variation", 0.0, Side::High, 0.7756287771866126),
        ] {
            assert_eq!(
                frontier(method, sensitivity, side, &VALUES),
                expected,
                "{method}"
            );
        }
    }

    #[test]
    fn where_half_the_values_are_the_same_mad_is_a_deviation() {
        let values = [1.0, 1.0, 1.0, 1.0, 9.0];
        assert_eq!(
            frontier("mad", 10.0, Side::High, &values),
            5.800000000000001
        );
        let strict = Trigger {
            method: Method::Mad,
            sensitivity: 2.0,
            side: Side::High,
            mode: Mode::Strict,
        };
        assert_eq!(
            strict.frontier(&values),
            mean(&values) + 2.0 * deviation(&values)
        );
    }

    #[test]
    fn what_is_no_number_has_no_frontier() {
        for (method, _) in METHODS
            .iter()
            .filter(|(name, _)| !matches!(*name, "float" | "pct_of_max_value"))
        {
            let frontier = frontier(method, 5.0, Side::High, &[1.0, f64::NAN, 2.0]);
            assert!(frontier.is_nan() || *method == "madpos", "{method}");
        }
        assert!(frontier("percentile", 101.0, Side::High, &VALUES).is_nan());
        assert!(frontier("coeff_of_variation", 1.0, Side::High, &[-1.0, 1.0]).is_infinite());
    }

    proptest! {
        #[test]
        fn sums_are_right(values in proptest::collection::vec(-1e6..1e6f64, 0..2000)) {
            let plain: f64 = values.iter().sum();
            prop_assert!((sum(&values) - plain).abs() <= 1e-6 * (1.0 + plain.abs()));
        }

        #[test]
        fn a_percentile_lies_among_the_values(values in proptest::collection::vec(-1e3..1e3f64, 1..50), s in 0.0..100.0f64) {
            let frontier = frontier("percentile", s, Side::High, &values);
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            prop_assert!(low <= frontier && frontier <= max(&values));
        }
    }
}
