//! JSON numbers, in requests, in definitions of tools and in answers, whole and streamed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper outside a test function panics as the test would"
)]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bartizan_core::Body;
use bartizan_pii::{Entity, Operator, PiiLayer, PiiLayerBuilder};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

const AADHAAR: u64 = 234_123_412_346;
const ACCOUNT: u64 = 30_123_456_789;

/// What the provider got and what the caller got, where the provider answers by `answer`.
async fn exchange(
    layer: PiiLayerBuilder,
    body: &Value,
    kind: &'static str,
    answer: impl Fn(&str) -> String + Clone + Send + 'static,
) -> (Value, String) {
    let got = Arc::new(Mutex::new(String::new()));
    let provider = {
        let got = Arc::clone(&got);
        service_fn(move |request: Request<Body>| {
            let (got, answer) = (Arc::clone(&got), answer.clone());
            async move {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let body = String::from_utf8(body.to_vec()).unwrap();
                let said = answer(&body);
                *got.lock().unwrap() = body;
                let head = Response::builder().header("content-type", kind);
                Ok::<_, Infallible>(head.body(Full::from(said)).unwrap())
            }
        })
    };
    let request = Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .body(Full::from(body.to_string()))
        .unwrap();
    let response = layer
        .build()
        .unwrap()
        .layer(provider)
        .oneshot(request)
        .await
        .unwrap();
    let answer = response.into_body().collect().await.unwrap().to_bytes();
    let sent = serde_json::from_str(&got.lock().unwrap()).unwrap();
    (sent, String::from_utf8(answer.to_vec()).unwrap())
}

fn layer(operator: Operator) -> PiiLayerBuilder {
    let both = [Entity::InAadhaar, Entity::InBankAccount];
    both.into_iter().fold(PiiLayer::builder(), |layer, entity| {
        layer.operator(entity, operator.clone())
    })
}

/// A tool call with these arguments, as a whole answer.
fn reply(arguments: &str) -> String {
    json!({"created": 1_700_000_000, "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]}}]})
    .to_string()
}

/// The same in pieces.
fn stream(pieces: &[&str]) -> String {
    let chunk = |piece: &&str| {
        let call = json!({"index": 0, "id": "c", "function": {"name": "f", "arguments": piece}});
        let chunk = json!({"id": "1", "choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": null}]});
        format!("data: {chunk}\n\n")
    };
    pieces.iter().map(chunk).collect::<String>()
        + "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"
}

/// The arguments that a whole or streamed answer has.
fn arguments(answer: &str) -> String {
    let of = |call: &Value| {
        call["function"]["arguments"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    if let Ok(whole) = serde_json::from_str::<Value>(answer) {
        return of(&whole["choices"][0]["message"]["tool_calls"][0]);
    }
    let events = answer
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let events = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    events
        .map(|event| of(&event["choices"][0]["delta"]["tool_calls"][0]))
        .collect()
}

#[tokio::test]
async fn numbers_in_arrays_and_definitions_of_tools_are_masked_and_bounds_are_left() {
    let body = json!({"model": "demo",
        "messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f",
            "arguments": json!({"ids": [AADHAAR, 7], "accountNo": ACCOUNT, "order": ACCOUNT, "n": [1.5, 12_345_678]}).to_string()}}]}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {
            "aadhaar": {"type": "integer", "maximum": AADHAAR, "minimum": ACCOUNT, "default": AADHAAR, "enum": [AADHAAR, 1]}}}}}]});
    let (sent, _) = exchange(layer(Operator::Mask), &body, "application/json", |_| {
        reply("{}")
    })
    .await;
    let told = sent["messages"][0]["tool_calls"][0]["function"]["arguments"]
        .as_str()
        .unwrap();
    let told: Value = serde_json::from_str(told).unwrap();
    assert_eq!(
        told,
        json!({"ids": ["<IN_AADHAAR_1>", 7], "accountNo": "<IN_BANK_ACCOUNT_1>", "order": ACCOUNT, "n": [1.5, 12_345_678]})
    );
    assert_eq!(
        sent["tools"][0]["function"]["parameters"]["properties"]["aadhaar"],
        json!({"type": "integer", "maximum": AADHAAR, "minimum": ACCOUNT, "default": "<IN_AADHAAR_1>", "enum": ["<IN_AADHAAR_1>", 1]})
    );
}

const WRITTEN: &str = r#"{"n": 7, "aadhaar": 234123412346, "list": [234123412346, 12.5, -98765432], "accountNo":30123456789 ,"order": 30123456789, "x": {"account": "no", "b": 30123456789}, "ok": true, "e": 1.5e10}"#;
const TAKEN_OUT: &str = r#"{"n": 7, "aadhaar": "<IN_AADHAAR>", "list": ["<IN_AADHAAR>", 12.5, -98765432], "accountNo":"<IN_BANK_ACCOUNT>" ,"order": 30123456789, "x": {"account": "no", "b": 30123456789}, "ok": true, "e": 1.5e10}"#;

#[tokio::test]
async fn numbers_that_the_model_writes_are_taken_out_by_the_names_of_their_members_whole_and_streamed()
 {
    let body = json!({"model": "demo", "messages": [{"role": "user", "content": "go"}]});
    let output = || layer(Operator::Replace).output(true);
    let (_, answer) = exchange(output(), &body, "application/json", |_| reply(WRITTEN)).await;
    assert_eq!(arguments(&answer), TAKEN_OUT);
    assert!(answer.contains("1700000000"));
    for first in 0..WRITTEN.len() {
        let second = (first + 3).min(WRITTEN.len());
        let pieces = [
            &WRITTEN[..first],
            &WRITTEN[first..second],
            &WRITTEN[second..],
        ];
        let said = stream(&pieces);
        let (_, answer) =
            exchange(output(), &body, "text/event-stream", move |_| said.clone()).await;
        assert_eq!(arguments(&answer), TAKEN_OUT, "{pieces:?}");
    }
}

#[tokio::test]
async fn a_fake_stays_a_number_and_comes_back_as_one() {
    let given = json!({"aadhaar": AADHAAR}).to_string();
    let body = json!({"model": "demo", "messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f",
        "arguments": given}}]}]});
    let told = |sent: &str| {
        let sent: Value = serde_json::from_str(sent).unwrap();
        sent["messages"][0]["tool_calls"][0]["function"]["arguments"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (sent, answer) = exchange(
        layer(Operator::Fake),
        &body,
        "application/json",
        move |sent| reply(&told(sent)),
    )
    .await;
    let fake: Value = serde_json::from_str(&told(&sent.to_string())).unwrap();
    assert!(
        fake["aadhaar"].is_u64() && fake["aadhaar"] != json!(AADHAAR),
        "{fake}"
    );
    assert_eq!(arguments(&answer), given);
    let (_, answer) = exchange(
        layer(Operator::Fake),
        &body,
        "text/event-stream",
        move |sent| {
            let written = told(sent);
            let (first, second) = written.split_at(written.len() / 2);
            stream(&[first, second])
        },
    )
    .await;
    assert_eq!(arguments(&answer), given);
}

#[tokio::test]
async fn a_masked_number_comes_back_as_the_string_that_its_placeholder_stood_in() {
    let body = json!({"model": "demo", "messages": [{"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f",
        "arguments": json!({"aadhaar": AADHAAR}).to_string()}}]}]});
    let (_, answer) = exchange(layer(Operator::Mask), &body, "application/json", |_| {
        reply(r#"{"aadhaar": "<IN_AADHAAR_1>"}"#)
    })
    .await;
    assert_eq!(arguments(&answer), r#"{"aadhaar": "234123412346"}"#);
}
