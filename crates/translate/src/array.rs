//! Google's default form of a stream: one JSON array of answers, written element by element.
//!
//! `streamGenerateContent` gives server-sent events only to who asks for them with `alt=sse`. All layers here look into events, so that the
//! array is made of them outside of all others, and a stream is asked for as events from here on in.
//!
//! A stream that breaks off has an error for its last element, as Google's has, and is never closed behind an answer; where not even the
//! error can be told, the connection breaks before the array is closed. A failure before the first answer is an array with the error alone.
//!
//! ```
//! use bartizan_translate::{ArrayLayer, Target, TranslateLayer};
//! use bartizan_core::Dialect;
//! use tower::ServiceBuilder;
//!
//! # fn around<S>(provider: S) {
//! let _service = ServiceBuilder::new()
//!     .layer(ArrayLayer)
//!     .layer(TranslateLayer::new().to(Target::new(Dialect::OpenAiChat, "gpt-5.2")))
//!     .service(provider);
//! # }
//! ```

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_core::{Body, BoxError, Event, EventDecoder, Form};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri};
use http_body::Frame;
use tower_layer::Layer;
use tower_service::Service;

const METHOD: &str = ":streamGenerateContent";
const BETWEEN: &[u8] = b"\n,\r\n";

/// Applies Google's default form of a stream to answers of `streamGenerateContent` that are not asked for with `alt=sse`. The outermost layer.
///
/// All other requests pass untouched. See the [module](self).
#[derive(Clone, Copy, Debug, Default)]
pub struct ArrayLayer;

/// The service of [`ArrayLayer`].
#[derive(Clone, Debug)]
pub struct Arrays<S>(S);

impl<S> Layer<S> for ArrayLayer {
    type Service = Arrays<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Arrays(inner)
    }
}

impl<S, B> Service<Request<B>> for Arrays<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let Some(uri) = as_events(request.uri()) else {
            return Box::pin(self.0.call(request));
        };
        *request.uri_mut() = uri;
        let answer = self.0.call(request);
        Box::pin(async move { Ok(array(answer.await?)) })
    }
}

/// Where the request goes as one for events; `None` where it asks for them, for something else, or for no stream.
fn as_events(uri: &Uri) -> Option<Uri> {
    if !uri.path().ends_with(METHOD) {
        return None;
    }
    let mut query = String::from("alt=sse");
    for word in uri.query().unwrap_or_default().split('&') {
        match word.split_once('=') {
            Some(("alt" | "$alt" | "%24alt", "json")) => {}
            Some(("alt" | "$alt" | "%24alt", _)) => return None,
            _ if word.is_empty() => {}
            _ => {
                query.push('&');
                query.push_str(word);
            }
        }
    }
    let mut parts = uri.clone().into_parts();
    let path: PathAndQuery = format!("{}?{query}", uri.path()).parse().ok()?;
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).ok()
}

fn array(answer: Response<Body>) -> Response<Body> {
    let form = Form::of(answer.headers());
    let (mut head, body) = answer.into_parts();
    let body = match form {
        Form::Events => Elements::of(body, Source::Events(EventDecoder::new())),
        Form::Json => Elements::of(body, Source::Whole),
        Form::Opaque => return Response::from_parts(head, body),
    };
    head.headers.remove(CONTENT_LENGTH);
    let json = HeaderValue::from_static("application/json; charset=UTF-8");
    head.headers.insert(CONTENT_TYPE, json);
    Response::from_parts(head, Body::new(body))
}

/// An array that is written as its elements come.
// ## Unbegun => Open: the first element. Open => Over: the clean end of the events, or a broken one, which leaves it open.
struct Elements {
    body: Body,
    source: Source,
    begun: bool,
    over: bool,
}

enum Source {
    Events(EventDecoder),
    /// One JSON document, which is the one element.
    Whole,
}

impl Elements {
    fn of(body: Body, source: Source) -> Self {
        Self {
            body,
            source,
            begun: false,
            over: false,
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.push(b'[');
        } else if matches!(self.source, Source::Events(_)) {
            out.extend_from_slice(BETWEEN);
        }
    }

    fn element(&mut self, event: &Event, out: &mut Vec<u8>) {
        if let Some(data) = event.data().filter(|data| !data.is_empty()) {
            self.begin(out);
            out.extend_from_slice(data.as_bytes());
        }
    }

    fn take(&mut self, data: Bytes) -> Result<Vec<u8>, BoxError> {
        let mut out = Vec::with_capacity(data.len() + BETWEEN.len());
        if let Source::Events(decoder) = &mut self.source {
            decoder.push(data);
        } else {
            self.begin(&mut out);
            out.extend_from_slice(&data);
            return Ok(out);
        }
        while let Source::Events(decoder) = &mut self.source
            && let Some(event) = decoder.next_event()?
        {
            self.element(&event, &mut out);
        }
        Ok(out)
    }

    fn end(&mut self) -> Result<Vec<u8>, BoxError> {
        let mut out = Vec::new();
        while let Source::Events(decoder) = &mut self.source
            && let Some(event) = decoder.finish()?
        {
            self.element(&event, &mut out);
        }
        if !self.begun {
            out.push(b'[');
        }
        out.extend_from_slice(b"\n]\n");
        Ok(out)
    }
}

impl http_body::Body for Elements {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        while !self.over {
            let told = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.take(data),
                    Err(_) => continue,
                },
                Some(Err(error)) => Err(error),
                None => {
                    self.over = true;
                    self.end()
                }
            };
            self.over |= told.is_err();
            match told {
                Ok(out) if out.is_empty() => {}
                told => return Poll::Ready(Some(told.map(|out| Frame::data(out.into())))),
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.over
    }
}
