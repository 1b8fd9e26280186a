//! Requests a minute, by governor.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

/// A generic cell rate limiter: a burst of the whole limit, refilled evenly over a minute.
///
/// governor decides; the time and the one number it keeps are held here, so that a call which another scope refuses can be
/// taken back without a trace, and a changed limit keeps what was used. Whoever owns it has it alone, so the atomics are never contended.
pub(crate) struct Requests {
    limit: NonZeroU32,
    limiter: Limiter,
    arrival: Arrival,
    now: Now,
}

type Limiter = RateLimiter<NotKeyed, Arrival, Now, NoOpMiddleware<Nanos>>;

/// A request that was let through: what stood before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken(u64);

impl Requests {
    pub(crate) fn new(limit: NonZeroU32) -> Self {
        let (arrival, now) = (Arrival::default(), Now::default());
        Self {
            limit,
            limiter: limiter(limit, &arrival, &now),
            arrival,
            now,
        }
    }

    /// Brings the limiter to `now`. What was used stays used, as a share of the limit.
    pub(crate) fn advance(&mut self, limit: NonZeroU32, now: Duration) {
        if limit != self.limit {
            // It takes the moment it is made for its origin; the arrival is counted from zero.
            self.now.set(Duration::ZERO);
            self.limiter = limiter(limit, &self.arrival, &self.now);
            self.limit = limit;
        }
        self.now.set(now);
    }

    pub(crate) fn limit(&self) -> NonZeroU32 {
        self.limit
    }

    /// Lets one request through, or says how long it must wait.
    pub(crate) fn take(&mut self) -> Result<Taken, Duration> {
        let before = self.arrival.0.load(Ordering::Relaxed);
        match self.limiter.check() {
            Ok(()) => Ok(Taken(before)),
            Err(until) => Err(until.wait_time_from(self.now.now())),
        }
    }

    /// Takes back the request that was let through last.
    pub(crate) fn give_back(&mut self, taken: Taken) {
        self.arrival.0.store(taken.0, Ordering::Relaxed);
    }

    /// Requests that would pass now.
    pub(crate) fn remaining(&self) -> u64 {
        let each = Quota::per_minute(self.limit).replenish_interval();
        let free = (each * self.limit.get()).saturating_sub(self.reset());
        u64::try_from(free.as_nanos() / each.as_nanos().max(1)).unwrap_or(u64::MAX)
    }

    /// How long until a burst of the whole limit could pass, if nothing more comes.
    pub(crate) fn reset(&self) -> Duration {
        let arrival = Nanos::new(self.arrival.0.load(Ordering::Relaxed));
        arrival.duration_since(self.now.now()).into()
    }

    /// Whether the limiter is as a new one: forgetting it changes nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.reset().is_zero()
    }
}

fn limiter(limit: NonZeroU32, arrival: &Arrival, now: &Now) -> Limiter {
    RateLimiter::new(Quota::per_minute(limit), arrival.clone(), now.clone())
}

/// The theoretical arrival time: governor's whole state.
#[derive(Clone, Default)]
struct Arrival(Arc<AtomicU64>);

impl StateStore for Arrival {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (outcome, next) = decide(Some(Nanos::new(self.0.load(Ordering::Relaxed))))?;
        self.0.store(next.as_u64(), Ordering::Relaxed);
        Ok(outcome)
    }
}

/// The time that its owner was brought to, so that one decision over many scopes is made at one moment.
#[derive(Clone, Default)]
struct Now(Arc<AtomicU64>);

impl Now {
    fn set(&self, now: Duration) {
        self.0.store(
            u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }
}

impl Clock for Now {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(self.0.load(Ordering::Relaxed))
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests")
            .field("limit", &self.limit)
            .field("reset", &self.reset())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn requests(limit: u32) -> Requests {
        Requests::new(NonZeroU32::new(limit).unwrap())
    }

    fn advance(requests: &mut Requests, limit: u32, now: Duration) {
        requests.advance(NonZeroU32::new(limit).unwrap(), now);
    }

    #[test]
    fn the_whole_limit_passes_at_once_and_then_one_at_a_time() {
        let mut requests = requests(3);
        let remaining: Vec<u64> = (0..3)
            .map(|_| {
                requests.take().unwrap();
                requests.remaining()
            })
            .collect();
        assert_eq!(remaining, [2, 1, 0]);
        assert_eq!(requests.take().unwrap_err(), Duration::from_secs(20));
        assert_eq!(requests.reset(), Duration::from_secs(60));
        advance(
            &mut requests,
            3,
            Duration::from_secs(20) - Duration::from_nanos(1),
        );
        assert_eq!(requests.take().unwrap_err(), Duration::from_nanos(1));
        advance(&mut requests, 3, Duration::from_secs(20));
        requests.take().unwrap();
        assert!(requests.take().is_err());
        advance(&mut requests, 3, Duration::from_secs(80));
        assert!(requests.is_idle());
    }

    #[test]
    fn a_request_given_back_leaves_no_trace() {
        let mut requests = requests(2);
        advance(&mut requests, 2, Duration::from_secs(100));
        let first = requests.take().unwrap();
        let reset = requests.reset();
        let second = requests.take().unwrap();
        requests.give_back(second);
        assert_eq!(requests.reset(), reset);
        requests.take().unwrap();
        assert!(requests.take().is_err());
        requests.give_back(first);
        assert!(requests.is_idle());
    }

    #[test]
    fn a_changed_limit_keeps_the_share_that_was_used() {
        let mut requests = requests(10);
        advance(&mut requests, 10, Duration::from_secs(1_000));
        for _ in 0..5 {
            requests.take().unwrap();
        }
        advance(&mut requests, 100, Duration::from_secs(1_000));
        assert_eq!(requests.remaining(), 50);
        advance(&mut requests, 2, Duration::from_secs(1_000));
        assert_eq!(requests.remaining(), 1);
    }

    proptest! {
        /// In any stretch of time no more pass than the limit at its start and what was refilled since.
        #[test]
        fn no_more_pass_than_the_limit_and_its_refill(limit in 1_u32..50, waits in prop::collection::vec(0_u64..10_000, 1..200)) {
            let mut requests = requests(limit);
            let (mut now, mut passed) = (Duration::ZERO, Vec::new());
            for wait in waits {
                now += Duration::from_millis(wait);
                advance(&mut requests, limit, now);
                if requests.take().is_ok() {
                    passed.push(now);
                }
            }
            for (first, start) in passed.iter().enumerate() {
                for (last, end) in passed.iter().enumerate().skip(first) {
                    let most = f64::from(limit) * (1.0 + (*end - *start).as_secs_f64() / 60.0);
                    prop_assert!((last - first + 1) as f64 <= most + 1e-6);
                }
            }
        }
    }
}
