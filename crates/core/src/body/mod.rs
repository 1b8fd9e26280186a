//! One body: opaque bytes still streaming, bytes held whole, one document, or an answer with taps on it.
//!
//! [`Body::new`] takes any body and gives back the same `Body` when it already is one, so that layers stacked in one `ServiceBuilder`
//! hand the read form on; a foreign layer in between costs a second read and never correctness. The body is the only truth: no read
//! copy lies beside it.

mod answer;

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};

use crate::dialect::{Dialect, Direction};
use crate::document::Document;
use crate::filter::AnyTap;
use crate::framing::Framing;
use crate::refusal::{Refusal, RefusalKind};

use answer::Answer;

/// The error of a body, whatever its source.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A request's or a response's body.
///
/// ```
/// use bartizan_core::Body;
///
/// let body = Body::from("hello");
/// let same = Body::new(Body::new(body));
/// # let _ = same;
/// ```
pub struct Body(State);

enum State {
    Opaque(Source),
    Held(Bytes),
    Document(Box<Document>),
    Answer(Box<Answer>),
}

type Source = Pin<Box<dyn http_body::Body<Data = Bytes, Error = BoxError> + Send>>;

impl Body {
    /// Wraps any body; a `Body` stays as it is.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut body = Some(body);
        if let Some(same) = (&mut body as &mut dyn Any).downcast_mut::<Option<Self>>()
            && let Some(same) = same.take()
        {
            return same;
        }
        match body {
            Some(body) if body.is_end_stream() => Self::empty(),
            Some(body) => Self(State::Opaque(Box::pin(Foreign { body }))),
            None => Self::empty(),
        }
    }

    /// Creates a body of no bytes.
    #[must_use]
    pub fn empty() -> Self {
        Self(State::Held(Bytes::new()))
    }

    /// Collects the body.
    ///
    /// # Errors
    ///
    /// 413 over `limit` bytes, 400 if it breaks off.
    pub async fn into_bytes(mut self, limit: usize) -> Result<Bytes, Refusal> {
        self.bytes(
            limit,
            || {
                Refusal::new(
                    RefusalKind::TooLarge,
                    "body_too_large",
                    format!("the body is over {limit} bytes"),
                )
            },
            incomplete,
        )
        .await
    }

    /// How many bytes it has, where it is held whole.
    pub(crate) fn held(&self) -> Option<usize> {
        match &self.0 {
            State::Held(bytes) => Some(bytes.len()),
            State::Document(document) => Some(document.as_str().len()),
            State::Answer(answer) => answer.held(),
            State::Opaque(_) => None,
        }
    }

    /// The body as a message of `dialect`, read unless it is already.
    pub(crate) async fn document(
        &mut self,
        limit: usize,
        dialect: Dialect,
        direction: Direction,
        too_large: impl FnOnce() -> Refusal,
    ) -> Result<&mut Document, Refusal> {
        let known = match &self.0 {
            State::Document(document) => {
                document.dialect() == dialect && document.direction() == direction
            }
            _ => false,
        };
        if !known {
            let bytes = self.bytes(limit, too_large, incomplete).await?;
            let read = Document::read(&bytes, dialect, direction);
            // A body that is no document stays what it was, for whoever does not need one.
            self.0 = State::Held(bytes);
            self.0 = State::Document(Box::new(read?));
        }
        match &mut self.0 {
            State::Document(document) => Ok(document),
            _ => Err(Refusal::new(
                RefusalKind::Internal,
                "internal_error",
                "the body was lost",
            )),
        }
    }

    async fn bytes(
        &mut self,
        limit: usize,
        too_large: impl FnOnce() -> Refusal,
        broken: fn() -> Refusal,
    ) -> Result<Bytes, Refusal> {
        match std::mem::replace(&mut self.0, State::Held(Bytes::new())) {
            State::Held(bytes) if bytes.len() > limit => Err(too_large()),
            State::Held(bytes) => Ok(bytes),
            State::Document(document) => Ok(document.into_string().into()),
            other => gather(Self(other), limit, too_large, broken).await,
        }
    }

    /// Puts a tap on the answer, which only wants to see its end.
    pub(crate) fn tap_end(self, tap: Box<dyn AnyTap>, dialect: Dialect) -> Self {
        Self(State::Answer(Box::new(
            self.into_answer().tap_end(tap, dialect),
        )))
    }

    /// Puts a tap on the answer, which is an event stream of `inner` dialect so far and of `outer` from then on.
    pub(crate) fn tap_events(
        self,
        tap: Box<dyn AnyTap>,
        framing: Option<Box<dyn Framing>>,
        inner: Dialect,
        outer: Dialect,
    ) -> Self {
        Self(State::Answer(Box::new(
            self.into_answer().tap_events(tap, framing, inner, outer),
        )))
    }

    fn into_answer(self) -> Answer {
        match self.0 {
            State::Answer(answer) => *answer,
            other => Answer::new(Self(other)),
        }
    }

    /// The unstreamed answer as a message; taps that it has stay on it.
    pub(crate) async fn reply(
        &mut self,
        limit: usize,
        dialect: Dialect,
    ) -> Result<Option<&mut Document>, Refusal> {
        let too_large = || {
            Refusal::new(
                RefusalKind::Upstream,
                "upstream_reply_too_large",
                format!("the provider's answer is over {limit} bytes"),
            )
        };
        if matches!(self.0, State::Answer(_)) {
            let State::Answer(answer) = &mut self.0 else {
                return Ok(None);
            };
            return Box::pin(answer.reply(limit, dialect)).await;
        }
        if self.held().is_none() {
            let bytes = self.bytes(limit, too_large, cut).await?;
            self.0 = State::Held(bytes);
        }
        if self.held() == Some(0) {
            return Ok(None);
        }
        self.document(limit, dialect, Direction::Reply, too_large)
            .await
            .map(Some)
            .map_err(upstream_fault)
    }
}

/// What is the caller's fault in a request is the provider's in an answer.
fn upstream_fault(refusal: Refusal) -> Refusal {
    match refusal.kind() {
        RefusalKind::BadRequest => malformed(),
        RefusalKind::TooLarge => Refusal::new(
            RefusalKind::Upstream,
            "upstream_reply_too_large",
            "the provider's answer has too many values",
        ),
        _ => refusal,
    }
}

fn malformed() -> Refusal {
    Refusal::new(
        RefusalKind::Upstream,
        "upstream_malformed",
        "the provider's answer can't be read as its API says",
    )
}

/// What a body's error says: its own refusal, or that it broke off.
fn refused_by(error: &BoxError, broken: fn() -> Refusal) -> Refusal {
    error
        .downcast_ref::<Refusal>()
        .cloned()
        .unwrap_or_else(broken)
}

fn incomplete() -> Refusal {
    Refusal::new(
        RefusalKind::BadRequest,
        "body_incomplete",
        "the body broke off",
    )
}

/// Nobody has seen any of the answer yet where it was to be read whole, so that another try is safe.
fn cut() -> Refusal {
    Refusal::new(
        RefusalKind::Upstream,
        "upstream_stream_cut",
        "the provider's answer broke off before its end",
    )
    .retry_after(Duration::from_secs(1))
}

async fn gather(
    mut body: Body,
    limit: usize,
    too_large: impl FnOnce() -> Refusal,
    broken: fn() -> Refusal,
) -> Result<Bytes, Refusal> {
    let expected = usize::try_from(http_body::Body::size_hint(&body).lower()).unwrap_or(usize::MAX);
    let mut first = Bytes::new();
    let mut all: Option<BytesMut> = None;
    let mut length = 0;
    while let Some(frame) = next_frame(&mut body).await {
        let frame = frame.map_err(|error| refused_by(&error, broken))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        length += data.len();
        if length > limit {
            return Err(too_large());
        }
        match &mut all {
            Some(all) => all.extend_from_slice(&data),
            None if first.is_empty() => first = data,
            None => {
                // A declared length is trusted up to the limit only, so that a lie costs its sender and not us.
                let mut both = BytesMut::with_capacity(
                    expected.clamp(length, limit).min(length.saturating_mul(64)),
                );
                both.extend_from_slice(&first);
                both.extend_from_slice(&data);
                all = Some(both);
            }
        }
    }
    Ok(all.map_or(first, BytesMut::freeze))
}

async fn next_frame(body: &mut Body) -> Option<Result<Frame<Bytes>, BoxError>> {
    std::future::poll_fn(|context| http_body::Body::poll_frame(Pin::new(&mut *body), context)).await
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            State::Opaque(source) => source.as_mut().poll_frame(context),
            State::Answer(answer) => answer.poll_frame(context),
            State::Held(bytes) if bytes.is_empty() => Poll::Ready(None),
            State::Held(_) | State::Document(_) => {
                let whole = match std::mem::replace(&mut self.0, State::Held(Bytes::new())) {
                    State::Held(bytes) => bytes,
                    State::Document(document) => document.into_string().into(),
                    _ => Bytes::new(),
                };
                Poll::Ready(Some(Ok(Frame::data(whole))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            State::Opaque(source) => source.is_end_stream(),
            // Its taps see its end when it is polled there, so it never says so beforehand.
            State::Answer(answer) => answer.is_over(),
            State::Held(_) | State::Document(_) => self.held() == Some(0),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.0, self.held()) {
            (_, Some(length)) => SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX)),
            (State::Opaque(source), None) => source.size_hint(),
            (State::Answer(answer), None) => answer.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(State::Held(bytes))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from(Bytes::from(text))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::from(Bytes::from_static(text.as_bytes()))
    }
}

impl From<Document> for Body {
    fn from(document: Document) -> Self {
        Self(State::Document(Box::new(document)))
    }
}

/// Shows the state only.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Opaque(_) => "Body(opaque)",
            State::Held(_) => "Body(held)",
            State::Document(_) => "Body(document)",
            State::Answer(_) => "Body(answer)",
        })
    }
}

pin_project_lite::pin_project! {
    /// A body from elsewhere, its error boxed.
    struct Foreign<B> {
        #[pin]
        body: B,
    }
}

impl<B> http_body::Body for Foreign<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(self.project().body.poll_frame(context));
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
