//! How spending is shown.

use bartizan_core::{Cost, Usage};
use bartizan_limit::spend::{SpendRow, SpendSum};
use serde::Serialize;
use utoipa::ToSchema;

use super::asked::{By, Days};
use crate::money::Money;
use crate::rights::moment;

#[derive(Serialize, ToSchema)]
pub(super) struct Logs {
    pub(super) logs: Vec<Log>,
    /// What `after` is for the next page; `null` on the last.
    pub(super) next: Option<String>,
}

/// A call, or the sum of calls that differ in nothing but time and amounts.
#[derive(Serialize, ToSchema)]
pub(super) struct Log {
    /// Its name here.
    pub(super) request_id: String,
    /// When it was let in, or the span began.
    time: String,
    /// How many calls it is.
    calls: u64,
    /// How many seconds are summed up; 0 for a single call.
    span_seconds: u64,
    /// The key's public name; `anonymous` without one.
    key_id: String,
    user_id: Option<String>,
    team_id: Option<String>,
    organization_id: Option<String>,
    /// A digest.
    end_user: Option<String>,
    /// As it was asked for.
    model: String,
    provider: Option<String>,
    /// As the provider calls it.
    served_model: Option<String>,
    tags: Vec<String>,
    /// `complete`, `aborted` or `failed`.
    outcome: &'static str,
    /// Whether the tokens are an estimate.
    estimated: bool,
    /// Whether the model's prices were known.
    priced: bool,
    #[serde(flatten)]
    amounts: Amounts,
}

impl From<&SpendRow> for Log {
    fn from(row: &SpendRow) -> Self {
        let entry = &row.entry;
        Self {
            request_id: entry.id.to_string(),
            time: moment(entry.time()),
            calls: row.calls,
            span_seconds: row.span.as_secs(),
            key_id: entry.key_id.clone(),
            user_id: entry.user_id.clone(),
            team_id: entry.team_id.clone(),
            organization_id: entry.organization_id.clone(),
            end_user: entry.end_user.clone(),
            model: entry.model.clone(),
            provider: entry.provider.clone(),
            served_model: entry.served_model.clone(),
            tags: entry.tags.clone(),
            outcome: entry.outcome.as_str(),
            estimated: entry.estimated,
            priced: entry.priced,
            amounts: Amounts::new(&entry.usage, entry.cost),
        }
    }
}

/// Money and tokens, with LiteLLM's names.
#[derive(Serialize, ToSchema)]
pub(super) struct Amounts {
    /// US dollars, to the last digit.
    spend: Money,
    /// All of the requests' tokens.
    prompt_tokens: u64,
    /// All of the answers' tokens.
    completion_tokens: u64,
    /// Both.
    total_tokens: u64,
    /// Of the requests' tokens: read from a provider's cache.
    cache_read_input_tokens: u64,
    /// Of the requests' tokens: written to a provider's cache.
    cache_creation_input_tokens: u64,
    /// Of the answers' tokens: thinking.
    reasoning_tokens: u64,
}

impl Amounts {
    fn new(usage: &Usage, cost: Cost) -> Self {
        Self {
            spend: Money(cost.dollars()),
            prompt_tokens: usage.total_input(),
            completion_tokens: usage.total_output(),
            total_tokens: usage.total(),
            cache_read_input_tokens: usage.cached_input,
            cache_creation_input_tokens: usage.cache_write,
            reasoning_tokens: usage.reasoning,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct Report {
    group_by: &'static str,
    start_date: String,
    end_date: String,
    timezone: String,
    /// Of all groups, on this page or not. What has several tags counts once here, and in each of them below.
    total: Sum,
    /// Those first in which most was spent; days in their order.
    groups: Vec<Group>,
    /// What `after` is for the next page; `null` on the last.
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Group {
    /// Whose, or of what, or which day; `null` for what has none.
    name: Option<String>,
    #[serde(flatten)]
    sum: Sum,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Sum {
    /// All calls.
    api_requests: u64,
    /// Those that did not fail.
    successful_requests: u64,
    /// Those that did.
    failed_requests: u64,
    #[serde(flatten)]
    amounts: Amounts,
}

impl From<&SpendSum> for Sum {
    fn from(sum: &SpendSum) -> Self {
        Self {
            api_requests: sum.calls,
            successful_requests: sum.calls.saturating_sub(sum.failed),
            failed_requests: sum.failed,
            amounts: Amounts::new(&sum.usage, sum.cost),
        }
    }
}

impl Report {
    pub(super) fn new(
        by: By,
        days: &Days,
        total: &SpendSum,
        groups: &[SpendSum],
        next: Option<String>,
    ) -> Self {
        Self {
            group_by: by.as_str(),
            start_date: days.first.clone(),
            end_date: days.last.clone(),
            timezone: days.zone.to_string(),
            total: total.into(),
            groups: groups
                .iter()
                .map(|sum| Group {
                    name: sum.name.clone(),
                    sum: sum.into(),
                })
                .collect(),
            next,
        }
    }
}

/// As LiteLLM shows it, without its breakdown.
#[derive(Serialize, ToSchema)]
pub(super) struct Activity {
    results: Vec<ActivityOfDay>,
    metadata: ActivityTotal,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ActivityOfDay {
    date: Option<String>,
    metrics: Sum,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ActivityTotal {
    /// US dollars.
    total_spend: Money,
    total_api_requests: u64,
    total_successful_requests: u64,
    total_failed_requests: u64,
    total_prompt_tokens: u64,
    total_completion_tokens: u64,
    total_tokens: u64,
}

impl Activity {
    pub(super) fn new(total: &SpendSum, days: &[SpendSum]) -> Self {
        let sum = Sum::from(total);
        Self {
            results: days
                .iter()
                .map(|day| ActivityOfDay {
                    date: day.name.clone(),
                    metrics: day.into(),
                })
                .collect(),
            metadata: ActivityTotal {
                total_spend: sum.amounts.spend,
                total_api_requests: sum.api_requests,
                total_successful_requests: sum.successful_requests,
                total_failed_requests: sum.failed_requests,
                total_prompt_tokens: sum.amounts.prompt_tokens,
                total_completion_tokens: sum.amounts.completion_tokens,
                total_tokens: sum.amounts.total_tokens,
            },
        }
    }
}
