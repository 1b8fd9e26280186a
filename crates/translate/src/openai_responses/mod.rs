//! OpenAI responses, stateless.

mod from_client;
mod from_provider;
mod grammar;
mod to_client;
mod to_provider;

pub(crate) use from_client::decode as decode_ask;
pub(crate) use to_client::ToClient;
pub(crate) use to_provider::encode as encode_ask;

use bartizan_core::json::Value;

use crate::neutral::Citation;
use crate::read::member;

/// The source that an annotation names by its address; `None` for others.
fn citation(annotation: Value<'_>) -> Option<Citation<'_>> {
    if !member(annotation, "type").is_some_and(|kind| kind.is("url_citation")) {
        return None;
    }
    let index = |key| member(annotation, key).and_then(Value::as_u64);
    Some(Citation {
        url: member(annotation, "url").and_then(Value::text)?,
        title: member(annotation, "title").and_then(Value::text),
        quote: None,
        range: index("start_index").zip(index("end_index")),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bartizan_core::Dialect;
    use serde_json::{Value, json};

    use super::*;
    use crate::identity::{recorded, stream, whole};
    use crate::names::ToolNames;
    use crate::neutral::Ask;

    const API: Dialect = Dialect::OpenAiResponses;

    const RECORDED: [&str; 5] = [
        "openai.responses",
        "azure.responses",
        "xai.responses",
        "deepseek.responses",
        "bedrock.responses",
    ];

    /// What a response says: items in their order, the end, the usage. Thoughts by their words, wherever those stand.
    fn said(response: &Value) -> Value {
        let mut items: Vec<Value> = Vec::new();
        for item in response["output"].as_array().unwrap() {
            let texts = |list: &str| -> Vec<&Value> {
                let parts = item[list].as_array().into_iter().flatten();
                parts.map(|part| &part["text"]).collect()
            };
            match item["type"].as_str().unwrap() {
                "message" => {
                    for part in item["content"].as_array().unwrap() {
                        let mut part = part.clone();
                        part.as_object_mut().unwrap().remove("logprobs");
                        items.push(part);
                    }
                }
                "reasoning" => {
                    let words = [texts("summary"), texts("content")].concat();
                    if !words.is_empty() || item["encrypted_content"].is_string() {
                        items.push(json!({"words": words, "sealed": item["encrypted_content"]}));
                    }
                }
                "function_call" => items.push(json!({
                    "call": item["call_id"],
                    "name": item["name"],
                    "arguments": item["arguments"],
                })),
                _ => {}
            }
        }
        let usage = &response["usage"];
        let count = |path: &str| usage.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        json!({
            "id": response["id"].as_str().unwrap().trim_start_matches("resp_"),
            "model": response["model"],
            "status": response["status"],
            "incomplete_details": response["incomplete_details"],
            "items": items,
            "usage": [
                count("/input_tokens"),
                count("/input_tokens_details/cached_tokens"),
                count("/output_tokens"),
                count("/output_tokens_details/reasoning_tokens"),
                count("/total_tokens"),
            ],
        })
    }

    fn events(text: &str) -> Vec<Value> {
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        data.filter(|data| data.trim() != "[DONE]")
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    /// Puts a stream's pieces together, as a client does, and holds each whole that is said on the way against them.
    fn gather(events: &[Value]) -> Value {
        let mut texts: BTreeMap<(u64, &str, u64), String> = BTreeMap::new();
        let mut items: Vec<Value> = Vec::new();
        let mut last = None;
        for (at, event) in events.iter().enumerate() {
            assert_eq!(event["sequence_number"], at, "numbered without a gap");
            assert!(last.is_none(), "nothing comes after the end");
            let kind = event["type"].as_str().unwrap();
            let index = event["output_index"].as_u64().unwrap_or(0);
            let part = event["content_index"]
                .as_u64()
                .or(event["summary_index"].as_u64());
            let part = part.unwrap_or(0);
            match kind {
                "response.created" | "response.in_progress" => {
                    assert_eq!(event["response"]["status"], "in_progress");
                    assert_eq!(event["response"]["output"], json!([]));
                }
                "response.output_item.added" => {
                    assert_eq!(index, items.len() as u64);
                    items.push(event["item"].clone());
                }
                "response.output_item.done" => {
                    let item = &mut items[index as usize];
                    assert_eq!(item["id"], event["item"]["id"]);
                    assert_eq!(item["type"], event["item"]["type"]);
                    *item = event["item"].clone();
                }
                "response.completed" | "response.incomplete" => {
                    last = Some(event["response"].clone());
                }
                kind => {
                    assert_eq!(items[index as usize]["id"], event["item_id"], "{kind}");
                    let of = kind.rsplit_once('.').unwrap().0;
                    if let Some(piece) = event["delta"].as_str() {
                        *texts.entry((index, of, part)).or_default() += piece;
                    }
                    for whole in ["text", "arguments", "refusal", "input"] {
                        if let Some(whole) = event[whole].as_str() {
                            assert_eq!(texts[&(index, of, part)], whole);
                        }
                    }
                }
            }
        }
        let last = last.unwrap();
        assert_eq!(last["output"], json!(items), "the end says what was said");
        last
    }

    #[test]
    fn every_recorded_answer_says_the_same_when_it_is_written_again() {
        let mut count = 0;
        for exchange in RECORDED.into_iter().flat_map(recorded) {
            let response = &exchange["response"];
            let (Some(text), Some(200)) = (
                response["body"]["text"].as_str(),
                response["status"].as_u64(),
            ) else {
                continue;
            };
            let mut reader = from_provider::Events::new(ToolNames::default());
            let mut writer = ToClient::new(0, &Ask::default());
            let (before, after) = if exchange["stream"] == true {
                let events = events(text);
                let mut before = events.last().unwrap()["response"].clone();
                // A thought is sealed anew each time.
                let done = events.iter().filter_map(|event| event.get("item"));
                for item in done.filter(|item| item["encrypted_content"].is_string()) {
                    let all = before["output"].as_array_mut().unwrap();
                    let same = all.iter_mut().find(|same| same["id"] == item["id"]);
                    same.unwrap()["encrypted_content"] = item["encrypted_content"].clone();
                }
                let written = stream(text, API, &mut reader, &mut writer);
                let written: Vec<&str> = written.iter().filter_map(|event| event.data()).collect();
                let data = |data: &&str| serde_json::from_str(data).unwrap();
                (
                    before,
                    gather(&written.iter().map(data).collect::<Vec<_>>()),
                )
            } else {
                let before = serde_json::from_str(text).unwrap();
                (before, whole(text, API, &reader, &writer))
            };
            assert_eq!(said(&after), said(&before));
            count += 1;
        }
        println!("{count} answers");
    }
}
