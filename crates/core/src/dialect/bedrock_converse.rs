//! Amazon Bedrock `Converse` and `ConverseStream`.
//!
//! Model and streaming stand in the path. A frame of a stream says in a header which event its payload is; what reads the frames puts
//! that around the payload: `{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"…"}}}`.

use super::facts::{Closes, Facts, Finish};
use super::openai::{error, max_output_tokens};
use super::shape::Rule::{
    Any, By, Content, ContentBy, Each, Fact, FactBy, FactIn, In, JsonPiece, Leaves, Media, Piece,
    Skip, Text,
};
use super::shape::{Object, Place, Shape};
use super::text::TextRole::{
    Assistant, FileName, Metadata, Other, Reasoning, System, ToolArguments, ToolDefinition,
    ToolResult, User,
};
use crate::Usage;
use crate::json::Value;

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("messages", Each(&MESSAGE)),
    ("system", ContentBy(System, &BLOCK)),
    ("inferenceConfig", In(&INFERENCE)),
    ("toolConfig", In(&TOOLS)),
    ("guardrailConfig", Skip),
    ("additionalModelRequestFields", Leaves(Other)),
    ("additionalModelResponseFieldPaths", Skip),
    ("promptVariables", Leaves(User)),
    ("requestMetadata", Any(Metadata)),
    ("performanceConfig", Skip),
    ("serviceTier", Skip),
    ("outputConfig", Leaves(ToolDefinition)),
]));
static INFERENCE: Shape = Shape::Object(Object::new(&[
    ("maxTokens", Fact(max_output_tokens)),
    ("temperature", Skip),
    ("topP", Skip),
    ("stopSequences", Leaves(Other)),
]));
static TOOLS: Shape = Shape::Object(Object::new(&[("tools", Each(&TOOL)), ("toolChoice", Skip)]));
static TOOL: Shape = Shape::Object(
    Object::new(&[
        ("toolSpec", In(&TOOL_SPEC)),
        ("systemTool", Skip),
        ("cachePoint", Skip),
    ])
    .union(),
);
static TOOL_SPEC: Shape = Shape::Object(Object::new(&[
    ("name", Skip),
    ("description", By(ToolDefinition)),
    ("inputSchema", Leaves(ToolDefinition)),
    ("strict", Skip),
]));

static MESSAGE: Shape =
    Shape::Object(Object::new(&[("role", Skip), ("content", Content(&BLOCK))]).by_role());

static BLOCK: Shape = Shape::Object(
    Object::new(&[
        ("text", Text),
        ("image", In(&IMAGE)),
        ("document", In(&DOCUMENT)),
        ("video", In(&IMAGE)),
        ("audio", In(&IMAGE)),
        ("toolUse", In(&TOOL_USE)),
        ("toolResult", In(&TOOL_RESULT)),
        ("guardContent", In(&GUARDED)),
        ("cachePoint", Skip),
        ("reasoningContent", In(&REASONING)),
        ("citationsContent", In(&CITED)),
        ("searchResult", In(&SEARCH_RESULT)),
        ("toolAddition", Skip),
        ("toolRemoval", Skip),
        // Only in the result of a tool.
        ("json", Any(ToolResult)),
    ])
    .union(),
);
static IMAGE: Shape = Shape::Object(Object::new(&[
    ("format", Skip),
    ("source", Media),
    ("error", Leaves(Other)),
]));
static DOCUMENT: Shape = Shape::Object(Object::new(&[
    ("format", Skip),
    ("name", By(FileName)),
    ("source", In(&SOURCE)),
    ("context", Text),
    ("citations", Skip),
]));
static SOURCE: Shape = Shape::Object(
    Object::new(&[
        ("bytes", Media),
        ("s3Location", Media),
        ("text", Text),
        ("content", Content(&BLOCK)),
    ])
    .union(),
);
static TOOL_USE: Shape = Shape::Object(Object::new(&[
    ("toolUseId", Skip),
    ("name", Skip),
    ("type", Skip),
    ("input", Any(ToolArguments)),
]));
static TOOL_RESULT: Shape = Shape::Object(
    Object::new(&[
        ("toolUseId", Skip),
        ("type", Skip),
        ("status", Skip),
        ("content", Content(&BLOCK)),
    ])
    .by(ToolResult),
);
static GUARDED: Shape =
    Shape::Object(Object::new(&[("text", In(&GUARDED_TEXT)), ("image", In(&IMAGE))]).union());
static GUARDED_TEXT: Shape = Shape::Object(Object::new(&[("text", Text), ("qualifiers", Skip)]));
static REASONING: Shape = Shape::Object(
    Object::new(&[
        ("reasoningText", In(&REASONING_TEXT)),
        ("redactedContent", Skip),
    ])
    .union(),
);
static REASONING_TEXT: Shape =
    Shape::Object(Object::new(&[("text", By(Reasoning)), ("signature", Skip)]));
static CITED: Shape = Shape::Object(Object::new(&[
    ("content", Content(&BLOCK)),
    ("citations", Leaves(Other)),
]));
static SEARCH_RESULT: Shape = Shape::Object(Object::new(&[
    ("source", Text),
    ("title", By(FileName)),
    ("content", Content(&BLOCK)),
    ("citations", Skip),
]));

pub(super) static REPLY: Shape = Shape::Object(Object::new(&[
    ("output", In(&OUTPUT)),
    ("stopReason", Fact(stop_reason)),
    ("usage", Fact(usage)),
    ("metrics", Skip),
    ("additionalModelResponseFields", Leaves(Other)),
    ("trace", Leaves(Other)),
    ("performanceConfig", Skip),
    ("serviceTier", Skip),
    // Of an error, which some of the services in front of the models spell with a capital.
    ("message", FactBy(Other, error)),
    ("Message", FactBy(Other, error)),
    ("__type", Skip),
    ("originalStatusCode", Skip),
    ("originalMessage", By(Other)),
    ("resourceName", Skip),
]));
static OUTPUT: Shape = Shape::Object(Object::new(&[("message", In(&ANSWER))]).union());
static ANSWER: Shape =
    Shape::Object(Object::new(&[("role", Skip), ("content", Content(&BLOCK))]).by(Assistant));

pub(super) static EVENT: Shape = Shape::Object(
    Object::new(&[
        ("messageStart", Skip),
        ("contentBlockStart", In(&BLOCK_START)),
        ("contentBlockDelta", In(&BLOCK_DELTA)),
        ("contentBlockStop", In(&BLOCK_STOP)),
        ("messageStop", In(&STOP)),
        ("metadata", In(&METADATA)),
        ("internalServerException", FactIn(&EXCEPTION, error)),
        ("modelStreamErrorException", FactIn(&EXCEPTION, error)),
        ("modelTimeoutException", FactIn(&EXCEPTION, error)),
        ("validationException", FactIn(&EXCEPTION, error)),
        ("throttlingException", FactIn(&EXCEPTION, error)),
        ("serviceUnavailableException", FactIn(&EXCEPTION, error)),
    ])
    .union()
    .also(|facts, _, _| {
        if facts.error {
            facts.closes = Closes::All;
        }
    }),
);
static EXCEPTION: Shape = Shape::Object(Object::new(&[
    ("message", By(Other)),
    ("Message", By(Other)),
    ("originalStatusCode", Skip),
    ("originalMessage", By(Other)),
]));
static BLOCK_START: Shape = Shape::Object(Object::new(&[
    ("contentBlockIndex", Skip),
    // Ids and names: texts come in deltas.
    ("start", Skip),
    ("p", Skip),
]));
static BLOCK_DELTA: Shape = Shape::Object(
    Object::new(&[
        ("contentBlockIndex", Skip),
        ("delta", In(&DELTA)),
        // Padding that hides how long the texts are.
        ("p", Skip),
    ])
    .part("contentBlockIndex"),
);
static BLOCK_STOP: Shape = Shape::Object(
    Object::new(&[("contentBlockIndex", Skip), ("p", Skip)])
        .part("contentBlockIndex")
        .also(|facts, place, _| facts.closes = Closes::Part(place.group, place.part)),
);
static STOP: Shape = Shape::Object(
    Object::new(&[
        ("stopReason", Fact(stop_reason)),
        ("additionalModelResponseFields", Leaves(Other)),
        ("p", Skip),
    ])
    .also(|facts, _, _| facts.closes = Closes::All),
);
/// The last event of every stream: what it cost is said only there.
static METADATA: Shape = Shape::Object(
    Object::new(&[
        ("usage", Fact(usage)),
        ("metrics", Skip),
        ("trace", Leaves(Other)),
        ("performanceConfig", Skip),
        ("serviceTier", Skip),
        ("p", Skip),
    ])
    .also(ends),
);

static DELTA: Shape = Shape::Object(
    Object::new(&[
        ("text", Piece(Assistant)),
        ("toolUse", In(&TOOL_USE_DELTA)),
        ("toolResult", Each(&TOOL_RESULT_DELTA)),
        ("reasoningContent", In(&REASONING_DELTA)),
        ("citation", Leaves(Other)),
        ("image", In(&IMAGE)),
    ])
    .union(),
);
static TOOL_USE_DELTA: Shape =
    Shape::Object(Object::new(&[("input", JsonPiece(ToolArguments))]).union());
static TOOL_RESULT_DELTA: Shape =
    Shape::Object(Object::new(&[("text", Piece(ToolResult)), ("json", Any(ToolResult))]).union());
static REASONING_DELTA: Shape = Shape::Object(
    Object::new(&[
        ("text", Piece(Reasoning)),
        ("signature", Skip),
        ("redactedContent", Skip),
    ])
    .union(),
);

fn stop_reason(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.finish = value.text().map(|reason| match reason.as_ref() {
        "end_turn" | "stop_sequence" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "guardrail_intervened" | "content_filtered" => Finish::ContentFilter,
        _ => Finish::Other,
    });
    true
}

fn ends(facts: &mut Facts, _: Place, _: Value<'_>) {
    facts.terminal = true;
    facts.closes = Closes::All;
}

/// `inputTokens` leaves out what was read from and written to the cache. Reasoning is counted within `outputTokens` and not told apart.
fn usage(facts: &mut Facts, value: Value<'_>) -> bool {
    let number = |name: &str| value.get(name).and_then(Value::as_u64).unwrap_or(0);
    facts.usage = Some(Usage {
        input: number("inputTokens"),
        cached_input: number("cacheReadInputTokens"),
        cache_write: number("cacheWriteInputTokens"),
        output: number("outputTokens"),
        ..Usage::default()
    });
    true
}
