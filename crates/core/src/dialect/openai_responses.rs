//! OpenAI responses.
//!
//! Its streams say each text twice: in pieces, then whole in the events that end a part, an item and the response.

use super::facts::{Closes, Facts, Finish};
use super::openai::{ERROR, Split, end_user, error, max_output_tokens, model, stream};
use super::shape::Rule::{
    Any, Blind, By, Content, ContentBy, Each, Fact, FactBy, FactIn, In, JsonPiece, JsonText,
    Leaves, Media, Piece, Skip, Text,
};
use super::shape::{Object, Place, Shape};
use super::text::TextRole::{
    Assistant, EndUser, FileName, Metadata, Other, Reasoning, Refusal, System, ToolArguments,
    ToolDefinition, ToolResult, User,
};
use crate::Usage;
use crate::json::Value;

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("input", Content(&ITEM)),
    ("instructions", By(System)),
    ("stream", Fact(stream)),
    ("stream_options", Skip),
    ("max_output_tokens", Fact(max_output_tokens)),
    ("tools", Leaves(ToolDefinition)),
    ("tool_choice", Skip),
    ("user", FactBy(EndUser, end_user)),
    ("safety_identifier", By(EndUser)),
    ("prompt_cache_key", By(EndUser)),
    ("metadata", Any(Metadata)),
    ("text", Leaves(ToolDefinition)),
    ("prompt", In(&PROMPT)),
    ("reasoning", Skip),
    ("previous_response_id", Skip),
    ("conversation", Skip),
    ("include", Skip),
    ("store", Skip),
    ("background", Skip),
    ("temperature", Skip),
    ("top_p", Skip),
    ("top_logprobs", Skip),
    ("truncation", Skip),
    ("parallel_tool_calls", Skip),
    ("max_tool_calls", Skip),
    ("service_tier", Skip),
    ("context_management", Skip),
]));

static PROMPT: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("version", Skip),
    ("variables", Leaves(User)),
]));

static ITEM: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("message", &MESSAGE),
        ("function_call", &FUNCTION_CALL),
        ("function_call_output", &CALL_OUTPUT),
        ("reasoning", &REASONING),
        ("custom_tool_call", &CUSTOM_CALL),
        ("custom_tool_call_output", &CALL_OUTPUT),
        ("item_reference", &REFERENCE),
        ("web_search_call", &BUILT_IN_CALL),
        ("file_search_call", &BUILT_IN_CALL),
        ("computer_call", &BUILT_IN_CALL),
        ("computer_call_output", &COMPUTER_OUTPUT),
        ("image_generation_call", &IMAGE_CALL),
        ("code_interpreter_call", &BUILT_IN_CALL),
        ("local_shell_call", &BUILT_IN_CALL),
        ("local_shell_call_output", &CALL_OUTPUT),
        ("shell_call", &BUILT_IN_CALL),
        ("shell_call_output", &CALL_OUTPUT),
        ("apply_patch_call", &BUILT_IN_CALL),
        ("apply_patch_call_output", &CALL_OUTPUT),
        ("mcp_list_tools", &MCP_TOOLS),
        ("mcp_call", &MCP_CALL),
        ("mcp_approval_request", &MCP_CALL),
        ("mcp_approval_response", &MCP_APPROVAL),
        ("compaction", &REFERENCE),
    ],
    untagged: Some(&MESSAGE),
};

static MESSAGE: Shape = Shape::Object(
    Object::new(&[
        ("type", Skip),
        ("role", Skip),
        ("content", Content(&PART)),
        ("id", Skip),
        ("status", Skip),
        ("phase", Skip),
    ])
    .by_role(),
);

static PART: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("input_text", &TEXT_PART),
        ("output_text", &TEXT_PART),
        ("text", &TEXT_PART),
        ("summary_text", &THOUGHT_PART),
        ("reasoning_text", &THOUGHT_PART),
        ("refusal", &REFUSAL_PART),
        ("input_image", &IMAGE_PART),
        ("computer_screenshot", &IMAGE_PART),
        ("input_file", &FILE_PART),
        ("input_audio", &AUDIO_PART),
    ],
    untagged: None,
};
static TEXT_PART: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("text", Text),
    ("annotations", Leaves(Other)),
    ("logprobs", Blind),
]));
static THOUGHT_PART: Shape = Shape::Object(Object::new(&[("type", Skip), ("text", By(Reasoning))]));
static REFUSAL_PART: Shape =
    Shape::Object(Object::new(&[("type", Skip), ("refusal", By(Refusal))]));
static IMAGE_PART: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("image_url", Media),
    ("file_id", Skip),
    ("detail", Skip),
]));
static FILE_PART: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("filename", By(FileName)),
    ("file_data", Media),
    ("file_url", Media),
    ("file_id", Skip),
]));
static AUDIO_PART: Shape = Shape::Object(Object::new(&[("type", Skip), ("input_audio", Media)]));

static FUNCTION_CALL: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("call_id", Skip),
    ("name", Skip),
    ("namespace", Skip),
    ("arguments", JsonText(ToolArguments)),
    ("status", Skip),
]));
static CUSTOM_CALL: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("call_id", Skip),
    ("name", Skip),
    ("input", By(ToolArguments)),
    ("status", Skip),
]));
static CALL_OUTPUT: Shape = Shape::Object(
    Object::new(&[
        ("type", Skip),
        ("id", Skip),
        ("call_id", Skip),
        ("output", Content(&PART)),
        ("status", Skip),
        ("max_output_length", Skip),
    ])
    .by(ToolResult),
);
static COMPUTER_OUTPUT: Shape = Shape::Object(
    Object::new(&[
        ("type", Skip),
        ("id", Skip),
        ("call_id", Skip),
        ("output", Content(&PART)),
        ("status", Skip),
        ("acknowledged_safety_checks", Leaves(Other)),
    ])
    .by(ToolResult),
);
static REASONING: Shape = Shape::Object(
    Object::new(&[
        ("type", Skip),
        ("id", Skip),
        ("summary", Each(&PART)),
        ("content", Each(&PART)),
        ("encrypted_content", Skip),
        ("status", Skip),
    ])
    .by(Reasoning),
);
static REFERENCE: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("encrypted_content", Skip),
    ("status", Skip),
]));
static BUILT_IN_CALL: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("call_id", Skip),
    ("status", Skip),
    ("container_id", Skip),
    ("action", Leaves(ToolArguments)),
    ("operation", Leaves(ToolArguments)),
    ("queries", Leaves(ToolArguments)),
    ("code", By(ToolArguments)),
    ("results", Leaves(ToolResult)),
    ("outputs", Leaves(ToolResult)),
    ("pending_safety_checks", Leaves(Other)),
]));
static IMAGE_CALL: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("status", Skip),
    ("result", Media),
    ("revised_prompt", By(Assistant)),
    ("action", Skip),
    ("background", Skip),
    ("output_format", Skip),
    ("quality", Skip),
    ("size", Skip),
]));
static MCP_TOOLS: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("server_label", Skip),
    ("tools", Leaves(ToolDefinition)),
    ("error", Leaves(Other)),
]));
static MCP_CALL: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("name", Skip),
    ("server_label", Skip),
    ("arguments", JsonText(ToolArguments)),
    ("output", By(ToolResult)),
    ("error", Leaves(Other)),
    ("status", Skip),
    ("approval_request_id", Skip),
]));
static MCP_APPROVAL: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("approval_request_id", Skip),
    ("approve", Skip),
    ("reason", By(User)),
]));

pub(super) static REPLY: Shape = Shape::Object(
    Object::new(&[
        ("id", Skip),
        ("object", Skip),
        ("created_at", Skip),
        ("completed_at", Skip),
        ("model", Fact(model)),
        ("status", Fact(status)),
        ("output", Content(&ITEM)),
        ("usage", Fact(usage)),
        ("error", FactIn(&ERROR, error)),
        ("incomplete_details", Fact(incomplete)),
        ("instructions", ContentBy(System, &ECHOED)),
        ("metadata", Any(Metadata)),
        ("tools", Leaves(ToolDefinition)),
        ("tool_choice", Skip),
        ("text", Leaves(ToolDefinition)),
        ("prompt", In(&PROMPT)),
        ("user", By(EndUser)),
        ("safety_identifier", By(EndUser)),
        ("prompt_cache_key", By(EndUser)),
        ("reasoning", Skip),
        ("previous_response_id", Skip),
        ("conversation", Skip),
        ("background", Skip),
        ("store", Skip),
        ("temperature", Skip),
        ("top_p", Skip),
        ("top_logprobs", Skip),
        ("truncation", Skip),
        ("parallel_tool_calls", Skip),
        ("max_output_tokens", Skip),
        ("max_tool_calls", Skip),
        ("service_tier", Skip),
        ("billing", Skip),
        ("prompt_cache_retention", Skip),
        ("frequency_penalty", Skip),
        ("presence_penalty", Skip),
    ])
    .by(Assistant),
);

/// The request's instructions, said back.
static ECHOED: Shape = Shape::Tagged {
    tag: "type",
    variants: &[("message", &MESSAGE)],
    untagged: Some(&MESSAGE),
};

pub(super) static EVENT: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("response.output_text.delta", &TEXT_DELTA),
        ("response.output_text.done", &TEXT_DONE),
        ("response.output_text.annotation.added", &ANNOTATION),
        ("response.content_part.added", &PART_ADDED),
        ("response.content_part.done", &PART_DONE),
        ("response.output_item.added", &ITEM_ADDED),
        ("response.output_item.done", &ITEM_DONE),
        ("response.function_call_arguments.delta", &ARGUMENTS_DELTA),
        ("response.function_call_arguments.done", &ARGUMENTS_DONE),
        ("response.mcp_call_arguments.delta", &ARGUMENTS_DELTA),
        ("response.mcp_call_arguments.done", &ARGUMENTS_DONE),
        ("response.custom_tool_call_input.delta", &INPUT_DELTA),
        ("response.custom_tool_call_input.done", &INPUT_DONE),
        ("response.code_interpreter_call_code.delta", &INPUT_DELTA),
        ("response.code_interpreter_call_code.done", &INPUT_DONE),
        ("response.refusal.delta", &REFUSAL_DELTA),
        ("response.refusal.done", &REFUSAL_DONE),
        ("response.reasoning_text.delta", &THOUGHT_DELTA),
        ("response.reasoning_text.done", &THOUGHT_DONE),
        ("response.reasoning_summary_text.delta", &SUMMARY_DELTA),
        ("response.reasoning_summary_text.done", &SUMMARY_DONE),
        ("response.reasoning_summary_part.added", &SUMMARY_PART_ADDED),
        ("response.reasoning_summary_part.done", &SUMMARY_PART_DONE),
        ("response.created", &WHOLE),
        ("response.queued", &WHOLE),
        ("response.in_progress", &WHOLE),
        ("response.completed", &LAST),
        ("response.incomplete", &LAST),
        ("response.failed", &LAST),
        (
            "response.image_generation_call.partial_image",
            &PARTIAL_IMAGE,
        ),
        ("response.image_generation_call.in_progress", &PROGRESS),
        ("response.image_generation_call.generating", &PROGRESS),
        ("response.image_generation_call.completed", &PROGRESS),
        ("response.web_search_call.in_progress", &PROGRESS),
        ("response.web_search_call.searching", &PROGRESS),
        ("response.web_search_call.completed", &PROGRESS),
        ("response.file_search_call.in_progress", &PROGRESS),
        ("response.file_search_call.searching", &PROGRESS),
        ("response.file_search_call.completed", &PROGRESS),
        ("response.code_interpreter_call.in_progress", &PROGRESS),
        ("response.code_interpreter_call.interpreting", &PROGRESS),
        ("response.code_interpreter_call.completed", &PROGRESS),
        ("response.mcp_call.in_progress", &PROGRESS),
        ("response.mcp_call.completed", &PROGRESS),
        ("response.mcp_call.failed", &PROGRESS),
        ("response.mcp_list_tools.in_progress", &PROGRESS),
        ("response.mcp_list_tools.completed", &PROGRESS),
        ("response.mcp_list_tools.failed", &PROGRESS),
        ("keepalive", &PROGRESS),
        ("error", &FAILED),
    ],
    untagged: Some(&UNTAGGED),
};

/// The members that every event has, before its own.
macro_rules! event {
    ($($field:expr),* $(,)?) => {
        Object::new(&[
            ("type", Skip),
            ("sequence_number", Skip),
            ("item_id", Skip),
            ("output_index", Skip),
            ("content_index", Skip),
            ("summary_index", Skip),
            ("obfuscation", Skip),
            $($field),*
        ])
        .group("output_index")
    };
}

static TEXT_DELTA: Shape =
    Shape::Object(event![("delta", Piece(Assistant)), ("logprobs", Blind)].part("content_index"));
static TEXT_DONE: Shape = Shape::Object(
    event![("text", By(Assistant)), ("logprobs", Blind)]
        .part("content_index")
        .also(closes_part),
);
static ANNOTATION: Shape = Shape::Object(
    event![("annotation", Leaves(Other)), ("annotation_index", Skip)].part("content_index"),
);
static PART_ADDED: Shape = Shape::Object(event![("part", In(&PART))].part("content_index"));
static PART_DONE: Shape = Shape::Object(
    event![("part", In(&PART))]
        .part("content_index")
        .also(closes_part),
);
static ITEM_ADDED: Shape = Shape::Object(event![("item", In(&ITEM))]);
static ITEM_DONE: Shape = Shape::Object(event![("item", In(&ITEM))].also(closes_group));
static ARGUMENTS_DELTA: Shape = Shape::Object(event![("delta", JsonPiece(ToolArguments))]);
static ARGUMENTS_DONE: Shape = Shape::Object(
    event![("arguments", JsonText(ToolArguments)), ("name", Skip)].also(closes_group),
);
static INPUT_DELTA: Shape = Shape::Object(event![("delta", Piece(ToolArguments))]);
static INPUT_DONE: Shape = Shape::Object(
    event![("input", By(ToolArguments)), ("code", By(ToolArguments))].also(closes_group),
);
static REFUSAL_DELTA: Shape =
    Shape::Object(event![("delta", Piece(Refusal))].part("content_index"));
static REFUSAL_DONE: Shape = Shape::Object(
    event![("refusal", By(Refusal))]
        .part("content_index")
        .also(closes_part),
);
static THOUGHT_DELTA: Shape =
    Shape::Object(event![("delta", Piece(Reasoning))].part("content_index"));
static THOUGHT_DONE: Shape = Shape::Object(
    event![("text", By(Reasoning))]
        .part("content_index")
        .also(closes_part),
);
static SUMMARY_DELTA: Shape =
    Shape::Object(event![("delta", Piece(Reasoning))].part("summary_index"));
static SUMMARY_DONE: Shape = Shape::Object(
    event![("text", By(Reasoning))]
        .part("summary_index")
        .also(closes_part),
);
static SUMMARY_PART_ADDED: Shape = Shape::Object(event![("part", In(&PART))].part("summary_index"));
static SUMMARY_PART_DONE: Shape = Shape::Object(
    event![("part", In(&PART))]
        .part("summary_index")
        .also(closes_part),
);
static WHOLE: Shape = Shape::Object(event![("response", In(&REPLY))]);
static LAST: Shape = Shape::Object(event![("response", In(&REPLY))].also(ends));
static PARTIAL_IMAGE: Shape = Shape::Object(event![
    ("partial_image_b64", Media),
    ("partial_image_index", Skip),
    ("background", Skip),
    ("output_format", Skip),
    ("quality", Skip),
    ("size", Skip),
]);
static PROGRESS: Shape = Shape::Object(event![]);
static FAILED: Shape = Shape::Object(
    event![
        ("code", Skip),
        ("message", By(Other)),
        ("param", Skip),
        ("error", In(&ERROR))
    ]
    .also(fails),
);
/// Compatible servers send OpenAI's chat error here too.
static UNTAGGED: Shape = Shape::Object(event![("error", FactIn(&ERROR, error))]);

fn closes_part(facts: &mut Facts, place: Place, _: Value<'_>) {
    facts.closes = Closes::Part(place.group, place.part);
}

fn closes_group(facts: &mut Facts, place: Place, _: Value<'_>) {
    facts.closes = Closes::Group(place.group);
}

fn ends(facts: &mut Facts, _: Place, _: Value<'_>) {
    facts.terminal = true;
    facts.closes = Closes::All;
}

fn fails(facts: &mut Facts, _: Place, _: Value<'_>) {
    facts.error = true;
    facts.closes = Closes::All;
}

fn status(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.finish = match value.text().as_deref() {
        Some("completed") => Some(Finish::Stop),
        Some("incomplete") => Some(facts.finish.unwrap_or(Finish::Length)),
        Some("failed" | "cancelled") => Some(Finish::Other),
        _ => None,
    };
    true
}

fn incomplete(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.finish = Some(match value.get("reason").and_then(Value::text).as_deref() {
        Some("content_filter") => Finish::ContentFilter,
        _ => Finish::Length,
    });
    true
}

/// Cached and cache-written tokens lie within `input_tokens`, reasoning within `output_tokens`.
fn usage(facts: &mut Facts, value: Value<'_>) -> bool {
    let number = |value: Option<Value<'_>>| value.and_then(Value::as_u64).unwrap_or(0);
    let detail = |details: &str, name: &str| {
        number(value.get(details).and_then(|details| details.get(name)))
    };
    let mut input = Split::of(number(value.get("input_tokens")));
    let mut output = Split::of(number(value.get("output_tokens")));
    facts.usage = Some(Usage {
        cached_input: input.take(detail("input_tokens_details", "cached_tokens")),
        cache_write: input.take(detail("input_tokens_details", "cache_write_tokens")),
        input: input.rest,
        reasoning: output.take(detail("output_tokens_details", "reasoning_tokens")),
        output: output.rest,
        ..Usage::default()
    });
    true
}
