//! Delegation narrows: what a key may do is the meet of what was asked for and of all that binds it.

mod bounds;
mod names;

use std::collections::BTreeMap;

use crate::rights::{Addresses, Rights};
use bounds::bounds;
use names::{delegated, routes};

pub(crate) use bounds::limits;
pub(crate) use names::{expand, models};

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
    names::holds_models(&bound.models, &asked.models, groups)
        && names::holds_routes(&bound.routes, &asked.routes)
        && addresses
        && each
        && bounds(&bound.bounds, &asked.bounds) == asked.bounds
        && bound.guardrails.is_subset(&asked.guardrails)
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use bartizan_core::{Bounds, Budget, Decimal, Limits, Models};
    use proptest::prelude::*;

    use super::*;
    use crate::rights::Routes;

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
            prop::collection::vec(
                "/[ab]{0,2}\\*?|/v1/[mr]\\*|anthropic_routes|llm_api_routes|google_routes",
                0..4
            )
            .prop_map(Routes::Only),
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
            path in "/[ab]{0,3}|/v1/(messages|responses)/?|/v1beta/models/a",
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
            path in "/[ab]{0,3}|/v1/(messages|responses)/?|/v1beta/models/a",
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
}
