//! Anthropic's requests, as a provider of OpenAI chat gets them: each row of the requirements that concerns the two is a test here.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Model, ModelFacts, Target, Thinking, TranslateLayer};
use serde_json::{Value, json};
use support::{Got, exchange, post};

const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-5.2","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;

fn layer() -> TranslateLayer {
    support::layer().to(Target::new(Dialect::OpenAiChat, "gpt-5.2"))
}

/// A request with one user message and these members.
fn with(members: Value) -> String {
    let mut request =
        json!({"model": "house", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    request.to_string()
}

fn saying(messages: Value) -> String {
    with(json!({"messages": messages}))
}

async fn asked(layer: &TranslateLayer, body: String) -> Got {
    exchange(
        layer,
        post("/v1/messages", body),
        support::json(200, ANSWER),
    )
    .await
}

async fn sent(layer: &TranslateLayer, body: String) -> (Value, String) {
    let got = asked(layer, body).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

fn weather() -> Value {
    json!([{"name": "weather", "description": "d", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}])
}

#[tokio::test]
async fn the_path_and_the_dialect_become_the_targets() {
    let got = asked(
        &layer(),
        with(json!({"system": "be brief", "stream": false})),
    )
    .await;
    let sent = got.sent.unwrap();
    assert_eq!(sent.uri, "/v1/chat/completions");
    assert_eq!(sent.dialect, Some(Dialect::OpenAiChat));
    assert_eq!(
        sent.text,
        r#"{"model":"gpt-5.2","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi"}],"max_completion_tokens":9}"#
    );
}

#[tokio::test]
async fn usage_of_a_stream_is_always_asked_for_unless_told() {
    for (layer, asks) in [
        (layer(), true),
        (layer().stream_usage(false), false),
        (
            layer().to(Target::new(Dialect::OpenAiChat, "m").stream_usage(false)),
            false,
        ),
    ] {
        let body = with(json!({"stream": true}));
        let got = exchange(&layer, post("/v1/messages", body), support::sse("")).await;
        let sent = got.sent.unwrap().json();
        assert_eq!(sent["stream"], true);
        assert_eq!(sent["stream_options"]["include_usage"] == true, asks);
    }
}

#[tokio::test]
async fn each_result_is_a_message_of_its_own_right_after_the_calls() {
    let (body, lost) = sent(
        &layer(),
        saying(json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [
                {"type": "text", "text": "let me see"},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "x"}},
                {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": "two"},
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "more"}]},
                {"type": "text", "text": "and?"},
            ]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_3", "name": "weather", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_3"}]},
        ])),
    )
    .await;
    assert_eq!(lost, "");
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "let me see", "tool_calls": [call("toolu_1", r#"{"city":"x"}"#), call("toolu_2", "{}")]},
            {"role": "tool", "tool_call_id": "toolu_2", "content": "two"},
            {"role": "tool", "tool_call_id": "toolu_1", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "more"}]},
            {"role": "user", "content": "and?"},
            {"role": "assistant", "content": null, "tool_calls": [call("toolu_3", "{}")]},
            {"role": "tool", "tool_call_id": "toolu_3", "content": ""},
        ])
    );
}

#[tokio::test]
async fn a_failed_result_says_so_in_its_text() {
    for (content, text) in [
        (json!("no such city"), json!("Error: no such city")),
        (json!(null), json!("Error: ")),
        (
            json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
            json!([{"type": "text", "text": "Error: a"}, {"type": "text", "text": "b"}]),
        ),
    ] {
        let (body, lost) = sent(
            &layer(),
            saying(json!([
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "weather", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": content, "is_error": true}]},
            ])),
        )
        .await;
        assert_eq!(body["messages"][1]["content"], text);
        assert_eq!(lost, "messages.is_error;changed");
    }
}

#[tokio::test]
async fn what_results_show_stands_behind_the_last_of_them() {
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}});
    let part = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    let calls = json!({"role": "assistant", "content": [
        {"type": "tool_use", "id": "a", "name": "see", "input": {}},
        {"type": "tool_use", "id": "b", "name": "see", "input": {}},
    ]});
    let shown = json!({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text", "text": "t"}, image]});
    let plain = json!({"type": "tool_result", "tool_use_id": "b", "content": "u"});
    for (after, last) in [
        (json!([shown, plain]), json!([part])),
        (
            json!([shown, plain, {"type": "text", "text": "so?"}]),
            json!([part, {"type": "text", "text": "so?"}]),
        ),
    ] {
        let (body, lost) = sent(
            &layer(),
            saying(json!([calls, {"role": "user", "content": after}])),
        )
        .await;
        assert_eq!(
            body["messages"].as_array().unwrap()[1..],
            [
                json!({"role": "tool", "tool_call_id": "a", "content": "t"}),
                json!({"role": "tool", "tool_call_id": "b", "content": "u"}),
                json!({"role": "user", "content": last}),
            ]
        );
        assert_eq!(lost, "messages.content;moved");
    }
}

#[tokio::test]
async fn tools_and_the_choice_among_them_keep_their_meaning() {
    let function = json!({"type": "function", "function": {"name": "weather", "description": "d", "parameters": weather()[0]["input_schema"]}});
    for (choice, told, parallel) in [
        (json!({"type": "auto"}), Value::Null, Value::Null),
        (json!({"type": "none"}), json!("none"), Value::Null),
        (json!({"type": "any"}), json!("required"), Value::Null),
        (
            json!({"type": "tool", "name": "weather"}),
            json!({"type": "function", "function": {"name": "weather"}}),
            Value::Null,
        ),
        (
            json!({"type": "auto", "disable_parallel_tool_use": true}),
            Value::Null,
            json!(false),
        ),
    ] {
        let (body, lost) = sent(
            &layer(),
            with(json!({"tools": weather(), "tool_choice": choice})),
        )
        .await;
        assert_eq!(lost, "");
        assert_eq!(body["tools"], json!([function]));
        assert_eq!(body["tool_choice"], told);
        assert_eq!(body["parallel_tool_calls"], parallel);
    }
}

#[tokio::test]
async fn a_name_that_openai_has_no_room_for_comes_back_as_it_was() {
    let long = format!("mcp__{}", "server_".repeat(12));
    let tools = json!([{"name": long, "input_schema": {"type": "object"}}]);
    let body = with(json!({"tools": tools, "tool_choice": {"type": "tool", "name": long}}));
    let got = asked(&layer(), body.clone()).await;
    let told = got.sent.unwrap().json();
    let name = told["tools"][0]["function"]["name"].as_str().unwrap();
    assert!(name.len() <= 64 && name.starts_with("mcp__server_"));
    assert_eq!(told["tool_choice"]["function"]["name"], name);

    let answer = json!({"id": "c", "choices": [{"message": {"tool_calls": [{"id": "call_1", "type": "function", "function": {"name": name, "arguments": ""}}]}, "finish_reason": "stop"}]});
    let reply = support::json(200, answer.to_string());
    let got = exchange(&layer(), post("/v1/messages", body), reply).await;
    assert_eq!(got.json()["content"][0]["name"], long.as_str());
    assert_eq!(got.json()["content"][0]["input"], json!({}));
    assert_eq!(got.json()["stop_reason"], "tool_use");
    assert_eq!(got.dropped(), "tools.name;changed");
}

#[tokio::test]
async fn an_id_stays_unless_openai_has_no_room_for_it() {
    let long = "toolu_".to_owned() + &"x".repeat(40);
    for (id, stays) in [
        ("toolu_01ADw53o3uvrGvccVaVYUX4G", true),
        (long.as_str(), false),
    ] {
        let (body, _) = sent(
            &layer(),
            saying(json!([
                {"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "weather", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "x"}]},
            ])),
        )
        .await;
        let told = body["messages"][0]["tool_calls"][0]["id"].as_str().unwrap();
        assert_eq!(told == id, stays);
        assert!(told.len() <= 40);
        assert_eq!(body["messages"][1]["tool_call_id"], told);
    }
}

#[tokio::test]
async fn images_and_files_become_parts() {
    let content = json!([
        {"type": "text", "text": "see"},
        {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
        {"type": "document", "title": "a.pdf", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "BBBB"}},
        {"type": "document", "title": "notes", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
    ]);
    let (body, lost) = sent(
        &layer(),
        saying(json!([{"role": "user", "content": content}])),
    )
    .await;
    assert_eq!(
        body["messages"][0]["content"],
        json!([
            {"type": "text", "text": "see"},
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
            {"type": "file", "file": {"filename": "file.pdf", "file_data": "data:application/pdf;base64,BBBB"}},
            {"type": "text", "text": "notes\n\nplain"},
        ])
    );
    assert_eq!(lost, "messages.file;changed");

    let linked =
        json!([{"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}}]);
    let got = asked(
        &layer(),
        saying(json!([{"role": "user", "content": linked}])),
    )
    .await;
    assert_eq!((got.status, got.sent.is_none()), (400, true));
    assert!(got.text.contains("messages[0]"), "{}", got.text);
}

#[tokio::test]
async fn thoughts_of_another_maker_stay_behind_and_are_reported() {
    let (body, lost) = sent(
        &layer(),
        saying(json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "EqoB"},
                {"type": "redacted_thinking", "data": "EmwK"},
                {"type": "text", "text": "b"},
            ]},
            {"role": "user", "content": "c"},
        ])),
    )
    .await;
    assert_eq!(
        body["messages"][1],
        json!({"role": "assistant", "content": "b"})
    );
    assert_eq!(lost, "messages.thinking");
}

#[tokio::test]
async fn efforts_and_budgets_become_an_effort_by_the_stated_table() {
    let known = |efforts: Vec<_>| {
        let mut model = Model::new(128_000);
        model.thinking = Thinking::Adaptive;
        model.efforts = efforts;
        model
    };
    use bartizan_translate::Effort::{High, Low, Medium};
    for (thinking, model, effort, dropped) in [
        (
            json!({"type": "enabled", "budget_tokens": 1_024}),
            None,
            json!("low"),
            "thinking;changed",
        ),
        (
            json!({"type": "enabled", "budget_tokens": 2_049}),
            None,
            json!("medium"),
            "thinking;changed",
        ),
        (
            json!({"type": "enabled", "budget_tokens": 10_000}),
            None,
            json!("high"),
            "thinking;changed",
        ),
        (
            json!({"type": "enabled", "budget_tokens": 10_000}),
            Some(known(vec![Low, Medium])),
            json!("medium"),
            "thinking;changed",
        ),
        (
            json!({"type": "enabled", "budget_tokens": 1_024}),
            Some(known(vec![High])),
            json!("high"),
            "thinking;changed",
        ),
        (json!({"type": "adaptive"}), None, Value::Null, ""),
        (json!({"type": "disabled"}), None, Value::Null, "thinking"),
        (
            json!({"type": "disabled"}),
            Some(Model::new(9)),
            Value::Null,
            "",
        ),
        (
            json!({"type": "enabled", "budget_tokens": 1_024}),
            Some(Model::new(9)),
            Value::Null,
            "thinking",
        ),
    ] {
        let mut facts = ModelFacts::empty();
        if let Some(model) = model {
            facts = facts.with("gpt-5.2", model);
        }
        let layer = layer().models(facts);
        let (body, lost) = sent(&layer, with(json!({"thinking": thinking}))).await;
        assert_eq!(body["reasoning_effort"], effort, "{thinking}");
        assert_eq!(lost, dropped, "{thinking}");
    }
}

#[tokio::test]
async fn what_openai_has_no_word_for_is_reported() {
    for (members, told, dropped) in [
        (
            json!({"stop_sequences": ["a", "b"]}),
            json!({"stop": ["a", "b"]}),
            "",
        ),
        (
            json!({"temperature": 0.5, "top_p": 0.9}),
            json!({"temperature": 0.5, "top_p": 0.9}),
            "",
        ),
        (json!({"top_k": 5}), json!({}), "top_k"),
        (
            json!({"metadata": {"user_id": "ann"}}),
            json!({"user": "ann"}),
            "",
        ),
        (
            json!({"metadata": {"user_id": "a".repeat(65)}}),
            json!({}),
            "metadata.user_id",
        ),
        (
            json!({"service_tier": "standard_only"}),
            json!({"service_tier": "default"}),
            "",
        ),
        (
            json!({"system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]}),
            json!({}),
            "cache_control",
        ),
    ] {
        let (mut body, lost) = sent(&layer(), with(members.clone())).await;
        assert_eq!(lost, dropped, "{members}");
        let body = body.as_object_mut().unwrap();
        body.retain(|key, _| {
            !matches!(key.as_str(), "model" | "messages" | "max_completion_tokens")
        });
        assert_eq!(Value::from(body.clone()), told, "{members}");
    }
    let many = with(json!({"stop_sequences": ["a", "b", "c", "d", "e"]}));
    let got = asked(&layer(), many).await;
    assert_eq!((got.status, got.sent.is_none()), (400, true));
    assert!(got.text.contains("stop_sequences: "), "{}", got.text);
}

#[tokio::test]
async fn no_more_tokens_are_asked_for_than_the_model_has() {
    let facts = ModelFacts::empty().with("gpt-5.2", Model::new(16_384));
    for (wanted, told, dropped) in [(16_384, 16_384, ""), (64_000, 16_384, "max_tokens;changed")] {
        let layer = layer().models(facts.clone());
        let (body, lost) = sent(&layer, with(json!({"max_tokens": wanted}))).await;
        assert_eq!(body["max_completion_tokens"], told);
        assert_eq!(lost, dropped);
    }
}

#[tokio::test]
async fn a_form_is_kept_by_the_schema() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let (body, lost) = sent(
        &layer(),
        with(json!({"output_config": {"format": {"type": "json_schema", "schema": schema}}})),
    )
    .await;
    let format = &body["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["json_schema"]["schema"], schema);
    assert!(format["json_schema"]["name"].is_string());
    assert_eq!(lost, "");
}

#[tokio::test]
async fn equal_requests_become_equal_bytes() {
    let body = with(json!({"tools": weather(), "temperature": 0.5, "system": "s", "stream": true}));
    let mut all = Vec::new();
    for _ in 0..3 {
        let got = exchange(
            &layer(),
            post("/v1/messages", body.clone()),
            support::sse(""),
        )
        .await;
        all.push(got.sent.unwrap().text);
    }
    all.dedup();
    assert_eq!(all.len(), 1);
}
