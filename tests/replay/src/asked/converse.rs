use serde_json::{Value, json};

use super::{Asked, Part, Tool, items, result, strings, text_of};
use crate::said::Called;

pub(super) fn read(request: &Value) -> Asked {
    let config = &request["inferenceConfig"];
    let extra = &request["additionalModelRequestFields"];
    let choice = &request["toolConfig"]["toolChoice"];
    let structure = &request["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"];
    let mut asked = Asked {
        system: items(&request["system"])
            .filter_map(|block| block["text"].as_str().map(str::to_owned))
            .collect(),
        max_tokens: config["maxTokens"].as_u64(),
        temperature: config["temperature"].as_f64(),
        top_p: config["topP"].as_f64(),
        top_k: [&extra["top_k"], &extra["inferenceConfig"]["topK"]]
            .into_iter()
            .find_map(Value::as_f64),
        stop: strings(&config["stopSequences"]),
        choice: choice.as_object().and_then(|choice| {
            let (kind, inner) = choice.iter().next()?;
            Some(match kind.as_str() {
                "any" => "required".to_owned(),
                "tool" => text_of(&inner["name"]),
                other => other.to_owned(),
            })
        }),
        format: structure
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok()),
        thinking: ["thinking", "reasoning_config", "reasoningConfig"]
            .into_iter()
            .map(|name| extra[name].clone())
            .find(|value| !value.is_null()),
        ..Asked::default()
    };
    for message in items(&request["messages"]) {
        let parts = items(&message["content"]).flat_map(block).collect();
        match message["role"].as_str() {
            Some("assistant") => asked.assistant(parts),
            _ => asked.user(parts),
        }
    }
    for tool in items(&request["toolConfig"]["tools"]) {
        let spec = &tool["toolSpec"];
        if spec.is_object() {
            asked.tools.push(Tool {
                name: text_of(&spec["name"]),
                description: text_of(&spec["description"]),
                schema: spec["inputSchema"]["json"].clone(),
            });
        } else if tool["systemTool"].is_object() {
            asked.tools.push(Tool {
                name: text_of(&tool["systemTool"]["name"]),
                ..Tool::default()
            });
        }
    }
    asked
}

fn block(block: &Value) -> Vec<Part> {
    if let Some(text) = block["text"].as_str() {
        return vec![Part::Text(text.to_owned())];
    }
    for kind in ["image", "document", "video", "audio"] {
        if block[kind].is_object() {
            let source = &block[kind]["source"];
            let there = [
                &source["bytes"],
                &source["text"],
                &source["s3Location"]["uri"],
            ]
            .into_iter()
            .find_map(Value::as_str);
            return vec![Part::Media(there.unwrap_or_default().to_owned())];
        }
    }
    if block["reasoningContent"].is_object() {
        let reasoning = &block["reasoningContent"];
        let text = &reasoning["reasoningText"];
        let mut parts = vec![Part::Reasoning(text_of(&text["text"]))];
        for opaque in [&text["signature"], &reasoning["redactedContent"]] {
            let opaque = opaque.as_str().filter(|text| !text.is_empty());
            parts.extend(opaque.map(|text| Part::Opaque(text.to_owned())));
        }
        return parts;
    }
    if block["toolUse"].is_object() {
        let call = &block["toolUse"];
        return vec![Part::Call(Called {
            id: text_of(&call["toolUseId"]),
            name: text_of(&call["name"]),
            arguments: match &call["input"] {
                Value::Null => json!({}),
                input => input.clone(),
            },
        })];
    }
    if block["toolResult"].is_object() {
        let given = &block["toolResult"];
        let inside = items(&given["content"]).flat_map(|part| {
            if part["json"].is_null() {
                self::block(part)
            } else {
                vec![Part::Text(part["json"].to_string())]
            }
        });
        return vec![result(text_of(&given["toolUseId"]), inside)];
    }
    let kind = block.as_object().and_then(|block| block.keys().next());
    let kind = kind.filter(|kind| *kind != "cachePoint");
    kind.map(|kind| Part::Other(kind.clone()))
        .into_iter()
        .collect()
}
