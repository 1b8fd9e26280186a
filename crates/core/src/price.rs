//! Prices, and what calls cost by them, exactly.

use std::fmt;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use rust_decimal::Decimal;

use crate::Usage;

/// How many of a price's units are one US dollar.
const DOLLAR: u64 = 1_000_000_000_000_000;
const NANO_DOLLAR: u64 = DOLLAR / 1_000_000_000;

/// What one token costs, in US dollars, exactly: prices are decimal fractions, and sums of what binary fractions make of them drift.
///
/// ```
/// use bartizan_core::Price;
///
/// let price: Price = "0.00000125".parse()?;
/// assert_eq!(price.to_string(), "0.00000125");
/// assert_eq!(price, "1.25e-06".parse()?);
/// assert_eq!(price.of(1_000_000).to_string(), "1.25", "dollars, for a million of them");
/// # Ok::<(), bartizan_core::NoPrice>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(u64);

impl Price {
    /// What `tokens` cost.
    #[must_use]
    pub const fn of(self, tokens: u64) -> Cost {
        // The largest price times the largest count is under the largest number.
        Cost(self.0 as u128 * tokens as u128)
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
        write_dollars(f, u128::from(self.0))
    }
}

/// What the tokens of one model cost, class by class. A class without a price of its own costs what its whole does: cached and written input
/// as input, reasoning as output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// Of the request.
    pub input: Option<Price>,
    /// Of the answer.
    pub output: Option<Price>,
    /// Of the request, read from a cache.
    pub cached_input: Option<Price>,
    /// Of the request, written to a cache.
    pub cache_write: Option<Price>,
    /// Of thinking, where that has a price of its own.
    pub reasoning: Option<Price>,
    /// Of sound in the request.
    pub audio_input: Option<Price>,
    /// Of sound in the answer.
    pub audio_output: Option<Price>,
}

impl Prices {
    /// Whether nothing is known of what the model costs.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// What `usage` costs. A class of which neither its own price nor its whole's is known costs nothing.
    ///
    /// ```
    /// use bartizan_core::{Prices, Usage};
    ///
    /// let prices = Prices { input: Some("2.5e-6".parse()?), output: Some("1e-5".parse()?), ..Prices::default() };
    /// let usage = Usage { input: 900, cached_input: 100, output: 40, ..Usage::default() };
    /// assert_eq!(prices.cost(&usage).to_string(), "0.0029");
    /// # Ok::<(), bartizan_core::NoPrice>(())
    /// ```
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Cost {
        let of = |own: Option<Price>, whole: Option<Price>, tokens| {
            own.or(whole).unwrap_or_default().of(tokens)
        };
        of(self.input, None, usage.input)
            + of(self.cached_input, self.input, usage.cached_input)
            + of(self.cache_write, self.input, usage.cache_write)
            + of(self.audio_input, self.input, usage.audio_input)
            + of(self.output, None, usage.output)
            + of(self.reasoning, self.output, usage.reasoning)
            + of(self.audio_output, self.output, usage.audio_output)
    }

    /// The dearer of each class: what a call may cost where it isn't known yet which of two serves it.
    #[must_use]
    pub fn dearer(&self, other: &Self) -> Self {
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            cached_input: self.cached_input.max(other.cached_input),
            cache_write: self.cache_write.max(other.cache_write),
            reasoning: self.reasoning.max(other.reasoning),
            audio_input: self.audio_input.max(other.audio_input),
            audio_output: self.audio_output.max(other.audio_output),
        }
    }
}

/// An amount of money in US dollars, exact to 10⁻¹⁵: what calls cost, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cost(u128);

impl Cost {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// In 10⁻⁹ US dollars, a part of one counted as one: what a limit may count in without ever counting too little.
    #[must_use]
    pub const fn nano_dollars(self) -> u64 {
        let nanos = self.0.div_ceil(NANO_DOLLAR as u128);
        if nanos > u64::MAX as u128 {
            u64::MAX
        } else {
            nanos as u64
        }
    }

    /// In 10⁻¹⁵ US dollars: all of it, for who keeps or sends it.
    #[must_use]
    pub const fn femto_dollars(self) -> u128 {
        self.0
    }

    /// So many 10⁻¹⁵ US dollars.
    #[must_use]
    pub const fn from_femto_dollars(units: u128) -> Self {
        Self(units)
    }

    /// As a decimal number of US dollars. What no such number holds (over 79 billion with all 15 decimals) is its largest.
    #[must_use]
    pub fn dollars(self) -> Decimal {
        i128::try_from(self.0)
            .ok()
            .and_then(|units| Decimal::try_from_i128_with_scale(units, 15).ok())
            .map_or(Decimal::MAX, |dollars| dollars.normalize())
    }

    /// From a decimal number of US dollars, rounded up to 10⁻¹⁵. `None` below zero and over 10¹³ dollars.
    #[must_use]
    pub fn from_dollars(dollars: Decimal) -> Option<Self> {
        if dollars.is_sign_negative() && !dollars.is_zero() {
            return None;
        }
        let units = dollars.checked_mul(Decimal::from(DOLLAR))?.ceil();
        u128::try_from(units.mantissa()).ok().map(Self)
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

/// Decimal, without an exponent and without zeros at the end.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_dollars(f, self.0)
    }
}

fn write_dollars(f: &mut fmt::Formatter<'_>, units: u128) -> fmt::Result {
    let (whole, rest) = (units / u128::from(DOLLAR), units % u128::from(DOLLAR));
    if rest == 0 {
        return write!(f, "{whole}");
    }
    let fraction = format!("{rest:015}");
    write!(f, "{whole}.{}", fraction.trim_end_matches('0'))
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

    fn usage() -> impl Strategy<Value = Usage> {
        proptest::array::uniform7(0_u64..1_000_000).prop_map(
            |[
                input,
                cached_input,
                cache_write,
                output,
                reasoning,
                audio_input,
                audio_output,
            ]| Usage {
                input,
                cached_input,
                cache_write,
                output,
                reasoning,
                audio_input,
                audio_output,
            },
        )
    }

    #[test]
    fn a_class_without_a_price_of_its_own_costs_what_its_whole_does() {
        let price = |text: &str| Some(text.parse::<Price>().unwrap());
        let prices = Prices {
            input: price("1"),
            output: price("10"),
            ..Prices::default()
        };
        let usage = Usage {
            input: 1,
            cached_input: 1,
            cache_write: 1,
            audio_input: 1,
            output: 1,
            reasoning: 1,
            audio_output: 1,
        };
        assert_eq!(prices.cost(&usage).to_string(), "34");
        let own = Prices {
            cached_input: price("0.1"),
            reasoning: price("5"),
            ..prices
        };
        assert_eq!(own.cost(&usage).to_string(), "28.1");
        assert_eq!(Prices::default().cost(&usage), Cost::ZERO);
        assert!(Prices::default().is_unknown() && !own.is_unknown());
    }

    #[test]
    fn limits_count_a_part_of_a_nano_dollar_as_one() {
        for (dollars, nanos) in [
            ("0", 0),
            ("0.000000001", 1),
            ("0.000000000000001", 1),
            ("0.000000001000000001", 2),
            ("1", 1_000_000_000),
            ("18446744074", u64::MAX),
        ] {
            let cost = Cost::from_dollars(dollars.parse().unwrap()).unwrap();
            assert_eq!(cost.nano_dollars(), nanos, "{dollars}");
        }
        assert_eq!(Cost::from_dollars("-0.01".parse().unwrap()), None);
        assert_eq!(Cost::from_dollars(Decimal::MAX), None);
        assert_eq!(Cost(u128::MAX).dollars(), Decimal::MAX);
    }

    proptest! {
        #[test]
        fn costs_add_up_to_the_last_digit(one in usage(), other in usage(), input in 0..DOLLAR / 1_000, output in 0..DOLLAR / 1_000) {
            let prices = Prices { input: Some(Price(input)), output: Some(Price(output)), ..Prices::default() };
            let mut both = one;
            both += other;
            let sum = prices.cost(&one) + prices.cost(&other);
            prop_assert_eq!(sum, prices.cost(&both));
            prop_assert_eq!(sum.dollars().to_string(), sum.to_string());
            prop_assert_eq!(Cost::from_dollars(sum.dollars()), Some(sum));
        }

        #[test]
        fn the_dearer_of_two_prices_is_never_less_than_one_of_them(usage in usage(), a in 0..DOLLAR / 1_000, b in 0..DOLLAR / 1_000) {
            let one = Prices { input: Some(Price(a)), output: Some(Price(b)), ..Prices::default() };
            let other = Prices { input: Some(Price(b)), output: Some(Price(a)), ..Prices::default() };
            let dearer = one.dearer(&other).cost(&usage);
            prop_assert!(dearer >= one.cost(&usage) && dearer >= other.cost(&usage));
        }

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
