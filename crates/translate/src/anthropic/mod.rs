//! Anthropic messages. What becomes what: [`guide::anthropic`](crate::guide::anthropic).

mod from_client;
mod from_provider;
mod to_client;
mod to_provider;

pub(crate) use from_client::decode as decode_ask;
pub(crate) use to_client::ToClient;
pub(crate) use to_provider::encode as encode_ask;
pub(crate) use to_provider::encode_count;
pub(crate) use to_provider::{Think, called, spoken_instructions, think, write_schema};

use crate::names::HIDDEN_TOOL;

#[cfg(test)]
mod tests {
    use bartizan_core::{Dialect, Direction, Document};
    use serde_json::{Value, json};

    use super::*;
    use crate::dialects::To;
    use crate::facts::ModelFacts;
    use crate::identity::{recorded, stream, whole};
    use crate::losses::Losses;
    use crate::read::Unknown;
    use crate::settings::Bounds;

    const API: Dialect = Dialect::AnthropicMessages;

    /// What an answer says, put together from a message's JSON: blocks in their order, neighbouring texts as one, the end, the usage.
    fn said(message: &Value) -> Value {
        let mut blocks: Vec<Value> = Vec::new();
        for block in message["content"].as_array().unwrap() {
            match block["type"].as_str().unwrap() {
                "text" => {
                    let text = block["text"].as_str().unwrap();
                    match blocks.last_mut().filter(|last| last.is_string()) {
                        Some(last) => *last = format!("{}{text}", last.as_str().unwrap()).into(),
                        None if text.is_empty() => {}
                        None => blocks.push(text.into()),
                    }
                }
                "tool_use" => blocks.push(
                    json!({"id": block["id"], "name": block["name"], "input": block["input"]}),
                ),
                "thinking" | "redacted_thinking" => blocks.push(block.clone()),
                _ => {}
            }
        }
        let usage = &message["usage"];
        let count = |name: &str| usage[name].as_u64().unwrap_or(0);
        json!({
            "id": message["id"],
            "model": message["model"],
            "blocks": blocks,
            "stop_reason": message["stop_reason"],
            "stop_sequence": message["stop_sequence"],
            "usage": [
                count("input_tokens"),
                count("cache_read_input_tokens"),
                count("cache_creation_input_tokens"),
                count("output_tokens"),
            ],
        })
    }

    /// Puts a stream's events together, as a client does.
    fn gather(events: impl Iterator<Item = Value>) -> Value {
        let mut message = Value::Null;
        for event in events {
            match event["type"].as_str().unwrap() {
                "message_start" => message = event["message"].clone(),
                "content_block_start" => {
                    let mut block = event["content_block"].clone();
                    block["json"] = "".into();
                    message["content"].as_array_mut().unwrap().push(block);
                }
                "content_block_delta" => {
                    let index = event["index"].as_u64().unwrap() as usize;
                    let block = &mut message["content"][index];
                    for (kind, from, to) in [
                        ("text_delta", "text", "text"),
                        ("thinking_delta", "thinking", "thinking"),
                        ("signature_delta", "signature", "signature"),
                        ("input_json_delta", "partial_json", "json"),
                    ] {
                        if event["delta"]["type"] == kind {
                            let piece = event["delta"][from].as_str().unwrap();
                            let before = block[to].as_str().unwrap_or_default();
                            block[to] = format!("{before}{piece}").into();
                        }
                    }
                }
                "message_delta" => {
                    for (key, value) in event["delta"].as_object().unwrap() {
                        message[key] = value.clone();
                    }
                    for (key, value) in event["usage"].as_object().unwrap() {
                        message["usage"][key] = value.clone();
                    }
                }
                _ => {}
            }
        }
        for block in message["content"].as_array_mut().unwrap() {
            let json = block["json"].as_str().unwrap_or_default().to_owned();
            if block["type"] == "tool_use" && !json.is_empty() {
                block["input"] = serde_json::from_str(&json).unwrap();
            }
            block.as_object_mut().unwrap().remove("json");
        }
        message
    }

    #[test]
    fn every_recorded_answer_says_the_same_when_it_is_written_again() {
        for exchange in recorded("anthropic.messages") {
            let response = &exchange["response"];
            let (Some(text), Some(200)) = (
                response["body"]["text"].as_str(),
                response["status"].as_u64(),
            ) else {
                continue;
            };
            let mut reader = from_provider::Events::new(false);
            let mut writer = ToClient::new(0);
            if exchange["stream"] == true {
                let data = |text: &str| serde_json::from_str::<Value>(text).unwrap();
                let before = text.lines().filter_map(|line| line.strip_prefix("data: "));
                let before = gather(before.map(data));
                let events = stream(text, API, &mut reader, &mut writer);
                let after = gather(events.iter().filter_map(|event| event.data()).map(data));
                assert_eq!(said(&after), said(&before));
            } else {
                let before = serde_json::from_str(text).unwrap();
                assert_eq!(said(&whole(text, API, &reader, &writer)), said(&before));
            }
        }
    }

    /// A request without what says what happens anyway.
    fn plain(mut request: Value) -> Value {
        fn content(value: &mut Value) {
            if let Some(text) = value.as_str() {
                *value = json!([{"type": "text", "text": text}]);
            }
            for block in value.as_array_mut().into_iter().flatten() {
                if block["is_error"] == false {
                    block.as_object_mut().unwrap().remove("is_error");
                }
                if block["type"] == "tool_result" {
                    content(&mut block["content"]);
                }
            }
        }
        let members = request.as_object_mut().unwrap();
        members.retain(|key, value| {
            !(value.is_null()
                || *value == json!(false)
                || key == "temperature" && *value == json!(1.0)
                || key == "tools" && *value == json!([])
                || *value == json!({"type": "disabled"})
                || *value == json!({"type": "adaptive"})
                || *value == json!({"type": "auto"})
                || *value == json!("auto"))
        });
        for name in ["system", "messages"] {
            if let Some(value) = members.get_mut(name) {
                if name == "system" {
                    content(value);
                } else {
                    value
                        .as_array_mut()
                        .unwrap()
                        .iter_mut()
                        .for_each(|message| content(&mut message["content"]));
                }
            }
        }
        request
    }

    #[test]
    fn every_recorded_request_asks_the_same_when_it_is_written_again() {
        let (mut all, mut same) = (0, 0);
        let mut refused = Vec::new();
        for exchange in recorded("anthropic.messages") {
            let text = exchange["request"]["body"]["text"].as_str().unwrap();
            let document = Document::read(text, API, Direction::Request).unwrap();
            let mut losses = Losses::default();
            all += 1;
            let ask = decode_ask(&document, Unknown::Refuse, &mut losses);
            let facts = ModelFacts::default();
            let written = ask.and_then(|ask| {
                let to = To {
                    dialect: API,
                    model: &ask.model,
                    facts: facts.of(&ask.model),
                    vertex: false,
                    bounds: Bounds::default(),
                    stream_usage: true,
                    quirks: &crate::catalogue::Quirks::NONE,
                };
                encode_ask(&ask, to, &mut losses)
            });
            match written {
                Ok(written) => {
                    let after: Value = serde_json::from_str(&written.text).unwrap();
                    let before: Value = serde_json::from_str(text).unwrap();
                    if losses.is_empty() {
                        assert_eq!(plain(after), plain(before));
                        same += 1;
                    } else {
                        println!("{losses:?}");
                    }
                }
                Err(refusal) => refused.push(refusal.message().to_owned()),
            }
        }
        println!("{same} of {all}; refused: {refused:#?}");
        assert!(same * 100 >= all * 80, "{same} of {all}: {refused:?}");
    }
}
