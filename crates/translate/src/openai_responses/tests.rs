//! What is recorded of the API says the same when it is written again.

use std::collections::BTreeMap;

use bartizan_core::{Dialect, Direction, Document};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::dialects::To;
use crate::identity::{recorded, stream, whole};
use crate::losses::Losses;
use crate::names::ToolNames;
use crate::neutral::Ask;
use crate::read::Unknown;
use crate::settings::Bounds;

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

/// A request without the words that say what happens anyway, and with its texts in one form.
fn plain(mut request: Value) -> Value {
    let members = request.as_object_mut().unwrap();
    for name in ["model", "store", "include"] {
        members.remove(name);
    }
    members.retain(|_, value| *value != json!(false) && *value != json!([]));
    if let Some(text) = members["input"].as_str() {
        members["input"] = json!([{"role": "user", "content": text}]);
    }
    for item in members["input"].as_array_mut().unwrap() {
        let says = item["role"] == "assistant";
        let item = item.as_object_mut().unwrap();
        for name in ["id", "status", "phase"] {
            item.remove(name);
        }
        if item.get("type") == Some(&json!("message")) {
            item.remove("type");
        }
        for part in item
            .get_mut("content")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let part = part.as_object_mut().unwrap();
            part.retain(|key, value| key != "detail" && *value != json!([]));
            if part.get("type") == Some(&json!("output_text")) {
                part["type"] = json!("input_text");
            }
        }
        if let Some(content) = item.get_mut("content") {
            let parts = content.as_array().cloned().unwrap_or_default();
            if says && !parts.is_empty() {
                let texts = parts.iter().map(|part| part["text"].as_str().unwrap());
                *content = texts.collect::<String>().into();
            } else if let [part] = parts.as_slice()
                && part["type"] == "input_text"
            {
                *content = part["text"].clone();
            }
        }
    }
    let tools = members.get_mut("tools").and_then(Value::as_array_mut);
    for tool in tools.into_iter().flatten() {
        // Unsaid, it hangs on the schema.
        tool.as_object_mut().unwrap().remove("strict");
    }
    if let Some(format) = members
        .get_mut("text")
        .and_then(|text| text.get_mut("format"))
    {
        format
            .as_object_mut()
            .unwrap()
            .retain(|_, value| *value != json!(false));
    }
    request
}

#[test]
fn every_recorded_request_asks_the_same_when_it_is_written_again() {
    let (mut all, mut same) = (0, 0);
    let mut other: BTreeMap<String, usize> = BTreeMap::new();
    for exchange in RECORDED.into_iter().flat_map(recorded) {
        let text = exchange["request"]["body"]["text"].as_str().unwrap();
        let document = Document::read(text, API, Direction::Request).unwrap();
        let mut losses = Losses::default();
        all += 1;
        let ask = decode_ask(&document, Unknown::Refuse, &mut losses).unwrap();
        let to = To {
            dialect: API,
            model: &ask.model,
            facts: None,
            vertex: false,
            bounds: Bounds::default(),
            stream_usage: false,
            quirks: &crate::catalogue::Quirks::NONE,
        };
        let written = encode_ask(&ask, to, &mut losses).unwrap();
        if losses.is_empty() {
            let after: Value = serde_json::from_str(&written.text).unwrap();
            assert_eq!(after["store"], false);
            let before = serde_json::from_str(text).unwrap();
            assert_eq!(plain(after), plain(before));
            same += 1;
        } else {
            *other.entry(format!("{losses:?}")).or_default() += 1;
        }
    }
    println!("{same} of {all}; with losses: {other:#?}");
    assert!(same * 100 >= all * 98, "{same} of {all}: {other:?}");
}

fn any_event() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec![
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.content_part.done",
        "response.output_text.delta",
        "response.output_text.done",
        "response.refusal.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.custom_tool_call_input.delta",
        "response.output_text.annotation.added",
        "response.web_search_call.searching",
        "response.other",
        "keepalive",
    ]);
    let item = prop::sample::select(vec![
        json!({"type": "message", "content": []}),
        json!({"type": "message", "content": [{"type": "output_text", "text": "t"}, {"type": "refusal", "refusal": "r"}]}),
        json!({"type": "reasoning", "summary": []}),
        json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "gAAAA"}),
        json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}),
        json!({"type": "function_call", "name": "f", "arguments": "{\"a\":1}"}),
        json!({"type": "custom_tool_call", "call_id": "c", "name": "g", "input": "x"}),
        json!({"type": "web_search_call"}),
        json!({}),
    ]);
    let index = || prop::option::of(0_u64..3);
    (kind, item, index(), index(), prop::option::of("[ab]{1}"), "[a-c{}\"]{0,3}").prop_map(
        |(kind, mut item, place, part, id, text)| {
            item["id"] = id.clone().into();
            let annotation = json!({"type": "url_citation", "url": "u"});
            let whole = json!({"type": "output_text", "text": text, "annotations": [annotation]});
            json!({
                "type": kind, "item": item, "output_index": place, "content_index": part, "summary_index": part,
                "item_id": id, "delta": text, "text": text, "arguments": text, "annotation": annotation, "part": whole,
                "response": {"id": "resp_1", "model": "m"},
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]
    #[test]
    fn whatever_a_server_streams_a_client_gets_the_protocol(all in prop::collection::vec(any_event(), 0..24), ends in any::<bool>()) {
        let mut text: String = all.iter().map(|event| format!("data: {event}\n\n")).collect();
        if ends {
            text += "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[]}}\n\n";
        }
        let mut reader = from_provider::Events::new(ToolNames::default());
        let mut writer = ToClient::new(0, &Ask::default());
        let written = stream(&text, API, &mut reader, &mut writer);
        let data = written.iter().filter_map(|event| event.data());
        let events: Vec<Value> = data.map(|data| serde_json::from_str(data).unwrap()).collect();
        if ends {
            gather(&events);
        } else {
            let ended = events.iter().any(|event| event["type"] == "response.completed");
            prop_assert!(!ended);
        }
    }
}
