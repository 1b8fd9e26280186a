//! Reading answers.

mod events;

use bartizan_core::json::{Json, Kind, Value};
use bartizan_core::{Document, Finish, Refusal, RefusalKind};

pub(super) use self::events::Events;
use crate::losses::Losses;
use crate::names::{HIDDEN_TOOL, ToolNames, minted_id};
use crate::neutral::{Answer, Block, Citation, Str};
use crate::read::member;

/// What of a request its answer is read by.
#[derive(Debug, Default)]
struct Setup {
    names: ToolNames,
    hidden_tool: bool,
    /// What was asked: answers don't say it.
    model: String,
}

/// Every member of a foreign answer is optional.
fn decode<'a>(document: &'a Document, setup: &Setup) -> Answer<'a> {
    let root = document.json().root();
    let mut answer = Answer {
        id: string(root, "id"),
        model: setup.model.clone().into(),
        usage: document.facts().usage.unwrap_or_default(),
        ..Answer::default()
    };
    if member(root, "logprobs").is_some_and(is_something) {
        answer.losses.dropped("logprobs");
    }
    if let Some(message) = member(root, "message") {
        content(message, &mut answer);
        calls(message, setup, &mut answer);
    }
    let called = answer
        .blocks
        .iter()
        .any(|block| matches!(block, Block::ToolUse { .. }));
    if let Some(finish) = document.facts().finish {
        let reason = string(root, "finish_reason");
        answer.failed = failure(&reason);
        if answer.failed.is_none() && finish == Finish::Other {
            answer.losses.dropped("finish_reason");
        }
        answer.finish = Some(settled(finish, called, setup.hidden_tool));
    }
    answer
}

fn content<'a>(message: Value<'a>, answer: &mut Answer<'a>) {
    let parts = member(message, "content");
    // Where each part's text begins in the whole.
    let mut places = Places::default();
    if let Some(text) = parts.and_then(Value::text) {
        places.push(Some(&text));
        answer.blocks.push(Block::text(text));
    }
    for part in parts.into_iter().flat_map(Value::items) {
        match member(part, "type").and_then(Value::text).as_deref() {
            Some("text") => {
                let text = string(part, "text");
                places.push(Some(&text));
                answer.blocks.push(Block::text(text));
            }
            Some("thinking") => {
                places.push(None);
                answer.blocks.push(thought(string(part, "thinking")));
            }
            _ => {
                places.push(None);
                answer.losses.dropped("message.content");
            }
        }
    }
    let cited = member(message, "citations");
    for cited in cited.into_iter().flat_map(Value::items) {
        let (at, found) = citations(cited, &places, &mut answer.losses);
        let mut texts = answer.blocks.iter_mut().filter_map(|block| match block {
            Block::Text { citations, .. } => Some(citations),
            _ => None,
        });
        match texts.nth(at) {
            Some(citations) => citations.extend(found),
            None if found.is_empty() => {}
            None => answer.losses.dropped("message.citations"),
        }
    }
    let plan = string(message, "tool_plan");
    if !plan.is_empty() {
        answer.blocks.push(thought(plan));
    }
}

fn thought(text: Str<'_>) -> Block<'_> {
    Block::Thinking {
        id: None,
        text,
        signature: None,
    }
}

/// How the parts of the content lie in the text of the whole answer.
#[derive(Debug, Default)]
struct Places {
    /// For each part, which text it is and where it begins, in characters; `None` where it is no text.
    parts: Vec<Option<(usize, u64)>>,
    texts: usize,
    length: u64,
}

impl Places {
    fn push(&mut self, text: Option<&str>) {
        let place = text.map(|text| {
            let place = (self.texts, self.length);
            self.texts += 1;
            self.length = self.length.saturating_add(characters(text));
            place
        });
        self.parts.push(place);
    }

    /// The text that a citation belongs to: the first, where it does not say.
    fn of(&self, index: Option<u64>) -> Option<(usize, u64)> {
        match index {
            Some(index) => *self.parts.get(usize::try_from(index).ok()?)?,
            None => self.parts.iter().flatten().next().copied(),
        }
    }
}

fn characters(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}

/// The sources on the web that a passage of which text stands on. What points into the caller's own documents has no word elsewhere.
fn citations<'a>(
    cited: Value<'a>,
    places: &Places,
    losses: &mut Losses,
) -> (usize, Vec<Citation<'a>>) {
    let number = |key| member(cited, key).and_then(Value::as_u64);
    let of_text = member(cited, "type").is_none_or(|kind| kind.is("TEXT_CONTENT"));
    let Some((at, begins)) = places.of(number("content_index")).filter(|_| of_text) else {
        losses.dropped("message.citations");
        return (0, Vec::new());
    };
    let range = match (number("start"), number("end")) {
        (Some(start), Some(end)) => {
            Some((start.saturating_add(begins), end.saturating_add(begins)))
        }
        _ => None,
    };
    let mut found = Vec::new();
    for source in member(cited, "sources").into_iter().flat_map(Value::items) {
        let said = member(source, "document").or_else(|| member(source, "tool_output"));
        let says = |key: &str| {
            let text = said.map(|said| string(said, key)).unwrap_or_default();
            Some(text).filter(|text| !text.is_empty())
        };
        match says("url").filter(|url| url.starts_with("http")) {
            Some(url) => found.push(Citation {
                url,
                title: says("title"),
                quote: None,
                range,
            }),
            None => losses.dropped("message.citations"),
        }
    }
    (at, found)
}

fn calls<'a>(message: Value<'a>, setup: &Setup, answer: &mut Answer<'a>) {
    let listed = member(message, "tool_calls");
    let mut number = 0;
    for call in listed.into_iter().flat_map(Value::items) {
        let function = member(call, "function").unwrap_or(call);
        let name = setup.names.here(string(function, "name"));
        // A call that nobody can read can't be run: it was cut, or is no JSON.
        let Some(input) = object(function).filter(|_| !name.is_empty()) else {
            answer.losses.dropped("message.tool_calls");
            continue;
        };
        if setup.hidden_tool && name == HIDDEN_TOOL {
            answer.blocks.push(Block::text(input));
            continue;
        }
        let id = string(call, "id");
        answer.blocks.push(Block::ToolUse {
            id: if id.is_empty() {
                minted_id(&answer.id, number).into()
            } else {
                id
            },
            name,
            input,
            custom: false,
            cache: None,
            signature: None,
        });
        number += 1;
    }
}

/// The text of one JSON object. Empty stands for nothing.
fn object(function: Value<'_>) -> Option<Str<'_>> {
    let text = string(function, "arguments");
    if text.trim().is_empty() {
        return Some("{}".into());
    }
    let whole = Json::read(text.as_ref()).is_ok_and(|json| json.root().kind() == Kind::Object);
    whole.then_some(text)
}

/// What says that the provider failed is no answer.
fn failure(reason: &str) -> Option<Refusal> {
    match reason {
        "ERROR" => Some(Refusal::new(
            RefusalKind::Upstream,
            "upstream_error",
            "the provider failed while it answered",
        )),
        "TIMEOUT" => Some(Refusal::new(
            RefusalKind::UpstreamTimeout,
            "upstream_timeout",
            "the provider took too long to answer",
        )),
        _ => None,
    }
}

/// A call of the hidden tool is an answer: the caller has nothing to run.
fn settled(finish: Finish, called: bool, hidden_tool: bool) -> Finish {
    match finish {
        Finish::Stop if called => Finish::ToolCalls,
        Finish::ToolCalls if hidden_tool && !called => Finish::Stop,
        finish => finish,
    }
}

fn string<'a>(from: Value<'a>, key: &str) -> Str<'a> {
    member(from, key).and_then(Value::text).unwrap_or_default()
}

/// Whether there is more to it than an empty list.
fn is_something(value: Value<'_>) -> bool {
    !crate::neutral::is_empty(value)
}
