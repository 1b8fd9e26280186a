//! What clients rely on in a stream beyond its words: order, numbers, names, ends.

use serde_json::Value;

use crate::api::Api;
use crate::frames::Frame;

/// What is wrong with a stream that ended well; nothing where it keeps its API's protocol.
#[must_use]
pub fn faults(api: Api, frames: &[Frame]) -> Vec<String> {
    let mut faults = Faults::default();
    let events: Vec<Value> = frames
        .iter()
        .filter_map(|frame| serde_json::from_str(&frame.data).ok())
        .collect();
    match api {
        Api::Chat => chat(frames, &events, &mut faults),
        Api::Completions => completions(frames, &events, &mut faults),
        Api::Responses => responses(frames, &events, &mut faults),
        Api::Anthropic => anthropic(frames, &events, &mut faults),
        Api::Gemini => gemini(&events, &mut faults),
        Api::Converse | Api::Cohere | Api::Ollama => {}
    }
    faults.0
}

/// Whether a stream ends as one that is whole does.
#[must_use]
pub fn ends_well(api: Api, frames: &[Frame]) -> bool {
    let Some(last) = frames.last() else {
        return false;
    };
    let event: Value = serde_json::from_str(&last.data).unwrap_or_default();
    match api {
        Api::Chat | Api::Completions => last.data == "[DONE]",
        Api::Responses => {
            let kind = event["type"].as_str().unwrap_or_default();
            matches!(kind, "response.completed" | "response.incomplete")
        }
        Api::Anthropic => event["type"] == "message_stop",
        // Gemini has no word for the end: it is the end of the stream behind a finish reason.
        Api::Gemini => event["error"].is_null(),
        Api::Converse | Api::Cohere | Api::Ollama => false,
    }
}

/// Whether a stream says that it failed, in its API's own words, and nothing after it.
#[must_use]
pub fn ends_in_error(api: Api, frames: &[Frame]) -> bool {
    let Some(last) = frames.last() else {
        return false;
    };
    let event: Value = serde_json::from_str(&last.data).unwrap_or_default();
    match api {
        Api::Chat | Api::Completions | Api::Gemini => event["error"].is_object(),
        Api::Responses => {
            event["type"] == "error"
                || event["type"] == "response.failed" && last.name == "response.failed"
        }
        Api::Anthropic => {
            last.name == "error" && event["type"] == "error" && event["error"]["type"].is_string()
        }
        Api::Converse | Api::Cohere | Api::Ollama => false,
    }
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn unless(&mut self, holds: bool, fault: impl Into<String>) {
        let fault = fault.into();
        if !holds && !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }
}

fn one_id(events: &[Value], faults: &mut Faults) {
    let ids = events.iter().map(|event| &event["id"]);
    let ids: Vec<&Value> = ids.collect();
    let same = ids.windows(2).all(|pair| pair.first() == pair.last());
    faults.unless(same, "chunks have different ids");
    faults.unless(ids.iter().all(|id| id.is_string()), "a chunk has no id");
}

fn chat(frames: &[Frame], events: &[Value], faults: &mut Faults) {
    faults.unless(
        frames.last().is_some_and(|last| last.data == "[DONE]"),
        "no [DONE] at the end",
    );
    one_id(events, faults);
    let role = events
        .first()
        .map(|first| &first["choices"][0]["delta"]["role"]);
    faults.unless(
        role.is_some_and(|role| role == "assistant"),
        "the first delta has no role",
    );
    let (mut finished, mut counted, mut calls) = (false, false, 0);
    for chunk in events {
        faults.unless(
            chunk["object"] == "chat.completion.chunk",
            "a chunk is called otherwise",
        );
        faults.unless(
            chunk["created"].is_u64() && chunk["model"].is_string(),
            "a chunk lacks created or model",
        );
        faults.unless(chunk["choices"].is_array(), "a chunk has no choices");
        faults.unless(!counted, "something comes after the usage");
        if chunk["usage"].is_object() {
            counted = true;
            faults.unless(
                chunk["choices"] == Value::Array(Vec::new()),
                "usage beside a choice",
            );
            continue;
        }
        faults.unless(!finished, "something comes after the finish reason");
        let choice = &chunk["choices"][0];
        finished |= choice["finish_reason"].is_string();
        faults.unless(
            choice["delta"].is_object() && choice["index"] == 0,
            "a choice without delta or index",
        );
        for list in ["annotations", "reasoning_details"] {
            let items = choice["delta"][list].as_array().into_iter().flatten();
            let numbered = items.into_iter().all(|item| item["index"].is_u64());
            faults.unless(numbered, format!("{list} without an index"));
        }
        for call in choice["delta"]["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let index = call["index"].as_u64();
            if call["id"].is_string() {
                faults.unless(index == Some(calls), "calls are not numbered in order");
                faults.unless(
                    call["type"] == "function" && call["function"]["name"].is_string(),
                    "a call begins without type or name",
                );
                calls += 1;
            } else {
                faults.unless(
                    index.is_some_and(|index| index < calls),
                    "a piece of no call",
                );
                faults.unless(call["function"]["name"].is_null(), "a call is named twice");
            }
        }
    }
    faults.unless(finished, "no finish reason");
    faults.unless(counted, "no usage, which was asked for");
}

fn completions(frames: &[Frame], events: &[Value], faults: &mut Faults) {
    faults.unless(
        frames.last().is_some_and(|last| last.data == "[DONE]"),
        "no [DONE] at the end",
    );
    one_id(events, faults);
    let mut finished = false;
    for chunk in events {
        faults.unless(
            chunk["object"] == "text_completion",
            "a chunk is called otherwise",
        );
        faults.unless(chunk["choices"].is_array(), "a chunk has no choices");
        for choice in chunk["choices"].as_array().into_iter().flatten() {
            faults.unless(
                choice["text"].is_string() && choice["index"].is_u64(),
                "a choice without text or index",
            );
            finished |= choice["finish_reason"].is_string();
        }
    }
    faults.unless(finished, "no finish reason");
    let usage = events.last().is_some_and(|last| last["usage"].is_object());
    faults.unless(usage, "no usage, which was asked for");
}

fn responses(frames: &[Frame], events: &[Value], faults: &mut Faults) {
    for (at, (frame, event)) in frames.iter().zip(events).enumerate() {
        let kind = event["type"].as_str().unwrap_or_default();
        faults.unless(frame.name == kind, "an event's name is not its type");
        let number = event["sequence_number"]
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        faults.unless(number == Some(at), "sequence numbers don't count up from 0");
    }
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap_or_default())
        .collect();
    faults.unless(
        kinds.first() == Some(&"response.created"),
        "response.created does not come first",
    );
    let last = kinds.last().copied().unwrap_or_default();
    let terminal = |kind: &str| {
        matches!(
            kind,
            "response.completed" | "response.incomplete" | "response.failed"
        )
    };
    faults.unless(terminal(last), "no terminal event at the end");
    faults.unless(
        kinds.iter().filter(|kind| terminal(kind)).count() <= 1,
        "two terminal events",
    );
    let mut items: Vec<Item> = Vec::new();
    for event in events {
        item(event, &mut items, faults);
    }
    let Some(end) = events.last() else { return };
    let output = end["response"]["output"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    faults.unless(
        output.len() == items.len(),
        "the last event has other items than the stream",
    );
    for (item, whole) in items.iter().zip(&output) {
        faults.unless(
            item.done.as_ref() == Some(whole),
            "an item differs between its end and the last event",
        );
    }
    faults.unless(
        end["response"]["usage"].is_object(),
        "no usage in the last event",
    );
}

#[derive(Default)]
struct Item {
    id: Value,
    said: String,
    done: Option<Value>,
}

fn item(event: &Value, items: &mut Vec<Item>, faults: &mut Faults) {
    let kind = event["type"].as_str().unwrap_or_default();
    let at = event["output_index"]
        .as_u64()
        .and_then(|at| usize::try_from(at).ok());
    if kind == "response.output_item.added" {
        faults.unless(at == Some(items.len()), "items are not numbered in order");
        faults.unless(event["item"]["id"].is_string(), "an item has no id");
        items.push(Item {
            id: event["item"]["id"].clone(),
            ..Item::default()
        });
        return;
    }
    let Some(at) = at else { return };
    let Some(item) = items.get_mut(at) else {
        return faults.unless(false, "an event of an item that was not added");
    };
    faults.unless(item.done.is_none(), "an event of an item that was done");
    if kind == "response.output_item.done" {
        faults.unless(event["item"]["id"] == item.id, "an item changes its id");
        item.done = Some(event["item"].clone());
        return;
    }
    faults.unless(
        event["item_id"] == item.id,
        "an event names another item than its index",
    );
    if let Some(delta) = event["delta"].as_str() {
        item.said += delta;
    }
    for whole in ["text", "arguments", "refusal"] {
        if kind.ends_with(".done")
            && let Some(text) = event[whole].as_str()
        {
            faults.unless(item.said == text, "an end tells otherwise than its deltas");
            item.said.clear();
        }
    }
}

fn anthropic(frames: &[Frame], events: &[Value], faults: &mut Faults) {
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap_or_default())
        .collect();
    for (frame, kind) in frames.iter().zip(&kinds) {
        faults.unless(frame.name == *kind, "an event's name is not its type");
    }
    let without_pings: Vec<&str> = kinds.into_iter().filter(|kind| *kind != "ping").collect();
    faults.unless(
        without_pings.first() == Some(&"message_start"),
        "message_start does not come first",
    );
    faults.unless(
        without_pings.last() == Some(&"message_stop"),
        "message_stop does not come last",
    );
    let deltas = without_pings
        .iter()
        .filter(|kind| **kind == "message_delta")
        .count();
    faults.unless(deltas == 1, format!("{deltas} message_delta"));
    let (mut next, mut open) = (0, None);
    for event in events {
        let at = event["index"].as_u64();
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => {
                let message = &event["message"];
                let whole = message["id"].is_string()
                    && message["type"] == "message"
                    && message["role"] == "assistant"
                    && message["content"] == Value::Array(Vec::new())
                    && message["model"].is_string()
                    && message["usage"]["input_tokens"].is_u64()
                    && message["usage"]["output_tokens"].is_u64();
                faults.unless(whole, "message_start is not whole");
            }
            "content_block_start" => {
                faults.unless(open.is_none(), "a block begins in another");
                faults.unless(at == Some(next), "blocks are not numbered in order");
                faults.unless(
                    event["content_block"]["type"].is_string(),
                    "a block has no type",
                );
                open = at;
                next += 1;
            }
            "content_block_delta" => {
                faults.unless(at.is_some() && at == open, "a delta of no open block");
            }
            "content_block_stop" => {
                faults.unless(at.is_some() && at == open, "the end of no open block");
                open = None;
            }
            "message_delta" => {
                faults.unless(open.is_none(), "message_delta in a block");
                faults.unless(
                    event["delta"]["stop_reason"].is_string(),
                    "message_delta without stop_reason",
                );
                faults.unless(
                    event["usage"]["output_tokens"].is_u64(),
                    "message_delta without usage",
                );
            }
            _ => {}
        }
    }
}

fn gemini(events: &[Value], faults: &mut Faults) {
    let finished: Vec<bool> = events
        .iter()
        .map(|chunk| {
            chunk["candidates"][0]["finishReason"].is_string()
                || chunk["promptFeedback"]["blockReason"].is_string()
        })
        .collect();
    faults.unless(
        finished.last() == Some(&true),
        "the last chunk has no finishReason",
    );
    let early = finished.iter().rev().skip(1).any(|finished| *finished);
    faults.unless(!early, "something comes after the finishReason");
    for chunk in events {
        for candidate in chunk["candidates"].as_array().into_iter().flatten() {
            let parts = &candidate["content"]["parts"];
            faults.unless(parts.is_null() || parts.is_array(), "parts is no list");
            faults.unless(
                candidate["content"].is_null() || candidate["content"]["role"] == "model",
                "content is not the model's",
            );
        }
        faults.unless(
            chunk["responseId"].is_string() && chunk["modelVersion"].is_string(),
            "a chunk lacks responseId or modelVersion",
        );
    }
    let usage = events
        .last()
        .is_some_and(|last| last["usageMetadata"]["totalTokenCount"].is_u64());
    faults.unless(usage, "no usage in the last chunk");
}
