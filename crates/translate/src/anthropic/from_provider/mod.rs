//! Reading answers.

mod events;

use bartizan_core::json::Value;
use bartizan_core::{Document, Finish, Usage};

pub(super) use self::events::Events;
use super::HIDDEN_TOOL;
use crate::losses::Losses;
use crate::neutral::{Answer, Block, Citation, Maker, Signature, Str};
use crate::read::member;

/// Every member of a foreign answer is optional.
fn decode(document: &Document, hidden_tool: bool) -> Answer<'_> {
    let root = document.json().root();
    let mut answer = Answer {
        id: string(root, "id"),
        model: string(root, "model"),
        usage: member(root, "usage")
            .map(|usage| read_usage(usage, Usage::default()))
            .unwrap_or_default(),
        ..Answer::default()
    };
    let mut calls = 0_usize;
    let content = member(root, "content").into_iter().flat_map(Value::items);
    for block in content {
        match member(block, "type").and_then(Value::text).as_deref() {
            Some("text") => {
                let cited = member(block, "citations")
                    .into_iter()
                    .flat_map(Value::items);
                let citations = cited
                    .filter_map(|cited| citation(cited, &mut answer.losses))
                    .collect();
                answer.blocks.push(Block::Text {
                    text: string(block, "text"),
                    cache: None,
                    citations,
                });
            }
            Some("thinking") => answer.blocks.push(Block::Thinking {
                id: None,
                text: string(block, "thinking"),
                signature: Some(string(block, "signature"))
                    .filter(|signed| !signed.is_empty())
                    .map(signature),
            }),
            Some("redacted_thinking") => answer.blocks.push(Block::Redacted {
                id: None,
                data: signature(string(block, "data")),
            }),
            Some("tool_use") => {
                let input = member(block, "input").map_or("{}", Value::raw);
                if hidden_tool && member(block, "name").is_some_and(|name| name.is(HIDDEN_TOOL)) {
                    answer.blocks.push(Block::text(input.into()));
                } else {
                    calls += 1;
                    answer.blocks.push(Block::ToolUse {
                        id: string(block, "id"),
                        name: string(block, "name"),
                        input: input.into(),
                        custom: false,
                        cache: None,
                        signature: None,
                    });
                }
            }
            kind => answer.losses.dropped(lost(kind)),
        }
    }
    let end = End::read(root, document.facts().finish, &mut answer.losses);
    answer
        .blocks
        .extend(end.refusal.map(|text| Block::Refusal { text }));
    answer.stop_sequence = end.stop_sequence;
    answer.finish = end
        .finish
        .map(|finish| called(finish, calls > 0, hidden_tool));
    answer
}

/// A source on the web; places in the caller's own documents have no word elsewhere.
fn citation<'a>(from: Value<'a>, losses: &mut Losses) -> Option<Citation<'a>> {
    let says = |key: &str| Some(string(from, key)).filter(|text| !text.is_empty());
    let Some(url) = says("url") else {
        losses.dropped("content.citations");
        return None;
    };
    Some(Citation {
        url,
        title: says("title"),
        quote: says("cited_text"),
        range: None,
    })
}

/// What ends an answer, in a whole one and in a stream's last delta.
struct End<'a> {
    finish: Option<Finish>,
    stop_sequence: Option<Str<'a>>,
    refusal: Option<Str<'a>>,
}

impl<'a> End<'a> {
    fn read(from: Value<'a>, finish: Option<Finish>, losses: &mut Losses) -> Self {
        if finish == Some(Finish::Other) {
            losses.dropped("stop_reason");
        }
        let refusal = member(from, "stop_details")
            .and_then(|details| member(details, "explanation"))
            .and_then(Value::text);
        Self {
            finish,
            stop_sequence: member(from, "stop_sequence").and_then(Value::text),
            refusal: refusal.filter(|_| finish == Some(Finish::ContentFilter)),
        }
    }
}

/// A call of the hidden tool is an answer: the caller has nothing to run.
fn called(finish: Finish, calls: bool, hidden_tool: bool) -> Finish {
    match finish {
        Finish::ToolCalls if hidden_tool && !calls => Finish::Stop,
        finish => finish,
    }
}

/// The name under which a block that no client of another API can use is reported: what the provider ran itself, and what is new.
fn lost(kind: Option<&str>) -> &'static str {
    match kind {
        Some("server_tool_use" | "mcp_tool_use") => "content.server_tool_use",
        Some(kind) if kind.ends_with("_tool_result") => "content.server_tool_result",
        Some("container_upload") => "content.container_upload",
        Some("compaction") => "content.compaction",
        _ => "content.other",
    }
}

fn signature(data: Str<'_>) -> Signature<'_> {
    Signature {
        maker: Maker::Anthropic,
        data,
    }
}

fn string<'a>(from: Value<'a>, key: &str) -> Str<'a> {
    member(from, key).and_then(Value::text).unwrap_or_default()
}

/// `input_tokens` leaves out what was read from and written to the cache; `output_tokens` has thinking in it. Counts are totals so far, and
/// a count that is not said again stands.
fn read_usage(usage: Value<'_>, before: Usage) -> Usage {
    let count = |name: &str| member(usage, name).and_then(Value::as_u64);
    let output = count("output_tokens").unwrap_or_else(|| before.total_output());
    let thinking = member(usage, "output_tokens_details")
        .and_then(|details| member(details, "thinking_tokens"))
        .and_then(Value::as_u64);
    let reasoning = thinking.unwrap_or(before.reasoning).min(output);
    Usage {
        input: count("input_tokens").unwrap_or(before.input),
        cached_input: count("cache_read_input_tokens").unwrap_or(before.cached_input),
        cache_write: count("cache_creation_input_tokens").unwrap_or(before.cache_write),
        output: output.saturating_sub(reasoning),
        reasoning,
        ..Usage::default()
    }
}
