//! The decision, shared by all calls of this process.
//!
//! This is the seam for a store beyond one machine: whoever decides elsewhere gives an [`Admission`] or a [`Refused`], and takes the
//! settlement from the admission's end.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bartizan_core::Clock;

use crate::ledger::{Claim, Holds, Ledger, Quotes, Refused};

/// Decides in process.
pub(crate) struct Limiter {
    ledger: Mutex<Ledger>,
    clock: Arc<dyn Clock>,
    most: usize,
}

impl Limiter {
    pub(crate) fn new(clock: Arc<dyn Clock>, most: usize) -> Self {
        Self {
            ledger: Mutex::new(Ledger::new(most)),
            clock,
            most,
        }
    }

    /// Lets a call of an estimated `tokens` pass under all `claims`, or says why not.
    pub(crate) fn admit(
        self: &Arc<Self>,
        claims: &[Claim],
        tokens: u64,
    ) -> Result<Admission, Refused> {
        let mut ledger = self.ledger();
        let decision = ledger.admit(self.now(), claims, tokens);
        let scopes = ledger.len();
        drop(ledger);
        metrics::gauge!("bartizan.limit.scopes").set(scopes as f64);
        let (quotes, holds) = decision?;
        Ok(Admission {
            limiter: Arc::clone(self),
            quotes,
            holds,
            estimate: tokens,
        })
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Calls whose reservation has not ended, counted in each scope.
    pub(crate) fn reservations(&self) -> usize {
        self.ledger().reservations()
    }

    /// Read with the ledger locked, so that time never goes back for it.
    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Nothing under the lock panics; were it to, refusing every call from then on would be worse than one lost reservation.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("scopes", &self.ledger().len())
            .finish_non_exhaustive()
    }
}

/// A call that passed. Its reservation ends when it is settled; dropped before, it costs what was estimated.
#[derive(Debug)]
pub(crate) struct Admission {
    limiter: Arc<Limiter>,
    quotes: Quotes,
    holds: Holds,
    estimate: u64,
}

impl Admission {
    pub(crate) fn quotes(&self) -> Quotes {
        self.quotes
    }

    pub(crate) fn settle(mut self, used: u64) {
        self.end(used);
    }

    fn end(&mut self, used: u64) {
        let holds = std::mem::take(&mut self.holds);
        if !holds.is_empty() {
            let mut ledger = self.limiter.ledger();
            ledger.settle(self.limiter.now(), holds, used);
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.end(self.estimate);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU64, Ordering};

    use bartizan_core::{Limits, ManualClock};
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::Scope;

    fn claim(scope: Scope, rpm: Option<u32>, tpm: Option<u32>) -> Claim {
        Claim {
            scope,
            limits: Limits {
                rpm,
                tpm,
                ..Limits::default()
            },
        }
    }

    fn key(name: &str, rpm: Option<u32>, tpm: Option<u32>) -> Claim {
        claim(Scope::Key(name.to_owned()), rpm, tpm)
    }

    fn limiter(clock: &ManualClock) -> Arc<Limiter> {
        Arc::new(Limiter::new(Arc::new(clock.clone()), 1_000))
    }

    fn wait(refused: Refused) -> Option<Duration> {
        match refused {
            Refused::Over(over) => over.wait,
            Refused::Full => panic!("full"),
        }
    }

    #[test]
    fn all_scopes_bind_and_the_longest_wait_is_told() {
        let clock = ManualClock::default();
        let limiter = limiter(&clock);
        let claims = [
            key("k", Some(2), Some(1_000)),
            claim(Scope::Model("m".into()), Some(6), Some(100)),
        ];
        limiter.admit(&claims, 60).unwrap().settle(60);
        // The model's tokens: 20 too many at 100 a minute are 12 s.
        assert_eq!(
            wait(limiter.admit(&claims, 60).unwrap_err()),
            Some(Duration::from_secs(12))
        );
        limiter.admit(&claims, 40).unwrap().settle(40);
        // The key's requests: one in 30 s; the model's tokens: 12 s for 20.
        assert_eq!(
            wait(limiter.admit(&claims, 20).unwrap_err()),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            wait(limiter.admit(&claims, 101).unwrap_err()),
            None,
            "it can never pass"
        );
        limiter.admit(&[key("other", Some(1), None)], 20).unwrap();
    }

    #[test]
    fn a_call_that_one_scope_refuses_costs_nothing_in_the_others() {
        let limiter = limiter(&ManualClock::default());
        let closed = claim(Scope::Model("closed".into()), Some(0), None);
        let open = key("k", Some(1), Some(10));
        for _ in 0..5 {
            let refused = limiter
                .admit(&[open.clone(), closed.clone()], 10)
                .unwrap_err();
            let Refused::Over(over) = refused else {
                panic!("full")
            };
            assert_eq!(
                (over.scope, over.limit, over.wait),
                (Scope::Model("closed".into()), 0, None)
            );
        }
        assert_eq!(limiter.reservations(), 0);
        limiter.admit(&[open], 10).unwrap();
    }

    #[test]
    fn an_admission_that_is_dropped_costs_its_estimate_and_holds_nothing() {
        let limiter = limiter(&ManualClock::default());
        let claims = [key("k", None, Some(100))];
        drop(limiter.admit(&claims, 70).unwrap());
        assert_eq!(limiter.reservations(), 0);
        assert_eq!(
            limiter
                .admit(&claims, 10)
                .unwrap()
                .quotes()
                .tokens
                .unwrap()
                .remaining,
            20
        );
    }

    #[test]
    fn quotes_tell_the_tightest_limit_after_this_call() {
        let limiter = limiter(&ManualClock::default());
        let claims = [
            key("k", Some(10), Some(1_000)),
            claim(Scope::Model("m".into()), Some(3), Some(5_000)),
        ];
        let quotes = limiter.admit(&claims, 100).unwrap().quotes();
        let (requests, tokens) = (quotes.requests.unwrap(), quotes.tokens.unwrap());
        assert_eq!(
            (requests.limit, requests.remaining, requests.reset),
            (3, 2, Duration::from_secs(20))
        );
        assert_eq!(
            (tokens.limit, tokens.remaining, tokens.reset),
            (1_000, 900, Duration::from_secs(6))
        );
    }

    #[test]
    fn memory_is_bounded_and_idle_scopes_make_room() {
        let clock = ManualClock::default();
        let limiter = Arc::new(Limiter::new(Arc::new(clock.clone()), 10));
        let keys: Vec<_> = (0..12)
            .map(|number| key(&format!("k{number}"), Some(60), Some(60)))
            .collect();
        let held: Vec<_> = keys[..10]
            .iter()
            .map(|key| limiter.admit(std::slice::from_ref(key), 1).unwrap())
            .collect();
        assert!(
            matches!(limiter.admit(&keys[10..11], 1), Err(Refused::Full)),
            "fails closed"
        );
        limiter.admit(&keys[..1], 1).unwrap();
        // Held ones stay although their use is forgotten, and free ones go.
        clock.advance(Duration::from_secs(120));
        assert!(matches!(
            limiter.admit(&keys[10..11], 1),
            Err(Refused::Full)
        ));
        drop(held);
        clock.advance(Duration::from_secs(120));
        limiter.admit(&keys[10..11], 1).unwrap();
        assert_eq!(limiter.ledger().len(), 1);
    }

    /// Promise 13. Many threads at one moment: just as many pass as the limit allows, whatever the order.
    #[test]
    fn limits_are_exact_under_concurrency() {
        for (rpm, tpm, each, expected) in [
            (100, None, 1, 100),
            (1_000, Some(777), 7, 111),
            (50, Some(350), 7, 50),
        ] {
            let limiter = limiter(&ManualClock::default());
            let (start, passed) = (Barrier::new(8), AtomicU64::new(0));
            std::thread::scope(|threads| {
                for number in 0..8 {
                    let (limiter, start, passed) = (&limiter, &start, &passed);
                    threads.spawn(move || {
                        // Each thread has a key of its own and all share the model: the model's limit is what is exact.
                        let claims = [
                            key(&format!("k{number}"), Some(10_000), None),
                            claim(Scope::Model("m".into()), Some(rpm), tpm),
                        ];
                        start.wait();
                        for _ in 0..200 {
                            if let Ok(admission) = limiter.admit(&claims, each) {
                                passed.fetch_add(1, Ordering::Relaxed);
                                admission.settle(each);
                            }
                        }
                    });
                }
            });
            assert_eq!(passed.into_inner(), expected);
            assert_eq!(limiter.reservations(), 0);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Promise 13, with refunds: what passed and is not yet refunded never exceeds the limit, and all is back at the end.
        #[test]
        fn settled_and_held_never_exceed_the_limit(plans in prop::collection::vec(prop::collection::vec((1_u64..=40, 0_u64..=40), 1..60), 2..6)) {
            let limiter = limiter(&ManualClock::default());
            let standing = AtomicU64::new(0);
            let highest = AtomicU64::new(0);
            std::thread::scope(|threads| {
                for plan in &plans {
                    let (limiter, standing, highest) = (&limiter, &standing, &highest);
                    threads.spawn(move || {
                        for &(estimate, used) in plan {
                            if let Ok(admission) = limiter.admit(&[key("k", None, Some(100))], estimate) {
                                let now = standing.fetch_add(estimate, Ordering::SeqCst) + estimate;
                                highest.fetch_max(now, Ordering::SeqCst);
                                let used = used.min(estimate);
                                // Counted down first: between the two, the ledger holds more than is counted, never less.
                                standing.fetch_sub(estimate - used, Ordering::SeqCst);
                                admission.settle(used);
                            }
                        }
                    });
                }
            });
            prop_assert!(highest.into_inner() <= 100);
            prop_assert_eq!(limiter.reservations(), 0);
            let left = 100 - standing.into_inner();
            prop_assert!(limiter.admit(&[key("k", None, Some(100))], left + 1).is_err());
            if left > 0 {
                prop_assert!(limiter.admit(&[key("k", None, Some(100))], left).is_ok());
            }
        }
    }
}
