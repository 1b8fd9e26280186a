//! What is unusual, and what is done about it.

use std::collections::BTreeSet;
use std::time::Duration;

use bartizan_core::Principal;

use super::hours::Hours;
use crate::ConfigError;

/// What is unusual in the use of a key, and for which keys.
///
/// ```
/// use bartizan_auth::watch::Rule;
///
/// let tell = Rule::travel();
/// let block = Rule::addresses(20).teams(["contractors"]).blocks();
/// # let _ = (tell, block);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Rule {
    pub(super) what: What,
    pub(super) blocks: bool,
    keys: BTreeSet<String>,
    teams: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Addresses {
        most: usize,
    },
    Travel {
        kmh: f64,
        least: f64,
    },
    Country {
        within: Duration,
        learning: Duration,
    },
    Hours(Hours),
}

const DAY: Duration = days(1);

const fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

/// The most addresses that a rule may allow: as many are remembered of each key.
const MOST_ADDRESSES: usize = 1_000;

impl Rule {
    const fn new(what: What) -> Self {
        Self {
            what,
            blocks: false,
            keys: BTreeSet::new(),
            teams: BTreeSet::new(),
        }
    }

    /// More than `most` different addresses within an hour, from 1 to 1,000. The IPv6 addresses of one /64 count as one.
    pub const fn addresses(most: usize) -> Self {
        Self::new(What::Addresses { most })
    }

    /// Two uses at places that are 100 km apart or more, between which nobody travels: faster than 900 km/h. What the places may be off by does
    /// not count as distance. Needs [`places`](super::WatchBuilder::places).
    pub const fn travel() -> Self {
        Self::faster_than(900.0, 100.0)
    }

    /// [`travel`](Self::travel) with a speed in km/h and a least distance in km of one's own.
    pub const fn faster_than(kmh: f64, least: f64) -> Self {
        Self::new(What::Travel { kmh, least })
    }

    /// A country where the key was not used in the last 30 days, once it has been in use for 7. Needs [`places`](super::WatchBuilder::places).
    pub const fn new_country() -> Self {
        Self::country_after(days(30), days(7))
    }

    /// [`new_country`](Self::new_country) with periods of one's own. What is older than the sightings that are kept can't count.
    pub const fn country_after(within: Duration, learning: Duration) -> Self {
        Self::new(What::Country { within, learning })
    }

    /// Use at other hours than these.
    pub const fn outside(hours: Hours) -> Self {
        Self::new(What::Hours(hours))
    }

    /// Blocks the key at once, and alerts. By default it alerts only.
    pub const fn blocks(mut self) -> Self {
        self.blocks = true;
        self
    }

    /// For these keys, by their `key_id`, besides those of [`teams`](Self::teams). For all keys where neither is named.
    pub fn keys<T: Into<String>>(mut self, keys: impl IntoIterator<Item = T>) -> Self {
        self.keys.extend(keys.into_iter().map(Into::into));
        self
    }

    /// For the keys of these teams, besides those of [`keys`](Self::keys).
    pub fn teams<T: Into<String>>(mut self, teams: impl IntoIterator<Item = T>) -> Self {
        self.teams.extend(teams.into_iter().map(Into::into));
        self
    }

    /// The word for it in alerts, logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.what {
            What::Addresses { .. } => "addresses",
            What::Travel { .. } => "travel",
            What::Country { .. } => "new_country",
            What::Hours(_) => "hours",
        }
    }

    pub(super) fn is_for(&self, who: &Principal) -> bool {
        (self.keys.is_empty() && self.teams.is_empty()) || names(&self.keys, &self.teams, who)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let invalid = |what, mend| Err(ConfigError::Invalid { what, mend });
        match self.what {
            What::Addresses { most } if !(1..=MOST_ADDRESSES).contains(&most) => {
                invalid("the number of addresses", "give one from 1 to 1,000")
            }
            What::Travel { kmh, least }
                if !(kmh.is_finite() && kmh > 0.0 && least.is_finite() && least >= 0.0) =>
            {
                invalid("the speed or distance of travel", "give positive numbers")
            }
            What::Country { within, .. } if within < DAY => {
                invalid("the period of a new country", "give a day at least")
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn names(keys: &BTreeSet<String>, teams: &BTreeSet<String>, who: &Principal) -> bool {
    keys.contains(who.key_id()) || who.team_id().is_some_and(|team| teams.contains(team))
}

/// Nobody's two uses are taken to be closer than this.
const INSTANT: Duration = Duration::from_secs(1);

/// The speed between two places in km/h.
pub(super) fn speed(km: f64, between: Duration) -> f64 {
    km * 3_600.0 / between.max(INSTANT).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_exact_at_its_bound() {
        let hour = Duration::from_secs(3_600);
        assert!(speed(900.0, hour) <= 900.0);
        assert!(speed(900.0, hour - Duration::from_millis(1)) > 900.0);
        assert!(speed(100.0, Duration::ZERO).is_finite());
    }
}
