//! Ollama's own APIs: chat and embed. A streamed answer is one JSON value a line, each with the shape of an answer.

use super::facts::{Closes, Facts, Finish};
use super::openai::{error, model, stream};
use super::openai_chat::TOOL;
use super::shape::Rule::{
    Any, Blind, Each, Fact, FactBy, In, Leaves, Media, Skip, Text, TextOrPiece, TextOrPieceBy,
};
use super::shape::{Object, Place, Shape};
use super::text::TextRole::{Input, Other, Reasoning, ToolArguments, ToolDefinition};
use crate::Usage;
use crate::json::{Kind, Value};

pub(super) static CHAT: Shape = Shape::Object(
    Object::new(&[
        ("model", Fact(model)),
        ("messages", Each(&MESSAGE)),
        ("stream", Fact(stream)),
        ("tools", Each(&TOOL)),
        ("format", Leaves(ToolDefinition)),
        ("options", In(&OPTIONS)),
        ("think", Skip),
        ("keep_alive", Skip),
        ("logprobs", Skip),
        ("top_logprobs", Skip),
    ])
    .also(streams_unless_told),
);

static OPTIONS: Shape = Shape::Object(Object::new(&[
    ("num_predict", Fact(num_predict)),
    ("num_ctx", Skip),
    ("stop", Leaves(Other)),
    ("temperature", Skip),
    ("seed", Skip),
    ("top_k", Skip),
    ("top_p", Skip),
    ("min_p", Skip),
]));

static MESSAGE: Shape = Shape::Object(
    Object::new(&[
        ("role", Skip),
        ("content", TextOrPiece),
        ("thinking", TextOrPieceBy(Reasoning)),
        ("images", Media),
        ("tool_calls", Each(&CALL)),
        ("tool_name", Skip),
        ("tool_call_id", Skip),
    ])
    .by_role(),
);
static CALL: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("type", Skip),
    ("function", In(&FUNCTION)),
]));
static FUNCTION: Shape = Shape::Object(Object::new(&[
    ("index", Skip),
    ("name", Skip),
    ("description", Text),
    ("arguments", Any(ToolArguments)),
]));

pub(super) static ANSWER: Shape = Shape::Object(
    Object::new(&[
        ("model", Fact(model)),
        ("remote_model", Skip),
        ("remote_host", Skip),
        ("created_at", Skip),
        ("message", In(&MESSAGE)),
        ("done", Skip),
        ("done_reason", Fact(done_reason)),
        ("total_duration", Skip),
        ("load_duration", Skip),
        ("prompt_eval_count", Skip),
        ("prompt_eval_duration", Skip),
        ("eval_count", Skip),
        ("eval_duration", Skip),
        ("logprobs", Blind),
        ("error", FactBy(Other, error)),
        ("status", Skip),
    ])
    .also(ends),
);

pub(super) static EMBED: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("input", Leaves(Input)),
    ("truncate", Skip),
    ("dimensions", Skip),
    ("keep_alive", Skip),
    ("options", In(&OPTIONS)),
]));

pub(super) static EMBEDDED: Shape = Shape::Object(
    Object::new(&[
        ("model", Fact(model)),
        ("embeddings", Skip),
        ("total_duration", Skip),
        ("load_duration", Skip),
        ("prompt_eval_count", Skip),
        ("error", FactBy(Other, error)),
        ("status", Skip),
    ])
    .also(|facts, _, answer| usage(facts, answer)),
);

/// An answer is streamed unless the request says no.
fn streams_unless_told(facts: &mut Facts, _: Place, request: Value<'_>) {
    facts.stream |= request
        .get("stream")
        .is_none_or(|stream| stream.kind() == Kind::Null);
}

/// Negative: without end, or as the context allows.
fn num_predict(facts: &mut Facts, value: Value<'_>) -> bool {
    if value.kind() == Kind::Number && value.raw().starts_with('-') {
        return true;
    }
    super::openai::max_output_tokens(facts, value)
}

fn done_reason(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.finish = value.text().map(|reason| match reason.as_ref() {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        _ => Finish::Other,
    });
    true
}

fn ends(facts: &mut Facts, _: Place, answer: Value<'_>) {
    usage(facts, answer);
    // The reason is `stop` where the model waits for its tools too.
    let calls = answer
        .get("message")
        .and_then(|message| message.get("tool_calls"))
        .is_some_and(|calls| calls.items().next().is_some());
    if calls && facts.finish == Some(Finish::Stop) {
        facts.finish = Some(Finish::ToolCalls);
    }
    facts.terminal = answer.get("done").and_then(Value::as_bool) == Some(true);
    if facts.terminal || facts.error {
        facts.closes = Closes::All;
    }
}

fn usage(facts: &mut Facts, answer: Value<'_>) {
    let number = |name: &str| answer.get(name).and_then(Value::as_u64);
    let (input, output) = (number("prompt_eval_count"), number("eval_count"));
    if input.or(output).is_some() {
        facts.usage = Some(Usage {
            input: input.unwrap_or(0),
            output: output.unwrap_or(0),
            ..Usage::default()
        });
    }
}
