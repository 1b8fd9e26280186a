//! Writing what the model said and called.
//!
//! A signature stands on the part that the thought led to. One that came by itself belongs to the text or call after it, or else, as in
//! streams, to the text before.

use std::borrow::Cow;

use bartizan_core::Refusal;

use super::media;
use crate::dialects::To;
use crate::losses::Losses;
use crate::names::{ToolNames, is_minted};
use crate::neutral::{Ask, Block, Maker, Signature, Turn};
use crate::write::Writer;

/// What the API documents for calls that another model made, or that a client made up.
const EXCUSE: &str = "skip_thought_signature_validator";

#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    parts: Vec<Part<'a>>,
    /// A signature that has no part yet.
    pending: Option<&'a str>,
}

#[derive(Debug)]
struct Part<'a> {
    body: Body<'a>,
    signature: Option<&'a str>,
}

#[derive(Debug)]
enum Body<'a> {
    Text(&'a str),
    Thought(&'a str),
    Call {
        id: &'a str,
        name: &'a str,
        input: &'a str,
    },
    Media(&'a Turn<'a>, &'a Block<'a>),
}

impl<'a> Parts<'a> {
    pub(super) fn add(
        &mut self,
        ask: &Ask<'_>,
        names: &'a ToolNames,
        turn: &'a Turn<'a>,
        block: &'a Block<'a>,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        match block {
            Block::Text { text, .. } => self.text(text),
            Block::Refusal { text } => {
                losses.changed("messages.refusal");
                self.text(text);
            }
            Block::Thinking {
                text, signature, ..
            } => {
                let signature = own(signature.as_ref(), losses);
                if !text.is_empty() || signature.is_some() {
                    self.push(Body::Thought(text), signature);
                }
            }
            Block::Redacted { data, .. } => {
                if let Some(signature) = own(Some(data), losses) {
                    self.settle();
                    self.pending = Some(signature);
                }
            }
            Block::ToolUse {
                id,
                name,
                input,
                signature,
                ..
            } => {
                let known = own(signature.as_ref(), losses);
                let signature = known.or_else(|| self.pending.take());
                let name = names.there(name);
                self.push(Body::Call { id, name, input }, signature);
            }
            Block::Foreign { name } => losses.dropped(name),
            Block::Image { .. }
            | Block::Document { .. }
            | Block::Audio { .. }
            | Block::Video { .. } => self.push(Body::Media(turn, block), None),
            Block::ToolResult { .. } => {
                return Err(ask.unsupported_in(turn, "the model gives no results"));
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &'a str) {
        if !text.is_empty() {
            let signature = self.pending.take();
            self.push(Body::Text(text), signature);
        }
    }

    fn push(&mut self, body: Body<'a>, signature: Option<&'a str>) {
        self.parts.push(Part { body, signature });
    }

    /// Gives the signature that has no part to the text before it, or to none at all: the API takes both.
    fn settle(&mut self) {
        let Some(signature) = self.pending.take() else {
            return;
        };
        let text = self
            .parts
            .iter_mut()
            .rev()
            .find(|part| matches!(part.body, Body::Text(_)));
        match text.filter(|part| part.signature.is_none()) {
            Some(part) => part.signature = Some(signature),
            None => self.push(Body::Text(""), Some(signature)),
        }
    }

    /// The first call of a step must carry a signature; where its model gave none, the word that stands for it.
    pub(super) fn excuse(&mut self, losses: &mut Losses) {
        self.settle();
        let mut parts = self.parts.iter_mut();
        let call = parts.find(|part| matches!(part.body, Body::Call { .. }));
        if let Some(call) = call.filter(|call| call.signature.is_none()) {
            call.signature = Some(EXCUSE);
            losses.changed("messages.tool_calls.extra_content");
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty() && self.pending.is_none()
    }

    pub(super) fn write(
        mut self,
        ask: &Ask<'_>,
        to: &To<'_>,
        out: &mut Writer,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        self.settle();
        for part in &self.parts {
            match part.body {
                Body::Media(turn, block) => media::write(ask, to, turn, block, out, losses)?,
                Body::Text(text) => {
                    out.open();
                    out.text_at("text", text);
                    close(part, out);
                }
                Body::Thought(text) => {
                    out.open();
                    if !text.is_empty() {
                        out.text_at("text", text);
                    }
                    out.raw_at("thought", "true");
                    close(part, out);
                }
                Body::Call { id, name, input } => {
                    out.open();
                    out.key("functionCall");
                    out.open();
                    if let Some(id) = id_for(to, id) {
                        out.text_at("id", id);
                    }
                    out.text_at("name", name);
                    out.raw_at("args", &args(input));
                    out.close();
                    close(part, out);
                }
            }
        }
        Ok(())
    }
}

fn close(part: &Part<'_>, out: &mut Writer) {
    if let Some(signature) = part.signature {
        out.text_at("thoughtSignature", signature);
    }
    out.close();
}

/// The id that a call and its result go out with: not where the API knows no such member, nor where none was given.
pub(super) fn id_for<'a>(to: &To<'_>, id: &'a str) -> Option<&'a str> {
    (!to.vertex && !id.is_empty() && !is_minted(id)).then_some(id)
}

/// An object, whatever is said.
fn args(input: &str) -> Cow<'_, str> {
    if input.trim().is_empty() {
        "{}".into()
    } else {
        input.into()
    }
}

/// Google's own; another maker's is left out, and reported.
fn own<'a>(signature: Option<&'a Signature<'a>>, losses: &mut Losses) -> Option<&'a str> {
    let signature = signature.filter(|signature| !signature.data.is_empty())?;
    if signature.maker == Maker::Google {
        return Some(&signature.data);
    }
    losses.dropped("messages.reasoning_details");
    None
}
