//! Reading answers.

mod events;

use std::borrow::Cow;

use bartizan_core::json::Value;
use bartizan_core::{Document, Finish, Refusal, RefusalKind};

pub(crate) use self::events::Events;
use crate::losses::Losses;
use crate::names::{HIDDEN_TOOL, ToolNames, minted_answer_id};
use crate::neutral::{Answer, Block, Citation, Maker, Signature, Str};
use crate::read::member;

/// What of the request an answer is read by.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(super) names: ToolNames,
    pub(super) hidden_tool: bool,
    /// Who can read the signatures.
    pub(super) maker: Maker,
    /// The model: no answer names it.
    pub(super) model: String,
    /// What AWS calls the request: no answer has an id of its own.
    pub(super) request_id: String,
}

/// Every member of a foreign answer is optional.
fn decode<'a>(document: &'a Document, setup: &Setup) -> Answer<'a> {
    let root = document.json().root();
    let id = if setup.request_id.is_empty() {
        minted_answer_id(&[root.raw()])
    } else {
        setup.request_id.clone()
    };
    let mut answer = Answer {
        id: id.into(),
        model: setup.model.clone().into(),
        usage: document.facts().usage.unwrap_or_default(),
        ..Answer::default()
    };
    let message = member(root, "output").and_then(|output| member(output, "message"));
    let content = message.and_then(|message| member(message, "content"));
    for block in content.into_iter().flat_map(Value::items) {
        decode_block(block, setup, &mut answer);
    }
    if member(root, "trace").is_some() {
        answer.losses.dropped("trace");
    }
    if member(root, "additionalModelResponseFields").is_some() {
        answer.losses.dropped("additionalModelResponseFields");
    }
    let reason = member(root, "stopReason").and_then(Value::text);
    answer.failed = reason.as_deref().and_then(malformed);
    let calls = |block: &Block<'_>| matches!(block, Block::ToolUse { .. });
    let calls = answer.blocks.iter().any(calls);
    answer.finish = finish(
        document.facts().finish,
        calls,
        setup.hidden_tool,
        &mut answer.losses,
    );
    answer
}

fn decode_block<'a>(block: Value<'a>, setup: &Setup, answer: &mut Answer<'a>) {
    let Some((kind, inside)) = block.members().next() else {
        return;
    };
    let has = |key: &str| member(inside, key);
    match kind.text().as_deref() {
        Some("text") => {
            let text = inside.text().unwrap_or_default();
            answer.blocks.push(Block::text(text));
        }
        Some("toolUse") if !is_servers(inside) => {
            let input = has("input").map_or("{}", Value::raw);
            let name = setup.names.here(string(inside, "name"));
            answer
                .blocks
                .push(if setup.hidden_tool && name == HIDDEN_TOOL {
                    Block::text(input.into())
                } else {
                    Block::ToolUse {
                        id: string(inside, "toolUseId"),
                        name: Cow::Owned(name.into_owned()),
                        input: input.into(),
                        custom: false,
                        cache: None,
                        signature: None,
                    }
                });
        }
        Some("reasoningContent") => {
            if let Some(said) = has("reasoningText") {
                let signed = Some(string(said, "signature")).filter(|signed| !signed.is_empty());
                answer.blocks.push(Block::Thinking {
                    id: None,
                    text: string(said, "text"),
                    signature: signed.map(|data| setup.signature(data)),
                });
            }
            if has("redactedContent").is_some() {
                answer.blocks.push(Block::Redacted {
                    id: None,
                    data: setup.signature(string(inside, "redactedContent")),
                });
            }
        }
        Some("citationsContent") => {
            let cited = has("citations").into_iter().flat_map(Value::items);
            let cited = cited.filter_map(|cited| citation(cited, &mut answer.losses));
            let citations = cited.collect();
            let mut text = String::new();
            for piece in has("content").into_iter().flat_map(Value::items) {
                text.push_str(&string(piece, "text"));
            }
            answer.blocks.push(Block::Text {
                text: text.into(),
                cache: None,
                citations,
            });
        }
        kind => answer.losses.dropped(lost(kind)),
    }
}

impl Setup {
    fn signature<'a>(&self, data: Str<'a>) -> Signature<'a> {
        Signature {
            maker: self.maker,
            data,
        }
    }
}

/// A source on the web; places in the caller's own documents have no word elsewhere.
fn citation<'a>(from: Value<'a>, losses: &mut Losses) -> Option<Citation<'a>> {
    let web = member(from, "location").and_then(|location| member(location, "web"));
    let url = web.map(|web| string(web, "url")).unwrap_or_default();
    if url.is_empty() {
        losses.dropped("content.citations");
        return None;
    }
    let content = member(from, "sourceContent");
    let quote = content
        .and_then(|content| content.items().next())
        .map(|first| string(first, "text"));
    let says = |text: &Str<'a>| !text.is_empty();
    Some(Citation {
        url,
        title: Some(string(from, "title")).filter(says),
        quote: quote.filter(says),
        range: None,
    })
}

/// Whether a call is one that the provider makes and answers itself.
fn is_servers(call: Value<'_>) -> bool {
    member(call, "type").is_some_and(|kind| kind.is("server_tool_use"))
}

/// The name under which a block that no client of another API can use is reported.
fn lost(kind: Option<&str>) -> &'static str {
    match kind {
        Some("toolUse") => "content.server_tool_use",
        Some("toolResult") => "content.server_tool_result",
        Some("image") => "content.image",
        _ => "content.other",
    }
}

/// The model has called a tool, or answered, in no way that can be read.
fn malformed(reason: &str) -> Option<Refusal> {
    let says = match reason {
        "malformed_tool_use" => "the model called a tool in a way that can't be read",
        "malformed_model_output" => "the model answered in a way that can't be read",
        _ => return None,
    };
    let refusal = Refusal::new(RefusalKind::Upstream, "upstream_malformed", says);
    // Another try may go otherwise.
    Some(refusal.retry_as_usual())
}

/// A call of the hidden tool is an answer: the caller has nothing to run.
fn finish(
    finish: Option<Finish>,
    calls: bool,
    hidden_tool: bool,
    losses: &mut Losses,
) -> Option<Finish> {
    if finish == Some(Finish::Other) {
        losses.dropped("stopReason");
    }
    finish.map(|finish| match finish {
        Finish::ToolCalls if hidden_tool && !calls => Finish::Stop,
        finish => finish,
    })
}

fn string<'a>(from: Value<'a>, key: &str) -> Str<'a> {
    member(from, key).and_then(Value::text).unwrap_or_default()
}
