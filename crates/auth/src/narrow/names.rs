//! Lists of names: models with their access groups, paths with theirs.

use bartizan_core::Models;

use super::Groups;
use crate::rights::Routes;
use crate::route_groups;

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
pub(super) fn delegated(bound: &Models, asked: &Models, groups: &Groups) -> Models {
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

/// The paths that both lists allow. A group all of whose paths the other list allows stays a group, so that the record stays short.
pub(super) fn routes(bound: &Routes, asked: &Routes) -> Routes {
    let (bound, asked) = match (bound, asked) {
        (Routes::All, other) | (other, Routes::All) => return other.clone(),
        (Routes::Only(bound), Routes::Only(asked)) => (bound, asked),
    };
    let (all_bound, all_asked) = (route_groups::open(bound), route_groups::open(asked));
    let within_all = |paths: &[&str], all: &[String]| {
        paths
            .iter()
            .all(|path| all.iter().any(|wide| within(wide, path)))
    };
    let mut met: Vec<String> = Vec::new();
    for (list, other) in [(asked, &all_bound), (bound, &all_asked)] {
        for name in list {
            let held = route_groups::paths(name).is_some_and(|paths| within_all(paths, other));
            if held && !met.contains(name) {
                met.push(name.clone());
            }
        }
    }
    let kept = route_groups::open(&met);
    let rest = names(&all_bound, &all_asked).into_iter();
    met.extend(rest.filter(|path| !kept.iter().any(|wide| within(wide, path))));
    Routes::Only(met)
}

/// Whether `wide` allows every path that `narrow` does.
pub(super) fn holds_routes(wide: &Routes, narrow: &Routes) -> bool {
    match (wide, narrow) {
        (Routes::All, _) => true,
        (_, Routes::All) => false,
        (Routes::Only(wide), Routes::Only(narrow)) => {
            hold(&route_groups::open(wide), &route_groups::open(narrow))
        }
    }
}

/// Whether `wide` allows every model that `narrow` does.
pub(super) fn holds_models(wide: &Models, narrow: &Models, groups: &Groups) -> bool {
    match (&expand(wide, groups), &expand(narrow, groups)) {
        (Models::All, _) => true,
        (_, Models::All) => false,
        (Models::Only(wide), Models::Only(narrow)) => hold(wide, narrow),
    }
}

fn hold(wide: &[String], narrow: &[String]) -> bool {
    narrow
        .iter()
        .all(|name| wide.iter().any(|wide| within(wide, name)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Groups {
        Groups::from([("group".to_owned(), vec!["a".to_owned(), "bb*".to_owned()])])
    }

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_group_that_both_name_stays_a_group() {
        let only = |names: &[&str]| Models::Only(list(names));
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
    fn a_group_of_routes_stays_one_where_all_of_it_is_allowed() {
        let only = |names: &[&str]| Routes::Only(list(names));
        for (bound, asked, met) in [
            (
                only(&["llm_api_routes"]),
                only(&["openai_routes"]),
                only(&["openai_routes"]),
            ),
            (
                only(&["openai_routes"]),
                only(&["llm_api_routes"]),
                only(&["openai_routes"]),
            ),
            (
                only(&["/*"]),
                only(&["info_routes"]),
                only(&["info_routes"]),
            ),
            (
                only(&["*"]),
                only(&["info_routes", "/x"]),
                only(&["info_routes", "/x"]),
            ),
            (
                only(&["info_routes"]),
                only(&["/key/*"]),
                only(&[
                    "/key/info",
                    "/key/list",
                    "/key/health",
                    "/key/addresses",
                    "/key/several_addresses",
                ]),
            ),
            (
                only(&["/v1/messages"]),
                only(&["anthropic_routes"]),
                only(&["/v1/messages"]),
            ),
            (
                only(&["anthropic_routes"]),
                only(&["key_management_routes"]),
                only(&[]),
            ),
            (Routes::All, only(&["info_routes"]), only(&["info_routes"])),
        ] {
            assert_eq!(routes(&bound, &asked), met, "{bound:?} {asked:?}");
            assert!(holds_routes(&bound, &met) && holds_routes(&asked, &met));
        }
        assert!(!holds_routes(
            &only(&["openai_routes"]),
            &only(&["llm_api_routes"])
        ));
        assert!(!holds_routes(&only(&["openai_routes"]), &Routes::All));
    }
}
