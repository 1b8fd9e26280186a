//! OpenAI completions, as a client's dialect and as a provider's.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Model, ModelFacts, Target, TranslateLayer};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Got, body, chat, exchange, json as reply, post, recorded, sse};

const CHAT: &str = r#"{"id":"chatcmpl-1","model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;

fn to(dialect: Dialect) -> TranslateLayer {
    support::layer().to(Target::new(dialect, "model-there"))
}

fn prompt(members: Value) -> String {
    let mut request = json!({"model": "house", "prompt": "once upon"});
    for (key, value) in members.as_object().unwrap() {
        request[key] = value.clone();
    }
    request.to_string()
}

async fn asked(layer: &TranslateLayer, request: String, answer: &str) -> Got {
    exchange(layer, post("/v1/completions", request), reply(200, answer)).await
}

#[tokio::test]
async fn a_prompt_is_one_message_of_the_users() {
    let members = json!({
        "prompt": ["once upon"], "max_tokens": 25, "temperature": 0.4, "top_p": 0.9, "stop": ["\n"], "user": "ann", "seed": 1,
        "n": 1, "echo": false, "suffix": null, "best_of": 1, "frequency_penalty": 0.5,
    });
    let got = asked(&to(Dialect::OpenAiChat), prompt(members), CHAT).await;
    let sent = got.sent.as_ref().unwrap();
    assert_eq!(sent.uri, "/v1/chat/completions");
    assert_eq!(
        sent.json(),
        json!({
            "model": "model-there", "messages": [{"role": "user", "content": "once upon"}], "max_completion_tokens": 25,
            "temperature": 0.4, "top_p": 0.9, "stop": ["\n"], "user": "ann", "seed": 1, "frequency_penalty": 0.5,
        })
    );
    assert_eq!(got.dropped(), "");
    assert_eq!(
        got.json(),
        json!({
            "id": "chatcmpl-1", "object": "text_completion", "created": 1_700_000_000, "model": "gpt-4o",
            "choices": [{"text": "hi", "index": 0, "logprobs": null, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0}},
        })
    );
}

#[tokio::test]
async fn no_limit_is_made_up() {
    let got = asked(&to(Dialect::OpenAiChat), prompt(json!({})), CHAT).await;
    let sent = got.sent.unwrap().json();
    assert!(sent.get("max_completion_tokens").is_none(), "{sent}");
}

#[tokio::test]
async fn what_only_this_api_has_is_refused_or_reported() {
    for (members, param, dropped) in [
        (json!({"prompt": ["a", "b"]}), "prompt", ""),
        (json!({"prompt": [1, 2]}), "prompt", ""),
        (json!({"prompt": [[1, 2]]}), "prompt", ""),
        (json!({"prompt": []}), "prompt", ""),
        (json!({"prompt": ""}), "prompt", ""),
        (json!({"prompt": null}), "prompt", ""),
        (json!({"prompt": 1}), "prompt", ""),
        (json!({"suffix": "the end"}), "suffix", ""),
        (json!({"echo": true}), "echo", ""),
        (json!({"n": 2}), "n", ""),
        (json!({"max_tokens": -1}), "max_tokens", ""),
        (json!({"temperature": 3}), "temperature", ""),
        (json!({"weight": 1}), "weight", ""),
        (json!({"best_of": 3}), "", "best_of"),
        (json!({"logprobs": 3}), "", "logprobs"),
    ] {
        let got = asked(&to(Dialect::OpenAiChat), prompt(members.clone()), CHAT).await;
        if param.is_empty() {
            assert_eq!(got.status, 200, "{members}");
            assert_eq!(got.dropped(), dropped);
        } else {
            assert_eq!(got.status, 400, "{members}");
            assert_eq!(got.json()["error"]["param"], param, "{members}");
            assert!(got.sent.is_none());
        }
    }
}

fn chunks(got: &Got) -> Vec<Value> {
    got.chunks()
}

#[tokio::test]
async fn a_stream_of_any_api_becomes_pieces_of_text() {
    let anthropic = [
        json!({"type": "message_start", "message": {"id": "m1", "model": "claude", "usage": {"input_tokens": 3, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "a "}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "time"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ];
    let anthropic: String = anthropic
        .iter()
        .map(|event| {
            format!(
                "event: {}\ndata: {event}\n\n",
                event["type"].as_str().unwrap()
            )
        })
        .collect();
    let openai = [
        json!({"id": "m1", "model": "gpt", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
        json!({"id": "m1", "model": "gpt", "choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}),
        json!({"id": "m1", "model": "gpt", "choices": [{"index": 0, "delta": {"content": "a "}}]}),
        json!({"id": "m1", "model": "gpt", "choices": [{"index": 0, "delta": {"content": "time"}}]}),
        json!({"id": "m1", "model": "gpt", "choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}),
        json!({"id": "m1", "model": "gpt", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}),
    ];
    let openai: String = openai
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .chain(["data: [DONE]\n\n".to_owned()])
        .collect();
    for (dialect, stream) in [
        (Dialect::AnthropicMessages, &anthropic),
        (Dialect::OpenAiChat, &openai),
    ] {
        for shows in [true, false] {
            let mut members = json!({"stream": true, "max_tokens": 9});
            if shows {
                members["stream_options"] = json!({"include_usage": true});
            }
            let request = post("/v1/completions", prompt(members));
            let got = exchange(&to(dialect), request, sse(stream.clone())).await;
            assert!(got.is_done(), "{dialect:?}: {}", got.text);
            let chunks = chunks(&got);
            let text: String = chunks
                .iter()
                .filter_map(|chunk| chunk["choices"][0]["text"].as_str())
                .collect();
            assert_eq!(text, "a time");
            assert!(
                chunks
                    .iter()
                    .all(|chunk| chunk["object"] == "text_completion" && chunk["id"] == "m1")
            );
            let finish = chunks
                .iter()
                .find(|chunk| chunk["choices"][0]["finish_reason"].is_string())
                .unwrap();
            assert_eq!(finish["choices"][0]["finish_reason"], "length");
            assert_eq!(
                finish["bartizan_dropped"],
                json!(["choices.message.reasoning_content"])
            );
            let usage = chunks.iter().find(|chunk| chunk["usage"].is_object());
            assert_eq!(usage.is_some(), shows);
            if let Some(chunk) = usage {
                assert_eq!(chunk["choices"], json!([]));
                assert_eq!(chunk["usage"]["total_tokens"], 5);
            }
            // Cut anywhere, it never ends well.
            let cut = stream
                .rfind("event: message_stop")
                .or(stream.rfind("data: [DONE]"))
                .unwrap();
            let request = post(
                "/v1/completions",
                prompt(json!({"stream": true, "max_tokens": 9})),
            );
            let got = exchange(&to(dialect), request, sse(stream[..cut].to_owned())).await;
            assert!(
                !got.is_done() && got.text.contains("\"error\""),
                "{}",
                got.text
            );
        }
    }
}

#[tokio::test]
async fn one_text_of_the_users_goes_to_a_provider_of_completions() {
    let answer = r#"{"id":"cmpl-1","object":"text_completion","created":1,"model":"babbage-002","choices":[{"text":" a time","index":0,"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}}"#;
    let request = json!({"model": "house", "messages": [{"role": "user", "content": "once upon"}], "max_tokens": 9, "stop": "x", "seed": 1, "top_k": 3});
    let got = exchange(
        &to(Dialect::OpenAiCompletions),
        chat(request.to_string()),
        reply(200, answer),
    )
    .await;
    let sent = got.sent.as_ref().unwrap();
    assert_eq!(sent.uri, "/v1/completions");
    assert_eq!(
        sent.json(),
        json!({"model": "model-there", "prompt": "once upon", "max_tokens": 9, "stop": ["x"], "seed": 1})
    );
    assert_eq!(got.dropped(), "top_k");
    let message = &got.json()["choices"][0];
    assert_eq!(message["message"]["content"], " a time");
    assert_eq!(message["finish_reason"], "length");
    assert_eq!(got.json()["usage"]["total_tokens"], 4);

    let anthropic = json!({"model": "house", "max_tokens": 9, "stream": true, "messages": [{"role": "user", "content": "once upon"}]});
    let stream = [
        json!({"id": "cmpl-1", "model": "b", "choices": [{"text": " a", "index": 0, "finish_reason": null}]}),
        json!({"id": "cmpl-1", "model": "b", "choices": [{"text": " time", "index": 0, "finish_reason": null}]}),
        json!({"id": "cmpl-1", "model": "b", "choices": [{"text": "", "index": 0, "finish_reason": "stop"}]}),
        json!({"id": "cmpl-1", "model": "b", "choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}}),
    ];
    let stream: String = stream
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .chain(["data: [DONE]\n\n".to_owned()])
        .collect();
    let request = post("/v1/messages", anthropic.to_string());
    let got = exchange(&to(Dialect::OpenAiCompletions), request, sse(stream)).await;
    assert_eq!(
        got.sent.unwrap().json()["stream_options"],
        json!({"include_usage": true})
    );
    assert!(
        got.text.contains(r#""text":" time""#) && got.text.contains("message_stop"),
        "{}",
        got.text
    );
    assert!(
        got.text.contains(r#""stop_reason":"end_turn""#)
            && got.text.contains(r#""output_tokens":2"#)
    );
}

#[tokio::test]
async fn a_conversation_does_not_go_to_a_provider_of_completions() {
    let user = json!({"role": "user", "content": "a"});
    for (members, param) in [
        (
            json!({"messages": [{"role": "system", "content": "s"}, user]}),
            "messages",
        ),
        (
            json!({"messages": [user, {"role": "assistant", "content": "b"}, user]}),
            "messages",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]}]}),
            "messages[0]",
        ),
        (
            json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
            "tools",
        ),
        (
            json!({"response_format": {"type": "json_object"}}),
            "response_format",
        ),
        (json!({"max_tokens": null}), "max_tokens"),
    ] {
        let mut request = json!({"model": "house", "max_tokens": 9, "messages": [user]});
        for (key, value) in members.as_object().unwrap() {
            request[key] = value.clone();
        }
        let got = exchange(
            &to(Dialect::OpenAiCompletions),
            chat(request.to_string()),
            reply(200, "{}"),
        )
        .await;
        assert_eq!(got.status, 400, "{members}");
        assert_eq!(got.json()["error"]["param"], param, "{members}");
        assert!(got.sent.is_none());
    }
    // The table of models says it.
    let layer = to(Dialect::OpenAiCompletions)
        .models(ModelFacts::empty().with("model-there", Model::new(4_096)));
    let request = json!({"model": "house", "messages": [user]});
    let got = exchange(&layer, chat(request.to_string()), reply(200, "{}")).await;
    assert_eq!(got.sent.unwrap().json()["max_tokens"], 4_096);
}

#[tokio::test]
async fn between_the_same_two_bytes_pass_and_usage_is_asked_for() {
    let layer = support::layer().to(Target::new(Dialect::OpenAiCompletions, "babbage-002"));
    for exchange in recorded("openai.completions") {
        let Some(text) = body(&exchange["request"]) else {
            continue;
        };
        let request: Value = serde_json::from_str(&text).unwrap();
        let mut answer = body(&exchange["response"]).unwrap();
        let status = exchange["response"]["status"].as_u64().unwrap() as u16;
        let stream = exchange["stream"] == true;
        if stream {
            answer = answer.trim_end().to_owned() + "\n\n";
        }
        let response = if stream {
            sse(answer.clone())
        } else {
            reply(status, answer.clone())
        };
        let got = support::exchange(&layer, post("/v1/completions", text), response).await;
        let Some(sent) = got.sent else {
            // What the API refuses, unread.
            assert_eq!((got.status, status), (400, 400));
            continue;
        };
        let sent = sent.json();
        for (key, value) in request.as_object().unwrap() {
            if key != "model" {
                assert_eq!(sent[key], *value, "{key}");
            }
        }
        let asks = sent["stream_options"]["include_usage"] == true;
        assert_eq!(asks, stream);
        if status == 200 {
            assert_eq!(got.text, answer);
        }
    }
}

proptest! {
    #[test]
    fn any_members_end_in_a_refusal_or_a_request(
        key in prop_oneof!["[a-z_]{1,12}".boxed(), proptest::sample::select(vec![
            "prompt", "max_tokens", "n", "stop", "stream_options", "echo", "suffix", "logprobs", "best_of", "logit_bias", "user",
        ]).prop_map(str::to_owned).boxed()],
        value in prop_oneof![
            Just(json!(null)), Just(json!(true)), Just(json!(1)), Just(json!(-0.5)), Just(json!("x")),
            Just(json!([])), Just(json!({})), Just(json!(["a"])), Just(json!([[1]])), Just(json!({"a": 1})),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let request = prompt(json!({key: value}));
        let got = runtime.block_on(asked(&to(Dialect::OpenAiChat), request, CHAT));
        prop_assert!(matches!(got.status, 200 | 400), "{}", got.text);
        prop_assert_eq!(got.status == 400, got.sent.is_none());
    }
}
