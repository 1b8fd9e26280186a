//! Which dialects can be translated, and the one place that names them all.
//!
//! A dialect that clients speak needs a decoder of requests and encoders of answers; one that providers speak, the reverse. What is not
//! listed is refused.

use bartizan_core::{Dialect, Document, Out, Refusal, RefusalKind};

use crate::anthropic::{self, Bounds};
use crate::facts::ModelFacts;
use crate::losses::Losses;
use crate::neutral::{Answer, Ask, Moment};
use crate::openai_chat;
use crate::read::Unknown;

/// How a request is written for a provider.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) text: String,
    pub(crate) reader: Reader,
}

pub(crate) fn decode_ask<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    match document.dialect() {
        Dialect::OpenAiChat => openai_chat::decode_ask(document, policy, losses),
        from => Err(unsupported(from)),
    }
}

pub(crate) fn encode_ask(
    ask: &Ask<'_>,
    to: Dialect,
    model: &str,
    facts: &ModelFacts,
    bounds: Bounds,
    losses: &mut Losses,
) -> Result<Encoded, Refusal> {
    match to {
        Dialect::AnthropicMessages => {
            let (text, hidden_tool) = anthropic::encode_ask(ask, model, facts, bounds, losses)?;
            let reader = Reader::Anthropic {
                hidden_tool,
                events: anthropic::Events::new(hidden_tool),
            };
            Ok(Encoded { text, reader })
        }
        to => Err(unsupported(to)),
    }
}

/// Reads the answers of one provider's dialect.
#[derive(Debug)]
pub(crate) enum Reader {
    Anthropic {
        hidden_tool: bool,
        events: anthropic::Events,
    },
}

impl Reader {
    pub(crate) fn answer<'a>(&self, reply: &'a Document) -> Answer<'a> {
        match self {
            Self::Anthropic { hidden_tool, .. } => anthropic::decode_answer(reply, *hidden_tool),
        }
    }

    pub(crate) fn hear<'a>(&mut self, document: &'a Document, say: &mut dyn FnMut(Moment<'a>)) {
        match self {
            Self::Anthropic { events, .. } => events.hear(document, say),
        }
    }
}

/// Writes the answers of one client's dialect.
#[derive(Debug)]
pub(crate) enum Writer {
    OpenAiChat {
        created: u64,
        chunks: openai_chat::Chunks,
    },
}

impl Writer {
    /// `created` in seconds since 1970.
    pub(crate) fn new(dialect: Dialect, created: u64, ask: &Ask<'_>) -> Result<Self, Refusal> {
        match dialect {
            Dialect::OpenAiChat => Ok(Self::OpenAiChat {
                created,
                chunks: openai_chat::Chunks::new(created, ask.stream_usage),
            }),
            dialect => Err(unsupported(dialect)),
        }
    }

    pub(crate) fn answer(&self, answer: &Answer<'_>) -> String {
        match self {
            Self::OpenAiChat { created, .. } => openai_chat::encode_answer(answer, *created),
        }
    }

    pub(crate) fn say(&mut self, moment: &Moment<'_>, out: &mut Out) {
        match self {
            Self::OpenAiChat { chunks, .. } => chunks.say(moment, out),
        }
    }
}

fn unsupported(dialect: Dialect) -> Refusal {
    tracing::debug!(dialect = dialect.as_str(), "no such translation");
    Refusal::new(
        RefusalKind::BadRequest,
        "translation_unsupported",
        "this model is served by an API that requests of this one can't be translated to",
    )
}
