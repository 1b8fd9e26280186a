//! Requests of Gemini's clients, as providers of other APIs get them, and what their answers become.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::{Body, Dialect};
use bartizan_translate::{Target, TranslateLayer, Unknown};
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, MODEL, REPLY, body, exchange, post, recorded, sse};

const WHOLE: &str = "/v1beta/models/house:generateContent";
const STREAM: &str = "/v1beta/models/house:streamGenerateContent?alt=sse";
const CHAT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-5.2","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;

fn claude() -> TranslateLayer {
    support::layer().to(Target::new(Dialect::AnthropicMessages, MODEL))
}

fn gpt() -> TranslateLayer {
    support::layer().to(Target::new(Dialect::OpenAiChat, "gpt-5.2"))
}

/// A request with one user content and these members.
fn with(members: Value) -> String {
    let mut request = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    request.to_string()
}

fn ask(body: impl Into<String>) -> Request<Body> {
    post(WHOLE, body)
}

async fn to_claude(body: String) -> (Value, String) {
    let got = exchange(&claude(), ask(body), support::json(200, REPLY)).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

async fn to_gpt(body: String) -> (Value, String) {
    let got = exchange(&gpt(), ask(body), support::json(200, CHAT)).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

async fn refused(body: String) -> String {
    let got = exchange(&gpt(), ask(body), support::json(200, CHAT)).await;
    assert_eq!(got.status, 400, "{}", got.text);
    assert!(got.sent.is_none());
    let error = &got.json()["error"];
    assert_eq!(error["code"], 400);
    assert_eq!(error["status"], "INVALID_ARGUMENT");
    error["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn model_and_stream_are_read_from_the_path() {
    for (path, stream) in [
        (WHOLE, false),
        (STREAM, true),
        (
            "/v1/projects/p/locations/l/publishers/google/models/house:streamGenerateContent?alt=sse&key=canary",
            true,
        ),
    ] {
        let got = exchange(&gpt(), post(path, with(json!({}))), sse("")).await;
        let sent = got.sent.unwrap();
        assert_eq!(sent.uri, "/v1/chat/completions");
        assert_eq!(sent.json()["model"], "gpt-5.2");
        assert_eq!(sent.json()["stream"] == true, stream);
    }
}

#[tokio::test]
async fn a_stream_as_one_array_is_refused() {
    let path = "/v1beta/models/house:streamGenerateContent";
    let got = exchange(&gpt(), post(path, with(json!({}))), sse("")).await;
    assert_eq!(got.status, 400);
    assert!(got.text.contains("alt: set it to sse"), "{}", got.text);
}

#[tokio::test]
async fn both_spellings_say_the_same() {
    let camel = json!({
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "contents": [{"role": "user", "parts": [{"text": "look"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}],
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {"maxOutputTokens": 9, "topP": 0.5, "stopSequences": ["x"], "thinkingConfig": {"thinkingBudget": 0}},
        "safetySettings": [],
    });
    let snake = json!({
        "system_instruction": {"parts": [{"text": "be brief"}]},
        "contents": [{"role": "user", "parts": [{"text": "look"}, {"inline_data": {"mime_type": "image/png", "data": "AAAA"}}]}],
        "tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
        "tool_config": {"function_calling_config": {"mode": "any", "allowed_function_names": ["f"]}},
        "generation_config": {"max_output_tokens": 9, "top_p": 0.5, "stop_sequences": ["x"], "thinking_config": {"thinking_budget": 0}},
        "safety_settings": [],
    });
    let (one, lost) = to_claude(camel.to_string()).await;
    let (two, _) = to_claude(snake.to_string()).await;
    assert_eq!(one, two);
    assert_eq!(lost, "");
    assert_eq!(
        one,
        json!({
            "model": MODEL, "max_tokens": 9, "system": [{"type": "text", "text": "be brief"}],
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "look"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
            ]}],
            "tools": [{"name": "f", "input_schema": {"type": "object"}}],
            "tool_choice": {"type": "tool", "name": "f"},
            "top_p": 0.5, "stop_sequences": ["x"],
        })
    );
    let twice = with(json!({"toolConfig": {}, "tool_config": {}}));
    assert!(refused(twice).await.starts_with("toolConfig: "));
}

#[tokio::test]
async fn calls_and_results_without_ids_find_each_other_by_name_and_order() {
    let call = |name: &str| json!({"functionCall": {"name": name, "args": {"a": 1}}});
    let result = |name: &str, response: Value| json!({"functionResponse": {"name": name, "response": response}});
    let contents = json!([
        {"role": "user", "parts": [{"text": "a"}]},
        {"role": "model", "parts": [call("f"), call("g"), call("f")]},
        {"role": "user", "parts": [
            result("g", json!({"output": "two"})),
            result("f", json!({"result": 1})),
            result("f", json!({"error": "no"})),
            {"text": "and?"},
        ]},
        {"role": "model", "parts": [call("f")]},
        {"role": "function", "parts": [result("f", json!({"output": {"x": null}}))]},
    ]);
    let (body, lost) = to_gpt(with(json!({"contents": contents}))).await;
    assert_eq!(
        lost,
        "contents.parts.functionResponse.response.error;changed"
    );
    let called = |id: &str, name: &str| json!({"id": id, "type": "function", "function": {"name": name, "arguments": r#"{"a":1}"#}});
    let said = |id: &str, text: &str| json!({"role": "tool", "tool_call_id": id, "content": text});
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": null, "tool_calls": [called("call_0", "f"), called("call_1", "g"), called("call_2", "f")]},
            said("call_1", "two"),
            said("call_0", r#"{"result":1}"#),
            said("call_2", "Error: no"),
            {"role": "user", "content": "and?"},
            {"role": "assistant", "content": null, "tool_calls": [called("call_3", "f")]},
            said("call_3", r#"{"x":null}"#),
        ])
    );
}

#[tokio::test]
async fn ids_are_kept_where_the_client_has_them() {
    let contents = json!([
        {"role": "user", "parts": [{"text": "a"}]},
        {"role": "model", "parts": [
            {"functionCall": {"id": "call_0", "name": "f", "args": {}}},
            {"functionCall": {"name": "f"}},
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": "f", "response": {"output": "b"}}},
            {"functionResponse": {"id": "call_0", "name": "f", "response": {"output": "a"}, "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}},
        ]},
    ]);
    let (body, lost) = to_claude(with(
        json!({"contents": contents, "tools": [{"functionDeclarations": [{"name": "f"}]}]}),
    ))
    .await;
    assert_eq!(lost, "");
    let messages = &body["messages"];
    assert_eq!(messages[1]["content"][0]["id"], "call_0");
    assert_eq!(messages[1]["content"][1]["id"], "call_1");
    // The first result has no id: the first call of its name that is open.
    assert_eq!(messages[2]["content"][0]["tool_use_id"], "call_0");
    assert_eq!(messages[2]["content"][1]["tool_use_id"], "call_0");
    assert_eq!(messages[2]["content"][1]["content"][1]["type"], "image");
}

#[tokio::test]
async fn settings_reach_a_provider_by_its_own_names() {
    let (body, lost) = to_gpt(with(json!({
        "generationConfig": {
            "temperature": 1.5, "topP": 0.5, "topK": 40, "maxOutputTokens": 9, "stopSequences": ["x"], "candidateCount": 1,
            "seed": 7, "presencePenalty": 0.5, "frequencyPenalty": -0.5,
            "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT", "properties": {"a": {"type": "STRING", "nullable": true}}, "required": ["a"]},
            "thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": true},
            "responseModalities": ["TEXT"], "mediaResolution": "MEDIA_RESOLUTION_LOW", "speechConfig": {},
        },
        "labels": {"team": "a"}, "store": true, "serviceTier": "FLEX",
    })))
    .await;
    let format = json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]});
    assert_eq!(body["response_format"]["json_schema"]["schema"], format);
    for (name, value) in [
        ("temperature", json!(1.5)),
        ("top_p", json!(0.5)),
        ("max_completion_tokens", json!(9)),
        ("stop", json!(["x"])),
        ("seed", json!(7)),
        ("presence_penalty", json!(0.5)),
        ("frequency_penalty", json!(-0.5)),
        ("reasoning_effort", json!("low")),
        ("metadata", json!({"team": "a"})),
        ("service_tier", json!("flex")),
    ] {
        assert_eq!(body[name], value, "{name}: {body}");
    }
    for told in [
        "generationConfig.topK",
        "generationConfig.mediaResolution",
        "generationConfig.speechConfig",
    ] {
        assert!(lost.contains(told), "{lost}");
    }
}

#[tokio::test]
async fn what_has_no_equivalent_is_refused_by_the_clients_own_word() {
    for (members, place) in [
        (
            json!({"cachedContent": "cachedContents/x"}),
            "cachedContent: ",
        ),
        (json!({"modelArmorConfig": {}}), "modelArmorConfig: "),
        (
            json!({"generationConfig": {"candidateCount": 2}}),
            "generationConfig.candidateCount: ",
        ),
        (
            json!({"generationConfig": {"responseModalities": ["AUDIO"]}}),
            "generationConfig.responseModalities: ",
        ),
        (
            json!({"generationConfig": {"responseMimeType": "text/x.enum"}}),
            "generationConfig.responseMimeType: ",
        ),
        (
            json!({"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 1}}}),
            "generationConfig.thinkingConfig: ",
        ),
        (
            json!({"generationConfig": {"temperature": 3}}),
            "generationConfig.temperature: ",
        ),
        (json!({"contents": []}), "contents: "),
        (
            json!({"contents": [{"role": "assistant", "parts": []}]}),
            "contents[0].role: ",
        ),
        (
            json!({"contents": [{"parts": [{}]}]}),
            "contents[0].parts[0]: ",
        ),
        (
            json!({"contents": [{"parts": [{"text": "a", "inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}]}),
            "contents[0].parts[0]: ",
        ),
        (
            json!({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "!"}}]}]}),
            "contents[0].parts[0].inlineData.data: ",
        ),
        (
            json!({"systemInstruction": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}}),
            "systemInstruction.parts[0]: ",
        ),
        (json!({"tools": [{"computerUse": {}}]}), "tools: "),
        (
            json!({"toolConfig": {"functionCallingConfig": {"mode": "AUTO", "allowedFunctionNames": ["f"]}}}),
            "toolConfig.functionCallingConfig.allowedFunctionNames: ",
        ),
        (json!({"canary": 1}), "canary: "),
        (
            json!({"generationConfig": {"canary_word": 1}}),
            "generationConfig.canaryWord: ",
        ),
        (
            json!({"contents": [{"parts": [{"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}}]}]}),
            "contents[0]: ",
        ),
    ] {
        let message = refused(with(members.clone())).await;
        assert!(message.starts_with(place), "{members}: {message}");
    }
    let layer = gpt().unknown(Unknown::Drop);
    let got = exchange(
        &layer,
        ask(with(json!({"canary": 1}))),
        support::json(200, CHAT),
    )
    .await;
    assert_eq!(got.dropped(), "canary");
}

#[tokio::test]
async fn null_is_absent() {
    let (body, lost) = to_gpt(with(json!({
        "systemInstruction": null, "generationConfig": {"temperature": null, "canary": null}, "tools": null, "cachedContent": null,
    })))
    .await;
    assert_eq!(
        body.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["messages", "model"]
    );
    assert_eq!(lost, "");
}

/// What Anthropic answers, with a thought that it signed.
fn thinking(text: &str) -> String {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "tool_use", "stop_sequence": null,
        "content": [
            {"type": "thinking", "thinking": text, "signature": "EqoB+/=="},
            {"type": "redacted_thinking", "data": "ZW5j"},
            {"type": "text", "text": "so"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}},
        ],
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2, "output_tokens": 5, "output_tokens_details": {"thinking_tokens": 3}},
    })
    .to_string()
}

#[tokio::test]
async fn an_answer_is_googles_with_its_arithmetic() {
    let body = with(json!({"generationConfig": {"thinkingConfig": {"includeThoughts": true}}}));
    let got = exchange(&claude(), ask(body), support::json(200, thinking("hm"))).await;
    let reply = got.json();
    let candidate = &reply["candidates"][0];
    assert_eq!(candidate["finishReason"], "STOP");
    assert_eq!(candidate["content"]["role"], "model");
    let parts = candidate["content"]["parts"].as_array().unwrap();
    assert_eq!(
        (&parts[0]["text"], &parts[0]["thought"]),
        (&json!("hm"), &json!(true))
    );
    assert_eq!(parts[1]["text"], "so");
    assert!(parts[1].get("thought").is_none() && parts[1]["thoughtSignature"].is_string());
    assert_eq!(
        parts[2],
        json!({"functionCall": {"id": "toolu_1", "name": "f", "args": {"x": 1}}})
    );
    assert_eq!(
        reply["usageMetadata"],
        json!({"promptTokenCount": 16, "candidatesTokenCount": 2, "totalTokenCount": 21, "cachedContentTokenCount": 4, "thoughtsTokenCount": 3})
    );
    assert_eq!(
        (&reply["responseId"], &reply["modelVersion"]),
        (&json!("msg_1"), &json!("claude"))
    );
}

#[tokio::test]
async fn thoughts_are_told_to_who_asks_and_come_back_to_their_maker_either_way() {
    for shows in [true, false] {
        let config = json!({"thinkingConfig": {"includeThoughts": shows, "thinkingBudget": 2000}});
        let body = with(json!({"generationConfig": config}));
        let got = exchange(
            &claude(),
            ask(body),
            support::json(200, thinking("hm, ä\n")),
        )
        .await;
        assert_eq!(got.text.contains("hm, ä"), shows, "{}", got.text);
        let model = got.json()["candidates"][0]["content"].clone();
        let body = with(json!({
            "contents": [
                {"role": "user", "parts": [{"text": "hi"}]}, model,
                {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"output": "1"}}}]},
            ],
            "generationConfig": config,
            "tools": [{"functionDeclarations": [{"name": "f"}]}],
        }));
        let (sent, lost) = to_claude(body).await;
        assert_eq!(lost, "");
        assert_eq!(
            sent["messages"][1]["content"],
            json!([
                {"type": "thinking", "thinking": "hm, ä\n", "signature": "EqoB+/=="},
                {"type": "redacted_thinking", "data": "ZW5j"},
                {"type": "text", "text": "so"},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}},
            ])
        );
    }
}

#[tokio::test]
async fn reasons_to_finish_are_googles() {
    for (theirs, ours) in [
        ("end_turn", "STOP"),
        ("stop_sequence", "STOP"),
        ("tool_use", "STOP"),
        ("max_tokens", "MAX_TOKENS"),
        ("refusal", "SAFETY"),
    ] {
        let reply = REPLY.replace("end_turn", theirs);
        let got = exchange(&claude(), ask(with(json!({}))), support::json(200, reply)).await;
        assert_eq!(
            got.json()["candidates"][0]["finishReason"],
            ours,
            "{theirs}"
        );
    }
    let reply = CHAT.replace(r#""content":"hi""#, r#""content":null,"refusal":"no""#);
    let got = exchange(&gpt(), ask(with(json!({}))), support::json(200, reply)).await;
    let candidate = &got.json()["candidates"][0];
    assert_eq!(candidate["content"]["parts"], json!([{"text": "no"}]));
    assert_eq!(candidate["finishReason"], "SAFETY");
    let chunk = |delta: Value, finish: Value| json!({"id": "c", "object": "chat.completion.chunk", "model": "gpt", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
    let call = json!({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{oops"}}]});
    let stream = format!(
        "data: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
        chunk(call, Value::Null),
        chunk(json!({}), json!("tool_calls"))
    );
    let got = exchange(&gpt(), post(STREAM, with(json!({}))), sse(stream)).await;
    let chunks = chunks(&got);
    assert_eq!(chunks.len(), 1);
    assert_eq!(
        chunks[0]["candidates"][0]["finishReason"],
        "MALFORMED_FUNCTION_CALL"
    );
}

fn chunks(got: &Got) -> Vec<Value> {
    let events = got.events();
    events
        .iter()
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

/// Frames events as Anthropic does.
fn anthropic(events: &[Value]) -> String {
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

fn events() -> Vec<Value> {
    let delta = |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let start = |index: u64, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    let stop = |index: u64| json!({"type": "content_block_stop", "index": index});
    vec![
        json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 3, "output_tokens": 1}}}),
        start(
            0,
            json!({"type": "thinking", "thinking": "", "signature": ""}),
        ),
        delta(0, json!({"type": "thinking_delta", "thinking": "h"})),
        delta(0, json!({"type": "thinking_delta", "thinking": "m"})),
        delta(0, json!({"type": "signature_delta", "signature": "c2ln"})),
        stop(0),
        json!({"type": "ping"}),
        start(1, json!({"type": "text", "text": ""})),
        delta(1, json!({"type": "text_delta", "text": "so"})),
        stop(1),
        start(
            2,
            json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}),
        ),
        delta(
            2,
            json!({"type": "input_json_delta", "partial_json": "{\"x\":"}),
        ),
        delta(
            2,
            json!({"type": "input_json_delta", "partial_json": "\"}\"}"}),
        ),
        stop(2),
        start(
            3,
            json!({"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}}),
        ),
        stop(3),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}),
        json!({"type": "message_stop"}),
    ]
}

#[tokio::test]
async fn a_stream_is_whole_answers_with_the_next_parts_and_calls_are_never_in_pieces() {
    let config = json!({"thinkingConfig": {"includeThoughts": true}});
    let body = with(json!({"generationConfig": config}));
    let got = exchange(
        &claude(),
        post(STREAM, body.clone()),
        sse(anthropic(&events())),
    )
    .await;
    assert!(!got.text.contains("\n:"), "a comment breaks Google's SDK");
    let chunks = chunks(&got);
    let parts: Vec<&Value> = chunks
        .iter()
        .map(|chunk| &chunk["candidates"][0]["content"]["parts"][0])
        .collect();
    assert_eq!(
        parts[..2],
        [
            &json!({"text": "h", "thought": true}),
            &json!({"text": "m", "thought": true})
        ]
    );
    assert_eq!(parts[2]["thought"], true);
    assert_eq!(parts[3], &json!({"text": "so"}));
    assert_eq!(
        parts[4],
        &json!({"functionCall": {"id": "toolu_1", "name": "f", "args": {"x": "}"}}})
    );
    assert_eq!(
        parts[5],
        &json!({"functionCall": {"id": "toolu_2", "name": "g", "args": {}}})
    );
    assert_eq!(parts[6], &json!({"text": ""}));
    assert_eq!(chunks.len(), 7);
    for chunk in &chunks {
        assert_eq!(
            (&chunk["responseId"], &chunk["modelVersion"]),
            (&json!("msg_1"), &json!("claude"))
        );
    }
    assert!(
        chunks[..6]
            .iter()
            .all(|chunk| chunk["candidates"][0].get("finishReason").is_none())
    );
    assert_eq!(chunks[6]["candidates"][0]["finishReason"], "STOP");
    assert_eq!(chunks[6]["usageMetadata"]["totalTokenCount"], 12);

    // Each chunk kept as a content of its own, as Google's SDKs do.
    let mut contents = vec![json!({"role": "user", "parts": [{"text": "hi"}]})];
    contents.extend(
        chunks
            .iter()
            .map(|chunk| chunk["candidates"][0]["content"].clone()),
    );
    let results: Vec<Value> = ["f", "g"]
        .iter()
        .map(|name| json!({"functionResponse": {"name": name, "response": {"output": "1"}}}))
        .collect();
    contents.push(json!({"role": "user", "parts": results}));
    let (sent, lost) = to_claude(with(json!({"contents": contents, "tools": [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]}))).await;
    assert_eq!(lost, "");
    assert_eq!(
        sent["messages"][1]["content"],
        json!([
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "text", "text": "so"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": "}"}},
            {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
        ])
    );
}

#[tokio::test]
async fn a_stream_cut_after_any_event_ends_in_googles_error() {
    let all = events();
    for ends in 0..all.len() {
        let stream = anthropic(&all[..ends]);
        let got = exchange(&claude(), post(STREAM, with(json!({}))), sse(stream)).await;
        let chunks = chunks(&got);
        let error = &chunks.last().unwrap()["error"];
        assert_eq!(error["code"], 502, "{ends}: {}", got.text);
        assert!(error["status"].is_string() && error["message"].is_string());
        assert!(!got.text.contains("finishReason"), "{}", got.text);
    }
}

#[tokio::test]
async fn an_error_of_the_provider_is_googles_error() {
    for (status, body, code, word) in [
        (
            429,
            r#"{"error":{"type":"rate_limit_error","message":"canary"}}"#,
            429,
            "RESOURCE_EXHAUSTED",
        ),
        (
            529,
            r#"{"error":{"type":"overloaded_error","message":"canary"}}"#,
            503,
            "UNAVAILABLE",
        ),
        (
            401,
            r#"{"error":{"type":"authentication_error","message":"canary"}}"#,
            401,
            "UNAUTHENTICATED",
        ),
        (
            404,
            r#"{"error":{"type":"not_found_error","message":"canary"}}"#,
            404,
            "NOT_FOUND",
        ),
    ] {
        let got = exchange(&claude(), ask(with(json!({}))), support::json(status, body)).await;
        assert_eq!(got.status, code, "{}", got.text);
        let error = &got.json()["error"];
        assert_eq!(
            (&error["code"], &error["status"]),
            (&json!(code), &json!(word))
        );
        assert!(!got.text.contains("canary"));
    }
}

#[tokio::test]
async fn gemini_to_gemini_passes_byte_for_byte_and_only_the_path_names_another_model() {
    let text = r#"{ "contents":[{"parts":[{"text":"hi","anything":1}]}],"model":"models/house","cachedContent":"x" }"#;
    let layer = support::layer().to(Target::new(Dialect::Gemini, "gemini-3.5-flash"));
    let answer = r#"{ "candidates":[], "anything": 1 }"#;
    let path = "/v1beta/models/house:generateContent?key=canary";
    let got = exchange(&layer, post(path, text), support::json(200, answer)).await;
    let sent = got.sent.as_ref().unwrap();
    assert_eq!(sent.uri, "/v1beta/models/gemini-3.5-flash:generateContent");
    assert_eq!(sent.text, text);
    assert_eq!(got.text, answer);
    let path = "/v1beta/models/house:streamGenerateContent?key=canary&alt=sse";
    let events = "data: {\"candidates\": [{\"finishReason\": \"STOP\"}]}\r\n\r\n";
    let got = exchange(&layer, post(path, text), sse(events)).await;
    assert_eq!(
        got.sent.as_ref().unwrap().uri,
        "/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse"
    );
    assert_eq!(got.text, events);
    let models = "/v1/projects/p/locations/l/publishers/google/models/{model}";
    let target = Target::new(Dialect::Gemini, "gemini-3.5-flash")
        .path(&format!("{models}:generateContent"))
        .unwrap()
        .stream_path(&format!("{models}:streamGenerateContent?alt=sse"))
        .unwrap();
    let layer = support::layer().to(target);
    let got = exchange(&layer, post(path, text), sse(events)).await;
    assert_eq!(
        got.sent.unwrap().uri,
        "/v1/projects/p/locations/l/publishers/google/models/gemini-3.5-flash:streamGenerateContent?alt=sse"
    );
}

#[tokio::test]
async fn every_recorded_request_reaches_other_providers_or_is_refused_by_name() {
    let recorded = ["gemini.generateContent", "vertex.generateContent"]
        .into_iter()
        .flat_map(recorded);
    for exchange in recorded {
        let text = body(&exchange["request"]).unwrap();
        let calls = text.matches(r#""functionCall""#).count();
        let results = text.matches(r#""functionResponse""#).count();
        let path = exchange["request"]["path"]
            .as_str()
            .unwrap()
            .replace(['<', '>'], "");
        let path = format!("{path}?alt=sse");
        let streams = exchange["stream"] == true;
        for (layer, answer) in [(claude(), REPLY), (gpt(), CHAT)] {
            let response = if streams {
                sse("")
            } else {
                support::json(200, answer)
            };
            let got = support::exchange(&layer, post(&path, text.clone()), response).await;
            let Some(sent) = got.sent else {
                let told = ["cachedContent", "contents[0]", "tools"];
                let message = got.json()["error"]["message"].as_str().unwrap().to_owned();
                assert!(
                    told.iter().any(|place| message.starts_with(place)),
                    "{message}"
                );
                continue;
            };
            let uses = [
                "\"type\":\"tool_use\"",
                "\"type\":\"function\",\"function\":{\"name\"",
            ];
            let sent = sent.text.split("\"tools\":").next().unwrap().to_owned();
            let called: usize = uses.iter().map(|kind| sent.matches(kind).count()).sum();
            let given =
                sent.matches("\"tool_use_id\"").count() + sent.matches("\"tool_call_id\"").count();
            assert_eq!((called, given), (calls, results), "{}", exchange["from"]);
        }
    }
}

/// Any JSON of few words.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9i64..99).prop_map(Value::from),
        "[a-zA-Z_]{0,6}".prop_map(Value::from),
    ];
    let words = prop_oneof![
        Just("parts"),
        Just("text"),
        Just("role"),
        Just("thought"),
        Just("thoughtSignature"),
        Just("inlineData"),
        Just("mimeType"),
        Just("data"),
        Just("functionCall"),
        Just("function_response"),
        Just("name"),
        Just("id"),
        Just("args"),
        Just("response"),
        Just("fileUri"),
        Just("file_data"),
        Just("mode"),
        Just("type"),
        Just("properties"),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(words.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_members_end_in_a_refusal_or_a_request(
        member in prop_oneof![
            Just("contents"), Just("systemInstruction"), Just("tools"), Just("tool_config"), Just("generationConfig"),
            Just("safetySettings"), Just("labels"), Just("other"),
        ],
        value in any_json(),
        drop: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let then = if drop { Unknown::Drop } else { Unknown::Refuse };
        let layer = gpt().unknown(then);
        let got = runtime.block_on(exchange(&layer, ask(with(json!({member: value}))), support::json(200, CHAT)));
        match got.sent {
            Some(sent) => prop_assert!(sent.json()["messages"].is_array()),
            None => prop_assert_eq!(got.status, 400),
        }
    }
}
