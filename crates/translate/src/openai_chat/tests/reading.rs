//! What is read of servers that leave out, add or number otherwise.

use super::*;

fn events(chunks: &[Value], done: bool) -> String {
    let mut text: String = chunks
        .iter()
        .map(|chunk| format!("data: {chunk}\n\n"))
        .collect();
    if done {
        text.push_str("data: [DONE]\n\n");
    }
    text
}

/// What a client reads of these chunks, and the data of the events.
fn heard(reader: &mut from_provider::Events, chunks: &[Value], done: bool) -> (Value, Vec<String>) {
    let events = stream(&events(chunks, done), API, reader, &mut writer());
    let data: Vec<String> = events
        .iter()
        .filter_map(|event| event.data().map(str::to_owned))
        .collect();
    let chunks = data.iter().filter(|data| *data != "[DONE]");
    let whole = gather(chunks.map(|data| serde_json::from_str(data).unwrap()));
    (whole, data)
}

/// A chunk with this delta.
fn delta(delta: Value) -> Value {
    json!({"id": "x", "model": "m", "choices": [{"index": 0, "delta": delta}]})
}

fn piece(index: Option<u64>, id: Option<&str>, name: Option<&str>, arguments: &str) -> Value {
    let mut call = json!({"function": {"arguments": arguments}});
    if let Some(index) = index {
        call["index"] = index.into();
    }
    if let Some(id) = id {
        call["id"] = id.into();
    }
    if let Some(name) = name {
        call["function"]["name"] = name.into();
    }
    call
}

fn calls(pieces: Vec<Value>) -> Value {
    delta(json!({"tool_calls": pieces}))
}

fn finish(reason: &str) -> Value {
    json!({"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

#[test]
fn calls_are_told_apart_however_a_server_numbers_them() {
    let a = json!({"a": 1});
    let two = json!([["c1", "f", a], ["c2", "g", {}]]);
    for (case, chunks, told) in [
        (
            "OpenAI",
            vec![
                calls(vec![piece(Some(0), Some("c1"), Some("f"), "")]),
                calls(vec![piece(Some(0), None, None, "{\"a\"")]),
                calls(vec![piece(Some(0), None, None, ":1}")]),
                calls(vec![piece(Some(1), Some("c2"), Some("g"), "")]),
                calls(vec![piece(Some(1), None, None, "{}")]),
            ],
            &two,
        ),
        (
            "interleaved",
            vec![
                calls(vec![
                    piece(Some(0), Some("c1"), Some("f"), ""),
                    piece(Some(1), Some("c2"), Some("g"), ""),
                ]),
                calls(vec![
                    piece(Some(1), None, None, "{"),
                    piece(Some(0), None, None, "{\"a\""),
                ]),
                calls(vec![
                    piece(Some(0), None, None, ":1}"),
                    piece(Some(1), None, None, "}"),
                ]),
            ],
            &two,
        ),
        (
            "all numbered 0",
            vec![
                calls(vec![piece(Some(0), Some("c1"), Some("f"), "{\"a\":1}")]),
                calls(vec![piece(Some(0), Some("c2"), Some("g"), "{}")]),
            ],
            &two,
        ),
        (
            "all numbered 0, in one chunk",
            vec![calls(vec![
                piece(Some(0), Some("c1"), Some("f"), "{\"a\":1}"),
                piece(Some(0), Some("c2"), Some("g"), "{}"),
            ])],
            &two,
        ),
        (
            "not numbered",
            vec![
                calls(vec![piece(None, Some("c1"), Some("f"), "")]),
                calls(vec![piece(None, None, None, "{\"a\":1}")]),
                calls(vec![piece(None, Some("c2"), Some("g"), "")]),
            ],
            &two,
        ),
        (
            "not numbered, named by id each time",
            vec![
                calls(vec![piece(None, Some("c1"), Some("f"), "{\"a\"")]),
                calls(vec![piece(None, Some("c2"), Some("g"), "{")]),
                calls(vec![piece(None, Some("c1"), None, ":1}")]),
                calls(vec![piece(None, Some("c2"), None, "}")]),
            ],
            &two,
        ),
        (
            "id and name said again",
            vec![
                calls(vec![piece(Some(0), Some("c1"), Some("f"), "{\"a\"")]),
                calls(vec![piece(Some(0), Some("c1"), Some("f"), ":1}")]),
                calls(vec![piece(Some(1), Some("c2"), Some("g"), "")]),
                calls(vec![piece(Some(1), Some("c2"), Some("g"), "{}")]),
            ],
            &two,
        ),
        (
            "the id late",
            vec![
                calls(vec![piece(Some(0), None, Some("f"), "")]),
                calls(vec![piece(Some(0), Some("c1"), None, "{\"a\":1}")]),
                calls(vec![piece(Some(1), None, Some("g"), "")]),
                calls(vec![piece(Some(1), Some("c2"), None, "")]),
            ],
            &two,
        ),
        (
            "the name late",
            vec![
                calls(vec![piece(Some(0), Some("c1"), None, "{\"a\"")]),
                calls(vec![piece(Some(0), None, Some("f"), ":1}")]),
                calls(vec![piece(Some(1), Some("c2"), Some("g"), "")]),
            ],
            &two,
        ),
        (
            "arguments that are an object",
            vec![
                calls(vec![
                    json!({"index": 0, "id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}),
                ]),
                calls(vec![
                    json!({"index": 1, "id": "c2", "function": {"name": "g"}}),
                ]),
            ],
            &two,
        ),
        (
            "equal calls",
            vec![
                calls(vec![piece(Some(0), Some("c1"), Some("f"), "{\"a\":1}")]),
                calls(vec![piece(Some(1), Some("c2"), Some("f"), "{\"a\":1}")]),
            ],
            &json!([["c1", "f", a], ["c2", "f", a]]),
        ),
    ] {
        let chunks = [chunks, vec![finish("tool_calls")]].concat();
        let (whole, _) = heard(&mut reader(false), &chunks, true);
        assert_eq!(said(&whole)["calls"], *told, "{case}");
        assert_eq!(said(&whole)["finish"], "tool_calls", "{case}");
    }
}

#[test]
fn calls_without_ids_get_ids_of_their_own() {
    let call = |index| piece(index, None, Some("f"), "{}");
    for chunks in [
        vec![calls(vec![call(Some(0)), call(Some(1))])],
        vec![calls(vec![call(Some(0)), call(Some(0))])],
        vec![calls(vec![call(None), call(None)])],
        vec![calls(vec![call(None)]), calls(vec![call(None)])],
    ] {
        let chunks = [chunks, vec![finish("stop")]].concat();
        let (whole, _) = heard(&mut reader(false), &chunks, true);
        let told = said(&whole);
        let ids: Vec<&str> = told["calls"]
            .as_array()
            .unwrap()
            .iter()
            .map(|call| call[0].as_str().unwrap())
            .collect();
        assert_eq!(ids.len(), 2, "{chunks:?}");
        let fits = |id: &&str| id.starts_with("call_") && id.len() <= 40;
        assert!(ids[0] != ids[1] && ids.iter().all(fits));
        // `stop`, though calls wait: the client must run them.
        assert_eq!(told["finish"], "tool_calls");
        let (again, _) = heard(&mut reader(false), &chunks, true);
        assert_eq!(said(&again), told, "and the same ones each time");
    }

    let old = [
        delta(json!({"role": "assistant", "function_call": {"name": "f", "arguments": ""}})),
        delta(json!({"function_call": {"arguments": "{\"a\":1}"}})),
        finish("function_call"),
    ];
    let (whole, _) = heard(&mut reader(false), &old, true);
    assert_eq!(said(&whole)["calls"][0][1], "f");
    assert_eq!(said(&whole)["calls"][0][2], json!({"a": 1}));
    assert_eq!(said(&whole)["finish"], "tool_calls");
}

#[test]
fn a_stream_is_read_whatever_a_server_leaves_out_or_adds() {
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8});
    for (case, chunks, text, told) in [
        (
            "no role",
            vec![
                delta(json!({"content": "a"})),
                delta(json!({"content": "b"})),
                finish("stop"),
            ],
            "ab",
            "stop",
        ),
        (
            "a filter's chunk first",
            vec![
                json!({"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
                delta(json!({"role": "assistant", "content": "ab"})),
                finish("stop"),
            ],
            "ab",
            "stop",
        ),
        (
            "no delta, no choices",
            vec![
                json!({"id": "x", "model": "m"}),
                json!({"id": "x", "choices": [{"index": 0, "delta": null}]}),
                json!({"id": "x", "choices": [{"index": 0}]}),
                delta(json!({"content": null})),
                delta(json!({"content": "ab"})),
                finish("stop"),
            ],
            "ab",
            "stop",
        ),
        (
            "parts",
            vec![
                delta(json!({"content": [{"type": "text", "text": "a"}]})),
                delta(json!({"content": [{"type": "text", "text": "b"}]})),
                finish("stop"),
            ],
            "ab",
            "stop",
        ),
        (
            "all at once",
            vec![
                json!({"id": "x", "choices": [{"index": 0, "message": {"role": "assistant", "content": "ab"}, "finish_reason": "stop"}]}),
            ],
            "ab",
            "stop",
        ),
        (
            "eos",
            vec![delta(json!({"content": "ab"})), finish("eos")],
            "ab",
            "stop",
        ),
        (
            "end_turn",
            vec![delta(json!({"content": "ab"})), finish("end_turn")],
            "ab",
            "stop",
        ),
        (
            "max_tokens",
            vec![delta(json!({"content": "ab"})), finish("max_tokens")],
            "ab",
            "length",
        ),
        (
            "the reason again behind it",
            vec![
                delta(json!({"content": "ab"})),
                finish("length"),
                finish("stop"),
            ],
            "ab",
            "length",
        ),
        (
            "an empty reason in each",
            vec![
                json!({"id": "x", "choices": [{"index": 0, "delta": {"content": "ab"}, "finish_reason": ""}]}),
                finish("stop"),
            ],
            "ab",
            "stop",
        ),
    ] {
        for place in 0..3 {
            // Usage behind the end, in the last chunk, or in each.
            let mut chunks = chunks.clone();
            match place {
                0 => chunks.push(json!({"id": "x", "choices": [], "usage": usage})),
                1 => chunks.last_mut().unwrap()["usage"] = usage.clone(),
                _ => {
                    for (at, chunk) in chunks.iter_mut().enumerate() {
                        chunk["usage"] = json!({"prompt_tokens": 5, "completion_tokens": at, "total_tokens": 5 + at});
                    }
                    chunks.last_mut().unwrap()["usage"] = usage.clone();
                }
            }
            let (whole, data) = heard(&mut reader(false), &chunks, true);
            let heard = said(&whole);
            assert_eq!(heard["text"], text, "{case}");
            assert_eq!(heard["finish"], told, "{case}");
            assert_eq!(heard["usage"], json!([5, 0, 0, 3]), "{case}");
            assert_eq!(data.last().unwrap(), "[DONE]", "{case}");
            assert_eq!(
                data.iter().filter(|data| data.contains("\"role\"")).count(),
                1,
                "{case}"
            );
        }
    }
}

#[test]
fn thoughts_are_read_by_every_name_that_servers_have_for_them() {
    let detail = |detail: Value| delta(json!({"reasoning_details": [detail]}));
    for (chunks, thoughts, opaque) in [
        (
            vec![
                delta(json!({"reasoning_content": "h"})),
                delta(json!({"reasoning_content": "m"})),
            ],
            "hm",
            json!([]),
        ),
        (
            vec![
                delta(json!({"reasoning": "h", "content": ""})),
                delta(json!({"reasoning": "m"})),
            ],
            "hm",
            json!([]),
        ),
        (
            vec![delta(
                json!({"content": [{"type": "thinking", "thinking": "hm"}]}),
            )],
            "hm",
            json!([]),
        ),
        (
            vec![
                detail(
                    json!({"type": "reasoning.text", "text": "h", "format": "anthropic-claude-v1", "index": 0}),
                ),
                detail(
                    json!({"type": "reasoning.text", "text": "m", "format": "anthropic-claude-v1", "index": 0}),
                ),
                detail(
                    json!({"type": "reasoning.text", "signature": "Eqo", "format": "anthropic-claude-v1", "index": 0}),
                ),
            ],
            "hm",
            json!(["Eqo"]),
        ),
        (
            vec![
                // The words stand beside the details, and are not told twice.
                delta(
                    json!({"reasoning": "hm", "reasoning_details": [{"type": "reasoning.summary", "summary": "hm", "format": "openai-responses-v1", "index": 0}]}),
                ),
                detail(
                    json!({"type": "reasoning.encrypted", "data": "gAA", "id": "rs_1", "format": "openai-responses-v1", "index": 1}),
                ),
            ],
            "hm",
            json!(["gAA"]),
        ),
    ] {
        let chunks = [
            chunks,
            vec![delta(json!({"content": "so"})), finish("stop")],
        ]
        .concat();
        let (whole, data) = heard(&mut reader(false), &chunks, true);
        let heard = said(&whole);
        assert_eq!(heard["thoughts"], thoughts);
        assert_eq!(heard["opaque"], opaque);
        assert_eq!(heard["text"], "so");
        if opaque == json!(["gAA"]) {
            let told = data.iter().find(|data| data.contains("gAA")).unwrap();
            assert!(
                told.contains("rs_1") && told.contains("openai-responses-v1"),
                "{told}"
            );
        }
    }
}

#[test]
fn an_end_is_told_only_where_the_server_says_so() {
    let chunks = [delta(json!({"content": "a"})), finish("stop")];
    let is_over = |data: &[String]| data.iter().any(|data| data == "[DONE]");
    let (_, data) = heard(&mut reader(false), &chunks, false);
    assert!(!is_over(&data), "cut before its [DONE]");
    let (whole, data) = heard(&mut reader(false), &chunks, true);
    assert!(is_over(&data));
    assert_eq!(said(&whole)["finish"], "stop");
    let (_, data) = heard(&mut reader(false), &[], true);
    assert_eq!(data.iter().filter(|data| *data == "[DONE]").count(), 1);
}

#[test]
fn a_failure_within_a_stream_ends_it() {
    for failure in [
        json!({"error": {"message": "canary", "type": "server_error"}}),
        json!({"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": "error"}], "error": {"message": "canary", "code": 502}}),
        json!({"id": "x", "choices": [{"index": 0, "delta": {}, "finish_reason": null}], "x_groq": {"id": "r", "error": "canary"}}),
        json!({"object": "error", "message": "canary", "type": "BadRequestError", "code": 400}),
        finish("error"),
        finish("insufficient_system_resource"),
    ] {
        let chunks = [
            delta(json!({"content": "a"})),
            failure.clone(),
            delta(json!({"content": "b"})),
        ];
        let (whole, data) = heard(&mut reader(false), &chunks, true);
        assert_eq!(said(&whole)["text"], "a", "{failure}");
        let last: Value = serde_json::from_str(data.last().unwrap()).unwrap();
        assert!(last["error"].is_object(), "{failure}");
    }
}

#[test]
fn what_no_other_api_has_is_declared() {
    let reply = json!({
        "id": "x",
        "choices": [
            {"index": 0, "finish_reason": "strange", "logprobs": {"content": []}, "message": {
                "content": [{"type": "text", "text": "a"}, {"type": "reference", "reference_ids": [1]}, {"type": "hologram"}],
                "audio": {"id": "audio_1", "data": "AA"},
                "images": [{"type": "image_url"}],
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{\"a\": "}}],
            }},
            {"index": 1, "finish_reason": "stop", "message": {"content": "b"}},
        ],
    });
    let whole = whole(&reply.to_string(), API, &reader(false), &writer());
    assert_eq!(
        whole["bartizan_dropped"],
        json!([
            "choices",
            "choices.message.content.reference",
            "choices.message.content",
            "choices.message.audio",
            "choices.message.images",
            "choices.message.tool_calls",
            "choices.logprobs",
            "choices.finish_reason",
        ])
    );
    assert_eq!(said(&whole)["text"], "a");
}

#[test]
fn the_hidden_tool_gives_the_answer_and_is_never_seen() {
    let chunks = [
        calls(vec![piece(Some(0), Some("c"), Some(HIDDEN_TOOL), "")]),
        calls(vec![piece(Some(0), None, None, "{\"a\":")]),
        calls(vec![piece(Some(0), None, None, "1}")]),
        finish("tool_calls"),
    ];
    let (told, data) = heard(&mut reader(true), &chunks, true);
    assert_eq!(said(&told)["text"], "{\"a\":1}");
    assert_eq!(said(&told)["finish"], "stop");
    assert!(!data.concat().contains(HIDDEN_TOOL));
    let reply = json!({"choices": [{"message": {"tool_calls": [{"id": "c", "function": {"name": HIDDEN_TOOL, "arguments": "{\"a\":1}"}}]}, "finish_reason": "tool_calls"}]});
    let told = whole(&reply.to_string(), API, &reader(true), &writer());
    assert_eq!(said(&told)["text"], "{\"a\":1}");
    assert_eq!(said(&told)["finish"], "stop");
}

#[test]
fn a_format_that_no_other_api_knows_goes_back_with_its_data() {
    for format in ["xai-responses-v1", "unknown", "anthropic-claude-v1"] {
        let detail =
            json!({"type": "reasoning.encrypted", "data": "gA:A", "format": format, "index": 0});
        let reply =
            json!({"choices": [{"message": {"content": "a", "reasoning_details": [detail]}}]});
        let told = whole(&reply.to_string(), API, &reader(false), &writer());
        assert_eq!(
            told["choices"][0]["message"]["reasoning_details"],
            json!([detail])
        );
    }
}

/// A chunk of what a server may say, odd or not.
fn any_chunk() -> impl Strategy<Value = Value> {
    let text = || {
        prop_oneof![
            Just(json!("a")),
            Just(json!("")),
            Just(json!(null)),
            Just(json!(1))
        ]
    };
    let call = (
        proptest::option::of(0..3_u64),
        proptest::option::of("[a-c]{0,1}"),
        proptest::option::of("[fg]{0,1}"),
        prop_oneof![
            Just(json!("{")),
            Just(json!("}")),
            Just(json!("")),
            Just(json!({})),
            Just(json!(null))
        ],
    )
        .prop_map(|(index, id, name, arguments)| {
            let mut call = json!({"function": {"arguments": arguments}});
            if let Some(index) = index {
                call["index"] = index.into();
            }
            if let Some(id) = id {
                call["id"] = id.into();
            }
            if let Some(name) = name {
                call["function"]["name"] = name.into();
            }
            call
        });
    let delta = prop_oneof![
        text().prop_map(|text| json!({"content": text})),
        text().prop_map(|text| json!({"content": [{"type": "text", "text": text}]})),
        text().prop_map(|text| json!({"reasoning": text})),
        text().prop_map(|text| json!({"refusal": text})),
        proptest::collection::vec(call, 0..3).prop_map(|calls| json!({"tool_calls": calls})),
        Just(json!({"function_call": {"name": "f"}})),
        Just(json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}]})),
        Just(json!({})),
        Just(json!(null)),
    ];
    let reason = prop_oneof![
        8 => Just(json!(null)),
        1 => Just(json!("stop")),
        1 => Just(json!("odd")),
        1 => Just(json!("error")),
    ];
    let choice = (delta, reason, 0..2_u64).prop_map(|(delta, reason, index)| {
        json!({"id": "x", "choices": [{"index": index, "delta": delta, "finish_reason": reason}]})
    });
    prop_oneof![
        20 => choice,
        1 => Just(json!({"error": {"message": "x"}})),
        1 => Just(json!({"choices": [], "usage": {"prompt_tokens": 1}})),
        1 => Just(json!({"choices": "x", "usage": 1})),
        1 => Just(json!([])),
    ]
}

proptest! {
    #[test]
    fn any_chunks_make_a_stream_that_a_client_can_read(chunks in proptest::collection::vec(any_chunk(), 0..12), done in any::<bool>()) {
        let (whole, data) = heard(&mut reader(false), &chunks, done);
        let ends = data.iter().filter(|data| *data == "[DONE]").count();
        let failed = |data: &&String| data.starts_with("{\"error\"");
        let failures = data.iter().filter(failed).count();
        prop_assert!(ends + failures <= 1, "{data:?}");
        prop_assert!(done || ends == 0, "no end is made up");
        if ends + failures == 1 {
            let last = data.last().unwrap();
            let ends = last == "[DONE]" || last.starts_with("{\"error\"");
            prop_assert!(ends, "nothing comes behind the end");
        }
        prop_assert!(data.iter().filter(|data| data.contains("\"role\"")).count() <= 1);
        for call in whole["choices"][0]["message"]["tool_calls"].as_array().into_iter().flatten() {
            prop_assert!(!call["id"].as_str().unwrap().is_empty() && !call["function"]["name"].as_str().unwrap().is_empty());
        }
    }
}
