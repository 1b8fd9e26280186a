//! An answer with taps on it: a flat list of taps and one poll loop.
//!
//! Taps see the answer inside to outside. Each has a queue of events that wait for it; an event moves up the list until it leaves. A
//! tap that holds stops only what is behind it, and the source is not polled meanwhile, so that back-pressure reaches the provider.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::{Body, BoxError, cut, malformed, refused_by};
use crate::dialect::Dialect;
use crate::document::Document;
use crate::event::Event;
use crate::filter::{AnyTap, End, Out, Step, Watch};
use crate::framing::Framing;
use crate::refusal::{Refusal, RefusalKind};
use crate::sse::{EventDecoder, SseError};

/// How long a held event stream may be silent before a comment keeps it alive.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

type Hold = Pin<Box<dyn Future<Output = Step> + Send>>;

pub(super) struct Answer {
    // Fields drop in this order: the call to the provider first, then the taps inside to outside.
    source: Body,
    levels: Vec<Level>,
    /// Set once a tap wants to see events.
    events: Option<Events>,
    /// The dialect outside the last tap.
    dialect: Dialect,
    leaving: VecDeque<Bytes>,
    /// The event that left last has no blank line at its end.
    unended: bool,
    /// How many events have left, comments aside.
    told: u64,
    /// The last frame of a body that nobody looks into, which waits for the taps to see the end.
    last: Option<Frame<Bytes>>,
    progress: Progress,
    keep_alive: Option<Pin<Box<Sleep>>>,
    /// Empty between steps; kept for its room.
    out: Out,
}

struct Level {
    tap: Option<Box<dyn AnyTap>>,
    /// The dialect that this tap sees.
    dialect: Dialect,
    watch: Watch,
    waiting: VecDeque<Event>,
    hold: Option<Hold>,
    /// What the tap handed on with the step that holds.
    held: Vec<Event>,
}

struct Events {
    decoder: Box<dyn Framing>,
    dialect: Dialect,
    terminal: bool,
    failed: bool,
}

// ## Reading => Ending: the source is through, has broken off, or a tap has stopped it.
// ## Ending => Over: every tap from the inside out has seen the end and flushed.
enum Progress {
    Reading,
    Ending {
        why: Option<Refusal>,
        next: usize,
        say: bool,
    },
    Over,
}

impl Answer {
    pub(super) fn new(source: Body) -> Self {
        Self {
            source,
            levels: Vec::new(),
            events: None,
            dialect: Dialect::Other,
            leaving: VecDeque::new(),
            unended: false,
            told: 0,
            last: None,
            progress: Progress::Reading,
            keep_alive: None,
            out: Out::default(),
        }
    }

    pub(super) fn tap_end(mut self, tap: Box<dyn AnyTap>, dialect: Dialect) -> Self {
        self.push(tap, dialect, dialect, Watch::End);
        self
    }

    pub(super) fn tap_events(
        mut self,
        tap: Box<dyn AnyTap>,
        framing: Option<Box<dyn Framing>>,
        inner: Dialect,
        outer: Dialect,
    ) -> Self {
        self.events.get_or_insert_with(|| Events {
            decoder: framing.unwrap_or_else(|| Box::new(EventDecoder::new())),
            dialect: inner,
            terminal: false,
            failed: false,
        });
        self.push(tap, inner, outer, Watch::Content);
        self
    }

    fn push(&mut self, tap: Box<dyn AnyTap>, inner: Dialect, outer: Dialect, watch: Watch) {
        self.dialect = outer;
        self.levels.push(Level {
            tap: Some(tap),
            dialect: inner,
            watch,
            waiting: VecDeque::new(),
            hold: None,
            held: Vec::new(),
        });
    }

    pub(super) async fn reply(
        &mut self,
        limit: usize,
        dialect: Dialect,
    ) -> Result<Option<&mut Document>, Refusal> {
        self.source.reply(limit, dialect).await
    }

    pub(super) fn held(&self) -> Option<usize> {
        if self.events.is_some() {
            None
        } else {
            self.source.held()
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.progress, Progress::Over) && self.leaving.is_empty() && self.last.is_none()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        if self.events.is_some() {
            SizeHint::default()
        } else {
            self.source.size_hint()
        }
    }

    pub(super) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.events.is_some() {
            self.poll_events(context)
        } else {
            self.poll_opaque(context)
        }
    }

    /// Nobody looks at what is in it.
    fn poll_opaque(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Progress::Reading = self.progress {
            match ready!(Pin::new(&mut self.source).poll_frame(context)) {
                Some(Ok(frame)) if !self.source.is_end_stream() => {
                    return Poll::Ready(Some(Ok(frame)));
                }
                // hyper never polls for the end of a body whose length it knows, so that the taps see it with the last frame.
                Some(Ok(frame)) => {
                    self.last = Some(frame);
                    self.finish(None, false);
                }
                Some(Err(error)) => {
                    self.finish(Some(refused_by(&error, cut)), false);
                    let _ = self.run(context);
                    self.progress = Progress::Over;
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.finish(None, false),
            }
        }
        ready!(self.run(context));
        Poll::Ready(self.last.take().map(Ok))
    }

    fn poll_events(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let idle = self.run(context);
            if let Some(bytes) = self.leave() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if idle.is_pending() {
                return self.wait(context);
            }
            self.keep_alive = None;
            match self.progress {
                Progress::Over => return Poll::Ready(None),
                Progress::Reading => ready!(self.read(context)),
                Progress::Ending { .. } => {}
            }
        }
    }

    /// Lets an event leave.
    ///
    /// A stream may end within an event, as one does that is cut. What comes after it, such as the error that says so, would be read as
    /// more of it, or not at all behind a comment.
    fn depart(&mut self, event: Event) {
        if self.unended {
            self.leaving.push_back(Bytes::from_static(b"\n\n"));
        }
        self.told += u64::from(event.data().is_some());
        let event = event.into_bytes();
        self.unended = !ends_blank(&event);
        self.leaving.push_back(event);
    }

    /// Takes the events that have passed every tap, as one frame.
    fn leave(&mut self) -> Option<Bytes> {
        let first = self.leaving.pop_front()?;
        if self.leaving.is_empty() {
            return Some(first);
        }
        let mut all =
            Vec::with_capacity(first.len() + self.leaving.iter().map(Bytes::len).sum::<usize>());
        all.extend_from_slice(&first);
        self.leaving
            .drain(..)
            .for_each(|bytes| all.extend_from_slice(&bytes));
        Some(all.into())
    }

    /// A tap holds: says so to the client now and then.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let sleep = self
            .keep_alive
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(KEEP_ALIVE)));
        ready!(sleep.as_mut().poll(context));
        sleep.as_mut().reset(Instant::now() + KEEP_ALIVE);
        // Registers the timer again: a reset alone wakes nobody.
        let _ = sleep.as_mut().poll(context);
        // Google's SDKs take a comment for an answer that they can't read, and skip an empty line.
        let sign = match self.dialect {
            Dialect::Gemini => Bytes::from_static(b"\n"),
            _ => Event::comment("held").to_bytes(),
        };
        Poll::Ready(Some(Ok(Frame::data(sign))))
    }

    /// Takes what the source has ready: whole events to the first level, or the end.
    fn read(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match ready!(Pin::new(&mut self.source).poll_frame(context)) {
            Some(Ok(frame)) => {
                // Trailers are no part of an event stream, and what taps hold back would come after them.
                if let Ok(data) = frame.into_data() {
                    self.take_all(data);
                }
            }
            Some(Err(error)) => self.finish(Some(refused_by(&error, cut)), true),
            None => {
                while let Progress::Reading = self.progress
                    && let Some(events) = &mut self.events
                    && let Some(rest) = events.decoder.finish().transpose()
                {
                    self.take(rest);
                }
                self.source_ended();
            }
        }
        Poll::Ready(())
    }

    fn take_all(&mut self, data: Bytes) {
        if let Some(events) = &mut self.events {
            events.decoder.push(data);
        }
        while let Progress::Reading = self.progress
            && let Some(events) = &mut self.events
            && let Some(event) = events.decoder.next_event().transpose()
        {
            self.take(event);
        }
    }

    fn take(&mut self, event: Result<Event, SseError>) {
        if !matches!(self.progress, Progress::Reading) {
            return;
        }
        let Some(events) = &mut self.events else {
            return;
        };
        let Ok(mut event) = event else {
            return self.finish(Some(malformed()), true);
        };
        events.terminal |= event
            .data()
            .is_some_and(|data| Some(data) == events.dialect.done());
        if event.turn_to(events.dialect).is_err() {
            return self.finish(Some(malformed()), true);
        }
        if let Some(document) = event.peek() {
            events.terminal |= document.facts().terminal;
            events.failed |= document.facts().error;
        }
        match self.levels.first_mut() {
            Some(level) => level.waiting.push_back(event),
            None => self.depart(event),
        }
    }

    /// A stream that ends without its last event was cut: an SDK would take it for whole.
    fn source_ended(&mut self) {
        let Some(events) = &self.events else { return };
        if events.failed {
            let failed = Refusal::new(
                RefusalKind::Upstream,
                "upstream_error",
                "the provider said in its stream that it failed",
            );
            self.finish(Some(failed), false);
        } else if events.dialect.says_when_through() && !events.terminal {
            self.finish(Some(cut()), true);
        } else {
            self.finish(None, false);
        }
    }

    fn finish(&mut self, why: Option<Refusal>, say: bool) {
        if matches!(self.progress, Progress::Reading) {
            self.progress = Progress::Ending { why, next: 0, say };
        }
    }

    /// Moves events up, and the end after them, until nothing moves. `Pending`: a tap holds.
    fn run(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut held = false;
            // One sweep is enough: what a level hands on waits for the next one.
            for at in 0..self.levels.len() {
                held |= self.run_level(at, context).is_pending();
            }
            if !self.move_end() {
                return if held { Poll::Pending } else { Poll::Ready(()) };
            }
        }
    }

    /// Lets one tap see what waits for it, until it holds.
    fn run_level(&mut self, at: usize, context: &mut Context<'_>) -> Poll<()> {
        let mut out = std::mem::take(&mut self.out);
        let done = loop {
            let Some(level) = self.levels.get_mut(at) else {
                break Poll::Ready(());
            };
            let step = if let Some(hold) = &mut level.hold {
                let Poll::Ready(step) = hold.as_mut().poll(context) else {
                    break Poll::Pending;
                };
                level.hold = None;
                out.0.append(&mut level.held);
                step
            } else {
                let Some(mut event) = level.waiting.pop_front() else {
                    break Poll::Ready(());
                };
                match &mut level.tap {
                    Some(tap) if level.watch == Watch::Content => {
                        match event.turn_to(level.dialect) {
                            Ok(()) => tap.on_event(event, &mut out),
                            Err(_) => Step::Stop(malformed()),
                        }
                    }
                    _ => {
                        out.push(event);
                        Step::Go
                    }
                }
            };
            self.follow(at, step, &mut out);
        };
        self.out = out;
        done
    }

    /// Lets the next tap see the end, once nothing inside it can still come.
    fn move_end(&mut self) -> bool {
        let Progress::Ending { why, next, say } = &mut self.progress else {
            return false;
        };
        let at = *next;
        let Some(level) = self.levels.get_mut(at) else {
            let last = why
                .take()
                .filter(|_| *say)
                .map(|refusal| refusal.event_after(self.told, self.dialect));
            if let Some(last) = last {
                self.depart(last);
            }
            self.progress = Progress::Over;
            return true;
        };
        if level.hold.is_some() || !level.waiting.is_empty() {
            return false;
        }
        *next += 1;
        let mut out = Out::default();
        let end = why.as_ref().map_or(End::Complete, End::Refused);
        let step = level
            .tap
            .as_mut()
            .map_or(Step::Go, |tap| tap.on_end(end, &mut out));
        self.follow(at, step, &mut out);
        true
    }

    /// Does what the tap at `at` said with what it handed on; leaves `out` empty.
    fn follow(&mut self, at: usize, step: Step, out: &mut Out) {
        match step {
            Step::Go => match self.levels.get_mut(at + 1) {
                Some(level) => level.waiting.extend(out.0.drain(..)),
                None => {
                    for event in out.0.drain(..).filter(|event| !event.is_hidden()) {
                        self.depart(event);
                    }
                }
            },
            Step::Hold(hold) => {
                if let Some(level) = self.levels.get_mut(at) {
                    level.hold = Some(hold);
                    level.held.append(&mut out.0);
                }
            }
            Step::Stop(refusal) => {
                out.0.clear();
                self.stop(at, refusal);
            }
        }
    }

    /// The tap at `at` stops the answer: the provider's call ends, inner taps are dropped, outer ones see the end.
    fn stop(&mut self, at: usize, refusal: Refusal) {
        self.source = Body::empty();
        self.last = None;
        for level in self.levels.iter_mut().take(at + 1) {
            level.tap = None;
            level.hold = None;
            level.waiting.clear();
            level.held.clear();
        }
        self.progress = Progress::Ending {
            why: Some(refusal),
            next: at + 1,
            say: true,
        };
    }
}

/// Whether `event` ends with a blank line.
fn ends_blank(event: &[u8]) -> bool {
    let before = match event {
        [before @ .., b'\r', b'\n'] | [before @ .., b'\r' | b'\n'] => before,
        _ => return false,
    };
    matches!(before, [.., b'\r' | b'\n'])
}
