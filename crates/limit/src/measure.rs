//! What is counted.

use std::time::Duration;

use bartizan_core::{Prices, Usage};

use crate::estimate::Estimate;

/// The most that every store counts exactly: 2⁵³.
pub(crate) const MOST: u64 = 1 << 53;

/// Which tokens a limit counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// Of the request.
    Input,
    /// Of the answer.
    Output,
    /// All.
    #[default]
    Total,
}

impl TokenKind {
    /// Its name, as LiteLLM's `token_rate_limit_type` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Total => "total",
        }
    }
}

/// What one count is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Requests(Duration),
    Tokens(Duration, TokenKind),
    /// At once.
    Calls,
    /// At once.
    Streams,
    /// In 10⁻⁹ US dollars.
    Money,
}

impl Measure {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Requests(_) => "requests",
            Self::Tokens(..) => "tokens",
            Self::Calls => "parallel_requests",
            Self::Streams => "parallel_streams",
            Self::Money => "budget",
        }
    }
}

/// How tokens are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counting {
    pub(crate) kind: TokenKind,
    /// What an input token from a provider's cache counts, in thousandths.
    pub(crate) cached_weight: u32,
}

impl Default for Counting {
    fn default() -> Self {
        Self {
            kind: TokenKind::Total,
            cached_weight: 1_000,
        }
    }
}

impl Counting {
    /// What `usage` counts against a limit of `kind`.
    pub(crate) fn used(self, kind: TokenKind, usage: &Usage) -> u64 {
        let cached = u128::from(usage.cached_input) * u128::from(self.cached_weight);
        let cached = u64::try_from(cached.div_ceil(1_000)).unwrap_or(u64::MAX);
        let input = usage
            .input
            .saturating_add(cached)
            .saturating_add(usage.cache_write)
            .saturating_add(usage.audio_input);
        match kind {
            TokenKind::Input => input,
            TokenKind::Output => usage.total_output(),
            TokenKind::Total => input.saturating_add(usage.total_output()),
        }
    }
}

/// The most that a call of that estimate costs in 10⁻⁹ US dollars. Its input may be written to a cache, and its output be thinking: the dearer counts.
pub(crate) fn worst_cost(prices: &Prices, input: u64, output: u64) -> u64 {
    let cost = prices.input.max(prices.cache_write).unwrap_or_default();
    let cost = cost.of(input)
        + prices
            .output
            .max(prices.reasoning)
            .unwrap_or_default()
            .of(output);
    cost.nano_dollars().min(MOST)
}

/// What is taken of a count before the call: `None` where the count has nothing to do with it.
pub(crate) fn wanted(measure: Measure, estimate: Option<&Estimate>, stream: bool) -> Option<u64> {
    match (measure, estimate) {
        (Measure::Requests(_) | Measure::Calls, _) => Some(1),
        (Measure::Streams, _) => stream.then_some(1),
        (Measure::Tokens(..) | Measure::Money, None) => None,
        (Measure::Tokens(_, kind), Some(estimate)) => Some(match kind {
            TokenKind::Input => estimate.input.min(MOST),
            TokenKind::Output => estimate.output.min(MOST),
            TokenKind::Total => estimate.total().min(MOST),
        }),
        (Measure::Money, Some(estimate)) => Some(estimate.cost.min(MOST)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_input_counts_by_its_weight_and_never_too_little() {
        let usage = Usage {
            input: 100,
            cached_input: 11,
            cache_write: 5,
            output: 7,
            reasoning: 3,
            audio_input: 2,
            audio_output: 1,
        };
        for (weight, input) in [(1_000, 118), (100, 109), (0, 107), (2_000, 129)] {
            let counting = Counting {
                cached_weight: weight,
                ..Counting::default()
            };
            assert_eq!(counting.used(TokenKind::Input, &usage), input, "{weight}");
            assert_eq!(counting.used(TokenKind::Total, &usage), input + 11);
            assert_eq!(counting.used(TokenKind::Output, &usage), 11);
        }
    }

    #[test]
    fn the_worst_cost_is_never_less_than_the_cost() {
        let price = |text: &str| Some(text.parse().unwrap());
        let prices = Prices {
            input: price("1e-6"),
            cache_write: price("1.25e-6"),
            output: price("4e-6"),
            ..Prices::default()
        };
        assert_eq!(worst_cost(&prices, 100, 10), 125_000 + 40_000);
        let usage = Usage {
            cache_write: 60,
            input: 40,
            reasoning: 10,
            ..Usage::default()
        };
        assert!(prices.cost(&usage).nano_dollars() <= worst_cost(&prices, 100, 10));
        assert_eq!(worst_cost(&prices, u64::MAX, u64::MAX), MOST);
    }
}
