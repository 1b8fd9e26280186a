//! Requests of OpenAI's and Anthropic's clients, as Gemini gets them, and its answers to them: each row of the requirements that names
//! Gemini is a test here.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Target, TranslateLayer};
use serde_json::{Value, json};
use support::{Got, chat, exchange, post, sse};

const ANSWER: &str = r#"{"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5},"modelVersion":"gemini-3.5-flash","responseId":"r1"}"#;

fn layer() -> TranslateLayer {
    to("gemini-3.5-flash")
}

fn to(model: &str) -> TranslateLayer {
    support::layer().to(Target::new(Dialect::Gemini, model))
}

/// A request with one user message and these members.
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

async fn asked(layer: &TranslateLayer, body: String) -> Got {
    exchange(layer, chat(body), support::json(200, ANSWER)).await
}

async fn sent(layer: &TranslateLayer, body: String) -> (Value, String) {
    let got = asked(layer, body).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

async fn refused(body: String) -> (String, String) {
    let got = asked(&layer(), body).await;
    assert_eq!(got.status, 400, "{}", got.text);
    assert!(got.sent.is_none());
    let error = &got.json()["error"];
    (
        error["param"].as_str().unwrap().to_owned(),
        error["message"].as_str().unwrap().to_owned(),
    )
}

fn weather() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "description": "d", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": false}}}])
}

fn call(id: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}})
}

#[tokio::test]
async fn the_model_and_the_stream_stand_in_the_path_and_nowhere_else() {
    for (stream, path) in [
        (false, "/v1beta/models/gemini-3.5-flash:generateContent"),
        (
            true,
            "/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse",
        ),
    ] {
        let body = with(json!({"stream": stream}));
        let got = exchange(&layer(), chat(body), sse("")).await;
        let sent = got.sent.unwrap();
        assert_eq!(sent.uri, path);
        assert_eq!(sent.dialect, Some(Dialect::Gemini));
        assert_eq!(
            sent.text,
            r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#
        );
    }
}

#[tokio::test]
async fn instructions_stand_in_front_and_those_inside_move_there() {
    let (body, lost) = sent(
        &layer(),
        saying(json!([
            {"role": "system", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "developer", "content": "c"},
            {"role": "user", "content": "d"},
            {"role": "assistant", "content": ""},
        ])),
    )
    .await;
    assert_eq!(
        body,
        json!({
            "systemInstruction": {"parts": [{"text": "a"}, {"text": "c"}]},
            "contents": [{"role": "user", "parts": [{"text": "b"}, {"text": "d"}]}],
        })
    );
    assert_eq!(lost, "messages.system;moved, messages");
    let (body, lost) = sent(
        &layer(),
        saying(json!([{"role": "system", "content": "a"}])),
    )
    .await;
    assert_eq!(
        body["contents"],
        json!([{"role": "user", "parts": [{"text": "a"}]}])
    );
    assert_eq!(lost, "messages.system;moved");
}

#[tokio::test]
async fn results_are_as_many_as_the_calls_in_their_order_each_by_its_name() {
    let (body, lost) = sent(
        &layer(),
        saying(json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "let me see", "tool_calls": [
                call("call_1", r#"{"city": "x"}"#),
                {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": ""}},
                call("call_3", "{}"),
            ]},
            {"role": "tool", "tool_call_id": "call_3", "content": "[1, 2]"},
            {"role": "tool", "tool_call_id": "call_2", "content": "{\"hour\": 3, \"zone\": null}"},
            {"role": "tool", "tool_call_id": "call_1", "content": "{\"output\": \"rain\"}"},
            {"role": "user", "content": "and?"},
        ])),
    )
    .await;
    assert_eq!(lost, "");
    let result = |id: &str, name: &str, response: Value| json!({"functionResponse": {"id": id, "name": name, "response": response}});
    assert_eq!(
        body["contents"],
        json!([
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [
                {"text": "let me see"},
                {"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "x"}}},
                {"functionCall": {"id": "call_2", "name": "time", "args": {}}},
                {"functionCall": {"id": "call_3", "name": "weather", "args": {}}},
            ]},
            {"role": "user", "parts": [
                result("call_1", "weather", json!({"output": {"output": "rain"}})),
                result("call_2", "time", json!({"hour": 3, "zone": null})),
                result("call_3", "weather", json!({"output": "[1, 2]"})),
            ]},
            {"role": "user", "parts": [{"text": "and?"}]},
        ])
    );
}

#[tokio::test]
async fn a_failed_result_says_so_and_media_stand_in_it_or_for_older_models_beside_it() {
    let body = json!({"model": "house", "max_tokens": 9, "messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "look", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "is_error": true, "content": [
            {"type": "text", "text": "half of it"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        ]}]},
    ]});
    let image = json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}});
    for (model, parts, lost) in [
        (
            "gemini-3.5-flash",
            json!([{"functionResponse": {"id": "t", "name": "look", "response": {"error": "half of it"}, "parts": [image]}}]),
            "messages.thinking;changed",
        ),
        (
            "gemini-2.5-flash",
            json!([{"functionResponse": {"id": "t", "name": "look", "response": {"error": "half of it"}}}, image]),
            "messages.tool.content;moved",
        ),
    ] {
        let request = post("/v1/messages", body.to_string());
        let got = exchange(&to(model), request, support::json(200, ANSWER)).await;
        assert_eq!(
            got.sent.as_ref().unwrap().json()["contents"][2]["parts"],
            parts
        );
        assert_eq!(got.dropped(), lost);
    }
}

#[tokio::test]
async fn a_result_of_no_call_is_refused_and_not_made_up() {
    let (param, message) = refused(saying(json!([
        {"role": "user", "content": "a"},
        {"role": "tool", "tool_call_id": "call_9", "content": "x"},
    ])))
    .await;
    assert_eq!(param, "messages[1]");
    assert!(message.contains("not in the conversation"), "{message}");
}

fn vertex() -> TranslateLayer {
    let target = Target::new(Dialect::Gemini, "gemini-2.5-flash")
        .path("/v1/projects/p/locations/l/publishers/google/models/{model}:generateContent")
        .unwrap();
    support::layer().to(target)
}

#[tokio::test]
async fn vertex_ai_labels_the_bill_and_has_to_be_told_what_it_fetches() {
    let metadata = |value: &str| with(json!({"metadata": {"team": value}}));
    let (body, lost) = sent(&vertex(), metadata("red-1")).await;
    assert_eq!(
        (&body["labels"], lost.as_str()),
        (&json!({"team": "red-1"}), "")
    );
    let (body, lost) = sent(&vertex(), metadata("Red 1")).await;
    assert_eq!((body.get("labels"), lost.as_str()), (None, "metadata"));
    let image = |url: &str| {
        saying(
            json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]),
        )
    };
    let got = asked(&vertex(), image("https://a.example/x")).await;
    assert_eq!(got.json()["error"]["param"], "messages[0]");
    let (body, _) = sent(&vertex(), image("https://a.example/x.png")).await;
    assert_eq!(
        body["contents"][0]["parts"][0]["fileData"]["mimeType"],
        "image/png"
    );
}

#[tokio::test]
async fn vertex_ai_is_told_no_ids() {
    let (body, _) = sent(
        &vertex(),
        saying(json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": null, "tool_calls": [call("call_1", "{}")]},
            {"role": "tool", "tool_call_id": "call_1", "content": "x"},
        ])),
    )
    .await;
    assert_eq!(body.get("labels"), None);
    assert_eq!(
        body["contents"][1]["parts"],
        json!([{"functionCall": {"name": "weather", "args": {}}}])
    );
    assert_eq!(
        body["contents"][2]["parts"],
        json!([{"functionResponse": {"name": "weather", "response": {"output": "x"}}}])
    );
}

#[tokio::test]
async fn a_calls_signature_comes_back_to_google_byte_for_byte() {
    let signed = |id: &str, signature: &str| {
        let mut call = call(id, "{}");
        call["extra_content"] = json!({"google": {"thought_signature": signature}});
        call
    };
    let (body, lost) = sent(
        &layer(),
        saying(json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": null, "tool_calls": [signed("call_1", "EqoB+/=="), call("call_2", "{}")]},
            {"role": "tool", "tool_call_id": "call_1", "content": "x"},
            {"role": "tool", "tool_call_id": "call_2", "content": "y"},
        ])),
    )
    .await;
    assert_eq!(lost, "");
    assert_eq!(
        body["contents"][1]["parts"],
        json!([
            {"functionCall": {"id": "call_1", "name": "weather", "args": {}}, "thoughtSignature": "EqoB+/=="},
            {"functionCall": {"id": "call_2", "name": "weather", "args": {}}},
        ])
    );
}

#[tokio::test]
async fn calls_that_no_gemini_made_are_excused_where_it_would_be_checked() {
    let messages = json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": null, "tool_calls": [call("call_1", "{}")]},
        {"role": "tool", "tool_call_id": "call_1", "content": "x"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": null, "tool_calls": [call("call_2", "{}"), call("call_3", "{}")]},
        {"role": "tool", "tool_call_id": "call_2", "content": "x"},
        {"role": "tool", "tool_call_id": "call_3", "content": "x"},
    ]);
    for (model, excused) in [("gemini-3.5-flash", true), ("gemini-2.5-pro", false)] {
        let (body, lost) = sent(&to(model), saying(messages.clone())).await;
        let signature = |content: usize, part: usize| {
            body["contents"][content]["parts"][part]["thoughtSignature"].clone()
        };
        assert_eq!(signature(1, 0), Value::Null, "an exchange of before");
        assert_eq!(
            signature(5 - 1, 1),
            Value::Null,
            "not the first of its step"
        );
        if excused {
            assert_eq!(signature(4, 0), "skip_thought_signature_validator");
            assert_eq!(lost, "messages.tool_calls.extra_content;changed");
        } else {
            assert_eq!(signature(4, 0), Value::Null);
            assert_eq!(lost, "");
        }
    }
}

#[tokio::test]
async fn thoughts_go_back_to_google_and_another_makers_signature_to_nobody() {
    let detail = |format: &str| {
        json!([
            {"type": "reasoning.text", "text": "hm", "signature": "c2ln", "format": format, "index": 0},
            {"type": "reasoning.encrypted", "data": "ZW5j", "format": format, "index": 1},
        ])
    };
    let said = |format: &str| {
        saying(json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "so", "reasoning_details": detail(format)},
            {"role": "user", "content": "b"},
        ]))
    };
    let (body, lost) = sent(&layer(), said("google-gemini-v1")).await;
    assert_eq!(lost, "");
    assert_eq!(
        body["contents"][1]["parts"],
        json!([
            {"text": "hm", "thought": true, "thoughtSignature": "c2ln"},
            {"text": "so", "thoughtSignature": "ZW5j"},
        ])
    );
    let (body, lost) = sent(&layer(), said("anthropic-claude-v1")).await;
    assert_eq!(lost, "messages.reasoning_details");
    assert_eq!(
        body["contents"][1]["parts"],
        json!([{"text": "hm", "thought": true}, {"text": "so"}])
    );
}

#[tokio::test]
async fn a_schema_goes_whole_where_json_schemas_are_taken() {
    let schema = json!({"$schema": "x", "type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"exclusiveMinimum": 1}}, "additionalProperties": false});
    let (body, lost) = sent(
        &layer(),
        with(json!({
            "tools": [
                {"type": "function", "function": {"name": "f", "parameters": schema, "strict": true}},
                {"type": "function", "function": {"name": "g"}},
            ],
            "response_format": {"type": "json_schema", "json_schema": {"name": "n", "description": "d", "schema": schema, "strict": true}},
        })),
    )
    .await;
    assert_eq!(
        body["tools"],
        json!([{"functionDeclarations": [{"name": "f", "parametersJsonSchema": schema}, {"name": "g"}]}])
    );
    assert_eq!(
        body["generationConfig"],
        json!({"responseMimeType": "application/json", "responseJsonSchema": schema})
    );
    assert_eq!(
        lost,
        "response_format.json_schema.name, tools.strict, response_format.json_schema.description"
    );
    let (body, _) = sent(
        &layer(),
        with(json!({"response_format": {"type": "json_object"}})),
    )
    .await;
    assert_eq!(
        body["generationConfig"],
        json!({"responseMimeType": "application/json"})
    );
}

#[tokio::test]
async fn a_choice_of_tools_has_four_modes() {
    let tools = json!([weather()[0], {"type": "function", "function": {"name": "time"}}]);
    for (choice, config) in [
        (json!("auto"), Value::Null),
        (json!("none"), json!({"mode": "NONE"})),
        (json!("required"), json!({"mode": "ANY"})),
        (
            json!({"type": "function", "function": {"name": "time"}}),
            json!({"mode": "ANY", "allowedFunctionNames": ["time"]}),
        ),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "time"}}]}}),
            json!({"mode": "VALIDATED", "allowedFunctionNames": ["time"]}),
        ),
    ] {
        let (body, lost) = sent(
            &layer(),
            with(json!({"tools": tools, "tool_choice": choice, "parallel_tool_calls": false})),
        )
        .await;
        assert_eq!(
            body["toolConfig"]["functionCallingConfig"], config,
            "{choice}"
        );
        assert_eq!(lost, "parallel_tool_calls");
    }
    let choice = json!({"type": "function", "function": {"name": "other"}});
    let (param, _) = refused(with(json!({"tools": weather(), "tool_choice": choice}))).await;
    assert_eq!(param, "tool_choice");
}

#[tokio::test]
async fn names_that_the_api_does_not_take_are_told_otherwise_and_come_back() {
    let name = "mcp__größe__".repeat(12);
    let body = with(json!({"tools": [{"type": "function", "function": {"name": name}}]}));
    let (sent, _) = sent(&layer(), body.clone()).await;
    let told = sent["tools"][0]["functionDeclarations"][0]["name"]
        .as_str()
        .unwrap();
    assert!(told.len() <= 128 && told.is_ascii(), "{told}");
    let answer = ANSWER.replace(
        r#"{"text":"hi"}"#,
        &json!({"functionCall": {"name": told, "args": {}}}).to_string(),
    );
    let got = exchange(&layer(), chat(body), support::json(200, answer)).await;
    let calls = &got.json()["choices"][0]["message"]["tool_calls"];
    assert_eq!(calls[0]["function"]["name"], name);
}

#[tokio::test]
async fn media_go_by_their_bytes_or_by_where_they_lie() {
    let (body, lost) = sent(
        &layer(),
        saying(json!([{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "https://a.example/x.jpg?y=1"}},
            {"type": "image_url", "image_url": {"url": "https://a.example/x"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "x.pdf"}},
            {"type": "file", "file": {"file_data": "data:text/plain;base64,aGk="}},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "file", "file": {"file_id": "https://generativelanguage.googleapis.com/v1beta/files/x"}},
        ]}])),
    )
    .await;
    let inline = |kind: &str, data: &str| json!({"inlineData": {"mimeType": kind, "data": data}});
    assert_eq!(
        body["contents"][0]["parts"],
        json!([
            inline("image/png", "AAAA"),
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://a.example/x.jpg?y=1"}},
            {"fileData": {"fileUri": "https://a.example/x"}},
            inline("application/pdf", "AAAA"),
            inline("text/plain", "aGk="),
            inline("audio/wav", "AAAA"),
            {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}},
        ])
    );
    assert_eq!(lost, "messages.image_url.detail, messages.file.filename");
    let (param, _) = refused(saying(json!([{"role": "user", "content": [
        {"type": "file", "file": {"file_id": "file-abc"}},
    ]}])))
    .await;
    assert_eq!(param, "messages[0]");
}

#[tokio::test]
async fn settings_have_their_own_names_and_what_has_none_is_told() {
    let (body, lost) = sent(
        &layer(),
        with(json!({
            "max_completion_tokens": 7, "temperature": 1.5, "top_p": 0.5, "top_k": 3, "stop": ["a", "b"], "seed": 7,
            "presence_penalty": 0.5, "frequency_penalty": -1, "service_tier": "flex", "user": "u",
            "logprobs": true, "logit_bias": {"1": 2}, "metadata": {"a": "b"}, "verbosity": "low",
            "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        })),
    )
    .await;
    assert_eq!(
        body["generationConfig"],
        json!({
            "temperature": 1.5, "topP": 0.5, "topK": 3, "maxOutputTokens": 7, "stopSequences": ["a", "b"], "seed": 7,
            "presencePenalty": 0.5, "frequencyPenalty": -1,
        })
    );
    assert_eq!(body["serviceTier"], "flex");
    assert_eq!(body["safetySettings"][0]["threshold"], "BLOCK_NONE");
    assert_eq!(lost, "logit_bias, logprobs, metadata, verbosity, user");
    let (body, lost) = sent(&layer(), with(json!({"seed": 1u64 << 40}))).await;
    assert_eq!(body.get("generationConfig"), None);
    assert_eq!(lost, "seed");
    for (members, field) in [
        (json!({"n": 2}), "n"),
        (json!({"stop": ["a", "b", "c", "d", "e", "f"]}), "stop"),
    ] {
        assert_eq!(refused(with(members)).await.0, field);
    }
}

#[tokio::test]
async fn efforts_are_levels_or_budgets_by_the_table_of_the_model() {
    for (model, wish, config, lost) in [
        (
            "gemini-3.5-flash",
            json!({"reasoning_effort": "minimal"}),
            json!({"thinkingLevel": "MINIMAL", "includeThoughts": true}),
            "",
        ),
        (
            "gemini-3.5-flash",
            json!({"reasoning_effort": "high"}),
            json!({"thinkingLevel": "HIGH", "includeThoughts": true}),
            "",
        ),
        (
            "gemini-3.5-flash",
            json!({"reasoning_effort": "max"}),
            json!({"thinkingLevel": "HIGH", "includeThoughts": true}),
            "reasoning_effort;changed",
        ),
        (
            "gemini-3.5-flash",
            json!({"reasoning_effort": "none"}),
            json!({"thinkingLevel": "MINIMAL"}),
            "reasoning_effort;changed",
        ),
        (
            "gemini-3.5-flash",
            json!({"reasoning": {"effort": "low", "exclude": true}}),
            json!({"thinkingLevel": "LOW"}),
            "",
        ),
        (
            "gemini-3.5-flash",
            json!({"thinking": {"type": "enabled", "budget_tokens": 4000}}),
            json!({"thinkingLevel": "MEDIUM", "includeThoughts": true}),
            "reasoning_effort;changed",
        ),
        (
            "gemini-3.1-pro-preview",
            json!({"reasoning_effort": "minimal"}),
            json!({"thinkingLevel": "LOW", "includeThoughts": true}),
            "reasoning_effort;changed",
        ),
        (
            "gemini-3-pro-preview",
            json!({"reasoning_effort": "medium"}),
            json!({"thinkingLevel": "MEDIUM", "includeThoughts": true}),
            "",
        ),
        (
            "gemini-2.5-flash",
            json!({"reasoning_effort": "low"}),
            json!({"thinkingBudget": 1024, "includeThoughts": true}),
            "",
        ),
        (
            "gemini-2.5-flash",
            json!({"reasoning_effort": "medium", "max_tokens": 4000}),
            json!({"thinkingBudget": 3000, "includeThoughts": true}),
            "",
        ),
        (
            "gemini-2.5-flash",
            json!({"reasoning_effort": "none"}),
            json!({"thinkingBudget": 0}),
            "",
        ),
        (
            "gemini-2.5-flash",
            json!({"thinking": {"type": "adaptive"}}),
            json!({"thinkingBudget": -1, "includeThoughts": true}),
            "",
        ),
        (
            "gemini-2.5-pro",
            json!({"reasoning_effort": "none"}),
            json!({"thinkingBudget": 128}),
            "reasoning_effort;changed",
        ),
        (
            "gemini-2.5-pro",
            json!({"reasoning_effort": "xhigh"}),
            json!({"thinkingBudget": 32768, "includeThoughts": true}),
            "",
        ),
        (
            "gemini-2.5-flash-lite",
            json!({"thinking": {"type": "enabled", "budget_tokens": 100}}),
            json!({"thinkingBudget": 512, "includeThoughts": true}),
            "reasoning_effort;changed",
        ),
        (
            "gemini-2.0-flash",
            json!({"reasoning_effort": "high"}),
            Value::Null,
            "reasoning_effort",
        ),
        (
            "gemini-2.0-flash",
            json!({"reasoning_effort": "none"}),
            Value::Null,
            "",
        ),
    ] {
        let (body, dropped) = sent(&to(model), with(wish.clone())).await;
        let told = &body["generationConfig"]["thinkingConfig"];
        assert_eq!((told, dropped.as_str()), (&config, lost), "{model} {wish}");
    }
}

#[tokio::test]
async fn what_the_provider_runs_itself_is_asked_for_by_its_own_names() {
    let (body, lost) = sent(
        &layer(),
        with(json!({"web_search_options": {"search_context_size": "low"}})),
    )
    .await;
    assert_eq!(body["tools"], json!([{"googleSearch": {}}]));
    assert_eq!(lost, "web_search_options;changed");
    let body = json!({"model": "house", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}], "tools": [
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "code_execution_20250825", "name": "code_execution"},
        {"type": "web_fetch_20250910", "name": "web_fetch", "max_uses": 3},
    ]});
    let request = post("/v1/messages", body.to_string());
    let got = exchange(&layer(), request, support::json(200, ANSWER)).await;
    assert_eq!(
        got.sent.as_ref().unwrap().json()["tools"],
        json!([{"googleSearch": {}}, {"codeExecution": {}}, {"urlContext": {}}])
    );
    assert_eq!(got.dropped(), "tools;changed");
}

#[tokio::test]
async fn marks_for_the_cache_are_told_and_equal_requests_are_equal_bytes() {
    let body = saying(
        json!([{"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]}]),
    );
    let first = asked(&layer(), body.clone()).await;
    let second = asked(&layer(), body).await;
    assert_eq!(first.dropped(), "cache_control");
    assert_eq!(first.sent.unwrap().text, second.sent.unwrap().text);
}

#[tokio::test]
async fn every_recorded_chat_request_reaches_gemini_or_is_refused_by_name() {
    let apis = [
        "openai",
        "azure",
        "openrouter",
        "mistral",
        "deepseek",
        "perplexity",
        "bedrock",
    ];
    for api in apis {
        for recorded in support::recorded(&format!("{api}.chat")) {
            let Some(text) = support::body(&recorded["request"]) else {
                continue;
            };
            let Ok(request) = serde_json::from_str::<Value>(&text) else {
                continue;
            };
            let layer = layer().unknown(bartizan_translate::Unknown::Drop);
            let got = exchange(&layer, chat(text.clone()), support::json(200, ANSWER)).await;
            let Some(sent) = &got.sent else {
                let error = &got.json()["error"];
                assert!(error["param"].is_string(), "{}", got.text);
                continue;
            };
            let sent = sent.json();
            let messages = request["messages"].as_array().unwrap();
            let calls: usize = messages
                .iter()
                .filter_map(|message| message["tool_calls"].as_array().map(Vec::len))
                .sum();
            let results = messages
                .iter()
                .filter(|message| message["role"] == "tool")
                .count();
            let parts: Vec<&Value> = sent["contents"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|content| content["parts"].as_array().unwrap())
                .collect();
            let count = |key: &str| parts.iter().filter(|part| part.get(key).is_some()).count();
            assert_eq!(
                (count("functionCall"), count("functionResponse")),
                (calls, results),
                "{}",
                recorded["from"]
            );
            let told = sent.to_string();
            for message in messages {
                if let Some(text) = message["content"].as_str().filter(|text| !text.is_empty()) {
                    let told_whole = told.contains(json!(text).to_string().trim_matches('"'));
                    // A result that is an object is told as one.
                    let object =
                        serde_json::from_str::<Value>(text).is_ok_and(|json| json.is_object());
                    assert!(told_whole || object, "{text} is lost: {}", recorded["from"]);
                }
            }
        }
    }
}
