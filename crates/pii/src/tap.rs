//! What happens to an answer on its way back.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bartizan_core::{
    Document, End, Event, Form, Note, Out, Refusal, RefusalKind, Step, StreamRewriter, Tap,
    TextRewriter, Trail,
};
use http::header::CONTENT_LENGTH;
use http::{StatusCode, response};

use crate::answer::Outlook;
use crate::model::{Models, Reading};
use crate::request::{blocked_answer, unseen_part};
use crate::{Restorer, StreamMasker};

/// Sees one answer: takes out what the model wrote of personal data, then puts back what was masked in the request.
pub struct PiiTap {
    rewriter: StreamRewriter<Rewriter>,
    /// What the model writes is looked at by models, where the answer isn't streamed.
    reading: Option<Reading>,
    outlook: Arc<Outlook>,
    trail: Option<Trail>,
    /// Whether what the model wrote is looked at.
    output: bool,
    unseen_parts: bool,
    unknown_bodies: bool,
}

/// One text of an answer. What was masked in the request is put back last, so that it isn't taken out again.
pub(crate) struct Rewriter {
    /// One for each policy.
    maskers: Vec<StreamMasker>,
    restorer: Option<Restorer>,
}

impl PiiTap {
    pub(crate) fn new(outlook: Outlook, trail: Option<Trail>) -> Self {
        let outlook = Arc::new(outlook);
        let make = {
            let outlook = Arc::clone(&outlook);
            move |_| {
                let restorer = outlook
                    .vault
                    .as_ref()
                    .map(|vault| vault.restorer().counting(Arc::clone(&outlook.restored)));
                Some(Rewriter {
                    maskers: outlook.maskers(),
                    restorer,
                })
            }
        };
        Self {
            rewriter: StreamRewriter::new(make),
            reading: None,
            output: outlook.looks(),
            outlook,
            trail,
            unseen_parts: false,
            unknown_bodies: false,
        }
    }

    pub(crate) fn allowing(mut self, unseen_parts: bool, unknown_bodies: bool) -> Self {
        self.unseen_parts = unseen_parts;
        self.unknown_bodies = unknown_bodies;
        self
    }

    /// Asks `models` too, where what the model writes is looked at.
    pub(crate) fn asking(mut self, models: Option<Arc<Models>>) -> Self {
        self.reading = models
            .filter(|_| self.output)
            .map(|models| Reading::new(models, Arc::clone(&self.outlook)));
        self
    }

    fn check(&self, document: Option<&Document>) -> Result<(), Refusal> {
        match document.and_then(|document| document.unseen().first()) {
            Some(unseen) if self.output && !self.unseen_parts => Err(unseen_part(unseen.place())),
            _ => Ok(()),
        }
    }

    fn step(&self) -> Step {
        match self.outlook.blocked() {
            Some(entity) => Step::Stop(blocked_answer(entity)),
            None => Step::Go,
        }
    }

    fn say(&self, note: Note) {
        if let Some(trail) = &self.trail {
            trail.note(note);
        }
    }
}

impl Tap for PiiTap {
    async fn head(&mut self, head: &mut response::Parts) -> Result<(), Refusal> {
        let empty = matches!(
            head.status,
            StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
        ) || head
            .headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length.as_bytes() == b"0");
        if self.output && !self.unknown_bodies && !empty && Form::of(&head.headers) == Form::Opaque
        {
            self.say(
                Note::new("pii", "refused")
                    .word("reason", "unknown_body")
                    .word("direction", "answer"),
            );
            return Err(Refusal::new(
                RefusalKind::Upstream,
                "pii_unknown_answer",
                "the answer can't be checked for personal data: it is neither JSON nor an event stream",
            ));
        }
        if self.reading.is_some() && Form::of(&head.headers) == Form::Events {
            self.say(
                Note::new("pii", "unmodelled")
                    .word("reason", "stream")
                    .word("direction", "answer"),
            );
        }
        // A digest of the body as it was would be wrong.
        for name in ["etag", "digest", "content-digest", "content-md5"] {
            head.headers.remove(name);
        }
        Ok(())
    }

    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        if let Err(refusal) = self.check(event.peek()) {
            return Step::Stop(refusal);
        }
        self.rewriter.event(event, out);
        self.step()
    }

    fn reply(&mut self, reply: &mut Document) -> Step {
        if let Err(refusal) = self.check(Some(reply)) {
            return Step::Stop(refusal);
        }
        if let Some(reading) = &self.reading {
            return reading.ask(reply, self.trail.clone());
        }
        self.rewriter.reply(reply);
        self.step()
    }

    fn resumed(&mut self, reply: &mut Document) -> Step {
        if let Some(reading) = self.reading.take() {
            reading.take_out(reply);
        }
        self.rewriter.reply(reply);
        self.step()
    }

    fn end(&mut self, _end: End<'_>, out: &mut Out) -> Step {
        self.rewriter.end(out);
        self.step()
    }
}

impl Drop for PiiTap {
    fn drop(&mut self) {
        let restored = self.outlook.restored.load(Ordering::Relaxed);
        if restored > 0 {
            self.say(Note::new("pii", "restored").count("placeholders", restored));
        }
        for note in self.outlook.notes() {
            self.say(note);
        }
    }
}

impl fmt::Debug for PiiTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PiiTap")
            .field("output", &self.output)
            .finish_non_exhaustive()
    }
}

impl Rewriter {
    /// Hands `text` from one masker to the next, and at last to the restorer.
    fn pass(&mut self, mut text: String, last: bool, out: &mut String) {
        for masker in &mut self.maskers {
            let mut next = String::with_capacity(text.len());
            masker.push(&text, &mut next);
            if last {
                masker.finish(&mut next);
            }
            text = next;
        }
        match &mut self.restorer {
            Some(restorer) => {
                restorer.push(&text, out);
                if last {
                    restorer.finish(out);
                }
            }
            None => out.push_str(&text),
        }
    }
}

impl TextRewriter for Rewriter {
    fn push(&mut self, delta: &str, out: &mut String) {
        match (self.maskers.as_mut_slice(), &mut self.restorer) {
            // No copy where there is one of them only.
            ([masker], None) => masker.push(delta, out),
            ([], Some(restorer)) => restorer.push(delta, out),
            _ => self.pass(delta.to_owned(), false, out),
        }
    }

    fn finish(&mut self, out: &mut String) {
        self.pass(String::new(), true, out);
    }

    fn reads_numbers(&self) -> bool {
        let restores = self.restorer.as_ref().is_some_and(Restorer::reads_numbers);
        !self.maskers.is_empty() || restores
    }

    fn called(&mut self, name: &str) {
        self.maskers
            .iter_mut()
            .for_each(|masker| masker.called(name));
    }
}
