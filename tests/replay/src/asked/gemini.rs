use serde_json::{Value, json};

use super::{Asked, Part, Tool, items, result, strings, text_of};
use crate::said::Called;

/// Both spellings are read: Google takes `inline_data` as well as `inlineData`.
fn member<'a>(value: &'a Value, camel: &str, snake: &str) -> &'a Value {
    let found = &value[camel];
    if found.is_null() {
        &value[snake]
    } else {
        found
    }
}

pub(super) fn read(request: &Value) -> Asked {
    let config = member(request, "generationConfig", "generation_config");
    let calling = &request["toolConfig"]["functionCallingConfig"];
    let json_answer = config["responseMimeType"] == "application/json";
    let schema = ["responseJsonSchema", "responseSchema"]
        .into_iter()
        .map(|name| config[name].clone())
        .find(|schema| !schema.is_null());
    let mut asked = Asked {
        max_tokens: config["maxOutputTokens"].as_u64(),
        temperature: config["temperature"].as_f64(),
        top_p: config["topP"].as_f64(),
        top_k: config["topK"].as_f64(),
        stop: strings(&config["stopSequences"]),
        choice: match calling["mode"].as_str().map(str::to_uppercase).as_deref() {
            Some("ANY") => {
                let mut names = items(&calling["allowedFunctionNames"]);
                match (names.next(), names.next()) {
                    (Some(name), None) => Some(text_of(name)),
                    _ => Some("required".to_owned()),
                }
            }
            word => word.map(str::to_lowercase),
        },
        format: schema.or_else(|| json_answer.then_some(Value::Bool(true))),
        thinking: Some(config["thinkingConfig"].clone()).filter(|value| !value.is_null()),
        ..Asked::default()
    };
    let system = member(request, "systemInstruction", "system_instruction");
    asked.system = items(&system["parts"])
        .map(|part| text_of(&part["text"]))
        .collect();
    for content in items(&request["contents"]) {
        let parts = items(&content["parts"]).flat_map(part).collect();
        match content["role"].as_str() {
            Some("model") => asked.assistant(parts),
            _ => asked.user(parts),
        }
    }
    for tool in items(&request["tools"]) {
        let declared = member(tool, "functionDeclarations", "function_declarations");
        for function in items(declared) {
            let schema = ["parametersJsonSchema", "parameters"]
                .into_iter()
                .map(|name| &function[name])
                .find(|schema| !schema.is_null());
            asked.tools.push(Tool {
                name: text_of(&function["name"]),
                description: text_of(&function["description"]),
                schema: schema.cloned().unwrap_or_default(),
            });
        }
        for kind in tool.as_object().into_iter().flat_map(|tool| tool.keys()) {
            if kind != "functionDeclarations" && kind != "function_declarations" {
                asked.tools.push(Tool {
                    name: kind.clone(),
                    ..Tool::default()
                });
            }
        }
    }
    asked
}

fn part(part: &Value) -> Vec<Part> {
    let mut parts = Vec::new();
    let signature = member(part, "thoughtSignature", "thought_signature").as_str();
    let inline = member(part, "inlineData", "inline_data");
    let file = member(part, "fileData", "file_data");
    let (call, response) = (
        member(part, "functionCall", "function_call"),
        member(part, "functionResponse", "function_response"),
    );
    if let Some(text) = part["text"].as_str() {
        parts.push(if part["thought"] == true {
            Part::Reasoning(text.to_owned())
        } else {
            Part::Text(text.to_owned())
        });
    } else if inline.is_object() {
        parts.push(Part::Media(text_of(&inline["data"])));
    } else if file.is_object() {
        parts.push(Part::Media(text_of(member(file, "fileUri", "file_uri"))));
    } else if call.is_object() {
        parts.push(Part::Call(Called {
            id: text_of(&call["id"]),
            name: text_of(&call["name"]),
            arguments: match &call["args"] {
                Value::Null => json!({}),
                arguments => arguments.clone(),
            },
        }));
    } else if response.is_object() {
        let id = match response["id"].as_str() {
            Some(id) => id.to_owned(),
            None => text_of(&response["name"]),
        };
        let mut inside: Vec<Part> = vec![Part::Text(texts(&response["response"]))];
        inside.extend(items(&response["parts"]).flat_map(self::part));
        parts.push(result(id, inside.into_iter()));
    } else {
        let kind = part.as_object().and_then(|part| part.keys().next());
        parts.extend(kind.map(|kind| Part::Other(kind.clone())));
    }
    // Before the part that it proves, as elsewhere a thought stands before what it led to.
    if let Some(signature) = signature {
        parts.insert(0, Part::Opaque(signature.to_owned()));
    }
    parts
}

/// A result is an object by the caller's choice: its texts, wherever they stand, or itself where it has none of the usual members.
fn texts(response: &Value) -> String {
    match response {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            for name in ["content", "output", "result", "error"] {
                match members.get(name) {
                    Some(Value::String(text)) => return text.clone(),
                    Some(other) => return other.to_string(),
                    None => {}
                }
            }
            response.to_string()
        }
        _ => String::new(),
    }
}
