//! Writing answers.

mod chunks;
mod parts;
mod sources;
mod waiting;

use bartizan_core::{Finish, Out, Usage};

use self::chunks::Chunks;
use self::parts::Call;
use self::sources::Sources;
use self::waiting::Waiting;
use super::seal::Seal;
use crate::dialects;
use crate::losses::{DROPPED_MEMBER, Losses};
use crate::neutral::{Answer, Ask, Block, Maker, Moment, Signature, ToolKind};
use crate::write::Writer;

/// Writes answers to one client.
#[derive(Debug)]
pub(crate) struct ToClient {
    shows: bool,
    chunks: Chunks,
}

impl ToClient {
    pub(crate) fn new(ask: &Ask<'_>) -> Self {
        // As Google does: thoughts are told to who asks for them.
        let shows = ask.show_thoughts == Some(true);
        let searches = ask
            .tools
            .iter()
            .any(|tool| matches!(tool.kind, ToolKind::Server { .. }));
        Self {
            shows,
            chunks: Chunks::new(shows, searches),
        }
    }
}

impl dialects::Writer for ToClient {
    fn answer(&self, answer: &Answer<'_>) -> String {
        encode(answer, self.shows)
    }

    fn say(&mut self, moment: &Moment<'_>, out: &mut Out) {
        self.chunks.say(moment, out);
    }
}

fn encode(answer: &Answer<'_>, shows: bool) -> String {
    let mut parts = Writer::with_capacity(1_024);
    let mut end = End {
        finish: answer.finish,
        ..End::default()
    };
    let mut sources = Sources::default();
    write(answer, shows, &mut parts, &mut end, &mut sources);
    let parts = parts.finish();
    let mut out = Writer::with_capacity(parts.len() + 512);
    out.open();
    out.key("candidates");
    out.open_list();
    out.open();
    out.key("content");
    out.open();
    if !parts.is_empty() {
        out.key("parts");
        out.open_list();
        out.raw(&parts);
        out.close_list();
    }
    out.plain_at("role", "model");
    out.close();
    end.write(&mut out);
    out.raw(r#""index":0"#);
    sources.write(&mut out);
    out.close();
    out.close_list();
    usage(&answer.usage, &mut out);
    head(&answer.id, &answer.model, &mut out);
    dropped(&answer.losses, &mut out);
    out.close();
    out.finish()
}

/// A signature of Google's that came by itself stands on the text after it; another maker's on the next part, whatever it is.
fn write<'a>(
    answer: &'a Answer<'a>,
    shows: bool,
    out: &mut Writer,
    end: &mut End,
    sources: &mut Sources,
) {
    let mut googles: Option<&str> = None;
    let mut waiting = Waiting::default();
    let mut number = 0;
    for block in &answer.blocks {
        match block {
            Block::Text { text, .. } | Block::Refusal { text } => {
                let seal = match googles.take() {
                    Some(seal) => Some(seal.to_owned()),
                    None if text.is_empty() => None,
                    None => waiting.take(),
                };
                parts::text(text, seal.as_deref(), out);
                sources.say(text, Some(number));
                match block {
                    Block::Text { citations, .. } => {
                        citations.iter().for_each(|citation| sources.cite(citation));
                    }
                    _ => end.refused = true,
                }
            }
            Block::Thinking {
                id,
                text,
                signature,
            } => {
                let id = id.as_deref();
                if shows && !text.is_empty() {
                    parts::thought(id, text, signature.as_ref(), out);
                } else {
                    if let Some(signature) = signature {
                        waiting.add(id, Some(text), signature);
                    }
                    continue;
                }
            }
            Block::Redacted { data, .. } if data.maker == Maker::Google => {
                if let Some(earlier) = googles.replace(&data.data) {
                    parts::text("", Some(earlier), out);
                    number += 1;
                }
                continue;
            }
            Block::Redacted { id, data } => {
                waiting.add(id.as_deref(), None, data);
                continue;
            }
            Block::ToolUse {
                id,
                name,
                input,
                custom,
                signature,
                ..
            } => {
                let call = Call {
                    id,
                    name,
                    custom: *custom,
                    signature: signature.as_ref().map(sealed).or_else(|| waiting.take()),
                };
                if !call.write(input, out) {
                    end.malformed = true;
                    continue;
                }
            }
            // What the provider ran itself, and data, is told as dropped by the one who read it.
            _ => continue,
        }
        number += 1;
    }
    for seal in googles.map(str::to_owned).into_iter().chain(waiting.take()) {
        parts::text("", Some(&seal), out);
    }
}

/// A signature on a call.
fn sealed(signature: &Signature<'_>) -> String {
    let seal = Seal {
        signature: Some(signature.clone()),
        ..Seal::default()
    };
    seal.written().into_owned()
}

/// How an answer ends.
#[derive(Debug, Default)]
struct End {
    finish: Option<Finish>,
    /// The model said why it will not answer.
    refused: bool,
    /// It called a function with something that is no object.
    malformed: bool,
}

impl End {
    fn write(&self, out: &mut Writer) {
        let reason = match self.finish {
            None => return,
            Some(_) if self.malformed => "MALFORMED_FUNCTION_CALL",
            Some(Finish::ContentFilter) => "SAFETY",
            Some(Finish::Stop) if self.refused => "SAFETY",
            Some(Finish::Stop | Finish::ToolCalls) => "STOP",
            Some(Finish::Length) => "MAX_TOKENS",
            Some(_) => "OTHER",
        };
        out.plain_at("finishReason", reason);
    }
}

/// What was cached lies within the prompt; thoughts stand beside the answer.
fn usage(usage: &Usage, out: &mut Writer) {
    if usage.total() == 0 {
        return;
    }
    out.key("usageMetadata");
    out.open();
    out.number_at("promptTokenCount", usage.total_input());
    let answer = usage.output.saturating_add(usage.audio_output);
    out.number_at("candidatesTokenCount", answer);
    out.number_at("totalTokenCount", usage.total());
    for (name, count) in [
        ("cachedContentTokenCount", usage.cached_input),
        ("thoughtsTokenCount", usage.reasoning),
    ] {
        if count > 0 {
            out.number_at(name, count);
        }
    }
    for (name, audio, all) in [
        (
            "promptTokensDetails",
            usage.audio_input,
            usage.total_input(),
        ),
        ("candidatesTokensDetails", usage.audio_output, answer),
    ] {
        if audio > 0 {
            out.key(name);
            out.open_list();
            for (kind, count) in [("TEXT", all.saturating_sub(audio)), ("AUDIO", audio)] {
                out.open();
                out.plain_at("modality", kind);
                out.number_at("tokenCount", count);
                out.close();
            }
            out.close_list();
        }
    }
    out.close();
}

fn head(id: &str, model: &str, out: &mut Writer) {
    for (name, said) in [("modelVersion", model), ("responseId", id)] {
        if !said.is_empty() {
            out.text_at(name, said);
        }
    }
}

fn dropped(losses: &Losses, out: &mut Writer) {
    if losses.is_empty() {
        return;
    }
    out.key(DROPPED_MEMBER);
    out.open_list();
    for field in losses.fields() {
        out.plain(field);
    }
    out.close_list();
}
