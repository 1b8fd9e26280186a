//! `model_list`: which names are served, by which provider, with whose key.

use std::collections::BTreeMap;
use std::time::Duration;

use bartizan::egress::{Origin, Target, Timeouts};
use http::{HeaderName, Uri};
use secrecy::SecretString;

use super::known;
use super::read::{Field, Section};

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
                shared,
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

/// A provider as `litellm_params.model` names it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    OpenAi,
    Azure,
    Anthropic,
}

impl Kind {
    const fn provider(self, version: Option<&str>) -> Provider {
        match (self, version) {
            (Self::OpenAi, _) => Provider::OpenAi,
            (Self::Anthropic, _) => Provider::Anthropic,
            (Self::Azure, None) => Provider::AzureV1,
            (Self::Azure, Some(version)) => match version.as_bytes() {
                b"v1" | b"latest" | b"preview" => Provider::AzureV1,
                _ => Provider::AzureDeployments,
            },
        }
    }

    /// LiteLLM's variables: the key, the base URL, and the base URL where neither file nor environment names one.
    const fn variables(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::OpenAi => (
                "OPENAI_API_KEY",
                "OPENAI_API_BASE",
                Some("https://api.openai.com/v1"),
            ),
            Self::Azure => ("AZURE_API_KEY", "AZURE_API_BASE", None),
            Self::Anthropic => (
                "ANTHROPIC_API_KEY",
                "ANTHROPIC_API_BASE",
                Some("https://api.anthropic.com"),
            ),
        }
    }
}

fn provider(model: &str, field: &Field<'_>) -> Option<(Kind, String)> {
    let found = match model.split_once('/') {
        Some(("openai", rest)) => Some((Kind::OpenAi, rest)),
        Some(("azure", rest)) => Some((Kind::Azure, rest)),
        Some(("anthropic", rest)) => Some((Kind::Anthropic, rest)),
        Some(_) => None,
        // LiteLLM knows these models without a provider in front.
        None if model.starts_with("claude-") => Some((Kind::Anthropic, model)),
        None if ["gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-"]
            .iter()
            .any(|known| model.starts_with(known)) =>
        {
            Some((Kind::OpenAi, model))
        }
        None => None,
    };
    let found =
        found.filter(|(_, rest)| !rest.is_empty() && !rest.trim_end_matches('*').contains('*'));
    if found.is_none() {
        field.fail(
            "`openai/…`, `azure/…` or `anthropic/…` belongs here; a server that speaks OpenAI's API is `openai/…` with its `api_base`",
        );
    }
    found.map(|(kind, rest)| (kind, rest.to_owned()))
}

fn target(
    kind: Kind,
    provider: Provider,
    base: Option<Field<'_>>,
    key: Option<Field<'_>>,
    version: Option<&str>,
    params: &Section<'_>,
    shared: &Shared<'_>,
) -> Option<Target> {
    let (key_variable, base_variable, default) = kind.variables();
    let elsewhere = base.is_some();
    let url = match &base {
        Some(field) => field.text()?,
        None => match params.env(base_variable) {
            Some(url) => secrecy::ExposeSecret::expose_secret(&url).to_owned(),
            None => default.map(str::to_owned).or_else(|| {
                params.fail(format!(
                    "`api_base` is missing, and {base_variable} is not set"
                ));
                None
            })?,
        },
    };
    let complain = |message: String| match &base {
        Some(field) => field.fail(message),
        None => params.fail(format!("{base_variable}: {message}")),
    };
    let target = Target::new(&whole_base(provider, &url))
        .map_err(|error| complain(error.to_string()))
        .ok()?;
    if !target.origin().is_https()
        && !is_here(target.origin())
        && !shared.private.contains(target.origin())
    {
        complain(format!(
            "http would carry key and prompts in plain text: use https, or name {} in `bartizan.allow_private_upstreams`",
            target.origin()
        ));
        return None;
    }
    let secret = match key {
        Some(field) => Some(field.secret()?),
        // The key of the environment belongs to the provider's own address, not to whatever the file names.
        None if elsewhere && kind != Kind::Azure => None,
        None => match params.env(key_variable) {
            Some(secret) => Some(secret),
            None => {
                params.fail(format!(
                    "`api_key` is missing, and {key_variable} is not set"
                ));
                return None;
            }
        },
    };
    let target = match secret {
        Some(secret) => credential(kind, target, secret)
            .map_err(|error| params.fail(format!("`api_key`: {error}")))
            .ok()?,
        None => target,
    };
    Some(match (provider, version) {
        (Provider::AzureDeployments, Some(version)) => target.query("api-version", version),
        (Provider::AzureV1, Some("preview")) => target.query("api-version", "preview"),
        _ => target,
    })
}

fn credential(
    kind: Kind,
    target: Target,
    secret: SecretString,
) -> Result<Target, bartizan::egress::Error> {
    match kind {
        Kind::OpenAi => target.bearer(secret),
        Kind::Azure => target.key_header(HeaderName::from_static("api-key"), secret),
        Kind::Anthropic => target.key_header(HeaderName::from_static("x-api-key"), secret),
    }
}

/// The base behind which the API's own paths begin, however much of it was written down.
fn whole_base(provider: Provider, url: &str) -> String {
    let url = url.trim_end_matches('/');
    let cut = |end: &str| {
        url.strip_suffix(end)
            .unwrap_or(url)
            .trim_end_matches('/')
            .to_owned()
    };
    match provider {
        Provider::OpenAi => url.to_owned(),
        Provider::Anthropic => format!("{}/v1", cut("/v1")),
        Provider::AzureDeployments => format!("{}/openai", cut("/openai")),
        Provider::AzureV1 => {
            let host = cut("/v1");
            format!(
                "{}/openai/v1",
                host.strip_suffix("/openai").unwrap_or(&host)
            )
        }
    }
}

/// Whether it is this very machine.
fn is_here(origin: &Origin) -> bool {
    let host = origin.host();
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
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

/// Whether `text` is a URL, for a message that would rather not repeat it.
pub(super) fn origin(field: &Field<'_>) -> Option<Origin> {
    let uri = field.text()?.parse::<Uri>().ok();
    let origin = uri.and_then(|uri| Origin::of(&uri).ok());
    if origin.is_none() {
        field.fail("an origin belongs here, such as http://vllm.internal:8000");
    }
    origin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_taken_whole_or_short() {
        for (provider, url, base) in [
            (
                Provider::OpenAi,
                "https://api.openai.com/v1/",
                "https://api.openai.com/v1",
            ),
            (
                Provider::Anthropic,
                "https://api.anthropic.com",
                "https://api.anthropic.com/v1",
            ),
            (
                Provider::Anthropic,
                "https://api.anthropic.com/v1/",
                "https://api.anthropic.com/v1",
            ),
            (
                Provider::AzureDeployments,
                "https://x.openai.azure.com/",
                "https://x.openai.azure.com/openai",
            ),
            (
                Provider::AzureV1,
                "https://x.openai.azure.com",
                "https://x.openai.azure.com/openai/v1",
            ),
            (
                Provider::AzureV1,
                "https://x.openai.azure.com/openai",
                "https://x.openai.azure.com/openai/v1",
            ),
            (
                Provider::AzureV1,
                "https://x.openai.azure.com/openai/v1/",
                "https://x.openai.azure.com/openai/v1",
            ),
        ] {
            assert_eq!(whole_base(provider, url), base);
        }
    }
}
