//! What is decided while Redis is away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::place::Trouble;
use super::seen::Seen;
use crate::Local;
use crate::store::{
    Away, Charge, Claim, Counter, Decision, Kind, LimitStore as _, Share, Standing,
};

/// One warning in so many milliseconds.
const WARNINGS: u64 = 60_000;
/// A call that only the whole limit lets pass: when to ask again.
const AGAIN: Duration = Duration::from_secs(1);

/// What a [`RedisStore`](crate::RedisStore) decides by while Redis can't be asked. What calls use meanwhile is told to Redis when it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// By this process's part of what was left when it last asked: the limit less what was taken, divided by `replicas`, as many processes as there
    /// are at the most. Of calls at once, by its part of the limit, rounded up.
    Local {
        /// How many processes count together. Zero is taken for one.
        replicas: u32,
    },
    /// No call passes: [`Away::Unreachable`].
    Closed,
    /// Every call passes.
    Open,
}

/// The charge of a call that was let in without a count. Outages are numbered from one on.
const OPEN: u64 = 0;
/// No name of a holder is less, and there is no such number of an outage.
const LEAST_HOLDER: u64 = 1 << 52;

#[derive(Debug)]
pub(super) struct Outage {
    fallback: Fallback,
    seen: Seen,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many there have been.
    number: u64,
    lasts: bool,
    /// Counts what this one lets in.
    local: Local,
    warned: Option<u64>,
    calls: u64,
}

impl Outage {
    pub(super) fn new(fallback: Fallback) -> Self {
        Self {
            fallback,
            seen: Seen::default(),
            state: Mutex::default(),
        }
    }

    pub(super) fn begins(&self, trouble: &Trouble, now: u64) {
        let mut state = self.state();
        state.lasts = true;
        state.number += 1;
        state.local = Local::new();
        metrics::gauge!("bartizan.limit.degraded").set(1.0);
        if state.is_silent(now) {
            drop(state);
            tracing::warn!(%trouble, fallback = self.name(), "Redis, which counts limits, is away");
        }
    }

    pub(super) fn over(&self) {
        let mut state = self.state();
        metrics::gauge!("bartizan.limit.degraded").set(0.0);
        if state.lasts {
            state.lasts = false;
            let calls = std::mem::take(&mut state.calls);
            drop(state);
            tracing::info!(calls, "Redis, which counts limits, is back");
        }
    }

    /// Remembers where counts stood when Redis was asked.
    pub(super) fn learn(&self, claims: &[Claim], decision: &Decision, now: u64) {
        let (Decision::Admitted { standings, .. } | Decision::Refused { standings, .. }) = decision
        else {
            return;
        };
        if matches!(self.fallback, Fallback::Local { .. }) {
            for (claim, standing) in claims.iter().zip(standings) {
                self.seen.learn(&claim.counter, standing.taken, now);
            }
        }
    }

    pub(super) async fn decide(&self, claims: &[Claim], now: u64) -> Result<Decision, Away> {
        self.count(now);
        match self.fallback {
            Fallback::Closed => Err(Away::Unreachable),
            Fallback::Open => Ok(Decision::Admitted {
                charge: Charge { at: now, by: OPEN },
                standings: claims
                    .iter()
                    .map(|claim| Standing {
                        taken: 0,
                        remaining: claim.limit,
                        reset: Duration::ZERO,
                    })
                    .collect(),
            }),
            Fallback::Local { replicas } => self.decide_here(claims, replicas.max(1), now).await,
        }
    }

    /// What was spent of a period, as its ledger says, while Redis can't be told.
    pub(super) fn seed(&self, counter: &Counter, spent: u64, now: u64) -> Result<(), Away> {
        match self.fallback {
            Fallback::Closed => Err(Away::Unreachable),
            Fallback::Open => Ok(()),
            Fallback::Local { .. } => {
                self.seen.learn(counter, spent, now);
                Ok(())
            }
        }
    }

    /// Whether a charge is of this process.
    pub(super) const fn is_here(charge: Charge) -> bool {
        charge.by < LEAST_HOLDER
    }

    pub(super) fn settle(&self, claims: &[Claim], charge: Charge, used: &[u64]) {
        let state = self.state();
        if charge.by == state.number && charge.by != OPEN {
            let local = state.local.clone();
            drop(state);
            local.settle(claims, Charge { by: 0, ..charge }, used);
        }
    }

    async fn decide_here(
        &self,
        claims: &[Claim],
        replicas: u32,
        now: u64,
    ) -> Result<Decision, Away> {
        let (number, local) = {
            let state = self.state();
            (state.number, state.local.clone())
        };
        let mut parts = Vec::with_capacity(claims.len());
        let mut unseeded = Vec::new();
        for (place, claim) in claims.iter().enumerate() {
            let taken = self.seen.taken(&claim.counter, now);
            if let Kind::Period { .. } = claim.counter.kind() {
                match taken {
                    // Counted from here on; what came before is off the limit.
                    Some(_) => local.seed(&claim.counter, 0).await?,
                    None => unseeded.push(place),
                }
            }
            parts.push(part(claim, taken.unwrap_or_default(), u64::from(replicas)));
        }
        if !unseeded.is_empty() {
            return Ok(Decision::Unseeded(unseeded));
        }
        Ok(match local.decide(&parts).await? {
            Decision::Admitted { charge, standings } => Decision::Admitted {
                charge: Charge {
                    by: number,
                    ..charge
                },
                standings,
            },
            Decision::Refused {
                claim,
                wait: None,
                standings,
            } => Decision::Refused {
                claim,
                wait: claims.get(claim).and_then(|claim| {
                    let ends = !matches!(claim.counter.kind(), Kind::Period { end: None, .. });
                    (ends && claim.amount <= claim.limit).then_some(AGAIN)
                }),
                standings,
            },
            other => other,
        })
    }

    fn count(&self, now: u64) {
        metrics::counter!("bartizan.limit.degraded_calls", "fallback" => self.name()).increment(1);
        let mut state = self.state();
        state.calls += 1;
        if state.is_silent(now) {
            let calls = state.calls;
            drop(state);
            tracing::warn!(
                calls,
                fallback = self.name(),
                "Redis, which counts limits, is still away"
            );
        }
    }

    const fn name(&self) -> &'static str {
        match self.fallback {
            Fallback::Local { .. } => "local",
            Fallback::Closed => "closed",
            Fallback::Open => "open",
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether nothing has been said for a minute; from now on it has.
    fn is_silent(&mut self, now: u64) -> bool {
        let silent = self.warned.is_none_or(|warned| now >= warned + WARNINGS);
        if silent {
            self.warned = Some(now);
        }
        silent
    }
}

/// This process's part of a claim of whose count `taken` was taken.
fn part(claim: &Claim, taken: u64, replicas: u64) -> Claim {
    let limit = match claim.counter.kind() {
        Kind::Gauge => claim.limit.div_ceil(replicas),
        _ => claim.limit.saturating_sub(taken) / replicas,
    };
    let share = claim.share.as_ref().map(|share| Share {
        own: share.own.clone(),
        minimum: share.minimum / replicas,
        others: share
            .others
            .iter()
            .map(|(counter, minimum)| (counter.clone(), minimum / replicas))
            .collect::<Arc<[_]>>(),
    });
    Claim {
        counter: claim.counter.clone(),
        limit,
        amount: claim.amount,
        share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SLOTS;

    fn claim(kind: Kind, limit: u64, amount: u64) -> Claim {
        Claim {
            counter: Counter::new("count", kind),
            limit,
            amount,
            share: None,
        }
    }

    #[test]
    fn a_part_is_what_was_left_divided_and_of_calls_at_once_the_limit_divided() {
        let minute = Kind::Sliding(Duration::from_mins(1));
        let month = Kind::Period {
            start: 0,
            end: None,
        };
        for (kind, limit, taken, replicas, expected) in [
            (minute, 100, 0, 3, 33),
            (minute, 100, 40, 3, 20),
            (minute, 100, 400, 3, 0),
            (minute, 100, 0, 1, 100),
            (month, 100, 99, 2, 0),
            (month, 1 << 53, 0, 2, 1 << 52),
            (Kind::Gauge, 10, 9, 3, 4),
            (Kind::Gauge, 1, 0, 3, 1),
        ] {
            let part = part(&claim(kind, limit, 1), taken, replicas);
            assert_eq!(part.limit, expected, "{kind:?} {limit} {taken} {replicas}");
        }
    }

    #[tokio::test]
    async fn what_was_taken_of_a_window_counts_until_it_has_left() {
        let outage = Outage::new(Fallback::Local { replicas: 2 });
        let call = [claim(Kind::Sliding(Duration::from_mins(1)), 10, 1)];
        let standing = Standing {
            taken: 8,
            remaining: 2,
            reset: Duration::ZERO,
        };
        let seen = Decision::Admitted {
            charge: Charge { at: 0, by: 0 },
            standings: vec![standing],
        };
        outage.learn(&call, &seen, 1_000);
        outage.begins(&Trouble::Late, 2_000);
        let left = async |now| match outage.decide(&call, now).await.unwrap() {
            Decision::Admitted { standings, .. } => Some(standings[0].remaining),
            _ => None,
        };
        assert_eq!(left(2_000).await, Some(0));
        assert_eq!(left(3_000).await, None);
        // Of ten, five are this process's, and one is taken.
        assert_eq!(left(1_000 + (SLOTS + 1) * 1_000).await, Some(3));
    }

    #[tokio::test]
    async fn a_period_that_was_never_seen_is_seeded_and_one_that_was_is_not() {
        let outage = Outage::new(Fallback::Local { replicas: 2 });
        let month = Kind::Period {
            start: 0,
            end: None,
        };
        let call = [claim(month, 10, 2)];
        outage.begins(&Trouble::Late, 0);
        let asked = outage.decide(&call, 1).await.unwrap();
        assert_eq!(asked, Decision::Unseeded(vec![0]));
        outage.seed(&call[0].counter, 6, 2).unwrap();
        let first = outage.decide(&call, 3).await.unwrap();
        let Decision::Admitted { charge, .. } = first else {
            panic!("{first:?}");
        };
        assert!(Outage::is_here(charge));
        let second = outage.decide(&call, 4).await.unwrap();
        assert!(
            matches!(second, Decision::Refused { wait: None, .. }),
            "{second:?}"
        );
        outage.settle(&call, charge, &[0]);
        let third = outage.decide(&call, 5).await.unwrap();
        assert!(matches!(third, Decision::Admitted { .. }), "{third:?}");
    }

    #[tokio::test]
    async fn a_call_that_only_the_whole_limit_lets_pass_may_ask_again() {
        let outage = Outage::new(Fallback::Local { replicas: 3 });
        outage.begins(&Trouble::Late, 0);
        let minute = Kind::Sliding(Duration::from_mins(1));
        for (amount, expected) in [(34, Some(AGAIN)), (101, None)] {
            match outage
                .decide(&[claim(minute, 100, amount)], 0)
                .await
                .unwrap()
            {
                Decision::Refused { wait, .. } => assert_eq!(wait, expected),
                other => panic!("{other:?}"),
            }
        }
    }
}
