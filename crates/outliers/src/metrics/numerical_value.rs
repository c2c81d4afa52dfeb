//! The number that the value is, or says.

use super::{Measured, Metric};
use crate::python;

pub(super) const METRIC: Metric = Metric {
    name: "numerical_value",
    measure,
};

fn measure(text: &str) -> Option<Measured> {
    python::read_float(text).map(Measured::number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_say_a_number() {
        assert_eq!(measure(" 1_0.5 ").unwrap().number, 10.5);
        assert_eq!(measure("ten"), None);
    }
}
