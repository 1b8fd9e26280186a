//! Recorded exchanges, through the layer: nothing is lost but what is declared. Runs where the recordings are.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use support::{Got, ask, body, chat, exchange, layer, pieces, recorded, sse};

const CHATS: [&str; 8] = [
    "openai.chat",
    "azure.chat",
    "deepseek.chat",
    "openrouter.chat",
    "mistral.chat",
    "perplexity.chat",
    "ollama.chat",
    "bedrock.chat",
];

/// Members of a request that Anthropic has a word for.
const MAPPED: [&str; 21] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "max_tokens",
    "max_completion_tokens",
    "response_format",
    "reasoning_effort",
    "reasoning",
    "thinking",
    "user",
    "cache_control",
    "web_search_options",
    "n",
];

fn texts_of(content: &Value, all: &mut Vec<String>) {
    match content {
        Value::String(text) if !text.is_empty() => all.push(text.clone()),
        Value::Array(parts) => parts.iter().for_each(|part| {
            texts_of(&part["text"], all);
            if part["type"] == "tool_result" {
                texts_of(&part["content"], all);
            }
        }),
        _ => {}
    }
}

fn calls_of(messages: &Value) -> Vec<(String, String, Value)> {
    let mut calls = Vec::new();
    for message in messages.as_array().unwrap() {
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let arguments = call["function"]["arguments"].as_str().unwrap();
            let input = if arguments.is_empty() {
                json!({})
            } else {
                serde_json::from_str(arguments).unwrap()
            };
            calls.push((
                call["id"].as_str().unwrap().to_owned(),
                call["function"]["name"].as_str().unwrap().to_owned(),
                input,
            ));
        }
        for block in message["content"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|block| block["type"] == "tool_use")
        {
            calls.push((
                block["id"].as_str().unwrap().to_owned(),
                block["name"].as_str().unwrap().to_owned(),
                block["input"].clone(),
            ));
        }
    }
    calls
}

fn check_request(request: &Value, got: &Got) {
    let sent = got.sent.as_ref().unwrap().json();
    let dropped: Vec<&str> = got
        .dropped()
        .split(", ")
        .map(|field| field.split(';').next().unwrap())
        .collect();
    for (key, value) in request.as_object().unwrap() {
        let neutral = value.is_null() || *value == json!(["text"]);
        assert!(
            neutral || MAPPED.contains(&key.as_str()) || dropped.contains(&key.as_str()),
            "{key} is lost"
        );
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    request["messages"]
        .as_array()
        .unwrap()
        .iter()
        .for_each(|message| texts_of(&message["content"], &mut before));
    texts_of(&sent["system"], &mut after);
    sent["messages"]
        .as_array()
        .unwrap()
        .iter()
        .for_each(|message| texts_of(&message["content"], &mut after));
    before.sort();
    after.sort();
    assert_eq!(before, after);
    assert_eq!(calls_of(&request["messages"]), calls_of(&sent["messages"]));
    let names = |tools: &Value, path: &str| -> Vec<Value> {
        tools
            .as_array()
            .into_iter()
            .flatten()
            // What the provider runs itself has a name of the provider's.
            .filter(|tool| tool.get("input_schema").is_some() || path != "/name")
            .filter_map(|tool| tool.pointer(path).cloned())
            .filter(|name| name != "bartizan_json_answer")
            .collect()
    };
    if request.get("tools").is_some() {
        assert_eq!(
            names(&request["tools"], "/function/name"),
            names(&sent["tools"], "/name")
        );
    }
    let roles: Vec<&Value> = sent["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["role"])
        .collect();
    assert!(
        roles.windows(2).all(|pair| pair[0] != pair[1]),
        "turns alternate"
    );
}

#[tokio::test]
async fn every_recorded_chat_request_is_translated_without_loss_or_refused_by_name() {
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let (mut all, mut translated) = (0, 0);
    for file in CHATS {
        for exchange in recorded(file) {
            let Some(text) = body(&exchange["request"]) else {
                continue;
            };
            all += 1;
            let got = ask(&layer(), text.clone()).await;
            if got.status == 200 {
                translated += 1;
                check_request(&serde_json::from_str(&text).unwrap(), &got);
            } else {
                let error = &got.json()["error"];
                assert_eq!(got.status, 400, "{file}: {error}");
                let param = error["param"]
                    .as_str()
                    .unwrap_or_else(|| panic!("{file}: {error}"));
                let place: String = param.chars().filter(|c| !c.is_ascii_digit()).collect();
                *refused.entry(format!("{file} {place}")).or_default() += 1;
            }
        }
    }
    println!("{translated} of {all} translated; refused by name: {refused:#?}");
    assert!(
        translated * 100 >= all * 92,
        "{translated} of {all}: {refused:?}"
    );
}

/// What a provider's answer says, put together from its own JSON.
#[derive(Debug, Default, PartialEq)]
struct Said {
    text: String,
    thinking: String,
    signatures: Vec<String>,
    calls: Vec<(String, String, Value)>,
    finish: String,
    /// Input, output, read from the cache, written to it.
    usage: (u64, u64, u64, u64),
}

fn finish(reason: &Value) -> String {
    let finish = match reason.as_str().unwrap() {
        "tool_use" => "tool_calls",
        "max_tokens" => "length",
        "refusal" => "content_filter",
        _ => "stop",
    };
    finish.to_owned()
}

fn by_provider(message: &Value) -> Said {
    let mut said = Said {
        finish: finish(&message["stop_reason"]),
        ..Said::default()
    };
    for block in message["content"].as_array().unwrap() {
        match block["type"].as_str().unwrap() {
            "text" => said.text += block["text"].as_str().unwrap(),
            "thinking" => {
                said.thinking += block["thinking"].as_str().unwrap();
                said.signatures
                    .push(block["signature"].as_str().unwrap().to_owned());
            }
            "tool_use" => said.calls.push((
                block["id"].as_str().unwrap().to_owned(),
                block["name"].as_str().unwrap().to_owned(),
                block["input"].clone(),
            )),
            _ => {}
        }
    }
    let usage = |name: &str| message["usage"][name].as_u64().unwrap_or(0);
    let (read, written) = (
        usage("cache_read_input_tokens"),
        usage("cache_creation_input_tokens"),
    );
    said.usage = (
        usage("input_tokens") + read + written,
        usage("output_tokens"),
        read,
        written,
    );
    said
}

/// A provider's stream, put together to a message.
fn assembled(stream: &str) -> Value {
    let mut message = Value::Null;
    let mut json = String::new();
    for line in stream.lines().filter_map(|line| line.strip_prefix("data:")) {
        let event: Value = serde_json::from_str(line).unwrap();
        let at = usize::try_from(event["index"].as_u64().unwrap_or(0)).unwrap();
        match event["type"].as_str().unwrap() {
            "message_start" => message = event["message"].clone(),
            "content_block_start" => {
                json.clear();
                message["content"]
                    .as_array_mut()
                    .unwrap()
                    .push(event["content_block"].clone());
            }
            "content_block_delta" => {
                let delta = &event["delta"];
                let block = &mut message["content"][at];
                for member in ["text", "thinking", "signature"] {
                    if let Some(piece) = delta[member].as_str() {
                        block[member] = json!(block[member].as_str().unwrap().to_owned() + piece);
                    }
                }
                json += delta["partial_json"].as_str().unwrap_or_default();
            }
            "content_block_stop" if !json.is_empty() => {
                message["content"][at]["input"] = serde_json::from_str(&json).unwrap()
            }
            "message_delta" => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                for (key, value) in event["usage"].as_object().unwrap() {
                    message["usage"][key] = value.clone();
                }
            }
            _ => {}
        }
    }
    message
}

fn usage_of(usage: &Value) -> (u64, u64, u64, u64) {
    let number = |path: &str| usage.pointer(path).and_then(Value::as_u64).unwrap();
    assert_eq!(
        number("/total_tokens"),
        number("/prompt_tokens") + number("/completion_tokens")
    );
    (
        number("/prompt_tokens"),
        number("/completion_tokens"),
        number("/prompt_tokens_details/cached_tokens"),
        number("/prompt_tokens_details/cache_write_tokens"),
    )
}

fn by_client(reply: &Value) -> Said {
    assert_eq!(reply["object"], "chat.completion");
    let choice = &reply["choices"][0];
    let message = &choice["message"];
    let details = message["reasoning_details"]
        .as_array()
        .into_iter()
        .flatten();
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Said {
        text: string(&message["content"]),
        thinking: string(&message["reasoning_content"]),
        signatures: details.map(|detail| string(&detail["signature"])).collect(),
        calls: calls_of(&json!([message])),
        finish: string(&choice["finish_reason"]),
        usage: usage_of(&reply["usage"]),
    }
}

/// As the SDK puts a stream together, with a check of what it relies on.
fn by_streaming_client(got: &Got) -> Said {
    let mut said = Said::default();
    let mut arguments: Vec<String> = Vec::new();
    let chunks = got.chunks();
    let ids: Vec<&Value> = chunks.iter().map(|chunk| &chunk["id"]).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "one id");
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    for chunk in &chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert!(said.usage == (0, 0, 0, 0), "usage comes last");
        if chunk["usage"].is_object() {
            assert_eq!(chunk["choices"], json!([]));
            said.usage = usage_of(&chunk["usage"]);
            continue;
        }
        let choice = &chunk["choices"][0];
        assert!(
            said.finish.is_empty(),
            "nothing but usage comes behind the finish"
        );
        let delta = &choice["delta"];
        said.text += delta["content"].as_str().unwrap_or_default();
        said.thinking += delta["reasoning_content"].as_str().unwrap_or_default();
        for detail in delta["reasoning_details"].as_array().into_iter().flatten() {
            said.signatures
                .extend(detail["signature"].as_str().map(str::to_owned));
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if let Some(id) = call["id"].as_str() {
                assert_eq!(index, said.calls.len(), "calls are numbered in order");
                said.calls.push((
                    id.to_owned(),
                    call["function"]["name"].as_str().unwrap().to_owned(),
                    Value::Null,
                ));
                arguments.push(String::new());
            }
            arguments[index] += call["function"]["arguments"].as_str().unwrap();
        }
        said.finish += choice["finish_reason"].as_str().unwrap_or_default();
    }
    for (call, arguments) in said.calls.iter_mut().zip(arguments) {
        call.2 = serde_json::from_str(&arguments).unwrap();
    }
    said
}

const ASK: &str = r#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#;
const STREAM: &str = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"a"}]}"#;

fn answers(streamed: bool) -> Vec<(u16, String)> {
    let all = recorded("anthropic.messages").into_iter();
    all.filter(|exchange| exchange["stream"] == streamed)
        .filter_map(|exchange| {
            let response = &exchange["response"];
            Some((
                u16::try_from(response["status"].as_u64().unwrap()).unwrap(),
                body(response)?,
            ))
        })
        .collect()
}

#[tokio::test]
async fn every_recorded_answer_says_the_same_in_the_other_dialect() {
    for (status, text) in answers(false) {
        let got = exchange(&layer(), chat(ASK), support::json(status, text.clone())).await;
        assert_eq!(got.status, status);
        let message: Value = serde_json::from_str(&text).unwrap();
        if status != 200 {
            assert!(got.json()["error"]["message"].is_string());
            continue;
        }
        let said = by_client(&got.json());
        assert_eq!(said, by_provider(&message));
        let only = |kind: &str| matches!(kind, "text" | "thinking" | "tool_use");
        let blocks = message["content"].as_array().unwrap();
        let kept = blocks.iter().all(|block| {
            only(block["type"].as_str().unwrap())
                && block.get("citations").is_none_or(Value::is_null)
        });
        assert_eq!(
            got.json().get("bartizan_dropped").is_none(),
            kept,
            "what is lost is declared"
        );
        sends_back(&got.json()["choices"][0]["message"], &said).await;
    }
}

/// A client sends the answer back as history.
async fn sends_back(message: &Value, said: &Said) {
    if said.text.is_empty() && said.calls.is_empty() && said.signatures.is_empty() {
        return;
    }
    let results = said
        .calls
        .iter()
        .map(|(id, ..)| json!({"role": "tool", "tool_call_id": id, "content": "r"}));
    let messages: Vec<Value> = [json!({"role": "user", "content": "a"}), message.clone()]
        .into_iter()
        .chain(results)
        .collect();
    let back = ask(
        &layer(),
        json!({"model": "m", "messages": messages}).to_string(),
    )
    .await;
    assert_eq!(back.dropped(), "");
    let sent = back.sent.unwrap().json();
    let mut again = by_provider(
        &json!({"stop_reason": "end_turn", "content": match &sent["messages"][1]["content"] {
            Value::String(text) => json!([{"type": "text", "text": text}]),
            blocks => blocks.clone(),
        }}),
    );
    (again.finish, again.usage) = (said.finish.clone(), said.usage);
    assert_eq!(again, *said);
}

#[tokio::test]
async fn every_recorded_stream_says_the_same_in_the_other_dialect() {
    for (_, text) in answers(true) {
        let got = exchange(&layer(), chat(STREAM), sse(text.clone())).await;
        assert!(got.is_done());
        assert_eq!(by_streaming_client(&got), by_provider(&assembled(&text)));
        let pings = text.matches("event: ping").count();
        assert_eq!(
            got.events().iter().filter(|event| *event == ":").count(),
            pings
        );
    }
}

#[test]
fn a_stream_says_the_same_however_it_is_cut_into_pieces() {
    let streams = answers(true);
    if streams.is_empty() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let whole: Vec<String> = streams
        .iter()
        .map(|(_, text)| {
            runtime
                .block_on(exchange(&layer(), chat(STREAM), sse(text.clone())))
                .text
        })
        .collect();
    let strategy = (0..streams.len(), prop::collection::vec(1_usize..200, 1..40));
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(120)
    });
    runner
        .run(&strategy, |(at, sizes)| {
            let mut rest = Bytes::from(streams[at].1.clone());
            let mut parts = Vec::new();
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                parts.push(rest.split_to((*size).min(rest.len())));
            }
            let got = runtime.block_on(exchange(&layer(), chat(STREAM), pieces(parts)));
            prop_assert_eq!(&got.text, &whole[at]);
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn every_recorded_stream_cut_after_every_event_never_ends_well() {
    let mut cuts = 0;
    for (_, text) in answers(true) {
        let events: Vec<&str> = text
            .split_inclusive("\n\n")
            .filter(|event| event.contains("data:"))
            .collect();
        let finished = events
            .iter()
            .position(|event| event.contains("\"message_delta\""))
            .unwrap();
        // Deltas in the middle are all alike: every event of the short streams, the ends of the long ones.
        let chosen = (0..events.len())
            .filter(|cut| events.len() < 40 || *cut < 15 || *cut + 15 > events.len());
        for cut in chosen {
            let got = exchange(&layer(), chat(STREAM), sse(events[..cut].concat())).await;
            cuts += 1;
            assert!(!got.text.contains("[DONE]"));
            let said = got
                .chunks()
                .iter()
                .any(|chunk| chunk["choices"][0]["finish_reason"].is_string());
            assert_eq!(
                said,
                cut > finished,
                "a finish reason is the provider's own"
            );
            assert!(got.chunks().iter().all(|chunk| !chunk["usage"].is_object()));
            assert_eq!(
                got.chunks().pop().unwrap()["error"]["code"],
                "upstream_stream_cut"
            );
        }
    }
    println!("{cuts} cuts");
}
