//! The ways into one provider: which API it speaks where, and for which of its models.

use std::fmt;

use bartizan_core::Dialect;

use super::auth::Auth;
use super::fault::Fault;
use super::template::{self, Place};

/// How a request's body differs from the API's own at one way in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Envelope {
    /// It does not.
    #[default]
    Plain,
    /// Google Vertex AI's: Anthropic's body without `model`, with `anthropic_version: vertex-2023-10-16`.
    Vertex,
    /// Amazon Bedrock's `InvokeModel`: the body without `model` and `stream`; Anthropic's with `anthropic_version: bedrock-2023-05-31`,
    /// Cohere's rerank with `api_version: 2`. A stream is framed as AWS frames it, each chunk in base64.
    Bedrock,
}

impl Envelope {
    /// Its name in tables and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Vertex => "vertex",
            Self::Bedrock => "bedrock",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Plain, Self::Vertex, Self::Bedrock]
            .into_iter()
            .find(|known| known.as_str() == name)
    }
}

/// What a request is for. A request is translated to an API of the same use, and to no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Chat,
    Completion,
    Embedding,
    Moderation,
    Rerank,
    Count,
}

impl Use {
    pub(super) const fn of(dialect: Dialect) -> Option<Self> {
        Some(match dialect {
            Dialect::OpenAiChat
            | Dialect::OpenAiResponses
            | Dialect::AnthropicMessages
            | Dialect::Gemini
            | Dialect::BedrockConverse
            | Dialect::CohereChat
            | Dialect::OllamaChat => Self::Chat,
            Dialect::OpenAiCompletions => Self::Completion,
            Dialect::OpenAiEmbeddings
            | Dialect::GeminiEmbeddings
            | Dialect::CohereEmbed
            | Dialect::OllamaEmbed
            | Dialect::VertexPredict
            | Dialect::AmazonEmbed => Self::Embedding,
            Dialect::OpenAiModerations | Dialect::MistralModerations => Self::Moderation,
            Dialect::CohereRerank | Dialect::TeiRerank => Self::Rerank,
            Dialect::AnthropicCountTokens | Dialect::GeminiCountTokens => Self::Count,
            _ => return None,
        })
    }
}

/// The dialects that providers speak, with their usual paths: for whole answers, and for streams where that is another.
const DIALECTS: [(Dialect, &str, Option<&str>); 20] = [
    (Dialect::OpenAiChat, "/chat/completions", None),
    (Dialect::OpenAiResponses, "/responses", None),
    (Dialect::OpenAiCompletions, "/completions", None),
    (Dialect::OpenAiEmbeddings, "/embeddings", None),
    (Dialect::OpenAiModerations, "/moderations", None),
    (Dialect::AnthropicMessages, "/v1/messages", None),
    (
        Dialect::AnthropicCountTokens,
        "/v1/messages/count_tokens",
        None,
    ),
    (
        Dialect::Gemini,
        "/v1beta/{google_model}:generateContent",
        Some("/v1beta/{google_model}:streamGenerateContent?alt=sse"),
    ),
    (
        Dialect::GeminiCountTokens,
        "/v1beta/{google_model}:countTokens",
        None,
    ),
    (
        Dialect::GeminiEmbeddings,
        "/v1beta/{google_model}:batchEmbedContents",
        None,
    ),
    (
        Dialect::BedrockConverse,
        "/model/{model}/converse",
        Some("/model/{model}/converse-stream"),
    ),
    (Dialect::CohereChat, "/v2/chat", None),
    (Dialect::CohereEmbed, "/v2/embed", None),
    (Dialect::CohereRerank, "/v2/rerank", None),
    (Dialect::OllamaChat, "/api/chat", None),
    (Dialect::OllamaEmbed, "/api/embed", None),
    (
        Dialect::VertexPredict,
        "/v1/projects/{project}/locations/{location}/publishers/google/models/{model}:predict",
        None,
    ),
    (Dialect::AmazonEmbed, "/model/{model}/invoke", None),
    (Dialect::TeiRerank, "/rerank", None),
    (Dialect::MistralModerations, "/moderations", None),
];

/// One way into a provider.
///
/// As text: `DIALECT [for MODELS] [on NAME | only NAME] [as ENVELOPE] [key HEADER] [at PATH [or PATH-OF-STREAMS]]`, such as
/// `anthropic_messages for claude* as vertex at /v1/…/{model}:rawPredict or /v1/…/{model}:streamRawPredict`.
#[derive(Clone, PartialEq)]
pub struct Route {
    pub(super) dialect: Dialect,
    /// Patterns of the models that are spoken to so; none for those that no other route names.
    pub(super) models: Vec<Box<str>>,
    /// A word by which a model's name asks for this way: `bedrock/invoke/…`.
    pub(super) name: Option<Box<str>>,
    /// Whether it is taken by that word alone.
    pub(super) only: bool,
    pub(super) envelope: Envelope,
    /// Where the credential stands, if not where the provider's others do.
    pub(super) auth: Option<Auth>,
    pub(super) path: Box<str>,
    pub(super) stream: Option<Box<str>>,
}

impl Route {
    /// Creates the way in that speaks `dialect` at its usual path.
    ///
    /// # Errors
    ///
    /// [`Error::Provider`](crate::Error::Provider) for a dialect that no provider speaks.
    pub fn new(dialect: Dialect) -> Result<Self, crate::Error> {
        Self::usual(dialect).map_err(|fault| fault.of("route"))
    }

    fn usual(dialect: Dialect) -> Result<Self, Fault> {
        let known = DIALECTS.iter().find(|(known, _, _)| *known == dialect);
        let (_, path, stream) = known.ok_or_else(unknown)?;
        Ok(Self {
            dialect,
            models: Vec::new(),
            name: None,
            only: false,
            envelope: Envelope::Plain,
            auth: None,
            path: (*path).into(),
            stream: stream.map(Into::into),
        })
    }

    /// Reads one from its text.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let mut words = text.split_ascii_whitespace();
        let dialect = words.next().and_then(dialect).ok_or_else(unknown)?;
        let mut route = Self::usual(dialect)?;
        while let Some(word) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| Fault::new("route", format!("nothing stands behind `{word}`")))?;
            route.say(word, value)?;
        }
        if route.only && route.name.is_none() {
            return Err(Fault::new("route", "name the way behind `only`"));
        }
        Ok(route)
    }

    fn say(&mut self, word: &str, value: &str) -> Result<(), Fault> {
        match word {
            "for" => self.models = value.split(',').map(Into::into).collect(),
            "on" | "only" => {
                self.name = Some(value.into());
                self.only = word == "only";
            }
            "as" => {
                self.envelope = Envelope::named(value).ok_or_else(|| {
                    Fault::new("route", "one of plain, vertex, bedrock belongs behind `as`")
                })?;
            }
            "key" => self.auth = Some(Auth::header(value)?),
            "at" => {
                template::check(value, Place::Path, "route")?;
                self.path = value.into();
                self.stream = None;
            }
            "or" => {
                template::check(value, Place::Path, "route")?;
                self.stream = Some(value.into());
            }
            word => {
                return Err(Fault::new(
                    "route",
                    format!("`{word}` is none of for, on, only, as, key, at, or"),
                ));
            }
        }
        Ok(())
    }

    /// The dialect that is spoken there.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether it is there for `model`, asked for by `way` or by no word.
    pub(super) fn takes(&self, model: &str, way: Option<&str>) -> bool {
        let asked = match (way, &self.name) {
            (Some(way), Some(name)) => way == &**name,
            (Some(_), None) => false,
            (None, _) => !self.only,
        };
        asked && (self.models.is_empty() || self.models.iter().any(|pattern| fits(pattern, model)))
    }

    pub(super) fn is_for_some(&self) -> bool {
        !self.models.is_empty()
    }

    pub(super) fn path(&self, stream: bool) -> &str {
        match &self.stream {
            Some(path) if stream => path,
            _ => &self.path,
        }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({} at {})", self.dialect.as_str(), self.path)
    }
}

fn dialect(name: &str) -> Option<Dialect> {
    DIALECTS
        .iter()
        .map(|(dialect, _, _)| *dialect)
        .find(|dialect| dialect.as_str() == name)
}

fn unknown() -> Fault {
    let known: Vec<&str> = DIALECTS.iter().map(|(known, ..)| known.as_str()).collect();
    Fault::new(
        "route",
        format!("begin with a dialect: {}", known.join(", ")),
    )
}

/// Whether `text` is what `pattern` says, in which each `*` stands for anything.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, wanted) in [
            ("claude*", "claude-opus-5", true),
            ("claude*", "us.claude", false),
            ("*claude*", "us.anthropic.claude-x", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*-v4", "embed-v4:0", false),
        ] {
            assert_eq!(fits(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn a_route_is_read_from_its_text() {
        let route = Route::read(
            "anthropic_messages for claude*,*claude* on raw as vertex key x-api-key at /m/{model}:raw or /m/{model}:stream?alt=sse",
        )
        .unwrap();
        assert_eq!(route.dialect(), Dialect::AnthropicMessages);
        assert_eq!(route.envelope, Envelope::Vertex);
        assert_eq!(route.path(false), "/m/{model}:raw");
        assert_eq!(route.path(true), "/m/{model}:stream?alt=sse");
        assert!(route.takes("claude-x", Some("raw")) && route.takes("x.claude", None));
        assert!(!route.takes("gemini", None) && !route.takes("claude-x", Some("other")));
        let usual = Route::read("openai_chat only chat").unwrap();
        assert_eq!(usual.path(true), "/chat/completions");
        assert!(!usual.takes("m", None) && usual.takes("m", Some("chat")));
        for bad in [
            "",
            "json",
            "openai",
            "openai_chat at",
            "openai_chat at chat",
            "openai_chat at /{a b}",
            "openai_chat at /x#y",
            "openai_chat in /x",
            "openai_chat as tar",
            "openai_chat key a:b",
        ] {
            assert!(Route::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_dialect_of_a_provider_has_a_use() {
        for (dialect, path, _) in DIALECTS {
            assert!(Use::of(dialect).is_some(), "{dialect:?}");
            assert!(template::check(path, Place::Path, "route").is_ok());
        }
    }
}
