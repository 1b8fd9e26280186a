//! What is remembered of one caller's use.

use std::net::IpAddr;
use std::time::Duration;

use bartizan_core::Principal;

use super::place::{Country, Place};
use super::waiting::Waiting;
use crate::key::KeyId;
use crate::sighting::Sighting;

pub(super) const HOUR: Duration = Duration::from_secs(3_600);

/// The most countries that are remembered of a key.
const MOST_COUNTRIES: usize = 64;

/// The longest name of a caller, in bytes.
const LONGEST_NAME: usize = 256;

/// A key at an address.
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) address: IpAddr,
    pub(super) place: Option<Place>,
    /// The first use that is known of.
    pub(super) first: Duration,
    pub(super) last: Duration,
    /// The uses that the store has not been told of, and the first of them.
    unsent: u64,
    unsent_since: Duration,
    /// Whether the country was held against those that are known.
    pub(super) judged: bool,
}

impl At {
    pub(super) fn country(&self) -> Option<Country> {
        self.place.and_then(|place| place.country)
    }

    fn unsent(&mut self, key_id: &str) -> Option<Sighting> {
        let uses = std::mem::take(&mut self.unsent);
        (uses > 0).then(|| Sighting {
            key_id: key_id.to_owned(),
            address: self.address,
            country: self.country().map(|country| country.as_str().to_owned()),
            first_seen: self.unsent_since,
            last_seen: self.last,
            uses,
        })
    }
}

/// What was told of a key by a rule, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    pub(super) rule: usize,
    pub(super) at: Duration,
    pub(super) left_out: u64,
}

/// One key's use.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) who: Principal,
    /// Whether it is a virtual key, which can be blocked.
    pub(super) is_key: bool,
    /// The addresses of the last hour. The latest used is the last.
    pub(super) at: Vec<At>,
    pub(super) last: Duration,
    /// The latest use at a known place before that: long journeys take more than an hour.
    pub(super) before: Option<At>,
    /// Whether the store is to be asked what others saw.
    pub(super) ask: bool,
    /// The key's first use that anybody remembers, once the store was asked.
    pub(super) begun: Option<Duration>,
    /// Where it was used, and when last.
    pub(super) countries: Vec<(Country, Duration)>,
    /// Uses up to here do not count: the key was blocked for them.
    pub(super) forgiven: Duration,
    /// Whether it is to be blocked.
    pub(super) blocking: bool,
    pub(super) told: Vec<Told>,
}

/// What a use was, to what was remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// At the address of the last one.
    Same,
    /// At another one of this hour's.
    Moved,
    /// At an address not seen in the last hour.
    New,
}

impl Seen {
    /// `None` where no store would take the caller's name.
    pub(super) fn of(who: &Principal, now: Duration) -> Option<Self> {
        let name = who.key_id();
        let fits = !name.is_empty()
            && name.len() <= LONGEST_NAME
            && !name.contains(|letter: char| letter.is_control());
        fits.then(|| Self {
            who: who.clone(),
            is_key: KeyId::parse(name).is_some(),
            at: Vec::new(),
            last: now,
            before: None,
            ask: true,
            begun: None,
            countries: Vec::new(),
            forgiven: Duration::ZERO,
            blocking: false,
            told: Vec::new(),
        })
    }

    /// By what the caller is known.
    pub(super) fn name(&self) -> &str {
        self.who.key_id()
    }

    /// The addresses used within the hour before.
    pub(super) fn live(&self, now: Duration) -> impl Iterator<Item = &At> {
        let begin = self.begin(now);
        self.at
            .iter()
            .filter(move |at| begin.is_none_or(|begin| at.last > begin))
    }

    /// From when on uses count. `None` where all do.
    fn begin(&self, now: Duration) -> Option<Duration> {
        let hour = now.checked_sub(HOUR);
        if self.forgiven > Duration::ZERO {
            Some(hour.unwrap_or_default().max(self.forgiven))
        } else {
            hour
        }
    }

    /// Takes a use in.
    pub(super) fn used(
        &mut self,
        address: IpAddr,
        now: Duration,
        most: usize,
        place: impl FnOnce() -> Option<Place>,
        waiting: &Waiting,
    ) -> Use {
        let quiet = self.last.checked_add(HOUR).is_none_or(|end| end <= now);
        self.ask |= quiet;
        self.last = self.last.max(now);
        if let Some(at) = self.at.last_mut()
            && at.address == address
            && !quiet
        {
            at.take(now);
            return Use::Same;
        }
        self.expire(now, waiting);
        if let Some(index) = self.at.iter().position(|at| at.address == address) {
            let mut at = self.at.remove(index);
            at.take(now);
            self.at.push(at);
            return Use::Moved;
        }
        self.make_room(most, waiting);
        self.ask = true;
        self.at.push(At {
            address,
            place: place(),
            first: now,
            last: now,
            unsent: 1,
            unsent_since: now,
            judged: false,
        });
        Use::New
    }

    /// Takes in what others saw. Gives whether there was anything of which nobody knew here.
    pub(super) fn told_of(
        &mut self,
        row: &Sighting,
        address: IpAddr,
        most: usize,
        place: Option<Place>,
        waiting: &Waiting,
    ) -> bool {
        if let Some(at) = self.at.iter_mut().find(|at| at.address == address) {
            at.first = at.first.min(row.first_seen);
            at.last = at.last.max(row.last_seen);
            return false;
        }
        self.make_room(most, waiting);
        let at = At {
            address,
            place,
            first: row.first_seen,
            last: row.last_seen,
            unsent: 0,
            unsent_since: row.last_seen,
            judged: true,
        };
        // The latest used stays the last.
        self.at.insert(self.at.len().saturating_sub(1), at);
        true
    }

    /// Takes in a use at a place, of more than an hour ago. Gives whether it is the latest of those.
    pub(super) fn was_before(&mut self, row: &Sighting, place: Place) -> bool {
        let at = At {
            address: row.address,
            place: Some(place),
            first: row.first_seen,
            last: row.last_seen,
            unsent: 0,
            unsent_since: row.last_seen,
            judged: true,
        };
        put_before(&mut self.before, &at)
    }

    /// Forgets addresses of which no use counts.
    pub(super) fn expire(&mut self, now: Duration, waiting: &Waiting) {
        let Some(begin) = self.begin(now) else {
            return;
        };
        let (key_id, countries) = (self.who.key_id(), &mut self.countries);
        let before = &mut self.before;
        self.at.retain_mut(|at| {
            let stays = at.last > begin;
            if !stays {
                waiting.add(at.unsent(key_id));
                if let Some(country) = at.country().filter(|_| at.judged) {
                    remember(countries, country, at.last);
                }
                put_before(before, at);
            }
            stays
        });
    }

    fn make_room(&mut self, most: usize, waiting: &Waiting) {
        while self.at.len() >= most.max(1) {
            let oldest =
                (0..self.at.len()).min_by_key(|index| self.at.get(*index).map(|at| at.last));
            let mut at = self.at.remove(oldest.unwrap_or_default());
            waiting.add(at.unsent(self.who.key_id()));
        }
    }

    /// Where the key is used: counts a use in that country.
    pub(super) fn remember(&mut self, country: Country, last: Duration) {
        remember(&mut self.countries, country, last);
    }

    pub(super) fn send(&mut self, waiting: &Waiting) {
        for at in &mut self.at {
            waiting.add(at.unsent(self.who.key_id()));
        }
    }

    /// Begins anew after a block.
    pub(super) fn forgive(&mut self, now: Duration, waiting: &Waiting) {
        self.blocking = false;
        self.forgiven = now;
        self.expire(now, waiting);
    }
}

impl At {
    fn take(&mut self, now: Duration) {
        if self.unsent == 0 {
            self.unsent_since = now;
        }
        self.unsent = self.unsent.saturating_add(1);
        self.last = self.last.max(now);
    }
}

fn put_before(before: &mut Option<At>, at: &At) -> bool {
    let has_point = at.place.is_some_and(|place| place.point.is_some());
    let is_later = before.as_ref().is_none_or(|before| before.last < at.last);
    if has_point && is_later {
        *before = Some(at.clone());
    }
    has_point && is_later
}

fn remember(countries: &mut Vec<(Country, Duration)>, country: Country, last: Duration) {
    if let Some(known) = countries.iter_mut().find(|known| known.0 == country) {
        known.1 = known.1.max(last);
        return;
    }
    if countries.len() >= MOST_COUNTRIES {
        let oldest = (0..countries.len()).min_by_key(|index| countries.get(*index).map(|it| it.1));
        countries.swap_remove(oldest.unwrap_or_default());
    }
    countries.push((country, last));
}
