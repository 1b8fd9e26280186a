//! A span of time, in LiteLLM's spelling.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const DAY: u64 = 86_400;
/// Whatever is longer is a mistyped number.
const LONGEST: u64 = 100 * 366 * DAY;

/// A span of time as LiteLLM writes it: a whole number and `s`, `m`, `h`, `d`, `w` or `mo`.
///
/// A month is a calendar month in UTC: the same day and time of the month then, or that month's last day.
///
/// ```
/// use std::time::Duration;
/// use bartizan_core::Period;
///
/// # fn main() -> Result<(), bartizan_core::PeriodError> {
/// let now = Duration::from_secs(1_706_659_200); // 2024-01-31
/// assert_eq!("30m".parse::<Period>()?.after(now), now + Duration::from_secs(1_800));
/// assert_eq!("1mo".parse::<Period>()?.after(now), now + Duration::from_secs(29 * 86_400)); // 2024-02-29
/// assert!("30".parse::<Period>().is_err() && "0s".parse::<Period>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    count: u64,
    unit: Unit,
}

/// What a [`Period`] is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// `s`
    Second,
    /// `m`
    Minute,
    /// `h`
    Hour,
    /// `d`
    Day,
    /// `w`
    Week,
    /// `mo`
    Month,
}

impl Unit {
    const ALL: [Self; 6] = [
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
    ];

    const fn suffix(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
            Self::Week => "w",
            Self::Month => "mo",
        }
    }

    /// Its length, the longest for months.
    const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 31 * DAY,
        }
    }
}

impl Period {
    /// How many, of what.
    #[must_use]
    pub const fn parts(self) -> (u64, Unit) {
        (self.count, self.unit)
    }

    /// The moment this long after `unix`, both counted from 1970-01-01 00:00 UTC.
    #[must_use]
    pub fn after(self, unix: Duration) -> Duration {
        match self.unit {
            Unit::Month => months_after(unix, self.count),
            unit => unix.saturating_add(Duration::from_secs(self.count * unit.seconds())),
        }
    }
}

/// A text that is no [`Period`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a whole number and one of s, m, h, d, w, mo, for example 30d, up to a hundred years"
)]
pub struct PeriodError;

impl FromStr for Period {
    type Err = PeriodError;

    /// # Errors
    /// [`PeriodError`] unless the text is a number without sign or leading zero, followed by one of the units, and stands for one
    /// second to a hundred years.
    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let end = text
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(text.len());
        let Some((digits, suffix)) = text.split_at_checked(end) else {
            return Err(PeriodError);
        };
        let Some(unit) = Unit::ALL.into_iter().find(|unit| unit.suffix() == suffix) else {
            return Err(PeriodError);
        };
        match digits.parse::<u64>() {
            Ok(count)
                if !digits.starts_with('0')
                    && count
                        .checked_mul(unit.seconds())
                        .is_some_and(|seconds| seconds <= LONGEST) =>
            {
                Ok(Self { count, unit })
            }
            _ => Err(PeriodError),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.suffix())
    }
}

fn months_after(unix: Duration, months: u64) -> Duration {
    let (days, time) = (unix.as_secs() / DAY, unix.as_secs() % DAY);
    let (year, month, day) = date_of(days);
    let total = year * 12 + (month - 1) + months;
    let (year, month) = (total / 12, total % 12 + 1);
    let (next_year, next_month) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    let length = days_to(next_year, next_month, 1) - days_to(year, month, 1);
    let seconds = days_to(year, month, day.min(length)) * DAY + time;
    Duration::new(seconds, unix.subsec_nanos())
}

/// Days from 0000-03-01, where leap days fall at a year's end, to 1970-01-01.
const EPOCH: u64 = 719_468;
const ERA: u64 = 146_097;

/// Days from 1970-01-01 to a date of the Gregorian calendar not before it.
fn days_to(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA + year * 365 + year / 4 - year / 100 + day_of_year - EPOCH
}

/// The date that many days after 1970-01-01: year, month, day.
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year + u64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn litellms_spellings_mean_what_they_mean_there() {
        let now = Duration::from_millis(1_700_000_000_123);
        for (text, seconds) in [
            ("30s", 30),
            ("30m", 1_800),
            ("1h", 3_600),
            ("24h", 86_400),
            ("7d", 604_800),
            ("30d", 2_592_000),
            ("2w", 1_209_600),
        ] {
            assert_eq!(
                period(text).after(now),
                now + Duration::from_secs(seconds),
                "{text}"
            );
        }
    }

    #[test]
    fn months_end_on_the_same_day_or_the_last() {
        // (from, months, to), seconds since 1970 as `date -u +%s` gives them
        let cases = [
            (1_706_659_200, "1mo", 1_709_164_800), // 2024-01-31 -> 2024-02-29
            (1_675_123_200, "1mo", 1_677_542_400), // 2023-01-31 -> 2023-02-28
            (1_702_598_400, "1mo", 1_705_276_800), // 2023-12-15 -> 2024-01-15
            (1_709_164_800, "12mo", 1_740_700_800), // 2024-02-29 -> 2025-02-28
            (1_709_164_800, "48mo", 1_835_395_200), // 2024-02-29 -> 2028-02-29
        ];
        for (from, text, to) in cases {
            assert_eq!(
                period(text).after(Duration::from_secs(from)).as_secs(),
                to,
                "{from} + {text}"
            );
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "s",
            "30",
            "0s",
            "00s",
            "01d",
            "-1d",
            "+1d",
            "1.5h",
            "1 d",
            " 1d",
            "1d ",
            "1D",
            "1M",
            "1y",
            "1min",
            "1mos",
            "１d",
            "1d1h",
            "99999999999999999999s",
            "36601d",
            "18446744073709551615mo",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(count in 1_u64..1_000, unit in 0_usize..6) {
            let period = Period { count, unit: Unit::ALL[unit] };
            prop_assert_eq!(period.to_string().parse::<Period>().unwrap(), period);
        }

        #[test]
        fn no_text_panics_and_what_parses_lies_ahead(text in "[0-9]{0,22}[a-z]{0,3}", now in 0_u64..10_000_000_000) {
            if let Ok(period) = text.parse::<Period>() {
                let now = Duration::from_secs(now);
                prop_assert!(period.after(now) > now);
                prop_assert_eq!(period.to_string(), text);
            }
        }

        #[test]
        fn dates_and_days_are_inverse(days in 0_u64..4_000_000) {
            let (year, month, day) = date_of(days);
            prop_assert!((1..=12).contains(&month) && (1..=31).contains(&day));
            prop_assert_eq!(days_to(year, month, day), days);
        }

        #[test]
        fn months_add_up_and_keep_the_time_of_day(now in 0_u64..10_000_000_000, months in 1_u64..600) {
            let now = Duration::from_secs(now);
            let then = months_after(now, months);
            prop_assert_eq!(then.as_secs() % DAY, now.as_secs() % DAY);
            let (from, to) = (date_of(now.as_secs() / DAY), date_of(then.as_secs() / DAY));
            prop_assert_eq!((to.0 * 12 + to.1) - (from.0 * 12 + from.1), months);
            prop_assert!(to.2 == from.2 || to.2 < from.2 && to.2 >= 28);
        }
    }
}
