//! The parts of turns and answers.

use bartizan_core::json::Value;

use super::{Signature, Str};

/// One part of a turn or of an answer. `cache` is raw, in Anthropic's words: where the provider is to cache the prompt up to here.
#[derive(Debug)]
pub(crate) enum Block<'a> {
    Text {
        text: Str<'a>,
        cache: Option<Value<'a>>,
        citations: Vec<Citation<'a>>,
    },
    /// Why the model will not answer, in its own or its provider's words.
    Refusal {
        text: Str<'a>,
    },
    Image {
        source: Source<'a>,
        /// How closely to look: `low`, `high`, …
        detail: Option<Str<'a>>,
        cache: Option<Value<'a>>,
    },
    Document {
        source: Source<'a>,
        title: Option<Str<'a>>,
        cache: Option<Value<'a>>,
    },
    Audio {
        source: Source<'a>,
    },
    Video {
        source: Source<'a>,
    },
    Thinking {
        /// OpenAI's name of the thought.
        id: Option<Str<'a>>,
        text: Str<'a>,
        signature: Option<Signature<'a>>,
    },
    /// Thinking that only the provider can read.
    Redacted {
        id: Option<Str<'a>>,
        data: Signature<'a>,
    },
    ToolUse {
        id: Str<'a>,
        name: Str<'a>,
        /// One JSON object, as it was written; any text where the tool is of kind [`Custom`](super::ToolKind::Custom).
        input: Str<'a>,
        custom: bool,
        cache: Option<Value<'a>>,
        /// Of the thought that led here (Gemini).
        signature: Option<Signature<'a>>,
    },
    ToolResult {
        id: Str<'a>,
        /// Where the dialect says it; else by the call of that id.
        name: Option<Str<'a>>,
        blocks: Vec<Block<'a>>,
        is_error: bool,
        custom: bool,
        cache: Option<Value<'a>>,
    },
    /// What a provider ran itself, or another part that no other API has: never the client's to run, declared as dropped under this name.
    Foreign {
        name: &'static str,
    },
}

impl<'a> Block<'a> {
    pub(crate) fn text(text: Str<'a>) -> Self {
        Self::Text {
            text,
            cache: None,
            citations: Vec::new(),
        }
    }

    /// Where a mark for the cache goes; thinking takes none.
    pub(crate) fn cache_mut(&mut self) -> Option<&mut Option<Value<'a>>> {
        match self {
            Self::Text { cache, .. }
            | Self::Image { cache, .. }
            | Self::Document { cache, .. }
            | Self::ToolUse { cache, .. }
            | Self::ToolResult { cache, .. } => Some(cache),
            Self::Refusal { .. }
            | Self::Audio { .. }
            | Self::Video { .. }
            | Self::Thinking { .. }
            | Self::Redacted { .. }
            | Self::Foreign { .. } => None,
        }
    }
}

/// What a passage of an answer stands on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Citation<'a> {
    pub(crate) url: Str<'a>,
    pub(crate) title: Option<Str<'a>>,
    /// The words of the source.
    pub(crate) quote: Option<Str<'a>>,
    /// Where in the answer's text, in characters, where that is known.
    pub(crate) range: Option<(u64, u64)>,
}

/// Where an image, a document or a sound comes from.
#[derive(Debug)]
pub(crate) enum Source<'a> {
    Base64 {
        /// Lower case.
        media_type: Str<'a>,
        /// Of base64's characters alone.
        data: Str<'a>,
    },
    /// `https:`, `http:`, `gs:` or `s3:`; the provider fetches it.
    Url {
        url: Str<'a>,
        /// Where the dialect says it.
        media_type: Option<Str<'a>>,
    },
    /// A plain text.
    Text(Str<'a>),
    /// A file that lies at a provider.
    File { id: Str<'a> },
}
