//! Reading answers.

mod events;
mod grounding;
mod parts;
mod usage;

use bartizan_core::json::Value;
use bartizan_core::{Document, Finish, Refusal, RefusalKind};

pub(super) use self::events::Events;
use self::grounding::Told;
use self::parts::Part;
use crate::losses::Losses;
use crate::names::{ToolNames, minted_id};
use crate::neutral::{Answer, Block, Str};
use crate::read::member;

/// Every member of a foreign answer is optional.
fn decode<'a>(document: &'a Document, names: &ToolNames) -> Answer<'a> {
    let root = document.json().root();
    let mut answer = Answer {
        id: string(root, "responseId"),
        model: string(root, "modelVersion"),
        usage: usage::read(root, usage::Counts::default()).settle(),
        ..Answer::default()
    };
    let candidate = candidate(root, &mut answer.losses);
    let mut told = Told::default();
    let mut calls = 0;
    let parts = candidate
        .and_then(|candidate| member(candidate, "content"))
        .and_then(|content| member(content, "parts"));
    for part in parts.into_iter().flat_map(Value::items) {
        let part = Part::read(part, &mut answer.losses);
        told.push(match &part {
            Some(Part::Text { text, .. }) => text,
            _ => "",
        });
        let Some(part) = part else {
            continue;
        };
        match part {
            Part::Text { text, signature } => {
                if let Some(data) = signature {
                    answer.blocks.push(Block::Redacted { id: None, data });
                }
                if !text.is_empty() {
                    answer.blocks.push(Block::text(text));
                }
            }
            Part::Thought { text, signature } => answer.blocks.push(Block::Thinking {
                id: None,
                text,
                signature,
            }),
            Part::Call {
                id,
                name,
                args,
                signature,
            } => {
                answer.blocks.push(Block::ToolUse {
                    id: id.unwrap_or_else(|| minted_id(&answer.id, calls).into()),
                    name: names.here(name).into_owned().into(),
                    input: args,
                    custom: false,
                    cache: None,
                    signature,
                });
                calls += 1;
            }
        }
    }
    if let Some(candidate) = candidate {
        cite(candidate, &told, &mut answer);
    }
    let end = End::read(root, candidate, &mut answer.losses);
    answer
        .blocks
        .extend(end.says.map(|text| Block::Refusal { text }));
    answer.finish = end.finish.map(|finish| called(finish, calls > 0));
    answer.failed = end.failed;
    answer
}

/// Citations belong to the last text; where in the whole of it they do, they say themselves.
fn cite<'a>(candidate: Value<'a>, told: &Told, answer: &mut Answer<'a>) {
    let cited = grounding::read(candidate, told, &mut answer.losses);
    let texts = answer.blocks.iter_mut().rev();
    let text = texts.filter_map(|block| match block {
        Block::Text { citations, .. } => Some(citations),
        _ => None,
    });
    match text.into_iter().next() {
        Some(citations) => citations.extend(cited),
        None if !cited.is_empty() => answer.losses.dropped("content.citations"),
        None => {}
    }
}

/// The answer: one is asked for.
fn candidate<'a>(root: Value<'a>, losses: &mut Losses) -> Option<Value<'a>> {
    let mut candidates = member(root, "candidates")?.items();
    let first = candidates.next();
    if candidates.next().is_some() {
        losses.dropped("candidates");
    }
    first
}

/// What ends an answer.
struct End<'a> {
    finish: Option<Finish>,
    /// Why it was filtered, in the provider's words.
    says: Option<Str<'a>>,
    failed: Option<Refusal>,
}

impl<'a> End<'a> {
    fn read(root: Value<'a>, candidate: Option<Value<'a>>, losses: &mut Losses) -> Self {
        let feedback = member(root, "promptFeedback");
        if let Some(feedback) = feedback.filter(|said| says(*said, "blockReason").is_some()) {
            return Self {
                finish: Some(Finish::ContentFilter),
                says: says(feedback, "blockReasonMessage"),
                failed: None,
            };
        }
        let reason = candidate.and_then(|candidate| says(candidate, "finishReason"));
        let finish = reason.as_deref().and_then(finish);
        if finish == Some(Finish::Other) {
            losses.dropped("finishReason");
        }
        let message = candidate.and_then(|candidate| says(candidate, "finishMessage"));
        Self {
            finish,
            says: message.filter(|_| finish == Some(Finish::ContentFilter)),
            failed: reason.as_deref().is_some_and(is_failure).then(failed),
        }
    }
}

fn finish(reason: &str) -> Option<Finish> {
    Some(match reason {
        "FINISH_REASON_UNSPECIFIED" => return None,
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Finish::ContentFilter,
        _ => Finish::Other,
    })
}

/// The model meant to call a function, or to say something, and did so in no way that can be read: nothing was answered.
fn is_failure(reason: &str) -> bool {
    matches!(
        reason,
        "MALFORMED_FUNCTION_CALL"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "MISSING_THOUGHT_SIGNATURE"
            | "MALFORMED_RESPONSE"
    )
}

fn failed() -> Refusal {
    Refusal::new(
        RefusalKind::Upstream,
        "upstream_malformed_call",
        "the provider's model called a function in no way that can be read: ask again",
    )
}

/// The API says `STOP` where the model waits for its functions' results.
fn called(finish: Finish, calls: bool) -> Finish {
    match finish {
        Finish::Stop if calls => Finish::ToolCalls,
        finish => finish,
    }
}

fn says<'a>(from: Value<'a>, key: &str) -> Option<Str<'a>> {
    member(from, key)
        .and_then(Value::text)
        .filter(|text| !text.is_empty())
}

fn string<'a>(from: Value<'a>, key: &str) -> Str<'a> {
    says(from, key).unwrap_or_default()
}
