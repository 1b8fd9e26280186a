//! OpenAI responses.

use serde_json::{Value, json};

use super::{Called, Events, Finish, Said, Usage, append, arguments, items, number, text_of};

pub(super) fn read(answer: &Value) -> Said {
    let mut said = Said {
        id: text_of(&answer["id"]),
        finish: finish(answer),
        usage: usage(&answer["usage"]),
        ..Said::default()
    };
    for item in items(&answer["output"]) {
        match item["type"].as_str().unwrap_or_default() {
            "message" => items(&item["content"]).for_each(|part| part_of(part, &mut said)),
            "reasoning" => {
                for part in items(&item["summary"]).chain(items(&item["content"])) {
                    said.reasoning += &text_of(&part["text"]);
                }
                let opaque = item["encrypted_content"].as_str();
                let opaque = opaque.filter(|text| !text.is_empty());
                said.opaque.extend(opaque.map(str::to_owned));
            }
            "function_call" => said.calls.push(Called {
                id: text_of(&item["call_id"]),
                name: text_of(&item["name"]),
                arguments: arguments(&text_of(&item["arguments"])),
            }),
            other => said.beside.push(other.to_owned()),
        }
    }
    said
}

fn part_of(part: &Value, said: &mut Said) {
    match part["type"].as_str().unwrap_or_default() {
        "output_text" => {
            said.text += &text_of(&part["text"]);
            if items(&part["annotations"]).next().is_some() {
                said.beside.push("annotations".to_owned());
            }
        }
        "refusal" => said.refusal += &text_of(&part["refusal"]),
        other => said.beside.push(other.to_owned()),
    }
}

fn finish(answer: &Value) -> Option<Finish> {
    Some(match answer["status"].as_str()? {
        "completed" => Finish::Stop,
        "incomplete" => match answer["incomplete_details"]["reason"].as_str() {
            Some("content_filter") => Finish::ContentFilter,
            Some(_) => Finish::Length,
            // It ended, and nobody knows why.
            None => return None,
        },
        "in_progress" | "queued" => return None,
        _ => Finish::Error,
    })
}

fn usage(usage: &Value) -> Usage {
    let details = &usage["input_tokens_details"];
    Usage {
        input: number(&usage["input_tokens"]),
        output: number(&usage["output_tokens"]),
        cached: number(&details["cached_tokens"]),
        written: number(&details["cache_write_tokens"]),
        reasoning: number(&usage["output_tokens_details"]["reasoning_tokens"]),
    }
}

/// From the deltas and the items; only what stands nowhere else is taken from the last event.
pub(super) fn assembled(events: &Events<'_>) -> Value {
    let mut answer = json!({});
    let mut items: Vec<Value> = Vec::new();
    for (_, event) in events {
        let at = usize::try_from(number(&event["output_index"])).unwrap_or(usize::MAX);
        match event["type"].as_str().unwrap_or_default() {
            "response.created" | "response.in_progress" => answer = event["response"].clone(),
            "response.output_item.added" => {
                items.push(json!({"type": event["item"]["type"]}));
                if let Some(item) = items.get_mut(at) {
                    *item = event["item"].clone();
                    item["deltas"] = json!([]);
                }
            }
            "response.output_item.done" => {
                if let Some(item) = items.get_mut(at) {
                    finished(item, &event["item"]);
                }
            }
            "response.function_call_arguments.delta" => {
                if let Some(item) = items.get_mut(at) {
                    append(item, "written", &event["delta"]);
                }
            }
            "response.output_text.delta"
            | "response.refusal.delta"
            | "response.reasoning_text.delta"
            | "response.reasoning_summary_text.delta" => {
                if let Some(item) = items.get_mut(at) {
                    append(item, "said", &event["delta"]);
                }
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                answer = event["response"].clone();
            }
            _ => {}
        }
    }
    answer["output"] = Value::from(items);
    answer
}

/// The item as its end tells it. Its deltas must have told the same.
fn finished(item: &mut Value, done: &Value) {
    let (written, said) = (item["written"].clone(), item["said"].clone());
    *item = done.clone();
    if let Some(written) = written.as_str() {
        item["arguments"] = Value::from(written);
    }
    let Some(said) = said.as_str() else { return };
    for member in ["content", "summary"] {
        let parts = item[member].as_array().cloned().unwrap_or_default();
        let kind = parts.iter().find_map(|part| {
            ["text", "refusal"]
                .into_iter()
                .find(|name| part[*name].is_string())
        });
        if let Some(kind) = kind {
            // One part with all that was streamed; the annotations are kept.
            let mut part = parts.first().cloned().unwrap_or_default();
            part[kind] = Value::from(said);
            item[member] = json!([part]);
        }
    }
}
