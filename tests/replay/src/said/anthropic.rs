//! Anthropic messages.

use serde_json::{Value, json};

use super::{Called, Events, Finish, Said, Usage, append, arguments, items, number, text_of};

pub(super) fn read(answer: &Value) -> Said {
    let mut said = Said {
        id: text_of(&answer["id"]),
        finish: finish(&answer["stop_reason"]),
        usage: usage(&answer["usage"]),
        ..Said::default()
    };
    if said.finish == Some(Finish::ContentFilter) {
        said.refusal = text_of(&answer["stop_details"]["explanation"]);
    }
    for block in items(&answer["content"]) {
        match block["type"].as_str().unwrap_or_default() {
            "text" => {
                said.text += &text_of(&block["text"]);
                if items(&block["citations"]).next().is_some() {
                    said.beside.push("citations".to_owned());
                }
            }
            "thinking" => {
                said.reasoning += &text_of(&block["thinking"]);
                let signature = block["signature"].as_str().filter(|text| !text.is_empty());
                said.opaque.extend(signature.map(str::to_owned));
            }
            "redacted_thinking" => said.opaque.push(text_of(&block["data"])),
            "tool_use" => said.calls.push(Called {
                id: text_of(&block["id"]),
                name: text_of(&block["name"]),
                arguments: block["input"].clone(),
            }),
            other => said.beside.push(other.to_owned()),
        }
    }
    said
}

fn finish(reason: &Value) -> Option<Finish> {
    Some(match reason.as_str()? {
        "end_turn" | "stop_sequence" | "pause_turn" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::ContentFilter,
        _ => Finish::Error,
    })
}

fn usage(usage: &Value) -> Usage {
    let (cached, written) = (
        number(&usage["cache_read_input_tokens"]),
        number(&usage["cache_creation_input_tokens"]),
    );
    Usage {
        input: number(&usage["input_tokens"]) + cached + written,
        output: number(&usage["output_tokens"]),
        cached,
        written,
        reasoning: number(&usage["output_tokens_details"]["thinking_tokens"]),
    }
}

pub(super) fn assembled(events: &Events<'_>) -> Value {
    let mut message = json!({});
    let mut blocks: Vec<Value> = Vec::new();
    for (_, event) in events {
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => blocks.push(event["content_block"].clone()),
            "content_block_delta" => {
                let at = usize::try_from(number(&event["index"])).unwrap_or(usize::MAX);
                if let Some(block) = blocks.get_mut(at) {
                    add(block, &event["delta"]);
                }
            }
            "message_delta" => {
                for member in ["stop_reason", "stop_sequence", "stop_details"] {
                    if !event["delta"][member].is_null() {
                        message[member] = event["delta"][member].clone();
                    }
                }
                for (member, value) in event["usage"].as_object().into_iter().flatten() {
                    // The SDK counts what the last event says, where it says something.
                    if !value.is_null() {
                        message["usage"][member] = value.clone();
                    }
                }
            }
            _ => {}
        }
    }
    for block in &mut blocks {
        if let Some(json) = block["json"].as_str() {
            block["input"] = arguments(json);
        }
    }
    message["content"] = Value::from(blocks);
    message
}

fn add(block: &mut Value, delta: &Value) {
    for member in ["text", "thinking", "signature"] {
        append(block, member, &delta[member]);
    }
    append(block, "json", &delta["partial_json"]);
    if !delta["citation"].is_null() {
        let mut citations = block["citations"].as_array().cloned().unwrap_or_default();
        citations.push(delta["citation"].clone());
        block["citations"] = Value::from(citations);
    }
}
