//! Anthropic messages.

use super::facts::{Closes, Facts, Finish};
use super::openai::{ERROR, end_user, max_output_tokens, model, stream};
use super::shape::Rule::{
    Any, By, Content, ContentBy, Each, Fact, FactBy, In, JsonPiece, Leaves, Media, Piece, Skip,
    Text,
};
use super::shape::{Object, Place, Shape};
use super::text::TextRole::{
    Assistant, EndUser, FileName, Other, Reasoning, System, ToolArguments, ToolDefinition,
    ToolResult,
};
use crate::Usage;
use crate::json::Value;

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("messages", Each(&MESSAGE)),
    ("system", ContentBy(System, &SYSTEM)),
    ("max_tokens", Fact(max_output_tokens)),
    ("stream", Fact(stream)),
    ("tools", Each(&TOOL)),
    ("tool_choice", Skip),
    ("metadata", In(&METADATA)),
    ("stop_sequences", Leaves(Other)),
    ("thinking", Skip),
    ("temperature", Skip),
    ("top_k", Skip),
    ("top_p", Skip),
    ("service_tier", Skip),
    ("container", Skip),
    ("mcp_servers", Leaves(Other)),
    ("context_management", Skip),
    ("cache_control", Skip),
    ("output_config", Leaves(ToolDefinition)),
    ("output_format", Leaves(ToolDefinition)),
    ("inference_geo", Skip),
    ("anthropic_version", Skip),
    ("anthropic_beta", Skip),
]));

/// A string or blocks; both are the application's.
static SYSTEM: Shape = Shape::Tagged {
    tag: "type",
    variants: &[("text", &SYSTEM_TEXT)],
    untagged: None,
};
static SYSTEM_TEXT: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("text", By(System)),
    ("citations", Leaves(Other)),
    ("cache_control", Skip),
]));

static METADATA: Shape = Shape::Object(Object::new(&[("user_id", FactBy(EndUser, end_user))]));

static MESSAGE: Shape =
    Shape::Object(Object::new(&[("role", Skip), ("content", Content(&BLOCK))]).by_role());

static TOOL: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("name", Skip),
    ("description", By(ToolDefinition)),
    ("input_schema", Leaves(ToolDefinition)),
    ("cache_control", Skip),
    ("strict", Skip),
    ("max_uses", Skip),
    ("defer_loading", Skip),
    ("allowed_callers", Skip),
    ("input_examples", Any(ToolDefinition)),
    ("eager_input_streaming", Skip),
]));

static BLOCK: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("text", &TEXT),
        ("thinking", &THINKING),
        ("redacted_thinking", &OPAQUE),
        ("tool_use", &TOOL_USE),
        ("tool_result", &TOOL_RESULT),
        ("image", &IMAGE),
        ("document", &DOCUMENT),
        ("search_result", &SEARCH_RESULT),
        ("server_tool_use", &TOOL_USE),
        ("mcp_tool_use", &TOOL_USE),
        ("mcp_tool_result", &TOOL_RESULT),
        ("web_search_tool_result", &SERVER_RESULT),
        ("web_fetch_tool_result", &SERVER_RESULT),
        ("code_execution_tool_result", &SERVER_RESULT),
        ("bash_code_execution_tool_result", &SERVER_RESULT),
        ("text_editor_code_execution_tool_result", &SERVER_RESULT),
        ("tool_search_tool_result", &SERVER_RESULT),
        ("container_upload", &OPAQUE),
        ("compaction", &COMPACTION),
    ],
    untagged: None,
};

static TEXT: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("text", Text),
    ("citations", Leaves(Other)),
    ("cache_control", Skip),
]));
static THINKING: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("thinking", By(Reasoning)),
    ("signature", Skip),
]));
static OPAQUE: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("data", Skip),
    ("file_id", Skip),
    ("cache_control", Skip),
]));
static COMPACTION: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("content", Text),
    ("cache_control", Skip),
]));
static TOOL_USE: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("id", Skip),
    ("name", Skip),
    ("server_name", Skip),
    ("input", Any(ToolArguments)),
    ("caller", Skip),
    ("cache_control", Skip),
]));
static TOOL_RESULT: Shape = Shape::Object(
    Object::new(&[
        ("type", Skip),
        ("tool_use_id", Skip),
        ("content", Content(&BLOCK)),
        ("is_error", Skip),
        ("cache_control", Skip),
    ])
    .by(ToolResult),
);
static IMAGE: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("source", Media),
    ("cache_control", Skip),
]));
static DOCUMENT: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("source", In(&SOURCE)),
    ("title", By(FileName)),
    ("context", Text),
    ("citations", Skip),
    ("cache_control", Skip),
]));
static SOURCE: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("text", &TEXT_SOURCE),
        ("content", &CONTENT_SOURCE),
        ("base64", &MEDIA_SOURCE),
        ("url", &MEDIA_SOURCE),
        ("file", &MEDIA_SOURCE),
    ],
    untagged: None,
};
static TEXT_SOURCE: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("media_type", Skip),
    ("data", Text),
]));
static CONTENT_SOURCE: Shape =
    Shape::Object(Object::new(&[("type", Skip), ("content", Content(&BLOCK))]));
static MEDIA_SOURCE: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("media_type", Skip),
    ("data", Media),
    ("url", Media),
    ("file_id", Skip),
]));
static SEARCH_RESULT: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("source", Text),
    ("title", By(FileName)),
    ("content", Content(&BLOCK)),
    ("citations", Skip),
    ("cache_control", Skip),
]));
static SERVER_RESULT: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("tool_use_id", Skip),
    ("content", Content(&SERVER_CONTENT)),
    ("caller", Skip),
    ("cache_control", Skip),
]));
/// What the provider's own tools answer: texts beside data that must come back as it went.
static SERVER_CONTENT: Shape = Shape::Object(
    Object::new(&[
        ("type", Skip),
        ("title", Text),
        ("url", Text),
        ("page_age", Skip),
        ("encrypted_content", Skip),
        ("encrypted_index", Skip),
        ("encrypted_stdout", Skip),
        ("error_code", Skip),
        ("retrieved_at", Skip),
        ("return_code", Skip),
        ("file_id", Skip),
        ("stdout", Text),
        ("stderr", Text),
        ("content", Content(&SERVER_INNER)),
    ])
    .by(ToolResult),
);
static SERVER_INNER: Shape = Shape::Tagged {
    tag: "type",
    variants: &[("document", &DOCUMENT)],
    untagged: Some(&SERVER_CONTENT),
};

pub(super) static REPLY: Shape = Shape::Object(
    Object::new(&[
        ("id", Skip),
        ("type", Fact(reply_type)),
        ("role", Skip),
        ("model", Fact(model)),
        ("content", Content(&BLOCK)),
        ("stop_reason", Fact(stop_reason)),
        ("stop_sequence", By(Other)),
        ("stop_details", Leaves(Other)),
        ("usage", Fact(usage)),
        ("container", Skip),
        ("context_management", Skip),
        ("error", In(&ERROR)),
        ("request_id", Skip),
    ])
    .by(Assistant),
);

pub(super) static EVENT: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("content_block_delta", &BLOCK_DELTA),
        ("content_block_start", &BLOCK_START),
        ("content_block_stop", &BLOCK_STOP),
        ("message_start", &START),
        ("message_delta", &MESSAGE_DELTA),
        ("message_stop", &STOP),
        ("ping", &PING),
        ("error", &FAILED),
    ],
    untagged: None,
};

static START: Shape = Shape::Object(Object::new(&[("type", Skip), ("message", In(&REPLY))]));
static BLOCK_START: Shape = Shape::Object(
    Object::new(&[
        ("type", Skip),
        ("index", Skip),
        ("content_block", In(&BLOCK)),
    ])
    .part("index"),
);
static BLOCK_DELTA: Shape = Shape::Object(
    Object::new(&[("type", Skip), ("index", Skip), ("delta", In(&DELTA))]).part("index"),
);
static BLOCK_STOP: Shape = Shape::Object(
    Object::new(&[("type", Skip), ("index", Skip)])
        .part("index")
        .also(|facts, place, _| {
            facts.closes = Closes::Part(place.group, place.part);
        }),
);
static MESSAGE_DELTA: Shape = Shape::Object(
    Object::new(&[
        ("type", Skip),
        ("delta", In(&MESSAGE_END)),
        ("usage", Fact(usage)),
        ("context_management", Skip),
    ])
    .also(|facts, _, _| facts.closes = Closes::All),
);
static MESSAGE_END: Shape = Shape::Object(Object::new(&[
    ("stop_reason", Fact(stop_reason)),
    ("stop_sequence", By(Other)),
    ("stop_details", Leaves(Other)),
    ("container", Skip),
]));
static STOP: Shape = Shape::Object(
    Object::new(&[("type", Skip), ("amazon-bedrock-invocationMetrics", Skip)]).also(ends),
);
static PING: Shape = Shape::Object(Object::new(&[("type", Skip), ("cost", Skip)]));
static FAILED: Shape = Shape::Object(
    Object::new(&[("type", Skip), ("error", In(&ERROR)), ("request_id", Skip)]).also(fails),
);

static DELTA: Shape = Shape::Tagged {
    tag: "type",
    variants: &[
        ("text_delta", &TEXT_DELTA),
        ("input_json_delta", &INPUT_DELTA),
        ("thinking_delta", &THINKING_DELTA),
        ("signature_delta", &SIGNATURE_DELTA),
        ("citations_delta", &CITATIONS_DELTA),
        ("compaction_delta", &COMPACTION_DELTA),
    ],
    untagged: None,
};
static TEXT_DELTA: Shape =
    Shape::Object(Object::new(&[("type", Skip), ("text", Piece(Assistant))]));
static INPUT_DELTA: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("partial_json", JsonPiece(ToolArguments)),
]));
static THINKING_DELTA: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("thinking", Piece(Reasoning)),
    ("estimated_tokens", Skip),
]));
static SIGNATURE_DELTA: Shape = Shape::Object(Object::new(&[("type", Skip), ("signature", Skip)]));
static CITATIONS_DELTA: Shape =
    Shape::Object(Object::new(&[("type", Skip), ("citation", Leaves(Other))]));
static COMPACTION_DELTA: Shape = Shape::Object(Object::new(&[
    ("type", Skip),
    ("content", Piece(Assistant)),
]));

pub(super) fn reply_type(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.error |= value.is("error");
    true
}

fn stop_reason(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.finish = value.text().map(|reason| match reason.as_ref() {
        "end_turn" | "stop_sequence" | "pause_turn" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::ContentFilter,
        _ => Finish::Other,
    });
    true
}

fn ends(facts: &mut Facts, _: Place, _: Value<'_>) {
    facts.terminal = true;
    facts.closes = Closes::All;
}

fn fails(facts: &mut Facts, _: Place, _: Value<'_>) {
    facts.error = true;
    facts.closes = Closes::All;
}

/// `input_tokens` leaves out what was read from and written to the cache. Thinking is counted within `output_tokens` and not told apart.
fn usage(facts: &mut Facts, value: Value<'_>) -> bool {
    let number = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
    facts.usage = Some(Usage {
        input: number("input_tokens"),
        cached_input: number("cache_read_input_tokens"),
        cache_write: number("cache_creation_input_tokens"),
        output: number("output_tokens"),
        ..Usage::default()
    });
    true
}
