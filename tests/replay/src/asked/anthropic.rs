use serde_json::{Value, json};

use super::{Asked, Part, Tool, items, result, strings, text_of};
use crate::said::Called;

pub(super) fn read(request: &Value) -> Asked {
    let choice = &request["tool_choice"];
    let format = ["output_config", "output_format"]
        .into_iter()
        .find_map(|name| {
            let holder = &request[name];
            let format = if holder["format"].is_object() {
                &holder["format"]
            } else {
                holder
            };
            Some(format["schema"].clone()).filter(|schema| !schema.is_null())
        });
    let mut asked = Asked {
        system: match &request["system"] {
            Value::String(text) => vec![text.clone()],
            blocks => items(blocks).map(|block| text_of(&block["text"])).collect(),
        },
        max_tokens: request["max_tokens"].as_u64(),
        temperature: request["temperature"].as_f64(),
        top_p: request["top_p"].as_f64(),
        top_k: request["top_k"].as_f64(),
        stop: strings(&request["stop_sequences"]),
        stream: request["stream"] == true,
        choice: match choice["type"].as_str() {
            Some("any") => Some("required".to_owned()),
            Some("tool") => Some(text_of(&choice["name"])),
            word => word.map(str::to_owned),
        },
        format,
        thinking: [&request["output_config"]["effort"], &request["thinking"]]
            .into_iter()
            .find(|value| !value.is_null())
            .cloned(),
        one_at_a_time: choice["disable_parallel_tool_use"] == true,
        ..Asked::default()
    };
    for message in items(&request["messages"]) {
        let parts = parts(&message["content"]);
        match message["role"].as_str() {
            Some("assistant") => asked.assistant(parts),
            _ => asked.user(parts),
        }
    }
    for tool in items(&request["tools"]) {
        let own = tool["input_schema"].is_object();
        asked.tools.push(Tool {
            name: text_of(if own { &tool["name"] } else { &tool["type"] }),
            description: text_of(&tool["description"]),
            schema: if own {
                tool["input_schema"].clone()
            } else {
                json!(null)
            },
        });
    }
    asked
}

fn parts(content: &Value) -> Vec<Part> {
    if let Some(text) = content.as_str() {
        return vec![Part::Text(text.to_owned())];
    }
    items(content).flat_map(block).collect()
}

fn block(block: &Value) -> Vec<Part> {
    match block["type"].as_str().unwrap_or_default() {
        "text" => vec![Part::Text(text_of(&block["text"]))],
        "image" | "document" => {
            let source = &block["source"];
            let there = ["data", "url", "file_id"]
                .into_iter()
                .find_map(|name| source[name].as_str());
            vec![match there {
                Some(there) => Part::Media(there.to_owned()),
                None => Part::Other("document".to_owned()),
            }]
        }
        "thinking" => {
            let mut parts = vec![Part::Reasoning(text_of(&block["thinking"]))];
            let signature = block["signature"].as_str().filter(|text| !text.is_empty());
            parts.extend(signature.map(|text| Part::Opaque(text.to_owned())));
            parts
        }
        "redacted_thinking" => vec![Part::Opaque(text_of(&block["data"]))],
        "tool_use" => vec![Part::Call(Called {
            id: text_of(&block["id"]),
            name: text_of(&block["name"]),
            arguments: block["input"].clone(),
        })],
        "tool_result" => {
            let id = text_of(&block["tool_use_id"]);
            vec![result(id, parts(&block["content"]).into_iter())]
        }
        "search_result" => parts(&block["content"]),
        other => vec![Part::Other(other.to_owned())],
    }
}
