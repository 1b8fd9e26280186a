//! Writing a whole answer.

use bartizan_core::{Finish, Usage};

use crate::losses::{DROPPED_MEMBER, Losses};
use crate::neutral::{Answer, Block};
use crate::write::Writer;

/// The form of [`reasoning_details`] that carries Anthropic's thinking, as OpenRouter has it.
const DETAILS: &str = "anthropic-claude-v1";

pub(crate) fn encode(answer: &Answer<'_>, created: u64) -> String {
    let mut out = Writer::with_capacity(1_024);
    out.open();
    out.text_at("id", &answer.id);
    out.plain_at("object", "chat.completion");
    out.number_at("created", created);
    out.text_at("model", &answer.model);
    out.key("choices");
    out.open_list();
    out.open();
    out.raw(r#""index":0"#);
    out.key("message");
    message(answer, &mut out);
    out.raw(r#""logprobs":null"#);
    out.key("finish_reason");
    finish(answer.finish, &mut out);
    out.close();
    out.close_list();
    usage(&answer.usage, &mut out);
    dropped(&answer.losses, &mut out);
    out.close();
    out.finish()
}

fn message(answer: &Answer<'_>, out: &mut Writer) {
    let texts = || {
        answer.blocks.iter().filter_map(|block| match block {
            Block::Text { text, .. } => Some(text.as_ref()),
            _ => None,
        })
    };
    let calls = || {
        answer
            .blocks
            .iter()
            .filter(|block| matches!(block, Block::ToolUse { .. }))
    };
    out.open();
    out.plain_at("role", "assistant");
    let said: String = texts().collect();
    if said.is_empty() && (calls().next().is_some() || answer.finish == Some(Finish::ContentFilter))
    {
        out.raw_at("content", "null");
    } else {
        out.text_at("content", &said);
    }
    match &answer.refusal {
        Some(refusal) => out.text_at("refusal", refusal),
        None => out.raw_at("refusal", "null"),
    }
    reasoning(&answer.blocks, out);
    if calls().next().is_some() {
        out.key("tool_calls");
        out.open_list();
        for block in calls() {
            if let Block::ToolUse {
                id, name, input, ..
            } = block
            {
                call(id, name, input, None, out);
            }
        }
        out.close_list();
    }
    out.close();
}

pub(super) fn call(id: &str, name: &str, arguments: &str, index: Option<u32>, out: &mut Writer) {
    out.open();
    if let Some(index) = index {
        out.number_at("index", index.into());
    }
    out.text_at("id", id);
    out.plain_at("type", "function");
    out.key("function");
    out.open();
    out.text_at("name", name);
    out.text_at("arguments", arguments);
    out.close();
    out.close();
}

/// The thoughts' words for reading, and the whole of them, signatures included, for sending back.
fn reasoning(blocks: &[Block<'_>], out: &mut Writer) {
    let words: String = blocks
        .iter()
        .filter_map(|block| match block {
            Block::Thinking { text, .. } => Some(text.as_ref()),
            _ => None,
        })
        .collect();
    if !words.is_empty() {
        out.text_at("reasoning_content", &words);
    }
    let mut index = 0;
    for block in blocks {
        let detail = match block {
            Block::Thinking { text, signature } => Detail::Text {
                text: Some(text),
                signature: signature.as_deref(),
            },
            Block::Redacted { data } => Detail::Encrypted(data),
            _ => continue,
        };
        if index == 0 {
            out.key("reasoning_details");
            out.open_list();
        }
        detail.write(index, out);
        index += 1;
    }
    if index > 0 {
        out.close_list();
    }
}

/// One item of `reasoning_details`.
pub(super) enum Detail<'a> {
    Text {
        text: Option<&'a str>,
        signature: Option<&'a str>,
    },
    Encrypted(&'a str),
}

impl Detail<'_> {
    pub(super) fn write(&self, index: u32, out: &mut Writer) {
        out.open();
        match self {
            Self::Text { text, signature } => {
                out.plain_at("type", "reasoning.text");
                if let Some(text) = text {
                    out.text_at("text", text);
                }
                if let Some(signature) = signature {
                    out.text_at("signature", signature);
                }
            }
            Self::Encrypted(data) => {
                out.plain_at("type", "reasoning.encrypted");
                out.text_at("data", data);
            }
        }
        out.plain_at("format", DETAILS);
        out.number_at("index", index.into());
        out.close();
    }
}

pub(super) fn finish(finish: Option<Finish>, out: &mut Writer) {
    match finish {
        None => out.raw("null"),
        Some(Finish::Length) => out.plain("length"),
        Some(Finish::ToolCalls) => out.plain("tool_calls"),
        Some(Finish::ContentFilter) => out.plain("content_filter"),
        Some(_) => out.plain("stop"),
    }
}

/// Cached tokens lie within `prompt_tokens`, reasoning within `completion_tokens`.
pub(super) fn usage(usage: &Usage, out: &mut Writer) {
    out.key("usage");
    out.open();
    out.number_at("prompt_tokens", usage.total_input());
    out.number_at("completion_tokens", usage.total_output());
    out.number_at("total_tokens", usage.total());
    out.key("prompt_tokens_details");
    out.open();
    out.number_at("cached_tokens", usage.cached_input);
    out.number_at("cache_write_tokens", usage.cache_write);
    out.close();
    out.key("completion_tokens_details");
    out.open();
    out.number_at("reasoning_tokens", usage.reasoning);
    out.close();
    out.close();
}

pub(super) fn dropped(losses: &Losses, out: &mut Writer) {
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
