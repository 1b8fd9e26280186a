//! Counts of tokens: asked of providers that count, estimated and marked as such for the others.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{ESTIMATED, Target, TranslateLayer};
use serde_json::json;
use support::{exchange, json, post};

const ASKS: &str = r#"{"model":"house","system":"Be terse.","messages":[{"role":"user","content":"What is the capital of France?"}]}"#;

#[tokio::test]
async fn a_provider_of_the_same_api_is_asked_byte_for_byte_but_for_the_model() {
    let layer =
        TranslateLayer::new().to(Target::new(Dialect::AnthropicMessages, "claude-haiku-4-5"));
    let request = post("/v1/messages/count_tokens", ASKS);
    let got = exchange(&layer, request, json(200, r#"{"input_tokens":14}"#)).await;
    let sent = got.sent.as_ref().unwrap();
    assert_eq!(sent.uri, "/v1/messages/count_tokens");
    assert_eq!(sent.text, ASKS.replace("house", "claude-haiku-4-5"));
    assert_eq!(sent.headers["anthropic-version"], "2023-06-01");
    assert_eq!(got.text, r#"{"input_tokens":14}"#);
    assert!(!got.headers.contains_key(ESTIMATED));
}

#[tokio::test]
async fn where_the_messages_go_the_counts_go() {
    let target = Target::new(Dialect::AnthropicMessages, "m")
        .path("/anthropic/v1/messages")
        .unwrap();
    let layer = TranslateLayer::new().to(target);
    let request = post("/v1/messages/count_tokens?beta=true", ASKS);
    let got = exchange(&layer, request, json(200, r#"{"input_tokens":14}"#)).await;
    assert_eq!(
        got.sent.unwrap().uri,
        "/anthropic/v1/messages/count_tokens?beta=true"
    );
}

#[tokio::test]
async fn a_provider_that_does_not_count_is_not_asked_and_the_estimate_says_what_it_is() {
    let layer = TranslateLayer::new().to(Target::new(Dialect::OpenAiChat, "gpt-4o-mini"));
    let request = post("/v1/messages/count_tokens", ASKS);
    let got = exchange(&layer, request, json(200, "{}")).await;
    assert!(got.sent.is_none());
    assert_eq!(got.headers[ESTIMATED], "tokens");
    assert_eq!(
        got.json(),
        json!({"input_tokens": 10, "bartizan_estimated": true})
    );
}

#[tokio::test]
async fn a_bad_question_is_refused_and_not_estimated() {
    let layer = TranslateLayer::new().to(Target::new(Dialect::OpenAiChat, "gpt-4o-mini"));
    let request = post("/v1/messages/count_tokens", "{\"model\":1,\"model\":2}");
    let got = exchange(&layer, request, json(200, "{}")).await;
    assert_eq!(got.status, 400);
    assert_eq!(got.json()["type"], "error");
}
