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
    use std::net::IpAddr;

    use bartizan_core::Decimal;
    use proptest::prelude::*;

    use super::*;

    fn some_models() -> impl Strategy<Value = Models> {
        prop_oneof![
            Just(Models::All),
            prop::collection::vec("[ab]{0,3}\\*?|group", 0..4).prop_map(Models::Only),
        ]
    }

    fn some_addresses() -> impl Strategy<Value = Addresses> {
        let range = (0_u8..4, 0_u8..4, 0_u8..=32)
            .prop_map(|(one, two, length)| format!("10.0.{one}.{two}/{length}").parse().unwrap());
        prop_oneof![
            Just(Addresses::All),
            prop::collection::vec(range, 0..4).prop_map(Addresses::Only),
        ]
    }

    fn some_budget() -> impl Strategy<Value = Budget> {
        let period = prop::option::of(prop::sample::select(vec!["1d", "7d", "30d", "1mo", "12mo"]));
        (prop::option::of(0_i64..1_000), period).prop_map(|(amount, period)| Budget {
            max_budget: amount.map(Decimal::from),
            soft_budget: None,
            budget_duration: period.map(|period| period.parse().unwrap()),
        })
    }

    fn some_rights() -> impl Strategy<Value = Rights> {
        let routes = prop_oneof![
            Just(Routes::All),
            prop::collection::vec("/[ab]{0,2}\\*?", 0..4).prop_map(Routes::Only),
        ];
        let limits = any::<[Option<u32>; 3]>();
        let guardrails = prop::collection::btree_set("[xyz]", 0..3);
        (
            some_models(),
            routes,
            some_addresses(),
            limits,
            some_budget(),
            guardrails,
        )
            .prop_map(
                |(
                    models,
                    routes,
                    addresses,
                    [rpm, tpm, max_parallel_requests],
                    budget,
                    guardrails,
                )| {
                    let limits = Limits {
                        rpm,
                        tpm,
                        max_parallel_requests,
                    };
                    let bounds = Bounds { limits, budget };
                    Rights {
                        models,
                        routes,
                        addresses,
                        bounds,
                        model_bounds: BTreeMap::from([("a".to_owned(), bounds)]),
                        guardrails,
                    }
                },
            )
    }

    fn groups() -> Groups {
        Groups::from([("group".to_owned(), vec!["a".to_owned(), "bb*".to_owned()])])
    }

    fn allows(rights: &Rights, (model, path, address): (&str, &str, IpAddr)) -> [bool; 3] {
        [
            expand(&rights.models, &groups()).allow(model),
            rights.routes.allow(path),
            rights.addresses.allow(address),
        ]
    }

    /// The most that can be spent within `days`, beginning a period at the worst moment.
    fn spends(budget: &Budget, days: u64) -> Option<Decimal> {
        let february = Duration::from_secs(31 * 86_400);
        let periods = budget.budget_duration.map_or(1, |period| {
            let length = (period.after(february) - february).as_secs() / 86_400;
            days.div_ceil(length)
        });
        budget.max_budget.map(|most| most * Decimal::from(periods))
    }

    proptest! {
        #[test]
        fn what_is_met_allows_what_both_allow(
            bound in some_rights(),
            asked in some_rights(),
            model in "[ab]{0,4}|group",
            path in "/[ab]{0,3}",
            address in (0_u8..4, 0_u8..4),
        ) {
            let address = IpAddr::from([10, 0, address.0, address.1]);
            let call = (&*model, &*path, address);
            let met = allows(&rights(&bound, &asked, &groups()), call);
            let (one, two) = (allows(&bound, call), allows(&asked, call));
            prop_assert_eq!(met, [one[0] && two[0], one[1] && two[1], one[2] && two[2]]);
        }

        #[test]
        fn bounds_never_widen(bound in some_rights(), asked in some_rights(), days in 28_u64..400) {
            let met = rights(&bound, &asked, &groups());
            for (bound, asked, met) in [
                (bound.bounds, asked.bounds, met.bounds),
                (bound.model_bounds["a"], asked.model_bounds["a"], met.model_bounds["a"]),
            ] {
                for of in [|limits: Limits| limits.rpm, |limits: Limits| limits.tpm, |limits: Limits| limits.max_parallel_requests] {
                    for wide in [of(bound.limits), of(asked.limits)] {
                        prop_assert!(wide.is_none_or(|wide| of(met.limits).is_some_and(|met| met <= wide)));
                    }
                }
                for wide in [bound.budget, asked.budget] {
                    // In any span that the wide budget is renewed in, the met one spends no more.
                    let spent = spends(&met.budget, days);
                    prop_assert!(spends(&wide, days).is_none_or(|wide| spent.is_some_and(|spent| spent <= wide)), "{bound:?} {asked:?} {met:?}");
                }
            }
            prop_assert!(bound.guardrails.is_subset(&met.guardrails) && asked.guardrails.is_subset(&met.guardrails));
        }

        #[test]
        fn what_holds_another_allows_all_that_it_allows(
            bound in some_rights(),
            asked in some_rights(),
            model in "[ab]{0,4}",
            path in "/[ab]{0,3}",
            address in (0_u8..4, 0_u8..4),
        ) {
            let met = rights(&bound, &asked, &groups());
            prop_assert!(holds(&bound, &bound, &groups()) && holds(&bound, &met, &groups()));
            if holds(&bound, &asked, &groups()) {
                let address = IpAddr::from([10, 0, address.0, address.1]);
                let call = (&*model, &*path, address);
                for (wide, narrow) in allows(&bound, call).into_iter().zip(allows(&asked, call)) {
                    prop_assert!(wide || !narrow);
                }
            }
        }
    }

    #[test]
    fn a_group_that_both_name_stays_a_group() {
        let only =
            |names: &[&str]| Models::Only(names.iter().map(|name| (*name).to_owned()).collect());
        for (bound, asked, met) in [
            (only(&["group"]), only(&["group"]), only(&["group"])),
            (Models::All, only(&["group"]), only(&["group"])),
            (only(&["group"]), Models::All, only(&["group"])),
            (only(&["group"]), only(&["a", "o3"]), only(&["a"])),
            (only(&["bb1", "o3"]), only(&["group"]), only(&["bb1"])),
            // A pattern that fits the group's name holds none of its models.
            (only(&["g*"]), only(&["group"]), only(&[])),
        ] {
            assert_eq!(
                delegated(&bound, &asked, &groups()),
                met,
                "{bound:?} {asked:?}"
            );
        }
    }

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
