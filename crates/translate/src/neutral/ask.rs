//! A request.

use bartizan_core::json::Value;

use super::Str;
use crate::facts::Effort;

#[derive(Debug, Default)]
pub(crate) struct Ask<'a> {
    pub(crate) model: Str<'a>,
    /// The conversation, instructions included, in its order.
    pub(crate) turns: Vec<Turn<'a>>,
    pub(crate) tools: Vec<Tool<'a>>,
    pub(crate) choice: Choice<'a>,
    /// Whether the model may call several tools at once.
    pub(crate) one_tool_at_a_time: bool,
    pub(crate) max_output: Option<u64>,
    pub(crate) stop: Vec<Str<'a>>,
    pub(crate) temperature: Option<Number<'a>>,
    pub(crate) top_p: Option<Number<'a>>,
    pub(crate) top_k: Option<Number<'a>>,
    pub(crate) reasoning: Option<Reasoning>,
    pub(crate) format: Format<'a>,
    pub(crate) user: Option<Str<'a>>,
    /// Whether the request may not be served at a higher price and priority than the standard.
    pub(crate) standard_tier: bool,
    /// Raw: where the provider is to cache the whole prompt.
    pub(crate) cache: Option<Value<'a>>,
    pub(crate) stream: bool,
    /// Whether a streamed answer is to say its usage.
    pub(crate) stream_usage: bool,
}

/// A number with its spelling, which is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'a> {
    pub(crate) raw: &'a str,
    pub(crate) value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reasoning {
    Off,
    /// As the model finds fit.
    Auto,
    Effort(Effort),
    Budget(u64),
}

#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) role: Role,
    pub(crate) blocks: Vec<Block<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    System,
    User,
    Assistant,
    /// Results of tools, and nothing else.
    Tool,
}

/// One part of a turn or of an answer. `cache` is raw: where the provider is to cache the prompt up to here.
#[derive(Debug)]
pub(crate) enum Block<'a> {
    Text {
        text: Str<'a>,
        cache: Option<Value<'a>>,
    },
    Image {
        source: Source<'a>,
        cache: Option<Value<'a>>,
    },
    Document {
        source: Source<'a>,
        title: Option<Str<'a>>,
        cache: Option<Value<'a>>,
    },
    Thinking {
        text: Str<'a>,
        signature: Option<Str<'a>>,
    },
    /// Thinking that only the provider can read.
    Redacted { data: Str<'a> },
    ToolUse {
        id: Str<'a>,
        name: Str<'a>,
        /// One JSON object, as it was written.
        input: Str<'a>,
        cache: Option<Value<'a>>,
    },
    ToolResult {
        id: Str<'a>,
        blocks: Vec<Block<'a>>,
        cache: Option<Value<'a>>,
    },
}

impl<'a> Block<'a> {
    pub(crate) fn text(text: Str<'a>) -> Self {
        Self::Text { text, cache: None }
    }

    /// Where a mark for the cache goes; thinking takes none.
    pub(crate) fn cache_mut(&mut self) -> Option<&mut Option<Value<'a>>> {
        match self {
            Self::Text { cache, .. }
            | Self::Image { cache, .. }
            | Self::Document { cache, .. }
            | Self::ToolUse { cache, .. }
            | Self::ToolResult { cache, .. } => Some(cache),
            Self::Thinking { .. } | Self::Redacted { .. } => None,
        }
    }
}

/// Where an image or a document comes from.
#[derive(Debug)]
pub(crate) enum Source<'a> {
    Base64 {
        media_type: Str<'a>,
        data: Str<'a>,
    },
    /// The provider fetches it.
    Url(Str<'a>),
    /// A plain text.
    Text(Str<'a>),
}

#[derive(Debug)]
pub(crate) struct Tool<'a> {
    pub(crate) name: Str<'a>,
    pub(crate) description: Option<Str<'a>>,
    /// Raw; `None` where the tool takes nothing.
    pub(crate) schema: Option<Value<'a>>,
    pub(crate) strict: bool,
    pub(crate) cache: Option<Value<'a>>,
}

#[derive(Debug, Default)]
pub(crate) enum Choice<'a> {
    #[default]
    Auto,
    None,
    Required,
    Named(Str<'a>),
}

/// What form the answer has.
#[derive(Debug, Default)]
pub(crate) enum Format<'a> {
    #[default]
    Text,
    /// Any JSON object.
    Object,
    Schema {
        description: Option<Str<'a>>,
        /// Raw.
        schema: Value<'a>,
        strict: bool,
    },
}
