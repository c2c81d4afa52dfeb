//! How evenly the characters of the value are spread: Shannon's entropy, `−Σ p · log2(p)`, in bits for each character.
//!
//! Only characters up to U+00FF are summed up, but all are counted, as in ee-outliers.

use super::{Measured, Metric};

pub(super) const METRIC: Metric = Metric {
    name: "entropy",
    measure,
};

fn measure(text: &str) -> Option<Measured> {
    let mut counts = [0u32; 256];
    let mut all = 0u32;
    for c in text.chars() {
        all += 1;
        if let Some(count) = counts.get_mut(u32::from(c) as usize) {
            *count += 1;
        }
    }
    if counts.iter().all(|count| *count == 0) {
        return Some(Measured::count(0));
    }
    let shares = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / f64::from(all));
    let entropy = shares.fold(0.0, |sum, share| sum - share * share.log2());
    Some(Measured::number(entropy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_the_original() {
        for (text, entropy) in [
            ("houston", 2.5216406363433186),
            ("aa€€", 0.5),
            ("aaaa", 0.0),
        ] {
            assert_eq!(measure(text).unwrap().number, entropy, "{text}");
        }
    }
}
