//! Where a request goes: the API that the provider speaks there, and what the model is called there.

use std::fmt::Write as _;
use std::sync::Arc;

use bartizan_core::Dialect;
use http::Uri;
use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::catalogue::{Envelope, Quirks};
use crate::count_tokens;
use crate::error::Error;
use crate::facts::Model;
use crate::read::Unknown;

/// What may stand in a segment of a path as it is: the unreserved characters of RFC 3986.
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The API and the model that a request goes to.
///
/// A router puts it into the request's extensions; [`TranslateLayer::to`](crate::TranslateLayer::to) sets one for all requests. Origin and
/// credential are not its business.
///
/// ```
/// use bartizan_core::Dialect;
/// use bartizan_translate::Target;
///
/// let target = Target::new(Dialect::AnthropicMessages, "claude-sonnet-4-5");
/// # let mut request = http::Request::post("/v1/chat/completions").body(())?;
/// request.extensions_mut().insert(target);
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Target {
    dialect: Dialect,
    model: Arc<str>,
    path: Option<PathAndQuery>,
    /// Where streams are asked for, if elsewhere.
    stream_path: Option<PathAndQuery>,
    stream_usage: Option<bool>,
    quirks: Option<Arc<Quirks>>,
    envelope: Envelope,
    known: Option<Arc<Model>>,
    unknown: Option<Unknown>,
}

/// A server that differs from OpenAI in nothing.
static NONE: Quirks = Quirks::NONE;

impl Target {
    /// Creates a target that speaks `dialect` and calls the model `model`.
    ///
    /// The request's path becomes the dialect's own, such as `/v1/messages`. Gemini and Bedrock name the model in it, and have another for
    /// streams.
    #[must_use]
    pub fn new(dialect: Dialect, model: impl Into<Arc<str>>) -> Self {
        let model = model.into();
        let (path, stream_path) = standard(dialect, &model);
        Self {
            dialect,
            model,
            path,
            stream_path,
            stream_usage: None,
            quirks: None,
            envelope: Envelope::Plain,
            known: None,
            unknown: None,
        }
    }

    /// Sets another path, for streams too. `{model}` in it stands for the model's name, percent-encoded as one segment.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] for what is no path; [`Error::Climbs`] where the model's name is `.` or `..`.
    pub fn path(mut self, template: &str) -> Result<Self, Error> {
        self.path = Some(self.fill(template)?);
        self.stream_path = None;
        Ok(self)
    }

    /// Sets the path of streams, where a provider has another for them: set it after [`path`](Self::path).
    ///
    /// ```
    /// use bartizan_core::Dialect;
    /// use bartizan_translate::Target;
    ///
    /// let models = "/v1/projects/p/locations/global/publishers/google/models/{model}";
    /// let target = Target::new(Dialect::Gemini, "gemini-3.5-flash")
    ///     .path(&format!("{models}:generateContent"))?
    ///     .stream_path(&format!("{models}:streamGenerateContent?alt=sse"))?;
    /// # Ok::<(), bartizan_translate::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`path`](Self::path).
    pub fn stream_path(mut self, template: &str) -> Result<Self, Error> {
        self.stream_path = Some(self.fill(template)?);
        Ok(self)
    }

    fn fill(&self, template: &str) -> Result<PathAndQuery, Error> {
        let name = utf8_percent_encode(&self.model, SEGMENT).to_string();
        if template.contains("{model}") && name.bytes().all(|byte| byte == b'.') {
            return Err(Error::Climbs);
        }
        let path = template.replace("{model}", &name);
        if !path.starts_with('/') || path.contains(['{', '}', '#']) {
            return Err(Error::Path);
        }
        PathAndQuery::try_from(path).map_err(|_| Error::Path)
    }

    /// Says whether this provider can be asked for the usage of a stream (`stream_options`); as the layer says unless told.
    #[must_use]
    pub fn stream_usage(mut self, ask: bool) -> Self {
        self.stream_usage = Some(ask);
        self
    }

    /// Says in what this server differs from OpenAI, whose API it speaks: requests are written so that it takes them, those of its own
    /// dialect too.
    ///
    /// ```
    /// use bartizan_core::Dialect;
    /// use bartizan_translate::Target;
    /// use bartizan_translate::catalogue::{Quirk, Quirks};
    ///
    /// let quirks = Quirks::default()
    ///     .rename("max_completion_tokens", "max_tokens")?
    ///     .with(Quirk::NoDeveloperRole);
    /// let target = Target::new(Dialect::OpenAiChat, "llama-4").quirks(quirks);
    /// # Ok::<(), bartizan_translate::Error>(())
    /// ```
    #[must_use]
    pub fn quirks(mut self, quirks: impl Into<Arc<Quirks>>) -> Self {
        self.quirks = Some(quirks.into());
        self
    }

    /// Says that the provider takes the dialect's bodies in an envelope of its own, as clouds do that serve other makers' models.
    ///
    /// ```
    /// use bartizan_core::Dialect;
    /// use bartizan_translate::Target;
    /// use bartizan_translate::catalogue::Envelope;
    ///
    /// // Claude on Amazon Bedrock, in Anthropic's dialect.
    /// let bedrock = Target::new(Dialect::AnthropicMessages, "eu.anthropic.claude-haiku-4-5-20251001-v1:0")
    ///     .path("/model/{model}/invoke")?
    ///     .stream_path("/model/{model}/invoke-with-response-stream")?
    ///     .envelope(Envelope::Bedrock);
    /// // And on Vertex AI.
    /// let models = "/v1/projects/p/locations/global/publishers/anthropic/models/{model}";
    /// let vertex = Target::new(Dialect::AnthropicMessages, "claude-haiku-4-5@20251001")
    ///     .path(&format!("{models}:rawPredict"))?
    ///     .stream_path(&format!("{models}:streamRawPredict"))?
    ///     .envelope(Envelope::Vertex);
    /// # Ok::<(), bartizan_translate::Error>(())
    /// ```
    #[must_use]
    pub fn envelope(mut self, envelope: Envelope) -> Self {
        self.envelope = envelope;
        self
    }

    /// Says what this model can do here, where the layer's own table does not know it, or not as this provider serves it.
    #[must_use]
    pub fn model_facts(mut self, model: impl Into<Arc<Model>>) -> Self {
        self.known = Some(model.into());
        self
    }

    /// Says what becomes of members that nobody knows, in place of what the layer says.
    #[must_use]
    pub fn unknown(mut self, then: Unknown) -> Self {
        self.unknown = Some(then);
        self
    }

    /// The API that is spoken there.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What the model is called there.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Where this provider counts tokens, by where it answers; `None` where it does not.
    pub(crate) fn counting(&self) -> Option<Self> {
        let dialect = count_tokens::counting(self.dialect)?;
        let path = match (&self.path, self.dialect, dialect) {
            // What counts there takes another body.
            (_, Dialect::AnthropicMessages, _) if self.envelope == Envelope::Bedrock => {
                return None;
            }
            (Some(path), Dialect::AnthropicMessages, _) if self.envelope == Envelope::Vertex => {
                let (models, _) = path.path().rsplit_once('/')?;
                Some(format!("{models}/count-tokens:rawPredict"))
            }
            (Some(path), Dialect::AnthropicMessages, _) => {
                Some(format!("{}/count_tokens", path.path()))
            }
            (Some(path), Dialect::Gemini, _) => {
                let (model, _) = path.path().rsplit_once(':')?;
                Some(format!("{model}:countTokens"))
            }
            _ => None,
        };
        let path = path
            .map(PathAndQuery::try_from)
            .transpose()
            .ok()?
            .or_else(|| self.path.clone());
        Some(Self {
            dialect,
            path,
            ..self.clone()
        })
    }

    /// In what the server differs from OpenAI.
    pub(crate) fn differs(&self) -> &Quirks {
        self.quirks.as_deref().unwrap_or(&NONE)
    }

    pub(crate) fn facts(&self) -> Option<&Model> {
        self.known.as_deref()
    }

    pub(crate) fn unknowns(&self) -> Option<Unknown> {
        self.unknown
    }

    pub(crate) fn enveloped(&self) -> Envelope {
        self.envelope
    }

    pub(crate) fn asks_usage(&self) -> Option<bool> {
        self.stream_usage
    }

    /// Whether the path is one of Vertex AI's.
    pub(crate) fn is_vertex(&self) -> bool {
        let path = self.path.as_ref().map_or("", PathAndQuery::path);
        path.contains("/publishers/") || path.contains("/endpoints/")
    }

    /// `uri` with this target's path; what may stay of the caller's query stays where `keep_query` says so.
    pub(crate) fn uri(&self, uri: &Uri, keep_query: bool, stream: bool) -> Option<Uri> {
        let own = self.stream_path.as_ref().filter(|_| stream);
        let path = own.or(self.path.as_ref())?;
        let theirs = uri.query().filter(|_| keep_query).unwrap_or_default();
        let query = if is_googles(self.dialect) && keep_query {
            // How the answer is framed is the caller's to say; all else that stands there is a credential, or for a browser.
            let words = own_words(path.query().unwrap_or_default(), |name| name != "alt");
            let framing = own_words(theirs, |name| name == "alt" || name == "$alt");
            [words, framing].concat().join("&")
        } else {
            path.query().unwrap_or(theirs).to_owned()
        };
        let mut whole = path.path().to_owned();
        if !query.is_empty() {
            let _ = write!(whole, "?{query}");
        }
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(whole).ok()?);
        Uri::from_parts(parts).ok()
    }
}

const fn is_googles(dialect: Dialect) -> bool {
    matches!(
        dialect,
        Dialect::Gemini | Dialect::GeminiCountTokens | Dialect::GeminiEmbeddings
    )
}

fn own_words(query: &str, keep: impl Fn(&str) -> bool) -> Vec<&str> {
    query
        .split('&')
        .filter(|word| !word.is_empty() && keep(word.split('=').next().unwrap_or_default()))
        .collect()
}

/// A dialect's own paths: for whole answers, and for streams where that is another.
fn standard(dialect: Dialect, model: &str) -> (Option<PathAndQuery>, Option<PathAndQuery>) {
    let (path, stream) = match dialect {
        Dialect::OpenAiChat => ("/v1/chat/completions", None),
        Dialect::OpenAiResponses => ("/v1/responses", None),
        Dialect::OpenAiCompletions => ("/v1/completions", None),
        Dialect::OpenAiEmbeddings => ("/v1/embeddings", None),
        Dialect::OpenAiModerations => ("/v1/moderations", None),
        Dialect::AnthropicMessages => ("/v1/messages", None),
        Dialect::AnthropicCountTokens => ("/v1/messages/count_tokens", None),
        Dialect::Gemini => (
            "/v1beta/{model}:generateContent",
            Some("/v1beta/{model}:streamGenerateContent?alt=sse"),
        ),
        Dialect::GeminiCountTokens => ("/v1beta/{model}:countTokens", None),
        Dialect::GeminiEmbeddings => ("/v1beta/{model}:batchEmbedContents", None),
        Dialect::BedrockConverse => (
            "/model/{model}/converse",
            Some("/model/{model}/converse-stream"),
        ),
        Dialect::CohereChat => ("/v2/chat", None),
        Dialect::CohereEmbed => ("/v2/embed", None),
        Dialect::CohereRerank => ("/v2/rerank", None),
        Dialect::OllamaChat => ("/api/chat", None),
        Dialect::OllamaEmbed => ("/api/embed", None),
        Dialect::AmazonEmbed => ("/model/{model}/invoke", None),
        Dialect::TeiRerank => ("/rerank", None),
        Dialect::MistralModerations => ("/v1/moderations", None),
        _ => return (None, None),
    };
    let name = |name: &str| utf8_percent_encode(name, SEGMENT).to_string();
    let name = if is_googles(dialect) {
        // A tuned model is a resource of another kind.
        match model.strip_prefix("tunedModels/") {
            Some(tuned) => format!("tunedModels/{}", name(tuned)),
            None => format!(
                "models/{}",
                name(model.strip_prefix("models/").unwrap_or(model))
            ),
        }
    } else {
        name(model)
    };
    let fill = |template: &str| {
        let climbs = template.contains("{model}/") && name.bytes().all(|byte| byte == b'.');
        let path = template.replace("{model}", &name);
        PathAndQuery::try_from(path).ok().filter(|_| !climbs)
    };
    (fill(path), stream.and_then(fill))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_path_can_not_leave_its_segment() {
        for (model, path) in [
            (
                "gpt-4o",
                "/openai/deployments/gpt-4o/chat/completions?api-version=1",
            ),
            (
                "../../v1/files",
                "/openai/deployments/..%2F..%2Fv1%2Ffiles/chat/completions?api-version=1",
            ),
            (
                "a/b?key=",
                "/openai/deployments/a%2Fb%3Fkey%3D/chat/completions?api-version=1",
            ),
            (
                "a\r\nb: c",
                "/openai/deployments/a%0D%0Ab%3A%20c/chat/completions?api-version=1",
            ),
            (
                "a#b%2e",
                "/openai/deployments/a%23b%252e/chat/completions?api-version=1",
            ),
            (
                "{model}",
                "/openai/deployments/%7Bmodel%7D/chat/completions?api-version=1",
            ),
        ] {
            let target = Target::new(Dialect::OpenAiChat, model)
                .path("/openai/deployments/{model}/chat/completions?api-version=1")
                .unwrap();
            let uri = target
                .uri(
                    &Uri::from_static("https://origin.example/x?q=1"),
                    true,
                    false,
                )
                .unwrap();
            assert_eq!(
                uri,
                format!("https://origin.example{path}")
                    .parse::<Uri>()
                    .unwrap(),
                "{model}"
            );
        }
        for model in [".", "..", "", "..."] {
            let target = Target::new(Dialect::OpenAiChat, model);
            assert!(target.path("/m/{model}").is_err(), "{model}");
        }
        for path in ["", "m", "https://a/b", "/a b", "/{name}", "/a#b"] {
            assert!(
                Target::new(Dialect::OpenAiChat, "m").path(path).is_err(),
                "{path}"
            );
        }
    }

    #[test]
    fn a_query_stays_only_where_the_caller_speaks_the_targets_api() {
        let target = Target::new(Dialect::AnthropicMessages, "m");
        let uri = Uri::from_static("/messages?beta=true");
        let stays = target.uri(&uri, true, true).unwrap();
        assert_eq!(stays, "/v1/messages?beta=true");
        assert_eq!(target.uri(&uri, false, true).unwrap(), "/v1/messages");
    }

    #[test]
    fn a_model_and_a_stream_stand_in_the_path_where_the_api_has_them_there() {
        for (dialect, model, whole, stream) in [
            (
                Dialect::Gemini,
                "gemini-3.5-flash",
                "/v1beta/models/gemini-3.5-flash:generateContent",
                "/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse",
            ),
            (
                Dialect::Gemini,
                "models/a/../b?key=x",
                "/v1beta/models/a%2F..%2Fb%3Fkey%3Dx:generateContent",
                "/v1beta/models/a%2F..%2Fb%3Fkey%3Dx:streamGenerateContent?alt=sse",
            ),
            (
                Dialect::Gemini,
                "tunedModels/mine",
                "/v1beta/tunedModels/mine:generateContent",
                "/v1beta/tunedModels/mine:streamGenerateContent?alt=sse",
            ),
            (
                Dialect::GeminiCountTokens,
                "m",
                "/v1beta/models/m:countTokens",
                "/v1beta/models/m:countTokens",
            ),
            (
                Dialect::BedrockConverse,
                "eu.anthropic.claude:0",
                "/model/eu.anthropic.claude%3A0/converse",
                "/model/eu.anthropic.claude%3A0/converse-stream",
            ),
        ] {
            let target = Target::new(dialect, model);
            let uri = Uri::from_static("/v1/chat/completions?q=1");
            assert_eq!(target.uri(&uri, false, false).unwrap(), whole);
            assert_eq!(target.uri(&uri, false, true).unwrap(), stream);
        }
        let climbs = Target::new(Dialect::BedrockConverse, "..");
        assert!(climbs.uri(&Uri::from_static("/x"), false, false).is_none());
        let template = "/p/{model}:generateContent";
        let target = Target::new(Dialect::Gemini, "m").path(template).unwrap();
        let uri = target.uri(&Uri::from_static("/x"), false, true).unwrap();
        assert_eq!(uri, "/p/m:generateContent");
    }

    #[test]
    fn of_a_query_of_googles_only_the_framing_stays() {
        let target = Target::new(Dialect::Gemini, "m");
        for (theirs, stays) in [
            ("/x", "/v1beta/models/m:streamGenerateContent"),
            (
                "/x?alt=sse",
                "/v1beta/models/m:streamGenerateContent?alt=sse",
            ),
            (
                "/x?key=canary&alt=sse&access_token=canary",
                "/v1beta/models/m:streamGenerateContent?alt=sse",
            ),
            (
                "/x?key=canary&$alt=json&",
                "/v1beta/models/m:streamGenerateContent?$alt=json",
            ),
        ] {
            let uri = target.uri(&theirs.parse().unwrap(), true, true).unwrap();
            assert_eq!(uri, stays);
        }
    }
}
