//! What a class of callers may take of a limit that several share.

use std::time::Duration;

use super::meter::{Meter, Now, until};
use crate::store::Claim;

/// Of a class that has taken nothing, a tenth of its minimum is kept.
const KEPT_OF_IDLE: u64 = 10;

/// The counts of a claim that has a share.
pub(super) struct Shared<'a> {
    pub(super) claim: &'a Claim,
    pub(super) all: &'a Meter,
    pub(super) own: &'a Meter,
    pub(super) minimum: u64,
    /// The other classes, where they have taken something, and their minima.
    pub(super) others: Vec<(Option<&'a Meter>, u64)>,
}

impl Shared<'_> {
    /// How much more the class may take.
    pub(super) fn remaining(&self) -> u64 {
        self.room(|meter| meter.taken().unwrap_or_default())
    }

    pub(super) fn fits(&self) -> bool {
        self.passes(|meter| meter.taken().unwrap_or_default())
    }

    /// How long until the claim passes, if nothing more comes. What others have yet to take grows as what they took leaves, so that every moment at
    /// which something leaves is looked at.
    pub(super) fn wait(&self, now: Now) -> Option<Duration> {
        if !self.passes(|_| 0) {
            return None;
        }
        if !matches!(self.all, Meter::Sliding(_)) {
            return self.all.wait_for(0, now);
        }
        let others = self.others.iter().filter_map(|(meter, _)| *meter);
        let mut moments = [self.all, self.own]
            .into_iter()
            .chain(others)
            .flat_map(departures)
            .map(|(moment, _)| moment)
            .collect::<Vec<_>>();
        moments.sort_unstable();
        moments.dedup();
        let moment = moments.into_iter().find(|moment| {
            self.passes(|meter| {
                departures(meter)
                    .filter(|(leaves, _)| leaves > moment)
                    .map(|(_, amount)| amount)
                    .fold(0, u64::saturating_add)
            })
        });
        Some(until(moment, now))
    }

    fn passes(&self, taken: impl Fn(&Meter) -> u64) -> bool {
        let all = taken(self.all).saturating_add(self.claim.amount);
        let own = taken(self.own).saturating_add(self.claim.amount);
        all <= self.claim.limit
            && (own <= self.minimum || all.saturating_add(self.kept(&taken)) <= self.claim.limit)
    }

    fn room(&self, taken: impl Fn(&Meter) -> u64) -> u64 {
        let free = self.claim.limit.saturating_sub(taken(self.all));
        let own = self.minimum.saturating_sub(taken(self.own)).min(free);
        own.max(free.saturating_sub(self.kept(&taken)))
    }

    /// What is kept for the others.
    fn kept(&self, taken: impl Fn(&Meter) -> u64) -> u64 {
        self.others
            .iter()
            .map(|(meter, minimum)| match meter.map_or(0, &taken) {
                0 => minimum.div_ceil(KEPT_OF_IDLE),
                taken => minimum.saturating_sub(taken),
            })
            .fold(0, u64::saturating_add)
    }
}

fn departures(meter: &Meter) -> impl Iterator<Item = (u64, u64)> {
    match meter {
        Meter::Sliding(window) => Some(window.departures()),
        _ => None,
    }
    .into_iter()
    .flatten()
}
