//! `model_list`: which names are served, by which provider, with whose key.

use std::collections::BTreeMap;
use std::time::Duration;

use bartizan::core::Limits;
use bartizan::egress::{Origin, Timeouts};
use bartizan::translate::catalogue::{Auth, Providers};

use super::access_groups::{self, AccessGroups};
use super::field::Field;
use super::info::Info;
use super::place::Place;
use super::read::{Section, Source};
use super::target::{Address, Around};
use super::{known, tree};

/// One place that serves a name.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    /// What callers name; `*` at its end stands for any rest, which the `*` of the model's name takes.
    pub(crate) name: String,
    pub(crate) place: Place,
}

/// What all deployments share.
pub(super) struct Shared<'a> {
    pub(super) timeout: Duration,
    /// Origins that may lie on a private network, and may be spoken to in plain text.
    pub(super) private: &'a [Origin],
    pub(super) providers: &'a Providers,
}

/// What a name may be asked for, all its deployments together.
pub(crate) type ModelLimits = BTreeMap<String, Limits>;

pub(super) fn read(
    field: &Field<'_>,
    shared: &Shared<'_>,
) -> (Vec<Deployment>, ModelLimits, AccessGroups) {
    let mut groups = access_groups::Read::default();
    let mut limits = ModelLimits::new();
    let mut deployments = Vec::new();
    for item in field.list() {
        let Some(mut section) = item.section() else {
            continue;
        };
        let name = section.need("model_name");
        let params = section
            .need("litellm_params")
            .and_then(|field| field.section());
        let info = section
            .take("model_info")
            .and_then(|field| field.section())
            .map(|mut section| (access_groups::take(&mut section), Info::read(section)));
        let (named, info) = info.unwrap_or_default();
        section.finish(&[]);
        let name = name.and_then(|field| field.text().map(|text| (text, field)));
        let Some((name, name_field)) = name else {
            continue;
        };
        if name.is_empty() || name.trim_end_matches('*').contains('*') || name.ends_with("**") {
            name_field.fail("a name belongs here, with at most one `*` and that at its end");
        }
        groups.add(&name, named);
        let Some(params) = params else { continue };
        let (deployment, told) = one(name.clone(), params, info, shared);
        if name.ends_with('*') && told != Limits::default() {
            name_field.fail("`rpm`, `tpm` and `max_parallel_requests` belong to one model, and this name stands for many: write the models out, or limit keys");
        }
        if told != Limits::default() {
            let sum = |before: Option<u32>, more: Option<u32>| match (before, more) {
                (Some(before), Some(more)) => Some(before.saturating_add(more)),
                (before, more) => before.or(more),
            };
            let all = limits.entry(name).or_default();
            all.rpm = sum(all.rpm, told.rpm);
            all.tpm = sum(all.tpm, told.tpm);
            all.max_parallel_requests = sum(all.max_parallel_requests, told.max_parallel_requests);
        }
        deployments.extend(deployment);
    }
    let names = deployments
        .iter()
        .map(|deployment: &Deployment| deployment.name.as_str());
    let groups = groups.finish(names);
    (deployments, limits, groups)
}

type One = (Option<Deployment>, Limits);

fn one(name: String, mut params: Section<'_>, info: Info, shared: &Shared<'_>) -> One {
    let address = Address::take(&mut params);
    let times = Duration::from_millis(1)..=Duration::from_secs(24 * 3_600);
    let timeout = params
        .take("timeout")
        .and_then(|field| field.duration(times.clone()));
    let stream_timeout = params
        .take("stream_timeout")
        .and_then(|field| field.duration(times));
    let mut limit = |name| {
        let field = params.take(name);
        field.and_then(|field| field.number(1..=u32::MAX))
    };
    let limits = Limits {
        rpm: limit("rpm"),
        tpm: limit("tpm"),
        max_parallel_requests: limit("max_parallel_requests"),
    };
    let max_tokens = params
        .take("max_tokens")
        .and_then(|field| field.number(1..=100_000_000_u64));
    let info = info.and(&mut params, shared.providers);
    let whole = timeout.unwrap_or(shared.timeout);
    let stream = stream_timeout.unwrap_or(whole);
    let around = Around {
        providers: shared.providers,
        private: shared.private,
        times: (whole_times(whole), stream_times(stream)),
    };
    let deployment = address.place(&params, &around).and_then(|mut place| {
        if name.ends_with('*') != place.name().model().ends_with('*') {
            params.fail("`model_name` and `model` must both end in `*`, or neither");
            return None;
        }
        place.facts = info.facts(place.name(), max_tokens).map(Into::into);
        Some(Deployment { name, place })
    });
    params.finish(known::LITELLM_PARAMS);
    (deployment, limits)
}

fn whole_times(limit: Duration) -> Timeouts {
    Timeouts::default().head(limit).total(limit)
}

/// A stream that has begun may go on: how long it may be silent is limited, and an hour is enough for any.
fn stream_times(limit: Duration) -> Timeouts {
    Timeouts::default()
        .head(limit)
        .total(limit.max(Duration::from_secs(3_600)))
}

/// The providers whose keys lie in the environment and whose addresses are known, with every model that they have, under LiteLLM's names.
pub(super) fn from_environment(
    source: &Source<'_>,
    providers: &Providers,
    timeout: Duration,
) -> Vec<Deployment> {
    let shared = Shared {
        timeout,
        private: &[],
        providers,
    };
    let mut found = Vec::new();
    for provider in providers.iter() {
        let first = provider.key_variables().into_iter().next();
        let has_key = first.is_some_and(|name| source.env(name).is_some());
        let is_known = provider.base_url().is_some_and(|base| !base.contains('{'));
        let wants_a_key = matches!(provider.auth(), Auth::Bearer | Auth::Header(_));
        if !has_key || !is_known || !wants_a_key {
            continue;
        }
        let name = format!("{}/*", provider.slug());
        let entry = tree::Node::mapping([("model", name.as_str())]);
        let section = Field::root(source, &entry).section();
        let deployment =
            section.and_then(|params| one(name.clone(), params, Info::default(), &shared).0);
        found.extend(deployment);
    }
    found
}
