use serde_json::{Value, json};

use super::{Asked, Part, chat, items, result, strings, text_of};
use crate::said::Called;

pub(super) fn read(request: &Value) -> Asked {
    let options = &request["options"];
    let mut asked = Asked {
        max_tokens: options["num_predict"].as_u64(),
        temperature: options["temperature"].as_f64(),
        top_p: options["top_p"].as_f64(),
        top_k: options["top_k"].as_f64(),
        stop: strings(&options["stop"]),
        // It streams unless told not to.
        stream: request["stream"] != false,
        format: match &request["format"] {
            Value::String(_) => Some(json!(true)),
            Value::Object(_) => Some(request["format"].clone()),
            _ => None,
        },
        thinking: Some(request["think"].clone()).filter(|value| !value.is_null()),
        ..Asked::default()
    };
    for message in items(&request["messages"]) {
        let mut parts = vec![Part::Text(text_of(&message["content"]))];
        parts.extend(items(&message["images"]).map(|data| Part::Media(text_of(data))));
        match message["role"].as_str().unwrap_or_default() {
            "system" => asked.system.push(text_of(&message["content"])),
            "tool" => {
                let id = [&message["tool_call_id"], &message["tool_name"]]
                    .into_iter()
                    .find_map(Value::as_str);
                asked.user(vec![result(
                    id.unwrap_or_default().to_owned(),
                    parts.into_iter(),
                )]);
            }
            "assistant" => {
                parts.insert(0, Part::Reasoning(text_of(&message["thinking"])));
                parts.extend(items(&message["tool_calls"]).map(|call| {
                    Part::Call(Called {
                        id: text_of(&call["id"]),
                        name: text_of(&call["function"]["name"]),
                        arguments: match &call["function"]["arguments"] {
                            Value::Null => json!({}),
                            arguments => arguments.clone(),
                        },
                    })
                }));
                asked.assistant(parts);
            }
            _ => asked.user(parts),
        }
    }
    asked.tools = items(&request["tools"]).map(chat::tool).collect();
    asked
}
