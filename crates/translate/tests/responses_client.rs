//! Requests of the responses API, as providers of other APIs get them: each row of the requirements that concerns it is a test here.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Target, TranslateLayer, Unknown};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, exchange, layer, post};

/// A request with these members.
fn with(members: Value) -> String {
    let mut request = json!({"model": "house", "max_output_tokens": 9_000, "input": "hi"});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    request.to_string()
}

fn saying(input: Value) -> String {
    with(json!({"input": input}))
}

fn to_chat() -> TranslateLayer {
    layer().to(Target::new(Dialect::OpenAiChat, "gpt-5.2"))
}

fn to_gemini() -> TranslateLayer {
    layer().to(Target::new(Dialect::Gemini, "gemini-3.5-flash"))
}

async fn asked(layer: &TranslateLayer, body: String) -> Got {
    exchange(
        layer,
        post("/v1/responses", body),
        support::json(200, support::REPLY),
    )
    .await
}

async fn sent(layer: &TranslateLayer, body: String) -> (Value, String) {
    let got = asked(layer, body).await;
    let sent = got.sent.clone();
    assert!(sent.is_some(), "{}", got.text);
    (sent.unwrap().json(), got.dropped().to_owned())
}

async fn refused(body: String) -> (u16, Value) {
    let got = asked(&layer(), body).await;
    assert!(got.sent.is_none(), "nothing goes out: {}", got.text);
    (got.status, got.json()["error"].clone())
}

#[tokio::test]
async fn a_string_is_what_the_user_says_and_instructions_are_the_systems() {
    let (body, dropped) = sent(&layer(), with(json!({"instructions": "be brief"}))).await;
    assert_eq!(
        body["system"],
        json!([{"type": "text", "text": "be brief"}])
    );
    assert_eq!(body["messages"], json!([{"role": "user", "content": "hi"}]));
    assert_eq!(body["max_tokens"], 9_000);
    assert_eq!(dropped, "");
}

#[tokio::test]
async fn instructions_keep_their_place_where_the_target_has_one_and_else_move_aloud() {
    let input = json!([
        {"role": "developer", "content": "first"},
        {"role": "user", "content": "a"},
        {"role": "system", "content": [{"type": "input_text", "text": "then"}]},
        {"role": "user", "content": "b"},
    ]);
    let (body, dropped) = sent(&to_chat(), saying(input.clone())).await;
    let roles: Vec<&Value> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["role"])
        .collect();
    assert_eq!(roles, ["system", "user", "system", "user"]);
    assert_eq!(dropped, "");
    let (body, dropped) = sent(&layer(), saying(input)).await;
    assert_eq!(
        body["system"],
        json!([{"type": "text", "text": "first"}, {"type": "text", "text": "then"}])
    );
    assert_eq!(dropped, "input.system;moved");
}

/// A turn of thoughts, words and two calls, and their results in another order.
fn loop_of_tools() -> Value {
    json!([
        {"role": "user", "content": "weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "two cities"}],
         "encrypted_content": "anthropic:EqoB+/="},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": "I look.", "annotations": [], "logprobs": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{\"city\": \"Rome\"}", "status": "completed"},
        {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "time", "arguments": ""},
        {"type": "function_call_output", "call_id": "call_2", "output": "noon"},
        {"type": "function_call_output", "call_id": "call_1", "output": [{"type": "input_text", "text": "dry"}]},
    ])
}

#[tokio::test]
async fn what_the_model_said_in_one_answer_is_one_turn_and_results_come_in_one() {
    let (body, dropped) = sent(&layer(), saying(loop_of_tools())).await;
    assert_eq!(
        body["messages"][1],
        json!({"role": "assistant", "content": [
            {"type": "thinking", "thinking": "two cities", "signature": "EqoB+/="},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}},
            {"type": "tool_use", "id": "call_2", "name": "time", "input": {}},
        ]})
    );
    let results = &body["messages"][2]["content"];
    assert_eq!(results[0]["tool_use_id"], "call_2");
    assert_eq!(results[1]["tool_use_id"], "call_1");
    assert_eq!(dropped, "");
    let (body, dropped) = sent(&to_chat(), saying(loop_of_tools())).await;
    let turn = &body["messages"][1];
    assert_eq!(turn["content"], "I look.");
    assert_eq!(turn["tool_calls"][0]["id"], "call_1");
    assert_eq!(
        turn["tool_calls"][0]["function"]["arguments"],
        "{\"city\": \"Rome\"}"
    );
    assert_eq!(turn["tool_calls"][1]["function"]["arguments"], "{}");
    assert_eq!(body["messages"][2]["tool_call_id"], "call_2");
    assert_eq!(dropped, "input.reasoning", "another maker's proof");
}

#[tokio::test]
async fn two_messages_of_the_models_stay_two_and_a_thought_stays_with_its_own() {
    let input = json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "one"},
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "b"},
    ]);
    let (body, dropped) = sent(&to_chat(), saying(input)).await;
    let says: Vec<&Value> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| &message["content"])
        .collect();
    assert_eq!(says, ["a", "one", "two", "b"]);
    assert_eq!(dropped, "input.reasoning");
}

#[tokio::test]
async fn proofs_go_back_to_their_makers_and_to_nobody_else() {
    let thought = |sealed: &str| {
        saying(json!([
            {"role": "user", "content": "a"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "r"},
        ]))
    };
    let (body, dropped) = sent(&layer(), thought("anthropic:EqoB")).await;
    assert_eq!(
        body["messages"][1]["content"][0],
        json!({"type": "redacted_thinking", "data": "EqoB"})
    );
    assert_eq!(dropped, "");
    for other in ["google:EqoB", "gAAAAB", "openai:gAAAAB"] {
        let (body, dropped) = sent(&layer(), thought(other)).await;
        assert_eq!(body["messages"][1]["content"][0]["type"], "tool_use");
        assert_eq!(dropped, "input.reasoning", "{other}");
    }
    // Gemini's stands on the call that it led to.
    let (body, dropped) = sent(&to_gemini(), thought("google:EqoB")).await;
    let parts = &body["contents"][1]["parts"];
    assert_eq!(parts.as_array().unwrap().len(), 1, "{parts}");
    assert_eq!(parts[0]["thoughtSignature"], "EqoB");
    assert_eq!(parts[0]["functionCall"]["name"], "f");
    assert_eq!(dropped, "");
}

#[tokio::test]
async fn a_thought_without_proof_is_dropped_aloud() {
    for thought in [
        json!({"type": "reasoning", "id": "rs_1", "summary": []}),
        json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]}),
        json!({"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}),
    ] {
        let input = json!([{"role": "user", "content": "a"}, thought, {"role": "assistant", "content": "b"},
                {"role": "user", "content": "c"}]);
        let (body, dropped) = sent(&layer(), saying(input)).await;
        assert_eq!(
            body["messages"][1],
            json!({"role": "assistant", "content": "b"})
        );
        assert_eq!(dropped, "input.reasoning");
    }
}

#[tokio::test]
async fn images_and_files_are_told_in_the_targets_form() {
    let content = json!([
        {"type": "input_text", "text": "look", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBOR", "detail": "auto"},
        {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "high"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBER"},
        {"type": "input_file", "filename": "b.pdf", "file_data": "JVBER"},
        {"type": "input_file", "filename": "c.txt", "file_data": "aGk="},
        {"type": "input_file", "file_url": "https://a.example/d.pdf"},
    ]);
    let (body, dropped) = sent(
        &layer(),
        saying(json!([{"role": "user", "content": content}])),
    )
    .await;
    let blocks = &body["messages"][0]["content"];
    assert_eq!(
        blocks[0],
        json!({"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}})
    );
    assert_eq!(
        blocks[1]["source"],
        json!({"type": "base64", "media_type": "image/png", "data": "iVBOR"})
    );
    assert_eq!(blocks[2]["source"]["url"], "https://a.example/b.png");
    for (at, title) in [(3, "a.pdf"), (4, "b.pdf")] {
        assert_eq!(blocks[at]["title"], title);
        assert_eq!(
            blocks[at]["source"],
            json!({"type": "base64", "media_type": "application/pdf", "data": "JVBER"})
        );
    }
    assert_eq!(blocks[5]["source"]["data"], "hi");
    assert_eq!(blocks[6]["source"]["url"], "https://a.example/d.pdf");
    assert_eq!(dropped, "input.input_image.detail");
}

#[tokio::test]
async fn a_schema_is_strict_where_that_is_said_or_where_it_is_unsaid_and_the_schema_is() {
    let strict = json!({"type": "object", "additionalProperties": false, "required": ["a", "b"], "properties": {
        "a": {"type": "string", "enum": ["x"]},
        "b": {"type": "array", "items": {"type": "object", "properties": {}, "additionalProperties": false}},
    }});
    let loose = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let mut deep = strict.clone();
    deep["properties"]["b"]["items"] = loose.clone();
    for (schema, said, is_strict) in [
        (&strict, Some(true), true),
        (&strict, Some(false), false),
        (&strict, None, true),
        (&loose, Some(true), true),
        (&loose, None, false),
        (&deep, None, false),
    ] {
        let mut tool = json!({"type": "function", "name": "f", "parameters": schema});
        if let Some(said) = said {
            tool["strict"] = said.into();
        }
        let (body, _) = sent(&to_chat(), with(json!({"tools": [tool]}))).await;
        let function = &body["tools"][0]["function"];
        assert_eq!(function["strict"] == true, is_strict, "{said:?} {schema}");
        assert_eq!(function["parameters"], *schema);
    }
}

#[tokio::test]
async fn a_choice_of_tools_is_told_in_the_targets_words() {
    let f = json!({"type": "function", "name": "f", "parameters": null, "strict": false});
    let g = json!({"type": "custom", "name": "g"});
    for (choice, there) in [
        (json!("auto"), Value::Null),
        (json!("none"), json!({"type": "none"})),
        (json!("required"), json!({"type": "any"})),
        (
            json!({"type": "function", "name": "f"}),
            json!({"type": "tool", "name": "f"}),
        ),
        (
            json!({"type": "custom", "name": "g"}),
            json!({"type": "tool", "name": "g"}),
        ),
        (
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}),
            json!({"type": "any"}),
        ),
    ] {
        let allowed = choice["type"] == "allowed_tools";
        let (body, dropped) = sent(
            &layer(),
            with(json!({"tools": [f, g], "tool_choice": choice})),
        )
        .await;
        assert_eq!(body["tool_choice"], there, "{choice}");
        let offered = body["tools"].as_array().unwrap().len();
        assert_eq!(offered, if allowed { 1 } else { 2 }, "{choice}");
        assert_eq!(dropped, "", "{choice}");
    }
    let one = with(json!({"tools": [f], "parallel_tool_calls": false}));
    let (body, _) = sent(&layer(), one).await;
    assert_eq!(body["tool_choice"]["disable_parallel_tool_use"], true);
}

#[tokio::test]
async fn a_custom_tool_keeps_its_grammar_where_the_target_has_one() {
    let tool = json!({"type": "custom", "name": "g", "description": "d",
        "format": {"type": "grammar", "syntax": "lark", "definition": "start: \"a\""}});
    let input = json!([
        {"role": "user", "content": "a"},
        {"type": "custom_tool_call", "call_id": "c", "name": "g", "input": "a \"b\""},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "r"},
    ]);
    let request = with(json!({"tools": [tool], "input": input}));
    let (body, dropped) = sent(&to_chat(), request.clone()).await;
    assert_eq!(
        body["tools"][0],
        json!({"type": "custom", "custom": {"name": "g", "description": "d", "format":
            {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: \"a\""}}}})
    );
    assert_eq!(
        body["messages"][1]["tool_calls"][0],
        json!({"id": "c", "type": "custom", "custom": {"name": "g", "input": "a \"b\""}})
    );
    assert_eq!(dropped, "");
    let (body, dropped) = sent(&layer(), request).await;
    assert_eq!(
        body["messages"][1]["content"][0]["input"],
        json!({"input": "a \"b\""})
    );
    assert_eq!(dropped, "tools.custom.format");
}

#[tokio::test]
async fn a_tool_in_a_namespace_is_called_by_both_names() {
    let f = json!({"type": "function", "name": "f", "parameters": null, "strict": false});
    let tools = json!([
        {"type": "namespace", "name": "crm", "description": "d", "tools": [f]},
        {"type": "namespace", "name": "mcp__x__", "description": "d", "tools": [f]},
        f,
    ]);
    let input = json!([
        {"role": "user", "content": "a"},
        {"type": "function_call", "call_id": "c", "namespace": "crm", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "r"},
    ]);
    let (body, dropped) = sent(&layer(), with(json!({"tools": tools, "input": input}))).await;
    let names = body["tools"].as_array().unwrap().iter();
    let names: Vec<&Value> = names.map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["crm__f", "mcp__x__f", "f"]);
    assert_eq!(body["messages"][1]["content"][0]["name"], "crm__f");
    assert_eq!(dropped, "tools.namespace.description");
}

#[tokio::test]
async fn the_form_of_the_answer_is_told_in_the_targets_words() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let format = json!({"type": "json_schema", "name": "n", "schema": schema, "strict": true, "description": "d"});
    let (body, dropped) = sent(
        &to_chat(),
        with(json!({"text": {"format": format, "verbosity": "low"}})),
    )
    .await;
    assert_eq!(
        body["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "n", "description": "d", "schema": schema, "strict": true}})
    );
    assert_eq!(body["verbosity"], "low");
    assert_eq!(dropped, "");
    let object = with(json!({"text": {"format": {"type": "json_object"}}}));
    let (body, _) = sent(&to_chat(), object).await;
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    let text = with(json!({"text": {"format": {"type": "text"}, "verbosity": "medium"}}));
    let (body, dropped) = sent(&layer(), text).await;
    assert_eq!(body["tools"], Value::Null);
    assert_eq!(dropped, "");
}

#[tokio::test]
async fn efforts_are_told_in_the_targets_words() {
    let (body, dropped) = sent(
        &layer(),
        with(json!({"reasoning": {"effort": "low", "summary": "auto"}})),
    )
    .await;
    assert_eq!(
        body["thinking"],
        json!({"type": "enabled", "budget_tokens": 2_048, "display": "summarized"})
    );
    assert_eq!(dropped, "");
    let (body, dropped) = sent(
        &layer(),
        with(json!({"reasoning": {"effort": "none", "generate_summary": "detailed", "mode": "standard", "context": "auto"}})),
    )
    .await;
    assert_eq!(body["thinking"], Value::Null);
    assert_eq!(dropped, "reasoning.summary;changed");
}

#[tokio::test]
async fn neutral_words_are_neither_dropped_aloud_nor_refused() {
    let neutral = json!({
        "background": false, "store": false, "stream": false, "truncation": "disabled", "temperature": 1, "top_p": 1.0,
        "tools": [], "tool_choice": "auto", "parallel_tool_calls": true, "metadata": {}, "service_tier": "auto",
        "include": ["reasoning.encrypted_content"], "max_tool_calls": 3, "top_logprobs": 0, "reasoning": {}, "text": {},
        "previous_response_id": null, "conversation": null, "prompt": null, "instructions": null, "user": null,
        "stream_options": {"include_obfuscation": false}, "context_management": [], "client_metadata": {},
    });
    let (body, dropped) = sent(&layer(), with(neutral)).await;
    assert_eq!(
        body,
        json!({"model": support::MODEL, "max_tokens": 9_000, "messages": [{"role": "user", "content": "hi"}]})
    );
    assert_eq!(dropped, "");
}

#[tokio::test]
async fn what_only_nudges_is_dropped_aloud_by_the_callers_name() {
    let server = json!([{"type": "web_search_preview"}]);
    for (members, name) in [
        (json!({"store": true}), "store"),
        (json!({"truncation": "auto"}), "truncation"),
        (json!({"metadata": {"a": "b"}}), "metadata"),
        (json!({"prompt_cache_key": "k"}), "prompt_cache_key"),
        (json!({"service_tier": "flex"}), "service_tier"),
        (json!({"text": {"verbosity": "high"}}), "text.verbosity"),
        (
            json!({"include": ["message.output_text.logprobs"]}),
            "include",
        ),
        (
            json!({"include": ["web_search_call.action.sources"]}),
            "include",
        ),
        (
            json!({"tools": server, "max_tool_calls": 2}),
            "max_tool_calls",
        ),
        (
            json!({"stream_options": {"include_obfuscation": true}}),
            "stream_options.include_obfuscation",
        ),
        (json!({"client_metadata": {"a": "b"}}), "client_metadata"),
        (
            json!({"context_management": [{"type": "compaction"}]}),
            "context_management",
        ),
        (json!({"reasoning": {"mode": "pro"}}), "reasoning.mode"),
        (
            json!({"reasoning": {"context": "all_turns"}}),
            "reasoning.context",
        ),
        (
            json!({"input": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "phase": "commentary"},
                {"role": "user", "content": "c"}]}),
            "input.phase",
        ),
        (
            json!({"input": [{"role": "user", "content": "a"},
                {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
                {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}),
            "input.server_tool_call",
        ),
        (
            json!({"user": "u", "safety_identifier": "v"}),
            "safety_identifier",
        ),
    ] {
        let (_, dropped) = sent(&layer(), with(members)).await;
        assert_eq!(dropped, name);
    }
}

#[tokio::test]
async fn what_changes_the_meaning_is_refused_by_its_place() {
    let item = |item: Value| json!({"input": [{"role": "user", "content": "a"}, item]});
    let part = |part: Value| json!({"input": [{"role": "user", "content": [part]}]});
    for (members, code, param) in [
        (
            json!({"previous_response_id": "resp_1"}),
            "unsupported_parameter",
            "previous_response_id",
        ),
        (
            json!({"conversation": "conv_1"}),
            "unsupported_parameter",
            "conversation",
        ),
        (
            json!({"prompt": {"id": "p"}}),
            "unsupported_parameter",
            "prompt",
        ),
        (
            json!({"background": true}),
            "unsupported_parameter",
            "background",
        ),
        (
            item(json!({"type": "item_reference", "id": "msg_1"})),
            "unsupported_parameter",
            "input[1]",
        ),
        (
            item(json!({"type": "compaction", "encrypted_content": "x"})),
            "unsupported_parameter",
            "input[1].type",
        ),
        (
            item(json!({"type": "computer_call_output", "call_id": "c", "output": {}})),
            "unsupported_parameter",
            "input[1].type",
        ),
        (
            item(json!({"type": "function_call", "call_id": "c", "name": "f", "arguments": "[1]"})),
            "unsupported_parameter",
            "input[1].arguments",
        ),
        (
            item(json!({"type": "function_call", "name": "f", "arguments": "{}"})),
            "invalid_value",
            "input[1].call_id",
        ),
        (
            item(json!({"type": "function_call_output", "call_id": "c"})),
            "invalid_value",
            "input[1].output",
        ),
        (
            item(json!({"role": "critic", "content": "a"})),
            "invalid_value",
            "input[1].role",
        ),
        (
            item(
                json!({"role": "system", "content": [{"type": "input_image", "image_url": "https://a.example/b"}]}),
            ),
            "unsupported_parameter",
            "input[1].content",
        ),
        (
            part(json!({"type": "input_image"})),
            "invalid_value",
            "input[0].content[0].image_url",
        ),
        (
            part(json!({"type": "input_image", "image_url": "b.png"})),
            "invalid_value",
            "input[0].content[0].image_url",
        ),
        (
            part(json!({"type": "input_video"})),
            "unsupported_parameter",
            "input[0].content[0].type",
        ),
        (
            part(json!({"type": "input_audio", "input_audio": {"format": "wav", "data": "AAAA"}})),
            "unsupported_parameter",
            "input[0]",
        ),
        (
            json!({"tools": [{"type": "mcp", "server_label": "l"}]}),
            "unsupported_parameter",
            "tools",
        ),
        (
            json!({"tool_choice": {"type": "mcp", "server_label": "l"}}),
            "unsupported_parameter",
            "tool_choice.type",
        ),
        (
            json!({"tool_choice": "some"}),
            "invalid_value",
            "tool_choice",
        ),
        (json!({"temperature": 2.1}), "invalid_value", "temperature"),
        (
            json!({"text": {"format": {"type": "json_schema", "name": "n"}}}),
            "invalid_value",
            "text.format.schema",
        ),
        (
            json!({"reasoning": {"effort": "lots"}}),
            "invalid_value",
            "reasoning.effort",
        ),
        (
            json!({"truncation": "middle"}),
            "invalid_value",
            "truncation",
        ),
        (json!({"input": []}), "invalid_value", "input"),
        (json!({"input": 1}), "invalid_value", "input"),
        (json!({"canary": 1}), "unsupported_parameter", "canary"),
    ] {
        let (status, error) = refused(with(members)).await;
        assert_eq!(
            (status, &error["code"], &error["param"]),
            (400, &json!(code), &json!(param)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_is_not_stored_is_told_with_the_mend() {
    for name in ["previous_response_id", "conversation"] {
        let (_, error) = refused(with(json!({name: "x_1"}))).await;
        let says = error["message"].as_str().unwrap();
        assert!(
            says.contains("send the whole input with each request"),
            "{says}"
        );
    }
}

#[tokio::test]
async fn a_search_of_the_web_is_offered_where_the_target_has_one() {
    for kind in ["web_search", "web_search_preview", "web_search_2025_08_26"] {
        let tool = json!({"type": kind, "user_location": {"type": "approximate", "country": "IT"}});
        let (body, dropped) = sent(&layer(), with(json!({"tools": [tool]}))).await;
        assert_eq!(body["tools"][0]["name"], "web_search");
        assert_eq!(body["tools"][0]["user_location"]["country"], "IT");
        assert_eq!(dropped, "");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        prop::sample::select(vec![
            "message",
            "user",
            "assistant",
            "reasoning",
            "function_call",
            "function_call_output",
            "input_text",
            "output_text",
            "input_image",
            "input_file",
            "data:image/png;base64,AA",
            "function",
            "custom",
            "auto",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        let key = prop::sample::select(vec![
            "type",
            "role",
            "content",
            "text",
            "id",
            "call_id",
            "name",
            "arguments",
            "output",
            "summary",
            "encrypted_content",
            "image_url",
            "file_data",
            "tools",
            "input",
            "format",
            "schema",
            "x",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.prop_map(str::to_owned), inner, 0..6).prop_map(
                |members| Value::from(members.into_iter().collect::<serde_json::Map<_, _>>())
            ),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]
    #[test]
    fn any_members_end_in_a_refusal_or_a_message(
        members in prop::collection::btree_map(
            prop::sample::select(vec![
                "input", "instructions", "tools", "tool_choice", "text", "reasoning", "include", "metadata", "store",
                "previous_response_id", "prompt", "truncation", "user", "max_output_tokens", "temperature", "x",
            ]),
            any_json(),
            0..4,
        ),
        drop in any::<bool>(),
    ) {
        let mut request = json!({"model": "house", "max_output_tokens": 9, "input": [{"role": "user", "content": "a"}]});
        for (key, value) in members {
            request[key] = value;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let policy = if drop { Unknown::Drop } else { Unknown::Refuse };
        for layer in [layer(), to_chat(), to_gemini()] {
            let got = runtime.block_on(asked(&layer.unknown(policy), request.to_string()));
            match got.sent {
                Some(sent) => { sent.json(); }
                None => {
                    prop_assert_eq!(got.status, 400);
                    prop_assert!(got.json()["error"]["message"].is_string());
                }
            }
        }
    }
}
