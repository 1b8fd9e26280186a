//! OpenAI chat completions, with the members that compatible servers add.

use super::facts::Closes;
use super::openai::{
    ERROR, STREAM_OPTIONS, choices, end_user, error, finish_reason, max_output_tokens, model,
    stream, usage,
};
use super::shape::Rule::{
    Any, Blind, By, Content, Each, Fact, FactBy, FactIn, In, JsonPiece, JsonText, Leaves, Media,
    Piece, PieceOrEach, Skip, Text,
};
use super::shape::{Object, Shape};
use super::text::TextRole::{
    Assistant, EndUser, FileName, Metadata, Other, Reasoning, Refusal, ToolArguments,
    ToolDefinition,
};
use crate::json::Kind;

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("messages", Each(&MESSAGE)),
    ("stream", Fact(stream)),
    ("stream_options", In(&STREAM_OPTIONS)),
    ("max_tokens", Fact(max_output_tokens)),
    ("max_completion_tokens", Fact(max_output_tokens)),
    ("n", Fact(choices)),
    ("tools", Each(&TOOL)),
    ("tool_choice", Skip),
    ("functions", Each(&FUNCTION)),
    ("function_call", Skip),
    ("user", FactBy(EndUser, end_user)),
    ("safety_identifier", By(EndUser)),
    ("prompt_cache_key", By(EndUser)),
    ("metadata", Any(Metadata)),
    ("response_format", Leaves(ToolDefinition)),
    ("prediction", In(&PREDICTION)),
    ("stop", Leaves(Other)),
    ("web_search_options", Leaves(Other)),
    ("temperature", Skip),
    ("top_p", Skip),
    ("top_logprobs", Skip),
    ("logprobs", Skip),
    ("logit_bias", Skip),
    ("frequency_penalty", Skip),
    ("presence_penalty", Skip),
    ("seed", Skip),
    ("reasoning_effort", Skip),
    ("verbosity", Skip),
    ("service_tier", Skip),
    ("store", Skip),
    ("parallel_tool_calls", Skip),
    ("modalities", Skip),
    ("audio", Skip),
]));

static MESSAGE: Shape = Shape::Object(
    Object::new(&[
        ("role", Skip),
        ("content", Content(&PART)),
        ("name", By(EndUser)),
        ("tool_calls", Each(&TOOL_CALL)),
        ("tool_call_id", Skip),
        ("function_call", In(&FUNCTION_CALL)),
        ("refusal", By(Refusal)),
        ("reasoning_content", By(Reasoning)),
        ("reasoning", By(Reasoning)),
        ("reasoning_details", Each(&REASONING_DETAIL)),
        ("annotations", Leaves(Other)),
        ("audio", In(&AUDIO)),
        ("images", Media),
        ("cache_control", Skip),
    ])
    .by_role(),
);

static PART: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("text", &TEXT_PART),
        ("image_url", &IMAGE_PART),
        ("refusal", &REFUSAL_PART),
        ("input_audio", &AUDIO_PART),
        ("file", &FILE_PART),
        ("thinking", &THINKING_PART),
        ("reference", &REFERENCE_PART),
        ("document_url", &LINKED_PART),
        ("file_url", &LINKED_PART),
    ],
    untagged: None,
};

static TEXT_PART: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("text", Text),
    ("cache_control", Skip),
]));
static REFUSAL_PART: Shape =
    Shape::Object(Object::new(&[("type", Skip), ("refusal", By(Refusal))]));
static IMAGE_PART: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("image_url", In(&IMAGE_URL)),
    ("cache_control", Skip),
]));
static IMAGE_URL: Shape = Shape::Object(Object::new(&[("url", Media), ("detail", Skip)]));
static AUDIO_PART: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("input_audio", In(&INPUT_AUDIO)),
]));
static INPUT_AUDIO: Shape = Shape::Object(Object::new(&[("data", Media), ("format", Skip)]));
static FILE_PART: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("file", In(&FILE)),
    ("cache_control", Skip),
]));
static FILE: Shape = Shape::Object(Object::new(&[
    ("filename", By(FileName)),
    ("file_data", Media),
    ("file_id", Skip),
]));

/// Mistral's.
static THINKING_PART: Shape = Shape::Object(
    Object::new(&[
        ("type", Skip),
        ("thinking", Content(&PART)),
        ("closed", Skip),
        ("signature", Skip),
    ])
    .by(Reasoning),
);
static REFERENCE_PART: Shape =
    Shape::Object(Object::new(&[("type", Skip), ("reference_ids", Skip)]));
/// Mistral's and Perplexity's links to files, or files in the place of links.
static LINKED_PART: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("document_url", Media),
    ("document_name", By(FileName)),
    ("file_url", Media),
    ("file_name", By(FileName)),
]));

static TOOL_CALL: Shape = Shape::Object(
    Object::new(&[
        ("id", Skip),
        ("type", Skip),
        ("index", Skip),
        ("function", In(&FUNCTION_CALL)),
        ("custom", In(&CUSTOM_CALL)),
        ("extra_content", Skip),
    ])
    .part("index"),
);
pub(super) static FUNCTION_CALL: Shape = Shape::Object(Object::new(&[
    ("name", Skip),
    ("arguments", JsonText(ToolArguments)),
]));
static CUSTOM_CALL: Shape =
    Shape::Object(Object::new(&[("name", Skip), ("input", By(ToolArguments))]));

pub(super) static TOOL: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("function", In(&FUNCTION)),
    ("custom", Leaves(ToolDefinition)),
    ("cache_control", Skip),
]));
static FUNCTION: Shape = Shape::Object(Object::new(&[
    ("name", Skip),
    ("description", By(ToolDefinition)),
    ("parameters", Leaves(ToolDefinition)),
    ("strict", Skip),
]));
static PREDICTION: Shape =
    Shape::Object(Object::new(&[("type", Skip), ("content", Content(&PART))]).by(Assistant));

/// OpenRouter's: texts, summaries, and opaque data that must come back as it went.
static REASONING_DETAIL: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("text", By(Reasoning)),
    ("summary", By(Reasoning)),
    ("data", Skip),
    ("signature", Skip),
    ("id", Skip),
    ("format", Skip),
    ("index", Skip),
]));

static AUDIO: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("data", Media),
    ("transcript", By(Assistant)),
    ("expires_at", Skip),
]));

pub(super) static REPLY: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("object", Skip),
    ("created", Skip),
    ("model", Fact(model)),
    ("choices", Each(&CHOICE)),
    ("usage", Fact(usage)),
    ("service_tier", Skip),
    ("system_fingerprint", Skip),
    ("provider", Skip),
    ("error", FactIn(&ERROR, error)),
]));

static CHOICE: Shape = Shape::Object(
    Object::new(&[
        ("index", Skip),
        ("message", In(&MESSAGE)),
        ("finish_reason", Fact(finish_reason)),
        ("native_finish_reason", Skip),
        ("logprobs", Blind),
        ("content_filter_results", Skip),
    ])
    .group("index"),
);

pub(super) static CHUNK: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("object", Skip),
    ("created", Skip),
    // The first chunk has said it; a copy a chunk would be for nobody.
    ("model", Skip),
    ("choices", Each(&CHUNK_CHOICE)),
    ("usage", Fact(usage)),
    ("x_groq", In(&X_GROQ)),
    ("service_tier", Skip),
    ("system_fingerprint", Skip),
    ("provider", Skip),
    ("obfuscation", Skip),
    ("error", FactIn(&ERROR, error)),
]));

/// Groq's place for the usage of a stream, and for why it stopped early.
static X_GROQ: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("usage", Fact(usage)),
    ("error", FactBy(Other, error)),
]));

static CHUNK_CHOICE: Shape = Shape::Object(
    Object::new(&[
        ("index", Skip),
        ("delta", In(&DELTA)),
        ("finish_reason", Fact(finish_reason)),
        ("native_finish_reason", Skip),
        // Moonshot's place for it.
        ("usage", Fact(usage)),
        ("logprobs", Blind),
        ("content_filter_results", Skip),
    ])
    .group("index")
    .also(|facts, place, choice| {
        if choice
            .get("finish_reason")
            .is_some_and(|reason| reason.kind() == Kind::String)
        {
            facts.closes = if facts.closes == Closes::Nothing {
                Closes::Group(place.group)
            } else {
                Closes::All
            };
        }
    }),
);

static DELTA: Shape = Shape::Object(Object::new(&[
    ("role", Skip),
    ("content", PieceOrEach(Assistant, &DELTA_PART)),
    ("tool_calls", Each(&DELTA_CALL)),
    ("function_call", In(&DELTA_FUNCTION)),
    ("refusal", Piece(Refusal)),
    ("reasoning_content", Piece(Reasoning)),
    ("reasoning", Piece(Reasoning)),
    ("reasoning_details", Each(&DELTA_DETAIL)),
    ("annotations", Leaves(Other)),
    ("audio", In(&DELTA_AUDIO)),
]));
/// Mistral streams thinking as parts.
static DELTA_PART: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("text", &DELTA_TEXT),
        ("thinking", &DELTA_THINKING),
        ("reference", &REFERENCE_PART),
    ],
    untagged: None,
};
static DELTA_TEXT: Shape =
    Shape::Object(Object::new(&[("type", Skip), ("text", Piece(Assistant))]));
static DELTA_THINKING: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("thinking", PieceOrEach(Reasoning, &DELTA_THOUGHT)),
    ("closed", Skip),
    ("signature", Skip),
]));
static DELTA_THOUGHT: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("text", &DELTA_THOUGHT_TEXT),
        ("reference", &REFERENCE_PART),
    ],
    untagged: None,
};
static DELTA_THOUGHT_TEXT: Shape =
    Shape::Object(Object::new(&[("type", Skip), ("text", Piece(Reasoning))]));
static DELTA_CALL: Shape = Shape::Object(
    Object::new(&[
        ("index", Skip),
        ("id", Skip),
        ("type", Skip),
        ("function", In(&DELTA_FUNCTION)),
        ("custom", In(&DELTA_CUSTOM)),
        ("extra_content", Skip),
    ])
    .part("index"),
);
static DELTA_FUNCTION: Shape = Shape::Object(Object::new(&[
    ("name", Skip),
    ("arguments", JsonPiece(ToolArguments)),
]));
static DELTA_CUSTOM: Shape = Shape::Object(Object::new(&[
    ("name", Skip),
    ("input", Piece(ToolArguments)),
]));
static DELTA_DETAIL: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("text", Piece(Other)),
    ("summary", Piece(Other)),
    ("data", Skip),
    ("signature", Skip),
    ("id", Skip),
    ("format", Skip),
    ("index", Skip),
]));
static DELTA_AUDIO: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("data", Media),
    ("transcript", Piece(Assistant)),
    ("expires_at", Skip),
]));
