//! OpenAI chat completions, with the words of the servers that are compatible with it.

use serde_json::{Value, json};

use super::{Called, Events, Finish, Said, Usage, append, arguments, items, number, text_of};

pub(super) fn read(answer: &Value) -> Said {
    let choice = &answer["choices"][0];
    let message = &choice["message"];
    let mut said = Said {
        id: text_of(&answer["id"]),
        finish: finish(&choice["finish_reason"]),
        refusal: text_of(&message["refusal"]),
        usage: usage(&answer["usage"]),
        ..Said::default()
    };
    match &message["content"] {
        Value::String(text) => said.text.push_str(text),
        parts => items(parts).for_each(|part| part_of(part, &mut said)),
    }
    thinking(message, &mut said);
    for call in items(&message["tool_calls"]) {
        let function = &call["function"];
        said.calls.push(Called {
            id: text_of(&call["id"]),
            name: text_of(&function["name"]),
            arguments: match &function["arguments"] {
                Value::String(text) => arguments(text),
                object => object.clone(),
            },
        });
        let signature = &call["extra_content"]["google"]["thought_signature"];
        said.opaque.extend(signature.as_str().map(str::to_owned));
    }
    for (member, holder) in [
        ("annotations", message),
        ("search_results", answer),
        ("audio", message),
    ] {
        if !holder[member].is_null() && holder[member] != json!([]) {
            said.beside.push(member.to_owned());
        }
    }
    said
}

fn part_of(part: &Value, said: &mut Said) {
    match part["type"].as_str().unwrap_or("text") {
        "text" => said.text += &text_of(&part["text"]),
        // Mistral's.
        "thinking" => {
            items(&part["thinking"]).for_each(|inner| said.reasoning += &text_of(&inner["text"]))
        }
        other => said.beside.push(other.to_owned()),
    }
}

fn thinking(message: &Value, said: &mut Said) {
    let plain = ["reasoning_content", "reasoning"]
        .into_iter()
        .find_map(|member| message[member].as_str());
    let mut detailed = String::new();
    for detail in items(&message["reasoning_details"]) {
        detailed += &text_of(&detail["text"]);
        detailed += &text_of(&detail["summary"]);
        for member in ["signature", "data"] {
            let opaque = detail[member].as_str().filter(|text| !text.is_empty());
            said.opaque.extend(opaque.map(str::to_owned));
        }
    }
    // The same twice: once to be read, once to be sent back.
    said.reasoning += plain.unwrap_or(&detailed);
}

fn finish(reason: &Value) -> Option<Finish> {
    Some(match reason.as_str()? {
        "stop" => Finish::Stop,
        "length" | "model_length" => Finish::Length,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        "content_filter" => Finish::ContentFilter,
        _ => Finish::Error,
    })
}

fn usage(usage: &Value) -> Usage {
    let (input, output) = (
        number(&usage["prompt_tokens"]),
        number(&usage["completion_tokens"]),
    );
    let details = &usage["prompt_tokens_details"];
    Usage {
        input,
        output,
        cached: number(&details["cached_tokens"]),
        written: number(&details["cache_write_tokens"]),
        reasoning: number(&usage["completion_tokens_details"]["reasoning_tokens"]),
    }
}

pub(super) fn assembled(events: &Events<'_>) -> Value {
    let mut answer = json!({"choices": [{"message": {}}]});
    let mut calls: Vec<Value> = Vec::new();
    let mut details: Vec<Value> = Vec::new();
    for (_, chunk) in events {
        for member in ["id", "usage", "search_results"] {
            if !chunk[member].is_null() {
                answer[member] = chunk[member].clone();
            }
        }
        let choice = &chunk["choices"][0];
        let delta = &choice["delta"];
        let message = &mut answer["choices"][0]["message"];
        for member in ["content", "refusal", "reasoning_content", "reasoning"] {
            append(message, member, &delta[member]);
        }
        if delta["content"].is_array() {
            let mut parts = message["parts"].as_array().cloned().unwrap_or_default();
            parts.extend(items(&delta["content"]).cloned());
            message["parts"] = Value::from(parts);
        }
        for member in ["annotations", "audio"] {
            if !delta[member].is_null() {
                message[member] = delta[member].clone();
            }
        }
        items(&delta["tool_calls"]).for_each(|piece| add_call(&mut calls, piece));
        items(&delta["reasoning_details"]).for_each(|piece| add_detail(&mut details, piece));
        if !choice["finish_reason"].is_null() {
            answer["choices"][0]["finish_reason"] = choice["finish_reason"].clone();
        }
    }
    let message = &mut answer["choices"][0]["message"];
    if message["parts"].is_array() {
        // Mistral thinks in parts and goes on in plain texts.
        let mut parts = message["parts"].as_array().cloned().unwrap_or_default();
        parts.push(json!({"type": "text", "text": text_of(&message["content"])}));
        message["content"] = Value::from(parts);
    }
    message["tool_calls"] = Value::from(calls);
    message["reasoning_details"] = Value::from(details);
    answer
}

/// Some servers give every call the index 0, or none: a new id is a new call.
fn add_call(calls: &mut Vec<Value>, piece: &Value) {
    let index = piece["index"].as_u64();
    let id = piece["id"].as_str().filter(|id| !id.is_empty());
    let known = calls.iter().rposition(|call| match id {
        Some(id) => call["id"] == id,
        None => index.is_none() || call["index"].as_u64() == index,
    });
    let at = known.unwrap_or_else(|| {
        calls.push(json!({"index": index, "id": id, "function": {"arguments": ""}}));
        calls.len() - 1
    });
    let Some(call) = calls.get_mut(at) else {
        return;
    };
    let function = &piece["function"];
    if let Some(name) = function["name"].as_str() {
        call["function"]["name"] = Value::from(name);
    }
    if !piece["extra_content"].is_null() {
        call["extra_content"] = piece["extra_content"].clone();
    }
    append(&mut call["function"], "arguments", &function["arguments"]);
}

fn add_detail(details: &mut Vec<Value>, piece: &Value) {
    let same = details
        .iter()
        .rposition(|detail| detail["index"] == piece["index"] && detail["type"] == piece["type"]);
    let Some(detail) = same.and_then(|at| details.get_mut(at)) else {
        return details.push(piece.clone());
    };
    for member in ["text", "summary", "data", "signature"] {
        append(detail, member, &piece[member]);
    }
}
