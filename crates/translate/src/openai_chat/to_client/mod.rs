//! Writing answers.

mod calls;
mod chunks;

use bartizan_core::{Finish, Out, Usage};

use self::chunks::Chunks;
use crate::dialects;
use crate::losses::{DROPPED_MEMBER, Losses};
use crate::neutral::{Answer, Ask, Block, Citation, Moment};
use crate::openai_chat::reasoning;
use crate::write::Writer;

/// Writes answers to one client.
#[derive(Debug)]
pub(crate) struct ToClient {
    created: u64,
    /// Whether the client reads `function_call`.
    functions: bool,
    chunks: Chunks,
}

impl ToClient {
    /// `created` in seconds since 1970.
    pub(crate) fn new(created: u64, ask: &Ask<'_>) -> Self {
        Self {
            created,
            functions: ask.functions,
            chunks: Chunks::new(created, ask.stream_usage, ask.functions),
        }
    }
}

impl dialects::Writer for ToClient {
    fn answer(&self, answer: &Answer<'_>) -> String {
        encode(answer, self.created, self.functions)
    }

    fn say(&mut self, moment: &Moment<'_>, out: &mut Out) {
        self.chunks.say(moment, out);
    }
}

fn encode(answer: &Answer<'_>, created: u64, functions: bool) -> String {
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
    let mut losses = answer.losses.clone();
    message(answer, functions, &mut losses, &mut out);
    out.raw(r#""logprobs":null"#);
    out.key("finish_reason");
    finish(answer.finish, functions, &mut out);
    out.close();
    out.close_list();
    usage(&answer.usage, &mut out);
    dropped(&losses, &mut out);
    out.close();
    out.finish()
}

fn message(answer: &Answer<'_>, functions: bool, losses: &mut Losses, out: &mut Writer) {
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
    let refusals = || {
        answer.blocks.iter().filter_map(|block| match block {
            Block::Refusal { text } => Some(text.as_ref()),
            _ => None,
        })
    };
    if refusals().next().is_some() {
        out.text_at("refusal", &refusals().collect::<String>());
    } else {
        out.raw_at("refusal", "null");
    }
    annotations(&answer.blocks, out);
    thoughts(&answer.blocks, out);
    if functions {
        calls::function(&answer.blocks, losses, out);
    } else {
        calls::list(&answer.blocks, out);
    }
    out.close();
}

/// Addresses of sources; where in the text they belong is told where it is known.
fn annotations(blocks: &[Block<'_>], out: &mut Writer) {
    let mut begun = false;
    for block in blocks {
        let Block::Text { citations, .. } = block else {
            continue;
        };
        for citation in citations {
            if !begun {
                out.key("annotations");
                out.open_list();
                begun = true;
            }
            annotation(citation, None, out);
        }
    }
    if begun {
        out.close_list();
    }
}

/// `index` where it is a piece of a stream: OpenAI's own SDK puts no list together whose items have none.
fn annotation(citation: &Citation<'_>, index: Option<u64>, out: &mut Writer) {
    let (start, end) = citation.range.unwrap_or_default();
    out.open();
    if let Some(index) = index {
        out.number_at("index", index);
    }
    out.plain_at("type", "url_citation");
    out.key("url_citation");
    out.open();
    out.number_at("start_index", start);
    out.number_at("end_index", end);
    out.text_at("url", &citation.url);
    out.text_at("title", citation.title.as_deref().unwrap_or_default());
    if let Some(quote) = &citation.quote {
        // As OpenRouter has it.
        out.text_at("content", quote);
    }
    out.close();
    out.close();
}

/// The thoughts' words for reading, and the whole of them, signatures included, for sending back.
fn thoughts(blocks: &[Block<'_>], out: &mut Writer) {
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
    reasoning::details(blocks, out);
}

fn finish(finish: Option<Finish>, functions: bool, out: &mut Writer) {
    match finish {
        None => out.raw("null"),
        Some(Finish::Length) => out.plain("length"),
        Some(Finish::ToolCalls) if functions => out.plain("function_call"),
        Some(Finish::ToolCalls) => out.plain("tool_calls"),
        Some(Finish::ContentFilter) => out.plain("content_filter"),
        Some(_) => out.plain("stop"),
    }
}

/// Nothing where the provider said none: a count of 0 would be taken for one.
///
/// Cached tokens lie within `prompt_tokens`, reasoning within `completion_tokens`.
pub(crate) fn usage(usage: &Usage, out: &mut Writer) {
    if usage.total() == 0 {
        return;
    }
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

pub(crate) fn dropped(losses: &Losses, out: &mut Writer) {
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
