//! Servers that speak OpenAI chat in their own way: what they would refuse never reaches them, whichever API the caller speaks.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::catalogue::{Quirk, Quirks};
use bartizan_translate::{Target, TooHot, TranslateLayer};
use serde_json::{Value, json};
use support::{Got, body, chat, exchange, json as reply, post, recorded, sse};

const ANSWER: &str = r#"{"id":"c","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;

fn to(quirks: Quirks) -> TranslateLayer {
    support::layer().to(Target::new(Dialect::OpenAiChat, "house-1").quirks(quirks))
}

fn with(quirk: Quirk) -> TranslateLayer {
    to(Quirks::default().with(quirk))
}

fn mistral() -> Quirks {
    Quirks::default()
        .rename("max_completion_tokens", "max_tokens")
        .and_then(|quirks| quirks.rename("seed", "random_seed"))
        .and_then(|quirks| quirks.drop("logit_bias"))
        .and_then(|quirks| quirks.drop("user"))
        .and_then(|quirks| quirks.refuse("audio"))
        .unwrap()
        .with(Quirk::NoStreamOptions)
        .with(Quirk::NoDeveloperRole)
        .with(Quirk::AssistantAfterTool)
        .with(Quirk::ShortToolIds)
        .with(Quirk::OldWords)
        .with(Quirk::ThinkingParts)
        .max_temperature(1.5)
}

/// What the server gets of a chat request, byte for byte, and what is reported.
async fn relayed(layer: &TranslateLayer, request: &str) -> (String, String) {
    let got = exchange(layer, chat(request), reply(200, ANSWER)).await;
    assert_eq!(got.status, 200, "{}", got.text);
    assert_eq!(got.text, ANSWER, "the answer passes as it is");
    (got.sent.clone().unwrap().text, got.dropped().to_owned())
}

/// What the server gets of an Anthropic request.
async fn translated(layer: &TranslateLayer, members: Value) -> (Value, String) {
    let mut request =
        json!({"model": "house", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    let got = exchange(
        layer,
        post("/v1/messages", request.to_string()),
        reply(200, ANSWER),
    )
    .await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

async fn refused(layer: &TranslateLayer, request: &str) -> Value {
    let got: Got = exchange(layer, chat(request), reply(200, ANSWER)).await;
    assert_eq!(
        (got.status, got.sent.is_none()),
        (400, true),
        "{}",
        got.text
    );
    got.json()["error"]["param"].clone()
}

#[tokio::test]
async fn a_request_of_the_servers_own_dialect_is_mended_and_nothing_else_changes() {
    let layer = to(mistral());
    for (request, sent, dropped) in [
        // Nothing that it would refuse.
        (
            r#"{ "model" : "x", "messages":[{"role":"user","content":"caf\u00e9"}], "safe_prompt":true, "temperature": 1.5 }"#,
            r#"{ "model" : "house-1", "messages":[{"role":"user","content":"caf\u00e9"}], "safe_prompt":true, "temperature": 1.5 }"#,
            "",
        ),
        (
            r#"{"model":"x","max_completion_tokens": 9,"messages":[{"role":"user","content":"a"}] , "seed":1}"#,
            r#"{"model":"house-1","max_tokens": 9,"messages":[{"role":"user","content":"a"}] , "random_seed":1}"#,
            "max_completion_tokens;changed, seed;changed",
        ),
        (
            r#"{"max_tokens":7,"model":"x","max_completion_tokens":9,"messages":[{"role":"user","content":"a"}]}"#,
            r#"{"model":"house-1","max_tokens":9,"messages":[{"role":"user","content":"a"}]}"#,
            "max_tokens, max_completion_tokens;changed",
        ),
        (
            r#"{"max_tokens":9,"model":"x","max_completion_tokens":9,"messages":[{"role":"user","content":"a"}]}"#,
            r#"{"model":"house-1","max_tokens":9,"messages":[{"role":"user","content":"a"}]}"#,
            "max_completion_tokens;changed",
        ),
        (
            r#"{"max_tokens":9,"model":"x","max_completion_tokens":null,"messages":[{"role":"user","content":"a"}]}"#,
            r#"{"max_tokens":9,"model":"house-1","messages":[{"role":"user","content":"a"}]}"#,
            "",
        ),
        (
            r#"{"model":"x","logit_bias":{"1":2},"user":"ann","messages":[{"role":"user","content":"a"}]}"#,
            r#"{"model":"house-1","messages":[{"role":"user","content":"a"}]}"#,
            "logit_bias, user",
        ),
        // What says what happens anyway is no loss.
        (
            r#"{"model":"x","logit_bias":{},"messages":[{"role":"user","content":"a"}],"audio":null,"user":null}"#,
            r#"{"model":"house-1","messages":[{"role":"user","content":"a"}],"audio":null}"#,
            "",
        ),
        (
            r#"{"model":"x","messages":[{"role":"developer","content":"s"},{"content":"a","role":"user"}]}"#,
            r#"{"model":"house-1","messages":[{"role":"system","content":"s"},{"content":"a","role":"user"}]}"#,
            "messages.role;changed",
        ),
        (
            r#"{"model":"x","temperature":2,"messages":[{"role":"user","content":"a"}]}"#,
            r#"{"model":"house-1","temperature":1.5,"messages":[{"role":"user","content":"a"}]}"#,
            "temperature;changed",
        ),
    ] {
        let (told, lost) = relayed(&layer, request).await;
        assert_eq!(told, sent);
        assert_eq!(lost, dropped);
    }
    let cold = layer.too_hot(TooHot::Refuse);
    let hot = r#"{"model":"x","temperature":2,"messages":[{"role":"user","content":"a"}]}"#;
    assert_eq!(refused(&cold, hot).await, "temperature");
    let spoken =
        r#"{"model":"x","audio":{"voice":"a"},"messages":[{"role":"user","content":"a"}]}"#;
    assert_eq!(refused(&cold, spoken).await, "audio");
}

#[tokio::test]
async fn a_server_that_refuses_stream_options_is_not_asked_for_usage() {
    for quirks in [
        Quirks::default().with(Quirk::NoStreamOptions),
        Quirks::default().drop("stream_options").unwrap(),
    ] {
        for (options, dropped) in [
            ("", ""),
            (
                r#","stream_options":{"include_usage":true}"#,
                "stream_options",
            ),
        ] {
            let request = format!(
                r#"{{"model":"x","messages":[{{"role":"user","content":"a"}}],"stream":true{options}}}"#
            );
            let stream = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}\n\ndata: [DONE]\n\n";
            let got = exchange(&to(quirks.clone()), chat(request), sse(stream)).await;
            assert!(!got.sent.as_ref().unwrap().text.contains("stream_options"));
            assert_eq!(got.dropped(), dropped);
            assert_eq!(got.text, stream, "and its usage, said unasked, stays");
        }
        let request = json!({"model": "x", "max_tokens": 9, "stream": true, "messages": [{"role": "user", "content": "a"}]});
        let got = exchange(
            &to(quirks.clone()),
            post("/v1/messages", request.to_string()),
            sse(""),
        )
        .await;
        let sent = got.sent.as_ref().unwrap();
        assert!(sent.json().get("stream_options").is_none());
        assert_eq!(got.dropped(), "", "nobody asked");
    }
}

#[tokio::test]
async fn ids_of_calls_are_the_same_short_ones_each_time() {
    let request = json!({"model": "x", "messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "call_1EYWDzueHEp8OsB8jJSEp7WB", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "n9P3tR143", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "n9P3tR143", "content": "x"},
        {"role": "tool", "tool_call_id": "call_1EYWDzueHEp8OsB8jJSEp7WB", "content": "y"},
    ]});
    let (sent, lost) = relayed(&to(mistral()), &request.to_string()).await;
    let sent: Value = serde_json::from_str(&sent).unwrap();
    let messages = &sent["messages"];
    let short = messages[1]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(short.len() == 9 && short.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(messages[3]["tool_call_id"], short);
    assert_eq!(messages[1]["tool_calls"][1]["id"], "n9P3tR143");
    assert_eq!(messages[2]["tool_call_id"], "n9P3tR143");
    assert_eq!(lost, "messages.tool_call_id;changed");

    // A caller of another API gets the same.
    let (body, _) = translated(
        &to(mistral()),
        json!({"messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1EYWDzueHEp8OsB8jJSEp7WB", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1EYWDzueHEp8OsB8jJSEp7WB", "content": "y"}]},
        ]}),
    )
    .await;
    assert_eq!(body["messages"][1]["tool_calls"][0]["id"], short);
    assert_eq!(body["messages"][2]["tool_call_id"], short);
}

/// A conversation that this server would refuse, and how it gets it; from a chat client and from an Anthropic client.
#[tokio::test]
async fn a_conversation_in_an_order_that_the_server_refuses_is_put_in_its_own() {
    let call = json!({"id": "abcdefghi", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    for (quirk, messages, told, dropped) in [
        (
            Quirk::SystemFirst,
            json!([{"role": "system", "content": "a"}, {"role": "user", "content": "b"}, {"role": "developer", "content": "c"}]),
            json!([{"role": "system", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "c"}]}, {"role": "user", "content": "b"}]),
            "messages.system;moved",
        ),
        (
            Quirk::AlternatingRoles,
            json!([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}, {"role": "user", "content": "d"}]),
            json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, {"role": "assistant", "content": "c"}, {"role": "user", "content": "d"}]),
            "",
        ),
        (
            Quirk::AssistantAfterTool,
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "abcdefghi", "content": "r"}, {"role": "user", "content": "b"}]),
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "abcdefghi", "content": [{"type": "text", "text": "r"}, {"type": "text", "text": "b"}]}]),
            "messages;moved",
        ),
        (
            Quirk::StringContent,
            json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}]),
            json!([{"role": "user", "content": "a\n\nb"}]),
            "messages.content;changed",
        ),
        (
            Quirk::ThinkingParts,
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_content": "hm"}, {"role": "user", "content": "c"}]),
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "b"}]}, {"role": "user", "content": "c"}]),
            "",
        ),
        (
            Quirk::OldWords,
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "refusal": "no"}, {"role": "user", "content": "c"}]),
            json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "no"}, {"role": "user", "content": "c"}]),
            "messages.refusal;changed",
        ),
    ] {
        let mut request = json!({"model": "x", "top_a": 1, "messages": messages});
        let (sent, lost) = relayed(&with(quirk), &request.to_string()).await;
        let sent: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!(sent["messages"], told, "{quirk:?}");
        assert_eq!(sent["top_a"], 1, "what nobody knows stays");
        assert_eq!(lost, dropped, "{quirk:?}");
        // In its own order it stays as it is.
        request["messages"] = told;
        if quirk != Quirk::ThinkingParts {
            let (sent, lost) = relayed(&with(quirk), &request.to_string()).await;
            let model = request.to_string().replace("\"x\"", "\"house-1\"");
            assert_eq!((sent, lost.as_str()), (model, ""), "{quirk:?}");
        }
    }
}

#[tokio::test]
async fn no_message_is_made_up_for_a_caller_of_another_api_either() {
    let messages = json!([
        {"role": "user", "content": "a"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "abcdefghi", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "abcdefghi", "content": [
            {"type": "text", "text": "r"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        ]}, {"type": "text", "text": "c"}]},
    ]);
    let layer = to(mistral().with(Quirk::AlternatingRoles));
    let (body, lost) = translated(&layer, json!({"system": "s", "messages": messages})).await;
    let text = |text: &str| json!({"type": "text", "text": text});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "s"},
            {"role": "user", "content": [text("a"), text("b")]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "abcdefghi", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "abcdefghi", "content": [text("r"), {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, text("c")]},
        ])
    );
    assert_eq!(body["max_tokens"], 9);
    assert!(body.get("max_completion_tokens").is_none());
    assert_eq!(lost, "messages;moved");
}

#[tokio::test]
async fn files_go_by_an_address_where_the_server_has_them_so() {
    let layer = to(Quirks::default().take("document_url").unwrap());
    let pdf = "data:application/pdf;base64,AAAA";
    let told = json!([
        {"type": "text", "text": "a"},
        {"type": "document_url", "document_url": pdf, "document_name": "a.pdf"},
        {"type": "document_url", "document_url": "https://a.example/b.pdf"},
    ]);
    let request = json!({"model": "x", "messages": [{"role": "user", "content": [
        {"type": "text", "text": "a"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": pdf}},
        {"type": "document_url", "document_url": "https://a.example/b.pdf"},
    ]}]});
    let (sent, lost) = relayed(&layer, &request.to_string()).await;
    let sent: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(sent["messages"][0]["content"], told);
    assert_eq!(lost, "");
    let document = |source: Value| json!({"type": "document", "source": source});
    let mut first =
        document(json!({"type": "base64", "media_type": "application/pdf", "data": "AAAA"}));
    first["title"] = "a.pdf".into();
    let second = document(json!({"type": "url", "url": "https://a.example/b.pdf"}));
    let content = json!([{"type": "text", "text": "a"}, first, second]);
    let (body, _) = translated(
        &layer,
        json!({"messages": [{"role": "user", "content": content}]}),
    )
    .await;
    assert_eq!(body["messages"][0]["content"], told);
}

#[tokio::test]
async fn functions_of_old_become_tools_for_a_server_without_them() {
    let layer = to(Quirks::default().refuse("functions").unwrap());
    let request = json!({"model": "x", "messages": [{"role": "user", "content": "a"}], "functions": [{"name": "f", "parameters": {"type": "object"}}]});
    let answer = json!({"id": "c", "choices": [{"message": {"tool_calls": [{"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, "finish_reason": "tool_calls"}]});
    let got = exchange(
        &layer,
        chat(request.to_string()),
        reply(200, answer.to_string()),
    )
    .await;
    let sent = got.sent.as_ref().unwrap().json();
    assert_eq!(sent["tools"][0]["function"]["name"], "f");
    assert!(sent.get("functions").is_none());
    let choice = &got.json()["choices"][0];
    assert_eq!(choice["message"]["function_call"]["name"], "f");
    assert_eq!(choice["finish_reason"], "function_call");
}

#[tokio::test]
async fn a_server_without_schemas_answers_by_a_tool_that_nobody_sees() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let request = json!({
        "model": "x", "messages": [{"role": "user", "content": "a"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}},
    });
    let answer = json!({"id": "c", "choices": [{"index": 0, "message": {"content": null, "tool_calls": [{"id": "t", "type": "function", "function": {"name": "bartizan_json_answer", "arguments": "{\"a\":1}"}}]}, "finish_reason": "tool_calls"}]});
    let layer = with(Quirk::NoJsonSchema);
    let got = exchange(
        &layer,
        chat(request.to_string()),
        reply(200, answer.to_string()),
    )
    .await;
    let sent = got.sent.as_ref().unwrap().json();
    assert!(sent.get("response_format").is_none());
    assert_eq!(sent["tools"][0]["function"]["parameters"], schema);
    assert_eq!(
        sent["tool_choice"],
        json!({"type": "function", "function": {"name": "bartizan_json_answer"}})
    );
    let told = &got.json()["choices"][0];
    assert_eq!(told["message"]["content"], "{\"a\":1}");
    assert_eq!(told["finish_reason"], "stop");

    let neither = to(Quirks::default()
        .with(Quirk::NoJsonSchema)
        .with(Quirk::NoForcedTool));
    assert_eq!(
        refused(&neither, &request.to_string()).await,
        "response_format"
    );
}

#[tokio::test]
async fn a_server_that_can_not_be_made_to_call_a_tool_is_not_asked_to() {
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    for choice in [
        json!("required"),
        json!({"type": "function", "function": {"name": "f"}}),
    ] {
        let request = json!({"model": "x", "messages": [{"role": "user", "content": "a"}], "tools": tools, "tool_choice": choice});
        let (sent, lost) = relayed(&with(Quirk::NoForcedTool), &request.to_string()).await;
        assert!(!sent.contains("tool_choice"));
        assert_eq!(lost, "tool_choice");
    }
    let request = json!({"model": "x", "messages": [{"role": "user", "content": "a"}], "tools": tools, "tool_choice": "none"});
    let (sent, lost) = relayed(&with(Quirk::NoForcedTool), &request.to_string()).await;
    assert!(sent.contains(r#""tool_choice":"none""#) && lost.is_empty());
    let anthropic = json!({"tools": [{"name": "f", "input_schema": {"type": "object"}}], "tool_choice": {"type": "any"}});
    let (sent, lost) = translated(&with(Quirk::NoForcedTool), anthropic).await;
    assert!(sent.get("tool_choice").is_none());
    assert_eq!(lost, "tool_choice");
}

#[tokio::test]
async fn a_server_of_old_words_gets_functions_and_only_those_allowed() {
    let layer = with(Quirk::OldWords);
    let request = json!({
        "model": "x", "messages": [{"role": "user", "content": "a"}],
        "tools": [{"type": "custom", "custom": {"name": "shell"}}, {"type": "function", "function": {"name": "f"}}],
        "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "custom", "custom": {"name": "shell"}}]}},
    });
    let answer = json!({"id": "c", "choices": [{"message": {"tool_calls": [{"id": "t", "type": "function", "function": {"name": "shell", "arguments": "{\"input\":\"ls\"}"}}]}, "finish_reason": "tool_calls"}]});
    let got = exchange(
        &layer,
        chat(request.to_string()),
        reply(200, answer.to_string()),
    )
    .await;
    let sent = got.sent.as_ref().unwrap().json();
    assert_eq!(sent["tools"].as_array().unwrap().len(), 1);
    assert_eq!(sent["tools"][0]["function"]["name"], "shell");
    assert_eq!(sent["tool_choice"], "required");
    let call = &got.json()["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["custom"], json!({"name": "shell", "input": "ls"}));
}

#[tokio::test]
async fn what_only_some_servers_take_goes_to_them_and_to_no_other() {
    let members = json!({
        "top_k": 5, "thinking": {"type": "enabled", "budget_tokens": 2_000},
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "Eqo"}, {"type": "text", "text": "b"}]},
            {"role": "user", "content": "c"},
        ],
    });
    let openrouter = ["top_k", "cache_control", "reasoning", "reasoning_details"]
        .into_iter()
        .try_fold(Quirks::default(), Quirks::take)
        .unwrap();
    let layer = |model: &str| {
        support::layer().to(Target::new(Dialect::OpenAiChat, model).quirks(openrouter.clone()))
    };
    let (body, lost) = translated(&layer("anthropic/claude-haiku-4.5"), members.clone()).await;
    assert_eq!(lost, "");
    assert_eq!(body["top_k"], 5);
    assert_eq!(body["reasoning"], json!({"max_tokens": 2_000}));
    assert_eq!(
        body["messages"][0]["content"][0]["cache_control"],
        json!({"type": "ephemeral"})
    );
    assert_eq!(
        body["messages"][2]["reasoning_details"],
        json!([{"type": "reasoning.text", "text": "hm", "signature": "Eqo", "format": "anthropic-claude-v1", "index": 0}])
    );
    // Another maker's model can't read the signature.
    let (body, lost) = translated(&layer("google/gemini-3-pro"), members.clone()).await;
    assert!(body["messages"][2].get("reasoning_details").is_none());
    assert_eq!(lost, "messages.thinking");

    let deepseek = ["thinking", "reasoning_content"]
        .into_iter()
        .try_fold(Quirks::default(), Quirks::take)
        .unwrap();
    for (thinking, told, effort) in [
        (
            json!({"type": "enabled", "budget_tokens": 2_000}),
            json!({"type": "enabled"}),
            json!("low"),
        ),
        (
            json!({"type": "adaptive"}),
            json!({"type": "enabled"}),
            Value::Null,
        ),
        (
            json!({"type": "disabled"}),
            json!({"type": "disabled"}),
            Value::Null,
        ),
    ] {
        let mut members = members.clone();
        members["thinking"] = thinking;
        let (body, _) = translated(&to(deepseek.clone()), members).await;
        assert_eq!(body["thinking"], told);
        assert_eq!(body["reasoning_effort"], effort);
        assert_eq!(body["messages"][2]["reasoning_content"], "hm");
    }
}

#[tokio::test]
async fn a_recorded_conversation_with_its_own_provider_passes_unmended() {
    let perplexity = Quirks::default()
        .rename("max_completion_tokens", "max_tokens")
        .and_then(|quirks| quirks.refuse("tools"))
        .unwrap()
        .with(Quirk::NoDone)
        .with(Quirk::SystemFirst)
        .with(Quirk::AlternatingRoles);
    let mut all = 0;
    for (name, quirks) in [("mistral.chat", mistral()), ("perplexity.chat", perplexity)] {
        for recorded in recorded(name) {
            let text = body(&recorded["request"]).unwrap();
            let request: Value = serde_json::from_str(&text).unwrap();
            let model = request["model"].as_str().unwrap();
            let layer =
                support::layer().to(Target::new(Dialect::OpenAiChat, model).quirks(quirks.clone()));
            let streams = request["stream"] == true;
            let response = if streams { sse("") } else { reply(200, ANSWER) };
            let got = exchange(&layer, chat(text.clone()), response).await;
            // One does what Mistral's documents forbid, and its newest model allows.
            let messages = request["messages"].as_array().unwrap();
            if messages
                .windows(2)
                .any(|pair| pair[0]["role"] == "tool" && pair[1]["role"] == "user")
            {
                assert_eq!(got.dropped(), "messages;moved");
                continue;
            }
            let options = request.get("stream_options").is_some();
            let asked = streams && !options && name == "perplexity.chat";
            if !asked {
                assert_eq!(
                    got.sent.as_ref().unwrap().text,
                    text,
                    "{}",
                    recorded["from"]
                );
            }
            assert_eq!(got.dropped(), "");
            all += 1;
        }
    }
    println!("{all} requests");
}

#[tokio::test]
async fn a_stream_that_has_no_word_for_its_end_ends_well_after_its_reason_alone() {
    let chunk = |finish: Value| {
        let chunk = json!({"id": "c", "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": finish}]});
        format!("data: {chunk}\n\n")
    };
    let whole = chunk(Value::Null) + &chunk(json!("stop"));
    let cut = chunk(Value::Null);
    let plain = || to(Quirks::default());
    let quirky = || with(Quirk::NoDone);
    let request = r#"{"model":"x","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"a"}]}"#;
    let anthropic =
        r#"{"model":"x","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"a"}]}"#;
    for (layer, stream, ends_well) in [
        (quirky(), &whole, true),
        (quirky(), &whole.trim_end().to_owned(), true),
        (quirky(), &(whole.clone() + "data: [DONE]\n\n"), true),
        (quirky(), &cut, false),
        (plain(), &whole, false),
    ] {
        let got = exchange(&layer, chat(request), sse(stream.clone())).await;
        assert_eq!(
            !got.text.contains("upstream_stream_cut"),
            ends_well,
            "{}",
            got.text
        );
        if ends_well {
            assert_eq!(got.text.trim_end(), stream.trim_end(), "bytes pass");
        }
        let got = exchange(&layer, post("/v1/messages", anthropic), sse(stream.clone())).await;
        assert_eq!(got.text.contains("message_stop"), ends_well, "{}", got.text);
        assert_eq!(
            got.text.contains("event: error"),
            !ends_well,
            "{}",
            got.text
        );
    }
}
