//! Counts kept in this process.

mod decide;
mod map;
mod meter;
mod share;
mod window;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Clock, SystemClock};

use self::map::{Map, lock};
use self::meter::{Meter, Now};
use crate::store::{Away, Charge, Claim, Counter, Decision, Kind, LimitStore};

const MOST_COUNTERS: usize = 200_000;

/// Keeps counts in this process: two of them let twice as much through.
///
/// Each count has a lock of its own. A decision locks the counts of its call in one order, looks at all of them, charges all or none, and unlocks
/// them: no other call stands between, and calls that share no count never wait for each other. Clones count together.
///
/// Memory is bounded: counts that stand as new ones would leave when room is needed, and of periods that are over; where all are in use, calls that need another are told
/// [`Away::Full`], since forgetting a count would lift a limit.
#[derive(Clone)]
pub struct Local(Arc<Inner>);

struct Inner {
    map: Map,
    clock: Arc<dyn Clock>,
    /// The wall clock's time when the monotonic clock stood at zero.
    start: Duration,
}

impl Local {
    /// Creates a store that knows no counts, on the machine's clocks.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Arc::new(SystemClock::new()), MOST_COUNTERS)
    }

    /// Where it takes the time from, and no counts.
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        Self::with(Arc::new(clock), self.0.map.most())
    }

    /// How many counts may be in use at a time, and none yet. 200,000 by default, some 50 MB where each has a name of 60 bytes and has been
    /// touched in a few of its slots.
    #[must_use]
    pub fn max_counters(self, most: usize) -> Self {
        Self::with(Arc::clone(&self.0.clock), most)
    }

    /// How many counts there are.
    #[must_use]
    pub fn counters(&self) -> usize {
        self.0.map.len()
    }

    /// What calls under way hold in gauges and periods, added up. Zero when none is under way.
    #[must_use]
    pub fn held(&self) -> u64 {
        let mut held = 0_u64;
        self.0
            .map
            .each(|_, meter| held = held.saturating_add(meter.held()));
        held
    }

    fn with(clock: Arc<dyn Clock>, most: usize) -> Self {
        Self(Arc::new(Inner {
            map: Map::new(most),
            start: clock.unix().saturating_sub(clock.monotonic()),
            clock,
        }))
    }

    fn now(&self) -> Now {
        let slid = self.0.start + self.0.clock.monotonic();
        Now {
            slid: u64::try_from(slid.as_millis()).unwrap_or(u64::MAX),
            wall: self.0.clock.unix(),
        }
    }
}

impl Default for Local {
    fn default() -> Self {
        Self::new()
    }
}

impl LimitStore for Local {
    /// At once: nothing is awaited, so that a call which is dropped has been decided or hasn't.
    async fn decide(&self, claims: &[Claim]) -> Result<Decision, Away> {
        self.decide_now(claims)
    }

    fn settle(&self, claims: &[Claim], charge: Charge, used: &[u64]) {
        // Read once: a count that another call has brought further in the meantime charges a debt to where it is.
        let now = self.now();
        for (claim, used) in claims.iter().zip(used) {
            self.settle_one(&claim.counter, claim.amount, *used, charge, now);
            if let Some(share) = &claim.share {
                self.settle_one(&share.own, claim.amount, *used, charge, now);
            }
        }
    }

    async fn seed(&self, counter: &Counter, spent: u64) -> Result<(), Away> {
        let cell = self.0.map.open(counter, || self.now())?;
        lock(&cell).seed(spent);
        Ok(())
    }
}

impl Local {
    fn settle_one(&self, counter: &Counter, amount: u64, used: u64, charge: Charge, now: Now) {
        let owes = used > amount && matches!(counter.kind(), Kind::Sliding(_));
        let cell = if owes {
            self.0.map.open_beyond(counter, || now)
        } else {
            // A count that has been forgotten has nothing to give back to.
            let Some(cell) = self.0.map.find(counter) else {
                return;
            };
            cell
        };
        let mut meter = lock(&cell);
        meter.advance(counter.kind(), now);
        meter.settle(amount, used, charge.at, now);
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local")
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}
