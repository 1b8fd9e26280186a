use serde_json::{Value, json};

use super::{Asked, Part, chat, items, media, result, strings, text_of};
use crate::said::{Called, arguments};

pub(super) fn read(request: &Value) -> Asked {
    let format = &request["response_format"];
    let schema = ["json_schema", "schema"]
        .into_iter()
        .map(|name| format[name].clone())
        .find(|schema| !schema.is_null());
    let mut asked = Asked {
        max_tokens: request["max_tokens"].as_u64(),
        temperature: request["temperature"].as_f64(),
        top_p: request["p"].as_f64(),
        top_k: request["k"].as_f64(),
        stop: strings(&request["stop_sequences"]),
        stream: request["stream"] == true,
        choice: request["tool_choice"].as_str().map(str::to_lowercase),
        format: (format["type"] == "json_object").then(|| schema.unwrap_or(json!(true))),
        thinking: Some(request["thinking"].clone()).filter(|value| !value.is_null()),
        ..Asked::default()
    };
    for message in items(&request["messages"]) {
        let parts = parts(&message["content"]);
        match message["role"].as_str().unwrap_or_default() {
            "system" => asked.system.extend(parts.into_iter().filter_map(|part| {
                if let Part::Text(text) = part {
                    Some(text)
                } else {
                    None
                }
            })),
            "tool" => {
                let id = text_of(&message["tool_call_id"]);
                asked.user(vec![result(id, parts.into_iter())]);
            }
            "assistant" => {
                let mut all = vec![Part::Reasoning(text_of(&message["tool_plan"]))];
                all.extend(parts);
                all.extend(items(&message["tool_calls"]).map(|call| {
                    Part::Call(Called {
                        id: text_of(&call["id"]),
                        name: text_of(&call["function"]["name"]),
                        arguments: arguments(&text_of(&call["function"]["arguments"])),
                    })
                }));
                asked.assistant(all);
            }
            _ => asked.user(parts),
        }
    }
    asked.tools = items(&request["tools"]).map(chat::tool).collect();
    asked
}

fn parts(content: &Value) -> Vec<Part> {
    if let Some(text) = content.as_str() {
        return vec![Part::Text(text.to_owned())];
    }
    items(content)
        .map(|part| match part["type"].as_str().unwrap_or_default() {
            "text" => Part::Text(text_of(&part["text"])),
            "thinking" => Part::Reasoning(text_of(&part["thinking"])),
            "image_url" => media(&text_of(&part["image_url"]["url"])),
            "document" => match &part["document"]["data"] {
                Value::String(text) => Part::Text(text.clone()),
                data => Part::Text(text_of(&data["text"])),
            },
            other => Part::Other(other.to_owned()),
        })
        .collect()
}
