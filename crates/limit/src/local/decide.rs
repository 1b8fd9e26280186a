//! The decision on all counts of a call.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::map::{Cell, lock};
use super::share::Shared;
use super::{Local, Meter, Now};
use crate::store::{Away, Charge, Claim, Counter, Decision, Share, Standing};

/// The counts that a call touches, each once, in the order in which they are locked.
struct Cells {
    cells: Vec<Cell>,
    /// Of each count that the claims name, in their order (a claim's own, its class's, the other classes'), where it is among the cells. Those
    /// that nobody has touched yet, and that are only looked at, are nowhere.
    places: Vec<Option<usize>>,
}

/// Them, locked.
struct Locked<'a> {
    meters: Vec<MutexGuard<'a, Meter>>,
    places: &'a [Option<usize>],
}

impl Local {
    pub(super) fn decide_now(&self, claims: &[Claim]) -> Result<Decision, Away> {
        let cells = self.cells(claims)?;
        let mut locked = cells.lock();
        // Read with the counts locked, so that time never goes back for them.
        let now = self.now();
        locked.advance(claims, now);
        let unseeded = locked.unseeded(claims);
        if !unseeded.is_empty() {
            return Ok(Decision::Unseeded(unseeded));
        }
        Ok(match locked.worst(claims, now) {
            Some((claim, wait)) => Decision::Refused {
                claim,
                wait,
                standings: locked.standings(claims, now),
            },
            None => {
                locked.take(claims, now);
                Decision::Admitted {
                    charge: Charge {
                        at: now.slid,
                        by: 0,
                    },
                    standings: locked.standings(claims, now),
                }
            }
        })
    }

    fn cells(&self, claims: &[Claim]) -> Result<Cells, Away> {
        let mut found = Vec::with_capacity(claims.len());
        for claim in claims {
            let open = |counter: &Counter| self.0.map.open(counter, || self.now());
            found.push(Some(open(&claim.counter)?));
            if let Some(share) = &claim.share {
                found.push(Some(open(&share.own)?));
                let others = share.others.iter();
                found.extend(others.map(|(counter, _)| self.0.map.find(counter)));
            }
        }
        Ok(Cells::ordered(found))
    }
}

impl Cells {
    fn ordered(found: Vec<Option<Cell>>) -> Self {
        let address = |cell: &Cell| Arc::as_ptr(cell).addr();
        let mut order = found
            .iter()
            .enumerate()
            .filter_map(|(name, cell)| Some((address(cell.as_ref()?), name)))
            .collect::<Vec<_>>();
        order.sort_unstable();
        let mut places = vec![None; found.len()];
        let mut cells: Vec<Cell> = Vec::with_capacity(order.len());
        let mut found = found;
        for (at, name) in order {
            if cells.last().is_none_or(|last| address(last) != at)
                && let Some(cell) = found.get_mut(name).and_then(Option::take)
            {
                cells.push(cell);
            }
            if let Some(place) = places.get_mut(name) {
                *place = Some(cells.len() - 1);
            }
        }
        Self { cells, places }
    }

    fn lock(&self) -> Locked<'_> {
        Locked {
            meters: self.cells.iter().map(|cell| lock(cell)).collect(),
            places: &self.places,
        }
    }
}

/// Where a claim's counts are among those that the claims name.
fn placed(claims: &[Claim]) -> impl Iterator<Item = (usize, &Claim)> {
    claims.iter().scan(0, |next, claim| {
        let at = *next;
        *next += match &claim.share {
            None => 1,
            Some(share) => 2 + share.others.len(),
        };
        Some((at, claim))
    })
}

impl Locked<'_> {
    fn meter(&self, name: usize) -> Option<&Meter> {
        let place = (*self.places.get(name)?)?;
        self.meters.get(place).map(|meter| &**meter)
    }

    fn meter_mut(&mut self, name: usize) -> Option<&mut Meter> {
        let place = (*self.places.get(name)?)?;
        self.meters.get_mut(place).map(|meter| &mut **meter)
    }

    fn advance(&mut self, claims: &[Claim], now: Now) {
        for (at, claim) in placed(claims) {
            let share = claim.share.iter();
            let others = share
                .clone()
                .flat_map(|share| share.others.iter().map(|(counter, _)| counter));
            let counters = [&claim.counter]
                .into_iter()
                .chain(share.map(|share| &share.own))
                .chain(others);
            for (name, counter) in (at..).zip(counters) {
                if let Some(meter) = self.meter_mut(name) {
                    meter.advance(counter.kind(), now);
                }
            }
        }
    }

    fn unseeded(&self, claims: &[Claim]) -> Vec<usize> {
        let unknown = |name| {
            self.meter(name)
                .is_some_and(|meter| meter.taken().is_none())
        };
        placed(claims)
            .enumerate()
            .filter(|(_, (at, _))| unknown(*at))
            .map(|(claim, _)| claim)
            .collect()
    }

    /// The claim that holds longest: waiting for a shorter one would end in the longer one.
    fn worst(&self, claims: &[Claim], now: Now) -> Option<(usize, Option<Duration>)> {
        let mut worst: Option<(usize, Option<Duration>)> = None;
        for (index, (at, claim)) in placed(claims).enumerate() {
            let Some(wait) = self.refusal(at, claim, now) else {
                continue;
            };
            let longer = match worst {
                None => true,
                Some((_, known)) => known.is_some_and(|known| wait.is_none_or(|wait| wait > known)),
            };
            if longer {
                worst = Some((index, wait));
            }
        }
        worst
    }

    /// Why a claim can't pass: how long it has to wait.
    fn refusal(&self, at: usize, claim: &Claim, now: Now) -> Option<Option<Duration>> {
        if let Some(share) = &claim.share {
            let shared = self.shared(at, claim, share)?;
            return (!shared.fits()).then(|| shared.wait(now));
        }
        let meter = self.meter(at)?;
        let room = claim.limit.checked_sub(claim.amount);
        match room {
            None => Some(None),
            Some(room) if meter.taken().unwrap_or_default() <= room => None,
            Some(room) => Some(meter.wait_for(room, now)),
        }
    }

    fn shared<'a>(&'a self, at: usize, claim: &'a Claim, share: &Share) -> Option<Shared<'a>> {
        let others = share.others.iter().enumerate();
        Some(Shared {
            claim,
            all: self.meter(at)?,
            own: self.meter(at + 1)?,
            minimum: share.minimum,
            others: others
                .map(|(other, (_, minimum))| (self.meter(at + 2 + other), *minimum))
                .collect(),
        })
    }

    fn take(&mut self, claims: &[Claim], now: Now) {
        for (at, claim) in placed(claims) {
            let names = if claim.share.is_some() { 2 } else { 1 };
            for name in at..at + names {
                if let Some(meter) = self.meter_mut(name) {
                    meter.take(claim.amount, now);
                }
            }
        }
    }

    fn standings(&self, claims: &[Claim], now: Now) -> Vec<Standing> {
        placed(claims)
            .map(|(at, claim)| {
                let meter = self.meter(at);
                let taken = meter.and_then(Meter::taken).unwrap_or_default();
                let shared = claim
                    .share
                    .as_ref()
                    .and_then(|share| self.shared(at, claim, share));
                Standing {
                    taken,
                    remaining: shared.map_or_else(
                        || claim.limit.saturating_sub(taken),
                        |shared| shared.remaining(),
                    ),
                    reset: meter.map_or(Duration::ZERO, |meter| meter.reset(now)),
                }
            })
            .collect()
    }
}
