//! What Bedrock's Converse answers, as clients get it: each row of the requirements that names Bedrock is a test here.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bartizan_core::{Body, Dialect};
use bartizan_translate::{Target, TranslateLayer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use support::{Got, chat, exchange, post};

const CLAUDE: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const FORM: &str = "application/vnd.amazon.eventstream";

fn layer() -> TranslateLayer {
    support::layer().to(Target::new(Dialect::BedrockConverse, CLAUDE))
}

fn request(stream: bool) -> String {
    json!({"model": "house", "stream": stream, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}).to_string()
}

async fn told(answer: Value) -> Got {
    let answer = support::json(200, answer.to_string());
    exchange(&layer(), chat(request(false)), answer).await
}

fn answer(content: Value, reason: &str) -> Value {
    json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": reason,
        "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 16, "cacheReadInputTokens": 4, "cacheWriteInputTokens": 7},
        "metrics": {"latencyMs": 1},
    })
}

fn frame(headers: [(&str, &str); 2], payload: &str) -> Vec<u8> {
    let headers = headers.map(|(name, value)| {
        Header::new(
            name.to_owned(),
            HeaderValue::String(value.to_owned().into()),
        )
    });
    let message = Message::new_from_parts(headers.to_vec(), payload.to_owned());
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn event(name: &str, payload: Value) -> Vec<u8> {
    frame(
        [(":message-type", "event"), (":event-type", name)],
        &payload.to_string(),
    )
}

fn exception(name: &str, payload: Value) -> Vec<u8> {
    frame(
        [(":message-type", "exception"), (":exception-type", name)],
        &payload.to_string(),
    )
}

fn delta(index: u64, delta: Value) -> Vec<u8> {
    event(
        "contentBlockDelta",
        json!({"contentBlockIndex": index, "delta": delta, "p": "abc"}),
    )
}

fn stop(index: u64) -> Vec<u8> {
    event("contentBlockStop", json!({"contentBlockIndex": index}))
}

/// A stream of all kinds of blocks.
fn frames() -> Vec<Vec<u8>> {
    let call = |index: u64, id: &str| {
        let start = json!({"toolUse": {"toolUseId": id, "name": "weather"}});
        event(
            "contentBlockStart",
            json!({"contentBlockIndex": index, "start": start}),
        )
    };
    vec![
        event("messageStart", json!({"role": "assistant", "p": "ab"})),
        delta(0, json!({"reasoningContent": {"text": "think"}})),
        delta(0, json!({"reasoningContent": {"signature": "EqoB+/="}})),
        stop(0),
        delta(
            1,
            json!({"reasoningContent": {"redactedContent": "EmwK+/=="}}),
        ),
        stop(1),
        delta(2, json!({"text": "he"})),
        delta(2, json!({"text": "llo"})),
        stop(2),
        call(3, "t1"),
        delta(3, json!({"toolUse": {"input": ""}})),
        delta(3, json!({"toolUse": {"input": "{\"city\":"}})),
        delta(3, json!({"toolUse": {"input": "\"x\"}"}})),
        stop(3),
        call(4, "t2"),
        stop(4),
        event("messageStop", json!({"stopReason": "tool_use"})),
        event(
            "metadata",
            json!({"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 16, "cacheReadInputTokens": 4, "cacheWriteInputTokens": 7}, "metrics": {"latencyMs": 1}}),
        ),
    ]
}

fn stream(pieces: Vec<Bytes>) -> Response<Body> {
    let mut response = support::pieces(pieces);
    let headers = response.headers_mut();
    headers.insert("content-type", FORM.parse().unwrap());
    headers.insert("x-amzn-requestid", "r-1".parse().unwrap());
    response
}

async fn streamed(path: &str, bytes: Vec<u8>) -> Got {
    let answer = stream(vec![bytes.into()]);
    exchange(&layer(), post(path, request(true)), answer).await
}

/// The data of Anthropic's events.
fn anthropics(got: &Got) -> Vec<Value> {
    let lines = got
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    lines
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

#[tokio::test]
async fn each_block_has_its_word_and_the_answer_an_id() {
    let content = json!([
        {"reasoningContent": {"reasoningText": {"text": "think", "signature": "EqoB+/="}}},
        {"reasoningContent": {"redactedContent": "EmwK+/=="}},
        {"text": "hel"},
        {"text": "lo"},
        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "x"}, "type": "tool_use"}},
        {"toolUse": {"toolUseId": "t2", "name": "weather"}},
    ]);
    let mut response = support::json(200, answer(content, "tool_use").to_string());
    response
        .headers_mut()
        .insert("x-amzn-requestid", "r-1".parse().unwrap());
    let got = exchange(&layer(), chat(request(false)), response)
        .await
        .json();
    let message = &got["choices"][0]["message"];
    assert_eq!((&got["id"], &got["model"]), (&json!("r-1"), &json!(CLAUDE)));
    assert_eq!(message["content"], "hello");
    assert_eq!(message["reasoning_content"], "think");
    assert_eq!(message["reasoning_details"][0]["signature"], "EqoB+/=");
    assert_eq!(message["reasoning_details"][1]["data"], "EmwK+/==");
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}});
    assert_eq!(
        message["tool_calls"],
        json!([call("t1", "{\"city\":\"x\"}"), call("t2", "{}")])
    );
    assert_eq!(got["choices"][0]["finish_reason"], "tool_calls");
    assert!(got.get("bartizan_dropped").is_none(), "{got}");
}

#[tokio::test]
async fn an_arn_names_the_account_and_is_not_told() {
    let arn = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc";
    let layer = support::layer().to(Target::new(Dialect::BedrockConverse, arn));
    let reply = support::json(200, answer(json!([{"text": "a"}]), "end_turn").to_string());
    let got = exchange(&layer, chat(request(false)), reply).await;
    assert_eq!(got.json()["model"], "house");
    assert!(!got.text.contains("123456789012"));
}

#[tokio::test]
async fn usage_counts_what_was_cached_apart_and_nests_it_as_each_client_does() {
    let got = told(answer(json!([{"text": "a"}]), "end_turn"))
        .await
        .json();
    let usage = &got["usage"];
    assert_eq!(
        (
            &usage["prompt_tokens"],
            &usage["completion_tokens"],
            &usage["total_tokens"]
        ),
        (&json!(14), &json!(2), &json!(16))
    );
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 4);
    let reply = support::json(200, answer(json!([{"text": "a"}]), "end_turn").to_string());
    let got = exchange(&layer(), post("/v1/messages", request(false)), reply)
        .await
        .json();
    let usage = &got["usage"];
    assert_eq!(
        (
            &usage["input_tokens"],
            &usage["cache_read_input_tokens"],
            &usage["cache_creation_input_tokens"]
        ),
        (&json!(3), &json!(4), &json!(7))
    );
}

#[tokio::test]
async fn every_reason_has_its_word_and_what_is_malformed_is_an_error() {
    for (reason, finish) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
    ] {
        let got = told(answer(json!([{"text": "a"}]), reason)).await.json();
        assert_eq!(got["choices"][0]["finish_reason"], finish, "{reason}");
        let end = event("messageStop", json!({"stopReason": reason}));
        let frames = [frames()[..9].concat(), end, frames()[17].clone()].concat();
        let got = streamed("/v1/chat/completions", frames).await;
        let finishes: Vec<_> = got
            .chunks()
            .iter()
            .filter_map(|chunk| {
                chunk["choices"][0]["finish_reason"]
                    .as_str()
                    .map(str::to_owned)
            })
            .collect();
        assert_eq!(finishes, [finish], "{reason}");
        assert!(got.is_done());
    }
    for reason in ["malformed_tool_use", "malformed_model_output"] {
        let got = told(answer(json!([{"text": "a"}]), reason)).await;
        assert_eq!(
            (got.status, &got.json()["error"]["code"]),
            (502, &json!("upstream_malformed")),
            "{reason}"
        );
        let end = event("messageStop", json!({"stopReason": reason}));
        let got = streamed(
            "/v1/chat/completions",
            [frames()[..9].concat(), end, frames()[17].clone()].concat(),
        )
        .await;
        assert_eq!(
            got.chunks().last().unwrap()["error"]["code"],
            "upstream_malformed"
        );
        assert!(
            !got.is_done() && !got.text.contains("finish_reason\":\""),
            "{}",
            got.text
        );
    }
}

#[tokio::test]
async fn what_the_provider_ran_itself_is_declared_and_never_the_clients_to_run() {
    let content = json!([
        {"toolUse": {"toolUseId": "t", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "t", "content": [{"text": "[HIDDEN]"}], "type": "nova_grounding_result"}},
        {"text": "Ruby 4"},
        {"citationsContent": {"content": [{"text": " is "}, {"text": "out"}], "citations": [
            {"title": "T", "location": {"web": {"url": "https://ruby.example", "domain": "ruby.example"}}, "sourceContent": [{"text": "q"}]},
            {"location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}}},
        ]}},
        {"image": {"format": "png", "source": {"bytes": "aGk="}}},
    ]);
    let got = told(answer(content, "end_turn")).await.json();
    let message = &got["choices"][0]["message"];
    assert_eq!(
        (&message["content"], message.get("tool_calls")),
        (&json!("Ruby 4 is out"), None)
    );
    assert_eq!(
        message["annotations"][0]["url_citation"]["url"],
        "https://ruby.example"
    );
    assert_eq!(
        got["bartizan_dropped"],
        json!([
            "content.server_tool_use",
            "content.server_tool_result",
            "content.citations",
            "content.image"
        ])
    );
}

#[tokio::test]
async fn a_stream_says_the_same_as_a_whole_answer() {
    let got = streamed("/v1/chat/completions", frames().concat()).await;
    assert_eq!(got.headers["content-type"], "text/event-stream");
    assert!(got.is_done());
    let (mut text, mut thoughts, mut arguments) =
        (String::new(), String::new(), [String::new(), String::new()]);
    let mut details = Vec::new();
    for chunk in got.chunks() {
        assert_eq!(chunk["id"], "r-1");
        let delta = &chunk["choices"][0]["delta"];
        text.push_str(delta["content"].as_str().unwrap_or_default());
        thoughts.push_str(delta["reasoning_content"].as_str().unwrap_or_default());
        details.extend(
            delta["reasoning_details"]
                .as_array()
                .into_iter()
                .flatten()
                .cloned(),
        );
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            arguments[index].push_str(call["function"]["arguments"].as_str().unwrap());
        }
    }
    assert_eq!((text.as_str(), thoughts.as_str()), ("hello", "think"));
    assert_eq!(arguments, ["{\"city\":\"x\"}", "{}"]);
    let of = |key: &str| details.iter().find_map(|detail| detail[key].as_str());
    assert_eq!(
        (of("signature"), of("data")),
        (Some("EqoB+/="), Some("EmwK+/=="))
    );

    let got = streamed("/v1/messages", frames().concat()).await;
    let events = anthropics(&got);
    let types: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        (types[0], types[types.len() - 1]),
        ("message_start", "message_stop")
    );
    let blocks: Vec<_> = events
        .iter()
        .filter(|event| event["type"] == "content_block_start")
        .map(|event| event["content_block"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        blocks,
        [
            "thinking",
            "redacted_thinking",
            "text",
            "tool_use",
            "tool_use"
        ]
    );
    let end = events
        .iter()
        .find(|event| event["type"] == "message_delta")
        .unwrap();
    assert_eq!(end["delta"]["stop_reason"], "tool_use");
    assert_eq!(
        (
            &end["usage"]["input_tokens"],
            &end["usage"]["output_tokens"]
        ),
        (&json!(3), &json!(2))
    );
}

#[tokio::test]
async fn redacted_thinking_in_pieces_is_one() {
    let piece = |data: &[u8]| {
        delta(
            0,
            json!({"reasoningContent": {"redactedContent": STANDARD.encode(data)}}),
        )
    };
    let stream = [
        frames()[0].clone(),
        piece(b"a"),
        piece(b"bc"),
        stop(0),
        frames()[16].clone(),
        frames()[17].clone(),
    ]
    .concat();
    let got = streamed("/v1/messages", stream).await;
    let events = anthropics(&got);
    let block = events
        .iter()
        .find(|event| event["type"] == "content_block_start")
        .unwrap();
    assert_eq!(block["content_block"]["data"], STANDARD.encode("abc"));
}

#[tokio::test]
async fn exceptions_in_a_stream_are_failures_of_their_class_and_nothing_follows() {
    for (name, code, kind) in [
        (
            "throttlingException",
            "upstream_rate_limit",
            "rate_limit_error",
        ),
        ("modelTimeoutException", "upstream_timeout", "timeout_error"),
        (
            "validationException",
            "upstream_invalid_request",
            "invalid_request_error",
        ),
        (
            "serviceUnavailableException",
            "upstream_overloaded",
            "api_error",
        ),
        ("internalServerException", "upstream_error", "api_error"),
        ("modelStreamErrorException", "upstream_error", "api_error"),
    ] {
        let bytes = [
            frames()[..8].concat(),
            exception(name, json!({"message": "canary AKIAABCDEFGH"})),
            frames()[8..].concat(),
        ]
        .concat();
        let got = streamed("/v1/chat/completions", bytes.clone()).await;
        assert_eq!(
            got.chunks().last().unwrap()["error"]["code"],
            code,
            "{name}"
        );
        assert!(!got.is_done() && !got.text.contains("AKIA"), "{}", got.text);
        assert_eq!(got.text.contains("canary"), name == "validationException");
        let got = streamed("/v1/messages", bytes).await;
        let last = anthropics(&got).pop().unwrap();
        assert_eq!(
            (&last["type"], &last["error"]["type"]),
            (&json!("error"), &json!(kind)),
            "{name}"
        );
        assert!(got.text.contains("event: error\n"));
    }
}

#[tokio::test]
async fn failures_before_the_answer_keep_their_class() {
    for (status, kind, body, told, code) in [
        (
            429,
            "ThrottlingException:http://internal.amazon.com/coral/",
            json!({"message": "slow"}),
            429,
            "upstream_rate_limit",
        ),
        (
            408,
            "ModelTimeoutException",
            json!({"message": "late"}),
            408,
            "upstream_timeout",
        ),
        (
            400,
            "ValidationException",
            json!({"message": "bad"}),
            400,
            "upstream_invalid_request",
        ),
        (
            400,
            "",
            json!({"__type": "ValidationException", "message": "Input is too long for requested model."}),
            400,
            "context_length_exceeded",
        ),
        (
            503,
            "ServiceUnavailableException",
            json!({"message": "busy"}),
            503,
            "upstream_overloaded",
        ),
        (
            500,
            "InternalServerException",
            json!({"message": "oh"}),
            500,
            "upstream_error",
        ),
        (
            404,
            "ResourceNotFoundException",
            json!({"message": "who"}),
            404,
            "upstream_not_found",
        ),
    ] {
        let mut reply = support::json(status, body.to_string());
        reply
            .headers_mut()
            .insert("x-amzn-errortype", kind.parse().unwrap());
        let got = exchange(&layer(), chat(request(false)), reply).await;
        assert_eq!(
            (got.status, &got.json()["error"]["code"]),
            (told, &json!(code)),
            "{kind} {body}"
        );
        assert!(!got.headers.contains_key("x-amzn-errortype"));
    }
}

#[tokio::test]
async fn a_stream_cut_after_any_frame_or_within_one_ends_in_an_error() {
    for path in ["/v1/chat/completions", "/v1/messages"] {
        for count in 0..frames().len() {
            let whole = frames()[..count].concat();
            let mut within = whole.clone();
            within.extend(&frames()[count][..frames()[count].len() / 2]);
            let mut broken = whole.clone();
            let mut last = frames()[count].clone();
            last[9] ^= 1;
            broken.extend(last);
            for bytes in [whole, within, broken] {
                let got = streamed(path, bytes).await;
                assert!(
                    !got.text.contains("[DONE]") && !got.text.contains("message_stop"),
                    "{count}"
                );
                assert!(
                    got.text.contains("error"),
                    "{path} after {count}: {}",
                    got.text
                );
            }
        }
    }
}

#[tokio::test]
async fn a_stream_is_the_same_wherever_its_bytes_are_cut() {
    let bytes = frames().concat();
    let whole = streamed("/v1/messages", bytes.clone()).await.text;
    for size in [1, 2, 3, 7, 64, 1_000] {
        let pieces = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
        let got = exchange(
            &layer(),
            post("/v1/messages", request(true)),
            stream(pieces),
        )
        .await;
        assert_eq!(got.text, whole, "in pieces of {size}");
    }
}

#[tokio::test]
async fn every_recorded_stream_comes_to_its_end_and_no_call_is_of_the_providers_own() {
    for recorded in support::recorded("bedrock.converse") {
        let response = &recorded["response"];
        let Some(body) = response["body"]["base64"].as_str() else {
            continue;
        };
        let bytes: Bytes = STANDARD.decode(body).unwrap().into();
        let got = exchange(&layer(), chat(request(true)), stream(vec![bytes])).await;
        assert!(got.is_done(), "{}", got.text);
        assert!(!got.text.contains("nova_grounding"), "{}", got.text);
    }
}
