//! OpenAI chat requests, as Anthropic gets them: each row of the requirements that concerns the two is a test here.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Model, ModelFacts, Target, TooHot, TranslateLayer, Unknown};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, MODEL, ask, chat, exchange, layer, post};

/// A request with one user message and these members.
fn with(members: Value) -> String {
    let mut request = json!({"model": "house", "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    request.to_string()
}

/// A request with these messages.
fn saying(messages: Value) -> String {
    json!({"model": "house", "messages": messages}).to_string()
}

fn to(model: &str) -> TranslateLayer {
    layer().to(Target::new(Dialect::AnthropicMessages, model))
}

async fn sent(layer: &TranslateLayer, body: String) -> (Value, String) {
    let got = ask(layer, body).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

async fn refused(layer: &TranslateLayer, body: String) -> (u16, Value) {
    let got = ask(layer, body).await;
    assert!(got.sent.is_none(), "nothing goes out: {}", got.text);
    (got.status, got.json()["error"].clone())
}

fn weather() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "description": "d", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}])
}

/// An assistant's calls and their results.
fn call(id: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}})
}

fn result(id: &str, content: impl Into<Value>) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": content.into()})
}

#[tokio::test]
async fn the_path_the_version_and_the_dialect_become_the_targets() {
    let mut request = chat(with(json!({})));
    request
        .headers_mut()
        .insert("openai-beta", "x".parse().unwrap());
    request.headers_mut().insert(
        "content-length",
        with(json!({})).len().to_string().parse().unwrap(),
    );
    request
        .headers_mut()
        .insert("anthropic-version", "2099-01-01".parse().unwrap());
    *request.uri_mut() = "/openai/v1/chat/completions?api_key=canary"
        .parse()
        .unwrap();
    let got = exchange(&layer(), request, support::json(200, support::REPLY)).await;
    let sent = got.sent.unwrap();
    assert_eq!(sent.uri, "/v1/messages");
    assert_eq!(sent.headers["anthropic-version"], "2023-06-01");
    assert_eq!(sent.dialect, Some(Dialect::AnthropicMessages));
    assert!(!sent.headers.contains_key("openai-beta"));
    assert_eq!(sent.headers["content-length"], sent.text.len().to_string());
    assert_eq!(sent.json()["model"], MODEL);
    assert_eq!(
        got.trail,
        ["translate translated from=openai_chat to=anthropic_messages"]
    );
}

#[tokio::test]
async fn a_target_in_the_request_goes_before_the_layers_own() {
    let mut request = chat(with(json!({"max_tokens": 9})));
    request
        .extensions_mut()
        .insert(Target::new(Dialect::AnthropicMessages, "claude-opus-5"));
    let got = exchange(&layer(), request, support::json(200, support::REPLY)).await;
    assert_eq!(got.sent.unwrap().json()["model"], "claude-opus-5");
}

#[tokio::test]
async fn system_and_developer_stand_in_front() {
    for (messages, system, dropped) in [
        (
            json!([{"role": "system", "content": "a"}, {"role": "user", "content": "hi"}]),
            json!([{"type": "text", "text": "a"}]),
            "",
        ),
        (
            json!([{"role": "developer", "content": "a"}, {"role": "system", "content": [{"type": "text", "text": "b"}]}, {"role": "user", "content": "hi"}]),
            json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
            "",
        ),
        (
            json!([{"role": "user", "content": "hi"}, {"role": "system", "content": "late"}]),
            json!([{"type": "text", "text": "late"}]),
            "messages.system;moved",
        ),
        (
            json!([{"role": "system", "content": ""}, {"role": "user", "content": "hi"}]),
            Value::Null,
            "",
        ),
        // Nobody speaks but the application: its last word is what the user says.
        (
            json!([{"role": "system", "content": "a"}, {"role": "system", "content": "hi"}]),
            json!([{"type": "text", "text": "a"}]),
            "messages.system;moved",
        ),
        (
            json!([{"role": "developer", "content": "hi"}, {"role": "system", "content": ""}]),
            Value::Null,
            "messages.system;moved",
        ),
    ] {
        let (body, lost) = sent(&layer(), saying(messages)).await;
        assert_eq!(body["system"], system);
        assert_eq!(body["messages"], json!([{"role": "user", "content": "hi"}]));
        assert_eq!(lost, dropped);
    }
}

#[tokio::test]
async fn neighbours_are_merged_and_no_message_is_made_up() {
    for (messages, turns, dropped) in [
        (
            json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]),
            json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, {"role": "assistant", "content": "c"}]),
            "",
        ),
        (
            json!([{"role": "assistant", "content": "c"}]),
            json!([{"role": "assistant", "content": "c"}]),
            "",
        ),
        (
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}, {"role": "user", "content": "b"}]),
            json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]),
            "messages",
        ),
        (
            json!([{"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "b"}]}]),
            json!([{"role": "user", "content": "b"}]),
            "",
        ),
        (
            json!([{"role": "user", "content": "a", "name": "ann"}]),
            json!([{"role": "user", "content": "a"}]),
            "messages.name",
        ),
        (
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "refusal": "no"}]),
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "no"}]),
            "messages.refusal;changed",
        ),
    ] {
        let (body, lost) = sent(&layer(), saying(messages)).await;
        assert_eq!(body["messages"], turns);
        assert_eq!(lost, dropped);
    }
}

#[tokio::test]
async fn parallel_results_go_into_one_user_turn_results_first_each_by_its_id() {
    let messages = json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": null, "tool_calls": [call("call_1", r#"{"city":"x"}"#), call("call_2", "")]},
        {"role": "user", "content": "and?"},
        result("call_2", "two"),
        result("call_1", json!([{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}])),
    ]);
    let mut request: Value = serde_json::from_str(&saying(messages)).unwrap();
    request["tools"] = weather();
    let (body, lost) = sent(&layer(), request.to_string()).await;
    assert_eq!(lost, "");
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "x"}},
                {"type": "tool_use", "id": "call_2", "name": "weather", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_2", "content": "two"},
                {"type": "tool_result", "tool_use_id": "call_1", "content": [
                    {"type": "text", "text": "one"}, {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
                ]},
                {"type": "text", "text": "and?"},
            ]},
        ])
    );
    assert_eq!(body["tools"][0]["name"], "weather");
    assert_eq!(body["tool_choice"], Value::Null);
}

#[tokio::test]
async fn equal_parallel_calls_stay_two_and_an_empty_result_stays_one() {
    let messages = json!([
        {"role": "assistant", "content": "", "tool_calls": [call("a", "{}"), call("b", "{}")]},
        result("a", ""), result("b", ""),
    ]);
    let (body, _) = sent(&layer(), saying(messages)).await;
    assert_eq!(body["messages"][0]["content"].as_array().unwrap().len(), 2);
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type": "tool_result", "tool_use_id": "a"}, {"type": "tool_result", "tool_use_id": "b"}])
    );
}

#[tokio::test]
async fn orphan_calls_get_their_tools_declared_and_not_to_be_called() {
    let messages = json!([{"role": "assistant", "tool_calls": [call("a", "{}"), call("b", "{}")]}, result("a", "x"), result("b", "y")]);
    let (body, _) = sent(&layer(), saying(messages)).await;
    assert_eq!(
        body["tools"],
        json!([{"name": "weather", "input_schema": {"type": "object"}}])
    );
    assert_eq!(body["tool_choice"], json!({"type": "none"}));
}

#[tokio::test]
async fn ids_that_the_provider_refuses_become_ones_that_it_takes_always_the_same() {
    let messages = json!([{"role": "assistant", "tool_calls": [call("functions.weather:0", "{}")]}, result("functions.weather:0", "x")]);
    let (body, _) = sent(&layer(), saying(messages)).await;
    let id = body["messages"][0]["content"][0]["id"].as_str().unwrap();
    assert!(
        id.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'),
        "{id}"
    );
    assert_eq!(body["messages"][1]["content"][0]["tool_use_id"], id);
}

#[tokio::test]
async fn tool_choice_by_the_table() {
    let named = json!({"type": "function", "function": {"name": "weather"}});
    for (choice, parallel, wanted) in [
        (Value::Null, Value::Null, Value::Null),
        (json!("auto"), json!(true), Value::Null),
        (
            json!("auto"),
            json!(false),
            json!({"type": "auto", "disable_parallel_tool_use": true}),
        ),
        (
            Value::Null,
            json!(false),
            json!({"type": "auto", "disable_parallel_tool_use": true}),
        ),
        (json!("none"), json!(false), json!({"type": "none"})),
        (json!("required"), Value::Null, json!({"type": "any"})),
        (
            json!("required"),
            json!(false),
            json!({"type": "any", "disable_parallel_tool_use": true}),
        ),
        (
            named.clone(),
            Value::Null,
            json!({"type": "tool", "name": "weather"}),
        ),
        (
            named.clone(),
            json!(false),
            json!({"type": "tool", "name": "weather", "disable_parallel_tool_use": true}),
        ),
    ] {
        let request = with(
            json!({"tools": weather(), "tool_choice": choice, "parallel_tool_calls": parallel}),
        );
        let (body, lost) = sent(&layer(), request).await;
        assert_eq!(body["tool_choice"], wanted, "{choice} {parallel}");
        assert_eq!(body["tools"].as_array().unwrap().len(), 1);
        assert_eq!(lost, "");
    }
    let (body, _) = sent(
        &layer(),
        with(json!({"tool_choice": "auto", "parallel_tool_calls": false})),
    )
    .await;
    assert_eq!(
        (&body["tools"], &body["tool_choice"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn schemas_pass_as_they_are_and_say_their_type() {
    for (function, schema, strict) in [
        (
            json!({"name": "f"}),
            json!({"type": "object", "properties": {}}),
            Value::Null,
        ),
        (
            json!({"name": "f", "parameters": {}}),
            json!({"type": "object"}),
            Value::Null,
        ),
        (
            json!({"name": "f", "parameters": {"properties": {"a": {"$ref": "#/x"}}}}),
            json!({"type": "object", "properties": {"a": {"$ref": "#/x"}}}),
            Value::Null,
        ),
        (
            json!({"name": "f", "strict": true, "parameters": {"type": "object", "additionalProperties": false}}),
            json!({"type": "object", "additionalProperties": false}),
            json!(true),
        ),
    ] {
        let (body, _) = sent(
            &layer(),
            with(json!({"tools": [{"type": "function", "function": function}]})),
        )
        .await;
        assert_eq!(body["tools"][0]["input_schema"], schema);
        assert_eq!(body["tools"][0]["strict"], strict);
    }
    let strict =
        with(json!({"tools": [{"type": "function", "function": {"name": "f", "strict": true}}]}));
    let (body, lost) = sent(&to("claude-sonnet-4"), strict).await;
    assert_eq!(
        (body["tools"][0].get("strict"), lost.as_str()),
        (None, "tools.strict")
    );
}

#[tokio::test]
async fn images_and_files() {
    let image = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
    for (part, block, dropped) in [
        (
            image("data:image/png;base64,AAAA"),
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}),
            "",
        ),
        (
            image("data:image/JPG;base64,AA=="),
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AA=="}}),
            "",
        ),
        (
            image("https://a.example/b?c=\"d"),
            json!({"type": "image", "source": {"type": "url", "url": "https://a.example/b?c=\"d"}}),
            "",
        ),
        (
            json!({"type": "image_url", "image_url": "https://a.example/b"}),
            json!({"type": "image", "source": {"type": "url", "url": "https://a.example/b"}}),
            "",
        ),
        (
            json!({"type": "image_url", "image_url": {"url": "https://a.example/b", "detail": "high"}}),
            json!({"type": "image", "source": {"type": "url", "url": "https://a.example/b"}}),
            "messages.image_url.detail",
        ),
        (
            json!({"type": "image_url", "image_url": {"url": "https://a.example/b", "detail": "auto"}}),
            json!({"type": "image", "source": {"type": "url", "url": "https://a.example/b"}}),
            "",
        ),
        (
            json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}}),
            json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}, "title": "a.pdf"}),
            "",
        ),
        (
            json!({"type": "file", "file": {"file_data": "data:text/plain;base64,aGkgIg=="}}),
            json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hi \""}}),
            "",
        ),
    ] {
        let (body, lost) = sent(
            &layer(),
            saying(json!([{"role": "user", "content": [part]}])),
        )
        .await;
        assert_eq!(body["messages"][0]["content"], json!([block]));
        assert_eq!(lost, dropped);
    }
}

#[tokio::test]
async fn stop_becomes_stop_sequences() {
    for (stop, wanted) in [
        (json!("a"), json!(["a"])),
        (json!(["a", "\n\nb"]), json!(["a", "\n\nb"])),
        (json!([]), Value::Null),
        (Value::Null, Value::Null),
    ] {
        let (body, _) = sent(&layer(), with(json!({"stop": stop}))).await;
        assert_eq!(body["stop_sequences"], wanted);
    }
}

#[tokio::test]
async fn max_tokens_is_the_callers_or_the_models_own_and_never_made_up() {
    for (model, members, wanted, dropped) in [
        (MODEL, json!({}), 64_000, ""),
        ("claude-opus-5-5", json!({}), 128_000, ""),
        (MODEL, json!({"max_tokens": 7}), 7, ""),
        (
            MODEL,
            json!({"max_completion_tokens": 8, "max_tokens": null}),
            8,
            "",
        ),
        (
            MODEL,
            json!({"max_completion_tokens": 8, "max_tokens": 8}),
            8,
            "",
        ),
        (
            MODEL,
            json!({"max_completion_tokens": 8, "max_tokens": 9}),
            8,
            "max_tokens",
        ),
        ("new-model", json!({"max_tokens": 7}), 7, ""),
    ] {
        let (body, lost) = sent(&to(model), with(members)).await;
        assert_eq!(body["max_tokens"], wanted);
        assert_eq!(lost, dropped);
    }
    let (status, error) = refused(&to("new-model"), with(json!({}))).await;
    assert_eq!(
        (status, &error["code"], &error["param"]),
        (400, &json!("max_tokens_required"), &json!("max_tokens"))
    );
    let (body, _) = sent(&to("new-model").default_max_tokens(5), with(json!({}))).await;
    assert_eq!(body["max_tokens"], 5);
    let facts = ModelFacts::default().with("new-model", Model::new(6));
    let (body, _) = sent(
        &to("new-model").default_max_tokens(5).models(facts),
        with(json!({})),
    )
    .await;
    assert_eq!(body["max_tokens"], 6);
}

#[tokio::test]
async fn the_maximum_that_a_provider_needs_is_asked_for_by_the_clients_own_word() {
    let says = json!([{"role": "user", "content": "hi"}]);
    for (path, body, word) in [
        (
            "/v1/chat/completions",
            json!({"model": "house", "messages": says}),
            "max_tokens",
        ),
        (
            "/v1/responses",
            json!({"model": "house", "input": "hi", "store": false}),
            "max_output_tokens",
        ),
        (
            "/v1beta/models/house:generateContent",
            json!({"contents": [{"parts": [{"text": "hi"}]}]}),
            "generationConfig.maxOutputTokens",
        ),
    ] {
        let got = exchange(
            &to("new-model"),
            post(path, body.to_string()),
            support::json(200, "{}"),
        )
        .await;
        assert_eq!((got.status, got.sent.is_none()), (400, true), "{path}");
        let refusal = got.refusal.unwrap();
        assert_eq!(refusal.code(), "max_tokens_required", "{path}");
        assert!(
            got.text.contains(&format!("set {word}: ")),
            "{path}: {}",
            got.text
        );
        assert!(
            got.text.contains(&format!("\"{word}\"")),
            "{path}: {}",
            got.text
        );
    }
}

#[tokio::test]
async fn sampling_is_kept_clamped_or_reported() {
    let haiku = MODEL;
    let opus = "claude-opus-4-7";
    for (model, members, temperature, top_p, dropped) in [
        (
            haiku,
            json!({"temperature": 0.3}),
            json!(0.3),
            Value::Null,
            "",
        ),
        (haiku, json!({"temperature": 0}), json!(0), Value::Null, ""),
        (
            haiku,
            json!({"temperature": 1, "top_p": 1, "top_k": 5}),
            Value::Null,
            Value::Null,
            "",
        ),
        (
            haiku,
            json!({"temperature": 1.7}),
            json!(1),
            Value::Null,
            "temperature;changed",
        ),
        (haiku, json!({"top_p": 0.5}), Value::Null, json!(0.5), ""),
        (
            haiku,
            json!({"temperature": 0.3, "top_p": 0.5}),
            json!(0.3),
            Value::Null,
            "top_p",
        ),
        (
            haiku,
            json!({"temperature": 1, "top_p": 0.5}),
            Value::Null,
            json!(0.5),
            "",
        ),
        (
            haiku,
            json!({"temperature": 0.3, "reasoning_effort": "low"}),
            Value::Null,
            Value::Null,
            "temperature",
        ),
        (
            opus,
            json!({"temperature": 0.3, "top_p": 0.5, "top_k": 5}),
            Value::Null,
            Value::Null,
            "temperature, top_p, top_k",
        ),
        (
            opus,
            json!({"temperature": 1.0}),
            Value::Null,
            Value::Null,
            "",
        ),
    ] {
        let (body, lost) = sent(&to(model), with(members.clone())).await;
        assert_eq!(
            (&body["temperature"], &body["top_p"], lost.as_str()),
            (&temperature, &top_p, dropped),
            "{members}"
        );
    }
    let strict = layer().too_hot(TooHot::Refuse);
    let (status, error) = refused(&strict, with(json!({"temperature": 1.01}))).await;
    assert_eq!((status, &error["param"]), (400, &json!("temperature")));
}

#[tokio::test]
async fn neutral_values_are_silent_and_others_are_reported() {
    for (member, neutral, other) in [
        ("frequency_penalty", json!(0), json!(0.5)),
        ("presence_penalty", json!(0.0), json!(-1)),
        ("logit_bias", json!({}), json!({"1": 2})),
        ("logprobs", json!(false), json!(true)),
        ("top_logprobs", json!(0), json!(3)),
        ("seed", Value::Null, json!(1)),
        ("store", json!(false), json!(true)),
        ("metadata", json!({}), json!({"a": "b"})),
        ("verbosity", json!("medium"), json!("low")),
        ("service_tier", json!("auto"), json!("flex")),
        (
            "prediction",
            Value::Null,
            json!({"type": "content", "content": "x"}),
        ),
        ("prompt_cache_key", Value::Null, json!("k")),
    ] {
        let (with_neutral, lost) = sent(&layer(), with(json!({member: neutral}))).await;
        assert_eq!(lost, "", "{member}");
        let (with_other, lost) = sent(&layer(), with(json!({member: other}))).await;
        assert_eq!(lost, member);
        assert_eq!(with_neutral, with_other, "{member}");
    }
}

#[tokio::test]
async fn thoughts_in_litellms_words_go_back_byte_for_byte() {
    let thoughts = json!([
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
    ]);
    let history = json!({"messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b", "reasoning_content": "t", "thinking_blocks": thoughts},
        {"role": "user", "content": "c"},
    ]});
    let got = ask(&layer(), with(history)).await;
    let content = &got.sent.as_ref().unwrap().json()["messages"][1]["content"];
    let mut expected = thoughts.as_array().unwrap().clone();
    expected.push(json!({"type": "text", "text": "b"}));
    assert_eq!(*content, Value::Array(expected));
    assert_eq!(got.dropped(), "");
}

#[tokio::test]
async fn a_search_of_the_web_is_the_providers_own() {
    for (options, tool, dropped) in [
        (json!({}), json!({}), ""),
        (
            json!({"user_location": {"type": "approximate", "approximate": {"city": "Pune", "country": "IN"}}}),
            json!({"user_location": {"type": "approximate", "city": "Pune", "country": "IN"}}),
            "",
        ),
        (
            json!({"search_context_size": "low"}),
            json!({}),
            "web_search_options;changed",
        ),
    ] {
        let got = ask(&layer(), with(json!({"web_search_options": options}))).await;
        let mut expected = json!({"type": "web_search_20250305", "name": "web_search"});
        for (key, value) in tool.as_object().unwrap() {
            expected[key] = value.clone();
        }
        assert_eq!(
            got.sent.as_ref().unwrap().json()["tools"],
            json!([expected])
        );
        assert_eq!(got.dropped(), dropped);
    }
}

#[tokio::test]
async fn what_changes_the_meaning_is_refused_by_name() {
    let part = |part: Value| json!({"messages": [{"role": "user", "content": [part]}]});
    let tool_call =
        |call: Value| json!({"messages": [{"role": "assistant", "tool_calls": [call]}]});
    for (members, param) in [
        (json!({"n": 2}), "n"),
        (json!({"model": ""}), "model"),
        (json!({"messages": []}), "messages"),
        (
            json!({"messages": [{"role": "user", "content": ""}]}),
            "messages",
        ),
        (
            json!({"messages": [{"role": "system", "content": ""}]}),
            "messages",
        ),
        (json!({"messages": [1]}), "messages"),
        (
            json!({"messages": [{"role": "user", "content": 1}]}),
            "messages[0].content",
        ),
        (
            json!({"messages": [{"role": "function", "name": "f", "content": "a"}]}),
            "messages[0].name",
        ),
        (
            json!({"messages": [{"role": "narrator", "content": "a"}]}),
            "messages[0].role",
        ),
        (
            json!({"messages": [{"role": "user", "content": "a", "weight": 1}]}),
            "messages[0].weight",
        ),
        (
            json!({"messages": [{"role": "tool", "content": "a"}]}),
            "messages[0].tool_call_id",
        ),
        (
            json!({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}),
            "messages[0].audio",
        ),
        (json!({"stop": "  \n"}), "stop"),
        (json!({"stop": ["a", 1]}), "stop"),
        (json!({"functions": [{}]}), "functions[0].name"),
        (
            json!({"functions": [{"name": "f"}], "tools": weather()}),
            "functions",
        ),
        (json!({"function_call": {"name": "f"}}), "function_call"),
        (
            json!({"tools": [{"type": "custom", "custom": {}}]}),
            "tools[0].custom.name",
        ),
        (
            json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
            "tools[0].type",
        ),
        (
            json!({"tools": [{"type": "function", "function": {}}]}),
            "tools[0].function.name",
        ),
        (json!({"tool_choice": "required"}), "tool_choice"),
        (
            json!({"tools": weather(), "tool_choice": {"type": "function", "function": {"name": "other"}}}),
            "tool_choice",
        ),
        (
            json!({"tools": weather(), "tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}),
            "tool_choice.allowed_tools.mode",
        ),
        (json!({"modalities": ["text", "audio"]}), "modalities"),
        (json!({"audio": {"voice": "x"}}), "audio"),
        (
            json!({"response_format": {"type": "grammar"}}),
            "response_format.type",
        ),
        (json!({"temperature": 2.1}), "temperature"),
        (json!({"temperature": "hot"}), "temperature"),
        (json!({"reasoning_effort": "some"}), "reasoning_effort"),
        (json!({"api_base": "https://evil.example"}), "api_base"),
        (json!({"fallbacks": ["x"]}), "fallbacks"),
        (json!({"say \"x\"": 1}), "*"),
        (
            part(json!({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}})),
            "messages[0]",
        ),
        (
            part(json!({"type": "hologram"})),
            "messages[0].content[0].type",
        ),
        (
            part(json!({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}})),
            "messages[0].content[0].image_url",
        ),
        (
            part(json!({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AA"}})),
            "messages[0]",
        ),
        (
            part(json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,A\"A"}})),
            "messages[0].content[0].image_url",
        ),
        (
            part(json!({"type": "image_url", "image_url": {"url": "data:image/png,AA"}})),
            "messages[0].content[0].image_url",
        ),
        (
            part(json!({"type": "file", "file": {"file_id": "file-1"}})),
            "messages[0]",
        ),
        (
            part(
                json!({"type": "file", "file": {"file_data": "data:application/zip;base64,AA=="}}),
            ),
            "messages[0]",
        ),
        (
            tool_call(call("a", "not json")),
            "messages[0].tool_calls[0].function.arguments",
        ),
        (
            tool_call(call("a", "[1]")),
            "messages[0].tool_calls[0].function.arguments",
        ),
        (
            tool_call(call("a", r#"{"a":1,"a":2}"#)),
            "messages[0].tool_calls[0].function.arguments",
        ),
        (tool_call(call("", "{}")), "messages[0].tool_calls[0].id"),
    ] {
        let (status, error) = refused(&layer(), with(members.clone())).await;
        assert_eq!(
            (status, &error["param"]),
            (400, &json!(param)),
            "{members} {error}"
        );
        assert_eq!(error["type"], "invalid_request_error");
    }
}

#[tokio::test]
async fn what_nobody_knows_may_be_left_out_by_configuration() {
    let (body, lost) = sent(
        &layer().unknown(Unknown::Drop),
        with(json!({"api_base": "https://evil.example", "a b": 1, "gone": null})),
    )
    .await;
    assert_eq!(lost, "*, api_base");
    assert!(!body.to_string().contains("evil"));
}

#[tokio::test]
async fn the_end_user_is_metadata() {
    for (members, wanted, dropped) in [
        (json!({"user": "u1"}), json!({"user_id": "u1"}), ""),
        (
            json!({"safety_identifier": "s1"}),
            json!({"user_id": "s1"}),
            "",
        ),
        (
            json!({"user": "u1", "safety_identifier": "s1"}),
            json!({"user_id": "u1"}),
            "safety_identifier",
        ),
        (json!({"user": ""}), Value::Null, ""),
    ] {
        let (body, lost) = sent(&layer(), with(members)).await;
        assert_eq!((&body["metadata"], lost.as_str()), (&wanted, dropped));
    }
}

#[tokio::test]
async fn efforts_become_budgets_or_efforts_by_the_table() {
    let budget = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
    let adaptive = json!({"type": "adaptive"});
    for (model, members, thinking, effort, dropped) in [
        (
            MODEL,
            json!({"reasoning_effort": "none"}),
            Value::Null,
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"reasoning_effort": "minimal"}),
            budget(1_024),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"reasoning_effort": "low"}),
            budget(2_048),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"reasoning_effort": "medium"}),
            budget(8_192),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"reasoning_effort": "high"}),
            budget(16_384),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"reasoning_effort": "xhigh"}),
            budget(32_768),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"reasoning_effort": "max"}),
            budget(48_000),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"reasoning_effort": "high", "max_completion_tokens": 4_000}),
            budget(3_000),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"reasoning_effort": "high", "max_completion_tokens": 1_200}),
            Value::Null,
            Value::Null,
            "reasoning_effort",
        ),
        (
            MODEL,
            json!({"reasoning": {"max_tokens": 2_000}}),
            budget(2_000),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"reasoning": {"effort": "low", "exclude": true}}),
            json!({"type": "enabled", "budget_tokens": 2_048, "display": "omitted"}),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"thinking": {"type": "enabled", "budget_tokens": 5_000}}),
            budget(5_000),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"thinking": {"type": "enabled"}}),
            budget(8_192),
            Value::Null,
            "",
        ),
        (
            MODEL,
            json!({"thinking": {"type": "disabled"}, "reasoning_effort": "high"}),
            Value::Null,
            Value::Null,
            "reasoning_effort",
        ),
        (
            "claude-sonnet-4-6",
            json!({"reasoning_effort": "minimal"}),
            adaptive.clone(),
            json!({"effort": "low"}),
            "",
        ),
        (
            "claude-sonnet-4-6",
            json!({"reasoning_effort": "high"}),
            adaptive.clone(),
            json!({"effort": "high"}),
            "",
        ),
        (
            "claude-sonnet-4-6",
            json!({"reasoning_effort": "xhigh"}),
            adaptive.clone(),
            json!({"effort": "high"}),
            "reasoning_effort;changed",
        ),
        (
            "claude-opus-4-7",
            json!({"reasoning_effort": "xhigh"}),
            adaptive.clone(),
            json!({"effort": "xhigh"}),
            "",
        ),
        (
            "claude-opus-4-7",
            json!({"thinking": {"type": "adaptive"}}),
            adaptive.clone(),
            Value::Null,
            "",
        ),
        (
            "claude-opus-4-7",
            json!({"reasoning": {"max_tokens": 9_000}}),
            adaptive.clone(),
            json!({"effort": "high"}),
            "reasoning_effort;changed",
        ),
    ] {
        let (body, lost) = sent(&to(model), with(members.clone())).await;
        assert_eq!(
            (&body["thinking"], &body["output_config"], lost.as_str()),
            (&thinking, &effort, dropped),
            "{model} {members}"
        );
    }
    let (body, lost) = sent(
        &to("new").default_max_tokens(9_000),
        with(json!({"reasoning_effort": "low"})),
    )
    .await;
    assert_eq!(
        (&body["thinking"], lost.as_str()),
        (&Value::Null, "reasoning_effort")
    );
}

#[tokio::test]
async fn no_thinking_with_a_forced_tool_or_in_a_loop_that_began_without() {
    let forced =
        with(json!({"tools": weather(), "tool_choice": "required", "reasoning_effort": "high"}));
    let (body, lost) = sent(&layer(), forced).await;
    assert_eq!(
        (&body["thinking"], lost.as_str()),
        (&Value::Null, "reasoning_effort")
    );
    let signed = json!([{"type": "reasoning.text", "text": "t", "signature": "s", "format": "anthropic-claude-v1", "index": 0}]);
    for (details, then, thinks) in [
        (Value::Null, None, false),
        (signed, None, true),
        (Value::Null, Some("go on"), true),
    ] {
        let mut messages = json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "tool_calls": [call("a", "{}")], "reasoning_details": details},
            result("a", "x"),
        ]);
        let then = then.map(|text| json!({"role": "user", "content": text}));
        messages.as_array_mut().unwrap().extend(then);
        let (body, lost) = sent(
            &layer(),
            with(json!({"messages": messages, "tools": weather(), "reasoning_effort": "low"})),
        )
        .await;
        assert_eq!(
            (body["thinking"].is_object(), lost.is_empty()),
            (thinks, thinks)
        );
    }
}

#[tokio::test]
async fn thinking_goes_back_byte_for_byte_in_order_and_before_the_calls() {
    let details = json!([
        {"type": "reasoning.text", "text": "one \u{2028} \"", "signature": "sig+/=1", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "opaque==", "format": "anthropic-claude-v1", "index": 1},
        {"type": "reasoning.text", "text": "tw", "format": "anthropic-claude-v1", "index": 2},
        {"type": "reasoning.text", "text": "o", "index": 2},
        {"type": "reasoning.text", "signature": "sig2", "index": 2},
        {"type": "reasoning.text", "text": "other", "signature": "x", "format": "google-gemini-v1", "index": 3},
    ]);
    let messages = json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "said", "reasoning_content": "one two", "reasoning_details": details, "tool_calls": [call("a", "{}")]},
        result("a", "x"),
    ]);
    let (body, lost) = sent(
        &layer(),
        with(json!({"messages": messages, "tools": weather()})),
    )
    .await;
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "one \u{2028} \"", "signature": "sig+/=1"},
            {"type": "redacted_thinking", "data": "opaque=="},
            {"type": "thinking", "thinking": "two", "signature": "sig2"},
            {"type": "text", "text": "said"},
            {"type": "tool_use", "id": "a", "name": "weather", "input": {}},
        ])
    );
    assert_eq!(lost, "messages.reasoning_details");
    let unsigned = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_content": "thought"}]);
    let (body, lost) = sent(&layer(), saying(unsigned)).await;
    assert_eq!(
        (&body["messages"][1]["content"], lost.as_str()),
        (&json!("b"), "messages.reasoning_content")
    );
}

#[tokio::test]
async fn a_schema_is_the_models_own_or_a_hidden_tools() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let wrapped = json!({"type": "json_schema", "json_schema": {"name": "n", "description": "d", "strict": true, "schema": schema}});
    let (body, lost) = sent(
        &layer(),
        with(json!({"response_format": wrapped, "reasoning_effort": "low"})),
    )
    .await;
    assert_eq!(
        body["output_config"],
        json!({"format": {"type": "json_schema", "schema": schema}})
    );
    assert_eq!(
        (
            body["thinking"].is_object(),
            body.get("tools"),
            lost.as_str()
        ),
        (
            true,
            None,
            "response_format.json_schema.name, response_format.json_schema.description"
        )
    );

    let mut loose = wrapped.clone();
    loose["json_schema"]["strict"] = Value::Null;
    let (body, lost) = sent(&layer(), with(json!({"response_format": loose}))).await;
    assert_eq!(
        (
            &body["tools"][0]["input_schema"],
            body.get("output_config"),
            lost.as_str()
        ),
        (&schema, None, "response_format.json_schema.name")
    );

    let old = to("claude-sonnet-4");
    let (body, lost) = sent(
        &old,
        with(json!({"response_format": wrapped, "reasoning_effort": "low"})),
    )
    .await;
    assert_eq!(
        body["tools"],
        json!([{"name": "bartizan_json_answer", "description": "d", "input_schema": schema}])
    );
    assert_eq!(
        body["tool_choice"],
        json!({"type": "tool", "name": "bartizan_json_answer"})
    );
    assert_eq!(
        lost,
        "response_format.json_schema.name, response_format.json_schema.strict, reasoning_effort"
    );

    let object = json!({"type": "json_object"});
    let (body, lost) = sent(&layer(), with(json!({"response_format": object}))).await;
    assert_eq!(
        (&body["tools"][0]["input_schema"], lost.as_str()),
        (&json!({"type": "object"}), "")
    );
    for (choice, wanted, tools) in [
        (json!("auto"), json!({"type": "any"}), 2),
        (
            json!("none"),
            json!({"type": "tool", "name": "bartizan_json_answer"}),
            2,
        ),
        (json!("required"), json!({"type": "any"}), 1),
    ] {
        let request =
            with(json!({"response_format": object, "tools": weather(), "tool_choice": choice}));
        let (body, _) = sent(&layer(), request).await;
        assert_eq!(
            (
                &body["tool_choice"],
                body["tools"].as_array().unwrap().len()
            ),
            (&wanted, tools),
            "{choice}"
        );
    }
    let (body, _) = sent(&layer(), with(json!({"response_format": {"type": "text"}}))).await;
    assert_eq!(body.get("tools"), None);
}

#[tokio::test]
async fn marks_for_the_cache_pass_and_equal_input_gives_equal_bytes() {
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let request = json!({
        "model": "house", "cache_control": mark,
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "s", "cache_control": mark}]},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "cache_control": mark},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}, "cache_control": mark}],
    });
    let (body, lost) = sent(&layer(), request.to_string()).await;
    for place in [
        "/cache_control",
        "/system/0/cache_control",
        "/messages/0/content/1/cache_control",
        "/tools/0/cache_control",
    ] {
        assert_eq!(body.pointer(place), Some(&mark), "{place}");
    }
    assert_eq!(
        (
            body.pointer("/messages/0/content/0/cache_control"),
            lost.as_str()
        ),
        (None, "")
    );
    let once: Got = ask(&layer(), request.to_string()).await;
    let twice: Got = ask(&layer(), request.to_string()).await;
    assert_eq!(once.sent.unwrap().text, twice.sent.unwrap().text);
}

#[tokio::test]
async fn a_pair_that_is_not_translated_is_refused() {
    let other = TranslateLayer::new().to(Target::new(Dialect::OpenAiEmbeddings, "m"));
    let (status, error) = refused(&other, with(json!({}))).await;
    assert_eq!(
        (status, &error["code"]),
        (400, &json!("translation_unsupported"))
    );
}

#[tokio::test]
async fn what_was_dropped_lies_in_the_record_without_the_callers_own_words() {
    let got = ask(
        &layer().unknown(Unknown::Drop),
        with(json!({"seed": 1, "canary": 1})),
    )
    .await;
    assert_eq!(got.dropped(), "canary, seed");
    assert_eq!(
        got.trail[0],
        "translate dropped of=request other=dropped seed=dropped"
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        "[\\\\\"\u{2028}\u{85}\u{0}-\u{1f}\u{1f600}a]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".{0,6}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Arguments of a tool and every text, whatever they hold, say the same behind the translation.
    #[test]
    fn any_arguments_and_any_texts_survive(members in prop::collection::hash_map(".{0,6}", any_json(), 0..4), text in ".{1,40}", content in ".{0,20}") {
        let arguments: Value = members.into_iter().collect();
        let messages = json!([
            {"role": "user", "content": text},
            {"role": "assistant", "content": content, "tool_calls": [call("a", &arguments.to_string())]},
            result("a", text.clone()),
        ]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let got = runtime.block_on(ask(&layer(), saying(messages)));
        // Names that differ by case from ones that the API knows are refused by core, wherever they stand.
        prop_assume!(got.status == 200);
        let body = got.sent.unwrap().json();
        let last = body["messages"][1]["content"].as_array().unwrap().last().unwrap().clone();
        prop_assert_eq!(&last["input"], &arguments);
        prop_assert_eq!(&body["messages"][0]["content"], &json!(text));
        prop_assert_eq!(&body["messages"][2]["content"][0]["content"], &json!(text));
    }

    /// No request, however strange its members, makes anything but a refusal or a message.
    #[test]
    fn any_members_end_in_a_refusal_or_a_message(key in "(model|messages|stop|tools|tool_choice|temperature|n|user|thinking|reasoning|response_format|modalities|logit_bias|max_tokens|stream_options)", value in any_json()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let got = runtime.block_on(ask(&layer(), with(json!({key: value}))));
        prop_assert!(got.status == 200 || got.status == 400, "{} {}", got.status, got.text);
        if let Some(sent) = got.sent {
            prop_assert!(serde_json::from_str::<Value>(&sent.text).is_ok());
        }
    }
}

#[tokio::test]
async fn functions_of_old_are_tools_and_their_calls_get_ids_by_their_order() {
    let mut request: Value = serde_json::from_str(&saying(json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": null, "function_call": {"name": "weather", "arguments": "{\"city\":\"x\"}"}},
        {"role": "function", "name": "weather", "content": "one"},
        {"role": "assistant", "content": null, "function_call": {"name": "weather", "arguments": ""}},
        {"role": "function", "name": "weather", "content": "two"},
    ])))
    .unwrap();
    request["functions"] = json!([weather()[0]["function"]]);
    request["function_call"] = json!({"name": "weather"});
    let (body, lost) = sent(&layer(), request.to_string()).await;
    assert_eq!(lost, "");
    assert_eq!(body["tools"][0]["name"], "weather");
    assert_eq!(
        body["tool_choice"],
        json!({"type": "tool", "name": "weather", "disable_parallel_tool_use": true})
    );
    let messages = &body["messages"];
    for (at, id, input, content) in [
        (1, "call_0", json!({"city": "x"}), "one"),
        (3, "call_1", json!({}), "two"),
    ] {
        let call = json!({"type": "tool_use", "id": id, "name": "weather", "input": input});
        assert_eq!(messages[at]["content"], json!([call]));
        let result = json!({"type": "tool_result", "tool_use_id": id, "content": content});
        assert_eq!(messages[at + 1]["content"], json!([result]));
    }
}

#[tokio::test]
async fn a_tool_that_takes_any_text_takes_it_as_the_one_member_of_its_input() {
    let mut request: Value = serde_json::from_str(&saying(json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "shell", "input": "ls -l"}}]},
        result("c1", "total 0"),
    ])))
    .unwrap();
    request["tools"] =
        json!([{"type": "custom", "custom": {"name": "shell", "format": {"type": "text"}}}]);
    request["tool_choice"] = json!({"type": "custom", "custom": {"name": "shell"}});
    let (body, lost) = sent(&layer(), request.to_string()).await;
    assert_eq!(lost, "");
    assert_eq!(
        body["tools"][0]["input_schema"]["required"],
        json!(["input"])
    );
    assert_eq!(body["tool_choice"]["name"], "shell");
    assert_eq!(
        body["messages"][1]["content"][0]["input"],
        json!({"input": "ls -l"})
    );
}

#[tokio::test]
async fn only_the_tools_that_are_allowed_are_offered() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    for (mode, choice) in [("auto", Value::Null), ("required", json!({"type": "any"}))] {
        let request = with(json!({
            "tools": [tool("a"), tool("b"), tool("c")],
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [tool("c"), tool("a")]}},
        }));
        let (body, _) = sent(&layer(), request).await;
        let names: Vec<&Value> = body["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| &tool["name"])
            .collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(body["tool_choice"], choice);
    }
}

#[tokio::test]
async fn parts_that_compatible_servers_added_are_read_too() {
    for (content, told, dropped) in [
        (
            json!([{"type": "document_url", "document_url": "https://a.example/b.pdf", "document_name": "b"}]),
            json!([{"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}, "title": "b"}]),
            "",
        ),
        (
            json!([{"type": "file_url", "file_url": {"url": "data:application/pdf;base64,AAAA"}}]),
            json!([{"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}]),
            "",
        ),
        (
            json!([{"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [1]}]),
            json!("a"),
            "messages.content.reference",
        ),
        (
            json!([{"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}]),
            json!("a"),
            "messages.prompt_cache_breakpoint",
        ),
    ] {
        let messages = json!([{"role": "user", "content": content}]);
        let (body, lost) = sent(&layer(), saying(messages)).await;
        assert_eq!(body["messages"][0]["content"], told);
        assert_eq!(lost, dropped);
    }
    let thought = json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": true}, {"type": "text", "text": "b"}]},
    ]);
    let (body, lost) = sent(&layer(), saying(thought)).await;
    assert_eq!(body["messages"][1]["content"], "b");
    assert_eq!(lost, "messages.reasoning_content");
}

#[tokio::test]
async fn a_target_knows_its_model_and_its_manners_better_than_the_layer() {
    let target = || Target::new(Dialect::AnthropicMessages, MODEL);
    let (body, _) = sent(
        &layer().to(target().model_facts(Model::new(77))),
        with(json!({})),
    )
    .await;
    assert_eq!(body["max_tokens"], 77);
    // What nobody knows has no limit either.
    let nothing = layer().to(target().model_facts(Model::new(0)));
    assert_eq!(ask(&nothing, with(json!({}))).await.status, 400);

    let strange = || with(json!({"strange": 1}));
    let layer = layer().unknown(Unknown::Refuse);
    let refused = ask(&layer.clone().to(target()), strange()).await;
    assert_eq!(refused.status, 400);
    let (_, lost) = sent(&layer.to(target().unknown(Unknown::Drop)), strange()).await;
    assert_eq!(lost, "strange");
}
