//! What a record may hold: every text and every list has a bound, and each refusal names its field.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bartizan_core::{Bounds, Budget, Decimal, Models};

use crate::Error;
use crate::account::Account;
use crate::metadata::{self, Metadata};
use crate::record::KeyRecord;
use crate::rights::{Addresses, Rights, Routes};
use crate::route_groups;

const LONGEST_TEXT: usize = 256;
const MOST_ENTRIES: usize = 64;
const MOST_NAMES: usize = 1_000;
/// As many as a list of members may have, so that a record stays one that is read at once.
const MOST_MEMBERS: usize = 10_000;

fn invalid(field: &'static str, mend: &'static str) -> Error {
    Error::Invalid { field, mend }
}

/// Fails when a key's record holds what none may.
pub(super) fn key(record: &KeyRecord) -> Result<(), Error> {
    name("key_alias", record.alias.as_deref())?;
    name("team_id", record.team_id.as_deref())?;
    name("user_id", record.user_id.as_deref())?;
    name("organization_id", record.organization_id.as_deref())?;
    rights(&record.rights)?;
    let aliases = record.aliases.iter().flat_map(|(from, to)| [from, to]);
    if record.aliases.len() > MOST_ENTRIES || !aliases.clone().all(is_name) {
        return Err(invalid(
            "aliases",
            "give at most 64 pairs of names of 1 to 256 characters",
        ));
    }
    noted(&record.metadata)?;
    if record.tags.len() > MOST_ENTRIES || !record.tags.iter().all(is_text) {
        return Err(invalid(
            "tags",
            "give at most 64 of at most 256 characters each",
        ));
    }
    Ok(())
}

/// Fails when an account's record holds what none may.
pub(super) fn account(account: &Account) -> Result<(), Error> {
    let (id, alias) = match account.id.kind {
        crate::AccountKind::Organization => ("organization_id", "organization_alias"),
        crate::AccountKind::Team => ("team_id", "team_alias"),
        crate::AccountKind::User => ("user_id", "user_alias"),
    };
    name(id, Some(&account.id.id))?;
    name(alias, account.alias.as_deref())?;
    name("user_email", account.email.as_deref())?;
    name("organization_id", account.organization_id.as_deref())?;
    rights(&account.rights)?;
    noted(&account.metadata)?;
    let names: BTreeSet<&String> = account
        .members
        .iter()
        .map(|member| &member.user_id)
        .collect();
    if names.len() > MOST_MEMBERS || !names.iter().all(is_name) {
        return Err(invalid(
            "members",
            "give at most 10,000, each with a `user_id` of 1 to 256 characters",
        ));
    }
    if names.len() != account.members.len() {
        return Err(invalid("members", "name each user once"));
    }
    Ok(())
}

fn rights(rights: &Rights) -> Result<(), Error> {
    if let Models::Only(names) = &rights.models
        && (names.len() > MOST_NAMES || !names.iter().all(is_text))
    {
        return Err(invalid(
            "models",
            "give at most 1,000 names of at most 256 characters each",
        ));
    }
    if let Routes::Only(paths) = &rights.routes
        && (paths.len() > MOST_ENTRIES || !paths.iter().all(|path| is_text(path) && is_route(path)))
    {
        return Err(invalid(
            "allowed_routes",
            "give at most 64 paths that begin with `/`, with `*` at the end for any rest, or names of groups such as `llm_api_routes`",
        ));
    }
    if let Addresses::Only(ranges) = &rights.addresses
        && ranges.len() > MOST_NAMES
    {
        return Err(invalid("allowed_ips", "give at most 1,000 ranges"));
    }
    if rights.guardrails.len() > MOST_ENTRIES || !rights.guardrails.iter().all(is_name) {
        return Err(invalid(
            "guardrails",
            "give at most 64 names of 1 to 256 characters",
        ));
    }
    budget(&rights.bounds)?;
    models(&rights.model_bounds)
}

fn is_route(path: &str) -> bool {
    path.starts_with('/') || path == "*" || route_groups::paths(path).is_some()
}

fn models(each: &BTreeMap<String, Bounds>) -> Result<(), Error> {
    let of = |bounds: &Bounds| bounds.limits.max_parallel_requests.is_some();
    if each.len() > MOST_ENTRIES || !each.keys().all(is_name) {
        return Err(invalid(
            "model_rpm_limit",
            "name at most 64 models, in all of model_rpm_limit, model_tpm_limit and model_max_budget, by 1 to 256 characters each",
        ));
    }
    if each.values().any(of) {
        return Err(invalid(
            "max_parallel_requests",
            "bound the key's calls at once, not those of one model",
        ));
    }
    each.values()
        .try_for_each(|bounds| amounts(&bounds.budget, "model_max_budget", "model_max_budget"))
}

fn budget(bounds: &Bounds) -> Result<(), Error> {
    amounts(&bounds.budget, "max_budget", "soft_budget")
}

fn amounts(budget: &Budget, most: &'static str, soft: &'static str) -> Result<(), Error> {
    for (field, amount) in [(most, budget.max_budget), (soft, budget.soft_budget)] {
        if amount.is_some_and(|amount| amount < Decimal::ZERO) {
            return Err(invalid(field, "give zero or more US dollars"));
        }
    }
    Ok(())
}

fn noted(noted: &Metadata) -> Result<(), Error> {
    if noted.len() > MOST_ENTRIES || !noted.keys().all(is_text) || !metadata::fits(noted) {
        return Err(invalid(
            "metadata",
            "give at most 64 names of at most 256 characters, 16 KiB in all, in 8 levels, and no control characters",
        ));
    }
    Ok(())
}

/// Fails for a filter that no record can have. Nothing that a store could trip over reaches it.
pub(super) fn filters(filters: &[(&'static str, &Option<String>)]) -> Result<(), Error> {
    let mut each = filters.iter();
    each.try_for_each(|(field, filter)| name(field, filter.as_deref()))
}

fn name(field: &'static str, name: Option<&str>) -> Result<(), Error> {
    match name {
        Some(name) if !is_name(name) => Err(invalid(
            field,
            "give 1 to 256 characters without control characters, or leave it out",
        )),
        _ => Ok(()),
    }
}

fn is_name(text: impl AsRef<str>) -> bool {
    let text = text.as_ref();
    !text.is_empty() && is_text(text)
}

fn is_text(text: impl AsRef<str>) -> bool {
    let text = text.as_ref();
    text.chars().count() <= LONGEST_TEXT && !text.chars().any(char::is_control)
}

/// Times are kept to the millisecond, so that a record reads the same before and after it was stored.
pub(super) fn whole_milliseconds(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
