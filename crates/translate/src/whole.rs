//! APIs that answer one question whole: embeddings, rerank, moderations, counts of tokens.
//!
//! They have no conversation and no stream, so each kind has a small model of its own. A kind reads the question of any of its dialects,
//! writes it for the target's, and gives a [`Retell`] for the answer.

use std::fmt;

use bartizan_core::{Dialect, Document, Form, Refusal, Trail};
use http::HeaderMap;
use http::response::Parts;

use crate::catalogue::Quirk;
use crate::dialects::{To, unsupported};
use crate::head::{Head, Stands};
use crate::losses::{DROPPED, Losses};
use crate::neutral::Names;
use crate::read::Unknown;
use crate::tap::{malformed, read};
use crate::target::Target;
use crate::{count_tokens, embeddings, fault, moderations, rerank};

/// A question as it is written for a provider.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) text: String,
    /// What the caller calls the fields that are reported.
    pub(crate) names: Names,
    pub(crate) retell: Box<dyn Retell>,
}

/// Reads a provider's answer to one question, and writes it for the client who asked.
pub(crate) trait Retell: fmt::Debug + Send {
    /// Takes in what the answer's headers say.
    fn head(&mut self, headers: &HeaderMap) {
        let _ = headers;
    }

    /// Tells a whole answer anew. Every member of it is optional, but an answer without what was asked for is none.
    fn retell(&self, reply: &Document) -> Option<Retold>;
}

/// An answer in the client's dialect.
#[derive(Debug)]
pub(crate) struct Retold {
    pub(crate) text: String,
    /// What of the provider's answer is left out; `text` says so too.
    pub(crate) losses: Losses,
}

/// Whether an API answers whole, to one question.
pub(crate) const fn answers_whole(dialect: Dialect) -> bool {
    matches!(
        dialect,
        Dialect::OpenAiEmbeddings
            | Dialect::GeminiEmbeddings
            | Dialect::CohereEmbed
            | Dialect::OllamaEmbed
            | Dialect::CohereRerank
            | Dialect::OpenAiModerations
            | Dialect::AnthropicCountTokens
            | Dialect::GeminiCountTokens
    )
}

/// Whether a question in the target's own dialect is written anew: one text or a batch, Gemini's go to the target's one path; Amazon
/// Bedrock takes Cohere's otherwise than Cohere; and others take over an API with words of their own.
pub(crate) fn is_told_anew(target: &Target) -> bool {
    let quirks = target.differs();
    let differs = |members: &[&str]| {
        let mut members = members.iter();
        members.any(|member| {
            quirks.renamed(member).is_some() || quirks.drops(member) || quirks.refuses(member)
        })
    };
    match target.dialect() {
        Dialect::GeminiEmbeddings => true,
        Dialect::OpenAiEmbeddings => {
            quirks.has(Quirk::Int8Vectors) || differs(&["dimensions", "encoding_format", "user"])
        }
        Dialect::CohereRerank => is_bedrocks_cohere(target.model()) || differs(&["top_n"]),
        Dialect::CohereEmbed => is_bedrocks_cohere(target.model()),
        _ => false,
    }
}

/// Whether a model is one of Cohere's at Amazon Bedrock, whose names say their maker: `us.cohere.embed-v4:0`.
pub(crate) fn is_bedrocks_cohere(model: &str) -> bool {
    model.starts_with("cohere.") || model.contains(".cohere.")
}

/// Reads a client's question, and writes it for a provider.
pub(crate) fn question(
    document: &Document,
    policy: Unknown,
    to: To<'_>,
    losses: &mut Losses,
) -> Result<Question, Refusal> {
    match document.dialect() {
        from if count_tokens::counts(from) => count_tokens::question(document, policy, to, losses),
        Dialect::OpenAiEmbeddings | Dialect::GeminiEmbeddings | Dialect::CohereEmbed => {
            embeddings::question(document, policy, to, losses)
        }
        Dialect::CohereRerank => rerank::question(document, policy, to, losses),
        Dialect::OpenAiModerations => moderations::question(document, policy, to, losses),
        from => Err(unsupported(from)),
    }
}

/// The answer's way back.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) outer: Dialect,
    pub(crate) retell: Box<dyn Retell>,
    pub(crate) losses: Losses,
    pub(crate) trail: Option<Trail>,
    pub(crate) head: Head,
}

impl Asked {
    pub(crate) fn see(&mut self, head: &mut Parts) -> Result<(), Refusal> {
        // Before what is not for the client goes.
        self.retell.head(&head.headers);
        let stands = self.head.see(head);
        if let Some(dropped) = self.losses.header() {
            head.headers.insert(DROPPED, dropped);
        }
        if stands? != Stands::Well {
            return Ok(());
        }
        match Form::of(&head.headers) {
            Form::Json => Ok(()),
            Form::Events | Form::Opaque => Err(malformed()),
        }
    }

    pub(crate) fn reply(&mut self, reply: &Document) -> Result<Option<Document>, Refusal> {
        if let Some(told) = self.head.reply(reply)? {
            return Ok(Some(told));
        }
        if reply.facts().error {
            // An error with a status of success: its own says what it is.
            return Err(fault::read(reply));
        }
        let told = self.retell.retell(reply).ok_or_else(malformed)?;
        if let Some(trail) = &self.trail {
            told.losses.note(trail, "answer");
        }
        read(&told.text, self.outer).map(Some)
    }
}
