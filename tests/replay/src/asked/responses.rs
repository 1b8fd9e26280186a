use serde_json::{Value, json};

use super::{Asked, Part, Tool, items, media, result, text_of};
use crate::said::{Called, arguments};

pub(super) fn read(request: &Value) -> Asked {
    let format = &request["text"]["format"];
    let mut asked = Asked {
        max_tokens: request["max_output_tokens"].as_u64(),
        temperature: request["temperature"].as_f64(),
        top_p: request["top_p"].as_f64(),
        top_k: request["top_k"].as_f64(),
        stream: request["stream"] == true,
        choice: match &request["tool_choice"] {
            Value::String(word) => Some(word.clone()),
            Value::Object(choice) => choice.get("name").map(text_of),
            _ => None,
        },
        format: match format["type"].as_str() {
            Some("json_object") => Some(json!(true)),
            Some("json_schema") => Some(format["schema"].clone()),
            _ => None,
        },
        thinking: Some(request["reasoning"].clone()).filter(|value| !value.is_null()),
        one_at_a_time: request["parallel_tool_calls"] == false,
        ..Asked::default()
    };
    if let Some(text) = request["instructions"].as_str() {
        asked.system.push(text.to_owned());
    }
    match &request["input"] {
        Value::String(text) => asked.user(vec![Part::Text(text.clone())]),
        input => items(input).for_each(|item| read_item(item, &mut asked)),
    }
    for tool in items(&request["tools"]) {
        asked.tools.push(match tool["type"].as_str() {
            Some("function") => Tool {
                name: text_of(&tool["name"]),
                description: text_of(&tool["description"]),
                schema: tool["parameters"].clone(),
            },
            kind => Tool {
                name: kind.unwrap_or_default().to_owned(),
                ..Tool::default()
            },
        });
    }
    asked
}

fn read_item(item: &Value, asked: &mut Asked) {
    match item["type"].as_str().unwrap_or("message") {
        "message" => {
            let parts = parts(&item["content"]);
            match item["role"].as_str().unwrap_or_default() {
                "system" | "developer" => {
                    asked.system.extend(parts.into_iter().filter_map(|part| {
                        if let Part::Text(text) = part {
                            Some(text)
                        } else {
                            None
                        }
                    }));
                }
                "assistant" => asked.assistant(parts),
                _ => asked.user(parts),
            }
        }
        "reasoning" => {
            let mut parts: Vec<Part> = items(&item["summary"])
                .chain(items(&item["content"]))
                .map(|part| Part::Reasoning(text_of(&part["text"])))
                .collect();
            let opaque = item["encrypted_content"].as_str();
            let opaque = opaque.filter(|text| !text.is_empty());
            parts.extend(opaque.map(|text| Part::Opaque(text.to_owned())));
            asked.assistant(parts);
        }
        "function_call" => asked.assistant(vec![Part::Call(Called {
            id: text_of(&item["call_id"]),
            name: text_of(&item["name"]),
            arguments: arguments(&text_of(&item["arguments"])),
        })]),
        "function_call_output" => {
            let id = text_of(&item["call_id"]);
            asked.user(vec![result(id, parts(&item["output"]).into_iter())]);
        }
        other => asked.assistant(vec![Part::Other(other.to_owned())]),
    }
}

fn parts(content: &Value) -> Vec<Part> {
    if let Some(text) = content.as_str() {
        return vec![Part::Text(text.to_owned())];
    }
    items(content)
        .map(|part| match part["type"].as_str().unwrap_or_default() {
            "input_text" | "output_text" | "text" => Part::Text(text_of(&part["text"])),
            "refusal" => Part::Text(text_of(&part["refusal"])),
            "input_image" | "input_file" => {
                let there = ["image_url", "file_data", "file_url", "file_id"]
                    .into_iter()
                    .find_map(|name| part[name].as_str());
                media(there.unwrap_or_default())
            }
            other => Part::Other(other.to_owned()),
        })
        .collect()
}
