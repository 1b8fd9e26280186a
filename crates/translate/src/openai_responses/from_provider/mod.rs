//! Reading answers.

mod events;
mod items;

use bartizan_core::json::Value;
use bartizan_core::{Document, Finish};

pub(super) use self::events::Events;
use super::citation;
use crate::fault;
use crate::losses::Losses;
use crate::names::{ToolNames, minted_id};
use crate::neutral::{Answer, Block, Citation, Maker, Signature, Str};
use crate::read::member;

/// Every member of a foreign answer is optional.
fn decode<'a>(document: &'a Document, names: &ToolNames) -> Answer<'a> {
    let root = document.json().root();
    let mut answer = Answer {
        id: string(root, "id"),
        model: string(root, "model"),
        usage: document.facts().usage.unwrap_or_default(),
        ..Answer::default()
    };
    let mut calls = 0;
    for item in member(root, "output").into_iter().flat_map(Value::items) {
        match kind(item).as_deref() {
            Some("message") => {
                phase(item, &mut answer.losses);
                let content = member(item, "content").into_iter().flat_map(Value::items);
                for part in content {
                    let block = words(part, &mut answer.losses);
                    answer.blocks.extend(block);
                }
            }
            Some("reasoning") => thoughts(item, &mut answer.blocks),
            Some("function_call" | "custom_tool_call") => {
                let call = Called::read(item);
                let id = call
                    .id
                    .unwrap_or_else(|| minted_id(&answer.id, calls).into());
                calls += 1;
                answer.blocks.push(Block::ToolUse {
                    id,
                    name: names.here(call.name),
                    input: call.input,
                    custom: call.custom,
                    cache: None,
                    signature: None,
                });
            }
            kind => answer.losses.dropped(lost(kind)),
        }
    }
    answer.finish = finish(document.facts().finish, calls > 0, &mut answer.losses);
    if member(root, "status").is_some_and(|status| status.is("failed")) {
        answer.failed = Some(fault::read(document));
    }
    answer
}

/// An answer that calls tools ends as any other does here.
fn finish(finish: Option<Finish>, calls: bool, losses: &mut Losses) -> Option<Finish> {
    match finish? {
        Finish::Stop if calls => Some(Finish::ToolCalls),
        Finish::Other => {
            losses.dropped("status");
            Some(Finish::Other)
        }
        finish => Some(finish),
    }
}

fn kind(item: Value<'_>) -> Option<Str<'_>> {
    member(item, "type").and_then(Value::text)
}

fn string<'a>(from: Value<'a>, key: &str) -> Str<'a> {
    member(from, key).and_then(Value::text).unwrap_or_default()
}

/// A message may be a word on the way to the answer, which no other API can say; that it is the answer goes without saying.
fn phase(message: Value<'_>, losses: &mut Losses) {
    if member(message, "phase").is_some_and(|phase| !phase.is("final_answer")) {
        losses.dropped("content.phase");
    }
}

/// What a part of a message says.
fn words<'a>(part: Value<'a>, losses: &mut Losses) -> Option<Block<'a>> {
    match kind(part).as_deref() {
        Some("output_text" | "text") => {
            let text = string(part, "text");
            let citations: Vec<_> = cited(part, losses).collect();
            if member(part, "logprobs").is_some_and(|all| all.items().next().is_some()) {
                losses.dropped("content.logprobs");
            }
            (!text.is_empty() || !citations.is_empty()).then_some(Block::Text {
                text,
                cache: None,
                citations,
            })
        }
        Some("refusal") => {
            let text = string(part, "refusal");
            (!text.is_empty()).then_some(Block::Refusal { text })
        }
        _ => {
            losses.dropped("content.other");
            None
        }
    }
}

/// The sources of a part of a text; those that lie at the provider are lost.
fn cited<'l, 'a: 'l>(
    part: Value<'a>,
    losses: &'l mut Losses,
) -> impl Iterator<Item = Citation<'a>> + 'l {
    let annotations = member(part, "annotations").into_iter();
    annotations
        .flat_map(Value::items)
        .filter_map(|annotation| cite(annotation, losses))
}

fn cite<'a>(annotation: Value<'a>, losses: &mut Losses) -> Option<Citation<'a>> {
    let read = citation(annotation);
    if read.is_none() {
        losses.dropped("content.citations");
    }
    read
}

/// The parts of a thought, each where it is told: its summary, its own words, or both.
fn thought(item: Value<'_>) -> impl Iterator<Item = ((What, u64), Str<'_>)> {
    [What::Summary, What::Content]
        .into_iter()
        .flat_map(move |what| {
            let parts = member(item, what.as_str()).into_iter();
            let texts = parts.flat_map(Value::items).zip(0..);
            texts.map(move |(part, index)| ((what, index), string(part, "text")))
        })
}

/// Where a thought's words stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Summary,
    Content,
}

impl What {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Content => "content",
        }
    }
}

/// Each part is a thought of the same name; the proof stands with the last.
fn thoughts<'a>(item: Value<'a>, blocks: &mut Vec<Block<'a>>) {
    let id = Some(string(item, "id")).filter(|id| !id.is_empty());
    let before = blocks.len();
    for (_, text) in thought(item).filter(|(_, text)| !text.is_empty()) {
        blocks.push(Block::Thinking {
            id: id.clone(),
            text,
            signature: None,
        });
    }
    let Some(signed) = signed(item) else {
        return;
    };
    match blocks.get_mut(before..).and_then(<[_]>::last_mut) {
        Some(Block::Thinking { signature, .. }) => *signature = Some(signed),
        _ => blocks.push(Block::Redacted { id, data: signed }),
    }
}

fn signed(item: Value<'_>) -> Option<Signature<'_>> {
    let data = member(item, "encrypted_content").and_then(Value::text)?;
    let maker = Maker::OpenAi;
    (!data.is_empty()).then_some(Signature { maker, data })
}

/// What a call says of itself.
struct Called<'a> {
    id: Option<Str<'a>>,
    name: Str<'a>,
    input: Str<'a>,
    custom: bool,
}

impl<'a> Called<'a> {
    fn read(item: Value<'a>) -> Self {
        let custom = kind(item).is_some_and(|kind| kind == "custom_tool_call");
        let says = |key| Some(string(item, key)).filter(|said| !said.is_empty());
        let input = string(item, if custom { "input" } else { "arguments" });
        Self {
            // The item's own name is another one, but better than none.
            id: says("call_id").or_else(|| says("id")),
            name: string(item, "name"),
            input: if input.is_empty() && !custom {
                "{}".into()
            } else {
                input
            },
            custom,
        }
    }
}

/// The name under which an item is reported that no client of another API can use: what the provider ran itself, and what is new.
fn lost(kind: Option<&str>) -> &'static str {
    match kind {
        Some("image_generation_call") => "content.image",
        Some("compaction") => "content.compaction",
        Some("mcp_list_tools" | "mcp_approval_request") => "content.server_tool_use",
        Some(kind) if kind.ends_with("_output") => "content.server_tool_result",
        Some(kind) if kind.ends_with("_call") => "content.server_tool_use",
        _ => "content.other",
    }
}
