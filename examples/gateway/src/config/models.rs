//! `model_list`: which names are served, by which provider, with whose key.

use std::collections::BTreeMap;
use std::time::Duration;

use bartizan::egress::{Origin, Target, Timeouts};

use super::field::Field;
use super::known;
use super::read::Section;
use super::target::{Kind, credential, provider, target, whole_base};

/// One place that serves a name.
#[derive(Clone, Debug)]
pub(crate) struct Deployment {
    /// What callers name; `*` at its end stands for any rest.
    pub(crate) name: String,
    /// What the provider is asked for; its `*` takes the rest that the name's stood for.
    pub(crate) upstream: String,
    pub(crate) provider: Provider,
    /// Where it is, for whole answers and for streams, which may have times of their own.
    pub(crate) target: Target,
    pub(crate) stream_target: Target,
    /// The most tokens that an answer may have where the caller sets no limit and the API wants one.
    pub(crate) max_tokens: Option<u64>,
}

/// How a provider is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    OpenAi,
    /// Azure with dated versions: the deployment stands in the path.
    AzureDeployments,
    /// Azure's version 1: the deployment is the model.
    AzureV1,
    Anthropic,
}

/// What all deployments share.
pub(super) struct Shared<'a> {
    pub(super) timeout: Duration,
    /// Origins that may lie on a private network, and may be spoken to in plain text.
    pub(super) private: &'a [Origin],
}

/// What a name may be asked for in a minute, all its deployments together.
pub(crate) type ModelLimits = BTreeMap<String, bartizan::core::Limits>;

pub(super) fn read(field: &Field<'_>, shared: &Shared<'_>) -> (Vec<Deployment>, ModelLimits) {
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
        if let Some(mut info) = section.take("model_info").and_then(|field| field.section()) {
            // Free words of the owner, but for those that LiteLLM acts on.
            for (name, field) in info.rest() {
                if known::MODEL_INFO.contains(&name.as_str()) {
                    field.fail("LiteLLM acts on this, and this version does not: remove it");
                }
            }
        }
        section.finish(&[]);
        let name = name.and_then(|field| field.text().map(|text| (text, field)));
        let Some((name, name_field)) = name else {
            continue;
        };
        if name.is_empty() || name.trim_end_matches('*').contains('*') || name.ends_with("**") {
            name_field.fail("a name belongs here, with at most one `*` and that at its end");
        }
        let Some(params) = params else { continue };
        let (deployment, rpm, tpm) = one(name.clone(), params, shared);
        if name.ends_with('*') && (rpm.is_some() || tpm.is_some()) {
            name_field.fail("`rpm` and `tpm` belong to one model, and this name stands for many: write the models out, or limit keys");
        }
        if rpm.is_some() || tpm.is_some() {
            let sum = |before: Option<u32>, more: Option<u32>| match (before, more) {
                (Some(before), Some(more)) => Some(before.saturating_add(more)),
                (before, more) => before.or(more),
            };
            let all = limits.entry(name).or_default();
            (all.rpm, all.tpm) = (sum(all.rpm, rpm), sum(all.tpm, tpm));
        }
        deployments.extend(deployment);
    }
    (deployments, limits)
}

type One = (Option<Deployment>, Option<u32>, Option<u32>);

fn one(name: String, mut params: Section<'_>, shared: &Shared<'_>) -> One {
    let model = params.need("model");
    let base = params.take("api_base").or_else(|| params.take("base_url"));
    let key = params.take("api_key");
    let version = params.take("api_version").and_then(|field| field.text());
    let times = Duration::from_millis(1)..=Duration::from_secs(24 * 3_600);
    let timeout = params
        .take("timeout")
        .and_then(|field| field.duration(times.clone()));
    let stream_timeout = params
        .take("stream_timeout")
        .and_then(|field| field.duration(times));
    let rpm = params
        .take("rpm")
        .and_then(|field| field.number(1..=u32::MAX));
    let tpm = params
        .take("tpm")
        .and_then(|field| field.number(1..=u32::MAX));
    let max_tokens = params
        .take("max_tokens")
        .and_then(|field| field.number(1..=100_000_000_u64));
    let deployment = model
        .and_then(|field| field.text().map(|text| (text, field)))
        .and_then(|(text, field)| provider(&text, &field))
        .and_then(|(kind, upstream)| {
            if name.ends_with('*') != upstream.ends_with('*') {
                params.fail("`model_name` and `model` must both end in `*`, or neither");
            }
            let provider = kind.provider(version.as_deref());
            let target = target(
                kind,
                provider,
                base,
                key,
                version.as_deref(),
                &params,
                shared.private,
            )?;
            let whole = timeout.unwrap_or(shared.timeout);
            let stream = stream_timeout.unwrap_or(whole);
            Some(Deployment {
                name,
                upstream,
                provider,
                stream_target: target.clone().timeouts(stream_times(stream)),
                target: target.timeouts(whole_times(whole)),
                max_tokens,
            })
        });
    params.finish(known::LITELLM_PARAMS);
    (deployment, rpm, tpm)
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

/// The providers whose keys lie in the environment, with every model that they have, under LiteLLM's names.
pub(super) fn from_environment(
    env: &dyn Fn(&str) -> Option<String>,
    timeout: Duration,
) -> Vec<Deployment> {
    let mut found = Vec::new();
    for (kind, prefix) in [(Kind::OpenAi, "openai"), (Kind::Anthropic, "anthropic")] {
        let (key, _, base) = kind.variables();
        let secret = env(key).filter(|key| !key.is_empty());
        let (Some(secret), Some(base)) = (secret, base) else {
            continue;
        };
        let provider = kind.provider(None);
        let target = Target::new(&whole_base(provider, base))
            .and_then(|target| credential(kind, target, secret.into()));
        if let Ok(target) = target {
            found.push(Deployment {
                name: format!("{prefix}/*"),
                upstream: "*".to_owned(),
                provider,
                stream_target: target.clone().timeouts(stream_times(timeout)),
                target: target.timeouts(whole_times(timeout)),
                max_tokens: None,
            });
        }
    }
    found
}
