//! Requests that nobody recorded: one for each thing that a client may say beside its conversation.

use serde_json::{Map, Value, json};

use crate::api::{Api, IN};

/// One request.
#[derive(Clone, Debug)]
pub struct Made {
    /// What it is about.
    pub name: String,
    /// Whose words it is in.
    pub api: Api,
    /// What is asked.
    pub request: Value,
}

/// All of them.
#[must_use]
pub fn made() -> Vec<Made> {
    IN.into_iter().flat_map(of).collect()
}

fn of(api: Api) -> Vec<Made> {
    let told: Map<String, Value> = serde_json::from_str(text(api)).unwrap_or_default();
    let made = told.into_iter().map(|(name, beside)| {
        let mut request = least(api);
        for (key, value) in beside.as_object().into_iter().flatten() {
            request[key] = value.clone();
        }
        Made { name, api, request }
    });
    made.collect()
}

fn text(api: Api) -> &'static str {
    match api {
        Api::Chat => include_str!("../../made/openai_chat.json"),
        Api::Responses => include_str!("../../made/openai_responses.json"),
        Api::Completions => include_str!("../../made/openai_completions.json"),
        Api::Anthropic => include_str!("../../made/anthropic_messages.json"),
        Api::Gemini => include_str!("../../made/gemini.json"),
        Api::Converse | Api::Cohere | Api::Ollama => "{}",
    }
}

/// The least that can be asked.
fn least(api: Api) -> Value {
    match api {
        Api::Responses => json!({"model": "m", "input": "a"}),
        Api::Completions => json!({"model": "m", "prompt": "a"}),
        Api::Anthropic => {
            json!({"model": "m", "max_tokens": 900, "messages": [{"role": "user", "content": "a"}]})
        }
        Api::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}]}),
        Api::Chat | Api::Converse | Api::Cohere | Api::Ollama => {
            json!({"model": "m", "messages": [{"role": "user", "content": "a"}]})
        }
    }
}
