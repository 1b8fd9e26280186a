//! Tokens a minute: reserved by estimate, settled by what was used.
//!
//! A leaky bucket as high as the limit, which drains by the limit a minute. A call pours its estimate in when it begins, and when
//! it ends the difference to what it used is taken out again, or poured in on top.
//!
//! Taking out is the hard part. Say a call reserved the whole minute and used nothing, and ends after that minute: the bucket has
//! drained by then and was filled by others. Taking its reservation out now would let them pour in twice as much as they may. What may be
//! taken out is just what would be missing had the call poured in the true amount at the start: the difference, but no more than the
//! lowest level since (for a bucket that ran empty in between has already forgiven it). So each reservation carries the lowest level since it was
//! made, and the bucket stands, at every moment, as though every settled call had been charged truly from its start.

use std::time::Duration;

/// What a token weighs, so that a limit of one token a minute drains one unit a nanosecond and no time is lost to rounding.
const TOKEN: u128 = 60_000_000_000;

/// Charges of one scope.
#[derive(Debug)]
pub(crate) struct Bucket {
    limit: u32,
    level: u128,
    at: Duration,
    /// By age. Their `low` never falls from one to the next, since a later reservation has seen less.
    held: Vec<Held>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    id: u64,
    tokens: u64,
    low: u128,
}

/// When a bucket can take an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    Now,
    After(Duration),
    Never,
}

impl Bucket {
    pub(crate) fn new(limit: u32, now: Duration) -> Self {
        Self {
            limit,
            level: 0,
            at: now,
            held: Vec::new(),
        }
    }

    /// Brings the bucket to `now`. What was charged stays charged; it drains by `limit` from here on.
    pub(crate) fn advance(&mut self, limit: u32, now: Duration) {
        let passed = now.saturating_sub(self.at).as_nanos();
        self.level = self.level.saturating_sub(passed * u128::from(self.limit));
        self.at = self.at.max(now);
        self.limit = limit;
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    pub(crate) fn fit(&self, tokens: u64) -> Fit {
        if tokens > u64::from(self.limit) {
            return Fit::Never;
        }
        let over = self
            .level
            .saturating_add(weight(tokens))
            .saturating_sub(self.brim());
        if over == 0 {
            Fit::Now
        } else {
            Fit::After(self.drains_in(over))
        }
    }

    /// Reserves `tokens` under `id`, which must be higher than any before.
    pub(crate) fn hold(&mut self, id: u64, tokens: u64) {
        self.note_low();
        self.level = self.level.saturating_add(weight(tokens));
        self.held.push(Held {
            id,
            tokens,
            low: self.level,
        });
    }

    /// Ends the reservation `id`: `used` is what it turned out to be. Without such a reservation, nothing happens.
    pub(crate) fn settle(&mut self, id: u64, used: u64) {
        let Ok(index) = self.held.binary_search_by_key(&id, |held| held.id) else {
            return;
        };
        let held = self.held.remove(index);
        if used > held.tokens {
            self.note_low();
            self.level = self.level.saturating_add(weight(used - held.tokens));
            return;
        }
        let low = held.low.min(self.level);
        let returned = weight(held.tokens - used).min(low);
        self.level -= returned;
        // The others see the course of the level as it would have been.
        for later in self.held.iter_mut().skip(index) {
            later.low -= returned.min(later.low);
        }
        for earlier in self
            .held
            .iter_mut()
            .take(index)
            .rev()
            .take_while(|earlier| earlier.low > low - returned)
        {
            earlier.low = low - returned;
        }
    }

    /// Tokens that could be reserved now.
    pub(crate) fn remaining(&self) -> u64 {
        u64::try_from(self.brim().saturating_sub(self.level) / TOKEN).unwrap_or(u64::MAX)
    }

    /// How long until the bucket is empty, if nothing more comes.
    pub(crate) fn reset(&self) -> Duration {
        self.drains_in(self.level)
    }

    /// Whether the bucket is as a new one: forgetting it changes nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.level == 0 && self.held.is_empty()
    }

    pub(crate) fn reservations(&self) -> usize {
        self.held.len()
    }

    fn brim(&self) -> u128 {
        weight(u64::from(self.limit))
    }

    fn drains_in(&self, weight: u128) -> Duration {
        let nanoseconds = weight.div_ceil(u128::from(self.limit.max(1)));
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// To be called before the level rises.
    fn note_low(&mut self) {
        let level = self.level;
        for held in self
            .held
            .iter_mut()
            .rev()
            .take_while(|held| held.low > level)
        {
            held.low = level;
        }
    }
}

fn weight(tokens: u64) -> u128 {
    u128::from(tokens) * TOKEN
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_bucket_takes_its_limit_and_not_a_token_more() {
        let mut bucket = Bucket::new(100, Duration::ZERO);
        assert_eq!(bucket.fit(100), Fit::Now);
        assert_eq!(bucket.fit(101), Fit::Never);
        bucket.hold(0, 60);
        assert_eq!(bucket.fit(40), Fit::Now);
        // 100 tokens a minute are one in 600 ms.
        assert_eq!(bucket.fit(41), Fit::After(Duration::from_millis(600)));
        bucket.advance(100, Duration::from_nanos(599_999_999));
        assert_eq!(bucket.fit(41), Fit::After(Duration::from_nanos(1)));
        bucket.advance(100, Duration::from_millis(600));
        assert_eq!(bucket.fit(41), Fit::Now);
    }

    #[test]
    fn a_limit_of_zero_takes_nothing() {
        assert_eq!(Bucket::new(0, Duration::ZERO).fit(1), Fit::Never);
    }

    #[test]
    fn what_was_not_used_comes_back_at_once() {
        let mut bucket = Bucket::new(100, Duration::ZERO);
        bucket.hold(0, 100);
        assert_eq!(bucket.remaining(), 0);
        bucket.settle(0, 30);
        assert_eq!(bucket.remaining(), 70);
        bucket.settle(0, 0);
        assert_eq!(bucket.remaining(), 70, "settled twice");
    }

    #[test]
    fn what_was_used_beyond_the_estimate_is_a_debt() {
        let mut bucket = Bucket::new(100, Duration::ZERO);
        bucket.hold(0, 10);
        bucket.settle(0, 160);
        assert_eq!(bucket.remaining(), 0);
        assert_eq!(bucket.fit(1), Fit::After(Duration::from_millis(600 * 61)));
    }

    #[test]
    fn a_reservation_that_time_has_forgiven_does_not_come_back() {
        let mut bucket = Bucket::new(100, Duration::ZERO);
        bucket.hold(0, 100);
        bucket.advance(100, 60 * SECOND);
        bucket.hold(1, 100);
        bucket.settle(0, 0);
        assert_eq!(
            bucket.remaining(),
            0,
            "the second call has filled the bucket truly"
        );
        bucket.settle(1, 100);
        bucket.advance(100, 120 * SECOND);
        assert!(bucket.is_idle());
    }

    #[test]
    fn what_one_call_gives_back_another_does_not_give_back_again() {
        for first in [0, 1] {
            let mut bucket = Bucket::new(100, Duration::ZERO);
            bucket.hold(0, 50);
            bucket.hold(1, 50);
            bucket.advance(100, 48 * SECOND);
            assert_eq!(bucket.remaining(), 80);
            bucket.hold(2, 80);
            bucket.settle(first, 0);
            assert_eq!(bucket.remaining(), 20);
            bucket.settle(1 - first, 0);
            assert_eq!(
                bucket.remaining(),
                20,
                "one of the two would have been enough to free these 20"
            );
        }
    }

    #[test]
    fn a_changed_limit_keeps_what_was_charged() {
        let mut bucket = Bucket::new(100, Duration::ZERO);
        bucket.hold(0, 100);
        bucket.advance(200, 30 * SECOND);
        assert_eq!(bucket.remaining(), 150);
        bucket.advance(40, 30 * SECOND);
        assert_eq!(bucket.remaining(), 0);
    }

    #[derive(Clone, Debug)]
    enum Act {
        Wait(u64),
        Hold(u64),
        Settle {
            which: prop::sample::Index,
            used: u64,
        },
    }

    fn acts(most_used: u64) -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            2 => (0_u64..20_000_000_000).prop_map(Act::Wait),
            3 => (1_u64..=60).prop_map(Act::Hold),
            2 => (any::<prop::sample::Index>(), 0..=most_used)
                .prop_map(move |(which, used)| Act::Settle { which, used: used.saturating_sub(most_used / 2) }),
        ];
        prop::collection::vec(act, 1..80)
    }

    const LIMIT: u32 = 100;

    /// Plays `acts`. Gives the bucket, the time, and what is charged in truth, and when.
    fn play(acts: &[Act]) -> (Bucket, Duration, Vec<(Duration, u64)>) {
        let (mut bucket, mut now) = (Bucket::new(LIMIT, Duration::ZERO), Duration::ZERO);
        let mut charged: Vec<(Duration, u64)> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for act in acts {
            match act {
                Act::Wait(nanoseconds) => now += Duration::from_nanos(*nanoseconds),
                Act::Hold(tokens) => {
                    bucket.advance(LIMIT, now);
                    if bucket.fit(*tokens) == Fit::Now {
                        bucket.hold(charged.len() as u64, *tokens);
                        open.push(charged.len());
                        charged.push((now, *tokens));
                    }
                }
                Act::Settle { which, used } if !open.is_empty() => {
                    bucket.advance(LIMIT, now);
                    let call = open.remove(which.index(open.len()));
                    bucket.settle(call as u64, *used);
                    // Beyond the estimate, it is charged when it is known.
                    if *used > charged[call].1 {
                        charged.push((now, *used - charged[call].1));
                    } else {
                        charged[call].1 = *used;
                    }
                }
                Act::Settle { .. } => {}
            }
        }
        bucket.advance(LIMIT, now);
        (bucket, now, charged)
    }

    /// Charges every call truly from the start. Gives the level at `now` and the highest level ever.
    fn truth(charged: &[(Duration, u64)], now: Duration) -> (u128, u128) {
        let (mut bucket, mut highest) = (Bucket::new(LIMIT, Duration::ZERO), 0);
        for &(at, tokens) in charged {
            bucket.advance(LIMIT, at);
            bucket.level += weight(tokens);
            highest = highest.max(bucket.level);
        }
        bucket.advance(LIMIT, now);
        (bucket.level, highest)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn the_bucket_stands_as_though_each_call_had_been_charged_truly_from_its_start(acts in acts(200)) {
            let (bucket, now, charged) = play(&acts);
            prop_assert_eq!(bucket.level, truth(&charged, now).0);
        }

        #[test]
        fn no_more_is_used_than_the_limit_allows_where_estimates_hold(acts in acts(100)) {
            let raised = acts.into_iter().map(|act| match act {
                Act::Hold(tokens) => Act::Hold(tokens.max(50)),
                other => other,
            });
            let (_, now, charged) = play(&raised.collect::<Vec<_>>());
            prop_assert!(truth(&charged, now).1 <= weight(u64::from(LIMIT)));
        }

        #[test]
        fn the_lows_are_sorted_and_nothing_stays_held(acts in acts(200)) {
            let (mut bucket, now, charged) = play(&acts);
            prop_assert!(bucket.held.is_sorted_by_key(|held| held.low));
            for call in 0..charged.len() as u64 {
                bucket.settle(call, 0);
            }
            prop_assert_eq!(bucket.reservations(), 0);
            bucket.advance(LIMIT, now + Duration::from_secs(60) * 100);
            prop_assert!(bucket.is_idle());
        }
    }
}
