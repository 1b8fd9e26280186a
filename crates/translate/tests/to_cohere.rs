//! OpenAI chat's and Anthropic's requests, as Cohere gets them, and its answers, as their clients get them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Model, ModelFacts, Target, Thinking, TooHot, TranslateLayer};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, chat, exchange, post, recorded, sse};

const MODEL: &str = "command-a-03-2025";
const ANSWER: &str = r#"{"id":"a-1","message":{"role":"assistant","content":[{"type":"text","text":"hi"}]},"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":1,"output_tokens":2},"tokens":{"input_tokens":30,"output_tokens":4},"cached_tokens":20}}"#;

fn layer() -> TranslateLayer {
    support::layer().to(Target::new(Dialect::CohereChat, MODEL))
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

async fn ask(layer: &TranslateLayer, body: String) -> Got {
    exchange(layer, chat(body), support::json(200, ANSWER)).await
}

async fn sent(body: String) -> (Value, String) {
    sent_by(&layer(), body).await
}

async fn sent_by(layer: &TranslateLayer, body: String) -> (Value, String) {
    let got = ask(layer, body).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

async fn refused(body: String) -> String {
    let got = ask(&layer(), body).await;
    assert!(got.sent.is_none(), "nothing goes out: {}", got.text);
    assert_eq!(got.status, 400);
    got.refusal.unwrap().message().to_owned()
}

async fn answered(answer: &str) -> Got {
    exchange(&layer(), chat(with(json!({}))), support::json(200, answer)).await
}

fn weather() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "description": "d", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}])
}

fn two_tools() -> Value {
    let mut tools = weather();
    let mut other = tools[0].clone();
    other["function"]["name"] = json!("time");
    tools.as_array_mut().unwrap().push(other);
    tools
}

#[tokio::test]
async fn the_path_and_the_dialect_become_coheres() {
    let got = ask(&layer(), with(json!({"stream": false}))).await;
    let sent = got.sent.unwrap();
    assert_eq!(sent.uri, "/v2/chat");
    assert_eq!(sent.dialect, Some(Dialect::CohereChat));
    assert_eq!(
        sent.text,
        r#"{"model":"command-a-03-2025","messages":[{"role":"user","content":"hi"}]}"#
    );
}

#[tokio::test]
async fn instructions_keep_their_place() {
    let (out, dropped) = sent(saying(json!([
        {"role": "developer", "content": "a"}, {"role": "user", "content": "hi"}, {"role": "system", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": ""}]},
    ])))
    .await;
    assert_eq!(
        out["messages"],
        json!([{"role": "system", "content": "a"}, {"role": "user", "content": "hi"}, {"role": "system", "content": "b"}])
    );
    assert_eq!(dropped, "");
}

#[tokio::test]
async fn images_go_by_data_or_address_and_files_as_documents() {
    let (out, dropped) = sent(saying(json!([{"role": "user", "content": [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "file", "file": {"filename": "facts.txt", "file_data": "data:text/plain;base64,aGk="}},
    ]}])))
    .await;
    assert_eq!(
        out["messages"][0]["content"],
        json!([
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        ])
    );
    assert_eq!(
        out["documents"],
        json!([{"data": {"title": "facts.txt", "text": "hi"}}])
    );
    assert_eq!(dropped, "messages.file;moved");
    for part in [
        json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}}),
        json!({"type": "file", "file": {"file_id": "file-1"}}),
        json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
    ] {
        let says = refused(saying(json!([{"role": "user", "content": [part]}]))).await;
        assert!(says.starts_with("messages[0]"), "{says}");
    }
}

#[tokio::test]
async fn calls_and_results_go_by_their_ids_with_the_plan_before_them() {
    let (out, dropped) = sent(with(json!({"tools": weather(), "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": null, "reasoning_content": "I will look.", "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Rome\"}"}},
            {"id": "c2", "type": "function", "function": {"name": "weather", "arguments": ""}},
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": "sun"},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    ]})))
    .await;
    assert_eq!(
        out["messages"].as_array().unwrap()[1..],
        json!([
            {"role": "assistant", "tool_plan": "I will look.", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Rome\"}"}},
                {"id": "c2", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "sun"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        ])
        .as_array()
        .unwrap()[..]
    );
    assert_eq!(dropped, "");
}

#[tokio::test]
async fn anthropics_failed_results_documents_and_signed_thoughts_are_told_or_reported() {
    let request = json!({"model": "house", "max_tokens": 9, "messages": [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Rome"}},
        ]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "is_error": true, "content": [
                {"type": "text", "text": "no"}, {"type": "document", "title": "log", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
            ]},
            {"type": "text", "text": "go on", "cache_control": {"type": "ephemeral"}},
        ]},
    ], "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {}}}]});
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
            {"role": "assistant", "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}}]},
            {"role": "tool", "tool_call_id": "t1", "content": [
                {"type": "text", "text": "Error: no"}, {"type": "document", "document": {"data": {"title": "log", "text": "x"}}},
            ]},
            {"role": "user", "content": "go on"},
        ])
        .as_array()
        .unwrap()[..]
    );
    for reported in ["thinking", "is_error;changed", "cache_control"] {
        assert!(got.dropped().contains(reported), "{}", got.dropped());
    }
}

#[tokio::test]
async fn tools_are_offered_and_chosen_as_the_caller_says() {
    for (choice, names, word) in [
        (json!("auto"), vec!["weather", "time"], Value::Null),
        (json!("none"), vec!["weather", "time"], json!("NONE")),
        (
            json!("required"),
            vec!["weather", "time"],
            json!("REQUIRED"),
        ),
        (
            json!({"type": "function", "function": {"name": "time"}}),
            vec!["time"],
            json!("REQUIRED"),
        ),
    ] {
        let (out, _) = sent(with(json!({"tools": two_tools(), "tool_choice": choice}))).await;
        let offered: Vec<&str> = out["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["function"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(offered, names);
        assert_eq!(out["tool_choice"], word, "{choice}");
    }
    let (_, dropped) = sent(with(
        json!({"tools": weather(), "parallel_tool_calls": false}),
    ))
    .await;
    assert_eq!(dropped, "parallel_tool_calls");
    refused(with(json!({"tool_choice": "required"}))).await;
    refused(with(json!({"tools": weather(), "tool_choice": {"type": "function", "function": {"name": "other"}}}))).await;
}

#[tokio::test]
async fn tools_are_held_to_their_schemas_only_all_together() {
    let mut tools = two_tools();
    tools[0]["function"]["strict"] = json!(true);
    let (out, dropped) = sent(with(json!({"tools": tools}))).await;
    assert_eq!(out.get("strict_tools"), None);
    assert_eq!(dropped, "tools.strict");
    tools[1]["function"]["strict"] = json!(true);
    let (out, dropped) = sent(with(json!({"tools": tools}))).await;
    assert_eq!((&out["strict_tools"], dropped.as_str()), (&json!(true), ""));
}

#[tokio::test]
async fn a_tools_name_comes_back_as_the_caller_wrote_it() {
    let tools = json!([{"type": "function", "function": {"name": "get-weather", "parameters": {"type": "object"}}}]);
    let layer = layer();
    let got = ask(&layer, with(json!({"tools": tools}))).await;
    let there = got.sent.clone().unwrap().json()["tools"][0]["function"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        there
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
        "{there}"
    );
    assert_eq!(got.dropped(), "tools.name;changed");
    let answer = json!({"id": "a", "message": {"tool_calls": [{"id": "c", "function": {"name": there, "arguments": "{}"}}]}, "finish_reason": "TOOL_CALL"});
    let got = exchange(
        &layer,
        chat(with(json!({"tools": tools}))),
        support::json(200, answer.to_string()),
    )
    .await;
    assert_eq!(
        got.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"],
        "get-weather"
    );
}

#[tokio::test]
async fn the_form_of_the_answer_is_held_natively_where_the_api_has_it() {
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]});
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}});
    let (out, dropped) = sent(with(json!({"response_format": format}))).await;
    assert_eq!(
        out["response_format"],
        json!({"type": "json_object", "json_schema": schema})
    );
    assert_eq!(dropped, "response_format.json_schema.name");
    let (out, _) = sent(with(json!({"response_format": {"type": "json_object"}}))).await;
    assert_eq!(out["response_format"], json!({"type": "json_object"}));
    // Without a choice of tools they are as good as not there.
    let (out, _) = sent(with(
        json!({"response_format": format, "tools": weather(), "tool_choice": "none"}),
    ))
    .await;
    assert_eq!(
        (out.get("tools"), out["response_format"]["type"].as_str()),
        (None, Some("json_object"))
    );
}

#[tokio::test]
async fn beside_tools_the_form_is_held_by_a_tool_that_the_caller_never_sees() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
    let request = with(json!({"response_format": format, "tools": weather()}));
    let (out, _) = sent(request.clone()).await;
    let hidden = &out["tools"][1]["function"];
    assert_eq!(
        (
            &hidden["parameters"],
            &out["tool_choice"],
            out.get("response_format")
        ),
        (&schema, &json!("REQUIRED"), None)
    );
    let name = hidden["name"].as_str().unwrap();
    let answer = json!({"id": "a", "message": {"tool_plan": "p", "tool_calls": [{"id": "c", "function": {"name": name, "arguments": "{\"a\":1}"}}]}, "finish_reason": "TOOL_CALL"});
    let got = exchange(
        &layer(),
        chat(request.clone()),
        support::json(200, answer.to_string()),
    )
    .await
    .json();
    assert_eq!(got["choices"][0]["message"]["content"], r#"{"a":1}"#);
    assert_eq!(got["choices"][0]["finish_reason"], "stop");
    assert!(got["choices"][0]["message"].get("tool_calls").is_none());
    let mut streamed: Value = serde_json::from_str(&request).unwrap();
    streamed["stream"] = json!(true);
    let events = stream(&[
        json!({"type": "message-start", "id": "a"}),
        json!({"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {"id": "c", "type": "function", "function": {"name": name, "arguments": ""}}}}}),
        json!({"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": "{\"a\":1}"}}}}}),
        json!({"type": "tool-call-end", "index": 0}),
        json!({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}}),
    ]);
    let got = exchange(&layer(), chat(streamed.to_string()), sse(events)).await;
    assert_eq!(
        said(&got),
        (
            r#"{"a":1}"#.to_owned(),
            String::new(),
            vec![],
            Some("stop".to_owned())
        )
    );
}

#[tokio::test]
async fn sampling_is_held_to_what_the_api_takes() {
    for (member, value, word, out, dropped) in [
        ("temperature", json!(0.3), "temperature", json!(0.3), ""),
        ("temperature", json!(1), "temperature", json!(1), ""),
        (
            "temperature",
            json!(1.5),
            "temperature",
            json!(1),
            "temperature;changed",
        ),
        ("top_p", json!(0.5), "p", json!(0.5), ""),
        ("top_p", json!(1), "p", json!(0.99), "top_p;changed"),
        ("top_p", json!(0), "p", json!(0.01), "top_p;changed"),
        ("top_k", json!(40), "k", json!(40), ""),
        ("seed", json!(7), "seed", json!(7), ""),
        (
            "frequency_penalty",
            json!(0.5),
            "frequency_penalty",
            json!(0.5),
            "",
        ),
        (
            "presence_penalty",
            json!(2),
            "presence_penalty",
            json!(1),
            "presence_penalty;changed",
        ),
        (
            "presence_penalty",
            json!(-1),
            "presence_penalty",
            Value::Null,
            "presence_penalty",
        ),
        (
            "presence_penalty",
            json!(0),
            "presence_penalty",
            Value::Null,
            "",
        ),
        (
            "stop",
            json!(["a", "b"]),
            "stop_sequences",
            json!(["a", "b"]),
            "",
        ),
        (
            "max_completion_tokens",
            json!(9),
            "max_tokens",
            json!(9),
            "",
        ),
        ("user", json!("u"), "user", Value::Null, "user"),
        (
            "logit_bias",
            json!({"1": 2}),
            "logit_bias",
            Value::Null,
            "logit_bias",
        ),
        ("safety_mode", json!("OFF"), "safety_mode", json!("OFF"), ""),
        ("documents", json!(["a"]), "documents", json!(["a"]), ""),
    ] {
        let (sent, told) = sent(with(json!({member: value}))).await;
        assert_eq!((&sent[word], told.as_str()), (&out, dropped), "{member}");
    }
    let hot = ask(
        &layer().too_hot(TooHot::Refuse),
        with(json!({"temperature": 1.5})),
    )
    .await;
    assert_eq!(hot.status, 400);
    refused(with(json!({"n": 2}))).await;
}

#[tokio::test]
async fn thinking_is_a_budget_where_the_model_thinks() {
    let thinks = |thinking| {
        let mut model = Model::new(8_000);
        model.thinking = thinking;
        layer().models(ModelFacts::empty().with(MODEL, model))
    };
    for (effort, out, dropped) in [
        ("none", json!({"type": "disabled"}), ""),
        ("low", json!({"type": "enabled", "token_budget": 2_048}), ""),
        (
            "high",
            json!({"type": "enabled", "token_budget": 6_000}),
            "",
        ),
        ("max", json!({"type": "enabled"}), ""),
    ] {
        let (sent, told) = sent_by(
            &thinks(Thinking::Budget),
            with(json!({"reasoning_effort": effort})),
        )
        .await;
        assert_eq!(
            (&sent["thinking"], told.as_str()),
            (&out, dropped),
            "{effort}"
        );
    }
    let (sent, told) = sent_by(
        &thinks(Thinking::None),
        with(json!({"reasoning_effort": "low"})),
    )
    .await;
    assert_eq!(
        (sent.get("thinking"), told.as_str()),
        (None, "reasoning_effort")
    );
    let (sent, _) = sent_by(
        &thinks(Thinking::Budget),
        with(json!({"reasoning": {"max_tokens": 99}})),
    )
    .await;
    assert_eq!(
        sent["thinking"],
        json!({"type": "enabled", "token_budget": 99})
    );
}

#[tokio::test]
async fn usage_is_what_the_model_read_and_wrote() {
    let got = answered(ANSWER).await.json();
    assert_eq!(got["usage"]["prompt_tokens"], 30);
    assert_eq!(got["usage"]["prompt_tokens_details"]["cached_tokens"], 20);
    assert_eq!(got["usage"]["completion_tokens"], 4);
    assert_eq!(got["model"], MODEL);
}

#[tokio::test]
async fn why_it_ended_is_told_and_a_failure_is_no_answer() {
    for (reason, status, told) in [
        ("COMPLETE", 200, json!("stop")),
        ("STOP_SEQUENCE", 200, json!("stop")),
        ("MAX_TOKENS", 200, json!("length")),
        ("ERROR_TOXIC", 200, json!("content_filter")),
        ("SOMETHING_NEW", 200, json!("stop")),
        ("ERROR", 502, Value::Null),
        ("TIMEOUT", 504, Value::Null),
    ] {
        let answer = json!({"id": "a", "message": {"content": [{"type": "text", "text": "x"}]}, "finish_reason": reason});
        let got = answered(&answer.to_string()).await;
        assert_eq!(got.status, status, "{reason}");
        assert_eq!(got.json()["choices"][0]["finish_reason"], told, "{reason}");
        let events = stream(&[
            json!({"type": "message-start", "id": "a"}),
            json!({"type": "message-end", "delta": {"finish_reason": reason}}),
        ]);
        let got = exchange(&layer(), chat(with(json!({"stream": true}))), sse(events)).await;
        assert_eq!(got.is_done(), status == 200, "{reason}: {}", got.text);
        assert_eq!(got.text.contains("\"error\""), status != 200, "{reason}");
    }
}

#[tokio::test]
async fn citations_of_the_web_are_annotations_and_others_are_declared() {
    let cited = |index: u64, url: Option<&str>| {
        json!({"start": 0, "end": 2, "text": "ab", "type": "TEXT_CONTENT", "content_index": index,
            "sources": [{"type": "document", "id": "d", "document": {"id": "d", "title": "t", "url": url, "text": "long"}}]})
    };
    let answer = json!({"id": "a", "finish_reason": "COMPLETE", "message": {
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "ößü"}, {"type": "text", "text": "abc"}],
        "citations": [cited(2, Some("https://example.com")), cited(1, None), cited(0, Some("https://example.com")), cited(9, None)],
    }});
    let got = answered(&answer.to_string()).await.json();
    assert_eq!(
        got["choices"][0]["message"]["annotations"],
        json!([{"type": "url_citation", "url_citation": {"start_index": 3, "end_index": 5, "url": "https://example.com", "title": "t"}}])
    );
    assert_eq!(got["bartizan_dropped"], json!(["message.citations"]));
}

#[tokio::test]
async fn calls_without_ids_get_one_that_is_the_same_every_time() {
    let answer = json!({"id": "a", "message": {"tool_calls": [{"function": {"name": "f"}}, {"function": {"name": "f", "arguments": "{\"a\":1}"}}, {"function": {"name": "f", "arguments": "[1]"}}]}, "finish_reason": "TOOL_CALL"}).to_string();
    let (one, two) = (
        answered(&answer).await.json(),
        answered(&answer).await.json(),
    );
    let calls = |got: &Value| got["choices"][0]["message"]["tool_calls"].clone();
    assert_eq!(calls(&one), calls(&two));
    let calls = calls(&one);
    assert_eq!(calls.as_array().unwrap().len(), 2);
    assert_ne!(calls[0]["id"], calls[1]["id"]);
    assert_eq!(calls[0]["function"]["arguments"], "{}");
    // A call that can't be read can't be run.
    assert_eq!(one["bartizan_dropped"], json!(["message.tool_calls"]));
}

#[tokio::test]
async fn errors_keep_their_class() {
    for (status, told) in [
        (400, 400),
        (401, 401),
        (404, 404),
        (429, 429),
        (498, 400),
        (499, 400),
        (500, 500),
        (503, 503),
    ] {
        let got = exchange(
            &layer(),
            chat(with(json!({}))),
            support::json(
                status,
                r#"{"id":"x","message":"invalid request: no such model"}"#,
            ),
        )
        .await;
        assert_eq!(got.status / 100, told / 100, "{status}: {}", got.text);
        assert!(got.json()["error"]["message"].is_string());
    }
}

/// An event stream of these events.
fn stream(events: &[Value]) -> String {
    let events = events.iter();
    events
        .map(|event| {
            format!(
                "event: {}\ndata: {event}\n\n",
                event["type"].as_str().unwrap()
            )
        })
        .collect()
}

/// Text, thoughts, calls (id, name, arguments) and the finish reason.
type Said = (
    String,
    String,
    Vec<(String, String, String)>,
    Option<String>,
);

/// What a chat's chunks say.
fn said(got: &Got) -> Said {
    let (mut text, mut thoughts, mut finish) = (String::new(), String::new(), None);
    let mut calls: Vec<(String, String, String)> = Vec::new();
    for chunk in got.chunks() {
        let Some(choice) = chunk["choices"].get(0) else {
            continue;
        };
        let delta = &choice["delta"];
        text.push_str(delta["content"].as_str().unwrap_or_default());
        thoughts.push_str(delta["reasoning_content"].as_str().unwrap_or_default());
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            if let Some(id) = call["id"].as_str() {
                assert_eq!(index, calls.len());
                calls.push((
                    id.to_owned(),
                    call["function"]["name"].as_str().unwrap().to_owned(),
                    String::new(),
                ));
            }
            calls[index]
                .2
                .push_str(call["function"]["arguments"].as_str().unwrap_or_default());
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            assert!(finish.is_none());
            finish = Some(reason.to_owned());
        }
    }
    (text, thoughts, calls, finish)
}

/// What a recorded stream of Cohere's says, put together here.
fn recorded_said(text: &str) -> Said {
    let (mut said, mut thoughts, mut finish) = (String::new(), String::new(), None);
    let mut calls: Vec<(String, String, String)> = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("data: {")) {
        let event: Value = serde_json::from_str(&format!("{{{line}")).unwrap();
        let message = &event["delta"]["message"];
        let call = &message["tool_calls"];
        match event["type"].as_str().unwrap() {
            "tool-call-start" => calls.push((
                call["id"].as_str().unwrap().to_owned(),
                call["function"]["name"].as_str().unwrap().to_owned(),
                call["function"]["arguments"].as_str().unwrap().to_owned(),
            )),
            "tool-call-delta" => calls
                .last_mut()
                .unwrap()
                .2
                .push_str(call["function"]["arguments"].as_str().unwrap()),
            "message-end" => finish = event["delta"]["finish_reason"].as_str().map(str::to_owned),
            "message-start" => {}
            _ => {
                said.push_str(message["content"]["text"].as_str().unwrap_or_default());
                thoughts.push_str(message["content"]["thinking"].as_str().unwrap_or_default());
                thoughts.push_str(message["tool_plan"].as_str().unwrap_or_default());
            }
        }
    }
    for call in &mut calls {
        if call.2.is_empty() {
            call.2.push_str("{}");
        }
    }
    (said, thoughts, calls, finish)
}

fn told(reason: &str) -> &'static str {
    match reason {
        "COMPLETE" | "STOP_SEQUENCE" => "stop",
        "MAX_TOKENS" => "length",
        "TOOL_CALL" => "tool_calls",
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn recorded_answers_and_streams_say_the_same_in_openais_chat() {
    let (mut answers, mut streams) = (0, 0);
    for exchanged in recorded("cohere.chat_v2") {
        let body = support::body(&exchanged["response"]).unwrap();
        if exchanged["response"]["status"] != 200 {
            continue;
        }
        if exchanged["stream"] == true {
            let got = exchange(
                &layer(),
                chat(with(json!({"stream": true}))),
                sse(body.clone()),
            )
            .await;
            let mut wanted = recorded_said(&body);
            wanted.3 = wanted.3.map(|reason| told(&reason).to_owned());
            assert_eq!(said(&got), wanted);
            assert!(got.is_done());
            streams += 1;
            continue;
        }
        let theirs: Value = serde_json::from_str(&body).unwrap();
        let got = answered(&body).await.json();
        let message = &got["choices"][0]["message"];
        let parts = theirs["message"]["content"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let joined =
            |key: &str| -> String { parts.iter().filter_map(|part| part[key].as_str()).collect() };
        assert_eq!(
            message["content"].as_str().unwrap_or_default(),
            joined("text")
        );
        let thoughts =
            joined("thinking") + theirs["message"]["tool_plan"].as_str().unwrap_or_default();
        assert_eq!(
            message["reasoning_content"].as_str().unwrap_or_default(),
            thoughts
        );
        assert_eq!(
            message["tool_calls"].as_array().map_or(0, Vec::len),
            theirs["message"]["tool_calls"]
                .as_array()
                .map_or(0, Vec::len)
        );
        for (ours, theirs) in message["tool_calls"].as_array().into_iter().flatten().zip(
            theirs["message"]["tool_calls"]
                .as_array()
                .into_iter()
                .flatten(),
        ) {
            assert_eq!(
                (&ours["id"], &ours["function"]),
                (&theirs["id"], &theirs["function"])
            );
        }
        assert_eq!(
            got["choices"][0]["finish_reason"],
            told(theirs["finish_reason"].as_str().unwrap())
        );
        let tokens = &theirs["usage"]["tokens"];
        let count = |name: &str| tokens[name].as_u64().unwrap_or(0);
        assert_eq!(
            got["usage"]["prompt_tokens"],
            count("input_tokens") + count("image_tokens")
        );
        assert_eq!(got["usage"]["completion_tokens"], count("output_tokens"));
        answers += 1;
    }
    eprintln!("{answers} answers, {streams} streams");
    assert!(answers + streams == 0 || answers + streams >= 50);
}

#[tokio::test]
async fn a_stream_that_is_cut_never_ends_as_if_it_were_whole() {
    let mut cuts = 0;
    for exchanged in recorded("cohere.chat_v2")
        .iter()
        .filter(|exchanged| exchanged["stream"] == true)
    {
        let body = support::body(&exchanged["response"]).unwrap();
        let ends: Vec<usize> = body.match_indices("\n\n").map(|(at, _)| at + 2).collect();
        let whole = body.find("event: message-end").unwrap();
        for at in std::iter::once(0).chain(ends) {
            let got = exchange(
                &layer(),
                chat(with(json!({"stream": true}))),
                sse(body[..at].to_owned()),
            )
            .await;
            assert_eq!(got.is_done(), at > whole, "cut at {at}");
            assert_eq!(
                got.text.contains("upstream_stream_cut"),
                at <= whole,
                "cut at {at}"
            );
            cuts += 1;
        }
    }
    eprintln!("{cuts} cuts");
}

#[tokio::test]
async fn an_error_in_a_stream_ends_it() {
    for event in [
        json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "overloaded"}}),
        json!({"type": "message-end", "delta": {"error": "overloaded"}}),
    ] {
        let events = stream(&[
            json!({"type": "message-start", "id": "a"}),
            event,
            json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}),
        ]);
        let got = exchange(&layer(), chat(with(json!({"stream": true}))), sse(events)).await;
        assert!(!got.is_done(), "{}", got.text);
        assert_eq!(got.text.matches("\"error\"").count(), 1, "{}", got.text);
        assert!(
            !got.text.contains("overloaded"),
            "the provider's words stay here: {}",
            got.text
        );
    }
}

/// Recorded requests of OpenAI's chat go out, or are refused with a reason.
#[tokio::test]
async fn recorded_requests_of_openais_chat_go_out_or_are_refused_by_name() {
    let (mut out, mut reasons) = (0, std::collections::BTreeMap::new());
    for exchanged in recorded("openai.chat") {
        let Some(request) = support::body(&exchanged["request"]) else {
            continue;
        };
        let got = exchange(
            &layer().unknown(bartizan_translate::Unknown::Drop),
            chat(request),
            support::json(200, ANSWER),
        )
        .await;
        match got.sent {
            Some(sent) => {
                assert!(sent.json()["messages"].is_array());
                out += 1;
            }
            None => {
                assert_eq!(got.status, 400, "{}", got.text);
                *reasons
                    .entry(got.refusal.unwrap().message().to_owned())
                    .or_insert(0) += 1;
            }
        }
    }
    eprintln!("{out} sent; refused: {reasons:#?}");
}

proptest! {
    /// Whatever a provider's event says, the client's stream is well formed: chunks, and an end that the provider said.
    #[test]
    fn any_events_end_in_chunks(kinds in proptest::collection::vec(0..9_usize, 0..12)) {
        let message = json!({"content": {"type": "text", "text": "a", "thinking": "b"}, "tool_plan": "p", "tool_calls": {"id": "c", "function": {"name": "f", "arguments": "{"}}, "citations": {"start": 0}});
        let names = ["message-start", "content-start", "content-delta", "content-end", "tool-plan-delta", "tool-call-start", "tool-call-delta", "citation-start", "new"];
        let events: Vec<Value> = kinds.iter().map(|kind| json!({"type": names[*kind], "index": 0, "delta": {"message": message}})).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let got = runtime.block_on(exchange(&layer(), chat(with(json!({"stream": true}))), sse(stream(&events))));
        prop_assert!(!got.is_done());
        said(&got);
    }
}
