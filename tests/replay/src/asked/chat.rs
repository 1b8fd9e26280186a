use serde_json::{Value, json};

use super::{Asked, Part, Tool, items, media, result, strings, text_of};
use crate::said::{Called, arguments};

pub(super) fn read(request: &Value) -> Asked {
    let mut asked = Asked {
        max_tokens: request["max_completion_tokens"]
            .as_u64()
            .or_else(|| request["max_tokens"].as_u64()),
        temperature: request["temperature"].as_f64(),
        top_p: request["top_p"].as_f64(),
        top_k: request["top_k"].as_f64(),
        stop: strings(&request["stop"]),
        stream: request["stream"] == true,
        choice: choice(&request["tool_choice"]),
        format: match request["response_format"]["type"].as_str() {
            Some("json_object") => Some(json!(true)),
            Some("json_schema") => {
                Some(request["response_format"]["json_schema"]["schema"].clone())
            }
            _ => None,
        },
        thinking: ["reasoning_effort", "reasoning", "thinking"]
            .into_iter()
            .find(|name| !request[*name].is_null())
            .map(|name| request[name].clone()),
        one_at_a_time: request["parallel_tool_calls"] == false,
        ..Asked::default()
    };
    for message in items(&request["messages"]) {
        let parts = parts(&message["content"]);
        match message["role"].as_str().unwrap_or_default() {
            "system" | "developer" => asked.system.extend(parts.into_iter().filter_map(|part| {
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
            "assistant" => asked.assistant(assistant(message, parts)),
            _ => asked.user(parts),
        }
    }
    asked.tools = items(&request["tools"]).map(tool).collect();
    if request["web_search_options"].is_object() {
        asked.tools.push(Tool {
            name: "web_search".to_owned(),
            ..Tool::default()
        });
    }
    asked
}

pub(super) fn tool(tool: &Value) -> Tool {
    let function = &tool["function"];
    if !function.is_object() {
        return Tool {
            name: text_of(&tool["type"]),
            ..Tool::default()
        };
    }
    Tool {
        name: text_of(&function["name"]),
        description: text_of(&function["description"]),
        schema: function["parameters"].clone(),
    }
}

pub(super) fn choice(choice: &Value) -> Option<String> {
    match choice {
        // Mistral says `any`.
        Value::String(word) if word == "any" => Some("required".to_owned()),
        Value::String(word) => Some(word.clone()),
        Value::Object(_) => Some(text_of(&choice["function"]["name"])),
        _ => None,
    }
}

fn assistant(message: &Value, said: Vec<Part>) -> Vec<Part> {
    let mut parts = Vec::new();
    let details: Vec<&Value> = items(&message["reasoning_details"]).collect();
    for detail in &details {
        for text in ["text", "summary"] {
            parts.push(Part::Reasoning(text_of(&detail[text])));
        }
        for opaque in ["signature", "data"] {
            let opaque = detail[opaque].as_str().filter(|text| !text.is_empty());
            parts.extend(opaque.map(|text| Part::Opaque(text.to_owned())));
        }
    }
    if details.is_empty() {
        let plain = ["reasoning_content", "reasoning"]
            .into_iter()
            .find_map(|name| message[name].as_str());
        parts.extend(plain.map(|text| Part::Reasoning(text.to_owned())));
    }
    parts.extend(said);
    if let Some(refusal) = message["refusal"].as_str() {
        parts.push(Part::Text(refusal.to_owned()));
    }
    for call in items(&message["tool_calls"]) {
        let signature = call["extra_content"]["google"]["thought_signature"].as_str();
        parts.extend(signature.map(|text| Part::Opaque(text.to_owned())));
        parts.push(Part::Call(Called {
            id: text_of(&call["id"]),
            name: text_of(&call["function"]["name"]),
            arguments: arguments(&text_of(&call["function"]["arguments"])),
        }));
    }
    parts
}

pub(super) fn parts(content: &Value) -> Vec<Part> {
    match content {
        Value::String(text) => vec![Part::Text(text.clone())],
        parts => items(parts).flat_map(part).collect(),
    }
}

fn part(part: &Value) -> Vec<Part> {
    let url = |member: &str| match &part[member] {
        Value::String(url) => vec![media(url)],
        holder => vec![media(&text_of(&holder["url"]))],
    };
    match part["type"].as_str().unwrap_or("text") {
        "text" => vec![Part::Text(text_of(&part["text"]))],
        "refusal" => vec![Part::Text(text_of(&part["refusal"]))],
        "image_url" => url("image_url"),
        "file_url" => url("file_url"),
        "document_url" => url("document_url"),
        "input_audio" => vec![media(&text_of(&part["input_audio"]["data"]))],
        "file" => {
            let file = &part["file"];
            let there = file["file_data"]
                .as_str()
                .or_else(|| file["file_id"].as_str());
            vec![media(there.unwrap_or_default())]
        }
        "thinking" => items(&part["thinking"])
            .map(|inner| Part::Reasoning(text_of(&inner["text"])))
            .collect(),
        other => vec![Part::Other(other.to_owned())],
    }
}
