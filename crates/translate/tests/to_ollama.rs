//! OpenAI chat's and Anthropic's requests, as Ollama's own API gets them, and its answers, as their clients get them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::{Body, Dialect};
use bartizan_translate::{Model, ModelFacts, Target, Thinking, TranslateLayer, Unknown};
use http::Response;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, chat, exchange, post, recorded};

const MODEL: &str = "qwen3";
const ANSWER: &str = r#"{"model":"qwen3","created_at":"2026-08-04T19:22:45.499127Z","message":{"role":"assistant","content":"hi","thinking":"hm"},"done":true,"done_reason":"stop","total_duration":4,"prompt_eval_count":26,"eval_count":8}"#;

fn layer() -> TranslateLayer {
    support::layer().to(Target::new(Dialect::OllamaChat, MODEL))
}

fn with(members: Value) -> String {
    let mut request = json!({"model": "house", "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    request.to_string()
}

fn saying(messages: Value) -> String {
    with(json!({"messages": messages}))
}

async fn ask(body: String) -> Got {
    exchange(&layer(), chat(body), support::json(200, ANSWER)).await
}

async fn sent(body: String) -> (Value, String) {
    let got = ask(body).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

async fn refused(body: String) -> String {
    let got = ask(body).await;
    assert!(got.sent.is_none(), "nothing goes out: {}", got.text);
    assert_eq!(got.status, 400);
    got.refusal.unwrap().message().to_owned()
}

/// A stream of these lines, as the server types it.
fn ndjson(lines: &str) -> Response<Body> {
    Response::builder()
        .header("content-type", "application/x-ndjson")
        .body(Body::from(lines.to_owned()))
        .unwrap()
}

fn lines(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

async fn streamed(text: &str) -> Got {
    exchange(&layer(), chat(with(json!({"stream": true}))), ndjson(text)).await
}

fn said(message: Value) -> Value {
    json!({"model": "qwen3", "created_at": "2026-08-04T19:22:45.499127Z", "message": message, "done": false})
}

fn done(reason: &str) -> Value {
    json!({"model": "qwen3", "created_at": "x", "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": reason, "prompt_eval_count": 26, "eval_count": 8})
}

fn weather() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "description": "d", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}])
}

#[tokio::test]
async fn the_path_the_dialect_and_the_stream_are_said() {
    let got = ask(with(json!({}))).await;
    let sent = got.sent.unwrap();
    assert_eq!(sent.uri, "/api/chat");
    assert_eq!(sent.dialect, Some(Dialect::OllamaChat));
    // Unsaid, the server would stream.
    assert_eq!(
        sent.text,
        r#"{"model":"qwen3","messages":[{"role":"user","content":"hi"}],"stream":false}"#
    );
    let (out, _) = sent_streamed().await;
    assert_eq!(out["stream"], true);
}

async fn sent_streamed() -> (Value, String) {
    let got = streamed(&lines(&[done("stop")])).await;
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

#[tokio::test]
async fn images_go_as_bare_data_and_addresses_are_refused() {
    let (out, dropped) = sent(saying(json!([{"role": "user", "content": [
        {"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]}])))
    .await;
    assert_eq!(
        out["messages"],
        json!([{"role": "user", "content": "look", "images": ["AAAA"]}])
    );
    assert_eq!(dropped, "");
    for part in [
        json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}),
        json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}}),
        json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
    ] {
        let says = refused(saying(json!([{"role": "user", "content": [part]}]))).await;
        assert!(says.starts_with("messages[0]: "), "{says}");
    }
}

#[tokio::test]
async fn several_texts_are_one_and_that_is_reported() {
    let (out, dropped) = sent(saying(json!([
        {"role": "system", "content": "a"},
        {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": ""}, {"type": "text", "text": "c"}]},
    ])))
    .await;
    assert_eq!(
        out["messages"],
        json!([{"role": "system", "content": "a"}, {"role": "user", "content": "b\n\nc"}])
    );
    assert_eq!(dropped, "messages.content;changed");
}

#[tokio::test]
async fn calls_carry_objects_and_results_the_names_of_their_tools() {
    let (out, dropped) = sent(with(json!({"tools": weather(), "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Rome\", \"n\": 1.0}"}},
            {"id": "c2", "type": "function", "function": {"name": "time", "arguments": ""}},
        ]},
        {"role": "tool", "tool_call_id": "c2", "content": "noon"},
        {"role": "tool", "tool_call_id": "c1", "content": "sun"},
    ]})))
    .await;
    assert_eq!(
        out["messages"].as_array().unwrap()[1..],
        json!([
            {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [
                {"id": "c1", "function": {"name": "weather", "arguments": {"city": "Rome", "n": 1.0}}},
                {"id": "c2", "function": {"name": "time", "arguments": {}}},
            ]},
            {"role": "tool", "content": "noon", "tool_name": "time", "tool_call_id": "c2"},
            {"role": "tool", "content": "sun", "tool_name": "weather", "tool_call_id": "c1"},
        ])
        .as_array()
        .unwrap()[..]
    );
    assert_eq!(dropped, "");
}

#[tokio::test]
async fn an_id_that_is_used_again_names_the_tool_that_was_called_last() {
    let call = |name: &str| json!({"role": "assistant", "tool_calls": [{"id": "call_0", "type": "function", "function": {"name": name, "arguments": "{}"}}]});
    let result = json!({"role": "tool", "tool_call_id": "call_0", "content": "x"});
    let (out, _) = sent(saying(
        json!([{"role": "user", "content": "hi"}, call("a"), result, call("b"), result]),
    ))
    .await;
    assert_eq!(
        (
            &out["messages"][2]["tool_name"],
            &out["messages"][4]["tool_name"]
        ),
        (&json!("a"), &json!("b"))
    );
}

#[tokio::test]
async fn anthropics_failed_results_and_signed_thoughts_are_told_or_reported() {
    let request = json!({"model": "house", "max_tokens": 9, "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"}, {"type": "tool_use", "id": "t1", "name": "weather", "input": {}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "is_error": true, "content": [
                {"type": "text", "text": "no"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            ]},
            {"type": "text", "text": "go on"},
        ]},
    ]});
    let got = exchange(
        &layer(),
        post("/v1/messages", request.to_string()),
        support::json(200, ANSWER),
    )
    .await;
    let out = got.sent.clone().unwrap().json();
    assert_eq!(
        out["messages"].as_array().unwrap()[1..],
        json!([
            {"role": "assistant", "content": "", "tool_calls": [{"id": "t1", "function": {"name": "weather", "arguments": {}}}]},
            {"role": "tool", "content": "Error: no", "images": ["AAAA"], "tool_name": "weather", "tool_call_id": "t1"},
            {"role": "user", "content": "go on"},
        ])
        .as_array()
        .unwrap()[..]
    );
    assert_eq!(out["options"], json!({"num_predict": 9}));
    for reported in ["thinking", "is_error;changed"] {
        assert!(got.dropped().contains(reported), "{}", got.dropped());
    }
}

#[tokio::test]
async fn a_choice_of_tools_is_reported_since_the_server_has_none() {
    for (choice, offered, dropped) in [
        (json!("auto"), 1, ""),
        (json!("none"), 0, ""),
        (json!("required"), 1, "tool_choice"),
        (
            json!({"type": "function", "function": {"name": "weather"}}),
            1,
            "tool_choice",
        ),
    ] {
        let (out, told) = sent(with(json!({"tools": weather(), "tool_choice": choice}))).await;
        assert_eq!(
            out["tools"].as_array().map_or(0, Vec::len),
            offered,
            "{choice}"
        );
        assert_eq!(told, dropped, "{choice}");
    }
    refused(with(json!({"tool_choice": "required"}))).await;
}

#[tokio::test]
async fn the_form_of_the_answer_is_said_and_not_beside_tools() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}});
    let (out, _) = sent(with(json!({"response_format": format}))).await;
    assert_eq!(out["format"], schema);
    let (out, _) = sent(with(json!({"response_format": {"type": "json_object"}}))).await;
    assert_eq!(out["format"], "json");
    let (out, _) = sent(with(
        json!({"response_format": format, "tools": weather(), "tool_choice": "none"}),
    ))
    .await;
    assert_eq!((&out["format"], out.get("tools")), (&schema, None));
    let says = refused(with(json!({"response_format": format, "tools": weather()}))).await;
    assert!(says.starts_with("response_format: "), "{says}");
}

#[tokio::test]
async fn options_are_named_as_the_server_names_them() {
    let (out, dropped) = sent(with(json!({
        "temperature": 1.50, "top_p": 1, "top_k": 40, "max_tokens": 9, "stop": "a", "seed": 7, "min_p": 0.1, "repetition_penalty": 1.1,
        "frequency_penalty": -1, "presence_penalty": 0, "keep_alive": "5m", "user": "u", "logit_bias": {"1": 2},
    })))
    .await;
    assert_eq!(
        out["options"],
        json!({"temperature": 1.50, "top_p": 1, "top_k": 40, "num_predict": 9, "stop": ["a"], "seed": 7, "min_p": 0.1, "frequency_penalty": -1, "repeat_penalty": 1.1})
    );
    assert_eq!(out["keep_alive"], "5m");
    assert_eq!(dropped, "logit_bias, user");
    refused(with(json!({"n": 2}))).await;
}

#[tokio::test]
async fn thinking_is_on_off_or_as_hard_as_is_said() {
    for (said, think, dropped) in [
        (json!({"reasoning_effort": "none"}), json!(false), ""),
        (json!({"reasoning_effort": "low"}), json!("low"), ""),
        (json!({"reasoning_effort": "max"}), json!("max"), ""),
        (
            json!({"reasoning_effort": "minimal"}),
            json!("low"),
            "reasoning_effort;changed",
        ),
        (
            json!({"reasoning_effort": "xhigh"}),
            json!("high"),
            "reasoning_effort;changed",
        ),
        (json!({"reasoning": {"enabled": true}}), json!(true), ""),
        (
            json!({"reasoning": {"max_tokens": 99}}),
            json!(true),
            "reasoning_effort;changed",
        ),
    ] {
        let (out, told) = sent(with(said.clone())).await;
        assert_eq!((&out["think"], told.as_str()), (&think, dropped), "{said}");
    }
    let mut plain = Model::new(9);
    plain.thinking = Thinking::None;
    let layer = layer().models(ModelFacts::empty().with(MODEL, plain));
    let got = exchange(
        &layer,
        chat(with(json!({"reasoning_effort": "low"}))),
        support::json(200, ANSWER),
    )
    .await;
    assert_eq!(got.dropped(), "reasoning_effort");
    assert_eq!(got.sent.unwrap().json().get("think"), None);
}

#[tokio::test]
async fn an_answer_has_its_thoughts_its_usage_and_an_id_of_its_own() {
    let got = ask(with(json!({}))).await.json();
    let message = &got["choices"][0]["message"];
    assert_eq!(
        (&message["content"], &message["reasoning_content"]),
        (&json!("hi"), &json!("hm"))
    );
    assert_eq!(
        (
            &got["usage"]["prompt_tokens"],
            &got["usage"]["completion_tokens"]
        ),
        (&json!(26), &json!(8))
    );
    assert_eq!(got["model"], "qwen3");
    assert!(got["id"].as_str().unwrap().len() > 20);
    assert_eq!(got, ask(with(json!({}))).await.json());
}

#[tokio::test]
async fn calls_get_ids_that_are_the_same_every_time() {
    let mut answer: Value = serde_json::from_str(ANSWER).unwrap();
    answer["message"]["tool_calls"] = json!([
        {"function": {"name": "f", "arguments": {"a": 1.0}}}, {"function": {"name": "f", "arguments": {"a": 1.0}}},
        {"id": "own", "function": {"index": 2, "name": "g"}}, {"function": {"name": "", "arguments": {}}}, {"function": {"name": "h", "arguments": "x"}},
    ]);
    let tell = || async {
        exchange(
            &layer(),
            chat(with(json!({"tools": weather()}))),
            support::json(200, answer.to_string()),
        )
        .await
        .json()
    };
    let got = tell().await;
    let calls = got["choices"][0]["message"]["tool_calls"]
        .as_array()
        .unwrap();
    assert_eq!(calls.len(), 3, "equal calls are two calls");
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    assert_eq!(
        calls[0]["function"],
        json!({"name": "f", "arguments": "{\"a\":1.0}"})
    );
    assert_eq!(
        (&calls[2]["id"], &calls[2]["function"]["arguments"]),
        (&json!("own"), &json!("{}"))
    );
    assert_eq!(got["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(got["bartizan_dropped"], json!(["message.tool_calls"]));
    assert_eq!(got, tell().await);
}

#[tokio::test]
async fn a_stream_of_lines_becomes_events() {
    let text = lines(&[
        said(json!({"role": "assistant", "content": "", "thinking": "h"})),
        said(json!({"role": "assistant", "content": "", "thinking": "m"})),
        said(json!({"role": "assistant", "content": "a\u{2028}b"})),
        said(
            json!({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}),
        ),
        said(
            json!({"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}),
        ),
        done("stop"),
    ]);
    let got = streamed(&text).await;
    assert_eq!(got.headers["content-type"], "text/event-stream");
    assert!(got.is_done());
    let chunks = got.chunks();
    let joined = |key: &str| -> String {
        chunks
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"][key].as_str())
            .collect()
    };
    assert_eq!(
        (joined("reasoning_content"), joined("content")),
        ("hm".to_owned(), "a\u{2028}b".to_owned())
    );
    let indices: Vec<u64> = chunks
        .iter()
        .flat_map(|chunk| {
            chunk["choices"][0]["delta"]["tool_calls"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .map(|call| call["index"].as_u64().unwrap())
        .collect();
    assert_eq!(indices, [0, 0, 1, 1]);
    assert!(
        chunks
            .iter()
            .any(|chunk| chunk["choices"][0]["finish_reason"] == "tool_calls")
    );
}

#[tokio::test]
async fn why_it_ended_is_told() {
    for (reason, told) in [
        ("stop", json!("stop")),
        ("length", json!("length")),
        ("load", json!("stop")),
    ] {
        let got = streamed(&lines(&[said(json!({"content": "a"})), done(reason)])).await;
        let finishes: Vec<Value> = got
            .chunks()
            .iter()
            .map(|chunk| chunk["choices"][0]["finish_reason"].clone())
            .filter(|finish| !finish.is_null())
            .collect();
        assert_eq!(finishes, [told]);
    }
}

#[tokio::test]
async fn an_error_line_ends_the_stream_as_an_error() {
    for text in [
        lines(&[
            said(json!({"content": "a"})),
            json!({"error": "an error was encountered while running the model"}),
            done("stop"),
        ]),
        lines(&[json!({"error": "canary"})]),
    ] {
        let got = streamed(&text).await;
        assert!(!got.is_done(), "{}", got.text);
        assert_eq!(got.text.matches("\"error\"").count(), 1, "{}", got.text);
        assert!(!got.text.contains("canary"));
    }
    let got = exchange(
        &layer(),
        chat(with(json!({}))),
        support::json(404, r#"{"error":"model 'x' not found"}"#),
    )
    .await;
    assert_eq!(got.status, 404);
    let got = exchange(
        &layer(),
        chat(with(json!({}))),
        support::json(200, r#"{"error":"no"}"#),
    )
    .await;
    assert!(got.status >= 500, "{}", got.status);
}

#[tokio::test]
async fn a_stream_that_is_cut_never_ends_as_if_it_were_whole() {
    let text = lines(&[
        said(json!({"content": "a"})),
        said(json!({"content": "b", "thinking": "c"})),
        done("stop"),
    ]);
    let end = text.trim_end().rfind('\n').unwrap();
    for at in 0..text.len() {
        let got = streamed(&text[..at]).await;
        // The last line needs no end of its own.
        let whole = at >= text.len() - 1;
        assert_eq!(got.is_done(), whole, "cut at {at}");
        assert_eq!(
            got.text.contains("\"error\"") || got.status == 502,
            !whole,
            "cut at {at} ({end}): {} {}",
            got.status,
            got.text
        );
    }
}

#[tokio::test]
async fn recorded_requests_of_ollamas_compatible_api_go_to_its_own() {
    let (mut out, mut reasons) = (0, std::collections::BTreeMap::new());
    for exchanged in recorded("ollama.chat") {
        let Some(request) = support::body(&exchanged["request"]) else {
            continue;
        };
        if exchanged["response"]["status"] == 400 {
            continue;
        }
        let got = exchange(
            &layer().unknown(Unknown::Drop),
            chat(request.clone()),
            ndjson(&lines(&[done("stop")])),
        )
        .await;
        match got.sent {
            Some(sent) => {
                let (theirs, ours): (Value, Value) =
                    (serde_json::from_str(&request).unwrap(), sent.json());
                assert_eq!(
                    ours["messages"].as_array().unwrap().len(),
                    theirs["messages"].as_array().unwrap().len(),
                    "{request}"
                );
                assert_eq!(
                    ours["tools"].as_array().map(Vec::len),
                    theirs["tools"].as_array().map(Vec::len)
                );
                out += 1;
            }
            None => {
                *reasons
                    .entry(got.refusal.unwrap().message().to_owned())
                    .or_insert(0) += 1
            }
        }
    }
    eprintln!("{out} sent; refused: {reasons:#?}");
    assert!(reasons.is_empty());
}

proptest! {
    /// Whatever a provider's lines say, the client's stream is well formed, and whole only where the provider said so.
    #[test]
    fn any_lines_end_in_chunks(kinds in proptest::collection::vec(0..8_usize, 0..10)) {
        let line = |kind: &usize| match kind {
            0 => said(json!({"content": "a"})),
            1 => said(json!({"thinking": "b"})),
            2 => said(json!({"tool_calls": [{"function": {"name": "f", "arguments": {}}}]})),
            3 => said(json!({"tool_calls": [{"function": {}}, {}]})),
            4 => said(json!({"content": 1, "tool_calls": {}, "images": ["AAAA"]})),
            5 => json!({}),
            6 => done("stop"),
            _ => json!({"error": "x"}),
        };
        let first = kinds.iter().position(|kind| *kind >= 6);
        let text = lines(&kinds.iter().map(line).collect::<Vec<_>>());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let got = runtime.block_on(streamed(&text));
        prop_assert_eq!(got.is_done(), first.is_some_and(|at| kinds[at] == 6));
        got.chunks();
    }
}
