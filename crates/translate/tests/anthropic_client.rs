//! What Anthropic's clients get from a provider of OpenAI chat, and what of their requests nobody can be asked.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Target, TranslateLayer};
use serde_json::{Value, json};
use support::{Got, exchange, json, post, sse};

fn layer() -> TranslateLayer {
    TranslateLayer::new().to(Target::new(Dialect::OpenAiChat, "gpt-5"))
}

fn request(members: &Value) -> http::Request<bartizan_core::Body> {
    let mut request = json!({"model": "house", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    post("/v1/messages", request.to_string())
}

/// What the client gets for an answer with this message, finish reason and usage.
async fn whole(message: Value, finish: &str, usage: Value) -> Value {
    let reply = json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage});
    let got = exchange(&layer(), request(&json!({})), json(200, reply.to_string())).await;
    assert_eq!(got.status, 200, "{}", got.text);
    got.json()
}

/// What the client gets for a stream of these deltas and this end.
async fn stream(deltas: Vec<Value>, end: &str) -> Got {
    let mut text = String::new();
    for delta in deltas {
        let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5",
            "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
        text.push_str(&format!("data: {chunk}\n\n"));
    }
    text.push_str(end);
    exchange(&layer(), request(&json!({"stream": true})), sse(text)).await
}

const STOPS: &str = "data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"id\":\"chatcmpl-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"total_tokens\":13,\"prompt_tokens_details\":{\"cached_tokens\":6}}}\n\ndata: [DONE]\n\n";

/// The events, each `name` and its data without the type; every event has a name, and it is its type.
fn events(got: &Got) -> Vec<(String, Value)> {
    let blocks = got.text.split("\n\n").filter(|block| !block.is_empty());
    blocks
        .filter(|block| !block.starts_with(':'))
        .map(|block| {
            let (name, data) = block.split_once('\n').unwrap();
            let name = name.strip_prefix("event: ").unwrap().to_owned();
            let mut data: Value =
                serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(data["type"], name.as_str());
            data.as_object_mut().unwrap().remove("type");
            (name, data)
        })
        .collect()
}

#[tokio::test]
async fn a_whole_answer_is_a_message_with_all_that_its_api_has() {
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17,
        "prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 5}});
    let message = whole(json!({"role": "assistant", "content": "hi"}), "stop", usage).await;
    assert_eq!(
        message,
        json!({
            "id": "chatcmpl-1", "type": "message", "role": "assistant", "model": "gpt-5",
            "content": [{"type": "text", "text": "hi"}],
            "stop_reason": "end_turn", "stop_sequence": null,
            "usage": {"input_tokens": 6, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 4,
                "output_tokens": 7, "output_tokens_details": {"thinking_tokens": 5}},
        })
    );
}

#[tokio::test]
async fn why_it_stopped_is_told_by_the_table() {
    let call =
        json!([{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    for (message, finish, stop_reason) in [
        (json!({"content": "a"}), "stop", "end_turn"),
        (json!({"content": "a"}), "length", "max_tokens"),
        (
            json!({"content": null, "tool_calls": call}),
            "tool_calls",
            "tool_use",
        ),
        (json!({"content": "a"}), "content_filter", "refusal"),
        (json!({"content": null, "refusal": "no"}), "stop", "refusal"),
    ] {
        let told = whole(message, finish, json!({})).await;
        assert_eq!(told["stop_reason"], stop_reason, "{finish}");
    }
}

#[tokio::test]
async fn blocks_keep_their_words_ids_and_order_and_none_is_made_up() {
    let calls = json!([
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1.0}"}},
        {"id": "call_2", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1.0}"}},
        {"id": "call_3", "type": "function", "function": {"name": "g", "arguments": ""}},
    ]);
    for (message, content) in [
        (
            json!({"content": null, "tool_calls": calls}),
            json!([
                {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1.0}},
                {"type": "tool_use", "id": "call_2", "name": "f", "input": {"a": 1.0}},
                {"type": "tool_use", "id": "call_3", "name": "g", "input": {}},
            ]),
        ),
        (
            json!({"content": null, "refusal": "I will not"}),
            json!([{"type": "text", "text": "I will not"}]),
        ),
        (
            json!({"content": "a", "reasoning_details": [
                {"type": "reasoning.text", "text": "t", "signature": "s", "format": "anthropic-claude-v1", "index": 0},
                {"type": "reasoning.encrypted", "data": "d", "format": "google-gemini-v1", "index": 1}]}),
            json!([
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "redacted_thinking", "data": "google:d"},
                {"type": "text", "text": "a"},
            ]),
        ),
        (
            json!({"content": null, "tool_calls": [{"id": "c", "type": "function",
                "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"thought_signature": "s"}}}]}),
            json!([
                {"type": "redacted_thinking", "data": "google:s"},
                {"type": "tool_use", "id": "c", "name": "f", "input": {}},
            ]),
        ),
    ] {
        assert_eq!(whole(message, "stop", json!({})).await["content"], content);
    }
}

#[tokio::test]
async fn what_a_client_sends_back_of_a_thought_reaches_its_maker_alone() {
    let history = json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [
            {"type": "redacted_thinking", "data": "google:s"},
            {"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "1"}]},
    ]);
    let tools = json!([{"name": "f", "input_schema": {"type": "object"}}]);
    let asks = request(&json!({"messages": history, "tools": tools}));
    let got = exchange(&layer(), asks, json(200, "{}")).await;
    let sent = got.sent.as_ref().unwrap();
    assert!(
        !sent.text.contains("google:") && !sent.text.contains("\"s\""),
        "{}",
        sent.text
    );
    assert!(
        got.dropped().contains("messages.thinking"),
        "{}",
        got.dropped()
    );
}

#[tokio::test]
async fn a_stream_has_every_event_of_its_api_in_order() {
    let got = stream(
        vec![
            json!({"role": "assistant", "content": ""}),
            json!({"reasoning_content": "t"}),
            json!({"content": "a"}),
            json!({"content": "b"}),
            json!({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"a\":"}}]}),
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
            json!({"tool_calls": [{"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}}]}),
        ],
        &STOPS.replace("\"stop\"", "\"tool_calls\""),
    )
    .await;
    let block = |name: &str, index: u64, rest: Value| {
        let mut data = json!({"index": index});
        for (key, value) in rest.as_object().unwrap() {
            data[key] = value.clone();
        }
        (format!("content_block_{name}"), data)
    };
    let start = |index, block_| block("start", index, json!({"content_block": block_}));
    let delta = |index, delta| block("delta", index, json!({"delta": delta}));
    let stop = |index| block("stop", index, json!({}));
    let zero = json!({"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0});
    let used = json!({"input_tokens": 3, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 6, "output_tokens": 4});
    let expected = vec![
        (
            "message_start".to_owned(),
            json!({"message": {"id": "chatcmpl-1", "type": "message", "role": "assistant",
            "model": "gpt-5", "content": [], "stop_reason": null, "stop_sequence": null, "usage": zero}}),
        ),
        start(
            0,
            json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
        delta(0, json!({"type": "thinking_delta", "thinking": "t"})),
        stop(0),
        start(1, json!({"type": "text", "text": ""})),
        delta(1, json!({"type": "text_delta", "text": "a"})),
        delta(1, json!({"type": "text_delta", "text": "b"})),
        stop(1),
        start(
            2,
            json!({"type": "tool_use", "id": "c1", "name": "f", "input": {}}),
        ),
        delta(
            2,
            json!({"type": "input_json_delta", "partial_json": "{\"a\":"}),
        ),
        delta(2, json!({"type": "input_json_delta", "partial_json": "1}"})),
        stop(2),
        start(
            3,
            json!({"type": "tool_use", "id": "c2", "name": "g", "input": {}}),
        ),
        stop(3),
        (
            "message_delta".to_owned(),
            json!({"delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": used}),
        ),
        ("message_stop".to_owned(), json!({})),
    ];
    let told: Vec<(String, Value)> = events(&got)
        .into_iter()
        .filter(|(_, data)| data["delta"]["partial_json"] != "{}")
        .collect();
    assert_eq!(told, expected, "{}", got.text);
}

#[tokio::test]
async fn pieces_of_calls_that_interleave_reach_their_own_blocks() {
    let piece = |index: u64, piece: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]});
    let call = |index: u64, id: &str| json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": "f", "arguments": ""}}]});
    let got = stream(
        vec![
            call(0, "a"),
            piece(0, "{\"x\":"),
            call(1, "b"),
            piece(1, "{\"y\":"),
            piece(0, "1}"),
            piece(1, "2}"),
        ],
        &STOPS.replace("\"stop\"", "\"tool_calls\""),
    )
    .await;
    let mut said = [String::new(), String::new()];
    let mut stopped = [false; 2];
    for (name, data) in events(&got) {
        let index = data["index"].as_u64().unwrap_or_default() as usize;
        match name.as_str() {
            "content_block_delta" => {
                assert!(!stopped[index], "a piece behind the end of its block");
                said[index].push_str(data["delta"]["partial_json"].as_str().unwrap());
            }
            "content_block_stop" => stopped[index] = true,
            _ => {}
        }
    }
    assert_eq!(said, ["{\"x\":1}", "{\"y\":2}"]);
    assert_eq!(stopped, [true, true]);
}

#[tokio::test]
async fn a_stream_that_breaks_off_or_fails_ends_in_an_error_event_and_never_well() {
    let words = || vec![json!({"role": "assistant"}), json!({"content": "a"})];
    let finish = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let failure = "data: {\"error\":{\"message\":\"canary\",\"type\":\"server_error\"}}\n\n";
    for (end, kind) in [
        ("", "api_error"),
        (finish, "api_error"),
        (failure, "api_error"),
    ] {
        let got = stream(words(), end).await;
        let events = events(&got);
        let (name, data) = events.last().unwrap();
        assert_eq!(name, "error", "{}", got.text);
        assert_eq!(data["error"]["type"], kind);
        assert!(!got.text.contains("message_stop") && !got.text.contains("canary"));
    }
}

#[tokio::test]
async fn a_providers_keep_alive_is_a_ping() {
    let got = stream(
        vec![json!({"content": "a"})],
        &format!(": OPENROUTER PROCESSING\n\n{STOPS}"),
    )
    .await;
    assert!(
        got.text
            .contains("event: ping\ndata: {\"type\":\"ping\"}\n\n")
    );
    assert!(!got.text.contains("OPENROUTER"));
    assert!(
        got.text
            .ends_with("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
    );
}

#[tokio::test]
async fn what_changes_the_meaning_is_refused_in_the_callers_words() {
    for (members, named) in [
        (json!({"container": "c"}), "container"),
        (json!({"mcp_servers": [{}]}), "mcp_servers"),
        (json!({"inference_geo": "eu"}), "inference_geo"),
        (json!({"temperature": 1.5}), "temperature"),
        (json!({"messages": []}), "messages"),
        (
            json!({"messages": [{"role": "tool", "content": "a"}]}),
            "messages[0].role",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "hologram"}]}]}),
            "messages[0].content[0].type",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "file:///etc/passwd"}}]}]}),
            "messages[0].content[0].source.url",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "\""}}]}]}),
            "messages[0].content[0].source.data",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": "{}"}]}]}),
            "messages[0].content[0].input",
        ),
        (json!({"tools": [{"name": ""}]}), "tools[0].name"),
        (
            json!({"tools": [{"name": "f", "input_schema": {"type": "object"}}], "tool_choice": {"type": "sometimes"}}),
            "tool_choice.type",
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": "many"}}),
            "thinking.budget_tokens",
        ),
        (
            json!({"output_config": {"format": {"type": "json_schema"}}}),
            "output_config.format.schema",
        ),
        (json!({"fallbacks": ["x"]}), "fallbacks"),
    ] {
        let got = exchange(&layer(), request(&members), json(200, "{}")).await;
        let error = got.json();
        assert_eq!(got.status, 400, "{members} {error}");
        assert_eq!(error["error"]["type"], "invalid_request_error");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("{named}: ")),
            "{members} {message}"
        );
        assert!(got.sent.is_none());
    }
}

#[tokio::test]
async fn what_only_nudges_is_left_out_and_reported_in_the_callers_words() {
    for (members, reported) in [
        (
            json!({"context_management": {"edits": []}}),
            "context_management",
        ),
        (json!({"speed": "fast"}), "speed"),
        (json!({"top_k": 5}), "top_k"),
        (
            json!({"tools": [{"name": "f", "input_schema": {"type": "object"}, "input_examples": [{}]}]}),
            "tools.input_examples",
        ),
        (
            json!({"output_config": {"task_budget": {"type": "tokens", "total": 1}}}),
            "output_config.task_budget",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]}]}),
            "cache_control",
        ),
    ] {
        let got = exchange(&layer(), request(&members), json(200, "{\"choices\":[]}")).await;
        assert!(got.sent.is_some(), "{members} {}", got.text);
        let dropped: Vec<&str> = got.dropped().split(", ").collect();
        assert!(
            dropped.iter().any(|field| field.contains(reported)),
            "{members} {dropped:?}"
        );
    }
}
