//! A mock provider, and a layer around it on a clock that stands still.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_core::{
    Body, BoxError, Dialect, Direction, Document, Identity, Limits, ManualClock, Principal,
    Refusal, RefusalKind, RequestEstimate,
};
use bartizan_limit::LimitLayer;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};

/// A body of given frames, which then ends, breaks or never goes on.
pub(crate) struct Frames {
    frames: VecDeque<Bytes>,
    then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    End,
    Break,
    Hang,
}

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match (self.frames.pop_front(), self.then) {
            (Some(frame), _) => Poll::Ready(Some(Ok(Frame::data(frame)))),
            (None, Then::End) => Poll::Ready(None),
            (None, Then::Break) => Poll::Ready(Some(Err("connection reset".into()))),
            (None, Then::Hang) => Poll::Pending,
        }
    }
}

#[derive(Clone)]
pub(crate) enum Answer {
    Json(u16, String),
    Events(Vec<String>, Then),
    Opaque(&'static str),
    Refused,
    Broken,
    Never,
}

impl Answer {
    pub(crate) fn usage(input: u64, output: u64) -> Self {
        Self::Json(
            200,
            format!(
                r#"{{"id":"c","choices":[{{"index":0,"message":{{"role":"assistant","content":"hi"}}}}],"usage":{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{}}}}}"#,
                input + output
            ),
        )
    }

    pub(crate) fn respond(self) -> Result<Response<Body>, BoxError> {
        let typed = |status: u16, content_type: &str, body: Body| {
            let mut response = Response::new(body);
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
                .headers_mut()
                .insert("content-type", content_type.parse().unwrap());
            response
                .headers_mut()
                .insert("x-ratelimit-limit-tokens", "999999".parse().unwrap());
            response
                .headers_mut()
                .insert("x-ratelimit-reset-requests", "99s".parse().unwrap());
            response
        };
        match self {
            Self::Json(status, body) => Ok(typed(status, "application/json", Body::from(body))),
            Self::Events(events, then) => {
                let frames = events.into_iter().map(Bytes::from).collect();
                Ok(typed(
                    200,
                    "text/event-stream",
                    Body::new(Frames { frames, then }),
                ))
            }
            Self::Opaque(body) => Ok(typed(200, "audio/mpeg", Body::from(body))),
            Self::Refused => Ok(Refusal::new(RefusalKind::Blocked, "blocked", "no")
                .render(bartizan_core::Dialect::OpenAiChat)),
            Self::Broken => Err("connection refused".into()),
            Self::Never => unreachable!("never answers"),
        }
    }
}

pub(crate) fn chunk(content: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}}}}]}}\n\n"
    )
}

/// Five pieces of ten tokens each, by our estimate.
pub(crate) fn stream(usage: bool) -> Vec<String> {
    let mut events: Vec<String> = (0..5).map(|_| chunk(&ten_tokens())).collect();
    if usage {
        events.push(
            "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":21,\"completion_tokens\":9,\"total_tokens\":30}}\n\n"
                .into(),
        );
    }
    events.push("data: [DONE]\n\n".into());
    events
}

/// Ten tokens by our estimate, and again ten when they come again.
pub(crate) fn ten_tokens() -> String {
    let adds_up = |text: &String| {
        let mut estimate = bartizan_core::TokenEstimate::default();
        (1..=10).all(|times| {
            estimate.add(text);
            estimate.tokens() == 10 * times
        })
    };
    (1..40)
        .flat_map(|words| (0..40).map(move |letters| " the".repeat(words) + &"x".repeat(letters)))
        .find(adds_up)
        .unwrap()
}

/// 100 tokens of input by our estimate.
pub(crate) fn chat(rest: &str) -> String {
    let with = |words: &str| {
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{words}"}}]{rest}}}"#)
    };
    (50..120)
        .flat_map(|words| (0..40).map(move |letters| " the".repeat(words) + &"x".repeat(letters)))
        .map(|words| with(&words))
        .find(|body| input(body) == 100)
        .unwrap()
}

/// Tokens of a chat's input by our estimate.
pub(crate) fn input(body: &str) -> u64 {
    let document = Document::read(body, Dialect::OpenAiChat, Direction::Request);
    RequestEstimate::of(&document.unwrap()).tokens().max(1)
}

pub(crate) struct Setup {
    pub(crate) layer: LimitLayer,
    pub(crate) clock: ManualClock,
}

pub(crate) fn setup(edit: impl FnOnce(LimitLayer) -> LimitLayer) -> Setup {
    let clock = ManualClock::default();
    Setup {
        layer: edit(LimitLayer::new().clock(clock.clone())),
        clock,
    }
}

pub(crate) fn request(key: Option<&Principal>, body: &str) -> Request<Body> {
    let mut request = Request::post("/v1/chat/completions")
        .body(Body::from(body.to_owned()))
        .unwrap();
    if let Some(principal) = key {
        request.extensions_mut().insert(principal.clone());
    }
    request
}

pub(crate) fn key(name: &str, rpm: Option<u32>, tpm: Option<u32>) -> Principal {
    Principal::assume_verified(Identity::new(name).limits(Limits {
        rpm,
        tpm,
        ..Limits::default()
    }))
}

impl Setup {
    pub(crate) async fn send(
        &self,
        request: Request<Body>,
        answer: &Answer,
    ) -> Result<Response<Body>, BoxError> {
        let answer = answer.clone();
        let inner = service_fn(move |_: Request<Body>| {
            let answer = answer.clone();
            async move {
                if let Answer::Never = answer {
                    std::future::pending::<()>().await;
                }
                answer.respond()
            }
        });
        self.layer.layer(inner).oneshot(request).await
    }

    pub(crate) async fn call(
        &self,
        key: &Principal,
        body: &str,
        answer: &Answer,
    ) -> Response<Body> {
        self.send(request(Some(key), body), answer).await.unwrap()
    }

    /// What the key has left, told by a call that costs nothing.
    pub(crate) async fn left(&self, key: &Principal) -> u64 {
        let nothing = r#"{"model":"m","messages":[],"max_tokens":0}"#;
        let response = self
            .call(key, nothing, &Answer::Json(500, "{}".into()))
            .await;
        number(response.headers(), "x-ratelimit-remaining-tokens") + input(nothing)
    }
}

pub(crate) fn number(headers: &HeaderMap, name: &str) -> u64 {
    headers[name].to_str().unwrap().parse().unwrap()
}

pub(crate) fn told<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

pub(crate) async fn text(response: Response<Body>) -> String {
    String::from_utf8(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec(),
    )
    .unwrap()
}
