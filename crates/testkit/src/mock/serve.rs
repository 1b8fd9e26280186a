//! The mock's server.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::json::object;
use super::play::{Play, events_of};
use super::prompt::{Api, Prompt};
use super::record::{Log, Ticket};
use super::said::Said;
use super::script::{Script, Speech};
use super::socket::Socket;
use super::words::spoken;
use super::{answers, anthropic, bench, openai_chat, openai_completions, openai_responses};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const WORDS: HeaderName = HeaderName::from_static("x-mock-script");

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) log: Arc<Log>,
    pub(super) connections: AtomicU64,
    pub(super) standing: Mutex<Script>,
    pub(super) queued: Mutex<VecDeque<Script>>,
    /// Answers for load tests: nothing is read, nothing recorded.
    pub(super) fast: bool,
    numbers: AtomicU64,
    flaked: Mutex<HashMap<String, u64>>,
}

impl Shared {
    pub(super) fn new(script: Script, fast: bool) -> Self {
        Self {
            log: Arc::new(Log::new()),
            connections: AtomicU64::new(0),
            standing: Mutex::new(script),
            queued: Mutex::default(),
            fast,
            numbers: AtomicU64::new(0),
            flaked: Mutex::default(),
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Accepts until dropped; so do its connections, which end with it.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    shared.connections.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
                // Out of descriptors, most likely: those in use will come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (socket, reset) = Socket::new(stream);
    let service = service_fn(|request| {
        let (shared, reset) = (Arc::clone(&shared), Arc::clone(&reset));
        async move { Ok::<_, Infallible>(answer(request, &shared).await.map(|play| play.on(&reset))) }
    });
    // A connection that a client or a script broke is no news to the mock.
    let _broken = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(socket, service)
        .await;
}

async fn answer(request: Request<Incoming>, shared: &Shared) -> Response<Play> {
    let (parts, body) = request.into_parts();
    if let Some(control) = control(&parts, shared) {
        return control;
    }
    let Ok(body) = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
    else {
        return plain(
            StatusCode::BAD_REQUEST,
            "the body broke off",
            Ticket::none(),
        );
    };
    let api = Api::of(&parts.method, parts.uri.path());
    if shared.fast {
        return fast(api, &body);
    }
    let number = shared.numbers.fetch_add(1, Ordering::Relaxed) + 1;
    let ticket = shared.log.add(number, &parts, body.clone());
    match api {
        Api::Unknown => {
            let message = format!("the mock has no {} {}", parts.method, parts.uri.path());
            respond(
                StatusCode::NOT_FOUND,
                answers::error(api, StatusCode::NOT_FOUND, &message),
                ticket,
            )
        }
        Api::Models => respond(StatusCode::OK, answers::models(), ticket),
        _ => match Prompt::read(number, api, &body) {
            Some(prompt) => scripted(&parts, prompt, shared, ticket).await,
            None => {
                let status = StatusCode::BAD_REQUEST;
                respond(
                    status,
                    answers::error(
                        api,
                        status,
                        "We could not parse the JSON body of your request.",
                    ),
                    ticket,
                )
            }
        },
    }
}

async fn scripted(
    parts: &Parts,
    mut prompt: Prompt,
    shared: &Shared,
    ticket: Ticket,
) -> Response<Play> {
    let standing = lock(&shared.queued)
        .pop_front()
        .unwrap_or_else(|| lock(&shared.standing).clone());
    let script = match told(standing, parts, &mut prompt) {
        Ok(script) => flaking(script, &prompt, shared),
        Err(unknown) => {
            let status = StatusCode::BAD_REQUEST;
            return respond(
                status,
                answers::error(prompt.api, status, &unknown.to_string()),
                ticket,
            );
        }
    };
    if !script.wire.delay.is_zero() {
        tokio::time::sleep(script.wire.delay).await;
    }
    let mut response = spoken_by(&script, &prompt, ticket);
    let headers = response.headers_mut();
    if !matches!(script.speech, Speech::Bench | Speech::Replay { .. }) {
        provider_headers(headers, &prompt);
    }
    for (name, value) in &script.headers {
        headers.insert(name, value.clone());
    }
    response
}

/// Adds to the standing script what the model's name, the text and the header say, in this order.
fn told(
    mut script: Script,
    parts: &Parts,
    prompt: &mut Prompt,
) -> Result<Script, super::UnknownWord> {
    if let Some(words) = prompt.model.strip_prefix("mock-") {
        script = script.with_words(words)?;
    }
    if let Some((words, rest)) = spoken(&prompt.text) {
        script = script.with_words(words)?;
        prompt.text = rest.to_owned();
    }
    match parts
        .headers
        .get(WORDS)
        .and_then(|value| value.to_str().ok())
    {
        Some(words) => script.with_words(words),
        None => Ok(script),
    }
}

fn flaking(mut script: Script, prompt: &Prompt, shared: &Shared) -> Script {
    if let Some((count, status)) = script.flaky {
        let mut flaked = lock(&shared.flaked);
        let seen = flaked.entry(prompt.text.clone()).or_default();
        if *seen < count {
            *seen += 1;
            script.speech = Speech::Error(status);
        }
    }
    script
}

fn spoken_by(script: &Script, prompt: &Prompt, ticket: Ticket) -> Response<Play> {
    let (api, wire) = (prompt.api, &script.wire);
    let events = |events: Vec<String>| events.into_iter().map(Bytes::from).collect();
    match &script.speech {
        Speech::Error(status) => {
            let body = answers::error(api, *status, "The mock was told to fail.");
            return typed(*status, JSON, Play::json(Bytes::from(body), wire, ticket));
        }
        Speech::Redirect => {
            let mut response = plain(StatusCode::FOUND, "", ticket);
            response
                .headers_mut()
                .insert(LOCATION, HeaderValue::from_static("/mock/trap"));
            return response;
        }
        Speech::Replay { status, body } => {
            let kind = script.headers.get(CONTENT_TYPE).cloned().unwrap_or(JSON);
            let streams = kind.as_bytes().starts_with(b"text/event-stream");
            let play = if streams {
                Play::stream(events_of(body), wire, api, ticket)
            } else {
                Play::json(body.clone(), wire, ticket)
            };
            return typed(*status, kind, play);
        }
        Speech::Bench if prompt.stream => {
            return typed(
                StatusCode::OK,
                STREAM,
                Play::stream(bench::events(api), wire, api, ticket),
            );
        }
        Speech::Bench if matches!(api, Api::Chat | Api::Responses | Api::Messages) => {
            return typed(
                StatusCode::OK,
                JSON,
                Play::json(bench::reply(api), wire, ticket),
            );
        }
        _ => {}
    }
    let said = Said::plan(script, prompt);
    let (reply, stream) = match api {
        Api::Chat if prompt.stream => (
            None,
            events(openai_chat::events(&said, prompt.include_usage)),
        ),
        Api::Responses if prompt.stream => (None, events(openai_responses::events(&said))),
        Api::Completions if prompt.stream => (
            None,
            events(openai_completions::events(&said, prompt.include_usage)),
        ),
        Api::Completions => (Some(openai_completions::reply(&said)), VecDeque::new()),
        Api::Moderations => (Some(answers::moderations(prompt)), VecDeque::new()),
        Api::Rerank => (Some(answers::rerank(prompt)), VecDeque::new()),
        Api::Messages if prompt.stream => (None, events(anthropic::events(&said))),
        Api::Responses => (Some(openai_responses::reply(&said)), VecDeque::new()),
        Api::Messages => (Some(anthropic::reply(&said)), VecDeque::new()),
        Api::CountTokens => (
            Some(anthropic::count_tokens(prompt.tokens)),
            VecDeque::new(),
        ),
        Api::Embeddings => (Some(answers::embeddings(prompt)), VecDeque::new()),
        Api::Chat | Api::Models | Api::Unknown => {
            (Some(openai_chat::reply(&said)), VecDeque::new())
        }
    };
    match reply {
        Some(reply) => typed(
            StatusCode::OK,
            JSON,
            Play::json(Bytes::from(reply), wire, ticket),
        ),
        None => typed(
            StatusCode::OK,
            STREAM,
            Play::stream(stream, wire, api, ticket),
        ),
    }
}

fn fast(api: Api, body: &[u8]) -> Response<Play> {
    let streams = [&b"\"stream\":true"[..], b"\"stream\": true"];
    if streams
        .iter()
        .any(|mark| memchr::memmem::find(body, mark).is_some())
    {
        let play = Play::stream(
            bench::events(api),
            &super::script::Wire::default(),
            api,
            Ticket::none(),
        );
        return typed(StatusCode::OK, STREAM, play);
    }
    typed(
        StatusCode::OK,
        JSON,
        Play::whole(bench::reply(api), Ticket::none()),
    )
}

/// The paths by which another process asks what the mock has seen.
fn control(parts: &Parts, shared: &Shared) -> Option<Response<Play>> {
    match (&parts.method, parts.uri.path().strip_prefix("/mock/")?) {
        (&Method::GET, "health") => Some(plain(StatusCode::OK, "ok", Ticket::none())),
        (&Method::GET, "requests") => {
            let wanted = parts
                .uri
                .query()
                .and_then(|query| query.strip_prefix("contains="));
            let requests: Vec<_> = shared.log.containing(wanted.unwrap_or_default());
            let body = object! { "requests": requests, "connections": shared.connections.load(Ordering::Relaxed) };
            Some(respond(StatusCode::OK, body.0, Ticket::none()))
        }
        (&Method::DELETE, "requests") => {
            shared.log.clear();
            Some(plain(StatusCode::NO_CONTENT, "", Ticket::none()))
        }
        _ => None,
    }
}

/// What real providers send along, some of it nothing for a caller's eyes.
fn provider_headers(headers: &mut HeaderMap, prompt: &Prompt) {
    let id = HeaderValue::from_str(&format!("req_mock_{}", prompt.number));
    let id = id.unwrap_or_else(|_| HeaderValue::from_static("req_mock"));
    let fixed: &[(&'static str, &'static str)] = if prompt.api.is_anthropic() {
        headers.insert(HeaderName::from_static("request-id"), id);
        &[
            ("anthropic-ratelimit-requests-limit", "1000"),
            ("anthropic-ratelimit-requests-remaining", "999"),
            ("anthropic-organization-id", "mock-organization"),
        ]
    } else {
        headers.insert(HeaderName::from_static("x-request-id"), id);
        &[
            ("x-ratelimit-limit-requests", "1000"),
            ("x-ratelimit-remaining-requests", "999"),
            ("openai-organization", "mock-organization"),
            ("openai-processing-ms", "1"),
        ]
    };
    for (name, value) in fixed.iter().chain(&[
        ("set-cookie", "__cf_bm=mock-cookie; HttpOnly"),
        ("server", "mock"),
    ]) {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
}

fn respond(status: StatusCode, body: String, ticket: Ticket) -> Response<Play> {
    typed(status, JSON, Play::whole(Bytes::from(body), ticket))
}

fn plain(status: StatusCode, body: &'static str, ticket: Ticket) -> Response<Play> {
    typed(
        status,
        HeaderValue::from_static("text/plain"),
        Play::whole(Bytes::from_static(body.as_bytes()), ticket),
    )
}

fn typed(status: StatusCode, kind: HeaderValue, play: Play) -> Response<Play> {
    let mut response = Response::new(play);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
