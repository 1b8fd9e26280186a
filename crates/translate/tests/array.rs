//! Streams of Gemini's clients in Google's default form: one JSON array, written as its elements come.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bartizan_core::{Body, Dialect};
use bartizan_translate::{ArrayLayer, Target};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::{Layer as _, ServiceExt as _};

const PATH: &str = "/v1beta/models/house:streamGenerateContent";

fn chunk(delta: &Value, finish: &Value) -> String {
    let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
    format!("data: {chunk}\n\n")
}

/// A provider's stream, event by event.
fn events() -> Vec<Bytes> {
    vec![
        chunk(&json!({"content": "one, [\"two\"]"}), &Value::Null).into(),
        ": alive\n\n".into(),
        chunk(&json!({"content": "}\nthree"}), &Value::Null).into(),
        chunk(&json!({}), &json!("stop")).into(),
        "data: [DONE]\n\n".into(),
    ]
}

struct Told {
    /// Where the provider was asked.
    asked: String,
    answer: Response<Body>,
}

async fn told(to: Dialect, path: &str, answer: Response<Body>) -> Told {
    let layer = support::layer().to(Target::new(to, "m"));
    let asked = Arc::new(Mutex::new(String::new()));
    let noted = Arc::clone(&asked);
    let answer = Arc::new(Mutex::new(Some(answer)));
    let provider = tower::service_fn(move |request: Request<Body>| {
        *noted.lock().unwrap() = request.uri().to_string();
        let answer = answer.lock().unwrap().take().unwrap();
        async move { Ok::<_, Infallible>(answer) }
    });
    let request = support::post(
        path,
        r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#,
    );
    let stack = ArrayLayer.layer(layer.layer(provider));
    let answer = stack.oneshot(request).await.unwrap();
    let asked = asked.lock().unwrap().clone();
    Told { asked, answer }
}

async fn frames(answer: Response<Body>) -> Vec<String> {
    let mut body = answer.into_body();
    let mut frames = Vec::new();
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        frames.push(String::from_utf8(data.to_vec()).unwrap());
    }
    frames
}

#[tokio::test]
async fn a_stream_without_alt_is_an_array_whose_elements_come_one_by_one() {
    for query in ["", "?alt=json", "?%24alt=json&", "?prettyPrint=false"] {
        let path = format!("{PATH}{query}");
        let got = told(Dialect::OpenAiChat, &path, support::pieces(events())).await;
        assert_eq!(got.asked, "/v1/chat/completions");
        assert_eq!(
            got.answer.headers()["content-type"],
            "application/json; charset=UTF-8"
        );
        let frames = frames(got.answer).await;
        assert!(frames.len() >= 4, "{frames:#?}");
        assert!(frames[0].starts_with("[{") && frames[1].starts_with("\n,\r\n{"));
        let elements: Vec<Value> = serde_json::from_str(&frames.concat()).unwrap();
        let texts: String = elements
            .iter()
            .filter_map(|element| element["candidates"][0]["content"]["parts"][0]["text"].as_str())
            .collect();
        assert_eq!(texts, "one, [\"two\"]}\nthree");
        let last = &elements[elements.len() - 1];
        assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_error_and_no_reason() {
    let all = events();
    for ends in 0..all.len() {
        let cut = support::pieces(all[..ends].to_vec());
        let got = told(Dialect::OpenAiChat, PATH, cut).await;
        let text = frames(got.answer).await.concat();
        let elements: Vec<Value> = serde_json::from_str(&text).unwrap();
        let last = &elements[elements.len() - 1];
        assert_eq!(last["error"]["code"], 502, "{ends}: {text}");
        assert!(!text.contains("finishReason"), "{ends}: {text}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_array_open() {
    let first = r#"{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"index":0}]}"#;
    let broken = Broken(vec![
        Ok(Bytes::from(format!("data: {first}\n\n"))),
        Err("broken"),
    ]);
    let inner = tower::service_fn(move |_: Request<Body>| {
        let answer = Response::builder()
            .header("content-type", "text/event-stream")
            .body(broken.clone().body())
            .unwrap();
        async move { Ok::<_, Infallible>(answer) }
    });
    let request = support::post(PATH, "{}");
    let mut body = ArrayLayer
        .layer(inner)
        .oneshot(request)
        .await
        .unwrap()
        .into_body();
    let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(data, format!("[{first}"));
    assert!(body.frame().await.unwrap().is_err());
    assert!(body.frame().await.is_none());
}

/// A body that breaks.
#[derive(Clone)]
struct Broken(Vec<Result<Bytes, &'static str>>);

impl Broken {
    fn body(mut self) -> Body {
        self.0.reverse();
        Body::new(self)
    }
}

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, &'static str>>> {
        let next = self.0.pop();
        std::task::Poll::Ready(next.map(|frame| frame.map(http_body::Frame::data)))
    }
}

#[tokio::test]
async fn a_failure_before_the_first_answer_is_an_array_of_it() {
    let failed = support::json(429, r#"{"error":{"type":"rate_limit_error"}}"#);
    let got = told(Dialect::OpenAiChat, PATH, failed).await;
    assert_eq!(got.answer.status(), 429);
    let text = frames(got.answer).await.concat();
    let elements: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(elements.len(), 1);
    assert_eq!(elements[0]["error"]["status"], "RESOURCE_EXHAUSTED");
}

#[tokio::test]
async fn what_asks_for_events_or_for_no_stream_passes_untouched() {
    for (path, asked) in [
        (
            "/v1beta/models/house:streamGenerateContent?alt=sse",
            "/v1beta/models/m:streamGenerateContent?alt=sse",
        ),
        (
            "/v1beta/models/house:streamGenerateContent",
            "/v1beta/models/m:streamGenerateContent?alt=sse",
        ),
    ] {
        let element = r#"{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"STOP","index":0}]}"#;
        let stream = support::sse(format!("data: {element}\r\n\r\n"));
        let got = told(Dialect::Gemini, path, stream).await;
        assert_eq!(got.asked, asked);
        let text = frames(got.answer).await.concat();
        let expected = if path.ends_with("alt=sse") {
            format!("data: {element}\r\n\r\n")
        } else {
            format!("[{element}\n]\n")
        };
        assert_eq!(text, expected);
    }
    let reply = support::json(200, "{\"candidates\":[]}");
    let got = told(
        Dialect::Gemini,
        "/v1beta/models/house:generateContent",
        reply,
    )
    .await;
    assert_eq!(frames(got.answer).await.concat(), "{\"candidates\":[]}");
}
