//! What the scripts answer.

use std::time::Duration;

use redis::Value;

use super::words::{Named, names, width};
use crate::store::{Charge, Claim, Counter, Decision, Kind, SLOTS, Share, Standing};

/// Of a class that has taken nothing, a tenth of its minimum is kept.
const KEPT_OF_IDLE: u64 = 10;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Decided(Decision),
    /// This process's holder has been taken for dead.
    Gone,
}

/// Whether it says that the amounts were taken, and when.
pub(super) fn admitted(answer: &Value) -> Option<u64> {
    match answer {
        Value::Array(words) => match words.as_slice() {
            [Value::Int(1), at, ..] => count(at),
            _ => None,
        },
        _ => None,
    }
}

fn count(word: &Value) -> Option<u64> {
    match word {
        Value::Int(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

/// `None` for what is no answer.
pub(super) fn read(answer: &Value, claims: &[Claim], named: &Named<'_>, by: u64) -> Option<Answer> {
    let Value::Array(words) = answer else {
        return None;
    };
    match words.as_slice() {
        [Value::Int(1), at, standings @ ..] => {
            let standings = standings
                .chunks(3)
                .map(|words| match words {
                    [taken, remaining, reset] => Some(Standing {
                        taken: count(taken)?,
                        remaining: count(remaining)?,
                        reset: match reset {
                            Value::Int(-1) => Duration::MAX,
                            reset => Duration::from_millis(count(reset)?),
                        },
                    }),
                    _ => None,
                })
                .collect::<Option<Vec<_>>>()?;
            let charge = Charge { at: count(at)?, by };
            (standings.len() == claims.len())
                .then_some(Answer::Decided(Decision::Admitted { charge, standings }))
        }
        [Value::Int(2), now, counts @ ..] => {
            let states = named.counters.iter().zip(counts);
            let state = Refused {
                now: count(now)?,
                states: states
                    .map(|(counter, words)| State::read(counter, words))
                    .collect::<Option<Vec<_>>>()?,
                places: &named.places,
            };
            Some(Answer::Decided(state.decision(claims)?))
        }
        [Value::Int(3), unseeded @ ..] => {
            let unseeded = unseeded
                .iter()
                .map(|place| usize::try_from(count(place)?).ok())
                .collect::<Option<Vec<_>>>()?;
            Some(Answer::Decided(Decision::Unseeded(unseeded)))
        }
        [Value::Int(4)] => Some(Answer::Gone),
        _ => None,
    }
}

/// How a count stood.
struct State<'a> {
    counter: &'a Counter,
    taken: u64,
    /// When what was taken of a window leaves, the oldest first: the moment, and how much.
    leaves: Vec<(u64, u64)>,
}

impl<'a> State<'a> {
    fn read(counter: &'a Counter, words: &Value) -> Option<Self> {
        let Value::Array(words) = words else {
            return None;
        };
        let Kind::Sliding(window) = counter.kind() else {
            return Some(Self {
                counter,
                taken: count(words.first()?)?,
                leaves: Vec::new(),
            });
        };
        let mut leaves = words
            .chunks(2)
            .map(|words| match words {
                [slot, amount] => {
                    Some(((count(slot)? + SLOTS + 1) * width(window), count(amount)?))
                }
                _ => None,
            })
            .collect::<Option<Vec<_>>>()?;
        leaves.retain(|(_, amount)| *amount > 0);
        leaves.sort_unstable();
        Some(Self {
            counter,
            taken: leaves.iter().map(|(_, amount)| amount).sum(),
            leaves,
        })
    }

    /// What is still taken at `moment`.
    fn at(&self, moment: u64) -> u64 {
        let leaves = self.leaves.iter();
        leaves
            .filter(|(leaves, _)| *leaves > moment)
            .map(|(_, amount)| amount)
            .sum()
    }

    /// How long until no more than `room` is taken, if nothing more comes.
    fn down_to(&self, room: u64, now: u64) -> Option<Duration> {
        match self.counter.kind() {
            Kind::Sliding(_) => {
                let moment = self.leaves.iter().map(|(moment, _)| *moment);
                let moment = moment.into_iter().find(|moment| self.at(*moment) <= room);
                Some(until(moment, now))
            }
            Kind::Gauge => Some(Duration::ZERO),
            Kind::Period { end, .. } => end.map(|end| until(Some(end.saturating_mul(1_000)), now)),
        }
    }

    fn reset(&self, now: u64) -> Duration {
        match self.counter.kind() {
            Kind::Sliding(_) => until(self.leaves.last().map(|(moment, _)| *moment), now),
            Kind::Period { end: None, .. } if self.taken > 0 => Duration::MAX,
            Kind::Period { end, .. } if self.taken > 0 => {
                until(end.map(|end| end.saturating_mul(1_000)), now)
            }
            _ => Duration::ZERO,
        }
    }
}

fn until(moment: Option<u64>, now: u64) -> Duration {
    Duration::from_millis(moment.map_or(0, |moment| moment.saturating_sub(now)))
}

/// All that a refusal is made of.
struct Refused<'a> {
    now: u64,
    states: Vec<State<'a>>,
    places: &'a [usize],
}

/// The counts of a claim that has a share.
struct Shared<'a> {
    claim: &'a Claim,
    share: &'a Share,
    all: &'a State<'a>,
    own: &'a State<'a>,
    others: Vec<(&'a State<'a>, u64)>,
}

impl Refused<'_> {
    fn decision(&self, claims: &[Claim]) -> Option<Decision> {
        let mut worst: Option<(usize, Option<Duration>)> = None;
        let mut standings = Vec::with_capacity(claims.len());
        let mut at = 0;
        for (index, claim) in claims.iter().enumerate() {
            let state = self.state(at)?;
            let shared = match &claim.share {
                None => None,
                Some(share) => Some(self.shared(at, claim, share)?),
            };
            at += names(claim);
            standings.push(Standing {
                taken: state.taken,
                remaining: shared.as_ref().map_or_else(
                    || claim.limit.saturating_sub(state.taken),
                    Shared::remaining,
                ),
                reset: state.reset(self.now),
            });
            let wait = match shared {
                Some(shared) if shared.passes(|state| state.taken) => continue,
                Some(shared) => shared.wait(self.now),
                None => match claim.limit.checked_sub(claim.amount) {
                    None => None,
                    Some(room) if state.taken <= room => continue,
                    Some(room) => state.down_to(room, self.now),
                },
            };
            let longer = match worst {
                None => true,
                Some((_, known)) => known.is_some_and(|known| wait.is_none_or(|wait| wait > known)),
            };
            if longer {
                worst = Some((index, wait));
            }
        }
        let (claim, wait) = worst?;
        Some(Decision::Refused {
            claim,
            wait,
            standings,
        })
    }

    fn state(&self, name: usize) -> Option<&State<'_>> {
        self.states.get(*self.places.get(name)?)
    }

    fn shared<'a>(&'a self, at: usize, claim: &'a Claim, share: &'a Share) -> Option<Shared<'a>> {
        let others = share.others.iter().enumerate();
        Some(Shared {
            claim,
            share,
            all: self.state(at)?,
            own: self.state(at + 1)?,
            others: others
                .map(|(other, (_, minimum))| Some((self.state(at + 2 + other)?, *minimum)))
                .collect::<Option<Vec<_>>>()?,
        })
    }
}

impl Shared<'_> {
    fn passes(&self, taken: impl Fn(&State<'_>) -> u64) -> bool {
        let all = taken(self.all).saturating_add(self.claim.amount);
        let own = taken(self.own).saturating_add(self.claim.amount);
        all <= self.claim.limit
            && (own <= self.share.minimum
                || all.saturating_add(self.kept(&taken)) <= self.claim.limit)
    }

    fn remaining(&self) -> u64 {
        let free = self.claim.limit.saturating_sub(self.all.taken);
        let own = self.share.minimum.saturating_sub(self.own.taken).min(free);
        own.max(free.saturating_sub(self.kept(&|state: &State<'_>| state.taken)))
    }

    fn kept(&self, taken: &impl Fn(&State<'_>) -> u64) -> u64 {
        let others = self.others.iter();
        others
            .map(|(state, minimum)| match taken(state) {
                0 => minimum.div_ceil(KEPT_OF_IDLE),
                taken => minimum.saturating_sub(taken),
            })
            .fold(0, u64::saturating_add)
    }

    /// How long until it passes, if nothing more comes. What others have yet to take grows as what they took leaves, so that every moment at which
    /// something leaves is looked at.
    fn wait(&self, now: u64) -> Option<Duration> {
        if !self.passes(|_| 0) {
            return None;
        }
        if !matches!(self.all.counter.kind(), Kind::Sliding(_)) {
            return self.all.down_to(0, now);
        }
        let others = self.others.iter().map(|(state, _)| *state);
        let mut moments = [self.all, self.own]
            .into_iter()
            .chain(others)
            .flat_map(|state| state.leaves.iter().map(|(moment, _)| *moment))
            .collect::<Vec<_>>();
        moments.sort_unstable();
        let moment = moments
            .into_iter()
            .find(|moment| self.passes(|state| state.at(*moment)));
        Some(until(moment, now))
    }
}
