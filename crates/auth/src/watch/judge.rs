//! Holds the use of a key against the rules.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::alert::{ActionTaken, Alert, Finding};
use super::hours::Hours;
use super::place::{Country, Point};
use super::rule::{Rule, What, speed};
use super::seen::{At, HOUR, Seen, Told, Use};

/// A rule, and whether its hours contained the last minute that was asked for: the minute, and in the lowest bit the answer.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) rule: Rule,
    minute: AtomicU64,
}

/// As many addresses are held against each other when others' sightings come in.
const MOST_COMPARED: usize = 32;

impl Judge {
    pub(super) const fn new(rule: Rule) -> Self {
        Self {
            rule,
            // A minute that never comes.
            minute: AtomicU64::new(u64::MAX),
        }
    }

    /// What is unusual in a use that was just taken in.
    pub(super) fn at_use(&self, seen: &Seen, used: Use, now: Duration) -> Option<Finding> {
        match &self.rule.what {
            What::Addresses { most } if used == Use::New => too_many(seen, *most, now),
            What::Travel { kmh, least } if used != Use::Same => {
                let (current, others) = seen.at.split_last()?;
                let before = others
                    .iter()
                    .chain(&seen.before)
                    .filter(|at| at.last > seen.forgiven)
                    .filter(|at| point(at).is_some())
                    .max_by_key(|at| at.last)?;
                let between = now.saturating_sub(before.last);
                travelled(before, current, between, *kmh, *least)
            }
            What::Country { within, learning } if used == Use::New => {
                let begun = seen.begun?;
                let at = seen.at.last()?;
                let (country, address) = (at.country()?, at.address);
                let learnt = now.saturating_sub(begun) >= *learning;
                (learnt && !is_known(seen, country, *within, now))
                    .then(|| abroad(seen, address, country))
            }
            What::Hours(hours) if !self.within(hours, now) => Some(Finding::Hours {
                address: seen.at.last()?.address,
            }),
            _ => None,
        }
    }

    /// What is unusual once what others saw is known too. `new`: the addresses that nobody knew of here.
    pub(super) fn at_learning(
        &self,
        seen: &Seen,
        new: &[IpAddr],
        now: Duration,
    ) -> Option<Finding> {
        match &self.rule.what {
            What::Addresses { most } if !new.is_empty() => too_many(seen, *most, now),
            What::Travel { kmh, least } => {
                let latest = seen.at.iter().rev().take(MOST_COMPARED);
                let latest = latest.chain(&seen.before);
                let pairs = latest.clone().flat_map(|one| {
                    let others = latest.clone().filter(|two| new.contains(&two.address));
                    others.map(move |two| (one, two))
                });
                pairs
                    .filter(|(one, two)| one.address != two.address)
                    .filter(|(one, two)| one.last.min(two.last) > seen.forgiven)
                    .find_map(|(one, two)| {
                        let (before, after) = if one.last <= two.last {
                            (one, two)
                        } else {
                            (two, one)
                        };
                        travelled(before, after, gap(one, two), *kmh, *least)
                    })
            }
            _ => None,
        }
    }

    /// The minute decides: hours are told to the minute.
    fn within(&self, hours: &Hours, now: Duration) -> bool {
        let minute = now.as_secs() / 60;
        let last = self.minute.load(Ordering::Relaxed);
        if last >> 1 == minute {
            return last & 1 == 1;
        }
        let within = hours.contain(now);
        self.minute
            .store(minute << 1 | u64::from(within), Ordering::Relaxed);
        within
    }
}

/// Whether an alert of the rule is told now. One an hour is.
pub(super) fn tells(seen: &mut Seen, rule: usize, now: Duration) -> Option<u64> {
    match seen.told.iter_mut().find(|told| told.rule == rule) {
        Some(told) if now.saturating_sub(told.at) < HOUR => {
            told.left_out = told.left_out.saturating_add(1);
            None
        }
        Some(told) => {
            told.at = now;
            Some(std::mem::take(&mut told.left_out))
        }
        None => {
            seen.told.push(Told {
                rule,
                at: now,
                left_out: 0,
            });
            Some(0)
        }
    }
}

pub(super) fn alert(
    seen: &Seen,
    rule: &Rule,
    finding: Finding,
    now: Duration,
    left_out: u64,
) -> Alert {
    Alert {
        at: now,
        key_id: seen.name().to_owned(),
        alias: seen.who.key_alias().map(str::to_owned),
        team_id: seen.who.team_id().map(str::to_owned),
        user_id: seen.who.user_id().map(str::to_owned),
        rule: rule.name(),
        finding,
        action: match (rule.blocks, seen.is_key) {
            (false, _) => ActionTaken::Alerted,
            (true, true) => ActionTaken::BlockPending,
            (true, false) => ActionTaken::NoRecord,
        },
        left_out,
    }
}

fn too_many(seen: &Seen, most: usize, now: Duration) -> Option<Finding> {
    (seen.live(now).count() > most).then(|| Finding::Addresses {
        addresses: seen.live(now).map(|at| at.address).collect(),
        most,
    })
}

pub(super) fn is_known(seen: &Seen, country: Country, within: Duration, now: Duration) -> bool {
    seen.countries
        .iter()
        .any(|(known, last)| *known == country && now.saturating_sub(*last) < within)
}

pub(super) fn abroad(seen: &Seen, address: IpAddr, country: Country) -> Finding {
    let mut known: Vec<Country> = seen.countries.iter().map(|known| known.0).collect();
    known.sort_unstable();
    Finding::Country {
        address,
        country,
        known,
    }
}

fn point(at: &At) -> Option<Point> {
    at.place.and_then(|place| place.point)
}

fn travelled(
    before: &At,
    after: &At,
    between: Duration,
    fastest: f64,
    least: f64,
) -> Option<Finding> {
    let (from_point, to_point) = (point(before)?, point(after)?);
    let km = from_point.apart(&to_point);
    let kmh = speed(km, between);
    (km >= least && kmh > fastest).then_some(Finding::Travel {
        from: before.address,
        from_point,
        to: after.address,
        to_point,
        km,
        kmh,
    })
}

/// The time between the two uses that are the closest of those whose moments are known.
fn gap(one: &At, two: &At) -> Duration {
    let pairs = [
        (one.first, two.first),
        (one.first, two.last),
        (one.last, two.first),
        (one.last, two.last),
    ];
    let gaps = pairs.map(|(one, two)| one.abs_diff(two));
    gaps.into_iter().min().unwrap_or_default()
}
