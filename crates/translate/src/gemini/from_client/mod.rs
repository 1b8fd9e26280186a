//! Reading a request.

mod calls;
mod config;
mod contents;
mod media;
mod schema;
mod tools;

use std::borrow::Cow;

use bartizan_core::json::Value;
use bartizan_core::{Document, Refusal};

use super::fields::fields;
use crate::losses::Losses;
use crate::neutral::{Ask, Names, Str};
use crate::read::{Place, Unknown, unknown};

/// What Gemini calls what OpenAI calls otherwise.
const NAMES: Names = &[
    ("messages", "contents"),
    ("messages.system", "systemInstruction"),
    ("messages.reasoning_content", "contents.parts.thought"),
    (
        "messages.reasoning_details",
        "contents.parts.thoughtSignature",
    ),
    (
        "messages.tool_calls.extra_content",
        "contents.parts.thoughtSignature",
    ),
    (
        "messages.is_error",
        "contents.parts.functionResponse.response.error",
    ),
    ("messages.file", "contents.parts.fileData"),
    ("messages.server_tool_use", "contents.parts.executableCode"),
    (
        "messages.server_tool_result",
        "contents.parts.codeExecutionResult",
    ),
    (
        "messages.image_url.detail",
        "contents.parts.mediaResolution",
    ),
    (
        "messages.file.filename",
        "contents.parts.inlineData.displayName",
    ),
    ("tool_choice", "toolConfig.functionCallingConfig"),
    ("max_tokens", "generationConfig.maxOutputTokens"),
    ("max_completion_tokens", "generationConfig.maxOutputTokens"),
    ("temperature", "generationConfig.temperature"),
    ("top_p", "generationConfig.topP"),
    ("top_k", "generationConfig.topK"),
    ("stop", "generationConfig.stopSequences"),
    ("seed", "generationConfig.seed"),
    ("presence_penalty", "generationConfig.presencePenalty"),
    ("frequency_penalty", "generationConfig.frequencyPenalty"),
    ("logprobs", "generationConfig.responseLogprobs"),
    ("top_logprobs", "generationConfig.logprobs"),
    ("reasoning_effort", "generationConfig.thinkingConfig"),
    (
        "reasoning.exclude",
        "generationConfig.thinkingConfig.includeThoughts",
    ),
    ("response_format", "generationConfig.responseSchema"),
    ("safety_settings", "safetySettings"),
    ("service_tier", "serviceTier"),
    ("metadata", "labels"),
];

/// `generateContent` and `streamGenerateContent`: the model and which of the two it is stand in the path.
pub(crate) fn decode<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    let facts = document.facts();
    let mut ask = request(&Place::Root, document.json().root(), policy, losses)?;
    ask.model = model(document)?;
    ask.stream = facts.stream;
    Ok(ask)
}

/// The model that the path names.
pub(super) fn model(document: &Document) -> Result<Str<'_>, Refusal> {
    let named = document.facts().model.as_deref();
    named
        .filter(|model| !model.is_empty())
        .map(Cow::Borrowed)
        .ok_or_else(|| Place::In(&Place::Root, "model").invalid("needed in the path"))
}

/// The request itself, which a count of tokens may hold inside.
pub(super) fn request<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    let mut ask = Ask {
        names: NAMES,
        // Its streams always say it.
        stream_usage: true,
        ..Ask::default()
    };
    let mut system = None;
    for (key, value) in fields(here, value)? {
        let there = Place::In(here, &key);
        match key.as_ref() {
            // The path's counts.
            "model" => {}
            "contents" => ask.turns = contents::decode(&there, value, policy, losses)?,
            "systemInstruction" => {
                system = contents::instructions(&there, value, policy, losses)?;
            }
            "tools" => ask.tools = tools::decode(&there, value, policy, losses)?,
            "toolConfig" => ask.choice = tools::config(&there, value, policy, losses)?,
            "generationConfig" => config::decode(&there, value, &mut ask, policy, losses)?,
            "safetySettings" => {
                ask.wishes.add("safety_settings", value);
            }
            "labels" => {
                ask.wishes.add("metadata", value);
            }
            "store" => {
                ask.wishes.add("store", value);
            }
            "serviceTier" => {
                let tier = match there.text(value)?.to_ascii_lowercase().as_str() {
                    "unspecified" => continue,
                    "standard" => r#""default""#,
                    "flex" => r#""flex""#,
                    "priority" => r#""priority""#,
                    _ => return Err(there.invalid("standard, flex or priority")),
                };
                ask.wishes.make("service_tier", tier);
            }
            "cachedContent" => {
                let says = "what is cached lies at Google, and this provider can't read it";
                return Err(there.unsupported(says));
            }
            "modelArmorConfig" => {
                return Err(there.unsupported("Model Armor has no equivalent at the provider"));
            }
            name => unknown(here, policy, losses, name)?,
        }
    }
    if ask.turns.is_empty() {
        return Err(Place::In(here, "contents").invalid("at least one content"));
    }
    if let Some(system) = system {
        ask.turns.insert(0, system);
    }
    Ok(ask)
}
