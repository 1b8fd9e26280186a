//! The same dialect on both sides: bytes pass, but for the model's name, the wish for usage, and errors.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Target, TranslateLayer};
use serde_json::{Value, json};
use support::{chat, exchange, post, sse};

const REPLY: &str = "{ \"id\":\"c\",\"choices\":[ ],\"x\":1.0 }";

fn to(model: &str) -> TranslateLayer {
    TranslateLayer::new().to(Target::new(Dialect::OpenAiChat, model))
}

#[tokio::test]
async fn only_the_models_name_is_spliced() {
    let odd = "{ \"messages\":[{\"role\":\"user\",\"content\":\"\\u0061\"}], \"temperature\":1.0,\n\"model\":\"house\", \"unknown\":{ \"b\":1,\"a\":2 } }";
    let got = exchange(&to("gpt-4o"), chat(odd), support::json(200, REPLY)).await;
    assert_eq!(
        got.sent.as_ref().unwrap().text,
        odd.replace("house", "gpt-4o")
    );
    assert_eq!(got.text, REPLY);
    let got = exchange(&TranslateLayer::new(), chat(odd), support::json(200, REPLY)).await;
    assert_eq!(got.sent.unwrap().text, odd);
}

#[tokio::test]
async fn without_a_target_nothing_is_changed_and_nothing_is_read() {
    let scans = bartizan_core::json::scans();
    let got = exchange(
        &TranslateLayer::new().stream_usage(false),
        chat("not json"),
        support::json(200, "neither"),
    )
    .await;
    assert_eq!(
        (got.sent.unwrap().text.as_str(), got.text.as_str()),
        ("not json", "neither")
    );
    let got = exchange(&to("m"), post("/v1/unknown", "x"), support::json(200, "y")).await;
    assert_eq!(
        (got.sent.unwrap().uri.path(), got.text.as_str()),
        ("/v1/unknown", "y")
    );
    assert_eq!(bartizan_core::json::scans(), scans);
}

#[tokio::test]
async fn usage_of_a_stream_is_asked_for_by_a_splice() {
    for (options, wanted) in [
        ("", r#","stream_options":{"include_usage":true}}"#),
        (
            r#","stream_options":null"#,
            r#","stream_options":{"include_usage":true}}"#,
        ),
        (
            r#","stream_options":{ }"#,
            r#","stream_options":{ "include_usage":true}}"#,
        ),
        (
            r#","stream_options":{"include_obfuscation":false }"#,
            r#","stream_options":{"include_obfuscation":false ,"include_usage":true}}"#,
        ),
        (
            r#","stream_options":{"include_usage":false}"#,
            r#","stream_options":{"include_usage":true}}"#,
        ),
    ] {
        let before = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"a"}]"#;
        let got = exchange(
            &to("m"),
            chat(format!("{before}{options}}}")),
            support::json(200, REPLY),
        )
        .await;
        assert_eq!(got.sent.unwrap().text, format!("{before}{wanted}"));
        let off = to("m").stream_usage(false);
        let got = exchange(
            &off,
            chat(format!("{before}{options}}}")),
            support::json(200, REPLY),
        )
        .await;
        assert_eq!(got.sent.unwrap().text, format!("{before}{options}}}"));
    }
    let target = Target::new(Dialect::OpenAiChat, "m").stream_usage(false);
    let unstreamed = r#"{"model":"m","messages":[]}"#;
    let streamed = r#"{"model":"m","stream":true,"messages":[]}"#;
    for (layer, request) in [
        (to("m"), unstreamed),
        (TranslateLayer::new().to(target), streamed),
    ] {
        let got = exchange(&layer, chat(request), support::json(200, REPLY)).await;
        assert_eq!(got.sent.unwrap().text, request);
    }
}

#[tokio::test]
async fn usage_that_only_the_layer_asked_for_is_hidden_from_the_client() {
    let first = "data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n";
    let text =
        "data:  {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n";
    let usage =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n";
    let done = "data: [DONE]\n\n";
    let stream = [first, text, usage, done].concat();
    let ask = |options: Value| {
        chat(
            json!({"model": "m", "stream": true, "messages": [], "stream_options": options})
                .to_string(),
        )
    };
    let got = exchange(&to("m"), ask(Value::Null), sse(stream.clone())).await;
    assert_eq!(got.text, [first, text, done].concat());
    let got = exchange(
        &to("m"),
        ask(json!({"include_usage": true})),
        sse(stream.clone()),
    )
    .await;
    assert_eq!(got.text, stream);
}

#[tokio::test]
async fn errors_are_told_anew_in_the_same_dialect() {
    let openai = r#"{"error":{"message":"Incorrect API key provided: sk-proj-canary.","type":"invalid_request_error","code":"invalid_api_key","param":null}}"#;
    let got = exchange(
        &to("m"),
        chat(r#"{"model":"m","messages":[]}"#),
        support::json(401, openai),
    )
    .await;
    assert_eq!(
        (got.status, &got.json()["error"]["code"]),
        (401, &json!("invalid_api_key"))
    );
    assert!(!got.text.contains("canary"));
    let bad = r#"{"error":{"message":"Unsupported parameter: 'max_tokens' with sk-proj-canary","type":"invalid_request_error","code":"unsupported_parameter","param":"max_tokens"}}"#;
    let got = exchange(
        &to("m"),
        chat(r#"{"model":"m","messages":[]}"#),
        support::json(400, bad),
    )
    .await;
    assert_eq!(
        (&got.json()["error"]["code"], &got.json()["error"]["param"]),
        (&json!("unsupported_parameter"), &json!("max_tokens"))
    );
    assert!(got.text.contains("Unsupported parameter") && !got.text.contains("canary"));

    let messages = TranslateLayer::new().to(Target::new(Dialect::AnthropicMessages, "m"));
    let request = r#"{"model":"m","max_tokens":1,"messages":[]}"#;
    let anthropic = r#"{"type":"error","error":{"type":"overloaded_error","message":"canary"}}"#;
    let got = exchange(
        &messages,
        post("/v1/messages?beta=true", request),
        support::json(529, anthropic),
    )
    .await;
    assert_eq!(
        (got.status, &got.json()["error"]["type"]),
        (529, &json!("overloaded_error"))
    );
    assert!(!got.text.contains("canary"));
    let sent = got.sent.unwrap();
    assert_eq!(sent.headers["anthropic-version"], "2023-06-01");
    assert_eq!(
        (sent.uri.to_string().as_str(), sent.text.as_str()),
        ("/v1/messages?beta=true", request)
    );
    let stream =
        format!("event: ping\ndata: {{\"type\":\"ping\"}}\n\nevent: error\ndata: {anthropic}\n\n");
    let got = exchange(&messages, post("/v1/messages", request), sse(stream)).await;
    assert!(
        got.text.starts_with("event: ping\n")
            && got.text.contains("event: error\n")
            && !got.text.contains("canary")
    );
}

#[tokio::test]
async fn a_limit_of_openais_that_says_no_time_may_be_tried_again() {
    let limited =
        r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#;
    let got = exchange(
        &to("m"),
        chat(r#"{"model":"m","messages":[]}"#),
        support::json(429, limited),
    )
    .await;
    assert_eq!((got.status, got.headers.get("x-should-retry")), (429, None));
    assert_eq!(got.json()["error"]["code"], "rate_limit_exceeded");
}

#[tokio::test]
async fn a_whole_answer_is_not_read() {
    let request = || chat(r#"{"model":"m","messages":[]}"#);
    let before = bartizan_core::json::scans();
    let got = exchange(&to("m"), request(), support::json(200, REPLY)).await;
    assert_eq!(got.text, REPLY);
    assert_eq!(
        bartizan_core::json::scans() - before,
        1,
        "the request, once"
    );
}
