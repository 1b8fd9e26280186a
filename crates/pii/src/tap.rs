//! What happens to an answer on its way back.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bartizan_core::{
    Document, End, Event, Form, Note, Out, Refusal, RefusalKind, Step, StreamRewriter, Tap,
    TextRewriter, Trail,
};
use http::header::CONTENT_LENGTH;
use http::{StatusCode, response};

use crate::entity::PerEntity;
use crate::layer::{blocked, note, unseen_part};
use crate::model::{Models, Reading};
use crate::{Action, Entity, Redactor, Restorer, StreamMasker, Vault};

/// Sees one answer: takes out what the model wrote of personal data, then puts back what was masked in the request.
pub struct PiiTap {
    rewriter: StreamRewriter<Rewriter>,
    /// What the model writes is looked at by models, where the answer isn't streamed.
    reading: Option<Reading>,
    /// How the model's text is looked at.
    redactor: Option<Redactor>,
    vault: Option<Arc<Vault>>,
    tally: Arc<Tally>,
    trail: Option<Trail>,
    /// Whether what the model wrote is looked at.
    output: bool,
    unseen_parts: bool,
    unknown_bodies: bool,
}

/// What was done to the answer so far.
#[derive(Default)]
struct Tally {
    restored: Arc<AtomicU64>,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    replaced: PerEntity<u64>,
    blocked: Option<Entity>,
}

/// One text of an answer. What was masked in the request is put back last, so that it isn't taken out again.
pub(crate) struct Rewriter {
    masker: Option<StreamMasker>,
    restorer: Option<Restorer>,
    between: String,
}

impl PiiTap {
    pub(crate) fn new(
        vault: Option<Arc<Vault>>,
        output: Option<Redactor>,
        trail: Option<Trail>,
    ) -> Self {
        let tally = Arc::new(Tally::default());
        let looks = output.is_some();
        let (redactor, kept) = (output.clone(), vault.clone());
        let make = {
            let tally = Arc::clone(&tally);
            move |_| {
                let masker = output.as_ref().map(|redactor| {
                    let (tally, actions) = (Arc::clone(&tally), redactor.clone());
                    redactor
                        .stream()
                        .on_finding(move |entity| tally.see(entity, actions.action(entity)))
                });
                let restorer = vault
                    .as_ref()
                    .map(|vault| vault.restorer().counting(Arc::clone(&tally.restored)));
                Some(Rewriter {
                    masker,
                    restorer,
                    between: String::new(),
                })
            }
        };
        Self {
            rewriter: StreamRewriter::new(make),
            reading: None,
            redactor,
            vault: kept,
            tally,
            trail,
            output: looks,
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
        let redactor = self.redactor.take();
        self.reading = models
            .zip(redactor)
            .map(|(models, redactor)| Reading::new(models, redactor));
        self
    }

    fn check(&self, document: Option<&Document>) -> Result<(), Refusal> {
        match document.and_then(|document| document.unseen().first()) {
            Some(unseen) if self.output && !self.unseen_parts => Err(unseen_part(unseen.place())),
            _ => Ok(()),
        }
    }

    fn step(&self) -> Step {
        match self.tally.found().blocked {
            Some(entity) => Step::Stop(blocked(entity)),
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
            reading.take_out(reply, self.vault.as_deref(), |entity, action| {
                self.tally.see(entity, action);
            });
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
        let restored = self.tally.restored.load(Ordering::Relaxed);
        if restored > 0 {
            self.say(Note::new("pii", "restored").count("placeholders", restored));
        }
        let found = std::mem::take(&mut *self.tally.found());
        if let Some(note) = note("replaced", Action::Replace, "answer", &found.replaced) {
            self.say(note);
        }
        if let Some(entity) = found.blocked {
            crate::layer::count(entity, Action::Block, "answer", 1);
            self.say(
                Note::new("pii", "blocked")
                    .count(entity.as_str(), 1)
                    .word("direction", "answer"),
            );
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

impl Tally {
    fn see(&self, entity: Entity, action: Option<Action>) {
        let mut found = self.found();
        match action {
            Some(Action::Block) => found.blocked = found.blocked.or(Some(entity)),
            _ => found.replaced.add(entity, 1),
        }
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        // A count or a kind is written whole.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TextRewriter for Rewriter {
    fn push(&mut self, delta: &str, out: &mut String) {
        let Self {
            masker,
            restorer,
            between,
        } = self;
        match (masker, restorer) {
            (Some(masker), Some(restorer)) => {
                between.clear();
                masker.push(delta, between);
                restorer.push(between, out);
            }
            (Some(masker), None) => masker.push(delta, out),
            (None, Some(restorer)) => restorer.push(delta, out),
            (None, None) => out.push_str(delta),
        }
    }

    fn finish(&mut self, out: &mut String) {
        let Self {
            masker,
            restorer,
            between,
        } = self;
        match (masker, restorer) {
            (Some(masker), Some(restorer)) => {
                between.clear();
                masker.finish(between);
                restorer.push(between, out);
                restorer.finish(out);
            }
            (Some(masker), None) => masker.finish(out),
            (None, Some(restorer)) => restorer.finish(out),
            (None, None) => {}
        }
    }
}
