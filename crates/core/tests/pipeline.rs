//! Filters and taps in a stack: one scan, order, back-pressure, stops, holds, cuts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bartizan_core::{
    Body, BodyLimit, Call, Dialect, Document, End, Event, EventDecoder, Filter, Filtered, Flow,
    Out, Refusal, RefusalKind, Step, Tap, Watch, json,
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::sync::{mpsc, oneshot};
use tower::{Service, ServiceExt};

type Piece = Result<&'static str, &'static str>;
type Log = Arc<Mutex<Vec<String>>>;

/// Looks at everything, writes down what it saw, changes nothing.
struct Look {
    name: &'static str,
    log: Log,
    watch: Watch,
}

struct LookTap {
    name: &'static str,
    log: Log,
    watch: Watch,
}

impl LookTap {
    fn says(&self, what: impl std::fmt::Display) {
        self.log
            .lock()
            .unwrap()
            .push(format!("{} {what}", self.name));
    }
}

impl Filter for Look {
    const NAME: &'static str = "look";
    type Tap = LookTap;

    async fn request(&self, call: &mut Call) -> Result<Flow<LookTap>, Refusal> {
        let texts = match self.watch {
            Watch::Content => call
                .document()
                .await?
                .map_or(0, |document| document.texts().count()),
            _ => 0,
        };
        self.log
            .lock()
            .unwrap()
            .push(format!("{} request {texts}", self.name));
        Ok(Flow::Pass(LookTap {
            name: self.name,
            log: Arc::clone(&self.log),
            watch: self.watch,
        }))
    }
}

impl Tap for LookTap {
    fn watch(&self) -> Watch {
        self.watch
    }

    async fn head(&mut self, head: &mut http::response::Parts) -> Result<(), Refusal> {
        self.says(format_args!("head {}", head.status.as_u16()));
        Ok(())
    }

    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        self.says(format_args!("event {}", event.data().unwrap_or("-").len()));
        out.push(event);
        Step::Go
    }

    fn reply(&mut self, reply: &mut Document) -> Step {
        self.says(format_args!("reply {}", reply.texts().count()));
        Step::Go
    }

    fn end(&mut self, end: End<'_>, _: &mut Out) -> Step {
        match end {
            End::Complete => self.says("end"),
            End::Refused(refusal) => self.says(format_args!("end {}", refusal.code())),
        }
        Step::Go
    }
}

impl Drop for LookTap {
    fn drop(&mut self) {
        self.says("drop");
    }
}

fn look<S>(name: &'static str, log: &Log, watch: Watch, inner: S) -> Filtered<S, Look> {
    Filtered::new(
        inner,
        Arc::new(Look {
            name,
            log: Arc::clone(log),
            watch,
        }),
    )
}

const CHAT: &str = r#"{"model":"demo","messages":[{"role":"user","content":"hi"}]}"#;

fn chat(body: impl Into<Body>) -> Request<Body> {
    Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap()
}

fn chunk(text: &str) -> String {
    format!(
        r#"data: {{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]}}"#
    ) + "\n\n"
}

const DONE: &str = "data: [DONE]\n\n";

/// A provider whose stream a test feeds by hand.
struct Feed(
    mpsc::Receiver<Result<&'static str, &'static str>>,
    Arc<AtomicUsize>,
);

impl http_body::Body for Feed {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.poll_recv(context).map(|piece| {
            piece.map(|piece| {
                piece
                    .map(|text| Frame::data(Bytes::from_static(text.as_bytes())))
                    .map_err(std::io::Error::other)
            })
        })
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.1.fetch_add(1_000, Ordering::SeqCst);
    }
}

fn streaming(body: impl Into<Body>) -> Response<Body> {
    Response::builder()
        .header("content-type", "text/event-stream")
        .header("content-length", "9999")
        .body(body.into())
        .unwrap()
}

fn provider(
    answer: impl Fn() -> Response<Body> + Clone + Send + 'static,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = impl Send>
+ Clone
+ Send {
    tower::service_fn(move |request: Request<Body>| {
        let answer = answer.clone();
        async move {
            request.into_body().collect().await.unwrap();
            Ok(answer())
        }
    })
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

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().unwrap())
}

#[tokio::test]
async fn a_stack_scans_each_body_once_and_taps_see_the_answer_inside_to_outside() {
    let log = Log::default();
    let reply = r#"{"choices":[{"message":{"role":"assistant","content":"ho"}}]}"#;
    let inner = provider(move || {
        Response::builder()
            .header("content-type", "application/json")
            .body(reply.into())
            .unwrap()
    });
    let inner = look("inner", &log, Watch::Content, inner);
    let middle = look("middle", &log, Watch::Content, inner);
    let stack = look("outer", &log, Watch::Content, middle);
    let before = json::scans();
    let response = stack.oneshot(chat(CHAT)).await.unwrap();
    assert_eq!(json::scans() - before, 2, "one request, one reply");
    assert_eq!(text(response).await, reply);
    assert_eq!(
        taken(&log),
        [
            "outer request 1",
            "middle request 1",
            "inner request 1",
            "inner head 200",
            "inner reply 1",
            "middle head 200",
            "middle reply 1",
            "outer head 200",
            "outer reply 1",
            "inner end",
            "middle end",
            "outer end",
            "inner drop",
            "middle drop",
            "outer drop",
        ]
    );
}

#[tokio::test]
async fn a_filter_that_looks_at_no_content_causes_no_scan_and_touches_no_byte() {
    let log = Log::default();
    let odd = "not json, not \u{0} even close";
    let stack = look(
        "outer",
        &log,
        Watch::End,
        provider(move || {
            Response::builder()
                .header("content-type", "application/json")
                .body(odd.into())
                .unwrap()
        }),
    );
    let before = json::scans();
    let response = stack.oneshot(chat(odd)).await.unwrap();
    assert_eq!(text(response).await, odd);
    assert_eq!(json::scans(), before);
    assert_eq!(
        taken(&log),
        [
            "outer request 0",
            "outer head 200",
            "outer end",
            "outer drop"
        ]
    );
}

#[tokio::test]
async fn a_stream_passes_every_tap_event_by_event_and_byte_for_byte() {
    let log = Log::default();
    let stream = format!(
        ": hello\r\n\r\n{}id: 7\nevent: x\ndata:{{ \"choices\" : [ ] }}\n\n{DONE}",
        chunk("a")
    );
    let sent = stream.clone();
    let stack = look(
        "outer",
        &log,
        Watch::Content,
        look(
            "inner",
            &log,
            Watch::Content,
            provider(move || streaming(sent.clone())),
        ),
    );
    let response = stack.oneshot(chat(CHAT)).await.unwrap();
    assert!(response.headers().get("content-length").is_none());
    assert_eq!(text(response).await, stream);
    let log = taken(&log);
    let events = |name: &str| {
        log.iter()
            .filter(|line| line.starts_with(&format!("{name} event")))
            .count()
    };
    assert_eq!((events("inner"), events("outer")), (4, 4));
    assert!(
        log.ends_with(&["inner end", "outer end", "inner drop", "outer drop"].map(str::to_owned)),
        "{log:?}"
    );
}

#[tokio::test]
async fn a_stream_that_is_cut_ends_in_an_error_and_never_in_done() {
    let whole = chunk("a") + &chunk("b") + DONE;
    for cut in 0..=whole.len() {
        let log = Log::default();
        let sent = whole[..cut].to_owned();
        let stack = look(
            "tap",
            &log,
            Watch::Content,
            provider(move || streaming(sent.clone())),
        );
        let got = text(stack.oneshot(chat(CHAT)).await.unwrap()).await;
        // The last event may lack its blank line and is whole all the same.
        let complete = cut >= whole.trim_end().len();
        assert_eq!(got.contains("[DONE]"), complete, "{cut}: {got}");
        assert_eq!(
            got.contains("upstream_stream_cut") || got.contains("upstream_malformed"),
            !complete,
            "{cut}: {got}"
        );
        let log = taken(&log);
        assert_eq!(
            log.iter().any(|line| line == "tap end"),
            complete,
            "{cut}: {log:?}"
        );
    }
}

#[tokio::test]
async fn the_error_of_a_cut_stream_is_an_event_of_its_own() {
    for rest in [
        ": ping",
        ": ping\n",
        "event: x\r",
        "id: 7\n",
        "other",
        "data",
    ] {
        let log = Log::default();
        let sent = chunk("a") + rest;
        let stack = look(
            "tap",
            &log,
            Watch::Content,
            provider(move || streaming(sent.clone())),
        );
        let got = text(stack.oneshot(chat(CHAT)).await.unwrap()).await;
        let mut decoder = EventDecoder::new();
        decoder.push(got.clone().into());
        let mut last = None;
        while let Some(event) = decoder.next_event().unwrap() {
            last = Some(event);
        }
        let data = last.as_ref().and_then(Event::data).unwrap_or_default();
        let error: Result<serde_json::Value, _> = serde_json::from_str(data);
        assert!(error.is_ok_and(|it| it["error"].is_object()), "{got:?}");
    }
}

#[tokio::test]
async fn the_error_of_a_numbered_stream_has_the_number_after_the_last() {
    let event = |number: u32| {
        format!(r#"data: {{"type":"response.in_progress","sequence_number":{number}}}"#) + "\n\n"
    };
    for events in 0..3 {
        let log = Log::default();
        let sent: String = (0..events).map(event).collect();
        let sent = format!(": up\n\n{sent}");
        let stack = look(
            "tap",
            &log,
            Watch::Content,
            provider(move || streaming(sent.clone())),
        );
        let request = Request::post("/v1/responses").body(Body::from(r#"{"model":"m"}"#));
        let got = text(stack.oneshot(request.unwrap()).await.unwrap()).await;
        let last = got.trim_end().rsplit("data: ").next().unwrap();
        let error: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!(error["type"], "error");
        assert_eq!(error["sequence_number"], events);
    }
}

/// A provider that streams what the test feeds it.
fn fed(
    seen: Arc<AtomicUsize>,
) -> (
    mpsc::Sender<Piece>,
    impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = impl Send>
    + Clone
    + Send,
) {
    let (feed, pieces) = mpsc::channel(8);
    let slot = Arc::new(Mutex::new(Some(Body::new(Feed(pieces, seen)))));
    (
        feed,
        provider(move || streaming(slot.lock().unwrap().take().unwrap())),
    )
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_in_the_dialects_error_event() {
    for (path, wanted) in [
        ("/v1/chat/completions", "data: {\"error\":{"),
        ("/v1/responses", "event: error\ndata: {\"type\":\"error\""),
        ("/v1/messages", "event: error\ndata: {\"type\":\"error\""),
    ] {
        let (feed, inner) = fed(Arc::default());
        let log = Log::default();
        let stack = look("tap", &log, Watch::Content, inner);
        let request = Request::post(path)
            .body(Body::from(r#"{"model":"m"}"#))
            .unwrap();
        let response = stack.oneshot(request).await.unwrap();
        feed.send(Ok(": up\n\n")).await.unwrap();
        feed.send(Err("reset")).await.unwrap();
        let got = text(response).await;
        assert!(
            got.strip_prefix(": up\n\n").unwrap().starts_with(wanted),
            "{got}"
        );
        assert!(taken(&log).contains(&"tap end upstream_stream_cut".to_owned()));
    }
}

#[tokio::test]
async fn an_error_event_of_the_provider_passes_and_nothing_is_added() {
    let log = Log::default();
    let stream = chunk("a") + "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
    let sent = stream.clone();
    let stack = look(
        "tap",
        &log,
        Watch::Content,
        provider(move || streaming(sent.clone())),
    );
    assert_eq!(text(stack.oneshot(chat(CHAT)).await.unwrap()).await, stream);
    assert!(taken(&log).contains(&"tap end upstream_error".to_owned()));
}

/// Does with the answer what the test says.
struct Script(Arc<dyn Fn(&Event) -> Step + Send + Sync>);

#[derive(Clone)]
struct ScriptTap(Arc<dyn Fn(&Event) -> Step + Send + Sync>);

impl Filter for Script {
    const NAME: &'static str = "script";
    type Tap = ScriptTap;

    async fn request(&self, _: &mut Call) -> Result<Flow<ScriptTap>, Refusal> {
        Ok(Flow::Pass(ScriptTap(Arc::clone(&self.0))))
    }
}

impl Tap for ScriptTap {
    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        let step = (self.0)(&event);
        out.push(event);
        step
    }

    fn reply(&mut self, reply: &mut Document) -> Step {
        (self.0)(&Event::new(None, reply.as_str()))
    }
}

fn script<S>(
    inner: S,
    act: impl Fn(&Event) -> Step + Send + Sync + 'static,
) -> Filtered<S, Script> {
    Filtered::new(inner, Arc::new(Script(Arc::new(act))))
}

fn blocked() -> Refusal {
    Refusal::new(RefusalKind::Blocked, "blocked", "against the policy")
}

#[tokio::test]
async fn a_stop_ends_the_providers_call_and_the_stream_in_an_error() {
    let seen = Arc::new(AtomicUsize::new(0));
    let (feed, inner) = fed(Arc::clone(&seen));
    let (inside, outside) = (Log::default(), Log::default());
    let stack = look(
        "outside",
        &outside,
        Watch::Content,
        script(look("inside", &inside, Watch::Content, inner), |event| {
            if event.data().is_some_and(|data| data.contains("bad")) {
                Step::Stop(blocked())
            } else {
                Step::Go
            }
        }),
    );
    let response = stack.oneshot(chat(CHAT)).await.unwrap();
    feed.send(Ok(
        "data: {\"choices\":[{\"delta\":{\"content\":\"good\"}}]}\n\n",
    ))
    .await
    .unwrap();
    feed.send(Ok(
        "data: {\"choices\":[{\"delta\":{\"content\":\"bad\"}}]}\n\n",
    ))
    .await
    .unwrap();
    let got = text(response).await;
    assert!(got.contains("good") && !got.contains("bad\""), "{got}");
    assert!(
        got.contains("\"code\":\"blocked\"") && !got.contains("[DONE]"),
        "{got}"
    );
    assert!(
        seen.load(Ordering::SeqCst) >= 1_000,
        "the provider's body is dropped"
    );
    assert_eq!(taken(&inside).last().unwrap(), "inside drop");
    assert!(taken(&outside).contains(&"outside end blocked".to_owned()));
}

#[tokio::test]
async fn a_stop_of_an_unstreamed_answer_is_a_clean_refusal() {
    let inner = provider(|| {
        Response::builder()
            .header("content-type", "application/json")
            .body("{\"choices\":[]}".into())
            .unwrap()
    });
    let response = script(inner, |_| Step::Stop(blocked()))
        .oneshot(chat(CHAT))
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        response.extensions().get::<Refusal>().unwrap().code(),
        "blocked"
    );
    assert_eq!(response.headers()["x-should-retry"], "false");
}

#[tokio::test(start_paused = true)]
async fn a_hold_parks_the_stream_keeps_it_alive_and_does_not_poll_the_provider() {
    let seen = Arc::new(AtomicUsize::new(0));
    let (feed, inner) = fed(Arc::clone(&seen));
    let (verdict, waits) = oneshot::channel::<()>();
    let waits = Mutex::new(Some(waits));
    let stack = script(inner, move |event| match waits.lock().unwrap().take() {
        Some(waits) if event.data().is_some() => Step::Hold(Box::pin(async move {
            if waits.await.is_ok() {
                Step::Go
            } else {
                Step::Stop(blocked())
            }
        })),
        _ => Step::Go,
    });
    let mut body = stack.oneshot(chat(CHAT)).await.unwrap().into_body();
    feed.send(Ok(
        "data: {\"choices\":[{\"delta\":{\"content\":\"first\"}}]}\n\n",
    ))
    .await
    .unwrap();
    feed.send(Ok("data: [DONE]\n\n")).await.unwrap();
    drop(feed);
    for _ in 0..3 {
        // With paused time the timer is all that can wake the body.
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(&frame[..], b": held\n\n");
    }
    assert_eq!(
        seen.load(Ordering::SeqCst),
        1,
        "polled once, for the event that is held"
    );
    verdict.send(()).unwrap();
    let rest = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    assert!(rest.contains("first") && rest.ends_with(DONE), "{rest}");
}

/// Google's SDKs raise at a comment as at an answer that they can't read.
#[tokio::test(start_paused = true)]
async fn a_held_stream_stays_alive_for_geminis_clients_by_empty_lines() {
    let inner = provider(|| {
        streaming("data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n".to_owned())
    });
    let stack = script(inner, |_| Step::Hold(Box::pin(std::future::pending())));
    let mut request = chat(CHAT);
    request.extensions_mut().insert(Dialect::Gemini);
    let mut body = stack.oneshot(request).await.unwrap().into_body();
    for _ in 0..3 {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(&frame[..], b"\n");
    }
}

#[tokio::test]
async fn a_hold_that_ends_in_a_stop_lets_nothing_of_the_held_event_out() {
    let stream = chunk("secret") + DONE;
    let stack = script(provider(move || streaming(stream.clone())), |_| {
        Step::Hold(Box::pin(async { Step::Stop(blocked()) }))
    });
    let got = text(stack.oneshot(chat(CHAT)).await.unwrap()).await;
    assert!(
        got.contains("\"code\":\"blocked\"") && !got.contains("secret"),
        "{got}"
    );
}

#[tokio::test]
async fn a_client_that_leaves_drops_the_providers_call_first_and_then_the_taps() {
    let seen = Arc::new(AtomicUsize::new(0));
    let (feed, inner) = fed(Arc::clone(&seen));
    let log = Log::default();
    let stack = look(
        "outer",
        &log,
        Watch::Content,
        look("inner", &log, Watch::Content, inner),
    );
    let mut body = stack.oneshot(chat(CHAT)).await.unwrap().into_body();
    feed.send(Ok(": one\n\n")).await.unwrap();
    body.frame().await.unwrap().unwrap();
    drop(body);
    assert!(feed.is_closed());
    let log = taken(&log);
    assert!(
        log.ends_with(&["inner drop".to_owned(), "outer drop".to_owned()])
            && !log.contains(&"outer end".into()),
        "{log:?}"
    );
}

#[tokio::test]
async fn bodies_over_the_limit_and_encoded_bodies_are_refused() {
    let log = Log::default();
    let stack = look(
        "tap",
        &log,
        Watch::Content,
        provider(|| Response::new(Body::empty())),
    );
    let big = format!(r#"{{"model":"{}"}}"#, "m".repeat(200));
    let limit = BodyLimit {
        request: 100,
        ..BodyLimit::default()
    };
    let mut declared = chat(big.clone());
    declared.extensions_mut().insert(limit);
    declared
        .headers_mut()
        .insert("content-length", big.len().into());
    let mut streamed = chat(big.clone());
    streamed.extensions_mut().insert(limit);
    let mut encoded = chat(CHAT);
    encoded
        .headers_mut()
        .insert("content-encoding", "zstd".parse().unwrap());
    let mut untrue = chat(CHAT);
    untrue
        .headers_mut()
        .insert("content-encoding", "identity".parse().unwrap());
    for (request, status) in [
        (declared, StatusCode::PAYLOAD_TOO_LARGE),
        (streamed, StatusCode::PAYLOAD_TOO_LARGE),
        (encoded, StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (
            chat("{\"model\":\"a\",\"model\":\"b\"}"),
            StatusCode::BAD_REQUEST,
        ),
        (untrue, StatusCode::OK),
    ] {
        assert_eq!(
            stack.clone().oneshot(request).await.unwrap().status(),
            status
        );
    }
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_not_passed_unseen() {
    for (answer, code) in [
        ("{\"choices\":[".to_owned(), "upstream_malformed"),
        (
            format!("{{\"id\":\"{}\"}}", "x".repeat(500)),
            "upstream_reply_too_large",
        ),
    ] {
        let inner = provider(move || {
            Response::builder()
                .header("content-type", "application/json")
                .body(answer.clone().into())
                .unwrap()
        });
        let mut request = chat(CHAT);
        request.extensions_mut().insert(BodyLimit {
            reply: 100,
            ..BodyLimit::default()
        });
        let response = look("tap", &Log::default(), Watch::Content, inner)
            .oneshot(request)
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(response.extensions().get::<Refusal>().unwrap().code(), code);
    }
    for event in ["data: {\"choices\":[{]}\n\n", "data: \u{0}{\"a\":1}\n\n"] {
        let stack = look(
            "tap",
            &Log::default(),
            Watch::Content,
            provider(move || streaming(chunk("a") + event + DONE)),
        );
        let got = text(stack.oneshot(chat(CHAT)).await.unwrap()).await;
        assert!(
            got.contains("upstream_malformed") && !got.contains("[DONE]"),
            "{got}"
        );
    }
}

/// Turns the request into another dialect's, and lets answers be.
struct Turn;

impl Filter for Turn {
    const NAME: &'static str = "turn";
    type Tap = ();

    async fn request(&self, call: &mut Call) -> Result<Flow<()>, Refusal> {
        call.set_dialect(Dialect::AnthropicMessages);
        Ok(Flow::Pass(()))
    }
}

struct Refuse;

impl Filter for Refuse {
    const NAME: &'static str = "refuse";
    type Tap = ();

    async fn request(&self, _: &mut Call) -> Result<Flow<()>, Refusal> {
        Err(
            Refusal::new(RefusalKind::Overloaded, "overloaded", "too much to do")
                .retry_after(std::time::Duration::from_millis(1_500)),
        )
    }
}

#[tokio::test]
async fn a_refusal_from_inside_a_translation_is_told_in_the_callers_dialect() {
    let inner = Filtered::new(provider(|| Response::new(Body::empty())), Arc::new(Refuse));
    let response = Filtered::new(inner, Arc::new(Turn))
        .oneshot(chat(CHAT))
        .await
        .unwrap();
    assert_eq!(
        response.status(),
        StatusCode::SERVICE_UNAVAILABLE,
        "529 is Anthropic's own"
    );
    assert_eq!(response.headers()["retry-after"], "2");
    assert_eq!(response.headers()["retry-after-ms"], "1500");
    assert!(text(response).await.starts_with("{\"error\":{\"message\""));
}

#[tokio::test]
async fn a_grpc_refusal_is_trailers_only() {
    let stack = Filtered::new(provider(|| Response::new(Body::empty())), Arc::new(Refuse));
    let request = Request::post("/pkg.Service/Method")
        .header("content-type", "application/grpc+proto")
        .body(Body::empty())
        .unwrap();
    let response = stack.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/grpc");
    assert_eq!(response.headers()["grpc-status"], "14");
    assert_eq!(response.headers()["grpc-message"], "too much to do");
    assert!(
        http_body::Body::is_end_stream(response.body()),
        "END_STREAM goes on the HEADERS frame"
    );
}

#[tokio::test]
async fn trailers_and_size_hints_pass_a_tap_that_only_waits_for_the_end() {
    let trailers = http::HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        http::HeaderValue::from_static("0"),
    )]);
    let sent = trailers.clone();
    let log = Log::default();
    let inner = provider(move || {
        let frames = [
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"abc"))),
            Ok(Frame::trailers(sent.clone())),
        ];
        Response::new(Body::new(Frames(frames.into_iter().collect())))
    });
    let stack = look("tap", &log, Watch::End, inner);
    let collected = stack
        .oneshot(chat(CHAT))
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap();
    assert_eq!(collected.trailers(), Some(&trailers));
    let sized = look(
        "tap",
        &log,
        Watch::End,
        provider(|| Response::new(Body::from("abc"))),
    );
    let body = sized.oneshot(chat(CHAT)).await.unwrap().into_body();
    assert_eq!(http_body::Body::size_hint(&body).exact(), Some(3));
}

/// A body of given frames.
struct Frames(std::collections::VecDeque<Result<Frame<Bytes>, Infallible>>);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front())
    }
}

/// A body that breaks off with an error.
struct Broken<E>(Option<E>);

impl<E: Into<bartizan_core::BoxError> + Unpin> http_body::Body for Broken<E> {
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}

#[tokio::test]
async fn an_unstreamed_answer_that_breaks_off_is_the_providers_fault_and_may_be_tried_again() {
    let slow = Refusal::new(RefusalKind::UpstreamTimeout, "upstream_timeout", "too slow");
    type MakeBody = fn(Refusal) -> Body;
    let bodies: [(MakeBody, StatusCode, &str); 2] = [
        (
            |_| Body::new(Broken(Some(std::io::Error::other("reset")))),
            StatusCode::BAD_GATEWAY,
            "upstream_stream_cut",
        ),
        (
            |slow| Body::new(Broken(Some(slow))),
            StatusCode::GATEWAY_TIMEOUT,
            "upstream_timeout",
        ),
    ];
    for (body, status, code) in bodies {
        let slow = slow.clone();
        let inner = provider(move || {
            Response::builder()
                .header("content-type", "application/json")
                .body(body(slow.clone()))
                .unwrap()
        });
        let response = look("tap", &Log::default(), Watch::Content, inner)
            .oneshot(chat(CHAT))
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.extensions().get::<Refusal>().unwrap().code(), code);
        assert_eq!(
            response.headers().contains_key("retry-after"),
            status == StatusCode::BAD_GATEWAY
        );
    }
    // A request that breaks off is the caller's fault.
    let stack = look(
        "tap",
        &Log::default(),
        Watch::Content,
        provider(|| Response::new(Body::empty())),
    );
    let request = chat(Body::new(Broken(Some(std::io::Error::other("reset")))));
    assert_eq!(
        stack.oneshot(request).await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
}
