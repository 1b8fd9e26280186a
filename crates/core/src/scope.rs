//! What binds a caller: limits and budgets, and whose they are.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::Period;

/// Limits that travel with a caller. `None` leaves it to the layer's own default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests a minute (LiteLLM's `rpm_limit`).
    pub rpm: Option<u32>,
    /// Tokens a minute, input and output (LiteLLM's `tpm_limit`).
    pub tpm: Option<u32>,
    /// Calls under way at once (LiteLLM's `max_parallel_requests`).
    pub max_parallel_requests: Option<u32>,
}

/// What may be spent, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// No more than this (`max_budget`).
    pub max_budget: Option<Decimal>,
    /// An alert at this (`soft_budget`).
    pub soft_budget: Option<Decimal>,
    /// In each such period (`budget_duration`). `None`: altogether.
    pub budget_duration: Option<Period>,
}

/// Limits and a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Requests, tokens, calls at once.
    pub limits: Limits,
    /// Money.
    pub budget: Budget,
}

/// Whose bounds they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// An organisation's.
    Organization,
    /// A team's.
    Team,
    /// A user's.
    User,
    /// A key's.
    Key,
}

impl Level {
    /// The level's name in records and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Team => "team",
            Self::User => "user",
            Self::Key => "key",
        }
    }
}

/// One of the scopes that a caller stands in. Each of them binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Whose bounds they are.
    pub level: Level,
    /// Its name at that level, which stays when a key is rotated.
    pub id: String,
    /// The bundle of bounds that binds it besides its own (LiteLLM's `budget_id`), by the name under which the layer that limits knows it.
    pub tier: Option<String>,
    /// What binds all calls in it together.
    pub bounds: Bounds,
    /// What binds the calls of one model, by its name.
    pub model_bounds: BTreeMap<String, Bounds>,
}
