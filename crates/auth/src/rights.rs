//! What an account or a key lays down: what may be called, from where, how much.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use bartizan_core::{Bounds, Models};
use ipnet::IpNet;

use crate::route_groups;

/// What an organisation, a team, a user or a key lays down. The default restricts nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rights {
    /// The models that may be called.
    pub models: Models,
    /// The paths that may be called (`allowed_routes`).
    pub routes: Routes,
    /// The addresses that calls may come from (`allowed_ips`).
    pub addresses: Addresses,
    /// Limits and the budget of all calls together.
    pub bounds: Bounds,
    /// Those of one model (`model_rpm_limit`, `model_tpm_limit`, `model_max_budget`), by its name.
    pub model_bounds: BTreeMap<String, Bounds>,
    /// Guardrails that calls must pass, besides those of all.
    pub guardrails: BTreeSet<String>,
}

impl Default for Rights {
    fn default() -> Self {
        Self {
            models: Models::All,
            routes: Routes::All,
            addresses: Addresses::All,
            bounds: Bounds::default(),
            model_bounds: BTreeMap::new(),
            guardrails: BTreeSet::new(),
        }
    }
}

/// The paths that a caller may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Routes {
    /// All that its role and its key's type open.
    #[default]
    All,
    /// These only; `*` at the end of a path stands for any rest, and the name of a [group](Self::groups) for its paths. An empty list allows
    /// none.
    Only(Vec<String>),
}

impl Routes {
    /// Whether `path`, as it was matched, may be called.
    ///
    /// ```
    /// use bartizan_auth::Routes;
    ///
    /// let routes = Routes::Only(vec!["openai_routes".to_owned(), "/key/*".to_owned()]);
    /// assert!(routes.allow("/v1/chat/completions") && routes.allow("/key/info"));
    /// assert!(!routes.allow("/v1/messages"));
    /// ```
    #[must_use]
    pub fn allow(&self, path: &str) -> bool {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => pattern == path,
        };
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| match route_groups::paths(name) {
                Some(paths) => paths.iter().any(|pattern| fits(pattern)),
                None => fits(name),
            }),
        }
    }

    /// The names that stand for several paths: LiteLLM's, from `llm_api_routes` to `info_routes`.
    pub fn groups() -> impl Iterator<Item = &'static str> {
        route_groups::names()
    }
}

/// The addresses that calls may come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// Any.
    #[default]
    All,
    /// Those in these ranges. An empty list allows none.
    Only(Vec<IpNet>),
}

impl Addresses {
    /// Whether a call may come from there. An IPv4 address in IPv6 clothes is the IPv4 address.
    #[must_use]
    pub fn allow(&self, from: IpAddr) -> bool {
        let from = from.to_canonical();
        match self {
            Self::All => true,
            Self::Only(ranges) => ranges.iter().any(|range| range.contains(&from)),
        }
    }
}
