//! A client, the layer, and a provider that notes what it gets and answers what it is told.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each test file uses a part, and a test that fails panics"
)]

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_core::{Body, Dialect, ManualClock, Refusal, Trail};
use bartizan_translate::{DROPPED, Target, TranslateLayer};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body::Frame;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::{Layer, ServiceExt};

pub(crate) const MODEL: &str = "claude-haiku-4-5-20251001";

/// What the provider got.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) dialect: Option<Dialect>,
}

impl Sent {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// What the client got.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) sent: Option<Sent>,
    pub(crate) trail: Vec<String>,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn dropped(&self) -> &str {
        self.headers
            .get(DROPPED)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The events' data, in order; comments as `:`.
    pub(crate) fn events(&self) -> Vec<String> {
        let blocks = self.text.split("\n\n").filter(|block| !block.is_empty());
        blocks
            .map(|block| match block.strip_prefix("data: ") {
                Some(data) => data.to_owned(),
                None => {
                    assert!(block.starts_with(':'), "{block}");
                    ":".to_owned()
                }
            })
            .collect()
    }

    /// The chunks, without `[DONE]` and comments.
    pub(crate) fn chunks(&self) -> Vec<Value> {
        let events = self.events();
        let chunks = events.iter().filter(|data| data.starts_with('{'));
        chunks
            .map(|data| serde_json::from_str(data).unwrap())
            .collect()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.text.ends_with("data: [DONE]\n\n")
    }
}

pub(crate) fn layer() -> TranslateLayer {
    TranslateLayer::new()
        .to(Target::new(Dialect::AnthropicMessages, MODEL))
        .clock(ManualClock::at(Duration::from_secs(1_700_000_000)))
}

pub(crate) fn chat(body: impl Into<String>) -> Request<Body> {
    post("/v1/chat/completions", body)
}

pub(crate) fn post(path: &str, body: impl Into<String>) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(body.into()))
        .unwrap()
}

pub(crate) fn json(status: u16, body: impl Into<String>) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.into()))
        .unwrap()
}

pub(crate) fn sse(body: impl Into<Bytes>) -> Response<Body> {
    pieces(vec![body.into()])
}

/// An event stream that arrives in these pieces.
pub(crate) fn pieces(pieces: Vec<Bytes>) -> Response<Body> {
    let body = Pieces(pieces.into_iter());
    Response::builder()
        .header("content-type", "text/event-stream; charset=utf-8")
        .body(Body::new(body))
        .unwrap()
}

struct Pieces(std::vec::IntoIter<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}

pub(crate) async fn exchange(
    layer: &TranslateLayer,
    mut request: Request<Body>,
    answer: Response<Body>,
) -> Got {
    let sent = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&sent);
    let answer = Arc::new(Mutex::new(Some(answer)));
    let provider = tower::service_fn(move |request: Request<Body>| {
        let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
        async move {
            let (parts, body) = request.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            *noted.lock().unwrap() = Some(Sent {
                uri: parts.uri,
                headers: parts.headers,
                text: String::from_utf8(bytes.to_vec()).unwrap(),
                dialect: parts.extensions.get().copied(),
            });
            Ok::<_, Infallible>(answer.lock().unwrap().take().unwrap())
        }
    });
    let trail = Trail::new();
    request.extensions_mut().insert(trail.clone());
    let response = layer.layer(provider).oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let sent = sent.lock().unwrap().take();
    Got {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(bytes.to_vec()).unwrap(),
        refusal: parts.extensions.get().cloned(),
        sent,
        trail: trail.notes().iter().map(ToString::to_string).collect(),
    }
}

/// Sends a request; the provider answers next to nothing.
pub(crate) async fn ask(layer: &TranslateLayer, body: impl Into<String>) -> Got {
    exchange(layer, chat(body), json(200, REPLY)).await
}

pub(crate) const REPLY: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":2}}"#;

/// Recorded exchanges, where the folder with them is there.
pub(crate) fn recorded(name: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/exchanges")
        .join(format!("{name}.jsonl"));
    let Ok(lines) = std::fs::read_to_string(path) else {
        return Vec::new();
    };
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A recorded body's text.
pub(crate) fn body(message: &Value) -> Option<String> {
    message["body"]["text"].as_str().map(str::to_owned)
}
