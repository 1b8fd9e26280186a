//! When periods begin and end: for all callers alike, by the calendar of one time zone.

use std::fmt;
use std::time::Duration;

use bartizan_core::{Period, PeriodUnit};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

const DAY: u64 = 86_400;

/// A period's length, in one spelling: 24 hours are a day, and seven days a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Span {
    /// Less than a day, or no whole days.
    Seconds(u64),
    Days(u64),
    Weeks(u64),
    Months(u64),
}

impl Span {
    pub(crate) fn of(period: Period) -> Self {
        let (count, unit) = period.parts();
        let seconds = match unit {
            PeriodUnit::Month => return Self::Months(count),
            PeriodUnit::Second => count,
            PeriodUnit::Minute => count * 60,
            PeriodUnit::Hour => count * 3_600,
            PeriodUnit::Day => count * DAY,
            PeriodUnit::Week => count * 7 * DAY,
        };
        match (seconds % DAY, seconds / DAY) {
            (0, days) if days % 7 == 0 => Self::Weeks(days / 7),
            (0, days) => Self::Days(days),
            _ => Self::Seconds(seconds),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(count) => write!(f, "{count}s"),
            Self::Days(count) => write!(f, "{count}d"),
            Self::Weeks(count) => write!(f, "{count}w"),
            Self::Months(count) => write!(f, "{count}mo"),
        }
    }
}

/// The calendar of a time zone.
#[derive(Clone, Debug)]
pub(crate) struct Calendar(TimeZone);

impl Default for Calendar {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

/// No time zone of the IANA database, such as `Asia/Kolkata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time zone's name belongs here, such as Asia/Kolkata or UTC")]
pub struct NoZone;

impl Calendar {
    pub(crate) fn of(name: &str) -> Result<Self, NoZone> {
        TimeZone::get(name).map(Self).map_err(|_| NoZone)
    }

    /// When the period that `now` lies in began, and when it ends, in seconds since 1970.
    ///
    /// Days, weeks and months begin at the zone's midnight: weeks on Monday, several of a kind in blocks counted from 1970-01-01 (of weeks, from the
    /// Monday before), months on the first. What is shorter than a day is counted from midnight, and the last of a day ends with it; what is longer
    /// and no whole days, from 1970-01-01 in the zone.
    pub(crate) fn around(&self, span: Span, now: Duration) -> (u64, u64) {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        self.block(span, now).unwrap_or_else(|| {
            // Out of the calendar's years: by the seconds alone.
            let length = match span {
                Span::Seconds(count) => count,
                Span::Days(count) => count * DAY,
                Span::Weeks(count) => count * 7 * DAY,
                Span::Months(count) => count * 30 * DAY,
            }
            .max(1);
            let start = now.unsigned_abs() / length * length;
            (start, start.saturating_add(length))
        })
    }

    fn block(&self, span: Span, now: i64) -> Option<(u64, u64)> {
        let today = Timestamp::from_second(now)
            .ok()?
            .to_zoned_datetime(self.0.clone())
            .date();
        let (start, end) = match span {
            Span::Days(count) => self.days(EPOCH, count, today)?,
            Span::Weeks(count) => self.days(FIRST_MONDAY, count * 7, today)?,
            Span::Months(count) => {
                let count = i64::try_from(count).ok()?.max(1);
                let months = (i64::from(today.year()) - 1970) * 12 + i64::from(today.month()) - 1;
                let first = months.div_euclid(count) * count;
                let month = |months: i64| {
                    let date = EPOCH.checked_add(months.months()).ok()?;
                    self.midnight(date)
                };
                (month(first)?, month(first + count)?)
            }
            Span::Seconds(count) => {
                let count = i64::try_from(count).ok()?.max(1);
                let whole = count > DAY as i64;
                let from = self.midnight(if whole { EPOCH } else { today })?;
                let start = from + (now - from).div_euclid(count) * count;
                let end = start + count;
                if whole {
                    (start, end)
                } else {
                    (start, end.min(self.midnight(today.tomorrow().ok()?)?))
                }
            }
        };
        Some((u64::try_from(start.max(0)).ok()?, u64::try_from(end).ok()?))
    }

    fn days(&self, from: Date, count: u64, today: Date) -> Option<(i64, i64)> {
        let count = i64::try_from(count).ok()?.max(1);
        let passed = i64::from((today - from).get_days());
        let first = passed.div_euclid(count) * count;
        let day = |days: i64| self.midnight(from.checked_add(days.days()).ok()?);
        Some((day(first)?, day(first + count)?))
    }

    /// When that day begins in the zone.
    fn midnight(&self, date: Date) -> Option<i64> {
        let start = date.to_zoned_datetime(self.0.clone()).ok()?;
        Some(start.timestamp().as_second())
    }
}

const EPOCH: Date = date(1970, 1, 1);
const FIRST_MONDAY: Date = date(1969, 12, 29);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn around(zone: &str, period: &str, now: &str) -> (String, String) {
        let now: Timestamp = now.parse().unwrap();
        let calendar = Calendar::of(zone).unwrap();
        let (start, end) = calendar.around(
            Span::of(period.parse().unwrap()),
            Duration::from_secs(now.as_second() as u64),
        );
        let text = |seconds: u64| {
            Timestamp::from_second(seconds as i64)
                .unwrap()
                .to_string()
                .trim_end_matches(":00Z")
                .to_owned()
        };
        (text(start), text(end))
    }

    #[test]
    fn periods_are_the_calendars() {
        for (zone, period, now, start, end) in [
            (
                "UTC",
                "24h",
                "2026-11-24T20:02:29Z",
                "2026-11-24T00:00",
                "2026-11-25T00:00",
            ),
            (
                "Asia/Kolkata",
                "1d",
                "2026-11-24T20:02:29Z",
                "2026-11-24T18:30",
                "2026-11-25T18:30",
            ),
            (
                "UTC",
                "7d",
                "2026-11-24T20:02:29Z",
                "2026-11-23T00:00",
                "2026-11-30T00:00",
            ),
            (
                "UTC",
                "1w",
                "2026-11-23T00:00:00Z",
                "2026-11-23T00:00",
                "2026-11-30T00:00",
            ),
            (
                "UTC",
                "1mo",
                "2024-02-29T23:59:59Z",
                "2024-02-01T00:00",
                "2024-03-01T00:00",
            ),
            (
                "UTC",
                "3mo",
                "2026-11-24T20:02:29Z",
                "2026-10-01T00:00",
                "2027-01-01T00:00",
            ),
            (
                "America/New_York",
                "1mo",
                "2026-11-01T03:00:00Z",
                "2026-10-01T04:00",
                "2026-11-01T04:00",
            ),
            (
                "America/New_York",
                "1mo",
                "2026-11-24T20:02:29Z",
                "2026-11-01T04:00",
                "2026-12-01T05:00",
            ),
            (
                "America/New_York",
                "1d",
                "2026-11-01T20:02:29Z",
                "2026-11-01T04:00",
                "2026-11-02T05:00",
            ),
            (
                "UTC",
                "1h",
                "2026-11-24T20:02:29Z",
                "2026-11-24T20:00",
                "2026-11-24T21:00",
            ),
            (
                "Asia/Kolkata",
                "1h",
                "2026-11-24T20:02:29Z",
                "2026-11-24T19:30",
                "2026-11-24T20:30",
            ),
            (
                "UTC",
                "5h",
                "2026-11-24T20:02:29Z",
                "2026-11-24T20:00",
                "2026-11-25T00:00",
            ),
            (
                "UTC",
                "30m",
                "2026-11-24T20:02:29Z",
                "2026-11-24T20:00",
                "2026-11-24T20:30",
            ),
            (
                "UTC",
                "30d",
                "1970-01-30T23:00:00Z",
                "1970-01-01T00:00",
                "1970-01-31T00:00",
            ),
            (
                "UTC",
                "36h",
                "1970-01-02T13:00:00Z",
                "1970-01-02T12:00",
                "1970-01-04T00:00",
            ),
        ] {
            assert_eq!(
                around(zone, period, now),
                (start.to_owned(), end.to_owned()),
                "{period} in {zone} at {now}"
            );
        }
        assert_eq!(Calendar::of("Asia/Bombay").unwrap_err(), NoZone);
    }

    proptest! {
        #[test]
        fn a_moment_lies_in_its_period_and_periods_follow_each_other(
            now in 86_400_u64 * 60..8_000_000_000,
            count in 1_u64..40,
            unit in prop::sample::select(vec!["s", "m", "h", "d", "w", "mo"]),
            zone in prop::sample::select(vec!["UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia", "Europe/London"]),
        ) {
            let calendar = Calendar::of(zone).unwrap();
            let span = Span::of(format!("{count}{unit}").parse().unwrap());
            let (start, end) = calendar.around(span, Duration::from_secs(now));
            prop_assert!(start <= now && now < end, "{start} {now} {end}");
            let (next, _) = calendar.around(span, Duration::from_secs(end));
            prop_assert_eq!(next, end);
            prop_assert_eq!(calendar.around(span, Duration::from_secs(start)), (start, end));
        }
    }
}
