//! Numbers as they are written, compared exactly.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number of any size and precision: ±0.d₁d₂…dₙ × 10^exponent, without zeros at either end of the digits.
///
/// Record ids beyond 2⁵³ and 30-digit integers keep all their digits; `1`, `1.0` and `1e0` are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    /// ASCII digits; empty for zero.
    digits: Box<str>,
    exponent: i64,
}

impl Decimal {
    /// Reads `-12.50e3` and the like: digits with an optional sign, fraction and exponent; `None` for anything else.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, exponent(power)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        if whole.is_empty()
            || !whole
                .bytes()
                .chain(fraction.bytes())
                .all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        let all = [whole, fraction].concat();
        let zeros = all.len() - all.trim_start_matches('0').len();
        let digits = all.trim_matches('0');
        if digits.is_empty() {
            return Some(Decimal {
                negative: false,
                digits: "".into(),
                exponent: 0,
            });
        }
        let exponent = power
            .saturating_add(whole.len() as i64)
            .saturating_sub(zeros as i64);
        Some(Decimal {
            negative,
            digits: digits.into(),
            exponent,
        })
    }

    /// Reads a number that is written without an exponent, as programs print numbers into text fields.
    pub fn parse_plain(text: &str) -> Option<Decimal> {
        if text.contains(['e', 'E']) {
            None
        } else {
            Decimal::parse(text)
        }
    }

    /// Whether `text` is this number's decimal text: `1` for 1, not `01`, `1.0`, `0x1` or `1e0`.
    pub fn is_written(&self, text: &str) -> bool {
        // A number whose text is longer than this has an exponent that nobody writes out.
        const LONGEST: i64 = 400;
        self.exponent.abs() <= LONGEST && self.to_string() == text
    }

    fn magnitude(&self, other: &Decimal) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self
                .exponent
                .cmp(&other.exponent)
                .then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Far beyond what can matter, so that sums of exponents do not overflow.
    const LARGEST: i64 = 1 << 40;
    let size = digits.parse::<i64>().unwrap_or(LARGEST).min(LARGEST);
    Some(if text.starts_with('-') { -size } else { size })
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Decimal {
        let all = number.unsigned_abs().to_string();
        let digits = all.trim_end_matches('0');
        Decimal {
            negative: number < 0,
            digits: digits.into(),
            exponent: if digits.is_empty() {
                0
            } else {
                all.len() as i64
            },
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

impl fmt::Display for Decimal {
    /// The decimal text, without an exponent where it is not huge.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let length = self.digits.len() as i64;
        if self.exponent.abs() > 400 {
            write!(f, "0.{}e{}", self.digits, self.exponent)
        } else if self.exponent >= length {
            write!(
                f,
                "{}{}",
                self.digits,
                "0".repeat((self.exponent - length) as usize)
            )
        } else if self.exponent > 0 {
            let (whole, fraction) = self.digits.split_at(self.exponent as usize);
            write!(f, "{whole}.{fraction}")
        } else {
            write!(
                f,
                "0.{}{}",
                "0".repeat((-self.exponent) as usize),
                self.digits
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn equal_however_written() {
        for (a, b) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("100", "1E2"),
            ("0.5", "5e-1"),
            ("-0", "0"),
            ("1e999", "10e998"),
            ("0.0e5", "0"),
        ] {
            assert_eq!(number(a), number(b), "{a} {b}");
        }
        assert_ne!(number("9007199254740993"), number("9007199254740992"));
        assert_ne!(number("1"), number("-1"));
    }

    #[test]
    fn made_of_integers() {
        for integer in [0, 1, -5, 100, i64::MIN, i64::MAX] {
            assert_eq!(Decimal::from(integer), number(&integer.to_string()));
        }
    }

    #[test]
    fn ordered_by_value() {
        let sorted = [
            "-1e999",
            "-10",
            "-9.5",
            "-0.001",
            "0",
            "1e-999",
            "0.09",
            "0.1",
            "1",
            "1.5",
            "9",
            "10",
            "99999999999999999999",
        ];
        for pair in sorted.windows(2) {
            assert!(number(pair[0]) < number(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn written_plainly() {
        for text in [
            "0",
            "1",
            "-3",
            "1.5",
            "0.05",
            "100",
            "123456789012345678901234567890",
        ] {
            assert_eq!(number(text).to_string(), text);
            assert!(number(text).is_written(text));
        }
        assert!(
            !number("1").is_written("01")
                && !number("1").is_written("1.0")
                && !number("1e999").is_written("1e999")
        );
        assert_eq!(
            Decimal::parse("1e99999999999999999999999"),
            Decimal::parse("1e88888888888888888888888")
        );
    }

    #[test]
    fn other_text_is_no_number() {
        for text in [
            "", "-", ".5", "5.", "0x10", "1e", "1e+", "+1", " 1", "1,000", "NaN", "١",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse_plain("1e3"), None);
    }
}
