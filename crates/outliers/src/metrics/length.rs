//! How many characters the value has.

use super::{Measured, Metric};

pub(super) const METRIC: Metric = Metric {
    name: "length",
    measure,
};

fn measure(text: &str) -> Option<Measured> {
    Some(Measured::count(text.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(measure("a€😀"), Some(Measured::count(3)));
    }
}
