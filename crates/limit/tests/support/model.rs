//! What a store of counts has to answer, said as plainly as can be: a list of all that was ever charged, added up anew for each question.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bartizan_limit::store::{Claim, Counter, Decision, Kind, Standing};

/// One amount in one count.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: u64,
    amount: u64,
    held: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    entries: BTreeMap<String, Vec<Entry>>,
    seeded: BTreeSet<String>,
}

/// Milliseconds, for a wait that never ends and one that isn't known alike.
type Wait = Option<Duration>;

fn width(length: Duration) -> u64 {
    length.as_millis() as u64 / 60
}

impl Model {
    pub(crate) fn seed(&mut self, counter: &Counter, spent: u64) {
        if self.seeded.insert(counter.name().to_owned()) {
            self.push(counter, 0, spent, false);
        }
    }

    /// What counts in `counter` at `then`, if nothing more comes.
    pub(crate) fn taken(&self, counter: &Counter, then: u64) -> u64 {
        let entries = self.entries.get(counter.name()).into_iter().flatten();
        entries
            .filter(|entry| match counter.kind() {
                Kind::Sliding(length) => leaves(entry.at, length) > then,
                Kind::Gauge => entry.held,
                Kind::Period { .. } => true,
            })
            .map(|entry| entry.amount)
            .sum()
    }

    fn passes(&self, claim: &Claim, then: u64) -> bool {
        let all = self.taken(&claim.counter, then) + claim.amount;
        all <= claim.limit
            && claim.share.as_ref().is_none_or(|share| {
                self.taken(&share.own, then) + claim.amount <= share.minimum
                    || all + self.kept(claim, then) <= claim.limit
            })
    }

    fn kept(&self, claim: &Claim, then: u64) -> u64 {
        let others = claim.share.iter().flat_map(|share| share.others.iter());
        others
            .map(|(counter, minimum)| match self.taken(counter, then) {
                0 => minimum.div_ceil(10),
                taken => minimum.saturating_sub(taken),
            })
            .sum()
    }

    /// `None`: it passes. Looks at every moment at which something changes.
    fn wait(&self, claim: &Claim, now: u64) -> Option<Wait> {
        if self.passes(claim, now) {
            return None;
        }
        let at_rest = Self::default();
        if !at_rest.passes(claim, now) {
            return Some(None);
        }
        Some(match claim.counter.kind() {
            Kind::Gauge => Some(Duration::ZERO),
            Kind::Period { end, .. } => end.map(|end| Duration::from_millis(end * 1_000 - now)),
            Kind::Sliding(length) => {
                let slot = now / width(length);
                let moment = (slot..=slot + 62)
                    .map(|slot| slot * width(length))
                    .find(|then| *then > now && self.passes(claim, *then))
                    .expect("a window empties");
                Some(Duration::from_millis(moment - now))
            }
        })
    }

    fn standing(&self, claim: &Claim, now: u64) -> Standing {
        let taken = self.taken(&claim.counter, now);
        let free = claim.limit.saturating_sub(taken);
        let remaining = claim.share.as_ref().map_or(free, |share| {
            let own = share.minimum.saturating_sub(self.taken(&share.own, now));
            own.min(free)
                .max(free.saturating_sub(self.kept(claim, now)))
        });
        let reset = match claim.counter.kind() {
            _ if taken == 0 => Duration::ZERO,
            Kind::Gauge => Duration::ZERO,
            Kind::Period { end, .. } => end.map_or(Duration::MAX, |end| {
                Duration::from_millis(end * 1_000 - now)
            }),
            Kind::Sliding(length) => {
                let slot = now / width(length);
                let moment = (slot..=slot + 62)
                    .map(|slot| slot * width(length))
                    .find(|then| self.taken(&claim.counter, *then) == 0)
                    .expect("a window empties");
                Duration::from_millis(moment - now)
            }
        };
        Standing {
            taken,
            remaining,
            reset,
        }
    }

    /// What a store has to say of `claims` at `now`; the charge's time is that.
    pub(crate) fn decide(&mut self, now: u64, claims: &[Claim]) -> Decision {
        let unseeded = claims
            .iter()
            .enumerate()
            .filter(|(_, claim)| {
                matches!(claim.counter.kind(), Kind::Period { .. })
                    && !self.seeded.contains(claim.counter.name())
            })
            .map(|(at, _)| at)
            .collect::<Vec<_>>();
        if !unseeded.is_empty() {
            return Decision::Unseeded(unseeded);
        }
        let mut worst: Option<(usize, Wait)> = None;
        for (at, claim) in claims.iter().enumerate() {
            if let Some(wait) = self.wait(claim, now) {
                let length = |wait: Wait| wait.unwrap_or(Duration::MAX);
                if worst.is_none_or(|(_, known)| length(wait) > length(known)) {
                    worst = Some((at, wait));
                }
            }
        }
        if worst.is_none() {
            for claim in claims {
                self.push(&claim.counter, now, claim.amount, true);
                if let Some(share) = &claim.share {
                    self.push(&share.own, now, claim.amount, true);
                }
            }
        }
        let standings = claims
            .iter()
            .map(|claim| self.standing(claim, now))
            .collect();
        match worst {
            None => Decision::Admitted {
                charge: bartizan_limit::store::Charge { at: now, by: 0 },
                standings,
            },
            Some((claim, wait)) => Decision::Refused {
                claim,
                wait,
                standings,
            },
        }
    }

    /// Ends what was taken at `at`.
    pub(crate) fn settle(&mut self, now: u64, claims: &[Claim], at: u64, used: &[u64]) {
        for (claim, used) in claims.iter().zip(used) {
            self.settle_one(&claim.counter, now, claim.amount, at, *used);
            if let Some(share) = &claim.share {
                self.settle_one(&share.own, now, claim.amount, at, *used);
            }
        }
    }

    fn settle_one(&mut self, counter: &Counter, now: u64, amount: u64, at: u64, used: u64) {
        let entries = self
            .entries
            .get_mut(counter.name())
            .expect("it was charged");
        let entry = entries
            .iter_mut()
            .find(|entry| entry.held && entry.at == at && entry.amount == amount)
            .expect("it was charged");
        entry.held = false;
        match counter.kind() {
            Kind::Gauge => entry.amount = 0,
            Kind::Period { .. } => entry.amount = used,
            Kind::Sliding(_) => {
                entry.amount = used.min(amount);
                self.push(counter, now, used.saturating_sub(amount), false);
            }
        }
    }

    fn push(&mut self, counter: &Counter, at: u64, amount: u64, held: bool) {
        let entries = self.entries.entry(counter.name().to_owned()).or_default();
        entries.push(Entry { at, amount, held });
    }
}

/// When an amount that was charged at `at` has wholly left the window.
fn leaves(at: u64, length: Duration) -> u64 {
    let slot_ends = (at / width(length) + 1) * width(length);
    slot_ends + length.as_millis() as u64
}
