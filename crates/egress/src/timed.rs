//! An answer's body with limits on silence and on the whole.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bartizan_core::Refusal;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use metrics::counter;
use tokio::time::{Instant, Sleep};

use crate::error::{Error, Step};

/// One timer serves both limits: it is set to whichever comes first.
#[derive(Debug)]
pub(crate) struct Timed {
    body: Incoming,
    idle: Duration,
    deadline: Instant,
    timer: Pin<Box<Sleep>>,
    over: bool,
}

impl Timed {
    pub(crate) fn new(body: Incoming, idle: Duration, deadline: Instant) -> Self {
        let timer = Box::pin(tokio::time::sleep_until(
            deadline.min(Instant::now() + idle),
        ));
        Self {
            body,
            idle,
            deadline,
            timer,
            over: false,
        }
    }
}

impl Body for Timed {
    type Data = Bytes;
    /// A refusal, so that the caller is told in their own dialect what the provider did.
    type Error = Refusal;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Refusal>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            let again = self.deadline.min(Instant::now() + self.idle);
            self.timer.as_mut().reset(again);
            return Poll::Ready(
                frame.map(|frame| frame.map_err(|error| Error::Call(Arc::new(error)).refusal())),
            );
        }
        ready!(self.timer.as_mut().poll(cx));
        self.over = true;
        let step = if Instant::now() >= self.deadline {
            Step::Total
        } else {
            Step::Idle
        };
        counter!("bartizan.egress.answers_given_up").increment(1);
        tracing::debug!(%step, "gave up on an answer that took too long");
        Poll::Ready(Some(Err(Error::TimedOut(step).refusal())))
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
