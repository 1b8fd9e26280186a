//! A provider that answers what was recorded, whatever it is asked, and remembers what it was asked.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bartizan_core::{Body, Dialect};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body::Frame;
use http_body_util::BodyExt as _;
use tower::Service;

use crate::exchanges::Exchange;

/// What the provider got.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Where it was sent.
    pub uri: Uri,
    /// With which headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
    /// What the layers took it to speak.
    pub dialect: Option<Dialect>,
}

/// The provider.
#[derive(Clone, Debug)]
pub struct Provider {
    status: u16,
    headers: HeaderMap,
    pieces: Vec<Bytes>,
    sent: Arc<Mutex<Option<Sent>>>,
}

impl Provider {
    /// Creates one that answers as `exchange` was answered.
    #[must_use]
    pub fn of(exchange: &Exchange) -> Self {
        Self::new(
            exchange.status,
            exchange.headers.clone(),
            vec![exchange.body.clone()],
        )
    }

    /// Creates one that answers this, the body in these pieces.
    #[must_use]
    pub fn new(status: u16, mut headers: HeaderMap, pieces: Vec<Bytes>) -> Self {
        for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        Self {
            status,
            headers,
            pieces,
            sent: Arc::default(),
        }
    }

    /// Creates one that answers next to nothing, in no API: for tests of requests.
    #[must_use]
    pub fn of_nothing() -> Self {
        let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self::new(200, HeaderMap::from_iter([json]), vec![Bytes::from("{}")])
    }

    /// Ends the body after `bytes` of it, cleanly.
    #[must_use]
    pub fn cut(mut self, bytes: usize) -> Self {
        let mut whole = Bytes::from(self.pieces.concat());
        whole.truncate(bytes);
        self.pieces = vec![whole];
        self
    }

    /// Sends the body in small pieces, where they are cut depending on `seed` alone.
    #[must_use]
    pub fn scattered(mut self, seed: u64) -> Self {
        let mut rest = Bytes::from(self.pieces.concat());
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut pieces = Vec::new();
        while !rest.is_empty() {
            // xorshift64: the tests want the same cuts for the same seed, and no more.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let size = usize::try_from(state % 97).unwrap_or(0) + 1;
            pieces.push(rest.split_to(size.min(rest.len())));
        }
        self.pieces = pieces;
        self
    }

    /// What it was sent last.
    #[must_use]
    pub fn sent(&self) -> Option<Sent> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Service<Request<Body>> for Provider {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let provider = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = body
                .collect()
                .await
                .map(http_body_util::Collected::to_bytes);
            let sent = Sent {
                uri: parts.uri,
                headers: parts.headers,
                text: String::from_utf8_lossy(&body.unwrap_or_default()).into_owned(),
                dialect: parts.extensions.get().copied(),
            };
            *provider.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(sent);
            let body = if provider.pieces.len() == 1 {
                Body::from(Bytes::from(provider.pieces.concat()))
            } else {
                Body::new(Pieces(provider.pieces.into_iter()))
            };
            let mut response = Response::new(body);
            *response.status_mut() =
                http::StatusCode::from_u16(provider.status).unwrap_or_default();
            *response.headers_mut() = provider.headers;
            Ok(response)
        })
    }
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
