//! One call through a layer to a provider that answers what it is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    dead_code,
    reason = "a helper outside a test function panics as the test would, and not every test uses each"
)]

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bartizan_core::{Body, Dialect, Identity, Principal, Regions, Trail};
use bartizan_pii::PiiLayer;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

pub(crate) const JSON: &str = "application/json";
pub(crate) const EVENTS: &str = "text/event-stream";

/// What the provider got and what the caller got.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) provider: Option<String>,
    pub(crate) status: StatusCode,
    pub(crate) answer: String,
    pub(crate) notes: Vec<String>,
}

/// What a model answers, of the body that it was sent.
type Echo = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// A call that is about to be made.
pub(crate) struct Exchange<'l> {
    layer: &'l PiiLayer,
    request: Request<Full<Bytes>>,
    answer: String,
    kind: &'static str,
    echo: Option<Echo>,
}

impl<'l> Exchange<'l> {
    pub(crate) fn new(layer: &'l PiiLayer, path: &str, body: &str) -> Self {
        let request = Request::post(path).header("content-type", JSON);
        Self {
            layer,
            request: request.body(Full::from(body.to_owned())).unwrap(),
            answer: "{}".to_owned(),
            kind: JSON,
            echo: None,
        }
    }

    /// A chat in which the user says one thing.
    pub(crate) fn chat(layer: &'l PiiLayer, says: &str) -> Self {
        let body =
            serde_json::json!({"model": "demo", "messages": [{"role": "user", "content": says}]});
        Self::new(layer, "/v1/chat/completions", &body.to_string())
    }

    pub(crate) fn by(mut self, identity: Identity) -> Self {
        let principal = Principal::assume_verified(identity);
        self.request.extensions_mut().insert(principal);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let headers = self.request.headers_mut();
        headers.insert(name, value.parse().unwrap());
        self
    }

    pub(crate) fn to(mut self, regions: Regions) -> Self {
        self.request.extensions_mut().insert(regions);
        self
    }

    pub(crate) fn dialect(mut self, dialect: Dialect) -> Self {
        self.request.extensions_mut().insert(dialect);
        self
    }

    pub(crate) fn answering(mut self, answer: impl Into<String>) -> Self {
        self.answer = answer.into();
        self
    }

    /// The model says this, unstreamed.
    pub(crate) fn saying(self, says: &str) -> Self {
        let answer = serde_json::json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": says}}]});
        self.answering(answer.to_string())
    }

    /// The model says what it was asked, in its own spelling.
    pub(crate) fn echoing(self, respell: fn(&str) -> String) -> Self {
        let answer = self.saying("§");
        let template = answer.answer.clone();
        answer.answering_of(move |body| template.replace('§', &respell(&content(body))))
    }

    /// The provider answers what `answer` makes of the body that it was sent.
    pub(crate) fn answering_of(
        mut self,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        self.echo = Some(Arc::new(answer));
        self
    }

    pub(crate) fn streaming(mut self, answer: impl Into<String>) -> Self {
        (self.answer, self.kind) = (answer.into(), EVENTS);
        self
    }

    pub(crate) async fn made(self) -> Seen {
        let got = Arc::new(Mutex::new(None));
        let (answer, kind, echo) = (self.answer, self.kind, self.echo);
        let provider = {
            let got = Arc::clone(&got);
            service_fn(move |request: Request<Body>| {
                let (got, answer, echo) = (Arc::clone(&got), answer.clone(), echo.clone());
                async move {
                    let body = text(request.into_body()).await;
                    let answer = match echo {
                        Some(echo) => echo(&body),
                        None => answer,
                    };
                    *got.lock().unwrap() = Some(body);
                    let response = Response::builder().header("content-type", kind);
                    Ok::<_, Infallible>(response.body(Full::from(answer)).unwrap())
                }
            })
        };
        let trail = Trail::new();
        let mut request = self.request;
        request.extensions_mut().insert(trail.clone());
        let response = self.layer.layer(provider).oneshot(request).await.unwrap();
        let status = response.status();
        let answer = text(response.into_body()).await;
        Seen {
            provider: got.lock().unwrap().take(),
            status,
            answer,
            notes: trail.notes().iter().map(ToString::to_string).collect(),
        }
    }
}

impl Seen {
    /// What the provider was told in the first message.
    pub(crate) fn asked(&self) -> String {
        content(self.provider.as_ref().expect("nothing was sent"))
    }

    /// What the caller was told.
    pub(crate) fn said(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.answer).unwrap();
        body["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

/// What the first message says.
fn content(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    body["messages"][0]["content"].as_str().unwrap().to_owned()
}

async fn text(body: Body) -> String {
    let bytes = BodyExt::collect(body).await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}
