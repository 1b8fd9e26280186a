//! What the mock received, and how each exchange ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};
use tokio::sync::watch;
use tokio::time::Instant;

use super::json::{Raw, object};

/// How many requests a mock remembers; older ones are forgotten first.
const REMEMBERED: usize = 10_000;

/// One request that the mock received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// Its place among all requests, from 1.
    pub number: u64,
    /// Its method.
    pub method: Method,
    /// Its path, without the query.
    pub path: String,
    /// Its query, without the question mark.
    pub query: Option<String>,
    /// Its headers, as they came.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub body: Bytes,
    /// How many pieces of the answer's body were handed to the connection so far.
    pub events: usize,
    /// How the exchange ended.
    pub outcome: Outcome,
}

impl Received {
    /// The body as text, with what is not UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header, where there is one and it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn json(&self) -> Raw {
        let mut headers = String::new();
        for name in self.headers.keys() {
            let values: Vec<_> = self
                .headers
                .get_all(name)
                .iter()
                .map(|v| String::from_utf8_lossy(v.as_bytes()))
                .collect();
            super::json::member(&mut headers, name.as_str(), &values.join(", "));
        }
        headers.push_str(if headers.is_empty() { "{}" } else { "}" });
        let left = match self.outcome {
            Outcome::Left { after } => u64::try_from(after.as_millis()).ok(),
            _ => None,
        };
        object! {
            "number": self.number,
            "method": self.method.as_str(),
            "path": self.path,
            "query": self.query,
            "headers": Raw(headers),
            "body": self.text(),
            "events": u64::try_from(self.events).unwrap_or(u64::MAX),
            "outcome": self.outcome.as_str(),
            "left_after_ms": left,
        }
    }
}

/// How an exchange ended, as the provider saw it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It goes on.
    Answering,
    /// All of the answer was handed over.
    Whole,
    /// The script broke the answer off.
    Broken,
    /// The client went away before the answer's end.
    Left {
        /// Since the request had arrived.
        after: Duration,
    },
}

impl Outcome {
    /// `answering`, `whole`, `broken` or `left`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answering => "answering",
            Self::Whole => "whole",
            Self::Broken => "broken",
            Self::Left { .. } => "left",
        }
    }
}

#[derive(Debug)]
pub(super) struct Log {
    requests: Mutex<VecDeque<Received>>,
    changed: watch::Sender<u64>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            requests: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }

    pub(super) fn add(self: &Arc<Self>, number: u64, parts: &Parts, body: Bytes) -> Ticket {
        let received = Received {
            number,
            method: parts.method.clone(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers.clone(),
            body,
            events: 0,
            outcome: Outcome::Answering,
        };
        let mut requests = self.lock();
        if requests.len() == REMEMBERED {
            requests.pop_front();
        }
        requests.push_back(received);
        drop(requests);
        self.tell();
        Ticket {
            log: Some(Arc::clone(self)),
            number,
            since: Instant::now(),
        }
    }

    pub(super) fn all(&self) -> Vec<Received> {
        self.lock().iter().cloned().collect()
    }

    /// Those whose body has this text, as JSON.
    pub(super) fn containing(&self, text: &str) -> Vec<Raw> {
        let find = memchr::memmem::Finder::new(text);
        self.lock()
            .iter()
            .filter(|received| find.find(&received.body).is_some())
            .map(Received::json)
            .collect()
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
        self.tell();
    }

    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Received)) {
        if let Some(received) = self
            .lock()
            .iter_mut()
            .rev()
            .find(|received| received.number == number)
        {
            change(received);
        }
        self.tell();
    }

    fn tell(&self) {
        self.changed
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Received>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows one exchange. Dropped before [`Ticket::end`], it notes that the client went away.
#[derive(Debug)]
pub(super) struct Ticket {
    log: Option<Arc<Log>>,
    number: u64,
    since: Instant,
}

impl Ticket {
    /// A ticket that notes nothing.
    pub(super) fn none() -> Self {
        Self {
            log: None,
            number: 0,
            since: Instant::now(),
        }
    }

    pub(super) fn event(&self) {
        if let Some(log) = &self.log {
            log.change(self.number, |received| received.events += 1);
        }
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        if let Some(log) = self.log.take() {
            log.change(self.number, |received| received.outcome = outcome);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let after = self.since.elapsed();
        self.end(Outcome::Left { after });
    }
}
