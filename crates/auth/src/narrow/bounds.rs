//! Limits and budgets.

use std::time::Duration;

use bartizan_core::{Bounds, Budget, Limits, Period};

pub(super) fn bounds(bound: &Bounds, asked: &Bounds) -> Bounds {
    Bounds {
        limits: limits(bound.limits, asked.limits),
        budget: budget(&bound.budget, &asked.budget),
    }
}

/// The tighter of two limits, each where it is set.
pub(crate) fn limits(bound: Limits, asked: Limits) -> Limits {
    let mut met = asked;
    met.rpm = tighter(bound.rpm, asked.rpm);
    met.tpm = tighter(bound.tpm, asked.tpm);
    met.max_parallel_requests = tighter(bound.max_parallel_requests, asked.max_parallel_requests);
    met
}

fn tighter<T: Ord>(one: Option<T>, two: Option<T>) -> Option<T> {
    match (one, two) {
        (Some(one), Some(two)) => Some(one.min(two)),
        (one, two) => one.or(two),
    }
}

/// What was asked, where that surely spends no more than `bound`; else the lesser amount in the longer period. Where neither period is surely the
/// longer (30 days and a month), as much of the bound as fits however the periods fall.
///
/// An alert is no right: the asked one stays.
fn budget(bound: &Budget, asked: &Budget) -> Budget {
    let mut met = *asked;
    let Some(most) = bound.max_budget else {
        return met;
    };
    let Some(amount) = asked.max_budget else {
        met.max_budget = Some(most);
        met.budget_duration = bound.budget_duration;
        return met;
    };
    let (outer, inner) = (bound.budget_duration, asked.budget_duration);
    let times = turns(outer, inner);
    let all = times.and_then(|times| amount.checked_mul(times.into()));
    if all.is_some_and(|all| all <= most) {
        return met;
    }
    met.max_budget = Some(amount.min(most));
    match (times, outer, inner) {
        (Some(1), ..) => {}
        (Some(times), Some(outer), Some(inner)) if shortest(outer) < longest(inner) => {
            met.max_budget = most.checked_div(times.into());
        }
        _ => met.budget_duration = outer,
    }
    met
}

/// How often a budget for `inner` can be begun within one `outer`, at most. `None`: without end.
fn turns(outer: Option<Period>, inner: Option<Period>) -> Option<u64> {
    let Some(inner) = inner else {
        return Some(1);
    };
    let outer = outer?;
    if outer == inner {
        return Some(1);
    }
    let short = shortest(inner).as_secs().max(1);
    Some(longest(outer).as_secs().div_ceil(short))
}

/// A month is as long as January from the start of 1970.
fn longest(period: Period) -> Duration {
    period.after(Duration::ZERO)
}

/// And as short as the February after it.
fn shortest(period: Period) -> Duration {
    let february = Duration::from_secs(31 * 86_400);
    period.after(february) - february
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_surely_stays_within_another_is_kept() {
        let budget = |amount: i64, period: &str| Budget {
            max_budget: Some(amount.into()),
            soft_budget: None,
            budget_duration: period.parse().ok(),
        };
        for (bound, asked, met) in [
            (budget(100, "30d"), budget(50, "30d"), budget(50, "30d")),
            (budget(100, "30d"), budget(200, "30d"), budget(100, "30d")),
            (budget(100, "30d"), budget(3, "1d"), budget(3, "1d")),
            (budget(100, "30d"), budget(50, "1d"), budget(50, "30d")),
            (budget(100, "1d"), budget(50, "30d"), budget(50, "30d")),
            (budget(100, "1d"), budget(500, "30d"), budget(100, "30d")),
            (budget(100, ""), budget(500, "30d"), budget(100, "")),
            (budget(166, "1mo"), budget(84, "30d"), budget(83, "30d")),
            (budget(166, "1mo"), budget(83, "30d"), budget(83, "30d")),
            (budget(100, "1mo"), budget(80, "7d"), budget(80, "1mo")),
            (budget(100, "1d"), budget(50, ""), budget(50, "")),
        ] {
            assert_eq!(super::budget(&bound, &asked), met);
        }
        let unbound = Budget::default();
        assert_eq!(super::budget(&budget(9, "1d"), &unbound), budget(9, "1d"));
        assert_eq!(super::budget(&unbound, &budget(9, "1d")), budget(9, "1d"));
    }
}
