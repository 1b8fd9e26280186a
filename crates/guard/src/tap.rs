//! Watches an answer.

use std::sync::Arc;

use bartizan_core::{
    Document, End, Event, Form, Note, Out, Refusal, Step, StreamRewriter, Tap, Watch,
};
use http::response::Parts;
use http::{StatusCode, header};

use crate::gate::{Gate, Output};
use crate::post::Post;
use crate::{Sample, refuse};

/// Watches one answer with the layer's output checks.
#[derive(Debug)]
pub struct GuardTap {
    output: Arc<Output>,
    /// Parts that can't be read are refused.
    strict: bool,
    /// The request had a body: its answer is one that a model may have written.
    asked: bool,
    rewriter: StreamRewriter<Gate>,
    texts: u64,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("posts", &self.posts.len())
            .finish_non_exhaustive()
    }
}

impl GuardTap {
    pub(crate) fn new(output: Output, allow_unseen: bool, asked: bool) -> Self {
        let output = Arc::new(output);
        let gates = Arc::clone(&output);
        Self {
            strict: !allow_unseen && output.posts.iter().any(Post::blocks),
            asked,
            rewriter: StreamRewriter::new(move |role| Gate::new(Arc::clone(&gates), role)),
            output,
            texts: 0,
        }
    }

    fn unseen(&self, document: &Document) -> Option<Refusal> {
        let unseen = document.unseen().first().filter(|_| self.strict)?;
        Some(refuse::for_unseen_part("answer", unseen.place()))
    }

    fn note_checked(&self) {
        if let Some(trail) = &self.output.trail {
            let note = Note::new("guard", "checked")
                .word("direction", "output")
                .count("texts", self.texts);
            trail.note(
                self.output
                    .posts
                    .iter()
                    .fold(note, |note, post| note.word(post.name(), "ran")),
            );
        }
    }

    fn step(&self) -> Step {
        self.output.stopped().map_or(Step::Go, Step::Stop)
    }
}

impl Tap for GuardTap {
    fn watch(&self) -> Watch {
        if self.output.posts.is_empty() {
            Watch::Nothing
        } else {
            Watch::Content
        }
    }

    async fn head(&mut self, head: &mut Parts) -> Result<(), Refusal> {
        let empty = head.status == StatusCode::NO_CONTENT
            || head
                .headers
                .get(header::CONTENT_LENGTH)
                .is_some_and(|length| length.as_bytes() == b"0");
        // A provider's error page is no model's answer, and its status must reach the caller.
        let answers = self.asked && head.status.is_success() && !empty;
        if self.strict && answers && Form::of(&head.headers) == Form::Opaque {
            return Err(refuse::for_unseen_body("answer"));
        }
        Ok(())
    }

    fn event(&mut self, event: Event, out: &mut Out) -> Step {
        if let Some(document) = event.peek() {
            self.texts += document.texts().count() as u64;
            if let Some(refusal) = self.unseen(document) {
                return Step::Stop(refusal);
            }
        }
        self.rewriter.event(event, out);
        self.step()
    }

    fn reply(&mut self, reply: &mut Document) -> Step {
        if let Some(refusal) = self.unseen(reply) {
            return Step::Stop(refusal);
        }
        for text in reply.texts() {
            self.texts += 1;
            let sample = Sample::new(text.as_str());
            for (index, post) in self
                .output
                .posts
                .iter()
                .enumerate()
                .filter(|(_, post)| post.reads(text.role()))
            {
                if let Some(finding) = self.output.find(post, &sample, text.role())
                    && self.output.found(index, &finding, text.role())
                {
                    return self.step();
                }
            }
        }
        Step::Go
    }

    fn end(&mut self, _end: End<'_>, out: &mut Out) -> Step {
        self.rewriter.end(out);
        self.note_checked();
        self.step()
    }
}
