//! Delegation narrows: what a key may do is the meet of what was asked for and of all that binds it.

use std::collections::BTreeMap;
use std::time::Duration;

use bartizan_core::{Bounds, Budget, Limits, Models, Period};

use crate::rights::{Addresses, Rights, Routes};

/// Access groups: names that stand for models.
pub(crate) type Groups = BTreeMap<String, Vec<String>>;

/// What both allow: never more than `bound`, never more than `asked`.
pub(crate) fn rights(bound: &Rights, asked: &Rights, groups: &Groups) -> Rights {
    let mut model_bounds = bound.model_bounds.clone();
    for (model, asked) in &asked.model_bounds {
        let met = match bound.model_bounds.get(model) {
            Some(bound) => bounds(bound, asked),
            None => *asked,
        };
        model_bounds.insert(model.clone(), met);
    }
    Rights {
        models: delegated(&bound.models, &asked.models, groups),
        routes: routes(&bound.routes, &asked.routes),
        addresses: addresses(&bound.addresses, &asked.addresses),
        bounds: bounds(&bound.bounds, &asked.bounds),
        model_bounds,
        guardrails: &bound.guardrails | &asked.guardrails,
    }
}

/// Whether `bound` allows all that `asked` does. It may say no where that can't be told.
pub(crate) fn holds(bound: &Rights, asked: &Rights, groups: &Groups) -> bool {
    let names = |wide: &[String], narrow: &[String]| {
        narrow
            .iter()
            .all(|name| wide.iter().any(|wide| within(wide, name)))
    };
    let models = match (
        &expand(&bound.models, groups),
        &expand(&asked.models, groups),
    ) {
        (Models::All, _) => true,
        (_, Models::All) => false,
        (Models::Only(wide), Models::Only(narrow)) => names(wide, narrow),
    };
    let routes = match (&bound.routes, &asked.routes) {
        (Routes::All, _) => true,
        (_, Routes::All) => false,
        (Routes::Only(wide), Routes::Only(narrow)) => names(wide, narrow),
    };
    let addresses = match (&bound.addresses, &asked.addresses) {
        (Addresses::All, _) => true,
        (_, Addresses::All) => false,
        (Addresses::Only(wide), Addresses::Only(narrow)) => narrow
            .iter()
            .all(|range| wide.iter().any(|wide| wide.contains(range))),
    };
    let each = bound.model_bounds.iter().all(|(model, bound)| {
        let asked = asked.model_bounds.get(model).copied();
        let asked = asked.unwrap_or_default();
        bounds(bound, &asked) == asked
    });
    models
        && routes
        && addresses
        && each
        && bounds(&bound.bounds, &asked.bounds) == asked.bounds
        && bound.guardrails.is_subset(&asked.guardrails)
}

/// The models that stand behind the names, with every access group opened.
pub(crate) fn expand(models: &Models, groups: &Groups) -> Models {
    match models {
        Models::Only(names) if names.iter().any(|name| groups.contains_key(name)) => {
            let open = |name: &String| match groups.get(name) {
                Some(members) => members.clone(),
                None => vec![name.clone()],
            };
            Models::Only(names.iter().flat_map(open).collect())
        }
        models => models.clone(),
    }
}

/// What a record is to say: a group that both name stays a group, so that it means what it means later.
fn delegated(bound: &Models, asked: &Models, groups: &Groups) -> Models {
    let (Models::Only(has), Models::Only(wants)) = (bound, asked) else {
        return models(bound, asked);
    };
    let (kept, rest): (Vec<String>, Vec<String>) = wants
        .iter()
        .cloned()
        .partition(|name| has.contains(name) && groups.contains_key(name));
    let rest = expand(&Models::Only(rest), groups);
    let Models::Only(mut names) = models(&expand(bound, groups), &rest) else {
        return Models::Only(kept);
    };
    names.extend(kept);
    Models::Only(names)
}

/// The models that both lists allow. Neither may name a group.
pub(crate) fn models(bound: &Models, asked: &Models) -> Models {
    match (bound, asked) {
        (Models::All, other) | (other, Models::All) => other.clone(),
        (Models::Only(bound), Models::Only(asked)) => Models::Only(names(bound, asked)),
    }
}

fn routes(bound: &Routes, asked: &Routes) -> Routes {
    match (bound, asked) {
        (Routes::All, other) | (other, Routes::All) => other.clone(),
        (Routes::Only(bound), Routes::Only(asked)) => Routes::Only(names(bound, asked)),
    }
}

fn addresses(bound: &Addresses, asked: &Addresses) -> Addresses {
    let (bound, asked) = match (bound, asked) {
        (Addresses::All, other) | (other, Addresses::All) => return other.clone(),
        (Addresses::Only(bound), Addresses::Only(asked)) => (bound, asked),
    };
    let mut both = Vec::new();
    for one in asked {
        for two in bound {
            let met = if two.contains(one) {
                one
            } else if one.contains(two) {
                two
            } else {
                continue;
            };
            if !both.contains(met) {
                both.push(*met);
            }
        }
    }
    Addresses::Only(both)
}

/// The names and patterns that both lists hold.
fn names(bound: &[String], asked: &[String]) -> Vec<String> {
    let mut both = Vec::new();
    for name in asked {
        for bound in bound {
            let met = if within(bound, name) {
                name
            } else if within(name, bound) {
                bound
            } else {
                continue;
            };
            if !both.contains(met) {
                both.push(met.clone());
            }
        }
    }
    both
}

/// Whether all that `narrow` stands for, `wide` stands for too.
fn within(wide: &str, narrow: &str) -> bool {
    match wide.strip_suffix('*') {
        Some(prefix) => narrow.starts_with(prefix),
        None => wide == narrow,
    }
}

fn bounds(bound: &Bounds, asked: &Bounds) -> Bounds {
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

/// What was asked, where that surely spends no more than `bound`; else the lesser amount in the longer period, which surely doesn't.
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
    let times = turns(bound.budget_duration, asked.budget_duration);
    let all = times.and_then(|times| amount.checked_mul(times.into()));
    if all.is_none_or(|all| all > most) {
        met.max_budget = Some(amount.min(most));
        if times != Some(1) {
            met.budget_duration = bound.budget_duration;
        }
    }
    met
}

/// How often a budget for `inner` can be begun within one `outer`, at most. `None`: without end.
fn turns(outer: Option<Period>, inner: Option<Period>) -> Option<u64> {
    let Some(inner) = inner else {
        return Some(1);
    };
    // A month is as long as January from the start of 1970, and as short as February from its end.
    let (january, february) = (Duration::ZERO, Duration::from_secs(31 * 86_400));
    let long = outer?.after(january).as_secs();
    let short = (inner.after(february) - february).as_secs();
    if outer == Some(inner) {
        return Some(1);
    }
    Some(long.div_ceil(short.max(1)))
}
