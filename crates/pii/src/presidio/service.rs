//! The tower service: routes, limits, and where the work is done.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_core::{Body, BoxError, Dialect};
use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;

use super::analyze::{Defaults, Question, is_language};
use super::fault::{Fault, json};
use super::operators::{ANONYMIZERS, DEANONYMIZERS};
use super::{Deadline, Limits, PresidioServiceBuilder, anonymize};
use crate::model::Models;
use crate::{Entity, Finding};

/// Bodies larger than this are worked on where nobody else waits.
const SMALL: usize = 64 * 1024;

/// Values in one request: more than any use of it has.
const MOST_VALUES: usize = 200_000;

/// Answers as Presidio's analyzer and anonymizer do. See the [module's documentation](super). Cloning is cheap.
///
/// As a tower service it never fails: what goes wrong is an answer, `{"error": "..."}`. It wants tokio.
#[derive(Clone)]
pub struct PresidioService(Arc<Inner>);

struct Inner {
    defaults: Defaults,
    models: Option<Arc<Models>>,
    /// What the models find.
    modelled: Vec<Entity>,
    bearer: Option<SecretString>,
    limits: Limits,
    room: Semaphore,
}

#[derive(Clone, Copy)]
enum Place {
    Analyze,
    Anonymize,
    Deanonymize,
    Recognizers,
    Entities,
    Anonymizers,
    Deanonymizers,
    Health,
}

impl Place {
    fn of(path: &str) -> Option<(Self, &'static str)> {
        Some(match path {
            "/analyze" => (Self::Analyze, "analyze"),
            "/anonymize" => (Self::Anonymize, "anonymize"),
            "/deanonymize" => (Self::Deanonymize, "deanonymize"),
            "/recognizers" => (Self::Recognizers, "recognizers"),
            "/supportedentities" => (Self::Entities, "supportedentities"),
            "/anonymizers" => (Self::Anonymizers, "anonymizers"),
            "/deanonymizers" => (Self::Deanonymizers, "deanonymizers"),
            "/health" => (Self::Health, "health"),
            _ => return None,
        })
    }

    fn posts(self) -> bool {
        matches!(self, Self::Analyze | Self::Anonymize | Self::Deanonymize)
    }
}

impl PresidioService {
    /// Starts to set up a service.
    pub fn builder() -> PresidioServiceBuilder {
        PresidioServiceBuilder::default()
    }

    pub(super) fn new(
        defaults: Defaults,
        models: Option<Arc<Models>>,
        modelled: Vec<Entity>,
        bearer: Option<SecretString>,
        limits: Limits,
    ) -> Self {
        Self(Arc::new(Inner {
            defaults,
            models,
            modelled,
            bearer,
            room: Semaphore::new(limits.at_a_time),
            limits,
        }))
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let Some((place, name)) = Place::of(parts.uri.path()) else {
            return Fault::new(404, "there is no such path here").response();
        };
        let response = self.at(place, &parts, body).await;
        let response = response.unwrap_or_else(|fault| fault.response());
        metrics::counter!("bartizan.pii.presidio.requests", "path" => name, "status" => response.status().as_str().to_owned())
            .increment(1);
        response
    }

    async fn at(&self, place: Place, parts: &Parts, body: Body) -> Result<Response<Body>, Fault> {
        let allowed = if place.posts() {
            Method::POST
        } else {
            Method::GET
        };
        let head = parts.method == Method::HEAD && !place.posts();
        if parts.method != allowed && !head {
            let mut response =
                Fault::new(405, format!("this path takes {allowed} only")).response();
            let allowed = if place.posts() { "POST" } else { "GET, HEAD" };
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static(allowed));
            return Ok(response);
        }
        if !matches!(place, Place::Health) {
            self.check_key(parts)?;
        }
        let deadline = Instant::now() + self.0.limits.time;
        timeout_at(deadline, self.do_at(place, parts, body, Deadline(deadline)))
            .await
            .unwrap_or_else(|_| Err(Fault::late()))
    }

    async fn do_at(
        &self,
        place: Place,
        parts: &Parts,
        body: Body,
        deadline: Deadline,
    ) -> Result<Response<Body>, Fault> {
        let inner = &*self.0;
        match place {
            Place::Health => {
                let mut response = Response::new(Body::from("analyzer and anonymizer are up"));
                response
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
                Ok(response)
            }
            Place::Anonymizers => Ok(json(StatusCode::OK, &ANONYMIZERS)),
            Place::Deanonymizers => Ok(json(StatusCode::OK, &DEANONYMIZERS)),
            Place::Entities => {
                check_language(parts)?;
                let names: Vec<&str> = inner
                    .defaults
                    .supported
                    .iter()
                    .map(|entity| entity.as_str())
                    .collect();
                Ok(json(StatusCode::OK, &names))
            }
            Place::Recognizers => {
                check_language(parts)?;
                let own = inner
                    .defaults
                    .supported
                    .iter()
                    .filter(|entity| entity.is_built_in());
                let mut names: Vec<&str> = own.map(|entity| entity.recognizer()).collect();
                names.extend(inner.models.iter().flat_map(|models| models.names()));
                names.sort_unstable();
                names.dedup();
                Ok(json(StatusCode::OK, &names))
            }
            Place::Analyze | Place::Anonymize | Place::Deanonymize => {
                let body = inner.collect(parts, body).await?;
                // Only now: a body that comes slowly takes nobody's place.
                let _room = inner.room.acquire().await.map_err(|_| Fault::internal())?;
                let (request, length) = (read(&body)?, body.len());
                drop(body);
                match place {
                    Place::Analyze => self.analyze(request, length, deadline).await,
                    _ => self.change(place, request, length).await,
                }
            }
        }
    }

    async fn analyze(
        &self,
        request: Map<String, Value>,
        length: usize,
        deadline: Deadline,
    ) -> Result<Response<Body>, Fault> {
        let of_models = self.ask_models(&request).await?;
        let inner = Arc::clone(&self.0);
        let heavy = length > SMALL
            || ["ad_hoc_recognizers", "allow_list", "context"]
                .iter()
                .any(|name| request.contains_key(*name));
        work(heavy, move || {
            let question = Question::read(&request, &inner.defaults)?;
            written(&question.answer(of_models, deadline)?)
        })
        .await
    }

    async fn ask_models(&self, request: &Map<String, Value>) -> Result<Vec<Vec<Finding>>, Fault> {
        let Some(models) = &self.0.models else {
            return Ok(Vec::new());
        };
        let question = Question::read(request, &self.0.defaults)?;
        if !question.wants(&self.0.modelled) {
            return Ok(Vec::new());
        }
        let texts = question.texts;
        models
            .ask(&texts, |_| {})
            .await
            .map_err(|refusal| Fault::new(503, refusal.message().to_owned()))
    }

    async fn change(
        &self,
        place: Place,
        request: Map<String, Value>,
        length: usize,
    ) -> Result<Response<Body>, Fault> {
        if request.is_empty() {
            return Err(Fault::bad("Invalid request json"));
        }
        let most = self.0.limits.results;
        work(length > SMALL, move || {
            let changed = match place {
                Place::Anonymize => anonymize::anonymize(&request, most)?,
                _ => anonymize::deanonymize(&request, most)?,
            };
            written(&changed)
        })
        .await
    }

    fn check_key(&self, parts: &Parts) -> Result<(), Fault> {
        let Some(key) = &self.0.bearer else {
            return Ok(());
        };
        let given = parts
            .headers
            .get(AUTHORIZATION)
            .map(HeaderValue::as_bytes)
            .and_then(|value| value.split_at_checked(7))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
            .map_or(&[][..], |(_, key)| key);
        if given.ct_eq(key.expose_secret().as_bytes()).into() {
            Ok(())
        } else {
            Err(Fault::new(401, "a key is needed: authorization: Bearer …"))
        }
    }
}

impl Inner {
    /// The body, if it may be JSON.
    async fn collect(&self, parts: &Parts, body: Body) -> Result<Bytes, Fault> {
        let kind = parts
            .headers
            .get(CONTENT_TYPE)
            .map(HeaderValue::as_bytes)
            .unwrap_or_default();
        let kind = kind
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii()
            .to_ascii_lowercase();
        if kind != b"application/json" && !kind.ends_with(b"+json") {
            return Err(Fault::new(415, "the content-type must be application/json"));
        }
        if parts.headers.contains_key(CONTENT_ENCODING) {
            return Err(Fault::new(415, "a compressed body is not taken"));
        }
        body.into_bytes(self.limits.body).await.map_err(|refusal| {
            let status = refusal.kind().status(Dialect::Other).as_u16();
            Fault::new(status, refusal.message().to_owned())
        })
    }
}

/// The request's object.
fn read(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    if values(body) > MOST_VALUES {
        return Err(Fault::new(
            413,
            format!("the body holds more than {MOST_VALUES} values"),
        ));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(request)) => Ok(request),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(Fault::bad("the body must be a JSON object")),
        // What serde_json says names a place, and nothing of the text.
        Err(error) => Err(Fault::bad(format!(
            "the body is no JSON: line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
}

/// At least how many values JSON text has: each is a hundred times its letter in memory.
fn values(body: &[u8]) -> usize {
    let (mut inside, mut escaped, mut values) = (false, false, 0);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = inside,
            b'"' => inside = !inside,
            b',' | b'[' | b'{' if !inside => values += 1,
            _ => {}
        }
    }
    values
}

/// Does what may take long where it holds nobody up.
async fn work<T: Send + 'static>(
    heavy: bool,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    if heavy {
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|_| Err(Fault::internal()))
    } else {
        work()
    }
}

fn written(value: &impl Serialize) -> Result<Response<Body>, Fault> {
    Ok(json(StatusCode::OK, value))
}

/// As Presidio does where a language is named that it has no recognizers for.
fn check_language(parts: &Parts) -> Result<(), Fault> {
    let query = parts.uri.query().unwrap_or_default();
    let named = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("language="));
    match named {
        Some(language) if !language.is_empty() && !is_language(language) => Err(Fault::new(
            500,
            "No matching recognizers were found to serve the request.",
        )),
        _ => Ok(()),
    }
}

impl<B> Service<Request<B>> for PresidioService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request.map(Body::new)).await) })
    }
}

impl fmt::Debug for PresidioService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresidioService")
            .field("kinds", &self.0.defaults.supported.len())
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}
