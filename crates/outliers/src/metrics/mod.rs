//! What the model `metrics` measures. A metric is one file of the same shape; a new one is a copy of such a file and one more line in
//! [`METRICS`].

mod base64_encoded_length;
mod entropy;
mod hex_encoded_length;
mod length;
mod numerical_value;
mod url_length;

use crate::value::Value;

/// A metric.
pub(crate) struct Metric {
    /// What use cases call it.
    pub(crate) name: &'static str,
    /// Measures a value, given as text; none if it cannot be measured.
    pub(crate) measure: fn(&str) -> Option<Measured>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    /// The number.
    pub(crate) number: f64,
    /// Whether it counts something, so that it is written without a fraction.
    pub(crate) is_count: bool,
    /// What the outlier tells besides.
    pub(crate) more: Vec<(&'static str, Value<'static>)>,
}

/// All metrics.
pub(crate) const METRICS: &[Metric] = &[
    numerical_value::METRIC,
    length::METRIC,
    entropy::METRIC,
    hex_encoded_length::METRIC,
    base64_encoded_length::METRIC,
    url_length::METRIC,
];

impl Measured {
    fn count(count: usize) -> Measured {
        Measured {
            number: count as f64,
            is_count: true,
            more: Vec::new(),
        }
    }

    fn number(number: f64) -> Measured {
        Measured {
            number,
            is_count: false,
            more: Vec::new(),
        }
    }
}
