//! The same over loopback, for SDKs that speak HTTP.
//!
//! | request | is |
//! |---|---|
//! | `GET /exchanges` | all exchanges, with what each says and the events that it has |
//! | `POST /as/API/…` | a base URL: a client of `API` is answered as the exchange was that `x-replay-at: FILE:INDEX` names. `x-replay-cut: N` ends the provider's stream after N events; `x-replay-seed: N` cuts it into small pieces |
//! | `GET /requests/FROM/TO` | every recorded request of `FROM`, translated to `TO`, which is an API or a provider with quirks: what was sent, or why not |
//! | `GET /asked/FROM` | every recorded request of `FROM`, as it was |
//! | `POST /translate/FROM/TO/MODEL` | the same for the request in the body; `?stream` where its path would say so |

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::LazyLock;

use bartizan_core::Body;
use bartizan_translate::Target;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::{Layer as _, ServiceExt as _};

use crate::api::Api;
use crate::client::{Got, ask, layer, named, target};
use crate::exchanges::{self, Exchange};
use crate::frames;
use crate::provider::Provider;

/// Serves until it is dropped.
///
/// # Errors
///
/// Where a connection can't be accepted.
pub async fn serve(listener: TcpListener) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let service =
                service_fn(|request| async { Ok::<_, Infallible>(answer(request).await) });
            // A client that leaves is its own affair.
            let _left = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let words: Vec<&str> = path.trim_start_matches('/').splitn(5, '/').collect();
    match (request.method(), words.as_slice()) {
        (&Method::GET, ["exchanges"]) => of_json(&listed()),
        (&Method::GET, ["asked", from]) => {
            Api::named(from).map_or_else(not_found, |from| of_json(&asked(from)))
        }
        (&Method::GET, ["requests", from, to]) => match (Api::named(from), named(to, "m")) {
            (Some(from), Some(_)) => of_json(&requests(from, to).await),
            _ => not_found(),
        },
        (&Method::POST, ["translate", from, to, model]) => {
            match (Api::named(from), named(to, model)) {
                (Some(from), Some(target)) => {
                    let stream = request.uri().query() == Some("stream");
                    let body = request.into_body().collect().await;
                    let body = body
                        .map(http_body_util::Collected::to_bytes)
                        .unwrap_or_default();
                    of_json(
                        &translated(from, target, &String::from_utf8_lossy(&body), stream).await,
                    )
                }
                _ => not_found(),
            }
        }
        (&Method::POST, ["as", api, ..]) => {
            let named = request
                .headers()
                .get("x-replay-at")
                .and_then(|name| name.to_str().ok());
            let found = named.and_then(|name| FOUND.get(name));
            match (found, Api::named(api)) {
                (Some(found), Some(api)) => {
                    let rest = path.splitn(4, '/').nth(3).unwrap_or_default();
                    replayed(found, api, rest, request).await
                }
                _ => not_found(),
            }
        }
        _ => not_found(),
    }
}

fn of_json(value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

fn not_found() -> Response<Body> {
    let mut response = of_json(&json!({"error": {"message": "no such exchange or API"}}));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

/// An exchange, and where the events of its stream end.
struct Found {
    exchange: &'static Exchange,
    ends: Vec<usize>,
}

impl Found {
    fn new(exchange: &'static Exchange) -> Self {
        let ends = if exchange.stream {
            let frames = frames::of(exchange.media_type(), &exchange.body);
            frames.iter().map(|frame| frame.at.end).collect()
        } else {
            Vec::new()
        };
        Self { exchange, ends }
    }

    /// Where the first `events` events end.
    fn end_of(&self, events: u64) -> usize {
        let Some(events) = usize::try_from(events).ok().filter(|events| *events > 0) else {
            return 0;
        };
        let end = self.ends.get(events - 1);
        end.copied().unwrap_or(self.exchange.body.len())
    }
}

/// All exchanges by their names: they are asked for many thousand times.
static FOUND: LazyLock<HashMap<String, Found>> = LazyLock::new(|| {
    let all = exchanges::all().iter();
    all.map(|exchange| (exchange.name(), Found::new(exchange)))
        .collect()
});

fn listed() -> Value {
    let listed = exchanges::all().iter().map(|exchange| {
        let found = FOUND.get(&exchange.name());
        let events = found.map_or(0, |found| found.ends.len());
        json!({
            "file": exchange.file,
            "index": exchange.index,
            "api": exchange.api.name(),
            "model": exchange.model,
            "stream": exchange.stream,
            "status": exchange.status,
            "tags": exchange.tags,
            "events": events,
            "said": exchange.said().map(|said| said.to_json()),
        })
    });
    listed.collect()
}

fn asked(from: Api) -> Value {
    let own = exchanges::all()
        .iter()
        .filter(|exchange| exchange.api == from && !exchange.file.contains("derived"));
    own.map(|exchange| {
        let body: Value = serde_json::from_str(&exchange.request).unwrap_or_default();
        json!({"file": exchange.file, "index": exchange.index, "body": body})
    })
    .collect()
}

/// Lets the request through the layer; the answer is streamed as it comes.
async fn replayed(
    found: &Found,
    api: Api,
    rest: &str,
    request: Request<Incoming>,
) -> Response<Body> {
    let exchange = found.exchange;
    let (mut parts, body) = request.into_parts();
    let number =
        |name: &str| -> Option<u64> { parts.headers.get(name)?.to_str().ok()?.parse().ok() };
    let mut provider = Provider::of(exchange);
    if let Some(events) = number("x-replay-cut") {
        provider = provider.cut(found.end_of(events));
    }
    if let Some(seed) = number("x-replay-seed") {
        provider = provider.scattered(seed);
    }
    let query = parts
        .uri
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    parts.uri = Uri::try_from(format!("/{rest}{query}")).unwrap_or_default();
    parts.extensions.insert(api.dialect());
    parts.extensions.insert(target(exchange));
    let request = Request::from_parts(parts, Body::new(body));
    match layer().layer(provider).oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn requests(from: Api, to: &str) -> Value {
    let mut all = Vec::new();
    for exchange in exchanges::all() {
        if exchange.api != from || exchange.file.contains("derived") {
            continue;
        }
        let model = Api::named(to).map_or("mistral-small-latest", Api::model);
        let Some(target) = named(to, model) else {
            continue;
        };
        let mut one = translated(from, target, &exchange.request, exchange.stream).await;
        one["file"] = json!(exchange.file);
        one["index"] = json!(exchange.index);
        one["stream"] = json!(exchange.stream);
        all.push(one);
    }
    Value::from(all)
}

async fn translated(from: Api, target: Target, body: &str, stream: bool) -> Value {
    told(&ask(from, stream, body, target, Provider::of_nothing()).await)
}

fn told(got: &Got) -> Value {
    let sent = got.sent.as_ref().map(|sent| {
        let body: Value = serde_json::from_str(&sent.text).unwrap_or_default();
        json!({"path": sent.uri.to_string(), "body": body})
    });
    let refused = got.refusal.as_ref().filter(|_| sent.is_none());
    json!({
        "sent": sent,
        "dropped": got.dropped(),
        "refused": refused.map(|refused| json!({"status": got.status, "code": refused.code, "field": refused.field})),
    })
}

/// Listens on a loopback port of the system's choice.
///
/// # Errors
///
/// Where there is none.
pub async fn listen() -> std::io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}
