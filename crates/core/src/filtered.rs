//! Tower's mechanics, once: a filter around a service.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Request, Response};
use tower_service::Service;

use crate::body::{Body, BoxError};
use crate::call::{BodyLimit, Call, fix_length};
use crate::dialect::Dialect;
use crate::filter::{End, Filter, Flow, Out, Step, Tap, Watch};
use crate::form::Form;
use crate::refusal::Refusal;

/// A service with a [`Filter`] around it.
///
/// Takes requests and gives responses of any body type, and leaves the inner service's error alone: a refusal is a response. So it goes
/// as it is into `axum::Router::layer` and around tonic's routes.
pub struct Filtered<S, F> {
    inner: S,
    filter: Arc<F>,
}

impl<S, F> Filtered<S, F> {
    /// Creates the service.
    pub fn new(inner: S, filter: Arc<F>) -> Self {
        Self { inner, filter }
    }
}

impl<S: Clone, F> Clone for Filtered<S, F> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            filter: Arc::clone(&self.filter),
        }
    }
}

impl<S: fmt::Debug, F: Filter> fmt::Debug for Filtered<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filtered")
            .field("filter", &F::NAME)
            .field("inner", &self.inner)
            .finish()
    }
}

impl<S, F, B, RB> Service<Request<B>> for Filtered<S, F>
where
    S: Service<Request<Body>, Response = Response<RB>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    F: Filter,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    RB: http_body::Body<Data = Bytes> + Send + 'static,
    RB::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let filter = Arc::clone(&self.filter);
        // The clone is not ready; the one that was polled is, and goes.
        let not_ready_inner = self.inner.clone();
        let mut ready_inner = std::mem::replace(&mut self.inner, not_ready_inner);
        Box::pin(async move {
            let mut call = Call::new(request.map(Body::new));
            let outer = call.dialect();
            let limit = call
                .parts()
                .extensions
                .get::<BodyLimit>()
                .copied()
                .unwrap_or_default();
            let tap = match filter.request(&mut call).await {
                Ok(Flow::Pass(tap)) => tap,
                Ok(Flow::Answer(response)) => return Ok(response),
                Err(refusal) => {
                    tracing::debug!(layer = F::NAME, code = refusal.code(), "refused");
                    return Ok(refusal.render(outer));
                }
            };
            let inner = call.dialect();
            // Dropped before the tap if the client leaves: inside to outside.
            let response = ready_inner.call(call.into_request()).await?;
            let sides = Sides { inner, outer };
            match watch(response.map(Body::new), tap, sides, limit).await {
                Ok(response) => Ok(response),
                Err(refusal) => {
                    tracing::debug!(layer = F::NAME, code = refusal.code(), "stopped the answer");
                    Ok(refusal.render(outer))
                }
            }
        })
    }
}

/// The dialects on a filter's two sides.
#[derive(Clone, Copy)]
struct Sides {
    inner: Dialect,
    outer: Dialect,
}

/// Lets `tap` see the answer: its head and a whole reply now, a stream as it passes.
async fn watch<T: Tap>(
    response: Response<Body>,
    mut tap: T,
    sides: Sides,
    limit: BodyLimit,
) -> Result<Response<Body>, Refusal> {
    let (mut head, mut body) = response.into_parts();
    if sides.inner != sides.outer
        && let Some(refusal) = head.extensions.get::<Refusal>()
    {
        // An inner layer refused in the language of the inside.
        let (new_head, new_body) = refusal.render(sides.outer).into_parts();
        (head, body) = (new_head, new_body);
        tap.head(&mut head).await?;
        return Ok(Response::from_parts(head, body));
    }
    if tap.watch() == Watch::Nothing {
        return Ok(Response::from_parts(head, body));
    }
    tap.head(&mut head).await?;
    // Told after the head was seen: a tap may care for an answer or not, and may change its type.
    let watch = tap.watch();
    let framing = if watch == Watch::Content {
        tap.framing()
    } else {
        None
    };
    let form = if framing.is_some() {
        Form::Events
    } else {
        Form::of(&head.headers)
    };
    match (watch, form) {
        (Watch::Nothing, _) => {}
        (Watch::Content, Form::Json) => {
            if let Some(reply) = body.reply(limit.reply, sides.inner).await? {
                let mut step = tap.reply(reply);
                while let Step::Hold(hold) = step {
                    step = match hold.await {
                        Step::Go => tap.resumed(reply),
                        other => other,
                    };
                }
                if let Step::Stop(refusal) = step {
                    return Err(refusal);
                }
                tap.replied(&mut head);
            }
            fix_length(&mut head.headers, &body);
            if http_body::Body::is_end_stream(&body) {
                end_now(tap).await?;
            } else {
                body = body.tap_end(Box::new(tap), sides.outer);
            }
        }
        (Watch::Content, Form::Events) => {
            head.headers.remove(CONTENT_LENGTH);
            head.headers.remove(TRANSFER_ENCODING);
            body = body.tap_events(Box::new(tap), framing, sides.inner, sides.outer);
        }
        (Watch::Content | Watch::End, _) if http_body::Body::is_end_stream(&body) => {
            end_now(tap).await?;
        }
        (Watch::Content | Watch::End, _) => body = body.tap_end(Box::new(tap), sides.outer),
    }
    Ok(Response::from_parts(head, body))
}

/// Lets `tap` see the end of an answer without a body. No server polls one, and gRPC's trailers-only form must stay without.
async fn end_now<T: Tap>(mut tap: T) -> Result<(), Refusal> {
    let mut step = tap.end(End::Complete, &mut Out::default());
    while let Step::Hold(hold) = step {
        step = hold.await;
    }
    match step {
        Step::Stop(refusal) => Err(refusal),
        _ => Ok(()),
    }
}
