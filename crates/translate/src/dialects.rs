//! Which dialects can be translated, and the one place that names them all.
//!
//! A dialect that clients speak reads requests (`from_client`) and writes answers (`to_client`); one that providers speak writes requests
//! (`to_provider`) and reads answers (`from_provider`). What is not listed is refused.

use std::fmt;

use bartizan_core::{Dialect, Document, Framing, Out, Refusal, RefusalKind};
use http::HeaderMap;

use crate::catalogue::Quirks;
use crate::facts::Model;
use crate::losses::Losses;
use crate::neutral::{Answer, Ask, Block, Format, Moment};
use crate::read::Unknown;
use crate::settings::Bounds;
use crate::{
    anthropic, bedrock, cohere, gemini, ollama, openai_chat, openai_completions, openai_responses,
};

/// Whom a request is written for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct To<'t> {
    pub(crate) dialect: Dialect,
    pub(crate) model: &'t str,
    /// What the model can do, where that is known.
    pub(crate) facts: Option<&'t Model>,
    /// Whether Google serves it by Vertex AI, whose Gemini differs in places from Google AI's.
    pub(crate) vertex: bool,
    pub(crate) bounds: Bounds,
    /// Whether a streamed answer is to be asked for its usage, where that must be asked for.
    pub(crate) stream_usage: bool,
    /// In what an OpenAI-compatible server differs from OpenAI.
    pub(crate) quirks: &'t Quirks,
}

/// How a request is written for a provider.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) text: String,
    pub(crate) reader: Box<dyn Reader>,
}

/// Reads the answer of a provider to one request.
pub(crate) trait Reader: fmt::Debug + Send {
    /// Reads a whole answer. Every member of it is optional.
    fn answer<'a>(&self, reply: &'a Document) -> Answer<'a>;

    /// Reads one event of a stream, and says what happens in it.
    ///
    /// [`Moment::Start`] comes first and once; [`Moment::Finish`] and [`Moment::End`] once, when the provider says so and never else.
    fn hear<'a>(&mut self, event: &'a Document, say: &mut dyn FnMut(Moment<'a>));

    /// The data that ends the stream and is no message, such as `[DONE]`.
    fn done(&mut self, say: &mut dyn FnMut(Moment<'static>)) {
        let _ = say;
    }

    /// The stream has ended cleanly. Where it had said all that it says, but has no word for the end, says [`Moment::End`].
    fn over(&mut self, say: &mut dyn FnMut(Moment<'static>)) {
        let _ = say;
    }

    /// Sees the answer's headers, before all else.
    fn head(&mut self, headers: &HeaderMap) {
        let _ = headers;
    }

    /// How a streamed answer is framed, where not as server-sent events.
    fn framing(&self) -> Option<Box<dyn Framing>> {
        None
    }
}

/// Writes the answer to one client.
pub(crate) trait Writer: fmt::Debug + Send {
    /// Writes a whole answer.
    fn answer(&self, answer: &Answer<'_>) -> String;

    /// Writes what happens in a stream.
    fn say(&mut self, moment: &Moment<'_>, out: &mut Out);
}

/// Reads a client's request.
pub(crate) fn decode_ask<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    match document.dialect() {
        Dialect::OpenAiChat => openai_chat::decode_ask(document, policy, losses),
        Dialect::OpenAiCompletions => openai_completions::decode_ask(document, policy, losses),
        Dialect::OpenAiResponses => openai_responses::decode_ask(document, policy, losses),
        Dialect::AnthropicMessages => anthropic::decode_ask(document, policy, losses),
        Dialect::Gemini => gemini::decode_ask(document, policy, losses),
        from => Err(unsupported(from)),
    }
}

/// Writes a request for a provider.
pub(crate) fn encode_ask(
    ask: &Ask<'_>,
    to: To<'_>,
    losses: &mut Losses,
) -> Result<Encoded, Refusal> {
    unplaced(ask, to.dialect, losses);
    match to.dialect {
        Dialect::OpenAiChat => openai_chat::encode_ask(ask, to, losses),
        Dialect::OpenAiCompletions => openai_completions::encode_ask(ask, to, losses),
        Dialect::OpenAiResponses => openai_responses::encode_ask(ask, to, losses),
        Dialect::AnthropicMessages => anthropic::encode_ask(ask, to, losses),
        Dialect::Gemini => gemini::encode_ask(ask, to, losses),
        Dialect::BedrockConverse => bedrock::encode_ask(ask, to, losses),
        Dialect::CohereChat => cohere::encode_ask(ask, to, losses),
        Dialect::OllamaChat => ollama::encode_ask(ask, to, losses),
        to => Err(unsupported(to)),
    }
}

/// Reports what has no place in any request, or in none but OpenAI's and Converse's.
fn unplaced(ask: &Ask<'_>, to: Dialect, losses: &mut Losses) {
    for block in ask.turns.iter().flat_map(|turn| &turn.blocks) {
        let Block::Text {
            text,
            cache,
            citations,
        } = block
        else {
            continue;
        };
        if !citations.is_empty() {
            losses.dropped("messages.annotations");
        }
        // An empty text goes, and the mark at it.
        if text.is_empty() && cache.is_some() {
            losses.dropped("cache_control");
        }
    }
    let nameless = !matches!(
        to,
        Dialect::OpenAiChat | Dialect::OpenAiResponses | Dialect::BedrockConverse
    );
    if nameless && matches!(ask.format, Format::Schema { name: Some(_), .. }) {
        losses.dropped("response_format.json_schema.name");
    }
}

/// The writer of a client's dialect. `created` in seconds since 1970.
pub(crate) fn writer(
    dialect: Dialect,
    created: u64,
    ask: &Ask<'_>,
) -> Result<Box<dyn Writer>, Refusal> {
    Ok(match dialect {
        Dialect::OpenAiChat => Box::new(openai_chat::ToClient::new(created, ask)),
        Dialect::OpenAiCompletions => Box::new(openai_completions::ToClient::new(created, ask)),
        Dialect::OpenAiResponses => Box::new(openai_responses::ToClient::new(created, ask)),
        Dialect::AnthropicMessages => Box::new(anthropic::ToClient::new(created)),
        Dialect::Gemini => Box::new(gemini::ToClient::new(ask)),
        dialect => return Err(unsupported(dialect)),
    })
}

pub(crate) fn unsupported(dialect: Dialect) -> Refusal {
    tracing::debug!(dialect = dialect.as_str(), "no such translation");
    Refusal::new(
        RefusalKind::BadRequest,
        "translation_unsupported",
        "this model is served by an API that requests of this one can't be translated to",
    )
}
