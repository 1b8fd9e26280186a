//! Dialects: the one place that knows the JSON shapes of the APIs.
//!
//! Each API's shape is a set of tables ([`shape`]), one file an API; one walk reads them all. It notes every string that a
//! person or a model wrote with its [`TextRole`], the [`Facts`] that layers need, and the parts that the dialect does not know
//! ([`Unseen`]). Strings in members that no table names count as texts of role [`TextRole::Other`], so that a new field of an API
//! is looked at before anybody has written a rule for it.

mod anthropic_messages;
mod facts;
mod json;
mod openai;
mod openai_chat;
mod openai_embeddings;
mod openai_responses;
mod shape;
mod text;

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
    /// OpenAI embeddings.
    OpenAiEmbeddings,
    /// Anthropic messages.
    AnthropicMessages,
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
        let path = parts.uri.path().trim_end_matches('/');
        [
            ("/chat/completions", Self::OpenAiChat),
            ("/responses", Self::OpenAiResponses),
            ("/embeddings", Self::OpenAiEmbeddings),
            ("/messages", Self::AnthropicMessages),
        ]
        .into_iter()
        .find(|(end, _)| path.ends_with(end))
        .map_or(Self::Other, |(_, dialect)| dialect)
    }

    /// The dialect's name in records and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
            Self::OpenAiResponses => "openai_responses",
            Self::OpenAiEmbeddings => "openai_embeddings",
            Self::AnthropicMessages => "anthropic_messages",
            Self::Json => "json",
            Self::Grpc => "grpc",
            Self::Other => "other",
        }
    }

    /// Whether messages of this dialect are JSON documents that can be read.
    #[must_use]
    pub const fn has_document(self) -> bool {
        !matches!(self, Self::Grpc | Self::Other)
    }

    /// The data that ends a stream, where it is not an event of its own shape.
    pub(crate) const fn done(self) -> Option<&'static str> {
        match self {
            Self::OpenAiChat => Some("[DONE]"),
            _ => None,
        }
    }

    /// Whether a stream of this dialect says when it is through, so that one cut short can be told.
    pub(crate) const fn says_when_through(self) -> bool {
        matches!(
            self,
            Self::OpenAiChat | Self::OpenAiResponses | Self::AnthropicMessages
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
            (Self::Json | Self::Grpc | Self::Other, _) => &json::ANY,
        }
    }
}

const ALL: [(Dialect, Direction); 11] = [
    (Dialect::OpenAiChat, Direction::Request),
    (Dialect::OpenAiChat, Direction::Reply),
    (Dialect::OpenAiChat, Direction::Event),
    (Dialect::OpenAiResponses, Direction::Request),
    (Dialect::OpenAiResponses, Direction::Reply),
    (Dialect::OpenAiResponses, Direction::Event),
    (Dialect::OpenAiEmbeddings, Direction::Request),
    (Dialect::OpenAiEmbeddings, Direction::Reply),
    (Dialect::AnthropicMessages, Direction::Request),
    (Dialect::AnthropicMessages, Direction::Reply),
    (Dialect::AnthropicMessages, Direction::Event),
];
