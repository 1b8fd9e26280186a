//! The rooms of this dialect against one another: recorded answers, and the oddities of those that have taken the API over.

use bartizan_core::{Dialect, Direction, Document, Out};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::dialects::{Reader as _, Writer as _};
use crate::identity::{recorded, stream, whole};
use crate::names::ToolNames;
use crate::neutral::Ask;

mod identity;
mod reading;

const API: Dialect = Dialect::OpenAiChat;

const RECORDED: [&str; 7] = [
    "openai.chat",
    "azure.chat",
    "deepseek.chat",
    "openrouter.chat",
    "mistral.chat",
    "perplexity.chat",
    "bedrock.chat",
];

fn text(content: &Value, kind: &str) -> String {
    match content {
        Value::String(text) if kind == "text" => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .map(|part| match &part["thinking"] {
                thoughts @ Value::Array(_) if kind == "thinking" => text(thoughts, "text"),
                _ if kind == "text" => part["text"].as_str().unwrap_or_default().to_owned(),
                _ => String::new(),
            })
            .collect(),
        _ => String::new(),
    }
}

/// What an answer says, put together from one choice's message.
fn said(answer: &Value) -> Value {
    let choice = &answer["choices"][0];
    let message = &choice["message"];
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let calls: Vec<Value> = message["tool_calls"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|call| {
            let arguments = string(&call["function"]["arguments"]);
            let input: Value = serde_json::from_str(&arguments).unwrap_or(json!({}));
            json!([call["id"], call["function"]["name"], input])
        })
        .collect();
    let mut thoughts = string(&message["reasoning_content"]);
    if thoughts.is_empty() {
        thoughts = string(&message["reasoning"]);
    }
    if thoughts.is_empty() {
        thoughts = text(&message["content"], "thinking");
    }
    let details = || {
        message["reasoning_details"]
            .as_array()
            .into_iter()
            .flatten()
    };
    if thoughts.is_empty() {
        thoughts = details()
            .map(|detail| string(&detail["text"]) + &string(&detail["summary"]))
            .collect();
    }
    let opaque: Vec<Value> = details()
        .flat_map(|detail| [detail["signature"].clone(), detail["data"].clone()])
        .filter(|opaque| !opaque.is_null())
        .collect();
    let mut cited: Vec<Value> = message["annotations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|annotation| annotation["url_citation"]["url"].clone())
        .collect();
    if cited.is_empty() {
        cited.extend(
            answer["citations"]
                .as_array()
                .into_iter()
                .flatten()
                .cloned(),
        );
    }
    let usage = &answer["usage"];
    let count = |path: &str| usage.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let (prompt, mut completion) = (count("/prompt_tokens"), count("/completion_tokens"));
    let reasoning = count("/completion_tokens_details/reasoning_tokens");
    if reasoning > 0 && count("/total_tokens") == prompt + completion + reasoning {
        // xAI counts it apart.
        completion += reasoning;
    }
    let finish = match &choice["finish_reason"] {
        reason if reason == "stop" && !calls.is_empty() => json!("tool_calls"),
        reason => reason.clone(),
    };
    json!({
        "id": answer["id"],
        "model": answer["model"],
        "text": text(&message["content"], "text"),
        "refusal": string(&message["refusal"]),
        "thoughts": thoughts,
        "opaque": opaque,
        "calls": calls,
        "cited": cited,
        "finish": finish,
        "usage": [
            prompt,
            // One of them says more than there is.
            count("/prompt_tokens_details/cached_tokens").min(prompt),
            count("/prompt_tokens_details/cache_write_tokens"),
            completion,
        ],
    })
}

fn append(to: &mut Value, piece: &Value) {
    if let Some(piece) = piece.as_str() {
        let before = to.as_str().unwrap_or_default();
        *to = format!("{before}{piece}").into();
    }
}

/// Puts a stream's chunks together, as a client does.
fn gather(chunks: impl Iterator<Item = Value>) -> Value {
    let mut whole = json!({"choices": [{"message": {}, "finish_reason": null}]});
    for chunk in chunks {
        for key in ["id", "model", "usage", "citations"] {
            if !chunk[key].is_null() && chunk[key] != "" {
                whole[key] = chunk[key].clone();
            }
        }
        let Some(choice) = chunk["choices"].get(0) else {
            continue;
        };
        if !choice["finish_reason"].is_null() {
            whole["choices"][0]["finish_reason"] = choice["finish_reason"].clone();
        }
        let delta = &choice["delta"];
        let message = &mut whole["choices"][0]["message"];
        append(
            &mut message["content"],
            &text(&delta["content"], "text").into(),
        );
        append(&mut message["refusal"], &delta["refusal"]);
        append(
            &mut message["reasoning_content"],
            &delta["reasoning_content"],
        );
        append(&mut message["reasoning"], &delta["reasoning"]);
        append(
            &mut message["reasoning"],
            &text(&delta["content"], "thinking").into(),
        );
        for key in ["reasoning_details", "annotations"] {
            let mut all = message[key].as_array().cloned().unwrap_or_default();
            all.extend(delta[key].as_array().into_iter().flatten().cloned());
            message[key] = all.into();
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = call["index"].as_u64().unwrap() as usize;
            if message["tool_calls"].get(index).is_none() {
                let mut all = message["tool_calls"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                all.push(json!({"function": {}}));
                message["tool_calls"] = all.into();
            }
            let whole = &mut message["tool_calls"][index];
            // Some say id and name again with every piece.
            if whole["id"].is_null() {
                whole["id"] = call["id"].clone();
            }
            if whole["function"]["name"].is_null() {
                whole["function"]["name"] = call["function"]["name"].clone();
            }
            append(
                &mut whole["function"]["arguments"],
                &call["function"]["arguments"],
            );
        }
    }
    whole
}

fn data(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter(|data| data.trim() != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// Fact by fact, for a message that can be read.
fn same(after: &Value, before: &Value, from: &Value) {
    for (fact, before) in before.as_object().unwrap() {
        assert_eq!(&after[fact], before, "{fact} of {from}");
    }
}

/// A reader as a request without names of its own sets it up.
fn reader(hidden_tool: bool) -> from_provider::Events {
    from_provider::Events::new(from_provider::Setup {
        names: ToolNames::default(),
        hidden_tool,
        ends_unsaid: false,
    })
}

fn writer() -> ToClient {
    let asked = Ask {
        stream_usage: true,
        ..Ask::default()
    };
    ToClient::new(0, &asked)
}
