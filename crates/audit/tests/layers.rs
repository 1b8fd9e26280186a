//! One record a call, whatever becomes of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_audit::{
    AuditLayer, Batch, ChainKey, CountLayer, Error, IntentLayer, Journal, JournalBuilder,
    MemorySink, Mode, Sink, Tail,
};
use bartizan_core::{
    Body, BoxError, Call, Dialect, End, Filter, Filtered, Flow, Identity, ManualClock, Note, Out,
    Principal, Refusal, RefusalKind, Step, Tap, Trail, Usage, Watch,
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use serde_json::Value;
use tokio::sync::mpsc;
use tower::{Layer, Service, ServiceBuilder, ServiceExt as _, service_fn};

const LIMIT: usize = 1 << 20;

const CHAT: &str =
    r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"canary-prompt"}]}"#;
const REPLY: &str = r#"{"id":"x","object":"chat.completion","model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"canary-answer"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":4}}}"#;
const EVENTS: [&str; 4] = [
    "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"canary-answer\"}}]}\n\n",
    "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":7,\"total_tokens\":17}}\n\n",
    "data: [DONE]\n\n",
];

fn request() -> Request<Body> {
    Request::post("/v1/chat/completions?key=canary-query")
        .header("content-type", "application/json")
        .header("authorization", "Bearer canary-key")
        .header("cookie", "canary-cookie")
        .header("x-request-id", "req-7")
        .body(Body::from(CHAT))
        .unwrap()
}

fn json(status: u16, body: &'static str) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap()
}

/// A stream of events that the test feeds.
fn stream(frames: mpsc::Receiver<Result<&'static str, BoxError>>) -> Response<Body> {
    struct Feed(mpsc::Receiver<Result<&'static str, BoxError>>);
    impl hyper::body::Body for Feed {
        type Data = Bytes;
        type Error = BoxError;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            self.0.poll_recv(cx).map(|frame| {
                frame
                    .map(|frame| frame.map(|text| Frame::data(Bytes::from_static(text.as_bytes()))))
            })
        }
    }
    Response::builder()
        .header("content-type", "text/event-stream")
        .body(Body::new(Feed(frames)))
        .unwrap()
}

/// A service that gives these answers, the last one first.
fn answers(
    answers: Vec<Response<Body>>,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let answers = Arc::new(Mutex::new(answers));
    service_fn(move |_: Request<Body>| {
        std::future::ready(Ok(answers.lock().unwrap().pop().unwrap()))
    })
}

struct Fixture {
    sink: MemorySink,
    journal: Journal,
    clock: ManualClock,
}

async fn fixture(settings: impl FnOnce(JournalBuilder) -> JournalBuilder) -> Fixture {
    let (sink, clock) = (
        MemorySink::new(),
        ManualClock::at(Duration::from_secs(1_795_500_000)),
    );
    let journal = settings(Journal::builder().clock(clock.clone()))
        .open(sink.clone())
        .await
        .unwrap();
    Fixture {
        sink,
        journal,
        clock,
    }
}

impl Fixture {
    /// The records but the opening one.
    async fn records(&self) -> Vec<Value> {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        self.sink
            .lines()
            .iter()
            .skip(1)
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The one record of the one call.
    async fn record(&self) -> Value {
        let mut records = self.records().await;
        assert_eq!(records.len(), 1, "{records:#?}");
        records.remove(0)
    }
}

/// Stands for a layer inside, such as Limit: settles and notes at the end or on drop.
struct Inside;
struct Settles(Trail);
impl Filter for Inside {
    const NAME: &'static str = "inside";
    type Tap = Settles;
    async fn request(&self, call: &mut Call) -> Result<Flow<Settles>, Refusal> {
        let principal = Principal::assume_verified(
            Identity::new("key-1")
                .key_alias("laptop")
                .team_id("team-1")
                .user_id("user-1"),
        );
        let trail = call.trail().unwrap().clone();
        trail.identify(&principal);
        trail.ask_model("gpt-4o-mini");
        call.note(Note::new("pii", "masked").count("EMAIL_ADDRESS", 2));
        Ok(Flow::Pass(Settles(trail)))
    }
}
impl Tap for Settles {
    fn watch(&self) -> Watch {
        Watch::End
    }
    fn end(&mut self, _: End<'_>, _: &mut Out) -> Step {
        Step::Go
    }
}
impl Drop for Settles {
    fn drop(&mut self) {
        if self.0.usage().is_none() {
            self.0.settle(
                Usage {
                    input: 3,
                    ..Usage::default()
                },
                true,
            );
        }
    }
}

fn inside<S>(inner: S) -> Filtered<S, Inside> {
    Filtered::new(inner, Arc::new(Inside))
}

#[tokio::test]
async fn a_whole_call_has_one_record_with_all_that_is_promised_and_no_content() {
    let fixture = fixture(|builder| builder).await;
    let clock = fixture.clock.clone();
    let service = ServiceBuilder::new()
        .layer(AuditLayer::new(fixture.journal.clone()))
        .layer_fn(inside)
        .service(service_fn(move |_: Request<Body>| {
            clock.advance(Duration::from_millis(250));
            async { Ok::<_, Infallible>(json(200, REPLY)) }
        }));
    let response = service.oneshot(request()).await.unwrap();
    fixture.clock.advance(Duration::from_millis(50));
    assert_eq!(response.into_body().into_bytes(LIMIT).await.unwrap(), REPLY);
    let record = fixture.record().await;
    let run = record["call"].as_str().unwrap().to_owned();
    let expected = serde_json::json!({
        "v": 1, "seq": 2, "prev": record["prev"], "hash": record["hash"], "kind": "call", "time": "2026-11-24T06:00:00.000Z", "call": run, "request_id": "req-7",
        "who": {"key_id": "key-1", "key_alias": "laptop", "team_id": "team-1", "user_id": "user-1", "role": "internal_user"},
        "dialect": "openai_chat", "model": "gpt-4o-mini", "method": "POST", "path": "/v1/chat/completions", "stream": false, "status": 200, "outcome": "ok",
        "latency_ms": 300, "ttfb_ms": 250,
        "tokens": {"input": 3, "cached_input": 0, "cache_write": 0, "output": 0, "reasoning": 0, "audio_input": 0, "audio_output": 0, "estimated": true},
        "notes": [{"layer": "pii", "action": "masked", "details": {"EMAIL_ADDRESS": 2}}],
    });
    assert_eq!(record, expected);
    assert!(
        !fixture.sink.lines().concat().contains("canary"),
        "{record}"
    );
}

#[tokio::test]
async fn a_body_that_nobody_reads_is_not_read_by_audit_either() {
    let fixture = fixture(|builder| builder).await;
    let layer = AuditLayer::new(fixture.journal.clone());
    let service = layer.layer(service_fn(|request: Request<Body>| async move {
        assert_eq!(format!("{:?}", request.body()), "Body(opaque)");
        Ok::<_, Infallible>(Response::new(request.into_body()))
    }));
    let odd = http_body_util::Full::new(Bytes::from_static(b"{\"a\":1,\"a\":2} is no strict JSON"));
    let response = service
        .oneshot(
            Request::post("/v1/chat/completions")
                .body(Body::new(odd))
                .unwrap(),
        )
        .await
        .unwrap();
    assert_eq!(
        response.into_body().into_bytes(LIMIT).await.unwrap(),
        "{\"a\":1,\"a\":2} is no strict JSON"
    );
    let record = fixture.record().await;
    assert_eq!(
        (&record["outcome"], &record["tokens"], &record["model"]),
        (&"ok".into(), &Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn tokens_and_model_are_counted_on_demand_in_replies_and_streams() {
    let fixture = fixture(|builder| builder).await;
    let layer = ServiceBuilder::new()
        .layer(AuditLayer::new(fixture.journal.clone()))
        .layer(CountLayer::new());
    let (frames, feed) = mpsc::channel(8);
    for event in EVENTS {
        frames.try_send(Ok(event)).unwrap();
    }
    drop(frames);
    let service = layer.service(answers(vec![stream(feed), json(200, REPLY)]));
    for text in [REPLY.to_owned(), EVENTS.concat()] {
        let response = service.clone().oneshot(request()).await.unwrap();
        assert_eq!(response.into_body().into_bytes(LIMIT).await.unwrap(), text);
    }
    let records = fixture.records().await;
    let tokens = |input, cached| serde_json::json!({"input": input, "cached_input": cached, "cache_write": 0, "output": 7, "reasoning": 0, "audio_input": 0, "audio_output": 0, "estimated": false});
    assert_eq!(
        (
            &records[0]["tokens"],
            &records[0]["stream"],
            &records[0]["model"]
        ),
        (&tokens(6, 4), &false.into(), &"gpt-4o-mini".into())
    );
    assert_eq!(
        (
            &records[1]["tokens"],
            &records[1]["stream"],
            &records[1]["model"]
        ),
        (&tokens(10, 0), &true.into(), &"gpt-4o-mini".into())
    );
    assert!(!fixture.sink.lines().concat().contains("canary"));
}

#[tokio::test]
async fn a_body_that_can_not_be_counted_is_refused_and_recorded() {
    let fixture = fixture(|builder| builder).await;
    let layer = ServiceBuilder::new()
        .layer(AuditLayer::new(fixture.journal.clone()))
        .layer(CountLayer::new());
    let service = layer.service(service_fn(|_: Request<Body>| async {
        Ok::<_, Infallible>(json(200, "{\"a\":1,\"a\":2}"))
    }));
    let broken = Request::post("/v1/chat/completions")
        .body(Body::from("{\"a\":1,"))
        .unwrap();
    for (request, status, outcome) in [(broken, 400, "refused"), (request(), 502, "upstream_error")]
    {
        let before = fixture.records().await.len();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
        response.into_body().into_bytes(LIMIT).await.unwrap();
        let record = fixture.records().await.remove(before);
        assert_eq!(
            (&record["outcome"], &record["status"]),
            (&outcome.into(), &status.into()),
            "{record}"
        );
        assert!(record["code"].is_string());
    }
}

#[tokio::test]
async fn each_way_to_end_has_its_outcome() {
    let refuse = |kind, code| move || Refusal::new(kind, code, "no").render(Dialect::OpenAiChat);
    type Answer = Box<dyn Fn() -> Response<Body> + Send + Sync>;
    let table: [(&str, Answer, &str, Option<&str>); 8] = [
        ("answered", Box::new(|| json(200, REPLY)), "ok", None),
        (
            "refused",
            Box::new(refuse(RefusalKind::RateLimited, "rate_limit_exceeded")),
            "refused",
            Some("rate_limit_exceeded"),
        ),
        (
            "blocked",
            Box::new(refuse(RefusalKind::Blocked, "content_blocked")),
            "refused",
            Some("content_blocked"),
        ),
        (
            "provider away",
            Box::new(refuse(RefusalKind::Upstream, "upstream_unreachable")),
            "upstream_error",
            Some("upstream_unreachable"),
        ),
        (
            "provider slow",
            Box::new(refuse(RefusalKind::UpstreamTimeout, "upstream_timeout")),
            "upstream_error",
            Some("upstream_timeout"),
        ),
        (
            "provider's 500",
            Box::new(|| json(500, "{\"error\":{}}")),
            "upstream_error",
            None,
        ),
        (
            "provider's 429",
            Box::new(|| json(429, "{\"error\":{}}")),
            "upstream_error",
            None,
        ),
        (
            "redirect",
            Box::new(|| Response::builder().status(302).body(Body::empty()).unwrap()),
            "ok",
            None,
        ),
    ];
    for (what, answer, outcome, code) in table {
        let fixture = fixture(|builder| builder).await;
        let service = AuditLayer::new(fixture.journal.clone()).layer(answers(vec![answer()]));
        let status = {
            let response = service.oneshot(request()).await.unwrap();
            let status = response.status();
            response.into_body().into_bytes(LIMIT).await.unwrap();
            status
        };
        let record = fixture.record().await;
        assert_eq!(
            (record["outcome"].as_str(), record["code"].as_str()),
            (Some(outcome), code),
            "{what}"
        );
        assert_eq!(record["status"], status.as_u16(), "{what}");
    }
}

/// Stops a stream at the second event.
struct Stops;
struct StopsTap(usize);
impl Filter for Stops {
    const NAME: &'static str = "stops";
    type Tap = StopsTap;
    async fn request(&self, _: &mut Call) -> Result<Flow<StopsTap>, Refusal> {
        Ok(Flow::Pass(StopsTap(0)))
    }
}
impl Tap for StopsTap {
    fn event(&mut self, event: bartizan_core::Event, out: &mut Out) -> Step {
        self.0 += 1;
        if self.0 == 2 {
            return Step::Stop(Refusal::new(
                RefusalKind::Blocked,
                "content_blocked",
                "stopped",
            ));
        }
        out.push(event);
        Step::Go
    }
}

#[tokio::test]
async fn a_stream_stopped_midway_by_a_layer_or_by_the_provider_is_cut() {
    for (by_layer, code) in [(true, "content_blocked"), (false, "upstream_stream_cut")] {
        let fixture = fixture(|builder| builder).await;
        let (frames, feed) = mpsc::channel(8);
        frames.try_send(Ok(EVENTS[0])).unwrap();
        frames
            .try_send(if by_layer {
                Ok(EVENTS[1])
            } else {
                Err("reset".into())
            })
            .unwrap();
        let inner = Filtered::new(answers(vec![stream(feed)]), Arc::new(Stops));
        let response = AuditLayer::new(fixture.journal.clone())
            .layer(inner)
            .oneshot(request())
            .await
            .unwrap();
        let _ = response.into_body().into_bytes(LIMIT).await;
        let record = fixture.record().await;
        assert_eq!(
            (&record["outcome"], &record["code"], &record["status"]),
            (&"cut".into(), &code.into(), &200.into())
        );
    }
}

#[tokio::test]
async fn a_client_that_leaves_is_recorded_with_what_was_used() {
    let fixture = fixture(|builder| builder).await;
    let (frames, feed) = mpsc::channel(8);
    frames.try_send(Ok(EVENTS[0])).unwrap();
    let inner = inside(answers(vec![stream(feed)]));
    let mut body = AuditLayer::new(fixture.journal.clone())
        .layer(inner)
        .oneshot(request())
        .await
        .unwrap()
        .into_body();
    body.frame().await.unwrap().unwrap();
    assert!(fixture.records().await.is_empty());
    drop(body);
    let record = fixture.record().await;
    assert_eq!(
        (&record["outcome"], &record["status"], &record["stream"]),
        (&"client_left".into(), &200.into(), &true.into())
    );
    assert_eq!(
        (&record["tokens"]["input"], &record["tokens"]["estimated"]),
        (&3.into(), &true.into()),
        "the tap inside settles first"
    );
}

#[tokio::test]
async fn a_call_given_up_or_failed_before_an_answer_is_abandoned() {
    for fails in [true, false] {
        let fixture = fixture(|builder| builder).await;
        let service = AuditLayer::new(fixture.journal.clone()).layer(service_fn(
            move |_: Request<Body>| async move {
                if fails {
                    return Err(std::io::Error::other("canary-error"));
                }
                std::future::pending::<Result<Response<Body>, std::io::Error>>().await
            },
        ));
        let called =
            tokio::time::timeout(Duration::from_millis(5), service.oneshot(request())).await;
        assert_eq!(called.is_ok(), fails);
        let record = fixture.record().await;
        assert_eq!(
            (&record["outcome"], &record["status"], &record["ttfb_ms"]),
            (&"abandoned".into(), &Value::Null, &Value::Null)
        );
        assert!(!record.to_string().contains("canary"));
    }
}

#[tokio::test]
async fn who_and_trail_of_an_outer_layer_are_used() {
    let fixture = fixture(|builder| builder).await;
    let service = AuditLayer::new(fixture.journal.clone())
        .path_from(|parts| {
            parts
                .uri
                .path()
                .starts_with("/v1")
                .then(|| "/v1/{*rest}".to_owned())
        })
        .layer(service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(json(200, REPLY))
        }));
    let trail = Trail::new();
    let mut request = request();
    request
        .headers_mut()
        .insert("x-request-id", "has spaces, canary".parse().unwrap());
    request.extensions_mut().insert(trail.clone());
    request
        .extensions_mut()
        .insert(Principal::assume_verified(Identity::new("mtls:payments")));
    service
        .oneshot(request)
        .await
        .unwrap()
        .into_body()
        .into_bytes(LIMIT)
        .await
        .unwrap();
    let record = fixture.record().await;
    assert_eq!(
        (
            &record["who"]["key_id"],
            &record["path"],
            &record["request_id"]
        ),
        (&"mtls:payments".into(), &"/v1/{*rest}".into(), &Value::Null)
    );
    assert_eq!(trail.principal().unwrap().key_id(), "mtls:payments");
}

/// Counts calls that reach it.
fn counted(
    calls: &Arc<AtomicUsize>,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let calls = Arc::clone(calls);
    service_fn(move |_: Request<Body>| {
        calls.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, Infallible>(json(200, REPLY)) }
    })
}

#[derive(Clone)]
struct Breaks(Arc<AtomicUsize>);
impl Sink for Breaks {
    async fn open(&mut self, _: Option<&ChainKey>) -> Result<Tail, Error> {
        MemorySink::new().open(None).await
    }
    async fn append(&mut self, _: &Arc<Batch>) -> Result<(), Error> {
        match self.0.load(Ordering::SeqCst) {
            0 => Ok(()),
            1 => Err(Error::Sink("no space left".into())),
            _ => std::future::pending().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_call_leaves_without_a_durable_intent() {
    for mood in [1, 2] {
        let state = Arc::new(AtomicUsize::new(0));
        let journal = Journal::builder()
            .open(Breaks(Arc::clone(&state)))
            .await
            .unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        let service = ServiceBuilder::new()
            .layer(AuditLayer::new(journal.clone()))
            .layer(IntentLayer::new(journal.clone()))
            .service(counted(&calls));
        assert_eq!(
            service.clone().oneshot(request()).await.unwrap().status(),
            200
        );
        state.store(mood, Ordering::SeqCst);
        for _ in 0..20 {
            let response = service.clone().oneshot(request()).await.unwrap();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()["retry-after"], "1");
            assert_eq!(
                response.extensions().get::<Refusal>().unwrap().code(),
                "audit_unavailable"
            );
        }
        assert_eq!(
            calls.load(Ordering::SeqCst),
            1,
            "a call left without its intent"
        );
        if mood == 1 {
            state.store(0, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(3)).await;
            assert_eq!(service.oneshot(request()).await.unwrap().status(), 200);
        }
    }
}

#[tokio::test]
async fn intent_and_call_have_the_same_id_and_the_intent_comes_first() {
    let fixture = fixture(|builder| builder).await;
    let service = ServiceBuilder::new()
        .layer(AuditLayer::new(fixture.journal.clone()))
        .layer_fn(inside)
        .layer(IntentLayer::new(fixture.journal.clone()))
        .service(service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(json(200, REPLY))
        }));
    service
        .oneshot(request())
        .await
        .unwrap()
        .into_body()
        .into_bytes(LIMIT)
        .await
        .unwrap();
    let records = fixture.records().await;
    assert_eq!(
        (&records[0]["kind"], &records[1]["kind"]),
        (&"intent".into(), &"call".into())
    );
    assert_eq!(records[0]["call"], records[1]["call"]);
    assert_eq!(
        (
            &records[0]["who"]["team_id"],
            &records[0]["model"],
            &records[0]["request_id"]
        ),
        (&"team-1".into(), &"gpt-4o-mini".into(), &"req-7".into())
    );
}

#[tokio::test]
async fn a_call_without_a_place_for_its_record_is_refused_or_counted() {
    for (mode, status) in [(Mode::Strict, 503), (Mode::Lossy, 200)] {
        let fixture = fixture(|builder| builder.mode(mode).queue(1)).await;
        let _taken = fixture.journal.reserve().unwrap();
        let calls = Arc::new(AtomicUsize::new(0));
        let service = AuditLayer::new(fixture.journal.clone()).layer(counted(&calls));
        let response = service.oneshot(request()).await.unwrap();
        assert_eq!(response.status(), status);
        response.into_body().into_bytes(LIMIT).await.unwrap();
        assert_eq!(
            calls.load(Ordering::SeqCst),
            usize::from(mode == Mode::Lossy)
        );
        drop(_taken);
        fixture
            .journal
            .shutdown(Duration::from_secs(1))
            .await
            .unwrap();
        let kinds: Vec<_> = fixture
            .records()
            .await
            .iter()
            .map(|record| record["kind"].clone())
            .collect();
        assert_eq!(
            kinds,
            if mode == Mode::Lossy {
                vec!["gap"]
            } else {
                vec![]
            }
        );
    }
}

#[tokio::test]
async fn a_call_holds_its_place_until_its_answer_ends() {
    let fixture = fixture(|builder| builder.queue(1)).await;
    let service =
        AuditLayer::new(fixture.journal.clone()).layer(service_fn(|_: Request<Body>| async {
            Ok::<_, Infallible>(json(200, REPLY))
        }));
    let first = service.clone().oneshot(request()).await.unwrap();
    let second = service.clone().oneshot(request()).await.unwrap();
    assert_eq!(
        (first.status(), second.status()),
        (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE)
    );
    first.into_body().into_bytes(LIMIT).await.unwrap();
    fixture.records().await;
    assert_eq!(
        service.oneshot(request()).await.unwrap().status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_answer_through_a_real_server_ends_as_it_did() {
    for (count, chunked) in [(false, false), (true, false), (false, true)] {
        let fixture = fixture(|builder| builder).await;
        let layer = ServiceBuilder::new()
            .layer(AuditLayer::new(fixture.journal.clone()))
            .option_layer(count.then(CountLayer::new));
        let service = layer.service(service_fn(move |_: Request<Body>| async move {
            let body = if chunked {
                Body::new(Chunks(vec![REPLY]))
            } else {
                Body::from(REPLY)
            };
            Ok::<_, Infallible>(
                Response::builder()
                    .header("content-type", "application/json")
                    .body(body)
                    .unwrap(),
            )
        }));
        let (client, server) = tokio::io::duplex(64 * 1024);
        let service = hyper_util::service::TowerToHyperService::new(service);
        let serving = hyper::server::conn::http1::Builder::new()
            .serve_connection(hyper_util::rt::TokioIo::new(server), service);
        let serving = tokio::spawn(serving);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(client))
                .await
                .unwrap();
        let connection = tokio::spawn(connection);
        let text = sender
            .send_request(request())
            .await
            .unwrap()
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes();
        assert_eq!(text, REPLY);
        let record = fixture.record().await;
        assert_eq!(record["outcome"], "ok", "count {count}, chunked {chunked}");
        drop(sender);
        let _ = (connection.await, serving.await);
    }
}

/// A body of unknown length.
struct Chunks(Vec<&'static str>);
impl hyper::body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(
            self.0
                .pop()
                .map(|text| Ok(Frame::data(Bytes::from_static(text.as_bytes())))),
        )
    }
}
