//! Requests of other APIs, as a provider of OpenAI responses gets them, and what its answers become.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::{Body, Dialect};
use bartizan_translate::catalogue::Quirks;
use bartizan_translate::{Model, ModelFacts, Target, Thinking, TranslateLayer};
use serde_json::{Value, json};
use support::{Got, chat, exchange, post, sse};

const ANSWER: &str = r#"{"id":"resp_1","object":"response","model":"gpt-5.2","status":"completed","incomplete_details":null,"error":null,"output":[{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hi","annotations":[],"logprobs":[]}]}],"usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":0},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":5}}"#;

fn layer() -> TranslateLayer {
    let mut plain = Model::new(1_000);
    plain.sampling = true;
    let mut thinker = Model::new(1_000);
    thinker.thinking = Thinking::Adaptive;
    thinker.efforts = ["low", "medium"]
        .map(|word| bartizan_translate::Effort::named(word).unwrap())
        .to_vec();
    thinker.sampling = false;
    let facts = ModelFacts::empty()
        .with("plain", plain)
        .with("thinker", thinker);
    support::layer()
        .models(facts)
        .to(Target::new(Dialect::OpenAiResponses, "gpt-x"))
}

fn to(model: &str) -> TranslateLayer {
    layer().to(Target::new(Dialect::OpenAiResponses, model))
}

/// A request of chat completions with these members.
fn with(members: Value) -> String {
    let mut request = json!({"model": "house", "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    request.to_string()
}

/// A request of Anthropic's with these members.
fn anthropic(members: Value) -> http::Request<Body> {
    let mut request = json!({"model": "house", "max_tokens": 900, "messages": [{"role": "user", "content": "hi"}]});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    post("/v1/messages", request.to_string())
}

async fn ask(layer: &TranslateLayer, request: http::Request<Body>) -> (Value, String) {
    let got = exchange(layer, request, support::json(200, ANSWER)).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

async fn sent(body: String) -> (Value, String) {
    ask(&layer(), chat(body)).await
}

async fn refused(request: http::Request<Body>) -> Value {
    let got = exchange(&layer(), request, support::json(200, ANSWER)).await;
    assert!(got.sent.is_none(), "nothing goes out: {}", got.text);
    assert_eq!(got.status, 400);
    got.json()["error"].clone()
}

#[tokio::test]
async fn the_path_and_the_dialect_become_the_targets_and_nothing_is_stored() {
    let got = exchange(&layer(), chat(with(json!({}))), support::json(200, ANSWER)).await;
    let sent = got.sent.unwrap();
    assert_eq!(sent.uri, "/v1/responses");
    assert_eq!(sent.dialect, Some(Dialect::OpenAiResponses));
    assert_eq!(
        sent.text,
        r#"{"model":"gpt-x","input":[{"role":"user","content":"hi"}],"store":false}"#
    );
}

#[tokio::test]
async fn instructions_in_front_are_instructions_and_others_keep_their_places() {
    let system = |content: Value| json!({"role": "system", "content": content});
    let user = json!({"role": "user", "content": "hi"});
    for (messages, instructions, input) in [
        (json!([system(json!("a")), user]), json!("a"), json!([user])),
        (
            json!([user, system(json!("a")), user]),
            Value::Null,
            json!([user, system(json!("a")), user]),
        ),
        (
            json!([system(json!("a")), system(json!("b")), user]),
            Value::Null,
            json!([system(json!("a")), system(json!("b")), user]),
        ),
        (
            json!([system(json!("a"))]),
            Value::Null,
            json!([system(json!("a"))]),
        ),
        (
            json!([
                system(json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])),
                user
            ]),
            Value::Null,
            json!([
                system(
                    json!([{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}])
                ),
                user
            ]),
        ),
    ] {
        let (body, dropped) = sent(with(json!({"messages": messages}))).await;
        assert_eq!(body["instructions"], instructions, "{messages}");
        assert_eq!(body["input"], input, "{messages}");
        assert_eq!(dropped, "");
    }
}

#[tokio::test]
async fn a_loop_of_tools_goes_out_item_by_item() {
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
    let long = "x".repeat(70);
    let messages = json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "I look.", "tool_calls": [call("c1", "{\"a\": 1}"), call(&long, "")]},
        {"role": "tool", "tool_call_id": long, "content": "two"},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "one"}]},
    ]);
    let (body, dropped) = sent(with(json!({"messages": messages}))).await;
    let input = &body["input"];
    let short = input[3]["call_id"].as_str().unwrap();
    assert!(short.len() <= 64);
    assert_eq!(
        *input,
        json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "I look."},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\": 1}"},
            {"type": "function_call", "call_id": short, "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": short, "output": "two"},
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
        ])
    );
    assert_eq!(dropped, "");
}

#[tokio::test]
async fn a_result_that_is_a_failure_says_so_in_its_text_and_shows_its_images() {
    let result = json!({"type": "tool_result", "tool_use_id": "t", "is_error": true, "content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "text", "text": "no"},
    ]});
    let messages = json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
        {"role": "user", "content": [result, {"type": "text", "text": "and?"}]},
    ]);
    let (body, dropped) = ask(&layer(), anthropic(json!({"messages": messages}))).await;
    assert_eq!(
        body["input"][2],
        json!({"type": "function_call_output", "call_id": "t", "output": [
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
            {"type": "input_text", "text": "Error: no"},
        ]})
    );
    assert_eq!(body["input"][3], json!({"role": "user", "content": "and?"}));
    assert_eq!(dropped, "messages.is_error;changed");
}

#[tokio::test]
async fn thoughts_with_openais_proof_go_back_and_no_others() {
    let detail = |format: &str, text: &str, signature: Option<&str>| {
        let mut detail =
            json!({"type": "reasoning.text", "text": text, "format": format, "id": "rs_1"});
        if let Some(signature) = signature {
            detail["signature"] = signature.into();
        }
        detail
    };
    let openai = "openai-responses-v1";
    let sealed =
        json!({"type": "reasoning.encrypted", "data": "gAAAA", "format": openai, "id": "rs_2"});
    for (details, items, dropped) in [
        (
            json!([
                detail(openai, "a", None),
                detail(openai, "b", Some("gAAAA"))
            ]),
            json!([{"type": "reasoning", "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}],
                "encrypted_content": "gAAAA"}]),
            "",
        ),
        (
            json!([sealed]),
            json!([{"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gAAAA"}]),
            "",
        ),
        (
            json!([detail("anthropic-claude-v1", "a", Some("EqoB"))]),
            json!([]),
            "messages.reasoning_details",
        ),
        (
            json!([detail(openai, "a", None)]),
            json!([]),
            "messages.reasoning_content",
        ),
        (
            json!([detail(openai, "a", None), sealed]),
            json!([{"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gAAAA"}]),
            "messages.reasoning_content",
        ),
    ] {
        let messages = json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b", "reasoning_details": details},
            {"role": "user", "content": "c"},
        ]);
        let (body, told) = sent(with(json!({"messages": messages}))).await;
        let input = body["input"].as_array().unwrap();
        assert_eq!(json!(input[1..input.len() - 2]), items, "{details}");
        assert_eq!(told, dropped, "{details}");
        let asks = items.as_array().unwrap().is_empty();
        assert_eq!(body["include"].is_null(), asks, "{details}");
    }
}

#[tokio::test]
async fn a_refusal_goes_back_as_one() {
    let messages = json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": null, "refusal": "I won't"},
        {"role": "user", "content": "b"},
    ]);
    let (body, dropped) = sent(with(json!({"messages": messages}))).await;
    assert_eq!(
        body["input"][1],
        json!({"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
            "content": [{"type": "refusal", "refusal": "I won't"}]})
    );
    assert_eq!(dropped, "");
}

#[tokio::test]
async fn images_and_files_go_out_by_data_address_or_id() {
    let content = json!([
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBER"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBER"}},
        {"type": "file", "file": {"file_data": "data:text/plain;base64,aGk="}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]);
    let (body, dropped) = sent(with(
        json!({"messages": [{"role": "user", "content": content}]}),
    ))
    .await;
    assert_eq!(
        body["input"][0]["content"],
        json!([
            {"type": "input_text", "text": "look"},
            {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "low"},
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBER"},
            {"type": "input_file", "filename": "file.pdf", "file_data": "data:application/pdf;base64,JVBER"},
            {"type": "input_file", "filename": "file.txt", "file_data": "data:text/plain;base64,aGk="},
            {"type": "input_file", "file_id": "file-1"},
        ])
    );
    assert_eq!(dropped, "");
    let sound = json!([{"type": "input_audio", "input_audio": {"format": "wav", "data": "AAAA"}}]);
    let error = refused(chat(with(
        json!({"messages": [{"role": "user", "content": sound}]}),
    )))
    .await;
    assert_eq!(error["param"], "messages[0]");
}

#[tokio::test]
async fn tools_and_the_choice_among_them_are_told_flat() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let tools = json!([
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema, "strict": true}},
        {"type": "function", "function": {"name": "g"}},
        {"type": "custom", "custom": {"name": "h", "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "x"}}}},
        {"type": "function", "function": {"name": "dotted.name"}},
    ]);
    let (body, dropped) = sent(with(json!({"tools": tools, "parallel_tool_calls": false}))).await;
    let written = body["tools"][3]["name"].as_str().unwrap();
    assert_eq!(
        body["tools"],
        json!([
            {"type": "function", "name": "f", "description": "d", "parameters": schema, "strict": true},
            {"type": "function", "name": "g", "parameters": {"type": "object", "properties": {}}, "strict": false},
            {"type": "custom", "name": "h", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
            {"type": "function", "name": written, "parameters": {"type": "object", "properties": {}}, "strict": false},
        ])
    );
    assert!(!written.contains('.'));
    assert_eq!(body["parallel_tool_calls"], false);
    assert_eq!(body["tool_choice"], Value::Null);
    assert_eq!(dropped, "");
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    for (choice, there) in [
        (json!("none"), json!("none")),
        (json!("auto"), Value::Null),
        (json!("required"), json!("required")),
        (named("f"), json!({"type": "function", "name": "f"})),
        (
            named("dotted.name"),
            json!({"type": "function", "name": written}),
        ),
        (
            json!({"type": "custom", "custom": {"name": "h"}}),
            json!({"type": "custom", "name": "h"}),
        ),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named("f")]}}),
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}),
        ),
    ] {
        let (body, _) = sent(with(json!({"tools": tools, "tool_choice": choice}))).await;
        assert_eq!(body["tool_choice"], there, "{choice}");
    }
    let error = refused(chat(with(
        json!({"tools": tools, "tool_choice": named("x")}),
    )))
    .await;
    assert_eq!(error["param"], "tool_choice");
}

#[tokio::test]
async fn a_search_of_the_web_is_a_tool_there() {
    let options = json!({"search_context_size": "low", "user_location":
        {"type": "approximate", "approximate": {"city": "Rome", "country": "IT"}}});
    let (body, dropped) = sent(with(json!({"web_search_options": options}))).await;
    assert_eq!(
        body["tools"],
        json!([{"type": "web_search", "search_context_size": "low",
            "user_location": {"type": "approximate", "city": "Rome", "country": "IT"}}])
    );
    assert_eq!(dropped, "");
    let search = |members: Value| {
        let mut tool = json!({"type": "web_search_20250305", "name": "web_search"});
        for (key, value) in members.as_object().unwrap() {
            tool[key] = value.clone();
        }
        anthropic(json!({"tools": [tool]}))
    };
    let (body, dropped) = ask(
        &layer(),
        search(json!({"max_uses": 2, "allowed_domains": ["a.example"]})),
    )
    .await;
    assert_eq!(
        body["tools"],
        json!([{"type": "web_search", "filters": {"allowed_domains": ["a.example"]}}])
    );
    assert_eq!(dropped, "tools.web_search");
    let error = refused(search(json!({"blocked_domains": ["a.example"]}))).await;
    assert!(error["message"].as_str().unwrap().starts_with("tools"));
}

#[tokio::test]
async fn the_form_of_the_answer_is_told_under_text() {
    let schema = json!({"type": "object", "properties": {}});
    for (members, text) in [
        (
            json!({"response_format": {"type": "json_object"}}),
            json!({"format": {"type": "json_object"}}),
        ),
        (
            json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "description": "d", "schema": schema, "strict": true}}}),
            json!({"format": {"type": "json_schema", "name": "n", "description": "d", "schema": schema, "strict": true}}),
        ),
        (json!({"verbosity": "low"}), json!({"verbosity": "low"})),
        (json!({"response_format": {"type": "text"}}), Value::Null),
    ] {
        let (body, dropped) = sent(with(members)).await;
        assert_eq!(body["text"], text);
        assert_eq!(dropped, "");
    }
}

#[tokio::test]
async fn thinking_is_asked_for_as_far_as_the_model_has_it() {
    let effort = |effort: &str| json!({"reasoning_effort": effort});
    for (model, members, reasoning, include, told) in [
        ("gpt-x", json!({}), Value::Null, false, ""),
        ("gpt-x", effort("high"), effort_of("high"), true, ""),
        ("thinker", json!({}), Value::Null, true, ""),
        ("thinker", effort("medium"), effort_of("medium"), true, ""),
        (
            "thinker",
            effort("high"),
            effort_of("medium"),
            true,
            "reasoning_effort;changed",
        ),
        (
            "thinker",
            effort("minimal"),
            effort_of("low"),
            true,
            "reasoning_effort;changed",
        ),
        (
            "thinker",
            effort("none"),
            Value::Null,
            true,
            "reasoning_effort",
        ),
        (
            "plain",
            effort("high"),
            Value::Null,
            false,
            "reasoning_effort",
        ),
        ("plain", effort("none"), Value::Null, false, ""),
        (
            "thinker",
            json!({"reasoning": {"max_tokens": 1_024, "exclude": false}}),
            json!({"effort": "low", "summary": "auto"}),
            true,
            "reasoning_effort;changed",
        ),
    ] {
        let (body, dropped) = ask(&to(model), chat(with(members.clone()))).await;
        assert_eq!(body["reasoning"], reasoning, "{model} {members}");
        let asks = body["include"] == json!(["reasoning.encrypted_content"]);
        assert_eq!(asks, include, "{model} {members}");
        assert_eq!(dropped, told, "{model} {members}");
    }
}

fn effort_of(effort: &str) -> Value {
    json!({"effort": effort})
}

#[tokio::test]
async fn what_the_api_has_goes_out_and_what_it_lacks_is_dropped_aloud_or_refused() {
    for (members, name, value) in [
        (json!({"max_tokens": 50}), "max_output_tokens", json!(50)),
        (
            json!({"max_completion_tokens": 50}),
            "max_output_tokens",
            json!(50),
        ),
        (json!({"temperature": 0.5}), "temperature", json!(0.5)),
        (json!({"top_p": 0.5}), "top_p", json!(0.5)),
        (json!({"user": "u"}), "user", json!("u")),
        (
            json!({"metadata": {"a": "b"}}),
            "metadata",
            json!({"a": "b"}),
        ),
        (
            json!({"service_tier": "flex"}),
            "service_tier",
            json!("flex"),
        ),
        (
            json!({"prompt_cache_key": "k"}),
            "prompt_cache_key",
            json!("k"),
        ),
        (json!({"store": true}), "store", json!(true)),
        (json!({"stream": true}), "stream", json!(true)),
    ] {
        let (body, dropped) = sent(with(members)).await;
        assert_eq!(body[name], value);
        assert_eq!(dropped, "", "{name}");
    }
    for name in [
        "seed",
        "logprobs",
        "logit_bias",
        "frequency_penalty",
        "presence_penalty",
        "top_k",
    ] {
        let value = match name {
            "logprobs" => json!(true),
            "logit_bias" => json!({"1": 1}),
            _ => json!(1),
        };
        let (body, dropped) = sent(with(json!({name: value}))).await;
        assert_eq!(body[name], Value::Null);
        assert_eq!(dropped, name);
    }
    for (members, param) in [
        (json!({"stop": "x"}), "stop"),
        (json!({"n": 2}), "n"),
        (json!({"audio": {"voice": "a", "format": "wav"}}), "audio"),
    ] {
        let error = refused(chat(with(members))).await;
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!("unsupported_parameter"), &json!(param))
        );
    }
    let (body, dropped) = ask(
        &to("thinker"),
        chat(with(
            json!({"temperature": 0.5, "top_p": 1, "max_tokens": 5_000}),
        )),
    )
    .await;
    assert_eq!(body["temperature"], Value::Null);
    assert_eq!(body["max_output_tokens"], 1_000);
    assert_eq!(dropped, "temperature, max_completion_tokens;changed");
}

#[tokio::test]
async fn equal_requests_give_equal_bytes() {
    let body = with(
        json!({"metadata": {"b": 1, "a": 2}, "temperature": 0.10, "tools": [{"type": "function", "function": {"name": "f"}}]}),
    );
    let text = || async {
        let got = exchange(&layer(), chat(body.clone()), support::json(200, ANSWER)).await;
        got.sent.unwrap().text
    };
    assert_eq!(text().await, text().await);
}

/// What a chat client gets for an answer with these members.
async fn answered(members: Value) -> Value {
    let mut reply: Value = serde_json::from_str(ANSWER).unwrap();
    for (key, value) in members.as_object().unwrap() {
        reply[key] = value.clone();
    }
    let got = exchange(
        &layer(),
        chat(with(json!({}))),
        support::json(200, reply.to_string()),
    )
    .await;
    assert_eq!(got.status, 200, "{}", got.text);
    got.json()
}

#[tokio::test]
async fn an_answers_items_become_one_message() {
    let text = |text: &str, annotations: Value| json!({"type": "output_text", "text": text, "annotations": annotations});
    let source = json!({"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 5});
    let got = answered(json!({"output": [
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAAA"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"type": "message", "content": [text("Rome.", json!([source, {"type": "file_citation", "file_id": "f"}]))]},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{\"a\": 1}"},
        {"type": "function_call", "call_id": "call_2", "name": "g", "arguments": ""},
    ], "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}, "output_tokens": 8,
        "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 17}}))
    .await;
    let choice = &got["choices"][0];
    let message = &choice["message"];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(message["content"], "Rome.");
    assert_eq!(message["reasoning_content"], "hm");
    assert_eq!(message["reasoning_details"][0]["signature"], "gAAAA");
    assert_eq!(
        message["annotations"][0]["url_citation"]["url"],
        "https://a.example"
    );
    let calls: Vec<_> = message["tool_calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| (&call["id"], &call["function"]["arguments"]))
        .collect();
    assert_eq!(
        calls,
        [
            (&json!("call_1"), &json!("{\"a\": 1}")),
            (&json!("call_2"), &json!("{}"))
        ]
    );
    assert_eq!(
        got["bartizan_dropped"],
        json!(["content.server_tool_use", "content.citations"])
    );
    let usage = &got["usage"];
    assert_eq!(usage["prompt_tokens"], 9);
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 4);
    assert_eq!(usage["prompt_tokens_details"]["cache_write_tokens"], 2);
    assert_eq!(usage["completion_tokens"], 8);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 3);
}

#[tokio::test]
async fn status_and_reason_become_the_finish_reason() {
    for (members, finish) in [
        (json!({"status": "completed"}), json!("stop")),
        (
            json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}),
            json!("length"),
        ),
        (
            json!({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}),
            json!("content_filter"),
        ),
        (json!({"status": null}), Value::Null),
    ] {
        let got = answered(members.clone()).await;
        assert_eq!(got["choices"][0]["finish_reason"], finish, "{members}");
    }
    let refused = json!({"output": [{"type": "message", "content": [{"type": "refusal", "refusal": "I won't"}]}]});
    let got = answered(refused).await;
    assert_eq!(got["choices"][0]["message"]["refusal"], "I won't");
    for error in [
        json!({"code": "server_error", "message": "canary"}),
        Value::Null,
    ] {
        let failed = json!({"status": "failed", "error": error, "output": []});
        let reply = support::json(200, failed.to_string());
        let got = exchange(&layer(), chat(with(json!({}))), reply).await;
        assert_eq!(got.status, 502, "a failure is none of an answer: {error}");
        assert!(!got.text.contains("canary"));
    }
}

#[tokio::test]
async fn a_word_on_the_way_to_the_answer_is_declared() {
    let message = |phase: &str| json!({"type": "message", "phase": phase, "content": [{"type": "output_text", "text": "a", "annotations": []}]});
    for (phase, dropped) in [
        ("commentary", json!(["content.phase"])),
        ("final_answer", Value::Null),
    ] {
        let got = answered(json!({"output": [message(phase)]})).await;
        assert_eq!(got["bartizan_dropped"], dropped, "{phase}");
    }
}

fn frames(events: &[Value]) -> String {
    let frame = |(number, event): (usize, &Value)| {
        let mut event = event.clone();
        event["sequence_number"] = number.into();
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap()
        )
    };
    events.iter().enumerate().map(frame).collect()
}

async fn streamed(events: &[Value]) -> Got {
    let request = with(json!({"stream": true, "stream_options": {"include_usage": true}}));
    exchange(&layer(), chat(request), sse(frames(events))).await
}

fn begins() -> Value {
    json!({"type": "response.created", "response": {"id": "resp_1", "model": "gpt-5.2", "status": "in_progress", "output": []}})
}

fn ends(output: Value) -> Value {
    json!({"type": "response.completed", "response": {"id": "resp_1", "model": "gpt-5.2", "status": "completed", "error": null,
        "incomplete_details": null, "output": output, "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}}})
}

/// What a chat client puts together: text, thoughts, calls, and whether the end was said.
fn said(got: &Got) -> Value {
    let (mut text, mut thought, mut refusal) = (String::new(), String::new(), String::new());
    let mut calls: Vec<(Value, Value, String)> = Vec::new();
    for chunk in got.chunks() {
        let delta = &chunk["choices"][0]["delta"];
        text += delta["content"].as_str().unwrap_or_default();
        thought += delta["reasoning_content"].as_str().unwrap_or_default();
        refusal += delta["refusal"].as_str().unwrap_or_default();
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            if call["id"].is_string() {
                calls.push((
                    call["id"].clone(),
                    call["function"]["name"].clone(),
                    String::new(),
                ));
            }
            let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            calls[at].2 += call["function"]["arguments"].as_str().unwrap_or_default();
        }
    }
    json!({"text": text, "thought": thought, "refusal": refusal, "calls": calls, "done": got.is_done()})
}

#[tokio::test]
async fn whatever_a_server_leaves_out_of_its_stream_nothing_is_lost_and_nothing_said_twice() {
    let thought = json!({"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAAA"});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look.", "annotations": []}]});
    let call = json!({"id": "fc_1", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{\"a\":1}"});
    let all = vec![
        begins(),
        json!({"type": "response.in_progress", "response": {"id": "resp_1"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "rs_1", "type": "reasoning", "summary": []}}),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "item_id": "rs_1", "summary_index": 0, "part": {"type": "summary_text", "text": ""}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "item_id": "rs_1", "summary_index": 0, "delta": "h"}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "item_id": "rs_1", "summary_index": 0, "delta": "m"}),
        json!({"type": "response.reasoning_summary_text.done", "output_index": 0, "item_id": "rs_1", "summary_index": 0, "text": "hm"}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": thought}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": {"id": "msg_1", "type": "message", "content": []}}),
        json!({"type": "response.content_part.added", "output_index": 1, "item_id": "msg_1", "content_index": 0, "part": {"type": "output_text", "text": ""}}),
        json!({"type": "response.output_text.delta", "output_index": 1, "item_id": "msg_1", "content_index": 0, "delta": "I "}),
        json!({"type": "response.output_text.delta", "output_index": 1, "item_id": "msg_1", "content_index": 0, "delta": "look."}),
        json!({"type": "response.output_text.done", "output_index": 1, "item_id": "msg_1", "content_index": 0, "text": "I look."}),
        json!({"type": "response.content_part.done", "output_index": 1, "item_id": "msg_1", "content_index": 0, "part": message["content"][0]}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": message}),
        json!({"type": "response.output_item.added", "output_index": 2, "item": {"id": "fc_1", "type": "function_call", "call_id": "c", "name": "f", "arguments": ""}}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 2, "item_id": "fc_1", "delta": "{\"a\""}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 2, "item_id": "fc_1", "delta": ":1}"}),
        json!({"type": "response.function_call_arguments.done", "output_index": 2, "item_id": "fc_1", "arguments": "{\"a\":1}"}),
        json!({"type": "response.output_item.done", "output_index": 2, "item": call}),
        ends(json!([thought, message, call])),
    ];
    let wanted = json!({"text": "I look.", "thought": "hm", "refusal": "", "calls": [["c", "f", "{\"a\":1}"]], "done": true});
    assert_eq!(said(&streamed(&all).await), wanted);
    let without = |kinds: &[&str]| -> Vec<Value> {
        let kept = |event: &&Value| {
            !kinds
                .iter()
                .any(|kind| event["type"].as_str().unwrap().contains(kind))
        };
        all.iter().filter(kept).cloned().collect()
    };
    let unplaced: Vec<Value> = all
        .iter()
        .cloned()
        .map(|mut event| {
            event.as_object_mut().unwrap().remove("output_index");
            event
        })
        .collect();
    let unnamed: Vec<Value> = all
        .iter()
        .cloned()
        .enumerate()
        .map(|(at, mut event)| {
            if event["item_id"].is_string() {
                event["item_id"] = at.into();
            } else if event["item"].is_object() {
                event["item"]["id"] = at.to_string().into();
            }
            event
        })
        .collect();
    for (what, events) in [
        ("no deltas", without(&["delta"])),
        (
            "no wholes of parts",
            without(&["_text.done", "content_part", "arguments.done"]),
        ),
        ("no wholes of items", without(&["output_item.done"])),
        ("no beginnings", without(&[".added"])),
        (
            "no beginnings and no pieces",
            without(&[".added", "delta", "_text.done", "arguments.done", "part"]),
        ),
        (
            "wholes of items alone",
            without(&[
                "created",
                "in_progress",
                ".added",
                "delta",
                "text.done",
                "arguments",
                "part",
            ]),
        ),
        (
            "the end alone",
            without(&[
                "created",
                "in_progress",
                "item",
                "delta",
                "text",
                "arguments",
                "part",
            ]),
        ),
        ("no places", unplaced),
        ("no names that last", unnamed),
    ] {
        let got = streamed(&events).await;
        assert_eq!(said(&got), wanted, "{what}");
        let signatures = got.text.matches("gAAAA").count();
        assert_eq!(signatures, 1, "{what}");
        let chunks = got.chunks();
        let finish = chunks
            .iter()
            .filter(|chunk| chunk["choices"][0]["finish_reason"] == "tool_calls");
        assert_eq!(finish.count(), 1, "{what}");
        assert_eq!(chunks.last().unwrap()["usage"]["total_tokens"], 5, "{what}");
    }
}

#[tokio::test]
async fn parts_numbered_from_one_are_not_said_twice() {
    // As vLLM numbers the parts of a message behind a thought.
    let message =
        json!({"id": "m", "type": "message", "content": [{"type": "output_text", "text": "a"}]});
    let events = [
        begins(),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "m", "type": "message", "content": []}}),
        json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "m", "content_index": 1, "delta": "a"}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": message}),
        ends(json!([message])),
    ];
    assert_eq!(said(&streamed(&events).await)["text"], "a");
}

#[tokio::test]
async fn a_call_that_takes_nothing_is_called_with_an_empty_object() {
    let call = |arguments: &str| json!({"id": "fc", "type": "function_call", "call_id": "c", "name": "f", "arguments": arguments});
    for whole in ["", "{}"] {
        let events = [
            begins(),
            json!({"type": "response.output_item.added", "output_index": 0, "item": call("")}),
            json!({"type": "response.function_call_arguments.done", "output_index": 0, "item_id": "fc", "arguments": whole}),
            json!({"type": "response.output_item.done", "output_index": 0, "item": call(whole)}),
            ends(json!([call(whole)])),
        ];
        assert_eq!(
            said(&streamed(&events).await)["calls"],
            json!([["c", "f", "{}"]])
        );
        let never_whole = [begins(), events[1].clone(), ends(json!([]))];
        assert_eq!(
            said(&streamed(&never_whole).await)["calls"],
            json!([["c", "f", "{}"]])
        );
    }
}

#[tokio::test]
async fn what_the_provider_runs_is_declared_and_never_the_clients_to_run() {
    let search = |status: &str| json!({"id": "ws", "type": "web_search_call", "status": status, "action": {"type": "search", "query": "q"}});
    let mcp = json!({"id": "mcp", "type": "mcp_call", "name": "f", "arguments": "{}", "server_label": "l"});
    let events = [
        begins(),
        json!({"type": "response.output_item.added", "output_index": 0, "item": search("in_progress")}),
        json!({"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws"}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": search("completed")}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": mcp}),
        json!({"type": "response.mcp_call_arguments.delta", "output_index": 1, "item_id": "mcp", "delta": "{}"}),
        json!({"type": "response.output_item.done", "output_index": 1, "item": mcp}),
        ends(json!([search("completed"), mcp])),
    ];
    let got = streamed(&events).await;
    assert_eq!(said(&got)["calls"], json!([]));
    let finish = got
        .chunks()
        .into_iter()
        .find(|chunk| chunk["choices"][0]["finish_reason"].is_string())
        .unwrap();
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    assert_eq!(
        finish["bartizan_dropped"],
        json!(["content.server_tool_use"])
    );
}

#[tokio::test]
async fn a_failure_in_a_stream_is_an_error_and_the_last_word() {
    let failed = json!({"type": "response.failed", "response": {"id": "resp_1", "status": "failed", "output": [],
        "error": {"code": "rate_limit_exceeded", "message": "canary"}}});
    let error =
        json!({"type": "error", "code": "server_error", "message": "canary", "param": null});
    let untyped = json!({"type": "error", "error": {"type": "server_error", "message": "canary"}});
    let text = json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "m", "content_index": 0, "delta": "a"});
    for bad in [failed, error, untyped] {
        let got = streamed(&[begins(), text.clone(), bad.clone(), ends(json!([]))]).await;
        let chunks = got.chunks();
        assert!(chunks.last().unwrap()["error"].is_object(), "{bad}");
        assert!(!got.text.contains("canary") && !got.is_done(), "{bad}");
        let finished = chunks
            .iter()
            .any(|chunk| chunk["choices"][0]["finish_reason"].is_string());
        assert!(!finished);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_in_an_error_and_never_in_a_finish_reason() {
    let text = json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "m", "content_index": 0, "delta": "a"});
    let message =
        json!({"id": "m", "type": "message", "content": [{"type": "output_text", "text": "a"}]});
    let done = json!({"type": "response.output_item.done", "output_index": 0, "item": message});
    let events = [begins(), text, done, ends(json!([message]))];
    for cut in 0..events.len() {
        let got = streamed(&events[..cut]).await;
        let chunks = got.chunks();
        assert_eq!(
            chunks.last().unwrap()["error"]["code"],
            "upstream_stream_cut",
            "{cut}"
        );
        assert!(!got.is_done());
        assert!(
            chunks
                .iter()
                .all(|chunk| chunk["choices"][0]["finish_reason"].is_null()),
            "{cut}"
        );
    }
}

#[tokio::test]
async fn what_a_server_takes_otherwise_is_written_so() {
    let quirks = || {
        Quirks::default()
            .rename("max_output_tokens", "max_tokens")
            .and_then(|quirks| quirks.drop("metadata"))
            .and_then(|quirks| quirks.drop("store"))
            .and_then(|quirks| quirks.refuse("parallel_tool_calls"))
            .map(|quirks| quirks.max_temperature(1.5))
            .unwrap()
    };
    let layer = || layer().to(Target::new(Dialect::OpenAiResponses, "m").quirks(quirks()));
    let members = json!({"max_tokens": 9, "metadata": {"a": "b"}, "temperature": 2});
    let (body, dropped) = ask(&layer(), chat(with(members))).await;
    assert_eq!(
        body,
        json!({"model": "m", "input": [{"role": "user", "content": "hi"}], "max_tokens": 9, "temperature": 1.5})
    );
    assert_eq!(dropped, "temperature;changed, metadata");
    let tool = json!([{"type": "function", "function": {"name": "f"}}]);
    let one = chat(with(json!({"tools": tool, "parallel_tool_calls": false})));
    let got = exchange(&layer(), one, support::json(200, ANSWER)).await;
    assert_eq!(got.json()["error"]["param"], "parallel_tool_calls");
}
