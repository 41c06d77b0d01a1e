//! Terraform's numbers as decimals: `443`, `0.1`, `1e3`.
//!
//! Terraform computes with 512 bits of binary precision and prints what is shortest; decimals of up to 38 digits give the same
//! for whatever stands in a configuration. INVARIANT: the mantissa has no trailing zero while there is a scale, so that equal
//! numbers are equal fields.

use std::cmp::Ordering;
use std::fmt;

/// The most digits behind the point.
const MAX_SCALE: u32 = 34;

/// `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in super::super) struct Number {
    mantissa: i128,
    scale: u32,
}

/// Ten to a power, if it can be had.
fn power_of_ten(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

impl Number {
    pub(in super::super) const ZERO: Self = Self::integer(0);
    pub(in super::super) const ONE: Self = Self::integer(1);

    pub(in super::super) const fn integer(value: i128) -> Self {
        Self {
            mantissa: value,
            scale: 0,
        }
    }

    /// A count: lengths and indices.
    pub(in super::super) fn count(value: usize) -> Self {
        Self::integer(i128::try_from(value).unwrap_or(i128::MAX))
    }

    fn new(mut mantissa: i128, mut scale: u32) -> Self {
        while scale > 0 && mantissa % 10 == 0 {
            mantissa /= 10;
            scale -= 1;
        }
        Self { mantissa, scale }
    }

    /// Reads a decimal literal: digits, a point with digits, an exponent; a sign.
    pub(in super::super) fn parse(text: &str) -> Option<Self> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (digits, exponent) = match rest.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let has_bare_point = digits.contains('.') && fraction.is_empty();
        if whole.is_empty() || has_bare_point || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let mantissa: i128 = format!("{whole}{}", fraction.trim_end_matches('0'))
            .parse()
            .ok()?;
        let scale = i32::try_from(fraction.trim_end_matches('0').len()).ok()? - exponent;
        let Ok(scale) = u32::try_from(scale) else {
            let factor = power_of_ten(scale.unsigned_abs())?;
            return Some(Self::integer(sign * mantissa.checked_mul(factor)?));
        };
        (scale <= MAX_SCALE || mantissa == 0).then(|| Self::new(sign * mantissa, scale.min(MAX_SCALE)))
    }

    /// Both mantissas at one scale.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        let left = self.mantissa.checked_mul(power_of_ten(scale - self.scale)?)?;
        let right = other.mantissa.checked_mul(power_of_ten(scale - other.scale)?)?;
        Some((left, right, scale))
    }

    pub(in super::super) fn add(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self::new(left.checked_add(right)?, scale))
    }

    pub(in super::super) fn negate(self) -> Self {
        Self {
            mantissa: self.mantissa.saturating_neg(),
            scale: self.scale,
        }
    }

    pub(in super::super) fn multiply(self, other: Self) -> Option<Self> {
        let product = self.mantissa.checked_mul(other.mantissa)?;
        let exact = Self::new(product, self.scale + other.scale);
        (exact.scale <= MAX_SCALE).then_some(exact)
    }

    /// Division: exact where it ends within the digits that are kept.
    pub(in super::super) fn divide(self, other: Self) -> Option<Self> {
        if other.mantissa == 0 {
            return None;
        }
        let (mut left, right, _) = self.aligned(other)?;
        let mut scale = 0;
        while left % right != 0 && scale < MAX_SCALE {
            let Some(next) = left.checked_mul(10) else { break };
            left = next;
            scale += 1;
        }
        Some(Self::new(left.checked_div(right)?, scale))
    }

    /// The remainder, with the sign of the dividend.
    pub(in super::super) fn remainder(self, other: Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self::new(left.checked_rem(right)?, scale))
    }

    pub(in super::super) fn compare(self, other: Self) -> Ordering {
        match self.aligned(other) {
            Some((left, right, _)) => left.cmp(&right),
            None => self.approximate().total_cmp(&other.approximate()),
        }
    }

    /// The next whole number below.
    pub(in super::super) fn floor(self) -> Self {
        let factor = power_of_ten(self.scale).unwrap_or(1);
        Self::integer(self.mantissa.div_euclid(factor))
    }

    /// The next whole number above.
    pub(in super::super) fn ceiling(self) -> Self {
        self.negate().floor().negate()
    }

    /// The whole number, if it is one.
    pub(in super::super) fn whole(self) -> Option<i128> {
        (self.scale == 0).then_some(self.mantissa)
    }

    /// A place in a list, if it can be one.
    pub(in super::super) fn index(self) -> Option<usize> {
        usize::try_from(self.whole()?).ok()
    }

    pub(in super::super) fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// The nearest floating-point number, for functions that are not exact themselves.
    #[expect(clippy::cast_precision_loss, reason = "the nearest one is what is asked for")]
    pub(in super::super) fn approximate(self) -> f64 {
        self.mantissa as f64 / 10_f64.powi(i32::try_from(self.scale).unwrap_or(i32::MAX))
    }

    /// The decimal that a floating-point number prints as.
    pub(in super::super) fn of_float(value: f64) -> Option<Self> {
        value
            .is_finite()
            .then(|| Self::parse(&value.to_string()))
            .flatten()
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return write!(out, "{}", self.mantissa);
        }
        let scale = self.scale as usize;
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.mantissa < 0 { "-" } else { "" };
        write!(out, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(number("0.1").add(number("0.2")), Some(number("0.3")));
        assert_eq!(number("10").divide(number("4")), Some(number("2.5")));
        assert_eq!(number("1e3"), Number::integer(1000));
        assert_eq!(number("-1.50").to_string(), "-1.5");
        assert_eq!(number("-0.5").floor(), Number::integer(-1));
        assert_eq!(number("-0.5").ceiling(), Number::ZERO);
        assert_eq!(number("-7").remainder(number("3")), Some(number("-1")));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", "1.", ".5", "0x10", "1e", "1e999", "٣"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }
}
