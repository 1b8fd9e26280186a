//! Every client's requests, as Bedrock's Converse gets them: each row of the requirements that names Bedrock is a test here.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Model, ModelFacts, Target, Thinking, TooHot, TranslateLayer};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, chat, exchange, post};

const CLAUDE: &str = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
const NOVA: &str = "us.amazon.nova-2-lite-v1:0";
const LLAMA: &str = "us.meta.llama4-scout-17b-instruct-v1:0";
const ANSWER: &str = r#"{"metrics":{"latencyMs":1},"output":{"message":{"content":[{"text":"hi"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5}}"#;

fn layer(model: &str) -> TranslateLayer {
    support::layer().to(Target::new(Dialect::BedrockConverse, model))
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

async fn asked(model: &str, body: String) -> Got {
    exchange(&layer(model), chat(body), support::json(200, ANSWER)).await
}

/// What Converse gets, and what is reported.
async fn sent(model: &str, body: String) -> (Value, String) {
    let got = asked(model, body).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

/// What Converse gets of Anthropic's client.
async fn sent_by_anthropic(model: &str, mut body: Value) -> (Value, String) {
    body["model"] = "house".into();
    body["max_tokens"] = 99.into();
    let request = post("/v1/messages", body.to_string());
    let got = exchange(&layer(model), request, support::json(200, ANSWER)).await;
    assert_eq!(got.status, 200, "{}", got.text);
    (got.sent.clone().unwrap().json(), got.dropped().to_owned())
}

async fn refused(model: &str, body: String) -> (u16, String) {
    let got = asked(model, body).await;
    assert!(got.sent.is_none(), "{:?}", got.sent);
    let says = got.json()["error"]["message"].as_str().unwrap().to_owned();
    (got.status, says)
}

fn weather() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "description": "d", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}])
}

fn call(id: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}})
}

#[tokio::test]
async fn the_models_name_is_one_segment_of_the_path_and_streams_have_their_own() {
    for (model, segment) in [
        (CLAUDE, "us.anthropic.claude-haiku-4-5-20251001-v1%3A0"),
        (
            "arn:aws:bedrock:eu-west-1:1:inference-profile/x",
            "arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fx",
        ),
        ("../../v1/files?key=", "..%2F..%2Fv1%2Ffiles%3Fkey%3D"),
    ] {
        for (stream, operation) in [(false, "converse"), (true, "converse-stream")] {
            let got = asked(model, with(json!({"stream": stream}))).await;
            let sent = got.sent.unwrap();
            assert_eq!(
                sent.uri.to_string(),
                format!("/model/{segment}/{operation}")
            );
            assert_eq!(sent.dialect, Some(Dialect::BedrockConverse));
            assert_eq!(
                sent.text,
                r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#
            );
        }
    }
}

#[tokio::test]
async fn instructions_stand_in_front_and_those_from_inside_are_reported() {
    let messages = json!([
        {"role": "developer", "content": "a"},
        {"role": "user", "content": "b"},
        {"role": "system", "content": "c"},
        {"role": "user", "content": "d"},
    ]);
    let (body, lost) = sent(CLAUDE, saying(messages)).await;
    assert_eq!(body["system"], json!([{"text": "a"}, {"text": "c"}]));
    assert_eq!(
        body["messages"],
        json!([{"role": "user", "content": [{"text": "b"}, {"text": "d"}]}])
    );
    assert_eq!(lost, "messages.system;moved");
    let (body, lost) = sent(
        CLAUDE,
        saying(json!([{"role": "system", "content": "only"}])),
    )
    .await;
    assert_eq!(
        body,
        json!({"messages": [{"role": "user", "content": [{"text": "only"}]}]})
    );
    assert_eq!(lost, "messages.system;moved");
}

#[tokio::test]
async fn roles_alternate_results_come_first_and_nothing_is_made_up() {
    let messages = json!([
        {"role": "user", "content": "a"},
        {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": " "}]},
        {"role": "assistant", "content": null, "tool_calls": [call("c1", "{\"city\":\"x\"}"), call("c2", "")]},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
        {"role": "user", "content": "and?"},
        {"role": "tool", "tool_call_id": "c1", "content": ""},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "e"},
    ]);
    let (body, lost) = sent(
        CLAUDE,
        with(json!({"messages": messages, "tools": weather()})),
    )
    .await;
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
            {"role": "assistant", "content": [
                {"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "x"}}},
                {"toolUse": {"toolUseId": "c2", "name": "weather", "input": {}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "c2", "content": [{"text": "two"}]}},
                {"toolResult": {"toolUseId": "c1", "content": []}},
                {"text": "and?"},
                {"text": "e"},
            ]},
        ])
    );
    assert_eq!(lost, "messages.content, messages");
    let (status, says) = refused(CLAUDE, saying(json!([{"role": "user", "content": ""}]))).await;
    assert_eq!(
        (status, says.as_str()),
        (400, "messages: at least one message with something in it")
    );
}

#[tokio::test]
async fn a_history_of_calls_without_tools_gets_the_tools_declared() {
    let messages = json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "tool_calls": [call("c1", "{}"), call("c2", "{}")]},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "tool", "tool_call_id": "c2", "content": "2"},
    ]);
    let (body, lost) = sent(CLAUDE, saying(messages.clone())).await;
    let declared = json!({"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object"}}}}]});
    assert_eq!(body["toolConfig"], declared);
    assert_eq!(lost, "tools;changed");
    // Tools that may not be called can't be withheld either then.
    let none = json!({"messages": messages, "tools": weather(), "tool_choice": "none"});
    let (body, lost) = sent(CLAUDE, with(none)).await;
    assert_eq!(body["toolConfig"]["tools"].as_array().unwrap().len(), 1);
    assert_eq!(body["toolConfig"].get("toolChoice"), None);
    assert_eq!(lost, "tool_choice");
    let orphan = json!([{"role": "user", "content": "a"}, {"role": "tool", "tool_call_id": "c1", "content": "1"}]);
    assert_eq!(refused(CLAUDE, saying(orphan)).await.0, 400);
}

#[tokio::test]
async fn a_choice_of_tools_is_auto_any_or_tool_and_none_withholds_them() {
    for (choice, told) in [
        (json!(null), json!({})),
        (json!("auto"), json!({})),
        (json!("required"), json!({"toolChoice": {"any": {}}})),
        (
            json!({"type": "function", "function": {"name": "weather"}}),
            json!({"toolChoice": {"tool": {"name": "weather"}}}),
        ),
    ] {
        let (body, lost) = sent(
            CLAUDE,
            with(json!({"tools": weather(), "tool_choice": choice})),
        )
        .await;
        let spec = json!({"name": "weather", "description": "d", "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}}});
        let mut config = json!({"tools": [{"toolSpec": spec}]});
        if let Some(told) = told.get("toolChoice") {
            config["toolChoice"] = told.clone();
        }
        assert_eq!(body["toolConfig"], config, "{choice}");
        assert_eq!(lost, "");
    }
    let (body, lost) = sent(
        CLAUDE,
        with(json!({"tools": weather(), "tool_choice": "none"})),
    )
    .await;
    assert_eq!((body.get("toolConfig"), lost.as_str()), (None, ""));
    let (_, lost) = sent(
        CLAUDE,
        with(json!({"tools": weather(), "parallel_tool_calls": false})),
    )
    .await;
    assert_eq!(lost, "parallel_tool_calls");
    for choice in [
        json!("required"),
        json!({"type": "function", "function": {"name": "x"}}),
    ] {
        assert_eq!(
            refused(CLAUDE, with(json!({"tool_choice": choice})))
                .await
                .0,
            400
        );
    }
    let choice = json!({"type": "function", "function": {"name": "other"}});
    assert_eq!(
        refused(
            CLAUDE,
            with(json!({"tools": weather(), "tool_choice": choice}))
        )
        .await
        .0,
        400
    );
}

#[tokio::test]
async fn ids_and_names_that_have_no_room_go_out_shortened_and_come_back() {
    let long = format!("mcp__{}.ü", "x".repeat(70));
    let id = format!("call|{}", "1".repeat(90));
    let function = |name: &str| json!({"type": "function", "function": {"name": name}});
    let messages = json!([
        {"role": "user", "content": "a"},
        {"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": {"name": long, "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": id, "content": "1"},
    ]);
    let body = with(
        json!({"messages": messages, "tools": [function(&long), function("short")], "tool_choice": function(&long)}),
    );
    let (sent, lost) = sent(CLAUDE, body.clone()).await;
    let there = sent["toolConfig"]["tools"][0]["toolSpec"]["name"]
        .as_str()
        .unwrap();
    assert!(
        there.len() <= 64
            && there
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)),
        "{there}"
    );
    assert_eq!(sent["toolConfig"]["toolChoice"]["tool"]["name"], there);
    assert_eq!(sent["messages"][1]["content"][0]["toolUse"]["name"], there);
    let id_there = sent["messages"][1]["content"][0]["toolUse"]["toolUseId"]
        .as_str()
        .unwrap();
    assert!(
        (1..=64).contains(&id_there.len()) && id_there.bytes().all(|b| b.is_ascii_alphanumeric()),
        "{id_there}"
    );
    assert_eq!(
        sent["messages"][2]["content"][0]["toolResult"]["toolUseId"],
        id_there
    );
    assert_eq!(lost, "tools.name;changed");

    let answer = json!({"output": {"message": {"content": [{"toolUse": {"toolUseId": "t", "name": there, "input": {}}}]}}, "stopReason": "tool_use"});
    let got = exchange(
        &layer(CLAUDE),
        chat(body),
        support::json(200, answer.to_string()),
    )
    .await;
    assert_eq!(
        got.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"],
        long
    );
}

#[tokio::test]
async fn signed_and_redacted_thoughts_go_back_byte_for_byte_to_their_maker_alone() {
    let history = |signature: &str, data: &str| {
        json!({"messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "t\u{2028}", "signature": signature},
                {"type": "redacted_thinking", "data": data},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {}},
            ]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x", "is_error": true}]},
        ]})
    };
    let (body, _) = sent_by_anthropic(CLAUDE, history("EqoB+/=", "EmwK+/==")).await;
    assert_eq!(
        body["messages"][1]["content"],
        json!([
            {"reasoningContent": {"reasoningText": {"text": "t\u{2028}", "signature": "EqoB+/="}}},
            {"reasoningContent": {"redactedContent": "EmwK+/=="}},
            {"toolUse": {"toolUseId": "toolu_1", "name": "weather", "input": {}}},
        ])
    );
    assert_eq!(
        body["messages"][2]["content"][0]["toolResult"]["status"],
        "error"
    );
    for (model, signature, data, lost) in [
        (NOVA, "EqoB", "EmwK", "messages.thinking, tools;changed"),
        (
            CLAUDE,
            "google:EqoB",
            "openai:EmwK",
            "messages.thinking, tools;changed",
        ),
        (CLAUDE, "", "no base64!", "messages.thinking, tools;changed"),
    ] {
        let (body, dropped) = sent_by_anthropic(model, history(signature, data)).await;
        assert_eq!(
            body["messages"][1]["content"].as_array().unwrap().len(),
            1,
            "{model}"
        );
        let mut all: Vec<_> = dropped.split(", ").collect();
        all.sort_unstable();
        assert_eq!(all.join(", "), lost, "{model}");
    }
}

#[tokio::test]
async fn thinking_is_asked_for_in_the_words_of_the_models_family() {
    let claude = |budget: u64| json!({"thinking": {"type": "enabled", "budget_tokens": budget}});
    let nova =
        |effort| json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": effort}});
    for (model, members, fields, lost) in [
        (
            CLAUDE,
            json!({"reasoning_effort": "low"}),
            claude(2_048),
            "",
        ),
        (
            CLAUDE,
            json!({"reasoning_effort": "low", "max_tokens": 2_000}),
            claude(1_500),
            "",
        ),
        (CLAUDE, json!({"reasoning_effort": "none"}), json!(null), ""),
        (
            CLAUDE,
            json!({"reasoning_effort": "low", "temperature": 0.5, "top_k": 3}),
            claude(2_048),
            "temperature, top_k",
        ),
        (
            CLAUDE,
            json!({"reasoning_effort": "low", "tools": weather(), "tool_choice": "required"}),
            json!(null),
            "reasoning_effort",
        ),
        (NOVA, json!({"reasoning_effort": "high"}), nova("high"), ""),
        (
            NOVA,
            json!({"reasoning_effort": "high", "temperature": 0.5}),
            nova("high"),
            "temperature",
        ),
        (
            NOVA,
            json!({"reasoning_effort": "high", "max_tokens": 9}),
            nova("medium"),
            "reasoning_effort;changed",
        ),
        (
            NOVA,
            json!({"reasoning_effort": "minimal", "max_tokens": 9}),
            nova("low"),
            "reasoning_effort;changed",
        ),
        (
            "openai.gpt-oss-120b-1:0",
            json!({"reasoning_effort": "medium"}),
            json!({"reasoning_effort": "medium"}),
            "",
        ),
        (
            LLAMA,
            json!({"reasoning_effort": "low"}),
            json!(null),
            "reasoning_effort",
        ),
    ] {
        let (body, dropped) = sent(model, with(members.clone())).await;
        let told = body
            .get("additionalModelRequestFields")
            .cloned()
            .unwrap_or_default();
        assert_eq!(
            (told, dropped.as_str()),
            (fields, lost),
            "{model} {members}"
        );
    }
    let adaptive = "global.anthropic.claude-haiku-5-5";
    let (body, lost) = sent(adaptive, with(json!({"reasoning_effort": "high"}))).await;
    assert_eq!(
        body["additionalModelRequestFields"],
        json!({"thinking": {"type": "adaptive"}})
    );
    assert_eq!(
        (&body["outputConfig"], lost.as_str()),
        (&json!({"effort": "high"}), "")
    );
}

#[tokio::test]
async fn sampling_goes_into_the_configuration_or_the_models_own_fields() {
    let config =
        json!({"maxTokens": 9, "temperature": 0.5, "topP": 0.25, "stopSequences": ["a", "\n"]});
    let members =
        json!({"max_completion_tokens": 9, "temperature": 0.5, "top_p": 0.25, "stop": ["a", "\n"]});
    let (body, lost) = sent(LLAMA, with(members.clone())).await;
    assert_eq!((&body["inferenceConfig"], lost.as_str()), (&config, ""));
    let (_, lost) = sent(CLAUDE, with(members)).await;
    assert_eq!(lost, "top_p", "Anthropic's refuse both at once");
    for (model, field) in [
        (CLAUDE, json!({"top_k": 5})),
        ("mistral.mistral-large-2407-v1:0", json!({"top_k": 5})),
        ("cohere.command-r-plus-v1:0", json!({"k": 5})),
        (NOVA, json!({"inferenceConfig": {"topK": 5}})),
    ] {
        let (body, _) = sent(model, with(json!({"top_k": 5}))).await;
        assert_eq!(body["additionalModelRequestFields"], field, "{model}");
    }
    let (_, lost) = sent(
        LLAMA,
        with(
            json!({"top_k": 5, "seed": 7, "user": "u", "temperature": 1.5, "presence_penalty": 0}),
        ),
    )
    .await;
    assert_eq!(lost, "seed, temperature;changed, top_k, user");
    let strict = layer(CLAUDE).too_hot(TooHot::Refuse);
    let got = exchange(
        &strict,
        chat(with(json!({"temperature": 1.5}))),
        support::json(200, ANSWER),
    )
    .await;
    assert_eq!(got.status, 400);
    let stops = |count: usize| vec!["x"; count];
    let messages = |count: usize| json!({"messages": [{"role": "user", "content": "a"}], "stop_sequences": stops(count)});
    assert_eq!(
        sent_by_anthropic(CLAUDE, messages(2_500)).await.0["inferenceConfig"]["stopSequences"]
            .as_array()
            .unwrap()
            .len(),
        2_500
    );
    let mut body = messages(2_501);
    body["model"] = "house".into();
    body["max_tokens"] = 9.into();
    let got = exchange(
        &layer(CLAUDE),
        post("/v1/messages", body.to_string()),
        support::json(200, ANSWER),
    )
    .await;
    assert_eq!(
        (got.status, &got.json()["error"]["message"]),
        (
            400,
            &json!("stop_sequences: the provider takes 2,500 at most")
        )
    );
}

#[tokio::test]
async fn a_form_of_the_answer_is_the_apis_own_or_a_hidden_tool() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": false});
    let format = |strict: bool| json!({"type": "json_schema", "json_schema": {"name": "person", "description": "d", "schema": schema, "strict": strict}});
    let (body, lost) = sent(CLAUDE, with(json!({"response_format": format(true)}))).await;
    let text = &body["outputConfig"]["textFormat"];
    assert_eq!(text["type"], "json_schema");
    let structure = &text["structure"]["jsonSchema"];
    assert_eq!(
        (&structure["name"], &structure["description"]),
        (&json!("person"), &json!("d"))
    );
    assert_eq!(
        serde_json::from_str::<Value>(structure["schema"].as_str().unwrap()).unwrap(),
        schema
    );
    assert_eq!((body.get("toolConfig"), lost.as_str()), (None, ""));

    for (format, schema, lost) in [
        (
            format(false),
            schema.clone(),
            "response_format.json_schema.name",
        ),
        (
            json!({"type": "json_object"}),
            json!({"type": "object"}),
            "",
        ),
        (
            format(true),
            schema.clone(),
            "response_format.json_schema.name, response_format.json_schema.strict",
        ),
    ] {
        let body = with(json!({"response_format": format}));
        let (sent, dropped) = sent(NOVA, body.clone()).await;
        let spec = &sent["toolConfig"]["tools"][0]["toolSpec"];
        assert_eq!(spec["inputSchema"]["json"], schema);
        assert_eq!(sent["toolConfig"]["toolChoice"], json!({"any": {}}));
        assert_eq!(dropped, lost);
        let answer = json!({"output": {"message": {"content": [{"toolUse": {"toolUseId": "t", "name": spec["name"], "input": {"n": 1}}}]}}, "stopReason": "tool_use"});
        let got = exchange(
            &layer(NOVA),
            chat(body),
            support::json(200, answer.to_string()),
        )
        .await;
        let choice = &got.json()["choices"][0];
        assert_eq!(choice["message"]["content"], "{\"n\":1}");
        assert_eq!(
            (
                &choice["finish_reason"],
                choice["message"].get("tool_calls")
            ),
            (&json!("stop"), None)
        );
    }
}

#[tokio::test]
async fn images_and_documents_go_by_their_data_and_by_no_address_but_s3() {
    let user = |part: Value| {
        saying(json!([{"role": "user", "content": [{"type": "text", "text": "a"}, part]}]))
    };
    let image = |url: &str| user(json!({"type": "image_url", "image_url": {"url": url}}));
    let (body, _) = sent(CLAUDE, image("data:image/jpg;base64,/9j+")).await;
    assert_eq!(
        body["messages"][0]["content"][1],
        json!({"image": {"format": "jpeg", "source": {"bytes": "/9j+"}}})
    );
    for body in [
        image("https://example.com/a.png"),
        image("data:image/bmp;base64,aGk="),
    ] {
        assert_eq!(refused(CLAUDE, body).await.0, 400);
    }
    let file = |name: &str, data: &str| {
        user(json!({"type": "file", "file": {"filename": name, "file_data": data}}))
    };
    for (name, data, document, lost) in [
        (
            "report (1)",
            "data:application/pdf;base64,JVBE",
            json!({"format": "pdf", "name": "report (1)", "source": {"bytes": "JVBE"}}),
            "",
        ),
        (
            "a_b..c.md",
            "data:text/plain;base64,aGk=",
            json!({"format": "txt", "name": "a b c md", "source": {"text": "hi"}}),
            "messages.file.filename;changed",
        ),
        (
            "t.csv",
            "data:text/csv;base64,YSxi",
            json!({"format": "csv", "name": "t csv", "source": {"bytes": "YSxi"}}),
            "messages.file.filename;changed",
        ),
    ] {
        let (body, dropped) = sent(CLAUDE, file(name, data)).await;
        assert_eq!(
            (
                &body["messages"][0]["content"][1]["document"],
                dropped.as_str()
            ),
            (&document, lost)
        );
    }
    let document = |title: Value| json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "d"}, "title": title});
    let three = [
        document("x".into()),
        document("x".into()),
        document(json!(null)),
    ];
    let (body, lost) = sent_by_anthropic(
        CLAUDE,
        json!({"messages": [{"role": "user", "content": three}]}),
    )
    .await;
    let names = body["messages"][0]["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| block["document"]["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["x", "x (2)", "document"]);
    assert_eq!(lost, "messages.file.filename;changed");
}

#[tokio::test]
async fn marks_for_the_cache_are_cache_points() {
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let point = json!({"cachePoint": {"type": "default", "ttl": "1h"}});
    let short = json!({"cachePoint": {"type": "default"}});
    let body = json!({
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "tools": [{"name": "weather", "input_schema": {"type": "object"}, "cache_control": mark}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "a", "cache_control": mark}, {"type": "text", "text": "b"}]}],
        "cache_control": {"type": "ephemeral"},
    });
    let (sent, lost) = sent_by_anthropic(CLAUDE, body.clone()).await;
    assert_eq!(sent["system"], json!([{"text": "s"}, short]));
    assert_eq!(sent["toolConfig"]["tools"][1], point);
    assert_eq!(
        sent["messages"][0]["content"],
        json!([{"text": "a"}, point, {"text": "b"}, short])
    );
    assert_eq!(lost, "");
    let (sent, lost) = sent_by_anthropic(NOVA, body.clone()).await;
    assert_eq!(sent["toolConfig"]["tools"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&sent["system"][1], lost.as_str()),
        (&short, "cache_control")
    );
    let (sent, lost) = sent_by_anthropic(LLAMA, body).await;
    assert_eq!(
        (sent.to_string().contains("cachePoint"), lost.as_str()),
        (false, "cache_control")
    );
}

#[tokio::test]
async fn tiers_guardrails_and_metadata_pass_where_the_api_has_them() {
    let guardrail =
        json!({"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"});
    for (members, key, told, lost) in [
        (
            json!({"service_tier": "flex"}),
            "serviceTier",
            json!({"type": "flex"}),
            "",
        ),
        (
            json!({"service_tier": "scale"}),
            "serviceTier",
            json!(null),
            "service_tier",
        ),
        (
            json!({"guardrail_config": guardrail}),
            "guardrailConfig",
            guardrail.clone(),
            "",
        ),
        (
            json!({"guardrailConfig": guardrail}),
            "guardrailConfig",
            guardrail.clone(),
            "",
        ),
        (
            json!({"metadata": {"team": "a-b"}}),
            "requestMetadata",
            json!({"team": "a-b"}),
            "",
        ),
        (
            json!({"metadata": {"team": "ü"}}),
            "requestMetadata",
            json!(null),
            "metadata",
        ),
        (
            json!({"metadata": {"": "a"}}),
            "requestMetadata",
            json!(null),
            "metadata",
        ),
    ] {
        let (body, dropped) = sent(CLAUDE, with(members)).await;
        assert_eq!(
            (body.get(key).cloned().unwrap_or_default(), dropped.as_str()),
            (told, lost)
        );
    }
    assert_eq!(
        refused(CLAUDE, with(json!({"guardrail_config": "x"})))
            .await
            .0,
        400
    );
}

#[tokio::test]
async fn novas_own_tools_are_named_and_other_models_have_none() {
    let search = json!({"messages": [{"role": "user", "content": "a"}], "tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "user_location": {"type": "approximate", "city": "x"}}]});
    let (body, lost) = sent_by_anthropic(NOVA, search.clone()).await;
    assert_eq!(
        body["toolConfig"]["tools"],
        json!([{"systemTool": {"name": "nova_grounding"}}])
    );
    assert_eq!(lost, "tools.web_search");
    let mut body = search;
    body["model"] = "house".into();
    body["max_tokens"] = 9.into();
    let got = exchange(
        &layer(CLAUDE),
        post("/v1/messages", body.to_string()),
        support::json(200, ANSWER),
    )
    .await;
    assert_eq!(got.status, 400);
}

#[tokio::test]
async fn the_most_that_a_model_writes_bounds_what_is_asked() {
    let mut model = Model::new(100);
    model.thinking = Thinking::None;
    let layer = layer(LLAMA).models(ModelFacts::empty().with(LLAMA, model));
    let got = exchange(
        &layer,
        chat(with(json!({"max_tokens": 200}))),
        support::json(200, ANSWER),
    )
    .await;
    assert_eq!(
        got.sent.clone().unwrap().json()["inferenceConfig"]["maxTokens"],
        100
    );
    assert_eq!(got.dropped(), "max_completion_tokens;changed");
}

#[path = "to_bedrock/spec.rs"]
mod spec;

/// What each request that was recorded of any client becomes is what Amazon's own model of the service takes.
#[tokio::test]
async fn every_recorded_request_is_refused_by_name_or_fits_the_services_model() {
    let Some(spec) = spec::Spec::read() else {
        return;
    };
    let mut fitting = 0;
    for (recording, path) in [
        ("openai.chat", "/v1/chat/completions"),
        ("azure.chat", "/v1/chat/completions"),
        ("mistral.chat", "/v1/chat/completions"),
        ("openrouter.chat", "/v1/chat/completions"),
        ("anthropic.messages", "/v1/messages"),
        ("gemini.generateContent", "/v1beta/models/m:generateContent"),
    ] {
        for recorded in support::recorded(recording) {
            let Some(body) = support::body(&recorded["request"]) else {
                continue;
            };
            for model in [CLAUDE, NOVA, LLAMA] {
                let got = exchange(
                    &layer(model),
                    post(path, body.clone()),
                    support::json(200, ANSWER),
                )
                .await;
                let Some(sent) = got.sent else {
                    assert_eq!(got.status, 400, "{}", got.text);
                    continue;
                };
                let faults = spec.faults("ConverseRequest", &sent.json());
                assert!(faults.is_empty(), "{faults:?}\n{body}\n{}", sent.text);
                fitting += 1;
            }
        }
    }
    assert!(fitting > 1_000, "{fitting}");
}

proptest! {
    #[test]
    fn whatever_the_texts_what_goes_out_is_what_the_service_takes_and_the_same_each_time(
        texts in prop::collection::vec(("[usat]", "\\PC{0,8}|[ \\n]{0,3}"), 1..8),
    ) {
        let messages: Vec<Value> = texts.iter().map(|(role, text)| match role.as_str() {
            "u" => json!({"role": "user", "content": text}),
            "s" => json!({"role": "system", "content": text}),
            "a" => json!({"role": "assistant", "content": text, "tool_calls": [call(text, "{}")]}),
            _ => json!({"role": "tool", "tool_call_id": text, "content": text}),
        }).collect();
        let body = with(json!({"messages": messages, "tools": weather()}));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let got = runtime.block_on(asked(CLAUDE, body.clone()));
        let again = runtime.block_on(asked(CLAUDE, body));
        match (got.sent, again.sent) {
            (Some(sent), Some(again)) => {
                prop_assert_eq!(&sent.text, &again.text);
                let roles: Vec<_> = sent.json()["messages"].as_array().unwrap().iter().map(|turn| turn["role"].clone()).collect();
                prop_assert!(roles.windows(2).all(|pair| pair[0] != pair[1]), "{}", sent.text);
                if let Some(spec) = spec::Spec::read() {
                    prop_assert_eq!(spec.faults("ConverseRequest", &sent.json()), Vec::<String>::new());
                }
            }
            (None, None) => prop_assert_eq!(got.status, 400),
            _ => prop_assert!(false, "once it went out"),
        }
    }
}
