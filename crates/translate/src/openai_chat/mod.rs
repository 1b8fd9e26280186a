//! OpenAI chat completions.

mod from_client;
mod from_provider;
mod reasoning;
mod server;
mod to_client;
mod to_provider;

pub(crate) use from_client::ask_stream_usage;
pub(crate) use from_client::decode as decode_ask;
pub(crate) use to_client::ToClient;
pub(crate) use to_provider::encode as encode_ask;

use crate::names::HIDDEN_TOOL;

#[cfg(test)]
mod tests {
    use bartizan_core::Dialect;
    use serde_json::{Value, json};

    use super::*;
    use crate::identity::{recorded, stream, whole};
    use crate::neutral::Ask;

    const API: Dialect = Dialect::OpenAiChat;

    const RECORDED: [&str; 7] = [
        "openai.chat",
        "azure.chat",
        "deepseek.chat",
        "openrouter.chat",
        "mistral.chat",
        "perplexity.chat",
        "bedrock.chat",
    ];

    fn text(content: &Value, kind: &str) -> String {
        match content {
            Value::String(text) if kind == "text" => text.clone(),
            Value::Array(parts) => parts
                .iter()
                .map(|part| match &part["thinking"] {
                    thoughts @ Value::Array(_) if kind == "thinking" => text(thoughts, "text"),
                    _ if kind == "text" => part["text"].as_str().unwrap_or_default().to_owned(),
                    _ => String::new(),
                })
                .collect(),
            _ => String::new(),
        }
    }

    /// What an answer says, put together from one choice's message.
    fn said(answer: &Value) -> Value {
        let choice = &answer["choices"][0];
        let message = &choice["message"];
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let calls: Vec<Value> = message["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|call| {
                let arguments = string(&call["function"]["arguments"]);
                let input: Value = serde_json::from_str(&arguments).unwrap_or(json!({}));
                json!([call["id"], call["function"]["name"], input])
            })
            .collect();
        let mut thoughts = string(&message["reasoning_content"]);
        if thoughts.is_empty() {
            thoughts = string(&message["reasoning"]);
        }
        if thoughts.is_empty() {
            thoughts = text(&message["content"], "thinking");
        }
        let details = || {
            message["reasoning_details"]
                .as_array()
                .into_iter()
                .flatten()
        };
        if thoughts.is_empty() {
            thoughts = details()
                .map(|detail| string(&detail["text"]) + &string(&detail["summary"]))
                .collect();
        }
        let opaque: Vec<Value> = details()
            .flat_map(|detail| [detail["signature"].clone(), detail["data"].clone()])
            .filter(|opaque| !opaque.is_null())
            .collect();
        let mut cited: Vec<Value> = message["annotations"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|annotation| annotation["url_citation"]["url"].clone())
            .collect();
        if cited.is_empty() {
            cited.extend(
                answer["citations"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        }
        let usage = &answer["usage"];
        let count = |path: &str| usage.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let (prompt, mut completion) = (count("/prompt_tokens"), count("/completion_tokens"));
        let reasoning = count("/completion_tokens_details/reasoning_tokens");
        if reasoning > 0 && count("/total_tokens") == prompt + completion + reasoning {
            // xAI counts it apart.
            completion += reasoning;
        }
        let finish = match &choice["finish_reason"] {
            reason if reason == "stop" && !calls.is_empty() => json!("tool_calls"),
            reason => reason.clone(),
        };
        json!({
            "id": answer["id"],
            "model": answer["model"],
            "text": text(&message["content"], "text"),
            "refusal": string(&message["refusal"]),
            "thoughts": thoughts,
            "opaque": opaque,
            "calls": calls,
            "cited": cited,
            "finish": finish,
            "usage": [
                prompt,
                // One of them says more than there is.
                count("/prompt_tokens_details/cached_tokens").min(prompt),
                count("/prompt_tokens_details/cache_write_tokens"),
                completion,
            ],
        })
    }

    fn append(to: &mut Value, piece: &Value) {
        if let Some(piece) = piece.as_str() {
            let before = to.as_str().unwrap_or_default();
            *to = format!("{before}{piece}").into();
        }
    }

    /// Puts a stream's chunks together, as a client does.
    fn gather(chunks: impl Iterator<Item = Value>) -> Value {
        let mut whole = json!({"choices": [{"message": {}, "finish_reason": null}]});
        for chunk in chunks {
            for key in ["id", "model", "usage", "citations"] {
                if !chunk[key].is_null() && chunk[key] != "" {
                    whole[key] = chunk[key].clone();
                }
            }
            let Some(choice) = chunk["choices"].get(0) else {
                continue;
            };
            if !choice["finish_reason"].is_null() {
                whole["choices"][0]["finish_reason"] = choice["finish_reason"].clone();
            }
            let delta = &choice["delta"];
            let message = &mut whole["choices"][0]["message"];
            append(
                &mut message["content"],
                &text(&delta["content"], "text").into(),
            );
            append(&mut message["refusal"], &delta["refusal"]);
            append(
                &mut message["reasoning_content"],
                &delta["reasoning_content"],
            );
            append(&mut message["reasoning"], &delta["reasoning"]);
            append(
                &mut message["reasoning"],
                &text(&delta["content"], "thinking").into(),
            );
            for key in ["reasoning_details", "annotations"] {
                let mut all = message[key].as_array().cloned().unwrap_or_default();
                all.extend(delta[key].as_array().into_iter().flatten().cloned());
                message[key] = all.into();
            }
            for call in delta["tool_calls"].as_array().into_iter().flatten() {
                let index = call["index"].as_u64().unwrap() as usize;
                if message["tool_calls"].get(index).is_none() {
                    let mut all = message["tool_calls"]
                        .as_array()
                        .cloned()
                        .unwrap_or_default();
                    all.push(json!({"function": {}}));
                    message["tool_calls"] = all.into();
                }
                let whole = &mut message["tool_calls"][index];
                // Some say id and name again with every piece.
                if whole["id"].is_null() {
                    whole["id"] = call["id"].clone();
                }
                if whole["function"]["name"].is_null() {
                    whole["function"]["name"] = call["function"]["name"].clone();
                }
                append(
                    &mut whole["function"]["arguments"],
                    &call["function"]["arguments"],
                );
            }
        }
        whole
    }

    fn data(text: &str) -> Vec<Value> {
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        data.filter(|data| data.trim() != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    /// Fact by fact, for a message that can be read.
    fn same(after: &Value, before: &Value, from: &Value) {
        for (fact, before) in before.as_object().unwrap() {
            assert_eq!(&after[fact], before, "{fact} of {from}");
        }
    }

    #[test]
    fn every_recorded_answer_says_the_same_when_it_is_written_again() {
        let (mut answers, mut streams) = (0, 0);
        for name in RECORDED {
            for exchange in recorded(name) {
                let response = &exchange["response"];
                let (Some(text), Some(200)) = (
                    response["body"]["text"].as_str(),
                    response["status"].as_u64(),
                ) else {
                    continue;
                };
                let ends_unsaid = name == "perplexity.chat";
                let setup = from_provider::Setup {
                    ends_unsaid,
                    ..Default::default()
                };
                let mut reader = from_provider::Events::new(setup);
                let asked = Ask {
                    stream_usage: true,
                    ..Ask::default()
                };
                let mut writer = ToClient::new(0, &asked);
                let from = &exchange["from"];
                if exchange["stream"] == true {
                    streams += 1;
                    let before = gather(data(text).into_iter());
                    let events = stream(text, API, &mut reader, &mut writer);
                    assert_eq!(events.last().unwrap().data(), Some("[DONE]"), "{from}");
                    let written: String = events
                        .iter()
                        .map(|event| String::from_utf8(event.to_bytes().to_vec()).unwrap())
                        .collect();
                    let after = gather(data(&written).into_iter());
                    same(&said(&after), &said(&before), from);
                } else {
                    answers += 1;
                    let before = serde_json::from_str(text).unwrap();
                    let after = whole(text, API, &reader, &writer);
                    same(&said(&after), &said(&before), from);
                }
            }
        }
        println!("{answers} answers, {streams} streams");
    }
}
