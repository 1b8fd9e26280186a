//! Each dialect's walk finds every text, says who wrote it, and reports what it does not know.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use Direction::{Event, Reply, Request};
use bartizan_core::{
    Closes, Dialect, Direction, Document, Finish, Refusal, RefusalKind, TextRole, Usage,
};

fn read(dialect: Dialect, direction: Direction, text: &str) -> Document {
    Document::read(text, dialect, direction).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

/// Every text is written as the name of its role, so that the table tells itself what is right.
fn texts_name_their_roles(dialect: Dialect, direction: Direction, text: &str, count: usize) {
    let document = read(dialect, direction, text);
    let found: Vec<_> = document
        .texts()
        .map(|text| (text.as_str().to_owned(), text.role().as_str()))
        .collect();
    for (says, role) in &found {
        assert_eq!(says, role, "{text}");
    }
    assert_eq!(found.len(), count, "{text}: {found:?}");
    assert_eq!(document.unseen(), [], "{text}");
}

#[test]
fn openai_chat_texts_are_found_with_their_roles() {
    let request = r#"{"model":"m","messages":[
        {"content":"system","role":"system"},
        {"role":"developer","content":[{"type":"text","text":"system"}]},
        {"role":"user","name":"end_user","content":[{"type":"text","text":"user"},{"type":"image_url","image_url":{"url":"data:x"}},
            {"type":"input_audio","input_audio":{"data":"x","format":"wav"}},{"type":"file","file":{"filename":"file_name","file_data":"x"}}]},
        {"role":"assistant","content":null,"refusal":"refusal","reasoning_content":"reasoning",
            "tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{\"tool_arguments\":[\"tool_arguments\",{\"tool_arguments\":1}]}"}}]},
        {"role":"tool","tool_call_id":"x","content":"tool_result"},
        {"role":"function","name":"end_user","content":"tool_result"}],
        "tools":[{"type":"function","function":{"name":"f","description":"tool_definition","parameters":{"type":"tool_definition","properties":{"x":{"description":"tool_definition"}}}}}],
        "user":"end_user","metadata":{"metadata":"metadata"},"stop":["other"],"unheard_of":{"deep":["other"]},"prediction":{"type":"content","content":"assistant"}}"#;
    texts_name_their_roles(Dialect::OpenAiChat, Request, request, 22);
    let reply = r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"assistant","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}]}"#;
    texts_name_their_roles(Dialect::OpenAiChat, Reply, reply, 1);
    let chunk = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"assistant","reasoning_content":"reasoning","refusal":"refusal","tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"tool_arguments"}}]}}]}"#;
    texts_name_their_roles(Dialect::OpenAiChat, Event, chunk, 4);
}

#[test]
fn openai_responses_texts_are_found_with_their_roles() {
    let request = r#"{"model":"m","instructions":"system","input":[
        {"role":"user","content":"user"},
        {"type":"message","role":"developer","content":[{"type":"input_text","text":"system"}]},
        {"type":"message","role":"assistant","content":[{"type":"output_text","text":"assistant","annotations":[]},{"type":"refusal","refusal":"refusal"}]},
        {"type":"reasoning","summary":[{"type":"summary_text","text":"reasoning"}],"encrypted_content":"x"},
        {"type":"function_call","call_id":"x","name":"f","arguments":"{\"tool_arguments\":\"tool_arguments\"}"},
        {"type":"function_call_output","call_id":"x","output":"tool_result"},
        {"type":"function_call_output","call_id":"x","output":[{"type":"input_text","text":"tool_result"}]},
        {"role":"user","content":[{"type":"input_file","filename":"file_name","file_data":"x"},{"type":"input_image","image_url":"x"}]}],
        "metadata":{"metadata":"metadata"},"user":"end_user","prompt":{"id":"x","variables":{"a":"user"}}}"#;
    texts_name_their_roles(Dialect::OpenAiResponses, Request, request, 15);
    texts_name_their_roles(
        Dialect::OpenAiResponses,
        Request,
        r#"{"model":"m","input":"user"}"#,
        1,
    );
    let completed = r#"{"type":"response.completed","sequence_number":9,"response":{"id":"x","status":"completed","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"assistant"}]}]}}"#;
    texts_name_their_roles(Dialect::OpenAiResponses, Event, completed, 1);
}

#[test]
fn anthropic_texts_are_found_with_their_roles() {
    let request = r#"{"model":"m","max_tokens":9,"system":[{"type":"text","text":"system","cache_control":{"type":"ephemeral"}}],"messages":[
        {"role":"user","content":"user"},
        {"role":"assistant","content":[{"type":"thinking","thinking":"reasoning","signature":"x"},{"type":"redacted_thinking","data":"x"},
            {"type":"text","text":"assistant"},{"type":"tool_use","id":"x","name":"f","input":{"tool_arguments":["tool_arguments"]}}]},
        {"content":[{"type":"tool_result","tool_use_id":"x","content":[{"type":"text","text":"tool_result"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"x"}}]},
            {"type":"tool_result","tool_use_id":"y","content":"tool_result"},
            {"type":"document","title":"file_name","context":"user","source":{"type":"text","media_type":"text/plain","data":"user"}}],"role":"user"}],
        "tools":[{"name":"f","description":"tool_definition","input_schema":{"type":"tool_definition"}}],"metadata":{"user_id":"end_user"},"stop_sequences":["other"]}"#;
    texts_name_their_roles(Dialect::AnthropicMessages, Request, request, 15);
    texts_name_their_roles(
        Dialect::AnthropicMessages,
        Request,
        r#"{"model":"m","system":"system","messages":[]}"#,
        1,
    );
    for (event, count) in [
        (
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"assistant"}}"#,
            1,
        ),
        (
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"assistant"}}"#,
            1,
        ),
        (
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"reasoning"}}"#,
            1,
        ),
        (
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"tool_arguments"}}"#,
            1,
        ),
        (
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}}"#,
            0,
        ),
        (r#"{"type":"ping"}"#, 0),
    ] {
        texts_name_their_roles(Dialect::AnthropicMessages, Event, event, count);
    }
}

#[test]
fn embeddings_and_any_json_are_text_to_the_last_string() {
    texts_name_their_roles(
        Dialect::OpenAiEmbeddings,
        Request,
        r#"{"model":"m","input":["input","input"],"user":"end_user"}"#,
        3,
    );
    texts_name_their_roles(
        Dialect::OpenAiEmbeddings,
        Request,
        r#"{"model":"m","input":"input"}"#,
        1,
    );
    texts_name_their_roles(
        Dialect::Json,
        Request,
        r#"{"other":["other",{"othe\u0072":1}]}"#,
        3,
    );
}

#[test]
fn parts_that_nobody_knows_are_reported_and_walked_all_the_same() {
    let cases = [
        (
            Dialect::OpenAiChat,
            r#"{"messages":[{"role":"user","content":[{"type":"hologram","data":{"x":"secret"}}]}]}"#,
            "content",
        ),
        (
            Dialect::OpenAiResponses,
            r#"{"input":[{"type":"seance","words":["secret"]}]}"#,
            "input",
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"messages":[{"role":"user","content":[{"type":"hologram","x":"secret"}]}]}"#,
            "content",
        ),
    ];
    for (dialect, text, place) in cases {
        let document = read(dialect, Request, text);
        assert_eq!(
            document
                .unseen()
                .iter()
                .map(bartizan_core::Unseen::place)
                .collect::<Vec<_>>(),
            [place]
        );
        assert!(
            document
                .texts()
                .any(|text| text.as_str() == "secret" && text.role() == TextRole::Other)
        );
    }
    // Tokens one by one can spell what no text says.
    let logprobs = r#"{"choices":[{"index":0,"message":{"content":"x"},"logprobs":{"content":[{"token":"x"}]}}]}"#;
    assert_eq!(read(Dialect::OpenAiChat, Reply, logprobs).unseen().len(), 1);
}

#[test]
fn arguments_that_are_no_json_are_one_text() {
    for arguments in [
        "",
        "{",
        "{\\\"a\\\":",
        "plain words",
        "{\\\"a\\\":\\\"\\\\ud800\\\"}",
    ] {
        let request = format!(
            r#"{{"messages":[{{"role":"assistant","tool_calls":[{{"function":{{"arguments":"{arguments}"}}}}]}}]}}"#
        );
        let document = read(Dialect::OpenAiChat, Request, &request);
        assert_eq!(document.texts().count(), 1, "{request}");
    }
    // A key that a model wrote twice is walked both times.
    let twice = r#"{"messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":"{\"a\":\"b\",\"a\":\"c\"}"}}]}]}"#;
    let document = read(Dialect::OpenAiChat, Request, twice);
    assert_eq!(
        document
            .texts()
            .map(|text| text.as_str().to_owned())
            .collect::<Vec<_>>(),
        ["a", "b", "a", "c"]
    );
}

#[test]
fn facts_of_requests_are_read() {
    let chat = read(
        Dialect::OpenAiChat,
        Request,
        r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":5,"max_completion_tokens":9,"n":2,"user":"u"}"#,
    );
    let facts = chat.facts();
    assert_eq!(
        (facts.model.as_deref(), facts.stream, facts.include_usage),
        (Some("m"), true, true)
    );
    assert_eq!(
        (
            facts.max_output_tokens,
            facts.choices,
            facts.end_user.as_deref()
        ),
        (Some(9), Some(2), Some("u"))
    );
    let responses = read(
        Dialect::OpenAiResponses,
        Request,
        r#"{"model":"m","max_output_tokens":7}"#,
    );
    assert_eq!(responses.facts().max_output_tokens, Some(7));
    let anthropic = read(
        Dialect::AnthropicMessages,
        Request,
        r#"{"model":"m","max_tokens":7,"metadata":{"user_id":"u"}}"#,
    );
    assert_eq!(
        (
            anthropic.facts().max_output_tokens,
            anthropic.facts().end_user.as_deref()
        ),
        (Some(7), Some("u"))
    );
}

#[test]
fn token_classes_are_disjoint_whatever_the_provider_nests() {
    let usage = |dialect, direction, text| read(dialect, direction, text).facts().usage.unwrap();
    assert_eq!(
        usage(
            Dialect::OpenAiChat,
            Reply,
            r#"{"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":30,"audio_tokens":10},"completion_tokens_details":{"reasoning_tokens":20,"audio_tokens":5}}}"#
        ),
        Usage {
            input: 60,
            cached_input: 30,
            audio_input: 10,
            output: 25,
            reasoning: 20,
            audio_output: 5,
            ..Usage::default()
        }
    );
    // xAI's total shows that its reasoning stands beside completion_tokens.
    assert_eq!(
        usage(
            Dialect::OpenAiChat,
            Event,
            r#"{"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":20}}}"#
        ),
        Usage {
            input: 10,
            output: 5,
            reasoning: 20,
            ..Usage::default()
        }
    );
    assert_eq!(
        usage(
            Dialect::OpenAiResponses,
            Event,
            r#"{"type":"response.completed","response":{"usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":40,"cache_write_tokens":15},"output_tokens":50,"output_tokens_details":{"reasoning_tokens":20}}}}"#
        ),
        Usage {
            input: 45,
            cached_input: 40,
            cache_write: 15,
            output: 30,
            reasoning: 20,
            ..Usage::default()
        }
    );
    assert_eq!(
        usage(
            Dialect::AnthropicMessages,
            Event,
            r#"{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":20,"cache_creation_input_tokens":30,"output_tokens":1}}}"#
        ),
        Usage {
            input: 10,
            cached_input: 20,
            cache_write: 30,
            output: 1,
            ..Usage::default()
        }
    );
    // A provider whose details exceed its total never makes a class negative, nor the sum larger.
    // Where compatible servers put it.
    for place in [
        r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":USAGE}]}"#,
        r#"{"choices":[],"x_groq":{"id":"r","usage":USAGE}}"#,
        r#"{"choices":[],"usage":USAGE}"#,
    ] {
        for cached in [
            r#""cached_tokens":4"#,
            r#""prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":6"#,
            r#""prompt_tokens_details":{"cached_tokens":4},"prompt_cache_hit_tokens":4"#,
        ] {
            let said = format!(
                r#"{{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,{cached}}}"#
            );
            let text = place.replace("USAGE", &said);
            let document = read(Dialect::OpenAiChat, Direction::Event, &text);
            let read = document.facts().usage.unwrap();
            assert_eq!(
                (read.input, read.cached_input, read.output),
                (6, 4, 5),
                "{text}"
            );
        }
    }
    let odd = usage(
        Dialect::OpenAiChat,
        Reply,
        r#"{"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":161}}}"#,
    );
    assert_eq!(odd.total(), 15);
}

#[test]
fn events_say_how_the_stream_stands() {
    let table = [
        (
            Dialect::OpenAiChat,
            r#"{"choices":[{"index":1,"delta":{},"finish_reason":"tool_calls"}]}"#,
            Some(Finish::ToolCalls),
            Closes::Group(1),
            false,
            false,
        ),
        (
            Dialect::OpenAiChat,
            r#"{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}"#,
            None,
            Closes::Nothing,
            false,
            false,
        ),
        (
            Dialect::OpenAiChat,
            r#"{"error":{"message":"x"}}"#,
            None,
            Closes::Nothing,
            false,
            true,
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"content_block_stop","index":3}"#,
            None,
            Closes::Part(0, 3),
            false,
            false,
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"}}"#,
            Some(Finish::Length),
            Closes::All,
            false,
            false,
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"message_stop"}"#,
            None,
            Closes::All,
            true,
            false,
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#,
            None,
            Closes::All,
            false,
            true,
        ),
        (
            Dialect::OpenAiResponses,
            r#"{"type":"response.content_part.done","output_index":1,"content_index":2,"part":{"type":"output_text","text":"x"}}"#,
            None,
            Closes::Part(1, 2),
            false,
            false,
        ),
        (
            Dialect::OpenAiResponses,
            r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"}}}"#,
            Some(Finish::ContentFilter),
            Closes::All,
            true,
            false,
        ),
        (
            Dialect::OpenAiResponses,
            r#"{"type":"error","code":"x","message":"x"}"#,
            None,
            Closes::All,
            false,
            true,
        ),
    ];
    for (dialect, text, finish, closes, terminal, error) in table {
        let document = read(dialect, Event, text);
        let facts = document.facts();
        assert_eq!(
            (facts.finish, facts.closes, facts.terminal, facts.error),
            (finish, closes, terminal, error),
            "{text}"
        );
    }
}

#[test]
fn a_dialect_is_found_by_path_and_type() {
    let of = |method: &str, path: &str, content_type: &str| {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .body(())
            .unwrap();
        Dialect::of(&request.into_parts().0)
    };
    for (path, dialect) in [
        ("/v1/chat/completions", Dialect::OpenAiChat),
        ("/chat/completions/", Dialect::OpenAiChat),
        (
            "/openai/deployments/x/chat/completions?api-version=1",
            Dialect::OpenAiChat,
        ),
        ("/v1/responses", Dialect::OpenAiResponses),
        ("/v1/messages", Dialect::AnthropicMessages),
        ("/v1/embeddings", Dialect::OpenAiEmbeddings),
        ("/v1/images/generations", Dialect::Other),
        ("/v1/messages/batches", Dialect::Other),
    ] {
        assert_eq!(of("POST", path, "application/json"), dialect, "{path}");
        assert_eq!(
            of("GET", path, "application/json"),
            Dialect::Other,
            "{path}"
        );
    }
    assert_eq!(
        of("POST", "/x.Y/Z", "application/grpc+proto"),
        Dialect::Grpc
    );
}

#[test]
fn naming_another_model_changes_nothing_else() {
    let text = "{ \"messages\" : [ ] , \"model\" : \"a\\u002fb\" , \"x\":1.0 }";
    let mut document = read(Dialect::OpenAiChat, Request, text);
    assert_eq!(document.facts().model.as_deref(), Some("a/b"));
    assert!(document.set_model("gpt-4o \"mini\""));
    assert_eq!(
        document.as_str(),
        "{ \"messages\" : [ ] , \"model\" : \"gpt-4o \\\"mini\\\"\" , \"x\":1.0 }"
    );
    assert!(!read(Dialect::OpenAiChat, Request, "{}").set_model("x"));
}

#[test]
fn the_end_user_of_the_facts_is_the_one_that_was_edited_there() {
    let text = r#"{"user":"ann","messages":[{"role":"user","name":"ann","content":"x"}],"safety_identifier":"ann"}"#;
    for (edited, wanted) in [(0, "0"), (1, "ann"), (3, "ann")] {
        let mut document = Document::read(text, Dialect::OpenAiChat, Direction::Request).unwrap();
        let mut at = 0;
        document.rewrite(|_| {
            at += 1;
            (at - 1 == edited).then(|| edited.to_string())
        });
        let fact = document.facts().end_user.as_deref();
        assert_eq!(fact, Some(wanted), "{}", document.as_str());
    }
}

#[test]
fn a_masked_end_user_is_masked_in_the_facts_too() {
    let mut document = read(
        Dialect::OpenAiChat,
        Request,
        r#"{"user":"a@b.example","messages":[]}"#,
    );
    document.rewrite(|_| Some("<EMAIL_ADDRESS_1>".into()));
    assert_eq!(
        document.facts().end_user.as_deref(),
        Some("<EMAIL_ADDRESS_1>")
    );
}

#[test]
fn a_refusal_has_the_status_and_shape_of_the_callers_api() {
    let table = [
        (
            RefusalKind::BadRequest,
            400,
            "invalid_request_error",
            "invalid_request_error",
            "3",
        ),
        (
            RefusalKind::Unauthorized,
            401,
            "authentication_error",
            "authentication_error",
            "16",
        ),
        (
            RefusalKind::Forbidden,
            403,
            "permission_error",
            "permission_error",
            "7",
        ),
        (
            RefusalKind::Blocked,
            403,
            "permission_error",
            "permission_error",
            "7",
        ),
        (
            RefusalKind::NotFound,
            404,
            "invalid_request_error",
            "not_found_error",
            "5",
        ),
        (
            RefusalKind::TooLarge,
            413,
            "invalid_request_error",
            "request_too_large",
            "8",
        ),
        (
            RefusalKind::UnsupportedMedia,
            415,
            "invalid_request_error",
            "invalid_request_error",
            "3",
        ),
        (
            RefusalKind::RateLimited,
            429,
            "rate_limit_error",
            "rate_limit_error",
            "8",
        ),
        (
            RefusalKind::Internal,
            500,
            "server_error",
            "api_error",
            "13",
        ),
        (
            RefusalKind::Upstream,
            502,
            "server_error",
            "api_error",
            "14",
        ),
        (
            RefusalKind::Unavailable,
            503,
            "server_error",
            "api_error",
            "14",
        ),
        (
            RefusalKind::UpstreamTimeout,
            504,
            "server_error",
            "timeout_error",
            "4",
        ),
    ];
    for (kind, status, openai, anthropic, grpc) in table {
        let refusal =
            Refusal::new(kind, "some_code", "don't \"do\" 100 % of it\n").param("messages[0]");
        let response = refusal.render(Dialect::OpenAiChat);
        assert_eq!(
            (
                response.status().as_u16(),
                &response.headers()["x-should-retry"]
            ),
            (status, &"false".parse().unwrap())
        );
        let body = |event: bartizan_core::Event| {
            serde_json::from_str::<serde_json::Value>(event.data().unwrap()).unwrap()
        };
        let error = &body(refusal.event(Dialect::OpenAiChat))["error"];
        assert_eq!(
            (&error["type"], &error["code"], &error["param"]),
            (&openai.into(), &"some_code".into(), &"messages[0]".into())
        );
        assert_eq!(error["message"], "don't \"do\" 100 % of it\n");
        assert_eq!(
            refusal.render(Dialect::AnthropicMessages).status().as_u16(),
            status
        );
        let event = refusal.event(Dialect::AnthropicMessages);
        assert_eq!(event.name(), Some("error"));
        assert_eq!(body(event)["error"]["type"], anthropic);
        let grpc_response = refusal.render(Dialect::Grpc);
        assert_eq!(
            (
                grpc_response.status().as_u16(),
                &grpc_response.headers()["grpc-status"]
            ),
            (200, &grpc.parse().unwrap())
        );
        assert_eq!(
            grpc_response.headers()["grpc-message"],
            "don't \"do\" 100 %25 of it%0A"
        );
        assert_eq!(grpc_response.headers()["grpc-retry-pushback-ms"], "-1");
    }
    assert_eq!(
        Refusal::new(RefusalKind::Overloaded, "x", "x")
            .render(Dialect::AnthropicMessages)
            .status(),
        529
    );
    assert!(
        !format!(
            "{:?}",
            Refusal::new(RefusalKind::Blocked, "x", "words for the caller")
        )
        .contains("words")
    );
}
