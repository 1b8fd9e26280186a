//! Gemini generateContent.

use serde_json::{Value, json};

use super::{Called, Events, Finish, Said, Usage, items, number, text_of};

pub(super) fn read(answer: &Value) -> Said {
    let candidate = &answer["candidates"][0];
    let mut said = Said {
        id: text_of(&answer["responseId"]),
        finish: finish(candidate, answer),
        usage: usage(&answer["usageMetadata"]),
        ..Said::default()
    };
    for part in items(&candidate["content"]["parts"]) {
        // One on a part that has no equal elsewhere goes where that part goes.
        let own = part["text"].is_string() || part["functionCall"].is_object();
        let signature = part["thoughtSignature"].as_str().filter(|_| own);
        said.opaque.extend(signature.map(str::to_owned));
        if let Some(text) = part["text"].as_str() {
            if part["thought"] == true {
                said.reasoning += text;
            } else {
                said.text += text;
            }
        } else if part["functionCall"].is_object() {
            let call = &part["functionCall"];
            said.calls.push(Called {
                id: text_of(&call["id"]),
                name: text_of(&call["name"]),
                arguments: match &call["args"] {
                    Value::Null => json!({}),
                    arguments => arguments.clone(),
                },
            });
        } else {
            let kind = part.as_object().and_then(|part| {
                part.keys()
                    .find(|key| *key != "thoughtSignature" && *key != "thought")
            });
            said.beside.extend(kind.cloned());
        }
    }
    for member in ["groundingMetadata", "citationMetadata"] {
        let there = candidate[member].as_object();
        if there.is_some_and(|there| !there.is_empty()) {
            said.beside.push(member.to_owned());
        }
    }
    said
}

fn finish(candidate: &Value, answer: &Value) -> Option<Finish> {
    if answer["promptFeedback"]["blockReason"].is_string() {
        return Some(Finish::ContentFilter);
    }
    Some(match candidate["finishReason"].as_str()? {
        "STOP" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "IMAGE_SAFETY" => {
            Finish::ContentFilter
        }
        _ => Finish::Error,
    })
}

/// Thoughts are apart from candidates, and what tools said from the prompt.
fn usage(usage: &Value) -> Usage {
    let reasoning = number(&usage["thoughtsTokenCount"]);
    Usage {
        input: number(&usage["promptTokenCount"]) + number(&usage["toolUsePromptTokenCount"]),
        output: number(&usage["candidatesTokenCount"]) + reasoning,
        cached: number(&usage["cachedContentTokenCount"]),
        written: 0,
        reasoning,
    }
}

pub(super) fn assembled(events: &Events<'_>) -> Value {
    let mut answer = json!({});
    let mut parts: Vec<Value> = Vec::new();
    let mut candidate = json!({});
    for (_, chunk) in events {
        for member in ["responseId", "promptFeedback", "usageMetadata"] {
            if !chunk[member].is_null() {
                answer[member] = chunk[member].clone();
            }
        }
        let next = &chunk["candidates"][0];
        for member in ["finishReason", "groundingMetadata", "citationMetadata"] {
            if !next[member].is_null() {
                candidate[member] = next[member].clone();
            }
        }
        parts.extend(items(&next["content"]["parts"]).cloned());
    }
    candidate["content"]["parts"] = Value::from(parts);
    answer["candidates"] = json!([candidate]);
    answer
}
