//! Where a deployment is, and with whose key.

use bartizan::egress::{Origin, Target};
use http::{HeaderName, Uri};
use secrecy::{ExposeSecret as _, SecretString};

use super::field::Field;
use super::models::Provider;
use super::read::Section;

/// A provider as `litellm_params.model` names it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    OpenAi,
    Azure,
    Anthropic,
}

impl Kind {
    pub(super) const fn provider(self, version: Option<&str>) -> Provider {
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
    pub(super) const fn variables(self) -> (&'static str, &'static str, Option<&'static str>) {
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

pub(super) fn provider(model: &str, field: &Field<'_>) -> Option<(Kind, String)> {
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

pub(super) fn target(
    kind: Kind,
    provider: Provider,
    base: Option<Field<'_>>,
    key: Option<Field<'_>>,
    version: Option<&str>,
    params: &Section<'_>,
    private: &[Origin],
) -> Option<Target> {
    let (key_variable, base_variable, default) = kind.variables();
    let elsewhere = base.is_some();
    let url = match &base {
        Some(field) => field.text()?,
        None => match params.env(base_variable) {
            Some(url) => url.expose_secret().to_owned(),
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
        && !private.contains(target.origin())
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

pub(super) fn credential(
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
pub(super) fn whole_base(provider: Provider, url: &str) -> String {
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
