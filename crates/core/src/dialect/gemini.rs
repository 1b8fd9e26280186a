//! Gemini `generateContent` and `streamGenerateContent`, Google AI's and Vertex AI's.
//!
//! The API reads protobuf's JSON, which takes every name in camel case and as it stands in the schema: both are known here. Model and
//! streaming stand in the path. Each event of a stream is a whole answer with the next pieces of its texts.

use super::facts::{Closes, Facts, Finish};
use super::openai::{Split, error, model};
use super::shape::Rule::{
    Any, Blind, By, Each, Fact, FactIn, In, Leaves, Media, Skip, TextOrPiece,
};
use super::shape::{Object, Place, Shape};
use super::text::TextRole::{
    Assistant, FileName, Metadata, Other, Reasoning, System, ToolArguments, ToolDefinition,
    ToolResult,
};
use crate::Usage;
use crate::json::{Kind, Value};

pub(super) static REQUEST: Shape = Shape::Object(Object::new(&[
    ("model", Fact(model)),
    ("contents", Each(&CONTENT)),
    ("systemInstruction", In(&SYSTEM_CONTENT)),
    ("system_instruction", In(&SYSTEM_CONTENT)),
    ("tools", Each(&TOOL)),
    ("toolConfig", Skip),
    ("tool_config", Skip),
    ("generationConfig", In(&GENERATION)),
    ("generation_config", In(&GENERATION)),
    ("safetySettings", Skip),
    ("safety_settings", Skip),
    ("cachedContent", Skip),
    ("cached_content", Skip),
    ("labels", Any(Metadata)),
    ("serviceTier", Skip),
    ("service_tier", Skip),
    ("store", Skip),
    ("modelArmorConfig", Skip),
    ("model_armor_config", Skip),
]));

pub(super) static CONTENT: Shape =
    Shape::Object(Object::new(&[("role", Skip), ("parts", Each(&PART))]).by_role());
pub(super) static SYSTEM_CONTENT: Shape =
    Shape::Object(Object::new(&[("role", Skip), ("parts", Each(&PART))]).by(System));

/// What a part is, its members tell. A thought is a text with a mark.
pub(super) static PART: Shape = Shape::Object(
    Object::new(&[
        ("text", TextOrPiece),
        ("thought", Skip),
        ("thoughtSignature", Skip),
        ("thought_signature", Skip),
        ("inlineData", In(&BLOB)),
        ("inline_data", In(&BLOB)),
        ("fileData", In(&BLOB)),
        ("file_data", In(&BLOB)),
        ("functionCall", In(&CALL)),
        ("function_call", In(&CALL)),
        ("functionResponse", In(&RESULT)),
        ("function_response", In(&RESULT)),
        ("executableCode", In(&CODE)),
        ("executable_code", In(&CODE)),
        ("codeExecutionResult", In(&OUTPUT)),
        ("code_execution_result", In(&OUTPUT)),
        ("toolCall", In(&CALL)),
        ("tool_call", In(&CALL)),
        ("toolResponse", In(&RESULT)),
        ("tool_response", In(&RESULT)),
        ("audioTranscription", Leaves(Other)),
        ("audio_transcription", Leaves(Other)),
        ("partMetadata", Any(Metadata)),
        ("part_metadata", Any(Metadata)),
        ("speechMetadata", Leaves(Other)),
        ("speech_metadata", Leaves(Other)),
        ("videoMetadata", Skip),
        ("video_metadata", Skip),
        ("audioMetadata", Skip),
        ("audio_metadata", Skip),
        ("documentMetadata", Skip),
        ("document_metadata", Skip),
        ("spreadsheetMetadata", Leaves(Other)),
        ("spreadsheet_metadata", Leaves(Other)),
        ("mediaResolution", Skip),
        ("media_resolution", Skip),
        ("mediaProcessing", Skip),
        ("media_processing", Skip),
    ])
    .by_flag("thought", Reasoning)
    .union(),
);

/// Bytes, or where they are.
static BLOB: Shape = Shape::Object(Object::new(&[
    ("data", Media),
    ("fileUri", Media),
    ("file_uri", Media),
    ("mimeType", Skip),
    ("mime_type", Skip),
    ("displayName", By(FileName)),
    ("display_name", By(FileName)),
]));
/// The model's call of a function, or the provider's of a tool of its own.
static CALL: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("name", Skip),
    ("toolType", Skip),
    ("tool_type", Skip),
    ("args", Any(ToolArguments)),
    // Pieces of arguments by their paths: each path is a string of its own.
    ("partialArgs", Each(&PARTIAL)),
    ("partial_args", Each(&PARTIAL)),
    ("willContinue", Skip),
    ("will_continue", Skip),
]));
static PARTIAL: Shape = Shape::Object(Object::new(&[
    ("jsonPath", Skip),
    ("json_path", Skip),
    ("stringValue", By(ToolArguments)),
    ("string_value", By(ToolArguments)),
    ("numberValue", Skip),
    ("number_value", Skip),
    ("boolValue", Skip),
    ("bool_value", Skip),
    ("nullValue", Skip),
    ("null_value", Skip),
    ("willContinue", Skip),
    ("will_continue", Skip),
]));
static RESULT: Shape = Shape::Object(
    Object::new(&[
        ("id", Skip),
        ("name", Skip),
        ("toolType", Skip),
        ("tool_type", Skip),
        ("response", Any(ToolResult)),
        ("parts", Each(&PART)),
        ("willContinue", Skip),
        ("will_continue", Skip),
        ("scheduling", Skip),
    ])
    .by(ToolResult),
);
static CODE: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("language", Skip),
    ("code", By(ToolArguments)),
]));
static OUTPUT: Shape = Shape::Object(Object::new(&[
    ("id", Skip),
    ("outcome", Skip),
    ("output", By(ToolResult)),
]));

pub(super) static TOOL: Shape = Shape::Object(Object::new(&[
    ("functionDeclarations", Each(&FUNCTION)),
    ("function_declarations", Each(&FUNCTION)),
    ("googleSearch", Leaves(Other)),
    ("google_search", Leaves(Other)),
    ("googleSearchRetrieval", Skip),
    ("google_search_retrieval", Skip),
    ("googleMaps", Leaves(Other)),
    ("google_maps", Leaves(Other)),
    ("codeExecution", Skip),
    ("code_execution", Skip),
    ("urlContext", Skip),
    ("url_context", Skip),
    ("retrieval", Leaves(Other)),
    ("fileSearch", Leaves(Other)),
    ("file_search", Leaves(Other)),
    ("computerUse", Leaves(Other)),
    ("computer_use", Leaves(Other)),
]));
static FUNCTION: Shape = Shape::Object(Object::new(&[
    ("name", Skip),
    ("description", By(ToolDefinition)),
    ("parameters", Leaves(ToolDefinition)),
    ("parametersJsonSchema", Leaves(ToolDefinition)),
    ("parameters_json_schema", Leaves(ToolDefinition)),
    ("response", Leaves(ToolDefinition)),
    ("responseJsonSchema", Leaves(ToolDefinition)),
    ("response_json_schema", Leaves(ToolDefinition)),
    ("behavior", Skip),
]));

pub(super) static GENERATION: Shape = Shape::Object(Object::new(&[
    ("candidateCount", Fact(candidates)),
    ("candidate_count", Fact(candidates)),
    ("maxOutputTokens", Fact(super::openai::max_output_tokens)),
    ("max_output_tokens", Fact(super::openai::max_output_tokens)),
    ("stopSequences", Leaves(Other)),
    ("stop_sequences", Leaves(Other)),
    ("responseMimeType", Skip),
    ("response_mime_type", Skip),
    ("responseSchema", Leaves(ToolDefinition)),
    ("response_schema", Leaves(ToolDefinition)),
    ("responseJsonSchema", Leaves(ToolDefinition)),
    ("response_json_schema", Leaves(ToolDefinition)),
    ("_responseJsonSchema", Leaves(ToolDefinition)),
    ("responseModalities", Skip),
    ("response_modalities", Skip),
    ("responseLogprobs", Skip),
    ("response_logprobs", Skip),
    ("logprobs", Skip),
    ("temperature", Skip),
    ("topP", Skip),
    ("top_p", Skip),
    ("topK", Skip),
    ("top_k", Skip),
    ("seed", Skip),
    ("presencePenalty", Skip),
    ("presence_penalty", Skip),
    ("frequencyPenalty", Skip),
    ("frequency_penalty", Skip),
    ("thinkingConfig", Skip),
    ("thinking_config", Skip),
    ("speechConfig", Skip),
    ("speech_config", Skip),
    ("imageConfig", Skip),
    ("image_config", Skip),
    ("mediaResolution", Skip),
    ("media_resolution", Skip),
    ("audioTimestamp", Skip),
    ("audio_timestamp", Skip),
    ("audioTranscriptionConfig", Leaves(Other)),
    ("audio_transcription_config", Leaves(Other)),
    ("routingConfig", Skip),
    ("routing_config", Skip),
    ("modelSelectionConfig", Skip),
    ("model_selection_config", Skip),
    ("enableEnhancedCivicAnswers", Skip),
    ("enable_enhanced_civic_answers", Skip),
]));

/// Without `alt=sse` what would be a stream is one array of answers, and so is its error.
pub(super) static REPLY: Shape = Shape::Several(&CHUNK);

pub(super) static CHUNK: Shape = Shape::Object(
    Object::new(&[
        ("candidates", Each(&CANDIDATE)),
        ("promptFeedback", FactIn(&FEEDBACK, blocked)),
        ("usageMetadata", Fact(usage)),
        ("modelVersion", Fact(model)),
        ("modelStatus", Leaves(Other)),
        ("responseId", Skip),
        ("createTime", Skip),
        ("error", FactIn(&ERROR, error)),
    ])
    .by(Assistant)
    .also(ends),
);

static CANDIDATE: Shape = Shape::Object(
    Object::new(&[
        ("index", Skip),
        ("content", In(&CONTENT)),
        ("finishReason", Fact(finish_reason)),
        ("finishMessage", By(Other)),
        ("safetyRatings", Skip),
        ("citationMetadata", Leaves(Other)),
        ("groundingMetadata", Leaves(Other)),
        ("groundingAttributions", Leaves(Other)),
        ("urlContextMetadata", Leaves(Other)),
        ("logprobsResult", Blind),
        ("avgLogprobs", Skip),
        ("tokenCount", Skip),
        ("continuationToken", Skip),
    ])
    .group("index")
    .also(|facts, place, candidate| {
        let (calls, finished) = (has_calls(candidate), has_finished(candidate));
        if calls && finished && facts.finish == Some(Finish::Stop) {
            // The API says `STOP` where the model waits for its functions' results.
            facts.finish = Some(Finish::ToolCalls);
        }
        // A call between two texts parts them: what the first still owes is said before it.
        if calls || finished {
            facts.closes = if facts.closes == Closes::Nothing {
                Closes::Group(place.group)
            } else {
                Closes::All
            };
        }
    }),
);
static FEEDBACK: Shape = Shape::Object(Object::new(&[
    ("blockReason", Skip),
    ("blockReasonMessage", By(Other)),
    ("safetyRatings", Skip),
]));

/// `google.rpc.Status`.
pub(super) static ERROR: Shape = Shape::Object(Object::new(&[
    ("code", Skip),
    ("message", By(Other)),
    ("status", Skip),
    ("details", Leaves(Other)),
]));

fn candidates(facts: &mut Facts, value: Value<'_>) -> bool {
    value.as_u64().is_some_and(|count| {
        facts.choices = facts.choices.max(Some(count));
        true
    })
}

fn finish_reason(facts: &mut Facts, value: Value<'_>) -> bool {
    facts.finish = value.text().and_then(|reason| match reason.as_ref() {
        "FINISH_REASON_UNSPECIFIED" => None,
        "STOP" => Some(Finish::Stop),
        "MAX_TOKENS" => Some(Finish::Length),
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Some(Finish::ContentFilter),
        _ => Some(Finish::Other),
    });
    true
}

fn has_calls(candidate: Value<'_>) -> bool {
    let parts = candidate
        .get("content")
        .and_then(|content| content.get("parts"));
    parts.is_some_and(|parts| parts.items().any(|part| part.get("functionCall").is_some()))
}

fn blocked(facts: &mut Facts, feedback: Value<'_>) -> bool {
    if feedback.get("blockReason").is_some() {
        facts.finish = Some(Finish::ContentFilter);
    }
    true
}

fn has_finished(candidate: Value<'_>) -> bool {
    candidate.get("finishReason").is_some_and(|reason| {
        reason.kind() == Kind::String && !reason.is("FINISH_REASON_UNSPECIFIED")
    })
}

/// A stream is through where all candidates of an event have finished, or the prompt was blocked and there are none.
fn ends(facts: &mut Facts, _: Place, chunk: Value<'_>) {
    let blocked = chunk
        .get("promptFeedback")
        .is_some_and(|feedback| feedback.get("blockReason").is_some());
    let mut candidates = chunk.get("candidates").into_iter().flat_map(Value::items);
    let finished = facts.closes != Closes::Nothing && candidates.all(has_finished);
    if blocked || finished {
        facts.terminal = true;
    }
    if blocked || facts.error {
        facts.closes = Closes::All;
    }
}

/// What was cached is counted within `promptTokenCount`; thoughts, and what tools of the provider put into the prompt, stand beside.
pub(super) fn usage(facts: &mut Facts, value: Value<'_>) -> bool {
    let (mut prompt, mut total) = (None, None);
    let (mut cached, mut tools, mut answer, mut thoughts) = (0, 0, 0, 0);
    let (mut prompt_audio, mut cached_audio, mut answer_audio) = (0, 0, 0);
    for (key, count) in value.members() {
        let counted = || count.as_u64().unwrap_or(0);
        match key.text().as_deref().unwrap_or_default() {
            "promptTokenCount" => prompt = count.as_u64(),
            "totalTokenCount" => total = count.as_u64(),
            "cachedContentTokenCount" => cached = counted(),
            "toolUsePromptTokenCount" => tools = counted(),
            "candidatesTokenCount" => answer = counted(),
            "thoughtsTokenCount" => thoughts = counted(),
            "promptTokensDetails" => prompt_audio = audio(count),
            "cacheTokensDetails" => cached_audio = audio(count),
            "candidatesTokensDetails" => answer_audio = audio(count),
            _ => {}
        }
    }
    // Events before the last may say how they were billed, and no number.
    if prompt.or(total).is_none() {
        return true;
    }
    let mut input = Split::of(prompt.unwrap_or(0));
    let mut output = Split::of(answer);
    facts.usage = Some(Usage {
        cached_input: input.take(cached),
        audio_input: input.take(prompt_audio.saturating_sub(cached_audio)),
        input: input.rest.saturating_add(tools),
        audio_output: output.take(answer_audio),
        output: output.rest,
        reasoning: thoughts,
        ..Usage::default()
    });
    true
}

fn audio(details: Value<'_>) -> u64 {
    let audio = details
        .items()
        .filter(|detail| detail.get("modality").is_some_and(|kind| kind.is("AUDIO")));
    let counts = audio.filter_map(|detail| detail.get("tokenCount")?.as_u64());
    counts.fold(0, u64::saturating_add)
}
