//! The hours at which a key is meant to be used.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::{Offset, TimeZone};

use crate::ConfigError;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// From when to when, on which days, by which clock.
///
/// ```
/// use bartizan_auth::watch::{Day, Hours};
///
/// let office = Hours::new([Day::Monday, Day::Friday], "09:00", "18:00", "Asia/Kolkata")?;
/// // From 22:00 to 06:00 of the day after.
/// let night = Hours::new([Day::Saturday], "22:00", "06:00", "+05:30")?;
/// # let _ = (office, night);
/// # Ok::<(), bartizan_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Hours {
    /// A bit a day, Monday the lowest.
    days: u8,
    /// In minutes of the day.
    from: u16,
    to: u16,
    zone: TimeZone,
}

const DAY: u16 = 24 * 60;

impl Hours {
    /// Creates the hours from `from` up to, and not at, `to`, both `HH:MM`, on these days. Where `to` is not after `from`, they end on the day
    /// after. `zone` is `UTC`, a fixed offset (`+05:30`), or a name of the IANA database (`Asia/Kolkata`), whose summer time counts.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] without a day, or with a time or a zone that is none.
    pub fn new(
        days: impl IntoIterator<Item = Day>,
        from: &str,
        to: &str,
        zone: &str,
    ) -> Result<Self, ConfigError> {
        let bits = |bits: u8, day: Day| bits | 1 << day as u8;
        let days = days.into_iter().fold(0, bits);
        if days == 0 {
            return Err(ConfigError::Invalid {
                what: "days",
                mend: "name one day of the week at least",
            });
        }
        let invalid = |what| ConfigError::Invalid {
            what,
            mend: "write it as HH:MM, from 00:00 to 24:00",
        };
        let from = minutes(from)
            .filter(|from| *from < DAY)
            .ok_or(invalid("from"))?;
        let to = minutes(to).ok_or(invalid("to"))?;
        let zone = read_zone(zone).ok_or(ConfigError::Invalid {
            what: "zone",
            mend: "name one of the IANA database, such as Asia/Kolkata, or an offset such as +05:30",
        })?;
        Ok(Self {
            days,
            from,
            to,
            zone,
        })
    }

    /// Whether that moment is within.
    #[must_use]
    pub fn contain(&self, unix: Duration) -> bool {
        let seconds = i64::try_from(unix.as_secs()).unwrap_or(i64::MAX);
        let Ok(moment) = Timestamp::from_second(seconds) else {
            return false;
        };
        let local = self.zone.to_datetime(moment);
        let minute =
            u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let today = number(local.weekday());
        let on = |day: u8| self.days & (1 << day) != 0;
        if self.from < self.to {
            return on(today) && (self.from..self.to).contains(&minute);
        }
        let yesterday = (today + 6) % 7;
        (on(today) && minute >= self.from) || (on(yesterday) && minute < self.to)
    }
}

const fn number(day: Weekday) -> u8 {
    match day {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| -> Option<u16> {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok())?
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let of_day = hours * 60 + minutes;
    (minutes < 60 && of_day <= DAY).then_some(of_day)
}

fn read_zone(text: &str) -> Option<TimeZone> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return TimeZone::get(text).ok(),
    };
    let offset = i32::from(minutes(text.get(1..)?)?);
    let offset = Offset::from_seconds(sign * offset * 60).ok()?;
    Some(TimeZone::fixed(offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: [Day; 5] = [
        Day::Monday,
        Day::Tuesday,
        Day::Wednesday,
        Day::Thursday,
        Day::Friday,
    ];

    fn at(moment: &str) -> Duration {
        let moment: Timestamp = moment.parse().unwrap();
        Duration::from_secs(u64::try_from(moment.as_second()).unwrap())
    }

    #[test]
    fn hours_begin_and_end_to_the_minute_by_their_own_clock() {
        let office = |zone: &str| Hours::new(WEEK, "09:00", "18:00", zone).unwrap();
        let cases = [
            ("UTC", "2024-03-08T08:59:59Z", false),
            ("UTC", "2024-03-08T09:00:00Z", true),
            ("UTC", "2024-03-08T17:59:59Z", true),
            ("UTC", "2024-03-08T18:00:00Z", false),
            ("UTC", "2024-03-09T12:00:00Z", false),
            ("+05:30", "2024-03-08T03:29:59Z", false),
            ("+05:30", "2024-03-08T03:30:00Z", true),
            ("Asia/Kolkata", "2024-03-08T12:29:59Z", true),
            ("Asia/Kolkata", "2024-03-08T12:30:00Z", false),
            ("-08:00", "2024-03-09T01:59:00Z", true),
            // New York's clocks went forward on 10 March 2024: 9 o'clock is at 14:00 UTC before, at 13:00 after.
            ("America/New_York", "2024-03-08T13:30:00Z", false),
            ("America/New_York", "2024-03-08T14:00:00Z", true),
            ("America/New_York", "2024-03-11T13:00:00Z", true),
            ("America/New_York", "2024-03-11T12:59:59Z", false),
        ];
        for (zone, moment, within) in cases {
            assert_eq!(office(zone).contain(at(moment)), within, "{zone} {moment}");
        }
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_that_they_began_on() {
        let night = Hours::new([Day::Saturday], "22:00", "06:00", "UTC").unwrap();
        let cases = [
            ("2024-03-09T05:59:59Z", false),
            ("2024-03-09T21:59:59Z", false),
            ("2024-03-09T22:00:00Z", true),
            ("2024-03-10T00:00:00Z", true),
            ("2024-03-10T05:59:59Z", true),
            ("2024-03-10T06:00:00Z", false),
            ("2024-03-10T22:00:00Z", false),
        ];
        for (moment, within) in cases {
            assert_eq!(night.contain(at(moment)), within, "{moment}");
        }
        let whole = Hours::new([Day::Saturday], "00:00", "24:00", "UTC").unwrap();
        assert!(whole.contain(at("2024-03-09T23:59:59Z")));
        assert!(!whole.contain(at("2024-03-10T00:00:00Z")));
    }

    #[test]
    fn what_is_no_time_or_zone_is_refused() {
        for (from, to, zone) in [
            ("9:00", "18:00", "UTC"),
            ("24:00", "18:00", "UTC"),
            ("09:00", "24:01", "UTC"),
            ("09:60", "18:00", "UTC"),
            ("+9:00", "18:00", "UTC"),
            ("09:00", "18:00", ""),
            ("09:00", "18:00", "Asia/Atlantis"),
            ("09:00", "18:00", "+5"),
        ] {
            assert!(
                Hours::new(WEEK, from, to, zone).is_err(),
                "{from} {to} {zone}"
            );
        }
        assert!(Hours::new([], "09:00", "18:00", "UTC").is_err());
    }
}
