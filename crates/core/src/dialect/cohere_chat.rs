//! Cohere chat, version 2.

use super::cohere::{fails, model_usage};
use super::facts::{Closes, Facts, Finish};
use super::openai::{max_output_tokens, model, stream};
use super::openai_chat::{FUNCTION_CALL, TOOL};
use super::shape::Rule::{
    Any, Blind, By, Content, ContentBy, Each, Fact, FactBy, FactIn, In, JsonPiece, Leaves, Media,
    Piece, Skip, Text,
};
use super::shape::{Fields, Object, Shape};
use super::text::TextRole::{
    Assistant, FileName, Other, Reasoning, ToolArguments, ToolDefinition, ToolResult,
};
use crate::json::Value;

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("messages", Each(&MESSAGE)),
    ("stream", Fact(stream)),
    ("max_tokens", Fact(max_output_tokens)),
    ("tools", Each(&TOOL)),
    ("strict_tools", Skip),
    ("tool_choice", Skip),
    ("documents", ContentBy(ToolResult, &SOURCE)),
    ("citation_options", Skip),
    ("response_format", Leaves(ToolDefinition)),
    ("stop_sequences", Leaves(Other)),
    ("thinking", Skip),
    ("safety_mode", Skip),
    ("temperature", Skip),
    ("seed", Skip),
    ("frequency_penalty", Skip),
    ("presence_penalty", Skip),
    ("k", Skip),
    ("p", Skip),
    ("logprobs", Skip),
    ("priority", Skip),
    ("raw_prompting", Skip),
]));

static MESSAGE: Shape = Shape::Object(Object::new(MESSAGE_FIELDS).by_role());
static ANSWER: Shape = Shape::Object(Object::new(MESSAGE_FIELDS).by(Assistant));
static MESSAGE_FIELDS: Fields = &[
    ("role", Skip),
    ("content", Content(&PART)),
    // What the model means to do with its tools: said before the calls, and not to the user.
    ("tool_plan", By(Reasoning)),
    ("tool_calls", Each(&CALL)),
    ("tool_call_id", Skip),
    ("citations", Leaves(Other)),
];

static PART: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("text", &TEXT),
        ("image_url", &IMAGE),
        ("thinking", &THINKING),
        ("document", &DOCUMENT),
    ],
    untagged: None,
};
/// The API has put thoughts into parts that call themselves texts.
static TEXT: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("text", Text),
    ("thinking", By(Reasoning)),
]));
static IMAGE: Shape = Shape::Object(Object::new(&[("type", Skip), ("image_url", In(&URL))]));
static URL: Shape = Shape::Object(Object::new(&[("url", Media), ("detail", Skip)]));
static THINKING: Shape = Shape::Object(Object::new(&[("type", Skip), ("thinking", By(Reasoning))]));
static DOCUMENT: Shape = Shape::Object(Object::new(&[("type", Skip), ("document", In(&SOURCE))]));
/// Found by the application, for the model to lean on: content that nobody in the conversation wrote.
static SOURCE: Shape =
    Shape::Object(Object::new(&[("id", By(FileName)), ("data", Any(ToolResult))]).by(ToolResult));

static CALL: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("type", Skip),
    ("function", In(&FUNCTION_CALL)),
]));

pub(super) static REPLY: Shape = Shape::Object(
    Object::new(&[
        ("id", Skip),
        ("message", FactIn(&ANSWER, fails)),
        ("finish_reason", Fact(finish_reason)),
        ("usage", Fact(model_usage)),
        ("logprobs", Blind),
        ("error_type", Skip),
        ("data", Leaves(Other)),
    ])
    .by(Other),
);

pub(super) static EVENT: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("content-delta", &BLOCK),
        ("content-start", &BLOCK),
        ("content-end", &BLOCK_END),
        ("message-start", &START),
        ("message-end", &END),
        ("tool-plan-delta", &BLOCK),
        ("tool-call-start", &BLOCK),
        ("tool-call-delta", &BLOCK),
        ("tool-call-end", &BLOCK_END),
        ("citation-start", &BLOCK),
        ("citation-end", &BLOCK),
        ("debug", &DEBUG),
    ],
    untagged: Some(&FAILED),
};

static START: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("delta", In(&START_DELTA)),
]));
static START_DELTA: Shape = Shape::Object(Object::new(&[("message", In(&ANSWER))]));

static BLOCK: Shape = Shape::Object(
    Object::new(&[
        ("type", Skip),
        ("index", Skip),
        ("delta", In(&DELTA)),
        ("logprobs", Blind),
    ])
    .part("index"),
);
static BLOCK_END: Shape = Shape::Object(
    Object::new(&[("type", Skip), ("index", Skip)])
        .part("index")
        .also(|facts, place, _| {
            facts.closes = Closes::Part(place.group, place.part);
        }),
);
static END: Shape = Shape::Object(
    Object::new(&[("type", Skip), ("id", Skip), ("delta", In(&END_DELTA))]).also(|facts, _, _| {
        facts.terminal = true;
        facts.closes = Closes::All;
    }),
);
static END_DELTA: Shape = Shape::Object(Object::new(&[
    ("finish_reason", Fact(finish_reason)),
    ("usage", Fact(model_usage)),
    ("error", FactBy(Other, super::openai::error)),
]));
static DEBUG: Shape = Shape::Object(Object::new(&[("type", Skip), ("prompt", By(Other))]));
/// An error in the place of an event.
static FAILED: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("message", FactBy(Other, fails)),
    ("error_type", Skip),
]));

static DELTA: Shape = Shape::Object(Object::new(&[("message", In(&DELTA_MESSAGE))]));
static DELTA_MESSAGE: Shape = Shape::Object(Object::new(&[
    ("role", Skip),
    ("content", In(&DELTA_CONTENT)),
    ("tool_plan", Piece(Reasoning)),
    ("tool_calls", In(&DELTA_CALL)),
    ("citations", Leaves(Other)),
]));
static DELTA_CONTENT: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("text", Piece(Assistant)),
    ("thinking", Piece(Reasoning)),
]));
static DELTA_CALL: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("type", Skip),
    ("function", In(&DELTA_FUNCTION)),
]));
static DELTA_FUNCTION: Shape = Shape::Object(Object::new(&[
    ("name", Skip),
    ("arguments", JsonPiece(ToolArguments)),
]));

fn finish_reason(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.finish = value.text().map(|reason| match reason.as_ref() {
        "COMPLETE" | "STOP_SEQUENCE" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "TOOL_CALL" => Finish::ToolCalls,
        "ERROR_TOXIC" => Finish::ContentFilter,
        _ => Finish::Other,
    });
    true
}
