//! The answer's way back.

use std::time::Duration;

use bartizan_core::{
    Dialect, Direction, Document, End, Event, Form, Framing, Out, Refusal, RefusalKind, Step, Tap,
    Trail, Watch,
};
use http::response::Parts;
use http::{HeaderMap, HeaderValue, header};

use crate::catalogue::Envelope;
use crate::dialects::{Reader, Writer};
use crate::envelope;
use crate::fault;
use crate::head::{Head, Stands};
use crate::losses::{DROPPED, Losses};
use crate::neutral::Moment;
use crate::openai_chat::EndsUnsaid;
use crate::whole::Asked;

const EVENTS: &str = "text/event-stream";

/// Turns an answer into the client's dialect. What [`Translate`](crate::Translate) puts on each answer.
#[derive(Debug)]
pub struct Translation(Way);

#[derive(Debug)]
enum Way {
    Unseen,
    Relay(Box<Relay>),
    Turn(Box<Turn>),
    Asked(Box<Asked>),
}

impl Translation {
    /// Watches nothing.
    pub(crate) fn none() -> Self {
        Self(Way::Unseen)
    }

    pub(crate) fn relay(relay: Relay) -> Self {
        Self(Way::Relay(Box::new(relay)))
    }

    pub(crate) fn turn(turn: Turn) -> Self {
        Self(Way::Turn(Box::new(turn)))
    }

    pub(crate) fn asked(asked: Asked) -> Self {
        Self(Way::Asked(Box::new(asked)))
    }
}

impl Tap for Translation {
    fn watch(&self) -> Watch {
        match &self.0 {
            Way::Unseen => Watch::Nothing,
            Way::Relay(relay) => relay.watch,
            Way::Turn(_) | Way::Asked(_) => Watch::Content,
        }
    }

    async fn head(&mut self, head: &mut Parts) -> Result<(), Refusal> {
        match &mut self.0 {
            Way::Unseen => Ok(()),
            Way::Relay(relay) => relay.see(head),
            Way::Turn(turn) => turn.see(head),
            Way::Asked(asked) => asked.see(head),
        }
    }

    fn framing(&mut self) -> Option<Box<dyn Framing>> {
        match &mut self.0 {
            Way::Turn(turn) => turn.framing(),
            Way::Relay(relay) => relay.framing(),
            Way::Unseen | Way::Asked(_) => None,
        }
    }

    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        match &mut self.0 {
            Way::Unseen | Way::Asked(_) => out.push(event),
            Way::Relay(relay) => relay.event(event, out),
            Way::Turn(turn) => turn.event(&event, out),
        }
        Step::Go
    }

    fn reply(&mut self, reply: &mut Document) -> Step {
        let turned = match &mut self.0 {
            Way::Unseen => return Step::Go,
            Way::Relay(relay) => relay.head.reply(reply),
            Way::Turn(turn) => turn.reply(reply),
            Way::Asked(asked) => asked.reply(reply),
        };
        match turned {
            Ok(Some(new)) => *reply = new,
            Ok(None) => {}
            Err(refusal) => return Step::Stop(refusal),
        }
        Step::Go
    }

    fn replied(&mut self, head: &mut Parts) {
        match &self.0 {
            Way::Unseen => {}
            Way::Relay(relay) => relay.head.replied(head),
            Way::Turn(turn) => turn.head.replied(head),
            Way::Asked(asked) => asked.head.replied(head),
        }
    }

    fn end(&mut self, end: End<'_>, out: &mut Out) -> Step {
        match (&mut self.0, end) {
            (Way::Turn(turn), End::Complete) => turn.end(out),
            _ => Step::Go,
        }
    }
}

pub(crate) fn read(text: &str, dialect: Dialect) -> Result<Document, Refusal> {
    Document::read(text, dialect, Direction::Reply).map_err(|fault| {
        tracing::debug!(
            fault = fault.kind().code(),
            "a translated answer can't be read"
        );
        malformed()
    })
}

fn cut() -> Refusal {
    Refusal::new(
        RefusalKind::Upstream,
        "upstream_stream_cut",
        "the provider's answer broke off before its end",
    )
    .retry_after(Duration::from_secs(1))
}

pub(crate) fn malformed() -> Refusal {
    Refusal::new(
        RefusalKind::Upstream,
        "upstream_malformed",
        "the provider's answer is not what was asked for",
    )
}

/// The same dialect on both sides: bytes pass. Errors are told anew, and the usage that only this layer asked for is hidden.
#[derive(Debug)]
pub(crate) struct Relay {
    pub(crate) dialect: Dialect,
    pub(crate) envelope: Envelope,
    /// Whether the answer is streamed in frames of its envelope's own.
    pub(crate) framed: bool,
    pub(crate) hides_usage: bool,
    /// Whether the provider's streams have no word for their end.
    pub(crate) ends_unsaid: bool,
    /// What of the request the server would not have taken.
    pub(crate) dropped: Option<HeaderValue>,
    pub(crate) head: Head,
    /// Whether the answer is streamed.
    pub(crate) streams: bool,
    pub(crate) watch: Watch,
}

impl Relay {
    fn see(&mut self, head: &mut Parts) -> Result<(), Refusal> {
        let stands = self.head.see(head);
        if let Some(dropped) = self.dropped.take() {
            head.headers.insert(DROPPED, dropped);
        }
        match stands? {
            Stands::Failed => {}
            Stands::Well if Form::of(&head.headers) == Form::Events => self.streams = true,
            Stands::Well if is_aws_stream(&head.headers) && self.frames().is_some() => {
                self.framed = true;
                head.headers
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENTS));
            }
            Stands::Refused | Stands::Well => self.watch = Watch::Nothing,
        }
        Ok(())
    }

    fn frames(&self) -> Option<Box<dyn Framing>> {
        envelope::framing(self.envelope, self.dialect)
    }

    fn framing(&self) -> Option<Box<dyn Framing>> {
        if self.framed {
            return self.frames();
        }
        let framing = || Box::new(EndsUnsaid::new(self.dialect)) as Box<dyn Framing>;
        (self.ends_unsaid && self.streams).then(framing)
    }

    fn event(&self, event: Event, out: &mut Out) {
        let Some(document) = event.peek() else {
            return out.push(event);
        };
        let facts = document.facts();
        if facts.error && self.dialect != Dialect::OpenAiResponses {
            out.push(fault::read(document).event(self.dialect));
        } else if self.hides_usage && facts.usage.is_some() && has_no_choice(document) {
            out.push(event.hide());
        } else {
            out.push(event);
        }
    }
}

/// Whether the body is a stream in frames of AWS's.
fn is_aws_stream(headers: &HeaderMap) -> bool {
    let form = headers.get(header::CONTENT_TYPE);
    form.is_some_and(|form| {
        form.as_bytes()
            .starts_with(b"application/vnd.amazon.eventstream")
    })
}

fn has_no_choice(document: &Document) -> bool {
    let choices = document.json().root().get("choices");
    choices.is_some_and(|choices| choices.items().next().is_none())
}

/// Another dialect inside than outside.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) inner: Dialect,
    pub(crate) envelope: Envelope,
    pub(crate) outer: Dialect,
    pub(crate) stream: bool,
    pub(crate) reader: Box<dyn Reader>,
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) losses: Losses,
    pub(crate) trail: Option<Trail>,
    pub(crate) head: Head,
    /// Whether the answer is streamed.
    pub(crate) streams: bool,
    /// Whether the provider has said that the stream is whole, or that it failed.
    pub(crate) ended: bool,
}

impl Turn {
    fn see(&mut self, head: &mut Parts) -> Result<(), Refusal> {
        self.reader.head(&head.headers);
        let stands = self.head.see(head);
        if let Some(dropped) = self.losses.header() {
            head.headers.insert(DROPPED, dropped);
        }
        if stands? != Stands::Well {
            return Ok(());
        }
        match Form::of(&head.headers) {
            Form::Json => Ok(()),
            Form::Events if self.stream => {
                self.streams = true;
                Ok(())
            }
            Form::Opaque if self.stream && self.frames().is_some() => {
                self.streams = true;
                head.headers
                    .insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENTS));
                Ok(())
            }
            _ => Err(malformed()),
        }
    }

    fn frames(&self) -> Option<Box<dyn Framing>> {
        envelope::framing(self.envelope, self.inner).or_else(|| self.reader.framing())
    }

    fn framing(&self) -> Option<Box<dyn Framing>> {
        self.frames().filter(|_| self.streams)
    }

    fn event(&mut self, event: &Event, out: &mut Out) {
        let Some(document) = event.peek() else {
            match event.data() {
                // A comment keeps the connection alive. Not every dialect's clients can read one.
                None => self.writer.say(&Moment::Alive, out),
                Some("") => {}
                Some(_) => self.say(out, |reader, say| reader.done(say)),
            }
            return;
        };
        self.say(out, |reader, say| reader.hear(document, say));
    }

    /// Lets the reader say what happens, and the writer write it.
    fn say<'a>(
        &mut self,
        out: &mut Out,
        hear: impl FnOnce(&mut dyn Reader, &mut dyn FnMut(Moment<'a>)),
    ) {
        let (writer, trail, ended) = (&mut self.writer, &self.trail, &mut self.ended);
        hear(self.reader.as_mut(), &mut |moment| {
            if let (Some(trail), Some(losses)) = (trail, moment.losses()) {
                losses.note(trail, "answer");
            }
            *ended |= matches!(moment, Moment::End { .. } | Moment::Failed(_));
            writer.say(&moment, out);
        });
    }

    /// A stream that ends before the provider said that it is whole was cut.
    fn end(&mut self, out: &mut Out) -> Step {
        if !self.streams {
            return Step::Go;
        }
        self.say(out, |reader, say| reader.over(say));
        if self.ended {
            Step::Go
        } else {
            Step::Stop(cut())
        }
    }

    fn reply(&mut self, reply: &Document) -> Result<Option<Document>, Refusal> {
        if let Some(told) = self.head.reply(reply)? {
            return Ok(Some(told));
        }
        if reply.facts().error {
            // An error with a status of success: its own says what it is.
            return Err(fault::read(reply));
        }
        let answer = self.reader.answer(reply);
        if let Some(trail) = &self.trail {
            answer.losses.note(trail, "answer");
        }
        if let Some(refusal) = answer.failed {
            return Err(refusal);
        }
        let text = self.writer.answer(&answer);
        read(&text, self.outer).map(Some)
    }
}
