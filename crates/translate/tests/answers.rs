//! Anthropic's answers, as an OpenAI client gets them: whole ones, streams, errors, and streams that break off.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::{Body, Dialect, Refusal, RefusalKind};
use bartizan_translate::{Target, TranslateLayer};
use http::{Response, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, chat, exchange, layer, sse};

const ASK: &str = r#"{"model":"house","messages":[{"role":"user","content":"hi"}]}"#;
const STREAM: &str =
    r#"{"model":"house","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
const STREAM_USAGE: &str = r#"{"model":"house","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}"#;

async fn answered(content: Value, end: Value) -> Got {
    let mut reply: Value = serde_json::from_str(support::REPLY).unwrap();
    reply["content"] = content;
    for (key, value) in end.as_object().unwrap() {
        reply[key] = value.clone();
    }
    exchange(&layer(), chat(ASK), support::json(200, reply.to_string())).await
}

async fn streamed(request: &str, events: &[Value]) -> Got {
    exchange(&layer(), chat(request), sse(frames(events))).await
}

fn frames(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| {
            format!(
                "event: {}\ndata: {event}\n\n",
                event["type"].as_str().unwrap()
            )
        })
        .collect()
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude-x", "type": "message", "role": "assistant", "content": [],
        "stop_reason": null, "usage": {"input_tokens": 10, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 30, "output_tokens": 1}}})
}

fn open(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn close(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end(reason: &str) -> [Value; 2] {
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": {"output_tokens": 7}}),
        json!({"type": "message_stop"}),
    ]
}

fn whole(blocks: Vec<Value>, reason: &str) -> Vec<Value> {
    [vec![start()], blocks, end(reason).to_vec()].concat()
}

fn text(index: u64, pieces: &[&str]) -> Vec<Value> {
    let mut events = vec![open(index, json!({"type": "text", "text": ""}))];
    events.extend(
        pieces
            .iter()
            .map(|piece| delta(index, json!({"type": "text_delta", "text": piece}))),
    );
    events.push(close(index));
    events
}

fn joined(chunks: &[Value], member: &str) -> String {
    chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"][member].as_str())
        .collect()
}

#[tokio::test]
async fn an_answer_has_every_field_of_the_protocol() {
    let got = answered(json!([{"type": "text", "text": "hi"}]), json!({})).await;
    assert_eq!(got.status, 200);
    assert_eq!(got.headers.get("content-length"), None);
    assert_eq!(
        got.json(),
        json!({
            "id": "msg_1", "object": "chat.completion", "created": 1_700_000_000, "model": "claude-haiku-4-5-20251001",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi", "refusal": null}, "logprobs": null, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}},
        })
    );
}

#[tokio::test]
async fn stop_reasons_by_the_table() {
    for (reason, finish) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("new_reason", "stop"),
    ] {
        let got = answered(
            json!([{"type": "text", "text": "a"}]),
            json!({"stop_reason": reason}),
        )
        .await;
        assert_eq!(
            got.json()["choices"][0]["finish_reason"],
            finish,
            "{reason}"
        );
        let got = streamed(STREAM, &whole(text(0, &["a"]), reason)).await;
        let last = got.chunks().pop().unwrap();
        assert_eq!(last["choices"][0]["finish_reason"], finish, "{reason}");
        assert_eq!(
            last.get("bartizan_dropped").is_some(),
            reason == "new_reason"
        );
    }
}

#[tokio::test]
async fn calls_keep_ids_order_and_arguments_and_equal_ones_stay_two() {
    let content = json!([
        {"type": "text", "text": "let me see"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": "\u{2028}\"", "b": [1, 2.50]}},
        {"type": "tool_use", "id": "t2", "name": "f", "input": {}},
        {"type": "tool_use", "id": "t3", "name": "f", "input": {}},
    ]);
    let got = answered(content, json!({"stop_reason": "tool_use"})).await;
    let message = &got.json()["choices"][0]["message"];
    assert_eq!(message["content"], "let me see");
    let calls = message["tool_calls"].as_array().unwrap();
    let ids: Vec<&Value> = calls.iter().map(|call| &call["id"]).collect();
    assert_eq!(ids, ["t1", "t2", "t3"]);
    let arguments: Value =
        serde_json::from_str(calls[0]["function"]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({"a": "\u{2028}\"", "b": [1, 2.50]}));
    assert_eq!(
        calls[1]["function"],
        json!({"name": "f", "arguments": "{}"})
    );
    let alone = answered(
        json!([{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]),
        json!({"stop_reason": "tool_use"}),
    )
    .await;
    assert_eq!(
        alone.json()["choices"][0]["message"]["content"],
        Value::Null
    );
}

#[tokio::test]
async fn thinking_is_shown_and_carried_with_its_signature() {
    let content = json!([
        {"type": "thinking", "thinking": "one", "signature": "s1"}, {"type": "redacted_thinking", "data": "d"},
        {"type": "thinking", "thinking": "two", "signature": "s2"}, {"type": "text", "text": "hi"},
    ]);
    let got = answered(content, json!({"usage": {"input_tokens": 1, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}})).await;
    let message = &got.json()["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "onetwo");
    assert_eq!(
        message["reasoning_details"],
        json!([
            {"type": "reasoning.text", "text": "one", "signature": "s1", "format": "anthropic-claude-v1", "index": 0},
            {"type": "reasoning.encrypted", "data": "d", "format": "anthropic-claude-v1", "index": 1},
            {"type": "reasoning.text", "text": "two", "signature": "s2", "format": "anthropic-claude-v1", "index": 2},
        ])
    );
    let usage = &got.json()["usage"];
    assert_eq!(
        (
            &usage["completion_tokens"],
            &usage["completion_tokens_details"]["reasoning_tokens"]
        ),
        (&json!(9), &json!(4))
    );
    // And back, as a client sends it.
    let history = json!({"model": "m", "messages": [{"role": "user", "content": "a"}, message, {"role": "user", "content": "b"}]});
    let back = exchange(
        &layer(),
        chat(history.to_string()),
        support::json(200, support::REPLY),
    )
    .await;
    let blocks = back.sent.clone().unwrap().json()["messages"][1]["content"].clone();
    assert_eq!(back.dropped(), "");
    assert_eq!(
        blocks[0],
        json!({"type": "thinking", "thinking": "one", "signature": "s1"})
    );
    assert_eq!(blocks[1], json!({"type": "redacted_thinking", "data": "d"}));
    assert_eq!(blocks[3], json!({"type": "text", "text": "hi"}));
}

#[tokio::test]
async fn what_the_provider_ran_itself_is_never_a_call_of_the_client() {
    let server = [
        json!({"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}}),
        json!({"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}),
        json!({"type": "mcp_tool_use", "id": "s2", "name": "x", "server_name": "y", "input": {}}),
        json!({"type": "text", "text": "hi", "citations": [{"type": "char_location"}]}),
    ];
    let got = answered(json!(server), json!({})).await;
    let message = got.json()["choices"][0]["message"].clone();
    assert_eq!(
        (message.get("tool_calls"), &message["content"]),
        (None, &json!("hi"))
    );
    let lost = json!([
        "content.server_tool_use",
        "content.server_tool_result",
        "content.citations"
    ]);
    assert_eq!(got.json()["bartizan_dropped"], lost);
    assert!(got.trail.contains(&"translate dropped of=answer content.server_tool_use=dropped content.server_tool_result=dropped content.citations=dropped".to_owned()));

    let mut events = vec![
        open(0, server[0].clone()),
        delta(0, json!({"type": "input_json_delta", "partial_json": "{}"})),
        close(0),
        open(1, server[1].clone()),
        close(1),
    ];
    events.extend(text(2, &["hi"]));
    let got = streamed(STREAM, &whole(events, "end_turn")).await;
    let chunks = got.chunks();
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["choices"][0]["delta"].get("tool_calls").is_none())
    );
    assert_eq!(joined(&chunks, "content"), "hi");
    assert_eq!(
        chunks.last().unwrap()["bartizan_dropped"],
        json!(["content.server_tool_use", "content.server_tool_result"])
    );
}

#[tokio::test]
async fn a_refusal_is_a_refusal() {
    let details = json!({"stop_reason": "refusal", "stop_details": {"type": "refusal", "category": "bio", "explanation": "no"}});
    let got = answered(json!([]), details.clone()).await;
    let choice = got.json()["choices"][0].clone();
    assert_eq!(choice["finish_reason"], "content_filter");
    assert_eq!(
        (&choice["message"]["refusal"], &choice["message"]["content"]),
        (&json!("no"), &Value::Null)
    );
    let mut events = whole(text(0, &["par"]), "refusal");
    events.iter_mut().rev().nth(1).unwrap()["delta"] = details;
    let got = streamed(STREAM, &events).await;
    let chunks = got.chunks();
    assert_eq!(
        (
            joined(&chunks, "content").as_str(),
            joined(&chunks, "refusal").as_str()
        ),
        ("par", "no")
    );
    assert_eq!(
        chunks.last().unwrap()["choices"][0]["finish_reason"],
        "content_filter"
    );
}

#[tokio::test]
async fn usage_adds_up_both_ways() {
    for (usage, wanted) in [
        (
            json!({"input_tokens": 10, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 30, "output_tokens": 7}),
            (60, 7, 67, 20, 30),
        ),
        (
            json!({"input_tokens": 10, "cache_read_input_tokens": null, "output_tokens": 7}),
            (10, 7, 17, 0, 0),
        ),
        (
            json!({"input_tokens": -1, "output_tokens": 2, "output_tokens_details": {"thinking_tokens": 9}}),
            (0, 2, 2, 0, 0),
        ),
    ] {
        let got = answered(json!([]), json!({"usage": usage})).await;
        let usage = &got.json()["usage"];
        let number = |path: &str| usage.pointer(path).unwrap().as_u64().unwrap();
        let said = (
            number("/prompt_tokens"),
            number("/completion_tokens"),
            number("/total_tokens"),
            number("/prompt_tokens_details/cached_tokens"),
            number("/prompt_tokens_details/cache_write_tokens"),
        );
        assert_eq!(said, wanted);
    }
}

#[tokio::test]
async fn a_stream_has_role_text_finish_and_done() {
    let got = streamed(STREAM, &whole(text(0, &["a\u{2028}", "", "b"]), "end_turn")).await;
    let head = json!({"id": "msg_1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "claude-x"});
    let chunk = |delta: Value, finish: Value| {
        let mut chunk = head.clone();
        chunk["choices"] = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        chunk
    };
    assert_eq!(
        got.chunks(),
        [
            chunk(json!({"role": "assistant", "content": ""}), Value::Null),
            chunk(json!({"content": "a\u{2028}"}), Value::Null),
            chunk(json!({"content": "b"}), Value::Null),
            chunk(json!({}), json!("stop")),
        ]
    );
    assert!(got.is_done());
    assert!(
        !got.text.contains('\u{2028}'),
        "a line reader would break there"
    );
}

#[tokio::test]
async fn usage_comes_in_a_chunk_of_its_own_and_only_if_asked_for() {
    let events = whole(text(0, &["a"]), "end_turn");
    let got = streamed(STREAM_USAGE, &events).await;
    let chunks = got.chunks();
    let (last, others) = chunks.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(
        (
            &last["usage"]["prompt_tokens"],
            &last["usage"]["completion_tokens"],
            &last["usage"]["total_tokens"]
        ),
        (&json!(60), &json!(7), &json!(67))
    );
    assert!(
        others
            .iter()
            .all(|chunk| chunk["usage"] == Value::Null && chunk["choices"][0].is_object())
    );
    let got = streamed(STREAM, &events).await;
    assert!(!got.text.contains("usage"));
}

#[tokio::test]
async fn a_stream_that_says_its_end_twice_finishes_once_with_the_last_count() {
    let mut events = whole(text(0, &["a"]), "end_turn");
    let mut again = events[events.len() - 2].clone();
    again["usage"]["output_tokens"] = json!(9);
    events.insert(events.len() - 1, again);
    let got = streamed(STREAM_USAGE, &events).await;
    let chunks = got.chunks();
    assert_eq!(
        chunks
            .iter()
            .filter(|chunk| chunk["choices"][0]["finish_reason"].is_string())
            .count(),
        1
    );
    assert_eq!(chunks.last().unwrap()["usage"]["completion_tokens"], 9);
}

#[tokio::test]
async fn tool_deltas_are_numbered_as_calls_and_named_once() {
    let tool = |id: &str| json!({"type": "tool_use", "id": id, "name": "f", "input": {}});
    let piece = |index, piece: &str| {
        delta(
            index,
            json!({"type": "input_json_delta", "partial_json": piece}),
        )
    };
    let mut events = text(0, &["see"]);
    events.extend([
        open(1, tool("t1")),
        piece(1, ""),
        piece(1, "{\"a\":"),
        open(3, tool("t2")),
        piece(3, ""),
        piece(1, "\"\\n\"}"),
        close(1),
        close(3),
    ]);
    let got = streamed(STREAM, &whole(events, "tool_use")).await;
    let deltas: Vec<Value> = got
        .chunks()
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"].get("tool_calls").cloned())
        .collect();
    let named = |index: u64, id: &str| json!([{"index": index, "id": id, "type": "function", "function": {"name": "f", "arguments": ""}}]);
    let more =
        |index: u64, piece: &str| json!([{"index": index, "function": {"arguments": piece}}]);
    assert_eq!(
        deltas,
        [
            named(0, "t1"),
            more(0, "{\"a\":"),
            named(1, "t2"),
            more(0, "\"\\n\"}"),
            more(1, "{}")
        ]
    );
    assert!(got.is_done());
}

/// Two calls, whole or streamed, as the client of this request gets them.
async fn called(request: &Value, names: [&str; 2]) -> Got {
    let block = |id: &str, name: &str, input: Value| json!({"type": "tool_use", "id": id, "name": name, "input": input});
    if request["stream"] == true {
        let events = [
            vec![open(0, block("t1", names[0], json!({})))],
            ["{\"input\":", "\"ls\"}"]
                .map(|piece| {
                    delta(
                        0,
                        json!({"type": "input_json_delta", "partial_json": piece}),
                    )
                })
                .to_vec(),
            vec![
                close(0),
                open(1, block("t2", names[1], json!({}))),
                close(1),
            ],
        ];
        return streamed(&request.to_string(), &whole(events.concat(), "tool_use")).await;
    }
    let mut reply: Value = serde_json::from_str(support::REPLY).unwrap();
    reply["content"] = json!([
        block("t1", names[0], json!({"input": "ls"})),
        block("t2", names[1], json!({}))
    ]);
    reply["stop_reason"] = "tool_use".into();
    let answer = support::json(200, reply.to_string());
    exchange(&layer(), chat(request.to_string()), answer).await
}

#[tokio::test]
async fn a_client_of_functions_reads_one_call_and_is_told_of_others() {
    let mut request: Value = serde_json::from_str(ASK).unwrap();
    request["functions"] = json!([{"name": "f", "parameters": {"type": "object"}}]);
    let answer = called(&request, ["f", "f"]).await.json();
    let choice = &answer["choices"][0];
    assert_eq!(
        choice["message"]["function_call"],
        json!({"name": "f", "arguments": "{\"input\":\"ls\"}"})
    );
    assert!(choice["message"].get("tool_calls").is_none());
    assert_eq!(choice["finish_reason"], "function_call");
    assert_eq!(
        answer["bartizan_dropped"],
        json!(["choices.message.tool_calls"])
    );

    request["stream"] = true.into();
    let got = called(&request, ["f", "f"]).await;
    let pieces: Vec<Value> = got
        .chunks()
        .iter()
        .map(|chunk| chunk["choices"][0]["delta"]["function_call"].clone())
        .filter(|piece| !piece.is_null())
        .collect();
    assert_eq!(pieces[0], json!({"name": "f", "arguments": ""}));
    let arguments: String = pieces
        .iter()
        .map(|piece| piece["arguments"].as_str().unwrap())
        .collect();
    assert_eq!(arguments, "{\"input\":\"ls\"}");
    let last = got
        .chunks()
        .into_iter()
        .find(|chunk| !chunk["choices"][0]["finish_reason"].is_null());
    let last = last.unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "function_call");
    assert_eq!(
        last["bartizan_dropped"],
        json!(["choices.message.tool_calls"])
    );
    assert!(got.is_done());
}

#[tokio::test]
async fn a_call_of_a_tool_that_takes_any_text_is_one() {
    let mut request: Value = serde_json::from_str(ASK).unwrap();
    request["tools"] = json!([
        {"type": "custom", "custom": {"name": "shell"}},
        {"type": "function", "function": {"name": "f"}},
    ]);
    let answer = called(&request, ["shell", "f"]).await.json();
    assert_eq!(
        answer["choices"][0]["message"]["tool_calls"],
        json!([
            {"id": "t1", "type": "custom", "custom": {"name": "shell", "input": "ls"}},
            {"id": "t2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        ])
    );
    request["stream"] = true.into();
    let got = called(&request, ["shell", "f"]).await;
    let calls: Vec<Value> = got
        .chunks()
        .iter()
        .flat_map(|chunk| {
            chunk["choices"][0]["delta"]["tool_calls"]
                .as_array()
                .cloned()
        })
        .flatten()
        .collect();
    assert_eq!(
        calls[0],
        json!({"index": 0, "id": "t1", "type": "custom", "custom": {"name": "shell", "input": ""}})
    );
    let input: String = calls
        .iter()
        .filter_map(|call| call["custom"]["input"].as_str())
        .collect();
    assert_eq!(input, "ls");
    assert!(calls.contains(&json!({"index": 1, "function": {"arguments": "{}"}})));
}

#[tokio::test]
async fn thinking_streams_with_its_signature_at_the_end() {
    let events = vec![
        open(
            0,
            json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
        delta(0, json!({"type": "thinking_delta", "thinking": "on"})),
        delta(0, json!({"type": "thinking_delta", "thinking": "e"})),
        delta(0, json!({"type": "signature_delta", "signature": "s1"})),
        close(0),
        open(1, json!({"type": "redacted_thinking", "data": "d"})),
        close(1),
    ];
    let got = streamed(STREAM, &whole(events, "end_turn")).await;
    let chunks = got.chunks();
    assert_eq!(joined(&chunks, "reasoning_content"), "one");
    let details: Vec<Value> = chunks
        .iter()
        .filter_map(|chunk| {
            chunk["choices"][0]["delta"]["reasoning_details"]
                .as_array()
                .cloned()
        })
        .flatten()
        .collect();
    // And back, as a client sends them that keeps each piece.
    let history = json!({"model": "m", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_details": details}]});
    let back = exchange(
        &layer(),
        chat(history.to_string()),
        support::json(200, support::REPLY),
    )
    .await;
    let blocks = &back.sent.unwrap().json()["messages"][1]["content"];
    assert_eq!(
        blocks[0],
        json!({"type": "thinking", "thinking": "one", "signature": "s1"})
    );
    assert_eq!(blocks[1], json!({"type": "redacted_thinking", "data": "d"}));
}

#[tokio::test]
async fn a_ping_is_a_comment_and_an_unknown_event_is_nothing() {
    let mut events = whole(text(0, &["a"]), "end_turn");
    events.insert(1, json!({"type": "ping"}));
    events.insert(2, json!({"type": "new_event", "x": 1}));
    let got = streamed(STREAM, &events).await;
    assert_eq!(got.events()[1], ":");
    assert_eq!(got.chunks().len(), 3);
    assert!(got.is_done());
}

#[tokio::test]
async fn the_hidden_tools_call_is_the_answer() {
    let ask = |stream: bool| {
        json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "a"}], "response_format": {"type": "json_object"}}).to_string()
    };
    let tool =
        json!({"type": "tool_use", "id": "t1", "name": "bartizan_json_answer", "input": {"a": 1}});
    let mut reply: Value = serde_json::from_str(support::REPLY).unwrap();
    reply["content"] = json!([tool]);
    reply["stop_reason"] = json!("tool_use");
    let got = exchange(
        &layer(),
        chat(ask(false)),
        support::json(200, reply.to_string()),
    )
    .await;
    let choice = got.json()["choices"][0].clone();
    assert_eq!(
        (&choice["message"]["content"], &choice["finish_reason"]),
        (&json!("{\"a\":1}"), &json!("stop"))
    );
    assert_eq!(choice["message"].get("tool_calls"), None);

    let mut opened = tool.clone();
    opened["input"] = json!({});
    let piece = |piece: &str| {
        delta(
            0,
            json!({"type": "input_json_delta", "partial_json": piece}),
        )
    };
    let events = whole(
        vec![
            open(0, opened),
            piece(""),
            piece("{\"a\""),
            piece(":1}"),
            close(0),
        ],
        "tool_use",
    );
    let got = exchange(&layer(), chat(ask(true)), sse(frames(&events))).await;
    assert_eq!(joined(&got.chunks(), "content"), "{\"a\":1}");
    assert_eq!(
        got.chunks().last().unwrap()["choices"][0]["finish_reason"],
        "stop"
    );
    assert!(!got.text.contains("tool_calls"));
}

#[tokio::test]
async fn every_stream_cut_after_every_event_says_so_and_never_ends_well() {
    let mut events = text(0, &["a", "b"]);
    events.extend([
        open(
            1,
            json!({"type": "tool_use", "id": "t", "name": "f", "input": {}}),
        ),
        delta(1, json!({"type": "input_json_delta", "partial_json": "{}"})),
        close(1),
    ]);
    let events = whole(events, "tool_use");
    for cut in 0..events.len() {
        let got = streamed(STREAM, &events[..cut]).await;
        let finished = got
            .chunks()
            .iter()
            .any(|chunk| chunk["choices"][0]["finish_reason"].is_string());
        assert_eq!(
            finished,
            cut == events.len() - 1,
            "a finish reason is the provider's own"
        );
        assert!(!got.text.contains("[DONE]"), "{cut}");
        let last = got.chunks().pop().unwrap();
        assert_eq!(last["error"]["code"], "upstream_stream_cut", "{cut}");
    }
    assert!(streamed(STREAM, &events).await.is_done());
}

#[tokio::test]
async fn an_error_in_the_stream_is_told_anew_and_nothing_follows() {
    for (kind, wanted) in [
        ("overloaded_error", "server_error"),
        ("api_error", "server_error"),
        ("rate_limit_error", "rate_limit_error"),
    ] {
        let mut events = vec![start()];
        events.extend(text(0, &["a"]));
        events
            .push(json!({"type": "error", "error": {"type": kind, "message": "canary sk-ant-1"}}));
        events.extend(end("end_turn"));
        let got = streamed(STREAM, &events).await;
        let last = got.chunks().pop().unwrap();
        assert_eq!(last["error"]["type"], wanted);
        assert!(!got.text.contains("canary") && !got.text.contains("[DONE]"));
    }
}

#[tokio::test]
async fn errors_keep_their_class_and_their_retry_guidance() {
    let ask = || chat(ASK);
    for (status, kind, headers, wanted, code, openai, retry) in [
        (
            400,
            "invalid_request_error",
            vec![],
            400,
            "upstream_invalid_request",
            "invalid_request_error",
            None,
        ),
        (
            401,
            "authentication_error",
            vec![("x-should-retry", "false")],
            401,
            "upstream_authentication",
            "authentication_error",
            Some("false"),
        ),
        (
            403,
            "permission_error",
            vec![],
            403,
            "upstream_permission",
            "permission_error",
            None,
        ),
        (
            404,
            "not_found_error",
            vec![],
            404,
            "upstream_not_found",
            "invalid_request_error",
            None,
        ),
        (
            413,
            "request_too_large",
            vec![],
            413,
            "upstream_request_too_large",
            "invalid_request_error",
            None,
        ),
        (
            429,
            "rate_limit_error",
            vec![("retry-after", "7")],
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            None,
        ),
        (
            429,
            "rate_limit_error",
            vec![],
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            Some("false"),
        ),
        (
            500,
            "api_error",
            vec![],
            500,
            "upstream_error",
            "server_error",
            None,
        ),
        (
            503,
            "api_error",
            vec![("retry-after", "2")],
            503,
            "upstream_overloaded",
            "server_error",
            None,
        ),
        (
            529,
            "overloaded_error",
            vec![("x-should-retry", "true")],
            503,
            "upstream_overloaded",
            "server_error",
            Some("true"),
        ),
    ] {
        let body = json!({"type": "error", "error": {"type": kind, "message": "canary"}, "request_id": "req_1"});
        let mut answer = support::json(status, body.to_string());
        for (name, value) in &headers {
            answer.headers_mut().insert(*name, value.parse().unwrap());
        }
        let got = exchange(&layer(), ask(), answer).await;
        let error = got.json()["error"].clone();
        assert_eq!(
            (got.status, &error["code"], &error["type"]),
            (wanted, &json!(code), &json!(openai)),
            "{status}"
        );
        assert_eq!(
            error["message"].as_str().unwrap().contains("canary"),
            status == 400
        );
        let retry_after = headers
            .iter()
            .find(|(name, _)| *name == "retry-after")
            .map(|(_, value)| *value);
        assert_eq!(
            got.headers
                .get("retry-after")
                .map(|value| value.to_str().unwrap()),
            retry_after
        );
        assert_eq!(
            got.headers
                .get("x-should-retry")
                .map(|value| value.to_str().unwrap()),
            retry,
            "{status}"
        );
    }
}

#[tokio::test]
async fn an_error_that_is_no_json_is_told_anew_too() {
    for (status, wanted, retry_after, told, should) in [
        (502, 502, None, None, None),
        (529, 503, Some("9"), Some("9"), None),
        (429, 429, None, None, Some("false")),
        (404, 404, None, None, None),
        (409, 409, None, None, None),
        (302, 502, None, None, Some("false")),
    ] {
        let mut answer = Response::new(Body::from("<html>canary</html>"));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer
            .headers_mut()
            .insert("content-type", "text/html".parse().unwrap());
        if let Some(after) = retry_after {
            let after: &str = after;
            answer
                .headers_mut()
                .insert("retry-after", after.parse().unwrap());
        }
        let got = exchange(&layer(), chat(ASK), answer).await;
        assert_eq!(got.status, wanted);
        assert!(!got.text.contains("canary") && got.json()["error"]["message"].is_string());
        assert_eq!(
            got.headers
                .get("retry-after")
                .map(|value| value.to_str().unwrap()),
            told,
            "{status}"
        );
        assert_eq!(
            got.headers
                .get("x-should-retry")
                .map(|value| value.to_str().unwrap()),
            should,
            "{status}"
        );
    }
}

#[tokio::test]
async fn an_answer_in_another_form_than_asked_for_is_the_providers_failure() {
    let html = || {
        let mut answer = Response::new(Body::from("<html></html>"));
        answer
            .headers_mut()
            .insert("content-type", "text/html".parse().unwrap());
        answer
    };
    for (request, answer) in [
        (ASK, html()),
        (ASK, sse("data: {}\n\n")),
        (STREAM, html()),
        (ASK, support::json(200, "not json")),
        (
            ASK,
            support::json(
                200,
                r#"{"type":"error","error":{"type":"api_error","message":"canary"}}"#,
            ),
        ),
    ] {
        let got = exchange(&layer(), chat(request), answer).await;
        assert_eq!(got.status, 502, "{}", got.text);
        assert!(!got.text.contains("canary"));
    }
}

#[tokio::test]
async fn a_refusal_of_an_inner_layer_speaks_the_clients_dialect() {
    let refusal = Refusal::new(
        RefusalKind::Overloaded,
        "egress_full",
        "no connection is free",
    );
    let got = exchange(
        &layer(),
        chat(ASK),
        refusal.render(Dialect::AnthropicMessages),
    )
    .await;
    assert_eq!(
        (got.status, &got.json()["error"]["code"]),
        (503, &json!("egress_full"))
    );
    assert_eq!(got.refusal.unwrap().code(), "egress_full");
}

#[tokio::test]
async fn every_field_of_a_foreign_answer_is_optional() {
    for reply in [
        "{}",
        r#"{"content":null}"#,
        r#"{"content":[{}]}"#,
        r#"{"content":[{"type":"tool_use"}],"usage":null}"#,
        r#"{"content":"text"}"#,
        "[]",
        r#"{"stop_reason":7}"#,
    ] {
        let got = exchange(&layer(), chat(ASK), support::json(200, reply)).await;
        assert_eq!(got.status, 200, "{reply}");
        assert_eq!(got.json()["choices"][0]["message"]["role"], "assistant");
    }
    let bare = [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ];
    let events: Vec<Value> = bare.iter().map(|kind| json!({"type": kind})).collect();
    let got = streamed(STREAM, &events).await;
    assert_eq!(got.chunks().len(), 1);
    assert!(got.is_done());
    // What comes behind the end is nothing.
    let events = [
        whole(text(0, &["a"]), "end_turn"),
        whole(text(0, &["b"]), "end_turn"),
    ]
    .concat();
    let got = streamed(STREAM, &events).await;
    assert_eq!(
        (
            joined(&got.chunks(), "content").as_str(),
            got.text.matches("[DONE]").count()
        ),
        ("a", 1)
    );
}

#[tokio::test]
async fn the_report_of_the_request_stands_on_every_answer() {
    let request =
        r#"{"model":"m","seed":1,"stream":true,"messages":[{"role":"user","content":"a"}]}"#;
    for answer in [
        sse(frames(&whole(text(0, &["a"]), "end_turn"))),
        support::json(400, "{}"),
        support::json(200, support::REPLY),
    ] {
        let got = exchange(&layer(), chat(request), answer).await;
        assert_eq!(got.dropped(), "seed");
    }
    let clean: TranslateLayer = layer().to(Target::new(Dialect::AnthropicMessages, support::MODEL));
    let got = exchange(&clean, chat(ASK), support::json(200, support::REPLY)).await;
    assert_eq!(got.dropped(), "");
}

/// Events as they come, and as no provider should send them.
fn odd_events() -> Vec<Value> {
    let mut events = whole(text(0, &["a"]), "end_turn");
    events.extend(whole(
        vec![
            open(
                0,
                json!({"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}),
            ),
            close(0),
        ],
        "tool_use",
    ));
    events.extend([
        delta(0, json!({"type": "input_json_delta", "partial_json": "{"})),
        delta(7, json!({"type": "thinking_delta", "thinking": "t"})),
        delta(0, json!({"type": 1})),
        delta(0, json!([])),
        open(1, json!({"type": "thinking"})),
        open(2, json!({"type": "redacted_thinking"})),
        open(u64::MAX, json!({"type": "server_tool_use"})),
        json!({"type": "message_delta"}),
        json!({"type": "ping"}),
        json!({"type": "x", "y": [[]]}),
        json!({"type": "message_start", "message": []}),
        json!({"type": "content_block_start", "content_block": 3}),
        json!({"type": "error", "error": {"type": "overloaded_error"}}),
    ]);
    events
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// In whatever order events come, the end and the finish are the provider's, and once.
    #[test]
    fn no_order_of_events_makes_an_end_that_the_provider_did_not_say(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..14)) {
        let pool = odd_events();
        let events: Vec<Value> = picks.iter().map(|pick| pick.get(&pool).clone()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let got = runtime.block_on(streamed(STREAM, &events));
        let at = |kind: &str| events.iter().position(|event| event["type"] == kind);
        let stop = at("message_stop").filter(|stop| at("error").is_none_or(|error| *stop < error));
        prop_assert_eq!(got.text.matches("[DONE]").count(), usize::from(stop.is_some()));
        let chunks = got.chunks();
        let finishes = chunks.iter().filter(|chunk| chunk["choices"][0]["finish_reason"].is_string()).count();
        let said = events.iter().any(|event| event["delta"]["stop_reason"].is_string());
        prop_assert!(finishes <= usize::from(said));
        let failed = chunks.iter().any(|chunk| chunk["error"].is_object());
        prop_assert!(failed || got.is_done(), "a stream ends well or says that it did not");
    }
}
