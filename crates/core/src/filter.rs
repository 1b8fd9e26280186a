//! The two traits that a layer's author meets.
//!
//! A [`Filter`] decides on a request; the [`Tap`] that it hands back sees the answer. Neither knows tower: readiness, the replaced ready
//! clone, futures and body types stand once, in [`Filtered`](crate::Filtered). A layer in full:
//!
//! ```
//! use std::sync::Arc;
//!
//! use bartizan_core::{Call, Document, Event, Filter, Filtered, Flow, Out, Refusal, RefusalKind, Step, Tap};
//!
//! /// Applies a cap: refuses answers of unbounded length, and counts what comes back.
//! struct Cap(u64);
//!
//! impl Filter for Cap {
//!     const NAME: &'static str = "cap";
//!     type Tap = Count;
//!
//!     async fn request(&self, call: &mut Call) -> Result<Flow<Count>, Refusal> {
//!         let wanted = call.document().await?.and_then(|document| document.facts().max_output_tokens);
//!         if wanted.is_none_or(|wanted| wanted > self.0) {
//!             let message = format!("set max_tokens, to at most {}", self.0);
//!             return Err(Refusal::new(RefusalKind::BadRequest, "max_tokens_required", message).param("max_tokens"));
//!         }
//!         Ok(Flow::Pass(Count(0)))
//!     }
//! }
//!
//! struct Count(usize);
//!
//! impl Tap for Count {
//!     fn event(&mut self, event: Event, out: &mut Out) -> Step {
//!         self.0 += event.peek().map_or(0, |document| document.texts().count());
//!         out.push(event);
//!         Step::Go
//!     }
//! }
//!
//! #[derive(Clone)]
//! struct CapLayer(Arc<Cap>);
//!
//! impl<S> tower_layer::Layer<S> for CapLayer {
//!     type Service = Filtered<S, Cap>;
//!
//!     fn layer(&self, inner: S) -> Self::Service {
//!         Filtered::new(inner, Arc::clone(&self.0))
//!     }
//! }
//! ```

use std::fmt;
use std::pin::Pin;

use http::{Response, response};

use crate::body::Body;
use crate::call::Call;
use crate::document::Document;
use crate::event::Event;
use crate::framing::Framing;
use crate::refusal::Refusal;

/// Decides on a request, and may watch the answer.
pub trait Filter: Send + Sync + 'static {
    /// The layer's name in traces.
    const NAME: &'static str;

    /// Sees the answer. `()` watches nothing and costs nothing.
    type Tap: Tap;

    /// Lets the request pass, changed or not; answers it; or refuses it.
    ///
    /// # Errors
    ///
    /// The refusal, which is rendered in the caller's dialect.
    fn request(
        &self,
        call: &mut Call,
    ) -> impl Future<Output = Result<Flow<Self::Tap>, Refusal>> + Send;
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Flow<T> {
    /// It goes on, and this tap sees the answer.
    Pass(T),
    /// It is answered from here.
    Answer(Response<Body>),
}

/// What a tap wants to see of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Watch {
    /// Nothing: it is not even kept.
    Nothing,
    /// Its head and its end. The body streams through untouched.
    End,
    /// Every event, or the whole reply.
    Content,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// It is through.
    Complete,
    /// An inner layer stopped it, the provider said that it failed, or its stream broke off.
    Refused(&'a Refusal),
}

/// What happens next to an answer.
pub enum Step {
    /// It goes on.
    Go,
    /// It waits: nothing more is taken from the provider, and what the tap gave out with this step waits too. An event stream is kept
    /// alive by comments.
    Hold(Pin<Box<dyn Future<Output = Step> + Send>>),
    /// It stops: the caller gets the refusal, mid-stream as the dialect's error event.
    Stop(Refusal),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Go => f.write_str("Go"),
            Self::Hold(_) => f.write_str("Hold"),
            Self::Stop(refusal) => f.debug_tuple("Stop").field(refusal).finish(),
        }
    }
}

/// Sees one answer from head to end, in order. Taps see it inside to outside.
///
/// Dropped without [`end`](Self::end) if the client leaves or the inner call fails: what must be settled in any case is settled in
/// `Drop`.
pub trait Tap: Send + 'static {
    /// What it wants to see.
    fn watch(&self) -> Watch {
        Watch::Content
    }

    /// Sees the answer's head before anything of it leaves; may wait. Refusals of inner layers come here too, told by a
    /// [`Refusal`] in the extensions. What form the body has, and so what will be seen of it, [`Form::of`](crate::Form::of) tells.
    ///
    /// # Errors
    ///
    /// A refusal, which becomes a clean answer with its own status.
    fn head(
        &mut self,
        head: &mut response::Parts,
    ) -> impl Future<Output = Result<(), Refusal>> + Send
    where
        Self: Sized,
    {
        let _ = head;
        async { Ok(()) }
    }

    /// How the body is framed, where it is a stream and not of server-sent events: then [`event`](Self::event) sees each frame. Asked
    /// after [`head`](Self::head), which sets the content type that leaves. Only the innermost layer is asked for it: what it hands on
    /// are server-sent events.
    fn framing(&mut self) -> Option<Box<dyn Framing>> {
        None
    }

    /// Sees one event, and hands on none, one or many.
    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        out.push(event);
        Step::Go
    }

    /// Sees the whole, unstreamed answer, of any status.
    fn reply(&mut self, reply: &mut Document) -> Step {
        let _ = reply;
        Step::Go
    }

    /// Sees the unstreamed answer again when what [`reply`](Self::reply) waited for has said [`Step::Go`]: what a
    /// [`Step::Hold`] found out is put into the answer here.
    fn resumed(&mut self, reply: &mut Document) -> Step {
        let _ = reply;
        Step::Go
    }

    /// Sees the head of an unstreamed answer once more after [`reply`](Self::reply), which may have read in it what belongs there, such as
    /// when to come back.
    fn replied(&mut self, head: &mut response::Parts) {
        let _ = head;
    }

    /// Sees how the answer ended, and flushes what was held back.
    fn end(&mut self, end: End<'_>, out: &mut Out) -> Step {
        let _ = (end, out);
        Step::Go
    }
}

impl Tap for () {
    fn watch(&self) -> Watch {
        Watch::Nothing
    }
}

/// `None` watches nothing.
impl<T: Tap> Tap for Option<T> {
    fn watch(&self) -> Watch {
        self.as_ref().map_or(Watch::Nothing, T::watch)
    }

    async fn head(&mut self, head: &mut response::Parts) -> Result<(), Refusal> {
        match self {
            Some(tap) => tap.head(head).await,
            None => Ok(()),
        }
    }

    fn framing(&mut self) -> Option<Box<dyn Framing>> {
        self.as_mut().and_then(T::framing)
    }

    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        match self {
            Some(tap) => tap.event(event, out),
            None => {
                out.push(event);
                Step::Go
            }
        }
    }

    fn reply(&mut self, reply: &mut Document) -> Step {
        self.as_mut().map_or(Step::Go, |tap| tap.reply(reply))
    }

    fn resumed(&mut self, reply: &mut Document) -> Step {
        self.as_mut().map_or(Step::Go, |tap| tap.resumed(reply))
    }

    fn replied(&mut self, head: &mut response::Parts) {
        if let Some(tap) = self {
            tap.replied(head);
        }
    }

    fn end(&mut self, end: End<'_>, out: &mut Out) -> Step {
        self.as_mut().map_or(Step::Go, |tap| tap.end(end, out))
    }
}

/// The events that a tap hands on.
#[derive(Debug, Default)]
pub struct Out(pub(crate) Vec<Event>);

impl Out {
    /// Creates an empty one, for a test of a tap.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands on `event`.
    pub fn push(&mut self, event: Event) {
        self.0.push(event);
    }

    /// The events handed on so far.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.0
    }

    /// Takes the events handed on so far.
    pub fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.0)
    }
}

/// A tap whose type is forgotten, on a pipeline with others.
pub(crate) trait AnyTap: Send {
    fn on_event(&mut self, event: Event, out: &mut Out) -> Step;
    fn on_end(&mut self, end: End<'_>, out: &mut Out) -> Step;
}

impl<T: Tap> AnyTap for T {
    fn on_event(&mut self, event: Event, out: &mut Out) -> Step {
        self.event(event, out)
    }

    fn on_end(&mut self, end: End<'_>, out: &mut Out) -> Step {
        self.end(end, out)
    }
}
