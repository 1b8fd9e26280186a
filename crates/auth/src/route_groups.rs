//! Names that stand for paths in `allowed_routes`, as LiteLLM has them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const TABLE: &str = include_str!("../data/route_groups.txt");

/// By their names, each with its paths.
static GROUPS: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with(' ') {
            name = line;
            continue;
        }
        for word in line.split_ascii_whitespace() {
            // A group stands before those that hold it.
            let paths = groups.get(word).cloned().unwrap_or_else(|| vec![word]);
            let held = groups.entry(name).or_default();
            let missing: Vec<&str> = paths
                .into_iter()
                .filter(|path| !held.contains(path))
                .collect();
            held.extend(missing);
        }
    }
    groups
});

/// The paths of a group, where there is one of that name.
pub(crate) fn paths(name: &str) -> Option<&'static [&'static str]> {
    // Paths are asked for far more often.
    if name.starts_with('/') {
        return None;
    }
    GROUPS.get(name).map(Vec::as_slice)
}

/// The names of all groups.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.keys().copied()
}

/// The list with every group opened.
pub(crate) fn open(list: &[String]) -> Vec<String> {
    let mut opened = Vec::with_capacity(list.len());
    for name in list {
        match paths(name) {
            Some(paths) => opened.extend(paths.iter().map(|path| (*path).to_owned())),
            None => opened.push(name.clone()),
        }
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_holds_paths_and_no_word_that_means_nothing() {
        assert_eq!(names().count(), 21);
        for name in names() {
            let paths = paths(name).unwrap();
            assert!(!paths.is_empty(), "{name}");
            for path in paths {
                let plain = path.strip_suffix('*').unwrap_or(path);
                assert!(
                    plain.starts_with('/') && !plain.contains('*'),
                    "{name}: {path}"
                );
            }
        }
    }

    #[test]
    fn a_group_holds_those_that_it_names() {
        for (wide, narrow, holds) in [
            ("llm_api_routes", "openai_routes", true),
            ("llm_api_routes", "anthropic_routes", true),
            ("llm_api_routes", "google_routes", true),
            ("management_routes", "key_management_routes", true),
            ("org_admin_allowed_routes", "key_management_routes", true),
            ("llm_api_routes", "key_management_routes", false),
            ("openai_routes", "anthropic_routes", false),
            ("info_routes", "management_routes", false),
        ] {
            let (wide_paths, narrow_paths) = (paths(wide).unwrap(), paths(narrow).unwrap());
            let held = narrow_paths.iter().all(|path| wide_paths.contains(path));
            assert_eq!(held, holds, "{wide} {narrow}");
        }
    }
}
