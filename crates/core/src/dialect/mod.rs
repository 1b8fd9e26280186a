//! Dialects: the one place that knows the JSON shapes of the APIs.
//!
//! Each API's shape is a set of tables ([`shape`]), one file an API; one walk reads them all. It notes every string that a
//! person or a model wrote with its [`TextRole`], the [`Facts`] that layers need, and the parts that the dialect does not know
//! ([`Unseen`]). Strings in members that no table names count as texts of role [`TextRole::Other`], so that a new field of an API
//! is looked at before anybody has written a rule for it.

mod amazon_embed;
mod anthropic_count_tokens;
mod anthropic_messages;
mod bedrock_converse;
mod cohere;
mod cohere_chat;
mod cohere_embed;
mod cohere_rerank;
mod facts;
mod gemini;
mod gemini_count_tokens;
mod gemini_embeddings;
mod json;
mod ollama;
mod openai;
mod openai_chat;
mod openai_completions;
mod openai_embeddings;
mod openai_moderations;
mod openai_responses;
mod path;
mod shape;
mod tei_rerank;
mod text;
mod vertex_predict;

use std::borrow::Cow;

use http::request::Parts;
use http::{Method, header};

pub use facts::{Closes, Facts, Finish};
pub use text::{Channel, Text, TextRole, Unseen};

pub(crate) use shape::{known_key, walk};
pub(crate) use text::TextEntry;

/// The API that a message speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// OpenAI chat completions, and the many servers compatible with it.
    OpenAiChat,
    /// OpenAI responses.
    OpenAiResponses,
    /// OpenAI completions, the older form that goes on from a prompt.
    OpenAiCompletions,
    /// OpenAI embeddings.
    OpenAiEmbeddings,
    /// OpenAI moderations.
    OpenAiModerations,
    /// Anthropic messages.
    AnthropicMessages,
    /// Anthropic's count of a request's tokens.
    AnthropicCountTokens,
    /// Gemini `generateContent` and `streamGenerateContent`, Google AI's or Vertex AI's.
    Gemini,
    /// Gemini `countTokens`.
    GeminiCountTokens,
    /// Gemini `embedContent` and `batchEmbedContents`.
    GeminiEmbeddings,
    /// Amazon Bedrock `Converse` and `ConverseStream`.
    BedrockConverse,
    /// Cohere chat, version 2.
    CohereChat,
    /// Cohere embed, version 2.
    CohereEmbed,
    /// Rerank in Cohere's shape, which others have taken over.
    CohereRerank,
    /// Ollama's own chat.
    OllamaChat,
    /// Ollama's own embed.
    OllamaEmbed,
    /// Google Vertex AI's `predict`, as its models for embeddings have it.
    VertexPredict,
    /// Embeddings of Amazon's own models, Titan and Nova, by Bedrock's `InvokeModel`.
    AmazonEmbed,
    /// Rerank of Hugging Face's text-embeddings-inference.
    TeiRerank,
    /// Mistral moderations: OpenAI's shape, but other categories.
    MistralModerations,
    /// Any JSON: every string, keys included, is text. For services that are no LLM API, by choice.
    Json,
    /// gRPC: no document, but refusals are rendered as gRPC wants them.
    Grpc,
    /// Nothing known: no document; refusals are rendered as OpenAI does.
    Other,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the caller.
    Request,
    /// The whole answer.
    Reply,
    /// One event of a streamed answer.
    Event,
}

impl Dialect {
    /// Finds the dialect of a request: the one in its extensions, else by content type and path.
    ///
    /// ```
    /// use bartizan_core::Dialect;
    ///
    /// let (parts, ()) = http::Request::post("/v1/messages").body(())?.into_parts();
    /// assert_eq!(Dialect::of(&parts), Dialect::AnthropicMessages);
    /// # Ok::<(), http::Error>(())
    /// ```
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        if let Some(told) = parts.extensions.get::<Self>() {
            return *told;
        }
        let content_type = parts
            .headers
            .get(header::CONTENT_TYPE)
            .map(http::HeaderValue::as_bytes)
            .unwrap_or_default();
        if content_type.starts_with(b"application/grpc") {
            return Self::Grpc;
        }
        if parts.method != Method::POST {
            return Self::Other;
        }
        path::dialect(parts.uri.path()).unwrap_or(Self::Other)
    }

    /// The dialect's name in records and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
            Self::OpenAiResponses => "openai_responses",
            Self::OpenAiCompletions => "openai_completions",
            Self::OpenAiEmbeddings => "openai_embeddings",
            Self::OpenAiModerations => "openai_moderations",
            Self::AnthropicMessages => "anthropic_messages",
            Self::AnthropicCountTokens => "anthropic_count_tokens",
            Self::Gemini => "gemini",
            Self::GeminiCountTokens => "gemini_count_tokens",
            Self::GeminiEmbeddings => "gemini_embeddings",
            Self::BedrockConverse => "bedrock_converse",
            Self::CohereChat => "cohere_chat",
            Self::CohereEmbed => "cohere_embed",
            Self::CohereRerank => "cohere_rerank",
            Self::OllamaChat => "ollama_chat",
            Self::OllamaEmbed => "ollama_embed",
            Self::VertexPredict => "vertex_predict",
            Self::AmazonEmbed => "amazon_embed",
            Self::TeiRerank => "tei_rerank",
            Self::MistralModerations => "mistral_moderations",
            Self::Json => "json",
            Self::Grpc => "grpc",
            Self::Other => "other",
        }
    }

    /// Whether a model of this API writes its answer. Embeddings, judgements and counts cost no output.
    #[must_use]
    pub const fn generates(self) -> bool {
        !matches!(
            self,
            Self::OpenAiEmbeddings
                | Self::OpenAiModerations
                | Self::AnthropicCountTokens
                | Self::GeminiCountTokens
                | Self::GeminiEmbeddings
                | Self::CohereEmbed
                | Self::CohereRerank
                | Self::OllamaEmbed
        )
    }

    /// Whether messages of this dialect are JSON documents that can be read.
    #[must_use]
    pub const fn has_document(self) -> bool {
        !matches!(self, Self::Grpc | Self::Other)
    }

    /// What a request's path says, in the dialects that say it there: the model, and whether the answer is to be streamed.
    pub(crate) fn in_path(self, path: &str) -> Option<(Cow<'_, str>, bool)> {
        path::model(self, path)
    }

    pub(crate) fn with_model(self, path: &str, model: &str) -> Option<String> {
        path::with_model(self, path, model)
    }

    /// The data that ends a stream, where it is not an event of its own shape.
    pub(crate) const fn done(self) -> Option<&'static str> {
        match self {
            Self::OpenAiChat | Self::OpenAiCompletions | Self::CohereChat => Some("[DONE]"),
            _ => None,
        }
    }

    /// Whether a stream of this dialect says when it is through, so that one cut short can be told.
    pub(crate) const fn says_when_through(self) -> bool {
        matches!(
            self,
            Self::OpenAiChat
                | Self::OpenAiResponses
                | Self::OpenAiCompletions
                | Self::AnthropicMessages
                | Self::Gemini
                | Self::BedrockConverse
                | Self::CohereChat
                | Self::OllamaChat
        )
    }

    fn shape(self, direction: Direction) -> &'static shape::Shape {
        use Direction::{Event, Reply, Request};
        match (self, direction) {
            (Self::OpenAiChat, Request) => &openai_chat::REQUEST,
            (Self::OpenAiChat, Reply) => &openai_chat::REPLY,
            (Self::OpenAiChat, Event) => &openai_chat::CHUNK,
            (Self::OpenAiResponses, Request) => &openai_responses::REQUEST,
            (Self::OpenAiResponses, Reply) => &openai_responses::REPLY,
            (Self::OpenAiResponses, Event) => &openai_responses::EVENT,
            (Self::OpenAiEmbeddings, Request) => &openai_embeddings::REQUEST,
            (Self::OpenAiEmbeddings, Reply | Event) => &openai_embeddings::REPLY,
            (Self::AnthropicMessages, Request) => &anthropic_messages::REQUEST,
            (Self::AnthropicMessages, Reply) => &anthropic_messages::REPLY,
            (Self::AnthropicMessages, Event) => &anthropic_messages::EVENT,
            (Self::AnthropicCountTokens, Request) => &anthropic_messages::REQUEST,
            (Self::AnthropicCountTokens, Reply | Event) => &anthropic_count_tokens::REPLY,
            (Self::OpenAiCompletions, Request) => &openai_completions::REQUEST,
            (Self::OpenAiCompletions, Reply | Event) => &openai_completions::REPLY,
            (Self::OpenAiModerations | Self::MistralModerations, Request) => {
                &openai_moderations::REQUEST
            }
            (Self::OpenAiModerations | Self::MistralModerations, Reply | Event) => {
                &openai_moderations::REPLY
            }
            (Self::Gemini, Request) => &gemini::REQUEST,
            (Self::Gemini, Reply) => &gemini::REPLY,
            (Self::Gemini, Event) => &gemini::CHUNK,
            (Self::GeminiCountTokens, Request) => &gemini_count_tokens::REQUEST,
            (Self::GeminiCountTokens, Reply | Event) => &gemini_count_tokens::REPLY,
            (Self::GeminiEmbeddings, Request) => &gemini_embeddings::REQUEST,
            (Self::GeminiEmbeddings, Reply | Event) => &gemini_embeddings::REPLY,
            (Self::BedrockConverse, Request) => &bedrock_converse::REQUEST,
            (Self::BedrockConverse, Reply) => &bedrock_converse::REPLY,
            (Self::BedrockConverse, Event) => &bedrock_converse::EVENT,
            (Self::CohereChat, Request) => &cohere_chat::REQUEST,
            (Self::CohereChat, Reply) => &cohere_chat::REPLY,
            (Self::CohereChat, Event) => &cohere_chat::EVENT,
            (Self::CohereEmbed, Request) => &cohere_embed::REQUEST,
            (Self::CohereEmbed, Reply | Event) => &cohere_embed::REPLY,
            (Self::CohereRerank, Request) => &cohere_rerank::REQUEST,
            (Self::CohereRerank, Reply | Event) => &cohere_rerank::REPLY,
            (Self::OllamaChat, Request) => &ollama::CHAT,
            (Self::OllamaChat, Reply | Event) => &ollama::ANSWER,
            (Self::OllamaEmbed, Request) => &ollama::EMBED,
            (Self::OllamaEmbed, Reply | Event) => &ollama::EMBEDDED,
            (Self::VertexPredict, Request) => &vertex_predict::REQUEST,
            (Self::VertexPredict, Reply | Event) => &vertex_predict::REPLY,
            (Self::AmazonEmbed, Request) => &amazon_embed::REQUEST,
            (Self::AmazonEmbed, Reply | Event) => &amazon_embed::REPLY,
            (Self::TeiRerank, Request) => &tei_rerank::REQUEST,
            (Self::TeiRerank, Reply | Event) => &tei_rerank::REPLY,
            (Self::Json | Self::Grpc | Self::Other, _) => &json::ANY,
        }
    }
}

/// Every table once.
const ALL: [(Dialect, Direction); 42] = {
    use Dialect::{
        AmazonEmbed, AnthropicCountTokens, AnthropicMessages, BedrockConverse, CohereChat,
        CohereEmbed, CohereRerank, Gemini, GeminiCountTokens, GeminiEmbeddings, OllamaChat,
        OllamaEmbed, OpenAiChat, OpenAiCompletions, OpenAiEmbeddings, OpenAiModerations,
        OpenAiResponses, TeiRerank, VertexPredict,
    };
    use Direction::{Event, Reply, Request};
    [
        (OpenAiChat, Request),
        (OpenAiChat, Reply),
        (OpenAiChat, Event),
        (OpenAiResponses, Request),
        (OpenAiResponses, Reply),
        (OpenAiResponses, Event),
        (OpenAiEmbeddings, Request),
        (OpenAiEmbeddings, Reply),
        (AnthropicMessages, Request),
        (AnthropicMessages, Reply),
        (AnthropicMessages, Event),
        (AnthropicCountTokens, Reply),
        (OpenAiCompletions, Request),
        (OpenAiCompletions, Reply),
        (OpenAiModerations, Request),
        (OpenAiModerations, Reply),
        (Gemini, Request),
        (Gemini, Reply),
        (GeminiCountTokens, Request),
        (GeminiCountTokens, Reply),
        (GeminiEmbeddings, Request),
        (GeminiEmbeddings, Reply),
        (BedrockConverse, Request),
        (BedrockConverse, Reply),
        (BedrockConverse, Event),
        (CohereChat, Request),
        (CohereChat, Reply),
        (CohereChat, Event),
        (CohereEmbed, Request),
        (CohereEmbed, Reply),
        (CohereRerank, Request),
        (CohereRerank, Reply),
        (OllamaChat, Request),
        (OllamaChat, Reply),
        (OllamaEmbed, Request),
        (OllamaEmbed, Reply),
        (VertexPredict, Request),
        (VertexPredict, Reply),
        (AmazonEmbed, Request),
        (AmazonEmbed, Reply),
        (TeiRerank, Request),
        (TeiRerank, Reply),
    ]
};
