//! What the layer promises on the wire.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{
    Body, BoxError, Identity, Limits, ManualClock, Principal, Refusal, RefusalKind, Role, Trail,
    Usage,
};
use bartizan_limit::LimitLayer;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};

/// A body of given frames, which then ends, breaks or never goes on.
struct Frames {
    frames: VecDeque<Bytes>,
    then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
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
enum Answer {
    Json(u16, String),
    Events(Vec<String>, Then),
    Opaque(&'static str),
    Refused,
    Broken,
    Never,
}

impl Answer {
    fn usage(input: u64, output: u64) -> Self {
        Self::Json(
            200,
            format!(
                r#"{{"id":"c","choices":[{{"index":0,"message":{{"role":"assistant","content":"hi"}}}}],"usage":{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{}}}}}"#,
                input + output
            ),
        )
    }

    fn respond(self) -> Result<Response<Body>, BoxError> {
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

fn chunk(content: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}}}}]}}\n\n"
    )
}

/// Five pieces of ten tokens each, by our estimate.
fn stream(usage: bool) -> Vec<String> {
    let mut events: Vec<String> = (0..5).map(|_| chunk(&"x".repeat(40))).collect();
    if usage {
        events.push(
            "data: {\"id\":\"c\",\"choices\":[],\"usage\":{\"prompt_tokens\":21,\"completion_tokens\":9,\"total_tokens\":30}}\n\n"
                .into(),
        );
    }
    events.push("data: [DONE]\n\n".into());
    events
}

/// 100 tokens of input by our estimate.
fn chat(rest: &str) -> String {
    format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"{}"}}]{rest}}}"#,
        "a".repeat(400)
    )
}

struct Setup {
    layer: LimitLayer,
    clock: ManualClock,
}

fn setup(edit: impl FnOnce(LimitLayer) -> LimitLayer) -> Setup {
    let clock = ManualClock::default();
    Setup {
        layer: edit(LimitLayer::new().clock(clock.clone())),
        clock,
    }
}

fn request(key: Option<&Principal>, body: &str) -> Request<Body> {
    let mut request = Request::post("/v1/chat/completions")
        .body(Body::from(body.to_owned()))
        .unwrap();
    if let Some(principal) = key {
        request.extensions_mut().insert(principal.clone());
    }
    request
}

fn key(name: &str, rpm: Option<u32>, tpm: Option<u32>) -> Principal {
    Principal::assume_verified(Identity::new(name).limits(Limits { rpm, tpm }))
}

impl Setup {
    async fn send(
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

    async fn call(&self, key: &Principal, body: &str, answer: &Answer) -> Response<Body> {
        self.send(request(Some(key), body), answer).await.unwrap()
    }

    /// What the key has left, told by a call that costs nothing.
    async fn left(&self, key: &Principal) -> u64 {
        let response = self
            .call(
                key,
                r#"{"model":"m","messages":[],"max_tokens":0}"#,
                &Answer::Json(500, "{}".into()),
            )
            .await;
        number(response.headers(), "x-ratelimit-remaining-tokens") + 1
    }
}

fn number(headers: &HeaderMap, name: &str) -> u64 {
    headers[name].to_str().unwrap().parse().unwrap()
}

fn told<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

async fn text(response: Response<Body>) -> String {
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

#[tokio::test]
async fn every_answer_tells_where_the_limits_stand_in_openais_words() {
    let setup = setup(|layer| layer);
    let key = key("k", Some(3), Some(1_000));
    let response = setup
        .call(&key, &chat(r#","max_tokens":50"#), &Answer::usage(100, 20))
        .await;
    let headers = response.headers();
    let expected = [
        ("x-ratelimit-limit-requests", "3"),
        ("x-ratelimit-remaining-requests", "2"),
        ("x-ratelimit-reset-requests", "20s"),
        ("x-ratelimit-limit-tokens", "1000"),
        ("x-ratelimit-remaining-tokens", "850"),
        ("x-ratelimit-reset-tokens", "9s"),
    ];
    for (name, value) in expected {
        assert_eq!(told(headers, name), Some(value), "{name}");
        assert_eq!(
            headers.get_all(name).iter().count(),
            1,
            "the provider's {name} stays"
        );
    }
    assert!(text(response).await.contains(r#""completion_tokens":20"#));
    assert_eq!(setup.left(&key).await, 880, "settled to what was used");
}

#[tokio::test]
async fn where_no_limit_applies_the_answer_is_left_alone() {
    let setup = setup(|layer| layer);
    let body = chat("");
    let response = setup
        .call(&key("k", None, None), &body, &Answer::usage(1, 1))
        .await;
    assert_eq!(
        told(response.headers(), "x-ratelimit-limit-tokens"),
        Some("999999")
    );
    assert_eq!(
        told(response.headers(), "x-ratelimit-remaining-requests"),
        None
    );
    // Where only requests are limited, the provider's word on tokens goes all the same: it is the gateway's, not the caller's.
    let response = setup
        .call(&key("r", Some(9), None), &body, &Answer::usage(1, 1))
        .await;
    assert_eq!(told(response.headers(), "x-ratelimit-limit-tokens"), None);
    assert_eq!(
        told(response.headers(), "x-ratelimit-reset-requests"),
        Some("6.667s")
    );
}

#[tokio::test]
async fn the_request_over_the_limit_is_refused_and_told_when_to_come_back() {
    let setup = setup(|layer| layer);
    let key = key("k", Some(2), None);
    let body = chat("");
    for _ in 0..2 {
        assert_eq!(
            setup.call(&key, &body, &Answer::usage(1, 1)).await.status(),
            200
        );
    }
    setup.clock.advance(Duration::from_millis(500));
    let trail = Trail::new();
    let mut over = request(Some(&key), &body);
    over.extensions_mut().insert(trail.clone());
    let response = setup.send(over, &Answer::Never).await.unwrap();
    assert_eq!(response.status(), 429);
    let headers = response.headers();
    assert_eq!(told(headers, "retry-after"), Some("30"));
    assert_eq!(told(headers, "retry-after-ms"), Some("29500"));
    assert_eq!(told(headers, "x-should-retry"), None);
    assert_eq!(told(headers, "x-ratelimit-remaining-requests"), Some("0"));
    assert_eq!(
        trail.notes()[0].to_string(),
        "limit refused scope=key measure=requests"
    );
    let refusal = response.extensions().get::<Refusal>().unwrap().clone();
    assert_eq!(
        (refusal.kind(), refusal.code()),
        (RefusalKind::RateLimited, "rate_limit_exceeded")
    );
    assert_eq!(
        refusal.message(),
        "Rate limit reached for this key on requests per min (RPM): Limit 2, Used 2, Requested 1. Please try again in 29.5s."
    );
    setup.clock.advance(Duration::from_millis(29_500));
    assert_eq!(
        setup.call(&key, &body, &Answer::usage(1, 1)).await.status(),
        200
    );
}

#[tokio::test]
async fn a_request_that_can_never_pass_is_not_to_be_retried() {
    let setup = setup(|layer| layer);
    let key = key("k", None, Some(150));
    let response = setup
        .call(&key, &chat(r#","max_tokens":51"#), &Answer::Never)
        .await;
    assert_eq!(response.status(), 429);
    assert_eq!(told(response.headers(), "x-should-retry"), Some("false"));
    assert_eq!(told(response.headers(), "retry-after"), None);
    let body = text(response).await;
    assert!(
        body.contains("Request too large") && body.contains("Limit 150, Requested 151"),
        "{body}"
    );
    assert_eq!(
        setup
            .call(&key, &chat(r#","max_tokens":50"#), &Answer::usage(1, 1))
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn tokens_are_settled_to_what_is_known_however_the_call_ends() {
    let anthropic = |events: &[&str]| {
        events
            .iter()
            .map(|data| {
                let name = serde_json::from_str::<serde_json::Value>(data).unwrap()["type"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                format!("event: {name}\ndata: {data}\n\n")
            })
            .collect::<Vec<_>>()
    };
    let start = r#"{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"usage":{"input_tokens":25,"output_tokens":1}}}"#;
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}}"#;
    let last = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}"#;
    let stop = r#"{"type":"message_stop"}"#;
    let cut = |count: usize, then| Answer::Events(stream(true)[..count].to_vec(), then);
    // (what comes back, the path, what it costs, whether that is an estimate). Input: 100 by estimate.
    let cases: Vec<(&str, Answer, &str, u64, Option<bool>)> = vec![
        (
            "usage told",
            Answer::usage(30, 12),
            "/v1/chat/completions",
            42,
            Some(false),
        ),
        (
            "more than reserved",
            Answer::usage(300, 400),
            "/v1/chat/completions",
            700,
            Some(false),
        ),
        (
            "no usage: input and the words",
            Answer::Json(
                200,
                r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"12345678"}}]}"#
                    .into(),
            ),
            "/v1/chat/completions",
            102,
            Some(true),
        ),
        (
            "stream with usage",
            Answer::Events(stream(true), Then::End),
            "/v1/chat/completions",
            30,
            Some(false),
        ),
        (
            "stream without",
            Answer::Events(stream(false), Then::End),
            "/v1/chat/completions",
            150,
            Some(true),
        ),
        (
            "stream cut",
            cut(3, Then::End),
            "/v1/chat/completions",
            130,
            Some(true),
        ),
        (
            "stream broken",
            cut(2, Then::Break),
            "/v1/chat/completions",
            120,
            Some(true),
        ),
        (
            "anthropic",
            Answer::Events(anthropic(&[start, delta, last, stop]), Then::End),
            "/v1/messages",
            40,
            Some(false),
        ),
        (
            "anthropic cut",
            Answer::Events(anthropic(&[start, delta, delta]), Then::Break),
            "/v1/messages",
            45,
            Some(true),
        ),
        (
            "a provider's error",
            Answer::Json(500, r#"{"error":{"message":"no"}}"#.into()),
            "/v1/chat/completions",
            0,
            None,
        ),
        (
            "a refusal inside",
            Answer::Refused,
            "/v1/chat/completions",
            0,
            None,
        ),
        (
            "sound",
            Answer::Opaque("abc"),
            "/v1/chat/completions",
            150,
            Some(true),
        ),
    ];
    for (name, answer, path, cost, estimated) in cases {
        let setup = setup(|layer| layer);
        let key = key("k", None, Some(1_000));
        let trail = Trail::new();
        let mut sent = request(Some(&key), &chat(r#","max_tokens":50"#));
        *sent.uri_mut() = path.parse().unwrap();
        sent.extensions_mut().insert(trail.clone());
        let response = setup.send(sent, &answer).await.unwrap();
        let _ = response.into_body().collect().await;
        assert_eq!(setup.layer.reservations(), 0, "{name}");
        assert_eq!(setup.left(&key).await, 1_000 - cost, "{name}");
        assert_eq!(
            trail.usage().map(|(_, estimated)| estimated),
            estimated,
            "{name}"
        );
        assert_eq!(
            trail.usage().map_or(0, |(usage, _)| usage.total()),
            cost,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_call_that_fails_or_is_left_before_its_answer_costs_its_input() {
    let setup = setup(|layer| layer);
    let key = key("k", None, Some(1_000));
    let body = chat(r#","max_tokens":50"#);
    assert!(
        setup
            .send(request(Some(&key), &body), &Answer::Broken)
            .await
            .is_err()
    );
    assert_eq!(setup.layer.reservations(), 0);
    assert_eq!(setup.left(&key).await, 900);

    let mut left = Box::pin(setup.send(request(Some(&key), &body), &Answer::Never));
    let waker = std::task::Waker::noop();
    assert!(
        left.as_mut()
            .poll(&mut Context::from_waker(waker))
            .is_pending()
    );
    assert_eq!(setup.layer.reservations(), 1);
    drop(left);
    assert_eq!(setup.layer.reservations(), 0);
    assert_eq!(setup.left(&key).await, 800);
}

#[tokio::test]
async fn a_client_that_leaves_at_any_event_gives_its_reservation_back_and_pays_for_what_came() {
    let events = stream(true);
    for taken in 0..=events.len() {
        let setup = setup(|layer| layer);
        let key = key("k", None, Some(1_000));
        let answer = Answer::Events(events.clone(), Then::Hang);
        let response = setup
            .call(&key, &chat(r#","max_tokens":500"#), &answer)
            .await;
        let mut body = response.into_body();
        for _ in 0..taken {
            body.frame().await.unwrap().unwrap();
        }
        drop(body);
        assert_eq!(setup.layer.reservations(), 0, "after {taken}");
        let cost = match taken {
            // The provider has said what it used; before its last event that is the input, with what was seen of the output.
            6 => 21 + 50,
            7 => 30,
            pieces => 100 + 10 * pieces as u64,
        };
        assert_eq!(setup.left(&key).await, 1_000 - cost, "after {taken}");
    }
}

#[tokio::test]
async fn what_a_layer_inside_has_settled_is_believed_where_the_answer_does_not_say() {
    let setup = setup(|layer| layer);
    let key = key("k", None, Some(1_000));
    let trail = Trail::new();
    let mut sent = request(Some(&key), &chat(r#","max_tokens":50"#));
    sent.extensions_mut().insert(trail.clone());
    trail.settle(
        Usage {
            input: 70,
            output: 7,
            ..Usage::default()
        },
        false,
    );
    setup.send(sent, &Answer::Refused).await.unwrap();
    assert_eq!(setup.left(&key).await, 923);
}

#[tokio::test]
async fn keys_count_apart_and_callers_without_one_count_together() {
    let setup = setup(|layer| layer.default_rpm(2));
    let (one, two) = (key("one", None, None), key("two", Some(1), None));
    let body = chat("");
    let status = async |who: Option<&Principal>| {
        setup
            .send(request(who, &body), &Answer::usage(1, 1))
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    for (who, expected) in [
        (Some(&one), 200),
        (Some(&one), 200),
        (Some(&one), 429),
        (Some(&two), 200),
        (Some(&two), 429),
        (None, 200),
        (None, 200),
        (None, 429),
    ] {
        assert_eq!(status(who).await, expected, "{who:?}");
    }
    // A key by the name of nobody is somebody.
    assert_eq!(status(Some(&key("", None, None))).await, 200);
}

#[tokio::test]
async fn admins_are_bound_by_models_and_by_their_own_limits_alone() {
    let admin = |limits: Limits| {
        Principal::assume_verified(Identity::new("admin").role(Role::ProxyAdmin).limits(limits))
    };
    let count = async |setup: &Setup, who: &Principal| {
        let mut passed = 0;
        for _ in 0..20 {
            passed += u32::from(
                setup
                    .call(who, &chat(""), &Answer::usage(1, 1))
                    .await
                    .status()
                    == 200,
            );
        }
        passed
    };
    let free = admin(Limits::default());
    assert_eq!(count(&setup(|layer| layer.default_rpm(2)), &free).await, 20);
    assert_eq!(
        count(
            &setup(|layer| layer.default_rpm(2).limit_admins(true)),
            &free
        )
        .await,
        2
    );
    assert_eq!(
        count(
            &setup(|layer| layer),
            &admin(Limits {
                rpm: Some(3),
                tpm: None
            })
        )
        .await,
        3
    );
    let of_model = Limits {
        rpm: Some(4),
        tpm: None,
    };
    assert_eq!(
        count(&setup(|layer| layer.model("m", of_model)), &free).await,
        4
    );
    assert_eq!(
        count(&setup(|layer| layer.model_per_key("m", of_model)), &free).await,
        20
    );
}

#[tokio::test]
async fn a_models_limit_is_shared_and_a_models_limit_per_key_is_not() {
    let limits = Limits {
        rpm: Some(2),
        tpm: None,
    };
    let count = async |setup: &Setup, model: &str| {
        let mut passed = 0;
        for number in 0..6 {
            let key = key(&format!("k{}", number % 3), None, None);
            let body = format!(r#"{{"model":"{model}","messages":[]}}"#);
            passed +=
                u32::from(setup.call(&key, &body, &Answer::usage(1, 1)).await.status() == 200);
        }
        passed
    };
    assert_eq!(
        count(&setup(|layer| layer.model("m", limits)), "m").await,
        2
    );
    assert_eq!(
        count(&setup(|layer| layer.model_per_key("m", limits)), "m").await,
        6
    );
    assert_eq!(
        count(
            &setup(|layer| layer.model_per_key(
                "m",
                Limits {
                    rpm: Some(1),
                    tpm: None
                }
            )),
            "m"
        )
        .await,
        3
    );
    assert_eq!(
        count(&setup(|layer| layer.model("m", limits)), "n").await,
        6
    );
    let tokens = Limits {
        rpm: None,
        tpm: Some(20),
    };
    let setup = setup(|layer| layer.model("m", tokens));
    let body = r#"{"model":"m","messages":[],"max_tokens":19}"#;
    assert_eq!(
        setup
            .call(&key("k", None, None), body, &Answer::usage(1, 19))
            .await
            .status(),
        200
    );
    let refused = setup
        .call(
            &key("j", None, None),
            r#"{"model":"m","messages":[],"max_tokens":20}"#,
            &Answer::Never,
        )
        .await;
    assert!(
        text(refused).await.contains("for model m on tokens"),
        "the scope is named"
    );
}

#[tokio::test]
async fn a_request_that_cannot_be_read_counts_as_a_request() {
    let setup = setup(|layer| layer);
    let key = key("k", Some(2), Some(1_000));
    for status in [400, 400, 429] {
        assert_eq!(
            setup
                .call(&key, "{", &Answer::Never)
                .await
                .status()
                .as_u16(),
            status
        );
    }
    assert_eq!(setup.layer.reservations(), 0);
}

#[tokio::test]
async fn a_look_around_costs_a_request_and_no_tokens() {
    let setup = setup(|layer| layer);
    let key = key("k", Some(5), Some(10));
    for _ in 0..5 {
        let mut look = request(Some(&key), "");
        (*look.method_mut(), *look.uri_mut()) = (http::Method::GET, "/v1/models".parse().unwrap());
        let response = setup
            .send(look, &Answer::Json(200, "{}".into()))
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(
            told(response.headers(), "x-ratelimit-remaining-tokens"),
            None
        );
    }
    assert_eq!(setup.layer.reservations(), 0);
}

#[tokio::test]
async fn a_body_that_nobody_needs_to_read_is_not_read() {
    let setup = setup(|layer| layer.default_rpm(10));
    assert_eq!(
        setup
            .call(
                &key("k", None, None),
                "this is not json",
                &Answer::usage(1, 1)
            )
            .await
            .status(),
        200
    );
}

#[tokio::test]
async fn clones_and_services_count_together() {
    let setup = setup(|layer| layer.default_rpm(2));
    let other = Setup {
        layer: setup.layer.clone().default_output_tokens(7),
        clock: setup.clock.clone(),
    };
    let key = key("k", None, None);
    assert_eq!(
        setup.call(&key, "{}", &Answer::usage(1, 1)).await.status(),
        200
    );
    assert_eq!(
        other.call(&key, "{}", &Answer::usage(1, 1)).await.status(),
        200
    );
    assert_eq!(
        setup.call(&key, "{}", &Answer::usage(1, 1)).await.status(),
        429
    );
}

/// S14. A thousand calls at once against a small budget.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_once_use_no_more_than_the_limit() {
    let setup = setup(|layer| layer);
    let used = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&used);
    let service = setup.layer.layer(service_fn(move |_: Request<Body>| {
        let counted = Arc::clone(&counted);
        async move {
            tokio::task::yield_now().await;
            counted.fetch_add(10, Ordering::SeqCst);
            Ok::<_, Infallible>(Answer::usage(4, 6).respond().unwrap())
        }
    }));
    let key = key("k", None, Some(500));
    let calls: Vec<_> = (0..1_000)
        .map(|number| {
            let (service, key) = (service.clone(), key.clone());
            tokio::spawn(async move {
                let sent = request(Some(&key), r#"{"model":"m","messages":[],"max_tokens":19}"#);
                let mut call = Box::pin(service.oneshot(sent));
                if number % 7 == 0 {
                    // Leaves at once, if it was not refused at once.
                    let waker = std::task::Waker::noop();
                    let _ = call.as_mut().poll(&mut Context::from_waker(waker));
                    return false;
                }
                let response = call.await.unwrap();
                let passed = response.status() == 200;
                let _ = response.into_body().collect().await;
                passed
            })
        })
        .collect();
    let mut passed = 0;
    for call in calls {
        passed += u64::from(call.await.unwrap());
    }
    assert!(
        used.load(Ordering::SeqCst) <= 500 && passed >= 20,
        "{passed} calls used {used:?}"
    );
    assert_eq!(setup.layer.reservations(), 0);
}

#[tokio::test]
async fn refusals_speak_the_callers_dialect() {
    let setup = setup(|layer| layer.default_rpm(0));
    let mut grpc = request(None, "");
    grpc.headers_mut()
        .insert("content-type", "application/grpc".parse().unwrap());
    let response = setup.send(grpc, &Answer::Never).await.unwrap();
    assert_eq!(
        (
            response.status().as_u16(),
            told(response.headers(), "grpc-status")
        ),
        (200, Some("8"))
    );
    let mut messages = request(None, "{}");
    *messages.uri_mut() = "/v1/messages".parse().unwrap();
    let response = setup.send(messages, &Answer::Never).await.unwrap();
    assert!(
        text(response)
            .await
            .contains(r#""type":"rate_limit_error""#)
    );
}
