//! Where a request of one API goes at one provider.

use bartizan_core::Dialect;
use http::uri::PathAndQuery;

use super::auth::Auth;
use super::name::ModelName;
use super::provider::Provider;
use super::route::Envelope;
use super::template::{self, Place, Settings};
use crate::error::Error;

/// Where a request goes: the API that is spoken there, and the URLs for whole answers and for streams.
///
/// ```
/// use bartizan_core::Dialect;
/// use bartizan_translate::catalogue::{Providers, Settings};
///
/// let providers = Providers::builtin();
/// let model = providers.model("bedrock/eu-central-1/anthropic.claude-sonnet-4-5-20250929-v1:0")?;
/// let provider = providers.get(model.provider()).unwrap();
/// let there = provider.endpoint(Dialect::OpenAiChat, &model, None, &Settings::default())?;
/// assert_eq!(there.dialect(), Dialect::BedrockConverse);
/// assert_eq!(
///     there.url(true),
///     "https://bedrock-runtime.eu-central-1.amazonaws.com/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream"
/// );
/// # Ok::<(), bartizan_translate::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    dialect: Dialect,
    envelope: Envelope,
    auth: Auth,
    origin: String,
    whole: PathAndQuery,
    stream: PathAndQuery,
}

impl Endpoint {
    /// The API that is spoken there.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How the body differs from that API's own.
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        self.envelope
    }

    /// Where the credential stands.
    #[must_use]
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The path, and perhaps a query, of whole answers or of streams.
    #[must_use]
    pub fn path(&self, stream: bool) -> &PathAndQuery {
        if stream { &self.stream } else { &self.whole }
    }

    /// The whole URL.
    #[must_use]
    pub fn url(&self, stream: bool) -> String {
        format!("{}{}", self.origin, self.path(stream))
    }
}

impl Provider {
    /// Where a caller's request goes who speaks `from`: to the same API where the provider speaks it for this model, else to the first of
    /// the same use (a chat to a chat, embeddings to embeddings); completions and counts to a chat where there is nothing else.
    ///
    /// `base` is the user's own address for the provider. What it and an API's path have in common is not written twice, so that
    /// `https://host`, `https://host/v1` and `https://host/v1/chat/completions` all do.
    ///
    /// # Errors
    ///
    /// [`Error::Unspoken`] where there is no such API; [`Error::Setting`] and [`Error::Base`] for what is missing or can't stand in a URL;
    /// [`Error::Climbs`] for a model's name of dots.
    pub fn endpoint(
        &self,
        from: Dialect,
        model: &ModelName,
        base: Option<&str>,
        settings: &Settings,
    ) -> Result<Endpoint, Error> {
        let told;
        let settings = match model.region() {
            Some(region) if self.settings().any(|(name, _)| name == "region") => {
                told = settings.clone().with("region", region);
                &told
            }
            _ => settings,
        };
        let route = self
            .route(from, model.model(), model.way(), settings)
            .ok_or_else(|| Error::Unspoken {
                provider: self.slug().to_owned(),
            })?;
        let base = self.base(base, settings)?;
        let (origin, prefix) = split(&base)?;
        let path = |stream: bool| {
            let path = template::fill(route.path(stream), Place::Path, model.model(), settings)?;
            let joined = join(prefix, &path);
            PathAndQuery::try_from(joined).map_err(|_| Error::Path)
        };
        Ok(Endpoint {
            dialect: route.dialect(),
            envelope: route.envelope,
            auth: route.auth.clone().unwrap_or_else(|| self.auth().clone()),
            whole: path(false)?,
            stream: path(true)?,
            origin: origin.to_owned(),
        })
    }
}

/// Scheme, host and port, and the path behind them.
fn split(base: &str) -> Result<(&str, &str), Error> {
    let wrong = Error::Base {
        mend: "a URL without a query belongs here, such as https://api.example.com/v1",
    };
    let Some((scheme, rest)) = base.split_once("://") else {
        return Err(wrong);
    };
    let host = rest.find('/').unwrap_or(rest.len());
    let known = matches!(scheme, "https" | "http");
    if !known || host == 0 || base.contains(['?', '#', '@', '\\']) {
        return Err(wrong);
    }
    let origin = base.split_at_checked(scheme.len() + 3 + host);
    origin.ok_or(wrong)
}

/// `path` behind `prefix`; segments that end the one and begin the other are written once.
fn join(prefix: &str, path: &str) -> String {
    let prefix = prefix.trim_end_matches('/');
    let (bare, query) = match path.split_once('?') {
        Some((bare, query)) => (bare, Some(query)),
        None => (path, None),
    };
    let ends = bare.match_indices('/').map(|(at, _)| at).skip(1);
    let ends = ends.chain([bare.len()]);
    let shared = ends
        .filter(|end| {
            bare.get(..*end)
                .is_some_and(|start| prefix.ends_with(start))
        })
        .max()
        .unwrap_or(0);
    let rest = bare.get(shared..).unwrap_or_default();
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{prefix}{rest}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_base_and_a_path_share_is_written_once() {
        for (prefix, path, joined) in [
            ("", "/v1/messages", "/v1/messages"),
            ("/", "/v1/messages", "/v1/messages"),
            ("/v1", "/v1/messages", "/v1/messages"),
            ("/v1/", "/chat/completions", "/v1/chat/completions"),
            (
                "/v1/chat/completions",
                "/chat/completions",
                "/v1/chat/completions",
            ),
            ("/openai", "/openai/v1/responses", "/openai/v1/responses"),
            (
                "/openai/v1",
                "/openai/v1/responses?a=b",
                "/openai/v1/responses?a=b",
            ),
            ("/xv1", "/v1/messages", "/xv1/v1/messages"),
            ("/a/v1/b", "/v1/messages", "/a/v1/b/v1/messages"),
            ("/models", "/model/x", "/models/model/x"),
        ] {
            assert_eq!(join(prefix, path), joined, "{prefix} {path}");
        }
    }

    #[test]
    fn a_base_that_is_none_is_refused() {
        for base in [
            "",
            "api.example.com",
            "https://",
            "ftp://a",
            "https://a?b=c",
            "https://user@a",
            "https:/a",
            "https://a\\b",
        ] {
            assert!(split(base).is_err(), "{base}");
        }
        assert_eq!(split("https://a:1/b/c").unwrap(), ("https://a:1", "/b/c"));
    }
}
