//! Reading answers.

mod calls;
mod events;
mod parts;

use bartizan_core::json::{Json, Kind, Value};
use bartizan_core::{Document, Finish};

pub(super) use self::events::Events;
use super::{HIDDEN_TOOL, words};
use crate::names::{ToolNames, minted_id};
use crate::neutral::{Answer, Block, Str};
use crate::read::member;

/// What of a request its answer is read by.
#[derive(Debug, Default)]
pub(super) struct Setup {
    pub(super) names: ToolNames,
    /// Whether the answer comes as a call of the hidden tool.
    pub(super) hidden_tool: bool,
    /// Whether a stream that has said why it finished ends without a word.
    pub(super) ends_unsaid: bool,
}

impl Setup {
    fn is_hidden(&self, name: &str) -> bool {
        self.hidden_tool && name == HIDDEN_TOOL
    }
}

/// Every member of a foreign answer is optional.
fn decode<'a>(document: &'a Document, setup: &Setup) -> Answer<'a> {
    let root = document.json().root();
    let mut answer = Answer {
        id: string(root, "id"),
        model: string(root, "model"),
        usage: document.facts().usage.unwrap_or_default(),
        ..Answer::default()
    };
    let mut choices = member(root, "choices").into_iter().flat_map(Value::items);
    let choice = choices.next();
    if choices.next().is_some() {
        answer.losses.dropped("choices");
    }
    let Some(choice) = choice else {
        return answer;
    };
    if let Some(message) = member(choice, "message") {
        parts::thoughts(message, &mut answer.losses, |block| {
            answer.blocks.push(block)
        });
        let content = member(message, "content");
        parts::content(content, &mut answer.losses, |block| {
            answer.blocks.push(block)
        });
        if let Some(text) = text(message, "refusal") {
            answer.blocks.push(Block::Refusal { text });
        }
        for (name, loss) in parts::LOST {
            if member(message, name).is_some_and(is_something) {
                answer.losses.dropped(loss);
            }
        }
        cite(root, message, &mut answer);
        calls(message, setup, &mut answer);
    }
    if member(choice, "logprobs").is_some() {
        answer.losses.dropped("choices.logprobs");
    }
    let called = answer
        .blocks
        .iter()
        .any(|block| matches!(block, Block::ToolUse { .. }));
    if let Some(reason) = text(choice, "finish_reason") {
        if words::is_failure(&reason) {
            answer.failed = Some(words::failed());
        }
        let finish = words::finish(&reason);
        if matches!(finish, None | Some(Finish::Other)) {
            answer.losses.dropped("choices.finish_reason");
        }
        answer.finish = finish.map(|finish| words::settled(finish, called, setup.hidden_tool));
    }
    answer
}

/// What the text stands on belongs to the text, the last where there are several.
fn cite<'a>(root: Value<'a>, message: Value<'a>, answer: &mut Answer<'a>) {
    let found = parts::citations(root, message, &mut answer.losses);
    if found.is_empty() {
        return;
    }
    let texts = answer.blocks.iter_mut().rev();
    let last = texts
        .filter_map(|block| match block {
            Block::Text { citations, .. } => Some(citations),
            _ => None,
        })
        .next();
    match last {
        Some(citations) => citations.extend(found),
        None => answer.losses.dropped("choices.message.annotations"),
    }
}

fn calls<'a>(message: Value<'a>, setup: &Setup, answer: &mut Answer<'a>) {
    let listed = member(message, "tool_calls")
        .into_iter()
        .flat_map(Value::items);
    // As it was called before there could be several.
    let old = member(message, "function_call");
    let all = listed
        .map(|call| (Some(call), member(call, "function"), member(call, "custom")))
        .chain(old.map(|function| (None, Some(function), None)));
    let mut number = 0;
    for (call, function, custom) in all {
        let Some(said) = custom.or(function) else {
            answer.losses.dropped("choices.message.tool_calls");
            continue;
        };
        let name = setup.names.here(string(said, "name"));
        let input = match (custom, member(said, "arguments")) {
            (Some(custom), _) => Some(string(custom, "input")),
            (None, arguments) => object(arguments),
        };
        // A call that nobody can read can't be run: it was cut, or is no JSON.
        let Some(input) = input.filter(|_| !name.is_empty()) else {
            answer.losses.dropped("choices.message.tool_calls");
            continue;
        };
        if setup.is_hidden(&name) {
            answer.blocks.push(Block::text(input));
            continue;
        }
        let id = call.map(|call| string(call, "id")).unwrap_or_default();
        answer.blocks.push(Block::ToolUse {
            id: if id.is_empty() {
                minted_id(&answer.id, number).into()
            } else {
                id
            },
            name,
            input,
            custom: custom.is_some(),
            cache: None,
            signature: call.and_then(parts::of_call),
        });
        number += 1;
    }
}

/// The text of one JSON object; some servers write the object itself. Empty stands for nothing.
fn object(arguments: Option<Value<'_>>) -> Option<Str<'_>> {
    let Some(arguments) = arguments else {
        return Some("{}".into());
    };
    if arguments.kind() == Kind::Object {
        return Some(arguments.raw().into());
    }
    let text = arguments.text()?;
    if text.trim().is_empty() {
        return Some("{}".into());
    }
    let whole = Json::read(text.as_ref()).is_ok_and(|json| json.root().kind() == Kind::Object);
    whole.then_some(text)
}

fn string<'a>(from: Value<'a>, key: &str) -> Str<'a> {
    member(from, key).and_then(Value::text).unwrap_or_default()
}

/// A text that says something.
fn text<'a>(from: Value<'a>, key: &str) -> Option<Str<'a>> {
    member(from, key)
        .and_then(Value::text)
        .filter(|text| !text.is_empty())
}

/// Whether there is more to it than an empty list or string.
fn is_something(value: Value<'_>) -> bool {
    !crate::neutral::is_empty(value) && !value.is("")
}
