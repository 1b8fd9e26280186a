//! The layer that writes down each call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{
    Call, Dialect, End, Event, Filter, Filtered, Flow, Form, Note, Out, Refusal, RefusalKind, Step,
    Tap, Trail, Usage, Watch,
};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, response};
use metrics::counter;
use tower_layer::Layer;

use crate::entry::{CallRecord, Entry, Notes, Outcome, Tokens, Who, bounded};
use crate::error::Error;
use crate::journal::{Journal, Mode, Place};

type PathOf = dyn Fn(&Parts) -> Option<String> + Send + Sync;

/// Applies a journal: writes one record of each call, refusals and cancelled calls included.
///
/// Belongs outermost. A strict journal that has no place for the record, or whose sink fails, refuses the call with 503
/// before anything happens; a lossy one drops the record and says so. The record is written when the answer has ended, or
/// when it is given up. See the [crate's documentation](crate).
#[derive(Clone, Debug)]
pub struct AuditLayer(Arc<Audit>);

impl AuditLayer {
    /// Creates the layer. It looks into no body: tokens and model are those that other layers put into the [`Trail`], such as
    /// [`CountLayer`].
    #[must_use]
    pub fn new(journal: Journal) -> Self {
        Self(Arc::new(Audit {
            journal,
            path: None,
        }))
    }

    /// Takes the recorded path from `path` where it gives one, such as the pattern of the route that matched; the request's
    /// path otherwise.
    #[must_use]
    pub fn path_from(
        self,
        path: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Audit {
            journal: self.0.journal.clone(),
            path: Some(Box::new(path)),
        }))
    }
}

impl<S> Layer<S> for AuditLayer {
    type Service = Filtered<S, Audit>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

/// The filter of [`AuditLayer`].
pub struct Audit {
    journal: Journal,
    path: Option<Box<PathOf>>,
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit")
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

/// The id by which the records of one call are found together.
#[derive(Clone)]
pub(crate) struct CallId(pub(crate) Arc<str>);

impl Filter for Audit {
    const NAME: &'static str = "audit";
    type Tap = Recorder;

    async fn request(&self, call: &mut Call) -> Result<Flow<Recorder>, Refusal> {
        let place = match self.journal.mode() {
            Mode::Strict => Some(self.journal.reserve().map_err(|error| refusal(&error))?),
            Mode::Lossy => None,
        };
        let id = CallId(self.journal.next_call().into());
        let dialect = call.dialect();
        let parts = call.parts_mut();
        parts.extensions.insert(id.clone());
        let trail = parts.extensions.get_or_insert_default::<Trail>().clone();
        if let Some(principal) = parts.extensions.get() {
            trail.identify(principal);
        }
        let path = self.path.as_ref().and_then(|path| path(parts));
        Ok(Flow::Pass(Recorder {
            journal: self.journal.clone(),
            place,
            trail,
            dialect,
            started: self.journal.clock().monotonic(),
            time: self.journal.clock().unix(),
            call: id,
            request_id: request_id(&parts.headers),
            method: parts.method.clone(),
            path: bounded(&path.unwrap_or_else(|| parts.uri.path().to_owned())),
            head: None,
            ended: None,
        }))
    }
}

/// Watches one call, and records it when it is dropped: at the answer's end, or when it is given up.
pub struct Recorder {
    journal: Journal,
    place: Option<Place>,
    trail: Trail,
    dialect: Dialect,
    started: Duration,
    time: Duration,
    call: CallId,
    request_id: Option<String>,
    method: Method,
    path: String,
    head: Option<Head>,
    ended: Option<(Ended, Duration)>,
}

struct Head {
    status: StatusCode,
    stream: bool,
    refusal: Option<(RefusalKind, &'static str)>,
    after: Duration,
}

#[derive(Clone, Copy)]
enum Ended {
    Whole,
    Cut(&'static str),
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("call", &self.call.0)
            .finish_non_exhaustive()
    }
}

impl Tap for Recorder {
    fn watch(&self) -> Watch {
        Watch::End
    }

    async fn head(&mut self, head: &mut response::Parts) -> Result<(), Refusal> {
        let refusal = head.extensions.get::<Refusal>();
        self.head = Some(Head {
            status: head.status,
            stream: Form::of(&head.headers) == Form::Events,
            refusal: refusal.map(|refusal| (refusal.kind(), refusal.code())),
            after: self.passed(),
        });
        Ok(())
    }

    fn end(&mut self, end: End<'_>, _: &mut Out) -> Step {
        let after = self.passed();
        self.ended = Some(match end {
            End::Complete => (Ended::Whole, after),
            End::Refused(refusal) => (Ended::Cut(refusal.code()), after),
        });
        Step::Go
    }
}

impl Recorder {
    fn passed(&self) -> Duration {
        self.journal
            .clock()
            .monotonic()
            .saturating_sub(self.started)
    }

    fn outcome(&self) -> (Outcome, Option<&'static str>) {
        let Some(head) = &self.head else {
            return (Outcome::Abandoned, None);
        };
        match (head.refusal, self.ended.map(|(ended, _)| ended)) {
            (
                Some((
                    RefusalKind::Upstream | RefusalKind::UpstreamTimeout | RefusalKind::Overloaded,
                    code,
                )),
                _,
            ) => (Outcome::UpstreamError, Some(code)),
            (Some((_, code)), _) => (Outcome::Refused, Some(code)),
            (None, Some(Ended::Cut(code))) => (Outcome::Cut, Some(code)),
            (None, _) if head.status.is_client_error() || head.status.is_server_error() => {
                (Outcome::UpstreamError, None)
            }
            (None, Some(Ended::Whole)) => (Outcome::Ok, None),
            // No server asks such answers for a body, so nobody sees their end.
            (None, None)
                if self.method == Method::HEAD || matches!(head.status.as_u16(), 204 | 304) =>
            {
                (Outcome::Ok, None)
            }
            (None, None) => (Outcome::ClientLeft, None),
        }
    }

    fn finished(&mut self) -> CallRecord {
        let (outcome, code) = self.outcome();
        let principal = self.trail.principal();
        let usage = self.trail.usage();
        CallRecord {
            time: self.time,
            call: self.call.0.to_string(),
            request_id: self.request_id.take(),
            who: principal.as_ref().map(Who::from),
            dialect: self.dialect.as_str(),
            model: self.trail.model().as_deref().map(bounded),
            method: bounded(self.method.as_str()),
            path: std::mem::take(&mut self.path),
            stream: self.head.as_ref().is_some_and(|head| head.stream),
            status: self.head.as_ref().map(|head| head.status.as_u16()),
            outcome,
            code,
            latency_ms: milliseconds(self.ended.map_or_else(|| self.passed(), |(_, after)| after)),
            ttfb_ms: self.head.as_ref().map(|head| milliseconds(head.after)),
            tokens: usage.map(|(usage, estimated)| Tokens { usage, estimated }),
            notes: Notes(self.trail.notes()),
        }
    }
}

/// Writes the record, here and not at the answer's end, for layers inside may settle when they are dropped, which is just
/// before. Never waits.
impl Drop for Recorder {
    fn drop(&mut self) {
        let entry = Entry::Call(Box::new(self.finished()));
        match self.place.take() {
            Some(place) => place.fill(entry),
            None => self.journal.offer(entry),
        }
    }
}

/// Applies a count: reads model and tokens of each call onto its [`Trail`], from request and answer, where no other layer does.
///
/// Belongs inside of authentication, so that a stranger's body is not read, and inside of whatever refuses unknown models: the
/// model's name is recorded as the caller wrote it, cut to 256 bytes. Bodies are read then: one that is no message of its dialect is
/// refused with 400.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountLayer(());

impl CountLayer {
    /// Creates the layer.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for CountLayer {
    type Service = Filtered<S, Count>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::new(Count(())))
    }
}

/// The filter of [`CountLayer`].
#[derive(Debug)]
pub struct Count(());

impl Filter for Count {
    const NAME: &'static str = "audit-count";
    type Tap = Counter;

    async fn request(&self, call: &mut Call) -> Result<Flow<Counter>, Refusal> {
        let model = call
            .document()
            .await?
            .and_then(|document| document.facts().model.clone());
        let trail = call.trail().cloned().unwrap_or_default();
        if let Some(model) = model
            && trail.model().is_none()
        {
            trail.ask_model(&bounded(&model));
        }
        Ok(Flow::Pass(Counter { trail, seen: None }))
    }
}

/// Counts the tokens of one call, and settles them where no layer inside has.
#[derive(Debug)]
pub struct Counter {
    trail: Trail,
    seen: Option<Usage>,
}

impl Counter {
    fn see(&mut self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            self.seen.get_or_insert_default().raise_to(&usage);
        }
    }
}

impl Tap for Counter {
    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        self.see(event.peek().and_then(|document| document.facts().usage));
        out.push(event);
        Step::Go
    }

    fn reply(&mut self, reply: &mut bartizan_core::Document) -> Step {
        self.see(reply.facts().usage);
        Step::Go
    }

    fn end(&mut self, _: End<'_>, _: &mut Out) -> Step {
        self.settle();
        Step::Go
    }
}

impl Counter {
    fn settle(&mut self) {
        if let Some(seen) = self.seen.take()
            && self.trail.usage().is_none()
        {
            self.trail.settle(seen, false);
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.settle();
    }
}

/// What a caller is told when its call can't be recorded.
pub(crate) fn refusal(error: &Error) -> Refusal {
    let (code, message) = match error {
        Error::QueueFull => (
            "audit_queue_full",
            "too many calls are under way to record another",
        ),
        _ => ("audit_unavailable", "calls can't be recorded at the moment"),
    };
    counter!("bartizan.audit.refusals", "code" => code).increment(1);
    Refusal::new(RefusalKind::Unavailable, code, message).retry_after(Duration::from_secs(1))
}

/// Adds to the trail what this crate did, as other layers do.
pub(crate) fn note(call: &Call, action: &'static str) {
    call.note(Note::new("audit", action));
}

/// The request's id, if it can't be anything else: what stands in a header may be of any length and kind.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get("x-request-id")?.to_str().ok()?;
    let plain = (1..=128).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    plain.then(|| id.to_owned())
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
