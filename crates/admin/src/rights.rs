//! What keys and accounts have in common: what binds them, in LiteLLM's words.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use bartizan_auth::{Addresses, Rights, RightsChange, Routes};
use bartizan_core::{Bounds, Budget, Models, Period, Refusal};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::money::Money;
use crate::object::Object;
use crate::read::{invalid, unknown};

/// A member that may be left out, or be `null` to take away what there is.
pub(crate) type Told<T> = Option<Option<T>>;

/// Tells `null` from what is left out, where a field's default is `None`.
pub(crate) fn told<'de, D, T>(deserializer: D) -> Result<Told<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Defines what a request is read into, with the fields of [`Wished`] besides its own, and how those are taken out of it.
macro_rules! wish {
    ($(#[$meta:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Default, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct $name {
            $($(#[$of])* $field: $type,)*
            /// The models that may be called, or access groups of them; `*` at the end of a name stands for any rest. An empty list, `null` or
            /// `all-proxy-models` mean all; `no-default-models` none.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<Vec<String>>)]
            models: crate::rights::Told<Vec<String>>,
            /// The paths that may be called; `*` at the end stands for any rest, and a group such as `llm_api_routes` for its paths. An empty list or
            /// `null` mean all.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<Vec<String>>)]
            allowed_routes: crate::rights::Told<Vec<String>>,
            /// The addresses, or ranges of them, that calls may come from. An empty list or `null` mean any.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<Vec<String>>)]
            allowed_ips: crate::rights::Told<Vec<String>>,
            /// Requests a minute.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<u32>, minimum = 1)]
            rpm_limit: crate::rights::Told<std::num::NonZeroU32>,
            /// Tokens a minute.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<u32>, minimum = 1)]
            tpm_limit: crate::rights::Told<std::num::NonZeroU32>,
            /// Calls at once.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<u32>, minimum = 1)]
            max_parallel_requests: crate::rights::Told<std::num::NonZeroU32>,
            /// No more US dollars than this.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<crate::money::Money>)]
            max_budget: crate::rights::Told<crate::money::Money>,
            /// An alert at this many US dollars.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<crate::money::Money>)]
            soft_budget: crate::rights::Told<crate::money::Money>,
            /// In each such period: a number with `s`, `m`, `h`, `d`, `w` or `mo` behind it.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<String>)]
            budget_duration: crate::rights::Told<String>,
            /// Requests a minute of each model.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<std::collections::BTreeMap<String, u32>>)]
            model_rpm_limit: crate::rights::Told<std::collections::BTreeMap<String, std::num::NonZeroU32>>,
            /// Tokens a minute of each model.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<std::collections::BTreeMap<String, u32>>)]
            model_tpm_limit: crate::rights::Told<std::collections::BTreeMap<String, std::num::NonZeroU32>>,
            /// US dollars of each model.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<std::collections::BTreeMap<String, crate::rights::ModelBudget>>)]
            model_max_budget: crate::rights::Told<std::collections::BTreeMap<String, crate::object::Object<crate::rights::ModelBudget>>>,
            /// Guardrails that calls must pass, besides those of all.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<Vec<String>>)]
            guardrails: crate::rights::Told<Vec<String>>,
            /// What is noted about it: names, each with any value. 16 KiB at most, in 8 levels.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<std::collections::BTreeMap<String, serde_json::Value>>)]
            metadata: crate::rights::Told<bartizan_auth::Metadata>,
            /// Whether it is blocked.
            #[serde(deserialize_with = "crate::rights::told")]
            #[schema(value_type = Option<bool>)]
            blocked: crate::rights::Told<bool>,
        }

        impl $name {
            /// Takes out what is said of rights.
            fn rights(&mut self) -> Result<bartizan_auth::RightsChange, bartizan_core::Refusal> {
                crate::rights::Wished {
                    models: self.models.take(),
                    allowed_routes: self.allowed_routes.take(),
                    allowed_ips: self.allowed_ips.take(),
                    rpm_limit: self.rpm_limit.take(),
                    tpm_limit: self.tpm_limit.take(),
                    max_parallel_requests: self.max_parallel_requests.take(),
                    max_budget: self.max_budget.take(),
                    soft_budget: self.soft_budget.take(),
                    budget_duration: self.budget_duration.take(),
                    model_rpm_limit: self.model_rpm_limit.take(),
                    model_tpm_limit: self.model_tpm_limit.take(),
                    model_max_budget: self.model_max_budget.take(),
                    guardrails: self.guardrails.take(),
                }
                .change()
            }

            /// Takes out the metadata; `null` is none.
            fn metadata(&mut self) -> Option<bartizan_auth::Metadata> {
                self.metadata.take().map(Option::unwrap_or_default)
            }

            /// Takes out whether it is blocked; `null` is not.
            fn blocked(&mut self) -> Option<bool> {
                self.blocked.take().map(Option::unwrap_or_default)
            }
        }
    };
}
pub(crate) use wish;

/// What is wished of rights.
pub(crate) struct Wished {
    pub(crate) models: Told<Vec<String>>,
    pub(crate) allowed_routes: Told<Vec<String>>,
    pub(crate) allowed_ips: Told<Vec<String>>,
    pub(crate) rpm_limit: Told<Limit>,
    pub(crate) tpm_limit: Told<Limit>,
    pub(crate) max_parallel_requests: Told<Limit>,
    pub(crate) max_budget: Told<Money>,
    pub(crate) soft_budget: Told<Money>,
    pub(crate) budget_duration: Told<String>,
    pub(crate) model_rpm_limit: Told<BTreeMap<String, Limit>>,
    pub(crate) model_tpm_limit: Told<BTreeMap<String, Limit>>,
    pub(crate) model_max_budget: Told<BTreeMap<String, Object<ModelBudget>>>,
    pub(crate) guardrails: Told<Vec<String>>,
}

type Limit = std::num::NonZeroU32;

/// US dollars of one model.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelBudget {
    /// No more than this. LiteLLM's `budget_limit` is read too.
    #[serde(alias = "budget_limit")]
    max_budget: Money,
    /// An alert at this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    soft_budget: Option<Money>,
    /// In each such period. LiteLLM's `time_period` is read too.
    #[serde(
        default,
        alias = "time_period",
        skip_serializing_if = "Option::is_none"
    )]
    budget_duration: Option<String>,
}

const ALL_MODELS: &str = "all-proxy-models";
const NO_MODELS: &str = "no-default-models";

impl Wished {
    pub(crate) fn change(self) -> Result<RightsChange, Refusal> {
        let mut change = RightsChange::default();
        change.models = self.models.map(|names| models(names.unwrap_or_default()));
        change.routes = self.allowed_routes.map(routes).transpose()?;
        change.addresses = self.allowed_ips.map(addresses).transpose()?;
        change.rpm = self.rpm_limit.map(|limit| limit.map(Limit::get));
        change.tpm = self.tpm_limit.map(|limit| limit.map(Limit::get));
        change.max_parallel_requests = self
            .max_parallel_requests
            .map(|limit| limit.map(Limit::get));
        change.max_budget = self.max_budget.map(|amount| amount.map(|money| money.0));
        change.soft_budget = self.soft_budget.map(|amount| amount.map(|money| money.0));
        change.budget_duration = period_told("budget_duration", self.budget_duration)?;
        let each = |limits: Told<BTreeMap<String, Limit>>| {
            let get = |(model, limit): (String, Limit)| (model, limit.get());
            limits.map(|limits| limits.unwrap_or_default().into_iter().map(get).collect())
        };
        change.model_rpm = each(self.model_rpm_limit);
        change.model_tpm = each(self.model_tpm_limit);
        change.model_budgets = self
            .model_max_budget
            .map(|budgets| {
                let budgets = budgets.unwrap_or_default().into_iter();
                budgets
                    .map(|(model, Object(budget))| Ok((model, budget.read()?)))
                    .collect::<Result<_, Refusal>>()
            })
            .transpose()?;
        change.guardrails = self.guardrails.map(|names| {
            names
                .unwrap_or_default()
                .into_iter()
                .collect::<BTreeSet<_>>()
        });
        Ok(change)
    }
}

impl ModelBudget {
    fn read(self) -> Result<Budget, Refusal> {
        let duration = self.budget_duration;
        Ok(Budget {
            max_budget: Some(self.max_budget.0),
            soft_budget: self.soft_budget.map(|money| money.0),
            budget_duration: duration
                .map(|text| period("model_max_budget", &text))
                .transpose()?,
        })
    }
}

fn models(names: Vec<String>) -> Models {
    if names.is_empty() || names.iter().any(|name| name == ALL_MODELS) {
        return Models::All;
    }
    Models::Only(names.into_iter().filter(|name| name != NO_MODELS).collect())
}

fn routes(names: Option<Vec<String>>) -> Result<Routes, Refusal> {
    let names = names.unwrap_or_default();
    if names.is_empty() {
        return Ok(Routes::All);
    }
    for name in &names {
        let known = name == "*" || Routes::groups().any(|group| group == name);
        if !name.starts_with('/') && !known {
            return Err(unknown("allowed_routes", name, Routes::groups()));
        }
    }
    Ok(Routes::Only(names))
}

fn addresses(ranges: Option<Vec<String>>) -> Result<Addresses, Refusal> {
    let ranges = ranges.unwrap_or_default();
    if ranges.is_empty() {
        return Ok(Addresses::All);
    }
    let read = |text: &String| {
        text.parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .map_err(|_| {
                invalid(
                    "allowed_ips",
                    "give addresses or ranges, such as 192.0.2.7 or 2001:db8::/32",
                )
            })
    };
    ranges
        .iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map(Addresses::Only)
}

/// Reads a period that a field tells.
pub(crate) fn period(field: &'static str, text: &str) -> Result<Period, Refusal> {
    text.parse().map_err(|_| {
        invalid(
            field,
            format!("`{field}` is not valid: give a number with s, m, h, d, w or mo behind it, such as 30d"),
        )
    })
}

/// As [`period`], for a field that may be `null`.
pub(crate) fn period_told(
    field: &'static str,
    told: Told<String>,
) -> Result<Told<Period>, Refusal> {
    told.map(|text| text.map(|text| period(field, &text)).transpose())
        .transpose()
}

/// What binds a key or an account, as it is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ShownRights {
    /// Empty for all, as in LiteLLM; `no-default-models` for none.
    models: Vec<String>,
    /// Empty for all.
    allowed_routes: Vec<String>,
    /// `null` for any. An empty list allows none.
    allowed_ips: Option<Vec<String>>,
    /// Requests a minute.
    rpm_limit: Option<u32>,
    /// Tokens a minute.
    tpm_limit: Option<u32>,
    /// Calls at once.
    max_parallel_requests: Option<u32>,
    /// No more US dollars than this.
    max_budget: Option<Money>,
    /// An alert at this many US dollars.
    soft_budget: Option<Money>,
    /// In each such period.
    budget_duration: Option<String>,
    /// Requests a minute of each model.
    model_rpm_limit: BTreeMap<String, u32>,
    /// Tokens a minute of each model.
    model_tpm_limit: BTreeMap<String, u32>,
    /// US dollars of each model.
    model_max_budget: BTreeMap<String, ModelBudget>,
    /// Guardrails that calls must pass, besides those of all.
    guardrails: Vec<String>,
}

impl From<&Rights> for ShownRights {
    fn from(rights: &Rights) -> Self {
        let Bounds { limits, budget } = rights.bounds;
        let each = |of: fn(&Bounds) -> Option<u32>| {
            let bounds = rights.model_bounds.iter();
            bounds
                .filter_map(|(model, bounds)| Some((model.clone(), of(bounds)?)))
                .collect()
        };
        Self {
            models: match &rights.models {
                Models::All => Vec::new(),
                // An empty list would read as all of them.
                Models::Only(names) if names.is_empty() => vec![NO_MODELS.to_owned()],
                Models::Only(names) => names.clone(),
            },
            allowed_routes: match &rights.routes {
                Routes::All => Vec::new(),
                Routes::Only(paths) if paths.is_empty() => vec!["none".to_owned()],
                Routes::Only(paths) => paths.clone(),
            },
            allowed_ips: match &rights.addresses {
                Addresses::All => None,
                Addresses::Only(ranges) => Some(ranges.iter().map(IpNet::to_string).collect()),
            },
            rpm_limit: limits.rpm,
            tpm_limit: limits.tpm,
            max_parallel_requests: limits.max_parallel_requests,
            max_budget: budget.max_budget.map(Money),
            soft_budget: budget.soft_budget.map(Money),
            budget_duration: budget.budget_duration.map(|period| period.to_string()),
            model_rpm_limit: each(|bounds| bounds.limits.rpm),
            model_tpm_limit: each(|bounds| bounds.limits.tpm),
            model_max_budget: rights
                .model_bounds
                .iter()
                .filter_map(|(model, bounds)| {
                    let budget = bounds.budget;
                    let shown = ModelBudget {
                        max_budget: Money(budget.max_budget?),
                        soft_budget: budget.soft_budget.map(Money),
                        budget_duration: budget.budget_duration.map(|period| period.to_string()),
                    };
                    Some((model.clone(), shown))
                })
                .collect(),
            guardrails: rights.guardrails.iter().cloned().collect(),
        }
    }
}

/// A moment as it is shown.
pub(crate) fn moment(unix: Duration) -> String {
    // The format ends with the year 9999.
    let unix = unix.min(Duration::from_secs(253_402_300_799));
    humantime::format_rfc3339_millis(UNIX_EPOCH + unix).to_string()
}
