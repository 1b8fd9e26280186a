//! Prices, exactly.

use std::fmt;
use std::str::FromStr;

/// How many of a price's units are one US dollar.
const DOLLAR: u64 = 1_000_000_000_000_000;

/// What one token costs, in US dollars, exactly: prices are decimal fractions, and sums of what binary fractions make of them drift.
///
/// ```
/// use bartizan_translate::catalogue::Price;
///
/// let price: Price = "0.00000125".parse()?;
/// assert_eq!(price.to_string(), "0.00000125");
/// assert_eq!(price, "1.25e-06".parse()?);
/// assert_eq!(price.of(1_000_000), 1_250_000_000_000_000, "a million of them cost 1.25 dollars");
/// # Ok::<(), bartizan_translate::catalogue::NoPrice>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u64);

impl Price {
    /// What `tokens` cost, in 10⁻¹⁵ US dollars.
    #[must_use]
    pub const fn of(self, tokens: u64) -> u128 {
        self.0 as u128 * tokens as u128
    }
}

/// What is no price: one is a decimal fraction of US dollars, perhaps with an exponent, not below 0, under 1,000, and of at most 15 decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a price in US dollars for one token belongs here, such as 0.0000025, of at most 15 decimals"
)]
pub struct NoPrice;

impl FromStr for Price {
    type Err = NoPrice;

    fn from_str(text: &str) -> Result<Self, NoPrice> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            None => (text, 0_i32),
            Some((number, exponent)) => (number, exponent.parse().map_err(|_| NoPrice)?),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = whole.bytes().chain(fraction.bytes());
        if !(1..=40).contains(&(whole.len() + fraction.len()))
            || !digits.clone().all(|byte| byte.is_ascii_digit())
            || !(-40..=40).contains(&exponent)
        {
            return Err(NoPrice);
        }
        // Where the point stands, counted in digits from the front.
        let point = i32::try_from(whole.len()).map_err(|_| NoPrice)? + exponent;
        let mut units = 0_u64;
        for (at, digit) in digits.enumerate() {
            let place = point - i32::try_from(at).map_err(|_| NoPrice)? + 14;
            let digit = u64::from(digit - b'0');
            if digit == 0 {
                continue;
            }
            let worth = u32::try_from(place).map_err(|_| NoPrice)?;
            let worth = 10_u64.checked_pow(worth).ok_or(NoPrice)?;
            units = digit
                .checked_mul(worth)
                .and_then(|more| units.checked_add(more))
                .ok_or(NoPrice)?;
        }
        if units < 1_000 * DOLLAR {
            Ok(Self(units))
        } else {
            Err(NoPrice)
        }
    }
}

/// Decimal, without an exponent and without zeros at the end.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / DOLLAR, self.0 % DOLLAR);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let fraction = format!("{rest:015}");
        write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_price_is_read_exactly_or_not_at_all() {
        for (text, units) in [
            ("0", 0),
            ("0.0", 0),
            ("1", DOLLAR),
            ("1.25e-05", 12_500_000_000),
            ("0.0000125", 12_500_000_000),
            ("15E-6", 15_000_000_000),
            (".5", DOLLAR / 2),
            ("1e-15", 1),
            ("1000e-18", 1),
            ("999.999", 999_999 * (DOLLAR / 1_000)),
        ] {
            assert_eq!(text.parse(), Ok(Price(units)), "{text}");
        }
        for text in [
            "",
            ".",
            "-1",
            "+1",
            "1e-16",
            "1.5e-15",
            "1000",
            "1e99",
            "1e",
            "e5",
            "1,5",
            "NaN",
            "inf",
            "0x1",
            " 1",
            "1 ",
            "99999999999999999999999999",
        ] {
            assert_eq!(text.parse::<Price>(), Err(NoPrice), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_as_itself(units in 0..1_000 * DOLLAR) {
            let price = Price(units);
            prop_assert_eq!(price.to_string().parse(), Ok(price));
        }

        #[test]
        fn nothing_panics(text in "[0-9.eE+-]{0,30}") {
            let _ = text.parse::<Price>();
        }
    }
}
