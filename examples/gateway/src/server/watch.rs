//! Keeps an eye on one connection: who is slow is let go, who is busy is left alone.
//!
//! hyper's own header time-out runs between requests too, so it can't tell a caller that sends a head drop by drop from one that
//! keeps its connection for later. This one starts with the first byte of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Times;

const NEVER: u64 = u64::MAX;

/// What is known of a connection's doings.
#[derive(Debug)]
pub(super) struct Watch {
    start: Instant,
    under_way: AtomicUsize,
    /// Milliseconds from `start` to the end of the last request.
    ended: AtomicU64,
    /// Milliseconds from `start` to the first byte since then; [`NEVER`] before it comes.
    began: AtomicU64,
    /// Whether a request has come at all.
    served: AtomicBool,
    /// Whether it speaks HTTP/2, where bytes come between requests too.
    framed: AtomicBool,
}

/// What is to be done about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Fine,
    /// It is unused: tell the caller, and close it.
    Idle,
    /// A head has been on its way for too long: close it.
    Slow,
}

/// A request under way, to the end of its answer.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Watch>);

impl Watch {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            under_way: AtomicUsize::new(0),
            ended: AtomicU64::new(0),
            began: AtomicU64::new(NEVER),
            served: AtomicBool::new(false),
            framed: AtomicBool::new(false),
        })
    }

    /// Bytes have come.
    pub(super) fn read(&self) {
        if self.under_way.load(Relaxed) == 0 && self.began.load(Relaxed) == NEVER {
            self.began.store(self.now(), Relaxed);
        }
    }

    /// A request's head is whole.
    pub(super) fn request(self: &Arc<Self>, framed: bool) -> UnderWay {
        self.served.store(true, Relaxed);
        self.framed.store(framed, Relaxed);
        self.under_way.fetch_add(1, Relaxed);
        UnderWay(Arc::clone(self))
    }

    pub(super) fn verdict(&self, times: &Times) -> Verdict {
        if self.under_way.load(Relaxed) > 0 {
            return Verdict::Fine;
        }
        let past = |since: u64, limit: Duration| {
            Duration::from_millis(self.now().saturating_sub(since)) >= limit
        };
        let (began, ended) = (self.began.load(Relaxed), self.ended.load(Relaxed));
        let (served, framed) = (self.served.load(Relaxed), self.framed.load(Relaxed));
        if began != NEVER && !(served && framed) {
            if past(began, times.header) {
                Verdict::Slow
            } else {
                Verdict::Fine
            }
        } else if past(ended, if served { times.idle } else { times.header }) {
            Verdict::Idle
        } else {
            Verdict::Fine
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.0.under_way.fetch_sub(1, Relaxed) == 1 {
            self.0.began.store(NEVER, Relaxed);
            self.0.ended.store(self.0.now(), Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    fn times() -> Times {
        Times {
            header: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            ..Times::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_ten_seconds_from_its_first_byte() {
        let (watch, times) = (Watch::new(), times());
        watch.read();
        pass(9).await;
        watch.read();
        assert_eq!(watch.verdict(&times), Verdict::Fine);
        pass(1).await;
        assert_eq!(watch.verdict(&times), Verdict::Slow);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_newcomer_is_let_go_and_a_regular_may_rest() {
        let (watch, times) = (Watch::new(), times());
        pass(10).await;
        assert_eq!(watch.verdict(&times), Verdict::Idle);
        let request = watch.request(false);
        pass(1_000).await;
        assert_eq!(watch.verdict(&times), Verdict::Fine);
        drop(request);
        pass(74).await;
        assert_eq!(watch.verdict(&times), Verdict::Fine);
        watch.read();
        pass(10).await;
        assert_eq!(watch.verdict(&times), Verdict::Slow);
        drop(watch.request(false));
        pass(75).await;
        assert_eq!(watch.verdict(&times), Verdict::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn pings_between_requests_are_no_slow_head() {
        let (watch, times) = (Watch::new(), times());
        drop(watch.request(true));
        watch.read();
        pass(30).await;
        assert_eq!(watch.verdict(&times), Verdict::Fine);
        pass(45).await;
        assert_eq!(watch.verdict(&times), Verdict::Idle);
    }
}
