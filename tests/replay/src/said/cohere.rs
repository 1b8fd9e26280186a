//! Cohere chat, version 2.

use serde_json::{Value, json};

use super::{Called, Events, Finish, Said, Usage, append, arguments, items, number, text_of};

pub(super) fn read(answer: &Value) -> Said {
    let message = &answer["message"];
    let mut said = Said {
        id: text_of(&answer["id"]),
        finish: finish(&answer["finish_reason"]),
        usage: usage(&answer["usage"]),
        // What the model means to do with its tools, before it calls them.
        reasoning: text_of(&message["tool_plan"]),
        ..Said::default()
    };
    for part in items(&message["content"]) {
        match part["type"].as_str().unwrap_or_default() {
            "text" => said.text += &text_of(&part["text"]),
            "thinking" => said.reasoning += &text_of(&part["thinking"]),
            other => said.beside.push(other.to_owned()),
        }
    }
    for call in items(&message["tool_calls"]) {
        said.calls.push(Called {
            id: text_of(&call["id"]),
            name: text_of(&call["function"]["name"]),
            arguments: arguments(&text_of(&call["function"]["arguments"])),
        });
    }
    if items(&message["citations"]).next().is_some() {
        said.beside.push("citations".to_owned());
    }
    said
}

fn finish(reason: &Value) -> Option<Finish> {
    Some(match reason.as_str()? {
        "COMPLETE" | "STOP_SEQUENCE" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        "TOOL_CALL" => Finish::ToolCalls,
        _ => Finish::Error,
    })
}

fn usage(usage: &Value) -> Usage {
    let tokens = if usage["tokens"].is_object() {
        &usage["tokens"]
    } else {
        &usage["billed_units"]
    };
    Usage {
        // Pictures are counted apart.
        input: number(&tokens["input_tokens"]) + number(&tokens["image_tokens"]),
        output: number(&tokens["output_tokens"]),
        cached: number(&usage["cached_tokens"]),
        written: 0,
        reasoning: number(&tokens["reasoning_tokens"]),
    }
}

pub(super) fn assembled(events: &Events<'_>) -> Value {
    let mut answer = json!({"message": {}});
    let (mut parts, mut calls): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut citations: Vec<Value> = Vec::new();
    for (_, event) in events {
        let message = &event["delta"]["message"];
        match event["type"].as_str().unwrap_or_default() {
            "message-start" => answer["id"] = event["id"].clone(),
            "content-start" => parts.push(message["content"].clone()),
            "content-delta" => {
                if let Some(part) = parts.last_mut() {
                    for member in ["text", "thinking"] {
                        append(part, member, &message["content"][member]);
                    }
                }
            }
            "tool-plan-delta" => {
                append(&mut answer["message"], "tool_plan", &message["tool_plan"]);
            }
            "tool-call-start" => calls.push(message["tool_calls"].clone()),
            "tool-call-delta" => {
                if let Some(call) = calls.last_mut() {
                    let piece = &message["tool_calls"]["function"]["arguments"];
                    append(&mut call["function"], "arguments", piece);
                }
            }
            "citation-start" => citations.push(message["citations"].clone()),
            "message-end" => {
                answer["finish_reason"] = event["delta"]["finish_reason"].clone();
                answer["usage"] = event["delta"]["usage"].clone();
            }
            _ => {}
        }
    }
    answer["message"]["content"] = Value::from(parts);
    answer["message"]["tool_calls"] = Value::from(calls);
    answer["message"]["citations"] = Value::from(citations);
    answer
}
