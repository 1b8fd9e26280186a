//! What clients of the responses API get from providers of other APIs.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::{Body, Dialect};
use bartizan_translate::{Target, TranslateLayer};
use serde_json::{Value, json};
use support::{Got, exchange, layer, post, sse};

fn request(members: &Value) -> http::Request<Body> {
    let mut request = json!({"model": "house", "max_output_tokens": 100, "input": "hi"});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    post("/v1/responses", request.to_string())
}

fn from_chat() -> TranslateLayer {
    layer().to(Target::new(Dialect::OpenAiChat, "gpt-5.2"))
}

/// What the client gets for a message of Anthropic's with these members.
async fn whole(members: Value) -> Value {
    let mut message: Value = serde_json::from_str(support::REPLY).unwrap();
    for (key, value) in members.as_object().unwrap() {
        message[key] = value.clone();
    }
    let reply = support::json(200, message.to_string());
    let got = exchange(&layer(), request(&json!({})), reply).await;
    assert_eq!(got.status, 200, "{}", got.text);
    got.json()
}

/// The events, with a check of what every stream keeps to: names, numbers, places and ids of items.
fn events(got: &Got) -> Vec<Value> {
    let blocks = got.text.split("\n\n").filter(|block| !block.is_empty());
    let mut items: Vec<Value> = Vec::new();
    let mut all = Vec::new();
    for block in blocks.filter(|block| !block.starts_with(':')) {
        let (name, data) = block.split_once('\n').unwrap();
        let event: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(event["type"], name.strip_prefix("event: ").unwrap());
        assert_eq!(event["sequence_number"], all.len());
        if let Some(at) = event["output_index"].as_u64() {
            let at = usize::try_from(at).unwrap();
            if event["type"] == "response.output_item.added" {
                assert_eq!(at, items.len());
                items.push(event["item"]["id"].clone());
            }
            let id = event.get("item_id").unwrap_or(&event["item"]["id"]);
            assert_eq!(*id, items[at], "{event}");
        }
        all.push(event);
    }
    all
}

fn kinds(events: &[Value]) -> Vec<&str> {
    let kinds = events.iter().map(|event| event["type"].as_str().unwrap());
    kinds
        .map(|kind| kind.strip_prefix("response.").unwrap_or(kind))
        .collect()
}

/// What the client gets for these events of Anthropic's between the start and the end.
async fn stream(members: &Value, between: &str, end: &str) -> Got {
    const START: &str = r#"{"type":"message_start","message":{"id":"msg_1","model":"claude-haiku-4-5","content":[],"usage":{"input_tokens":9,"cache_read_input_tokens":4,"output_tokens":1}}}"#;
    let mut text = format!("event: message_start\ndata: {START}\n\n");
    for line in between.lines().chain(end.lines()).map(str::trim) {
        if !line.is_empty() {
            text.push_str(&format!("event: e\ndata: {line}\n\n"));
        }
    }
    let mut members = members.clone();
    members["stream"] = true.into();
    exchange(&layer(), request(&members), sse(text)).await
}

const ENDS: &str = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}
    {"type":"message_stop"}"#;

#[tokio::test]
async fn an_answer_has_every_member_that_clients_rely_on() {
    let got = whole(json!({"content": [
        {"type": "thinking", "thinking": "hm", "signature": "EqoB"},
        {"type": "redacted_thinking", "data": "EmwK"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}},
        {"type": "tool_use", "id": "toolu_2", "name": "time", "input": {}},
    ], "stop_reason": "tool_use", "usage": {"input_tokens": 9, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2, "output_tokens": 4}}))
    .await;
    assert_eq!(
        got["output"],
        json!([
            {"id": "rs_resp_msg_1_0", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}],
             "encrypted_content": "anthropic:EqoB"},
            {"id": "rs_resp_msg_1_1", "type": "reasoning", "summary": [], "encrypted_content": "anthropic:EmwK"},
            {"id": "msg_resp_msg_1_2", "type": "message", "status": "completed", "role": "assistant",
             "content": [{"type": "output_text", "text": "I look.", "annotations": [], "logprobs": []}]},
            {"id": "fc_resp_msg_1_3", "type": "function_call", "status": "completed", "call_id": "toolu_1",
             "name": "weather", "arguments": "{\"city\":\"Rome\"}"},
            {"id": "fc_resp_msg_1_4", "type": "function_call", "status": "completed", "call_id": "toolu_2",
             "name": "time", "arguments": "{}"},
        ])
    );
    assert_eq!(
        got["usage"],
        json!({
            "input_tokens": 16, "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
            "output_tokens": 4, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 20,
        })
    );
    for (name, value) in [
        ("id", json!("resp_msg_1")),
        ("object", json!("response")),
        ("created_at", json!(1_700_000_000)),
        ("status", json!("completed")),
        ("error", Value::Null),
        ("incomplete_details", Value::Null),
        ("model", json!("claude-haiku-4-5-20251001")),
        ("instructions", Value::Null),
        ("metadata", json!({})),
        ("parallel_tool_calls", json!(true)),
        ("temperature", Value::Null),
        ("top_p", Value::Null),
        ("tool_choice", json!("auto")),
        ("tools", json!([])),
        ("store", json!(false)),
        ("background", json!(false)),
        ("previous_response_id", Value::Null),
        ("text", json!({"format": {"type": "text"}})),
    ] {
        assert_eq!(got.get(name), Some(&value), "{name}");
    }
}

#[tokio::test]
async fn the_request_is_said_back_as_it_was_sent() {
    let members = json!({
        "instructions": "be \"brief\"", "temperature": 0.50, "top_p": 1, "metadata": {"a": "b"}, "user": "u",
        "text": {"verbosity": "low"}, "reasoning": {"effort": "low"}, "tool_choice": "none", "parallel_tool_calls": false,
        "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "g"}], "store": true, "truncation": "auto",
    });
    let reply = support::json(200, support::REPLY);
    let got = exchange(&layer(), request(&members), reply).await.json();
    let stays = members.as_object().unwrap().iter();
    for (name, value) in stays.filter(|(name, _)| !matches!(name.as_str(), "tools" | "store")) {
        assert_eq!(got.get(name), Some(value), "{name}");
    }
    assert_eq!(got["max_output_tokens"], 100);
    assert_eq!(got["store"], false, "nothing is stored");
    assert_eq!(
        got["tools"],
        json!([{"type": "function", "name": "f", "parameters": null, "strict": null}, {"type": "custom", "name": "g"}])
    );
}

#[tokio::test]
async fn an_end_is_told_by_status_and_reason() {
    for (reason, status, details) in [
        ("end_turn", "completed", Value::Null),
        ("stop_sequence", "completed", Value::Null),
        ("tool_use", "completed", Value::Null),
        (
            "max_tokens",
            "incomplete",
            json!({"reason": "max_output_tokens"}),
        ),
        ("refusal", "incomplete", json!({"reason": "content_filter"})),
    ] {
        let got = whole(json!({"stop_reason": reason})).await;
        assert_eq!(got["status"], status, "{reason}");
        assert_eq!(got["incomplete_details"], details, "{reason}");
        assert_eq!(got["output"][0]["status"], status, "{reason}");
    }
}

#[tokio::test]
async fn an_answer_that_is_whole_without_a_reason_is_complete() {
    let text = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n";
    let got = exchange(&from_chat(), request(&json!({"stream": true})), sse(text)).await;
    let all = events(&got);
    assert_eq!(all.last().unwrap()["type"], "response.completed");
    let got = whole(json!({"stop_reason": null})).await;
    assert_eq!(got["status"], "completed");
}

#[tokio::test]
async fn a_refusal_in_words_is_a_part_of_its_own() {
    let message = json!({"role": "assistant", "content": null, "refusal": "I won't"});
    let reply = json!({"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
    let reply = support::json(200, reply.to_string());
    let got = exchange(&from_chat(), request(&json!({})), reply)
        .await
        .json();
    assert_eq!(
        got["output"][0]["content"],
        json!([{"type": "refusal", "refusal": "I won't"}])
    );
    assert_eq!(got["status"], "completed");
}

#[tokio::test]
async fn sources_are_annotations_and_what_is_lost_is_declared() {
    let cited = json!({"type": "text", "text": "Rome.", "citations": [
        {"type": "web_search_result_location", "url": "https://a.example", "title": "A", "cited_text": "c", "encrypted_index": "x"},
    ]});
    let got = whole(json!({"content": [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        cited,
    ]}))
    .await;
    assert_eq!(
        got["output"][0]["content"][0]["annotations"],
        json!([{"type": "url_citation", "start_index": 0, "end_index": 0, "url": "https://a.example", "title": "A"}])
    );
    assert_eq!(got["output"].as_array().unwrap().len(), 1, "no call");
    assert_eq!(
        got["bartizan_dropped"],
        json!(["content.server_tool_use", "content.server_tool_result"])
    );
}

#[tokio::test]
async fn a_stream_has_every_event_of_the_protocol() {
    let got = stream(
        &json!({}),
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}
        {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"h"}}
        {"type":"ping"}
        {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"m"}}
        {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqoB"}}
        {"type":"content_block_stop","index":0}
        {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}
        {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"I "}}
        {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"look."}}
        {"type":"content_block_stop","index":1}
        {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"time","input":{}}}
        {"type":"content_block_stop","index":2}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":7}}
        {"type":"message_stop"}"#,
    )
    .await;
    let all = events(&got);
    assert_eq!(
        kinds(&all),
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    );
    assert!(got.text.contains("\n\n: ping\n\n"), "a ping is a comment");
    for (at, wanted) in [
        (
            2,
            json!({"type": "response.output_item.added", "sequence_number": 2, "output_index": 0,
                "item": {"id": "rs_resp_msg_1_0", "type": "reasoning", "summary": []}}),
        ),
        (
            4,
            json!({"type": "response.reasoning_summary_text.delta", "sequence_number": 4, "item_id": "rs_resp_msg_1_0",
                "output_index": 0, "summary_index": 0, "delta": "h"}),
        ),
        (
            7,
            json!({"type": "response.reasoning_summary_part.done", "sequence_number": 7, "item_id": "rs_resp_msg_1_0",
                "output_index": 0, "summary_index": 0, "part": {"type": "summary_text", "text": "hm"}}),
        ),
        (
            10,
            json!({"type": "response.content_part.added", "sequence_number": 10, "item_id": "msg_resp_msg_1_1",
                "output_index": 1, "content_index": 0, "part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []}}),
        ),
        (
            13,
            json!({"type": "response.output_text.done", "sequence_number": 13, "item_id": "msg_resp_msg_1_1",
                "output_index": 1, "content_index": 0, "text": "I look.", "logprobs": []}),
        ),
        (
            18,
            json!({"type": "response.function_call_arguments.done", "sequence_number": 18, "item_id": "fc_resp_msg_1_2",
                "output_index": 2, "name": "time", "arguments": "{}"}),
        ),
        (
            19,
            json!({"type": "response.output_item.done", "sequence_number": 19, "output_index": 2,
                "item": {"id": "fc_resp_msg_1_2", "type": "function_call", "status": "completed", "call_id": "toolu_1",
                    "name": "time", "arguments": "{}"}}),
        ),
    ] {
        assert_eq!(all[at], wanted);
    }
    for response in [&all[0]["response"], &all[1]["response"]] {
        assert_eq!(response["status"], "in_progress");
        assert_eq!(response["usage"], Value::Null);
        assert_eq!(response["output"], json!([]));
    }
    let last = &all[20]["response"];
    let done: Vec<&Value> = all
        .iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| &event["item"])
        .collect();
    assert_eq!(last["output"], json!(done));
    assert_eq!(last["output"][0]["encrypted_content"], "anthropic:EqoB");
    assert_eq!(
        last["usage"],
        json!({
            "input_tokens": 13, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
            "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 20,
        })
    );
}

#[tokio::test]
async fn calls_that_interleave_are_open_at_the_same_time() {
    let call = |index: u32, id: &str, piece: &str| json!({"index": index, "id": id, "type": "function", "function": {"name": id, "arguments": piece}});
    let piece = |index: u32, piece: &str| json!({"index": index, "function": {"arguments": piece}});
    let chunk = |calls: Value| {
        let delta = json!({"tool_calls": calls});
        let chunk =
            json!({"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "delta": delta}]});
        format!("data: {chunk}\n\n")
    };
    let text = chunk(json!([call(0, "a", "{\"x\":"), call(1, "b", "")]))
        + &chunk(json!([piece(1, "{}"), piece(0, "1}")]))
        + &chunk(json!([call(2, "c", "{}")]))
        + "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n";
    let got = exchange(&from_chat(), request(&json!({"stream": true})), sse(text)).await;
    let all = events(&got);
    let output = &all.last().unwrap()["response"]["output"];
    let said: Vec<_> = output
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["call_id"].as_str().unwrap(), &item["arguments"]))
        .collect();
    assert_eq!(
        said,
        [
            ("a", &json!("{\"x\":1}")),
            ("b", &json!("{}")),
            ("c", &json!("{}"))
        ]
    );
    // Those that are whole end when the next begins.
    let at = |kind: &str, index: u64| {
        all.iter()
            .position(|event| event["type"] == kind && event["output_index"] == index)
            .unwrap()
    };
    let added = at("response.output_item.added", 2);
    assert!(at("response.output_item.done", 0) < added);
    assert!(at("response.output_item.done", 1) < added);
    assert!(at("response.output_item.done", 0) > at("response.output_item.added", 1));
}

#[tokio::test]
async fn an_answer_that_was_cut_short_says_of_its_last_item_that_it_is_incomplete() {
    let text = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}
        {"type":"content_block_stop","index":0}
        {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}
        {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\": "}}
        {"type":"content_block_stop","index":1}"#;
    let end = r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":7}}
        {"type":"message_stop"}"#;
    let all = events(&stream(&json!({}), text, end).await);
    let last = all.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["status"], "incomplete");
    assert_eq!(
        last["response"]["incomplete_details"],
        json!({"reason": "max_output_tokens"})
    );
    let output = &last["response"]["output"];
    assert_eq!(output[0]["status"], "completed");
    assert_eq!(output[1]["status"], "incomplete");
    assert_eq!(
        output[1]["arguments"], "{\"a\": ",
        "as far as they came, and no further"
    );
}

#[tokio::test]
async fn a_citation_in_a_stream_stands_with_its_text() {
    let text = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Rome."}}
        {"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://a.example","title":null,"cited_text":"c","encrypted_index":"x"}}}
        {"type":"content_block_stop","index":0}"#;
    let all = events(&stream(&json!({}), text, ENDS).await);
    let added = all
        .iter()
        .find(|event| event["type"] == "response.output_text.annotation.added")
        .unwrap();
    assert_eq!(added["annotation_index"], 0);
    assert_eq!(added["content_index"], 0);
    assert_eq!(added["annotation"]["url"], "https://a.example");
    let part = &all.last().unwrap()["response"]["output"][0]["content"][0];
    assert_eq!(part["annotations"], json!([added["annotation"]]));
}

#[tokio::test]
async fn a_custom_tools_input_has_events_of_its_own() {
    let members = json!({"tools": [{"type": "custom", "name": "g"}]});
    let text = r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"g","input":{}}}
        {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"input\":\"a \\\"b"}}
        {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"\\\"\"}"}}
        {"type":"content_block_stop","index":0}"#;
    let all = events(&stream(&members, text, ENDS).await);
    assert_eq!(
        kinds(&all)[2..],
        [
            "output_item.added",
            "custom_tool_call_input.delta",
            "custom_tool_call_input.done",
            "output_item.done",
            "completed"
        ]
    );
    assert_eq!(all[4]["input"], "a \"b\"");
    assert_eq!(
        all[5]["item"],
        json!({"id": "ctc_resp_msg_1_0", "type": "custom_tool_call", "status": "completed", "call_id": "t", "name": "g",
            "input": "a \"b\""})
    );
}

#[tokio::test]
async fn a_call_of_a_tool_in_a_namespace_names_both() {
    let f = json!({"type": "function", "name": "f", "parameters": null, "strict": false});
    let members =
        json!({"tools": [{"type": "namespace", "name": "crm", "description": "d", "tools": [f]}]});
    let text = r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"crm__f","input":{}}}
        {"type":"content_block_stop","index":0}"#;
    let all = events(&stream(&members, text, ENDS).await);
    let item = &all.last().unwrap()["response"]["output"][0];
    assert_eq!(
        (&item["namespace"], &item["name"]),
        (&json!("crm"), &json!("f"))
    );
    let mut message: Value = serde_json::from_str(support::REPLY).unwrap();
    message["content"] = json!([{"type": "tool_use", "id": "t", "name": "crm__f", "input": {}},
        {"type": "tool_use", "id": "u", "name": "f", "input": {}}]);
    let reply = support::json(200, message.to_string());
    let got = exchange(&layer(), request(&members), reply).await.json();
    assert_eq!(got["output"][0]["namespace"], "crm");
    assert_eq!(got["output"][0]["name"], "f");
    assert_eq!(got["output"][1].get("namespace"), None);
}

#[tokio::test]
async fn an_error_in_a_stream_is_the_last_event_and_numbered() {
    let text =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}"#;
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"canary"}}"#;
    for end in [error, ""] {
        let got = stream(&json!({}), text, end).await;
        let all = events(&got);
        let last = all.last().unwrap();
        assert_eq!(last["type"], "error", "{end}");
        assert!(
            last["error"]["message"].is_string(),
            "where the SDKs look for it"
        );
        assert!(!got.text.contains("canary"));
        let ended = kinds(&all)
            .iter()
            .any(|kind| matches!(*kind, "completed" | "incomplete" | "output_item.done"));
        assert!(!ended, "the provider did not say so");
    }
}

#[tokio::test]
async fn an_error_before_a_stream_is_in_openais_form() {
    for (status, told) in [(529, 503), (429, 429), (400, 400)] {
        let body = r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#;
        let got = exchange(&layer(), request(&json!({})), support::json(status, body)).await;
        assert_eq!(got.status, told);
        assert!(got.json()["error"]["code"].is_string());
    }
}
