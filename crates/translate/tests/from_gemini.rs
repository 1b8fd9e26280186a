//! Gemini's answers, whole and streamed, as OpenAI's and Anthropic's clients get them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Target, TranslateLayer};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, body, chat, exchange, pieces, post, recorded, sse};

fn layer() -> TranslateLayer {
    support::layer().to(Target::new(Dialect::Gemini, "gemini-3.5-flash"))
}

const ASK: &str = r#"{"model":"house","messages":[{"role":"user","content":"hi"}]}"#;
const STREAM: &str = r#"{"model":"house","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}"#;

/// An answer of these parts, which ends for this reason.
fn answer(parts: Value, reason: &str) -> Value {
    json!({
        "candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": reason, "index": 0}],
        "usageMetadata": {"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 5, "thoughtsTokenCount": 7, "toolUsePromptTokenCount": 2, "totalTokenCount": 24},
        "modelVersion": "gemini-3.5-flash", "responseId": "r1",
    })
}

async fn whole(answer: Value) -> Got {
    exchange(&layer(), chat(ASK), support::json(200, answer.to_string())).await
}

fn events(chunks: &[Value]) -> String {
    chunks
        .iter()
        .map(|chunk| format!("data: {chunk}\r\n\r\n"))
        .collect()
}

async fn streamed(chunks: &[Value]) -> Got {
    exchange(&layer(), chat(STREAM), sse(events(chunks))).await
}

fn chunk(parts: Value) -> Value {
    json!({"candidates": [{"content": {"parts": parts, "role": "model"}, "index": 0}], "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}, "modelVersion": "g", "responseId": "r1"})
}

fn last(parts: Value, reason: &str) -> Value {
    let mut chunk = chunk(parts);
    chunk["candidates"][0]["finishReason"] = reason.into();
    chunk["usageMetadata"] = json!({"promptTokenCount": 3, "candidatesTokenCount": 2, "thoughtsTokenCount": 1, "totalTokenCount": 6});
    chunk
}

#[tokio::test]
async fn thoughts_texts_and_calls_come_with_what_signs_them() {
    let got = whole(answer(
        json!([
            {"text": "hm", "thought": true},
            {"text": "so", "thoughtSignature": "dGV4dA=="},
            {"functionCall": {"name": "weather", "args": {"city": "x"}}, "thoughtSignature": "Y2FsbA=="},
            {"functionCall": {"id": "call_7", "name": "time"}},
        ]),
        "STOP",
    ))
    .await;
    let reply = got.json();
    assert_eq!(reply["id"], "r1");
    assert_eq!(reply["model"], "gemini-3.5-flash");
    let choice = &reply["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    let message = &choice["message"];
    assert_eq!(message["content"], "so");
    assert_eq!(message["reasoning_content"], "hm");
    assert_eq!(
        message["reasoning_details"][1],
        json!({"type": "reasoning.encrypted", "data": "dGV4dA==", "format": "google-gemini-v1", "index": 1})
    );
    let calls = &message["tool_calls"];
    assert_eq!(
        calls[0]["function"],
        json!({"name": "weather", "arguments": r#"{"city":"x"}"#})
    );
    assert_eq!(
        calls[0]["extra_content"],
        json!({"google": {"thought_signature": "Y2FsbA=="}})
    );
    assert!(calls[0]["id"].as_str().unwrap().starts_with("call_"));
    assert_eq!(calls[1]["id"], "call_7");
    assert_eq!(
        calls[1]["function"],
        json!({"name": "time", "arguments": "{}"})
    );
    assert_eq!(
        reply["usage"],
        json!({
            "prompt_tokens": 12, "completion_tokens": 12, "total_tokens": 24,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 7},
        })
    );
}

#[tokio::test]
async fn a_signed_exchange_goes_back_as_it_came_through_either_client() {
    let parts = json!([
        {"functionCall": {"name": "weather", "args": {"city": "x"}}, "thoughtSignature": "Y2FsbA=="},
        {"functionCall": {"name": "time", "args": {}}},
    ]);
    let reply = whole(answer(parts.clone(), "STOP")).await.json();
    let message = &reply["choices"][0]["message"];
    let id = |at: usize| message["tool_calls"][at]["id"].clone();
    let body = json!({"model": "house", "messages": [
        {"role": "user", "content": "hi"}, message,
        {"role": "tool", "tool_call_id": id(0), "content": "a"},
        {"role": "tool", "tool_call_id": id(1), "content": "b"},
    ]});
    let got = exchange(&layer(), chat(body.to_string()), support::json(200, "{}")).await;
    assert_eq!(got.dropped(), "");
    assert_eq!(got.sent.unwrap().json()["contents"][1]["parts"], parts);

    let ask =
        json!({"model": "house", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    let reply = answer(parts.clone(), "STOP").to_string();
    let request = post("/v1/messages", ask.to_string());
    let got = exchange(&layer(), request, support::json(200, reply)).await;
    let content = got.json()["content"].clone();
    assert_eq!(got.json()["stop_reason"], "tool_use");
    let calls: Vec<Value> = content
        .as_array()
        .unwrap()
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .map(|block| json!({"type": "tool_result", "tool_use_id": block["id"], "content": "a"}))
        .collect();
    let body = json!({"model": "house", "max_tokens": 9, "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": calls},
    ]});
    let request = post("/v1/messages", body.to_string());
    let got = exchange(&layer(), request, support::json(200, "{}")).await;
    assert_eq!(got.dropped(), "");
    assert_eq!(got.sent.unwrap().json()["contents"][1]["parts"], parts);
}

#[tokio::test]
async fn reasons_to_finish_are_told_in_the_clients_words() {
    let text = json!([{"text": "a"}]);
    for (reason, finish) in [
        ("STOP", json!("stop")),
        ("MAX_TOKENS", json!("length")),
        ("SAFETY", json!("content_filter")),
        ("RECITATION", json!("content_filter")),
        ("BLOCKLIST", json!("content_filter")),
        ("PROHIBITED_CONTENT", json!("content_filter")),
        ("SPII", json!("content_filter")),
        ("MODEL_ARMOR", json!("content_filter")),
        ("FINISH_REASON_UNSPECIFIED", Value::Null),
    ] {
        let reply = whole(answer(text.clone(), reason)).await.json();
        assert_eq!(reply["choices"][0]["finish_reason"], finish, "{reason}");
    }
    let reply = whole(answer(text, "LANGUAGE")).await.json();
    assert_eq!(reply["bartizan_dropped"], json!(["finishReason"]));
}

#[tokio::test]
async fn a_call_that_can_not_be_read_is_a_failure_and_no_answer() {
    for reason in [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "MISSING_THOUGHT_SIGNATURE",
    ] {
        let got = whole(answer(json!([]), reason)).await;
        assert_eq!(got.status, 502, "{reason}: {}", got.text);
        assert_eq!(got.json()["error"]["code"], "upstream_malformed_call");
        let got = streamed(&[chunk(json!([{"text": "a"}])), last(json!([]), reason)]).await;
        assert!(got.text.contains("upstream_malformed_call"), "{}", got.text);
        assert!(!got.is_done());
    }
}

#[tokio::test]
async fn a_blocked_prompt_is_filtered_in_its_providers_words() {
    let blocked = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "no"}, "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}, "modelVersion": "g", "responseId": "r1"});
    let reply = whole(blocked.clone()).await.json();
    let choice = &reply["choices"][0];
    assert_eq!(choice["finish_reason"], "content_filter");
    assert_eq!(choice["message"]["refusal"], "no");
    assert_eq!(reply["usage"]["total_tokens"], 3);
    let got = streamed(&[blocked]).await;
    assert!(got.is_done());
    let chunks = got.chunks();
    assert!(
        chunks
            .iter()
            .any(|chunk| chunk["choices"][0]["delta"]["refusal"] == "no")
    );
    assert!(
        chunks
            .iter()
            .any(|chunk| chunk["choices"][0]["finish_reason"] == "content_filter")
    );
}

#[tokio::test]
async fn what_the_provider_ran_itself_is_never_the_clients_to_run() {
    let got = whole(answer(
        json!([
            {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
            {"somethingNew": {}},
            {"text": "one"},
        ]),
        "STOP",
    ))
    .await;
    let reply = got.json();
    assert_eq!(reply["choices"][0]["finish_reason"], "stop");
    assert_eq!(reply["choices"][0]["message"]["content"], "one");
    assert_eq!(reply["choices"][0]["message"].get("tool_calls"), None);
    assert_eq!(
        reply["bartizan_dropped"],
        json!([
            "content.server_tool_use",
            "content.server_tool_result",
            "content.data",
            "content.other"
        ])
    );
}

#[tokio::test]
async fn sources_are_citations_with_their_place_in_characters() {
    let mut reply = answer(
        json!([{"text": "hm", "thought": true}, {"text": "Größe: 4."}]),
        "STOP",
    );
    reply["candidates"][0]["groundingMetadata"] = json!({
        "groundingChunks": [
            {"web": {"uri": "https://a.example", "title": "A"}},
            {"web": {"uri": "https://b.example", "title": "B"}},
        ],
        // Bytes of the part of that index.
        "groundingSupports": [{"segment": {"partIndex": 1, "startIndex": 9, "endIndex": 11, "text": "4."}, "groundingChunkIndices": [1]}],
        "searchEntryPoint": {"renderedContent": "<div>"},
        "webSearchQueries": ["q"],
    });
    let reply = whole(reply).await.json();
    let note = |url: &str, title: &str, start: u64, end: u64| json!({"type": "url_citation", "url_citation": {"start_index": start, "end_index": end, "url": url, "title": title}});
    assert_eq!(
        reply["choices"][0]["message"]["annotations"],
        json!([
            note("https://b.example", "B", 7, 9),
            note("https://a.example", "A", 0, 0)
        ])
    );
    assert_eq!(
        reply["bartizan_dropped"],
        json!(["content.search_entry_point"])
    );
}

#[tokio::test]
async fn every_member_of_an_answer_is_optional() {
    for reply in [
        json!({}),
        json!({"candidates": []}),
        json!({"candidates": [{}]}),
        json!({"candidates": [{"content": {}}]}),
        json!({"candidates": [{"content": {"parts": [{}]}}]}),
        json!({"candidates": [{"content": {"parts": [{"text": null}, {"functionCall": {}}]}}], "usageMetadata": {}}),
        json!({"usageMetadata": {"promptTokenCount": 1, "cachedContentTokenCount": 9}}),
    ] {
        let got = whole(reply.clone()).await;
        assert_eq!(got.status, 200, "{reply}: {}", got.text);
        let usage = &got.json()["usage"];
        assert!(usage["prompt_tokens"].as_u64() <= Some(1));
        let got = streamed(&[reply]).await;
        assert!(!got.is_done());
    }
}

#[tokio::test]
async fn a_stream_says_all_of_it_and_stop_after_a_call_is_a_call() {
    let got = streamed(&[
        chunk(json!([{"text": "h", "thought": true}])),
        chunk(json!([{"text": "m", "thought": true}])),
        chunk(json!([{"text": "a"}])),
        chunk(json!([{"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"}, {"functionCall": {"id": "i", "name": "g"}}])),
        last(json!([{"text": ""}]), "STOP"),
    ])
    .await;
    assert!(got.is_done(), "{}", got.text);
    let chunks = got.chunks();
    let deltas = |key: &str| -> Vec<Value> {
        let found = chunks
            .iter()
            .map(|chunk| chunk["choices"][0]["delta"][key].clone());
        found.filter(|value| !value.is_null()).collect()
    };
    assert_eq!(deltas("reasoning_content"), [json!("h"), json!("m")]);
    assert_eq!(deltas("content"), [json!(""), json!("a")]);
    let calls: Vec<Value> = deltas("tool_calls")
        .into_iter()
        .map(|calls| calls[0].clone())
        .collect();
    assert_eq!(calls[0]["index"], 0);
    assert_eq!(
        calls[0]["extra_content"]["google"]["thought_signature"],
        "c2ln"
    );
    assert_eq!(calls[1]["function"]["arguments"], r#"{"x":1}"#);
    assert_eq!(
        (&calls[2]["index"], &calls[2]["id"]),
        (&json!(1), &json!("i"))
    );
    assert_eq!(calls[3]["function"]["arguments"], "{}");
    let finish: Vec<&Value> = chunks
        .iter()
        .map(|chunk| &chunk["choices"][0]["finish_reason"])
        .filter(|finish| !finish.is_null())
        .collect();
    assert_eq!(finish, [&json!("tool_calls")]);
    let usage = &chunks.last().unwrap()["usage"];
    assert_eq!(usage["total_tokens"], 6);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 1);
}

#[tokio::test]
async fn an_error_in_a_stream_is_the_clients_error_and_nothing_follows() {
    let error = json!({"error": {"code": 503, "message": "the model is overloaded", "status": "UNAVAILABLE"}});
    let got = streamed(&[
        chunk(json!([{"text": "a"}])),
        error,
        last(json!([{"text": "b"}]), "STOP"),
    ])
    .await;
    let events = got.events();
    let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "upstream_overloaded");
    assert!(!got.is_done());
}

/// What the recorded streams say to an OpenAI client, one text each.
async fn told(stream: &str, ends: usize) -> Got {
    let cut: Vec<&str> = stream.split_inclusive("\r\n\r\n").take(ends).collect();
    exchange(&layer(), chat(STREAM), sse(cut.concat())).await
}

fn streams() -> Vec<String> {
    ["gemini.generateContent", "vertex.generateContent"]
        .into_iter()
        .flat_map(recorded)
        .filter(|exchange| exchange["stream"] == true)
        .filter_map(|exchange| body(&exchange["response"]))
        .map(|text| text.replace("\r\n", "\n").replace('\n', "\r\n"))
        .collect()
}

#[tokio::test]
async fn a_recorded_stream_cut_after_any_event_but_the_last_never_ends_well() {
    for stream in streams() {
        let count = stream
            .split_inclusive("\r\n\r\n")
            .filter(|event| event.contains("data: "))
            .count();
        for ends in 0..=count {
            let got = told(&stream, ends).await;
            let finished = got.text.contains(r#""finish_reason":"stop""#)
                || got.text.contains(r#""finish_reason":"tool_calls""#);
            let whole = ends == count;
            assert_eq!((got.is_done(), finished), (whole, whole), "{}", got.text);
            assert_eq!(got.text.contains("upstream_stream_cut"), !whole);
        }
    }
}

#[test]
fn a_recorded_stream_says_the_same_however_it_is_cut_into_pieces() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let streams = streams();
    let mut runner = proptest::test_runner::TestRunner::default();
    for stream in streams {
        let whole = runtime.block_on(told(&stream, usize::MAX)).text;
        let cuts = proptest::collection::vec(0..stream.len(), 1..20);
        runner
            .run(&cuts, |mut cuts| {
                cuts.sort_unstable();
                let mut parts = Vec::new();
                let mut from = 0;
                for cut in cuts {
                    parts.push(Bytes::copy_from_slice(&stream.as_bytes()[from..cut]));
                    from = cut;
                }
                parts.push(Bytes::copy_from_slice(&stream.as_bytes()[from..]));
                let got = runtime.block_on(exchange(&layer(), chat(STREAM), pieces(parts)));
                prop_assert_eq!(&got.text, &whole);
                Ok(())
            })
            .unwrap();
    }
}

#[tokio::test]
async fn every_recorded_answer_reaches_openais_and_anthropics_clients_whole() {
    let recorded = ["gemini.generateContent", "vertex.generateContent"]
        .into_iter()
        .flat_map(recorded);
    for exchange in recorded.filter(|exchange| exchange["response"]["status"] == 200) {
        let text = body(&exchange["response"]).unwrap();
        let streams = exchange["stream"] == true;
        let said: Vec<Value> = if streams {
            let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
            lines
                .map(|data| serde_json::from_str(data).unwrap())
                .collect()
        } else {
            vec![serde_json::from_str(&text).unwrap()]
        };
        let parts: Vec<&Value> = said
            .iter()
            .flat_map(|answer| answer["candidates"][0]["content"]["parts"].as_array())
            .flatten()
            .collect();
        let texts: String = parts
            .iter()
            .filter(|part| part["thought"] != true)
            .filter_map(|part| part["text"].as_str())
            .collect();
        let calls = parts
            .iter()
            .filter(|part| part.get("functionCall").is_some())
            .count();
        let response = || {
            if streams {
                sse(text.clone())
            } else {
                support::json(200, text.clone())
            }
        };
        let ask = if streams { STREAM } else { ASK };
        let got = support::exchange(&layer(), chat(ask), response()).await;
        let (content, tools): (String, usize) = if streams {
            let chunks = got.chunks();
            let deltas = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]);
            let content = deltas
                .clone()
                .filter_map(|delta| delta["content"].as_str())
                .collect();
            let tools = deltas
                .filter(|delta| !delta["tool_calls"][0]["id"].is_null())
                .count();
            (content, tools)
        } else {
            let message = &got.json()["choices"][0]["message"];
            let tools = message["tool_calls"].as_array().map_or(0, Vec::len);
            (
                message["content"].as_str().unwrap_or_default().to_owned(),
                tools,
            )
        };
        assert_eq!(
            (content, tools),
            (texts.clone(), calls),
            "{}",
            exchange["from"]
        );

        let ask = json!({"model": "house", "max_tokens": 9, "stream": streams, "messages": [{"role": "user", "content": "hi"}]});
        let request = post("/v1/messages", ask.to_string());
        let got = support::exchange(&layer(), request, response()).await;
        if streams {
            assert!(
                got.text
                    .ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
                "{}",
                got.text
            );
        } else {
            let content = got.json()["content"].clone();
            let blocks = content.as_array().unwrap();
            let said: String = blocks
                .iter()
                .filter_map(|block| block["text"].as_str())
                .collect();
            let called = blocks
                .iter()
                .filter(|block| block["type"] == "tool_use")
                .count();
            assert_eq!((said, called), (texts, calls), "{}", exchange["from"]);
        }
    }
}
