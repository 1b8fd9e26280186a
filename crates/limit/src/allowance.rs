//! What a scope may take.

use std::collections::BTreeMap;
use std::time::Duration;

use bartizan_core::{Bounds, Budget, Cost, Decimal, Limits, Period};

use crate::calendar::Span;
use crate::measure::{MOST, TokenKind};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// What a scope may take: requests and tokens in windows, calls and streams at once, money in periods. Several of each at once, and all of
/// them bind. Nothing is bound by default.
///
/// ```
/// use bartizan_core::Budget;
/// use bartizan_limit::Allowance;
///
/// let gold = Allowance::new()
///     .rpm(600)
///     .tpd(50_000_000)
///     .parallel_requests(20)
///     .budget(Budget { max_budget: Some("25".parse()?), budget_duration: Some("24h".parse()?), ..Budget::default() })?
///     .budget(Budget { max_budget: Some("400".parse()?), budget_duration: Some("1mo".parse()?), ..Budget::default() })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    pub(crate) requests: BTreeMap<Duration, u64>,
    /// Of no kind: of the one that the layer counts.
    pub(crate) tokens: BTreeMap<(Duration, Option<TokenKind>), u64>,
    pub(crate) calls: Option<u64>,
    pub(crate) streams: Option<u64>,
    /// By period; of none: altogether.
    pub(crate) budgets: BTreeMap<Option<Span>, Money>,
}

/// What may be spent in one period, in 10⁻⁹ US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Money {
    pub(crate) most: Option<u64>,
    pub(crate) soft: Option<u64>,
}

/// A budget that can't be counted exactly: one is at most 9,007,199 US dollars, and not below 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a budget is between 0 and 9007199 US dollars: what is more is not counted exactly")]
pub struct NoBudget;

impl Allowance {
    /// Creates one that binds nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So many requests in each such sliding window, whose length is rounded up to a multiple of 60 ms. The lesser of two for one window binds.
    #[must_use]
    pub fn requests(mut self, most: u64, window: Duration) -> Self {
        lower(self.requests.entry(whole(window)).or_insert(MOST), most);
        self
    }

    /// Requests a minute.
    #[must_use]
    pub fn rpm(self, most: u64) -> Self {
        self.requests(most, MINUTE)
    }

    /// Requests an hour.
    #[must_use]
    pub fn rph(self, most: u64) -> Self {
        self.requests(most, HOUR)
    }

    /// Requests a day, whichever 24 hours these are.
    #[must_use]
    pub fn rpd(self, most: u64) -> Self {
        self.requests(most, DAY)
    }

    /// So many tokens in each such sliding window, of the `kind`; `None`: of the one that the layer counts. As [`requests`](Self::requests) else.
    #[must_use]
    pub fn tokens(mut self, most: u64, window: Duration, kind: Option<TokenKind>) -> Self {
        let place = self.tokens.entry((whole(window), kind));
        lower(place.or_insert(MOST), most);
        self
    }

    /// Tokens a minute.
    #[must_use]
    pub fn tpm(self, most: u64) -> Self {
        self.tokens(most, MINUTE, None)
    }

    /// Tokens an hour.
    #[must_use]
    pub fn tph(self, most: u64) -> Self {
        self.tokens(most, HOUR, None)
    }

    /// Tokens a day, whichever 24 hours these are.
    #[must_use]
    pub fn tpd(self, most: u64) -> Self {
        self.tokens(most, DAY, None)
    }

    /// So many calls under way at once, streams too.
    #[must_use]
    pub fn parallel_requests(mut self, most: u64) -> Self {
        lower(self.calls.get_or_insert(MOST), most);
        self
    }

    /// So many streams under way at once.
    #[must_use]
    pub fn parallel_streams(mut self, most: u64) -> Self {
        lower(self.streams.get_or_insert(MOST), most);
        self
    }

    /// Money in each such period, or altogether. Periods are aligned, and the same for all: see the [crate's documentation](crate).
    ///
    /// # Errors
    /// [`NoBudget`], where it can't be counted exactly.
    pub fn budget(mut self, budget: Budget) -> Result<Self, NoBudget> {
        let nanos = |dollars: Option<Decimal>| dollars.map(nano_dollars).transpose();
        let money = Money {
            most: nanos(budget.max_budget)?,
            soft: nanos(budget.soft_budget)?,
        };
        self.spend(budget.budget_duration, money);
        Ok(self)
    }

    fn spend(&mut self, period: Option<Period>, money: Money) {
        if money != Money::default() {
            let place = self.budgets.entry(period.map(Span::of)).or_default();
            place.most = least(place.most, money.most);
            place.soft = least(place.soft, money.soft);
        }
    }

    /// Both bind.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (window, most) in &other.requests {
            self = self.requests(*most, *window);
        }
        for ((window, kind), most) in &other.tokens {
            self = self.tokens(*most, *window, *kind);
        }
        self.calls = least(self.calls, other.calls);
        self.streams = least(self.streams, other.streams);
        for (span, money) in &other.budgets {
            let place = self.budgets.entry(*span).or_default();
            place.most = least(place.most, money.most);
            place.soft = least(place.soft, money.soft);
        }
        self
    }

    /// What it leaves open is as `other` says.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        for (window, most) in &other.requests {
            self.requests.entry(*window).or_insert(*most);
        }
        for (place, most) in &other.tokens {
            self.tokens.entry(*place).or_insert(*most);
        }
        self.calls = self.calls.or(other.calls);
        self.streams = self.streams.or(other.streams);
        for (span, money) in &other.budgets {
            self.budgets.entry(*span).or_insert(*money);
        }
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl From<Limits> for Allowance {
    fn from(limits: Limits) -> Self {
        let mut allowance = Self::new();
        if let Some(most) = limits.rpm {
            allowance = allowance.rpm(most.into());
        }
        if let Some(most) = limits.tpm {
            allowance = allowance.tpm(most.into());
        }
        if let Some(most) = limits.max_parallel_requests {
            allowance = allowance.parallel_requests(most.into());
        }
        allowance
    }
}

/// What came with a caller can't be refused any more: a budget over what can be counted is counted as that, and one below zero as zero.
impl From<Bounds> for Allowance {
    fn from(bounds: Bounds) -> Self {
        let mut allowance = Self::from(bounds.limits);
        let Budget {
            max_budget,
            soft_budget,
            budget_duration,
        } = bounds.budget;
        let nanos = |dollars: Decimal| match nano_dollars(dollars) {
            Ok(nanos) => nanos,
            Err(NoBudget) if dollars.is_sign_negative() => 0,
            Err(NoBudget) => MOST,
        };
        let money = Money {
            most: max_budget.map(nanos),
            soft: soft_budget.map(nanos),
        };
        allowance.spend(budget_duration, money);
        allowance
    }
}

fn nano_dollars(dollars: Decimal) -> Result<u64, NoBudget> {
    let cost = Cost::from_dollars(dollars).ok_or(NoBudget)?;
    Some(cost.nano_dollars())
        .filter(|nanos| *nanos <= MOST)
        .ok_or(NoBudget)
}

fn lower(place: &mut u64, most: u64) {
    *place = (*place).min(most);
}

fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Rounds up to a multiple of 60 ms, so that a window's slots are whole.
fn whole(window: Duration) -> Duration {
    let slots = window.as_millis().div_ceil(60).max(1);
    Duration::from_millis(u64::try_from(slots).unwrap_or(u64::MAX / 60) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(dollars: &str, period: Option<&str>) -> Budget {
        Budget {
            max_budget: Some(dollars.parse().unwrap()),
            budget_duration: period.map(|period| period.parse().unwrap()),
            ..Budget::default()
        }
    }

    #[test]
    fn of_two_that_bind_the_same_the_lesser_binds() {
        let one = Allowance::new().rpm(10).rph(100).parallel_requests(3);
        let other = Allowance::new().rpm(20).rph(50).tpm(7).parallel_streams(1);
        let both = Allowance::new()
            .rpm(10)
            .rph(50)
            .tpm(7)
            .parallel_requests(3)
            .parallel_streams(1);
        assert_eq!(one.clone().and(&other), both);
        assert_eq!(other.clone().and(&one), both);
        assert_eq!(
            one.or(&other),
            Allowance::new()
                .rpm(10)
                .rph(100)
                .tpm(7)
                .parallel_requests(3)
                .parallel_streams(1)
        );
    }

    #[test]
    fn budgets_of_one_length_are_one_however_they_are_spelled() {
        let spelled = |period| {
            Allowance::new()
                .budget(budget("3", Some(period)))
                .unwrap()
                .budgets
                .into_keys()
                .next()
        };
        assert_eq!(spelled("24h"), spelled("1d"));
        assert_eq!(spelled("7d"), spelled("1w"));
        assert_ne!(spelled("30d"), spelled("1mo"));
        let two = Allowance::new()
            .budget(budget("3", Some("24h")))
            .unwrap()
            .budget(budget("2", Some("1d")))
            .unwrap();
        assert_eq!(
            two.budgets
                .values()
                .map(|money| money.most)
                .collect::<Vec<_>>(),
            [Some(2_000_000_000)]
        );
    }

    #[test]
    fn a_budget_that_is_not_counted_exactly_is_refused() {
        for dollars in ["9007200", "-1", "79228162514264337593543950335"] {
            assert_eq!(
                Allowance::new().budget(budget(dollars, None)),
                Err(NoBudget),
                "{dollars}"
            );
        }
        assert!(Allowance::new().budget(budget("9007199", None)).is_ok());
        // One that a caller brings is not lifted by being absurd.
        let brought = |dollars| {
            let bounds = Bounds {
                budget: budget(dollars, None),
                ..Bounds::default()
            };
            Allowance::from(bounds).budgets[&None].most
        };
        assert_eq!(brought("-1"), Some(0));
        assert_eq!(brought("9007200"), Some(MOST));
    }
}
