//! Days, as they are in one place.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::store::{SpendError, SpendSpan};

/// Where days begin and end.
///
/// ```
/// use std::time::Duration;
/// use bartizan_limit::spend::Zone;
///
/// let zone = Zone::get("America/New_York")?;
/// let day = zone.days("2024-03-10", "2024-03-10").expect("dates");
/// assert_eq!(day.to - day.from, Duration::from_secs(23 * 3_600));
/// assert_eq!(zone.date(day.from), "2024-03-10");
/// assert!(zone.days("2024-03-10", "2024-02-30").is_none());
/// # Ok::<(), bartizan_limit::spend::SpendError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    /// UTC.
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// The zone of that name, such as `Asia/Kolkata`.
    ///
    /// # Errors
    /// [`SpendError::Zone`] for a name that is none.
    pub fn get(name: &str) -> Result<Self, SpendError> {
        // What ids and tables hold is quarters of an hour, and the zone that stands for none has none.
        match TimeZone::get(name) {
            Ok(zone) if !zone.is_unknown() => Ok(Self(zone)),
            _ => Err(SpendError::Zone(name.to_owned())),
        }
    }

    /// From the first moment of one day to the last of another, both written as `2024-12-31`. `None` where one is no date from 1970 on, or they are
    /// in the wrong order.
    #[must_use]
    pub fn days(&self, first: &str, last: &str) -> Option<SpendSpan> {
        let (first, last) = (date(first)?, date(last)?);
        if last < first {
            return None;
        }
        Some(SpendSpan {
            from: self.begin(first)?,
            to: self.begin(last.tomorrow().ok()?)?,
        })
    }

    /// The day of a moment since 1970.
    #[must_use]
    pub fn day(&self, time: Duration) -> Option<SpendSpan> {
        let date = self.at(time)?;
        Some(SpendSpan {
            from: self.begin(date)?,
            to: self.begin(date.tomorrow().ok()?)?,
        })
    }

    /// The date of a moment since 1970, such as `2024-12-31`.
    #[must_use]
    pub fn date(&self, time: Duration) -> String {
        self.at(time)
            .map_or_else(String::new, |date| date.to_string())
    }

    fn at(&self, time: Duration) -> Option<Date> {
        let seconds = i64::try_from(time.as_secs()).ok()?;
        let moment = Timestamp::from_second(seconds).ok()?;
        Some(self.0.to_datetime(moment).date())
    }

    /// When that day begins there.
    fn begin(&self, date: Date) -> Option<Duration> {
        let moment = self.0.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        // A day that began before 1970 has nothing in it.
        Some(Duration::from_secs(
            u64::try_from(moment.as_second()).unwrap_or(0),
        ))
    }
}

fn date(text: &str) -> Option<Date> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date: Date = shaped.then(|| text.parse().ok())??;
    (date.year() >= 1970).then_some(date)
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.iana_name().unwrap_or("UTC"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_date_or_no_zone_is_refused() {
        let zone = Zone::default();
        for text in [
            "",
            "2024-1-01",
            "2024-13-01",
            "2024-02-30",
            "20240101",
            "2024-01-01T00:00",
            "1969-12-31",
            "+024-01-01",
            "２024-01-01",
        ] {
            assert_eq!(zone.days(text, "2030-01-01"), None, "{text}");
            assert_eq!(zone.days("1970-01-01", text), None, "{text}");
        }
        assert_eq!(zone.days("2024-01-02", "2024-01-01"), None);
        for name in ["", "Mars/Olympus", "../../etc/passwd", "Etc/Unknown"] {
            assert!(Zone::get(name).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_lies_in_its_day_and_days_are_made_of_quarters(
            time in 100_000_u64..10_000_000_000,
            zone in prop::sample::select(vec!["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "America/New_York"]),
        ) {
            let (zone, time) = (Zone::get(zone).unwrap(), Duration::from_secs(time));
            let day = zone.day(time).unwrap();
            prop_assert!(day.from <= time && time < day.to);
            let date = zone.date(time);
            prop_assert_eq!(zone.days(&date, &date), Some(day));
            prop_assert_eq!(zone.date(day.from), date);
            // Offsets were other multiples before the seventies.
            if time.as_secs() > 500_000_000 {
                prop_assert_eq!((day.from.as_secs() % 900, day.to.as_secs() % 900), (0, 0));
            }
        }
    }
}
