//! Writing answers.

mod events;

use bartizan_core::{Finish, Out, Usage};

use self::events::Events;
use crate::dialects;
use crate::losses::{DROPPED_MEMBER, Losses};
use crate::neutral::{Answer, Block, Citation, Maker, Moment};
use crate::write::Writer;

/// Writes answers to one client.
#[derive(Debug)]
pub(crate) struct ToClient {
    created: u64,
    events: Events,
}

impl ToClient {
    /// `created` in seconds since 1970.
    pub(crate) fn new(created: u64) -> Self {
        Self {
            created,
            events: Events::new(created),
        }
    }
}

impl dialects::Writer for ToClient {
    fn answer(&self, answer: &Answer<'_>) -> String {
        encode(answer, self.created)
    }

    fn say(&mut self, moment: &Moment<'_>, out: &mut Out) {
        self.events.say(moment, out);
    }
}

fn encode(answer: &Answer<'_>, created: u64) -> String {
    let mut out = Writer::with_capacity(1_024);
    out.open();
    head(&answer.id, &answer.model, created, &mut out);
    out.key("content");
    out.open_list();
    for block in &answer.blocks {
        write(block, &mut out);
    }
    out.close_list();
    let refused = answer
        .blocks
        .iter()
        .any(|block| matches!(block, Block::Refusal { .. }));
    stop(
        answer.finish,
        refused,
        answer.stop_sequence.as_deref(),
        &mut out,
    );
    usage(&answer.usage, &mut out);
    dropped(&answer.losses, &mut out);
    out.close();
    out.finish()
}

/// A message's members up to its content.
fn head(id: &str, model: &str, created: u64, out: &mut Writer) {
    if id.is_empty() {
        out.text_at("id", &format!("msg_{created}"));
    } else {
        out.text_at("id", id);
    }
    out.plain_at("type", "message");
    out.plain_at("role", "assistant");
    out.text_at("model", model);
}

fn write(block: &Block<'_>, out: &mut Writer) {
    match block {
        Block::Text {
            text, citations, ..
        } => {
            out.open();
            out.plain_at("type", "text");
            out.text_at("text", text);
            if !citations.is_empty() {
                out.key("citations");
                out.open_list();
                for citation in citations {
                    cite(citation, out);
                }
                out.close_list();
            }
            out.close();
        }
        Block::Refusal { text } => {
            out.open();
            out.plain_at("type", "text");
            out.text_at("text", text);
            out.close();
        }
        Block::Thinking {
            text, signature, ..
        } => {
            let signed = signature
                .as_ref()
                .map(|signature| signature.tagged(Maker::Anthropic));
            out.open();
            out.plain_at("type", "thinking");
            out.text_at("thinking", text);
            out.text_at("signature", signed.as_deref().unwrap_or_default());
            out.close();
        }
        Block::Redacted { data, .. } => redacted(&data.tagged(Maker::Anthropic), out),
        Block::ToolUse {
            id,
            name,
            input,
            custom,
            signature,
            ..
        } => {
            if let Some(signature) = signature {
                redacted(&signature.tagged(Maker::Anthropic), out);
            }
            out.open();
            out.plain_at("type", "tool_use");
            out.text_at("id", id);
            out.text_at("name", name);
            out.key("input");
            if *custom {
                out.open();
                out.text_at("input", input);
                out.close();
            } else {
                out.raw(if input.is_empty() { "{}" } else { input });
            }
            out.close();
        }
        // No answer is made of these.
        Block::Image { .. }
        | Block::Document { .. }
        | Block::Audio { .. }
        | Block::Video { .. }
        | Block::ToolResult { .. }
        | Block::Foreign { .. } => {}
    }
}

fn redacted(data: &str, out: &mut Writer) {
    out.open();
    out.plain_at("type", "redacted_thinking");
    out.text_at("data", data);
    out.close();
}

fn cite(citation: &Citation<'_>, out: &mut Writer) {
    out.open();
    out.plain_at("type", "web_search_result_location");
    out.text_at("url", &citation.url);
    match &citation.title {
        Some(title) => out.text_at("title", title),
        None => out.raw_at("title", "null"),
    }
    out.plain_at("encrypted_index", "");
    out.text_at("cited_text", citation.quote.as_deref().unwrap_or_default());
    out.close();
}

/// `refused`: the model said in words of its own that it will not answer.
fn stop(finish: Option<Finish>, refused: bool, sequence: Option<&str>, out: &mut Writer) {
    out.key("stop_reason");
    match finish {
        None => out.raw("null"),
        Some(Finish::ContentFilter) => out.plain("refusal"),
        Some(_) if refused => out.plain("refusal"),
        Some(Finish::Length) => out.plain("max_tokens"),
        Some(Finish::ToolCalls) => out.plain("tool_use"),
        Some(_) if sequence.is_some() => out.plain("stop_sequence"),
        Some(_) => out.plain("end_turn"),
    }
    match sequence {
        Some(sequence) => out.text_at("stop_sequence", sequence),
        None => out.raw_at("stop_sequence", "null"),
    }
}

/// `input_tokens` leaves out what was read from and written to the cache; `output_tokens` has thinking in it.
fn usage(usage: &Usage, out: &mut Writer) {
    out.key("usage");
    out.open();
    out.number_at(
        "input_tokens",
        usage.input.saturating_add(usage.audio_input),
    );
    out.number_at("cache_creation_input_tokens", usage.cache_write);
    out.number_at("cache_read_input_tokens", usage.cached_input);
    out.number_at("output_tokens", usage.total_output());
    if usage.reasoning > 0 {
        out.key("output_tokens_details");
        out.open();
        out.number_at("thinking_tokens", usage.reasoning);
        out.close();
    }
    out.close();
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
