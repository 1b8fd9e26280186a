//! Who has used how much, and whether the next call may pass.
//!
//! One call claims several scopes (its key, its model), each with limits of its own, and passes only if all agree. All of it happens under
//! one lock and at one moment, so a call that one scope refuses leaves no trace in the others.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use bartizan_core::Limits;

use crate::bucket::{Bucket, Fit};
use crate::requests::Requests;

/// Whose use is counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// All calls with one key, by its public name.
    Key(String),
    /// All calls without a principal.
    Anonymous,
    /// All calls to one model.
    Model(String),
    /// The calls with one key to one model.
    KeyModel(Option<String>, String),
}

/// What a call is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Requests,
    Tokens,
}

/// One scope that a call falls under, and its limits.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) scope: Scope,
    pub(crate) limits: Limits,
}

/// Where a limit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) limit: u32,
    pub(crate) remaining: u64,
    pub(crate) reset: Duration,
}

/// The tightest limit of each measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quotes {
    pub(crate) requests: Option<Quote>,
    pub(crate) tokens: Option<Quote>,
}

/// What was reserved for one call, to be given back to [`Ledger::settle`].
#[derive(Debug, Default)]
pub(crate) struct Holds(Vec<(Scope, u64)>);

impl Holds {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Why a call may not pass.
#[derive(Debug)]
pub(crate) enum Refused {
    /// A limit is reached.
    Over(Box<Over>),
    /// There are as many scopes in use as may be remembered.
    Full,
}

/// The limit that is reached, and holds the longest of those that are.
#[derive(Debug)]
pub(crate) struct Over {
    pub(crate) scope: Scope,
    pub(crate) measure: Measure,
    pub(crate) limit: u32,
    pub(crate) asked: u64,
    /// How long until the call may pass; `None`: it never may.
    pub(crate) wait: Option<Duration>,
    pub(crate) quotes: Quotes,
}

#[derive(Debug, Default)]
struct Meter {
    requests: Option<Requests>,
    tokens: Option<Bucket>,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    meters: HashMap<Scope, Meter>,
    most: usize,
    /// Sweep when there are this many, or at that time once there are as many as may be.
    sweep_at: usize,
    sweep_after: Duration,
    holds: u64,
}

const FIRST_SWEEP: usize = 1_024;
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

impl Ledger {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            meters: HashMap::new(),
            most,
            sweep_at: FIRST_SWEEP.min(most),
            sweep_after: Duration::ZERO,
            holds: 0,
        }
    }

    /// Lets a call of an estimated `tokens` pass and reserves them in every scope, or in none.
    pub(crate) fn admit(
        &mut self,
        now: Duration,
        claims: &[Claim],
        tokens: u64,
    ) -> Result<(Quotes, Holds), Refused> {
        for claim in claims {
            self.open(now, claim)?;
        }
        let mut worst = None;
        for claim in claims {
            if let Some(bucket) = self.bucket_of(claim) {
                match bucket.fit(tokens) {
                    Fit::Now => {}
                    Fit::After(wait) => note(&mut worst, claim, Measure::Tokens, Some(wait)),
                    Fit::Never => note(&mut worst, claim, Measure::Tokens, None),
                }
            }
        }
        let mut taken = Vec::with_capacity(claims.len());
        for claim in claims {
            let Some(meter) = self.meters.get_mut(&claim.scope) else {
                continue;
            };
            match (claim.limits.rpm, &mut meter.requests) {
                (None, _) => {}
                // governor knows no limit of zero.
                (Some(0), _) => note(&mut worst, claim, Measure::Requests, None),
                (Some(_), requests) => match requests.as_mut().map(Requests::take) {
                    Some(Ok(request)) => taken.push((&claim.scope, request)),
                    Some(Err(wait)) => note(&mut worst, claim, Measure::Requests, Some(wait)),
                    None => {}
                },
            }
        }
        match worst {
            None => {
                let holds = self.hold(claims, tokens);
                Ok((self.quotes(claims), holds))
            }
            Some(Worst {
                claim,
                measure,
                wait,
            }) => {
                for (scope, request) in taken {
                    if let Some(requests) = self
                        .meters
                        .get_mut(scope)
                        .and_then(|meter| meter.requests.as_mut())
                    {
                        requests.give_back(request);
                    }
                }
                let limit = match measure {
                    Measure::Requests => claim.limits.rpm,
                    Measure::Tokens => claim.limits.tpm,
                };
                let asked = if measure == Measure::Tokens {
                    tokens
                } else {
                    1
                };
                let (scope, limit) = (claim.scope.clone(), limit.unwrap_or_default());
                Err(Refused::Over(Box::new(Over {
                    scope,
                    measure,
                    limit,
                    asked,
                    wait,
                    quotes: self.quotes(claims),
                })))
            }
        }
    }

    /// Ends what was reserved: `used` is what the call turned out to cost.
    pub(crate) fn settle(&mut self, now: Duration, holds: Holds, used: u64) {
        for (scope, id) in holds.0 {
            if let Some(bucket) = self.bucket(&scope) {
                let limit = bucket.limit();
                bucket.advance(limit, now);
                bucket.settle(id, used);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.meters.len()
    }

    /// Calls whose reservation has not ended, counted in each scope.
    pub(crate) fn reservations(&self) -> usize {
        self.meters
            .values()
            .filter_map(|meter| meter.tokens.as_ref())
            .map(Bucket::reservations)
            .sum()
    }

    /// Brings the scope's meter to `now` and to its limits of today.
    fn open(&mut self, now: Duration, claim: &Claim) -> Result<(), Refused> {
        if !self.meters.contains_key(&claim.scope) {
            self.make_room(now)?;
        }
        let meter = self.meters.entry(claim.scope.clone()).or_default();
        // A measure that is not claimed stays as it is: what was reserved in it has yet to be settled.
        if let Some(limit) = claim.limits.rpm.and_then(NonZeroU32::new) {
            meter
                .requests
                .get_or_insert_with(|| Requests::new(limit))
                .advance(limit, now);
        }
        if let Some(limit) = claim.limits.tpm {
            meter
                .tokens
                .get_or_insert_with(|| Bucket::new(limit, now))
                .advance(limit, now);
        }
        Ok(())
    }

    /// Forgets scopes that stand as new ones would: doubling the mark each time keeps the cost of a call constant.
    fn make_room(&mut self, now: Duration) -> Result<(), Refused> {
        let full = self.meters.len() >= self.most;
        if self.meters.len() < self.sweep_at || (full && now < self.sweep_after) {
            return if full { Err(Refused::Full) } else { Ok(()) };
        }
        self.meters.retain(|_, meter| !meter.is_idle(now));
        self.sweep_at = (self.meters.len() * 2).max(FIRST_SWEEP).min(self.most);
        self.sweep_after = now + SWEEP_PAUSE;
        self.meters.shrink_to(self.sweep_at);
        if self.meters.len() >= self.most {
            Err(Refused::Full)
        } else {
            Ok(())
        }
    }

    fn hold(&mut self, claims: &[Claim], tokens: u64) -> Holds {
        let mut holds = Holds::default();
        for claim in claims {
            let id = self.holds;
            if let Some(bucket) = self.bucket_of(claim) {
                bucket.hold(id, tokens);
                holds.0.push((claim.scope.clone(), id));
                self.holds += 1;
            }
        }
        holds
    }

    /// The bucket of a claim that limits tokens.
    fn bucket_of(&mut self, claim: &Claim) -> Option<&mut Bucket> {
        claim.limits.tpm.and_then(|_| self.bucket(&claim.scope))
    }

    fn bucket(&mut self, scope: &Scope) -> Option<&mut Bucket> {
        self.meters.get_mut(scope)?.tokens.as_mut()
    }

    fn quotes(&self, claims: &[Claim]) -> Quotes {
        let mut quotes = Quotes::default();
        for claim in claims {
            let Some(meter) = self.meters.get(&claim.scope) else {
                continue;
            };
            if let Some(limit) = claim.limits.rpm {
                let (remaining, reset) = meter
                    .requests
                    .as_ref()
                    .map_or((0, Duration::ZERO), |requests| {
                        (requests.remaining(), requests.reset())
                    });
                tighten(
                    &mut quotes.requests,
                    Quote {
                        limit,
                        remaining,
                        reset,
                    },
                );
            }
            if let (Some(limit), Some(bucket)) = (claim.limits.tpm, &meter.tokens) {
                tighten(
                    &mut quotes.tokens,
                    Quote {
                        limit,
                        remaining: bucket.remaining(),
                        reset: bucket.reset(),
                    },
                );
            }
        }
        quotes
    }
}

impl Meter {
    fn is_idle(&mut self, now: Duration) -> bool {
        let requests = self.requests.as_mut().is_none_or(|requests| {
            let limit = requests.limit();
            requests.advance(limit, now);
            requests.is_idle()
        });
        let tokens = self.tokens.as_mut().is_none_or(|bucket| {
            let limit = bucket.limit();
            bucket.advance(limit, now);
            bucket.is_idle()
        });
        requests && tokens
    }
}

struct Worst<'a> {
    claim: &'a Claim,
    measure: Measure,
    wait: Option<Duration>,
}

/// Keeps the refusal that holds longest: waiting for a shorter one would end in the longer one.
fn note<'a>(
    worst: &mut Option<Worst<'a>>,
    claim: &'a Claim,
    measure: Measure,
    wait: Option<Duration>,
) {
    let longer = match worst {
        None => true,
        Some(worst) => worst
            .wait
            .is_some_and(|known| wait.is_none_or(|wait| wait > known)),
    };
    if longer {
        *worst = Some(Worst {
            claim,
            measure,
            wait,
        });
    }
}

fn tighten(known: &mut Option<Quote>, quote: Quote) {
    let tighter =
        known.is_none_or(|known| (quote.remaining, known.reset) < (known.remaining, quote.reset));
    if tighter {
        *known = Some(quote);
    }
}
