//! The tower layer.

use std::sync::Arc;

use bartizan_core::{Call, Dialect, Document, Filter, Filtered, Flow, Note, Refusal, TextRole};
use http::Method;
use http_body::Body as _;
use tower_layer::Layer;

use crate::gate::Output;
use crate::own::Own;
use crate::post::Post;
use crate::seam::Seam;
use crate::tap::GuardTap;
use crate::{Check, Injection, Invisible, Sample, Secrets, StreamCheck, refuse};

/// Applies checks: refuses requests that attack the model, and answers that leak secrets.
///
/// See the [crate's documentation](crate) for what it refuses and how.
#[derive(Clone, Debug)]
pub struct GuardLayer(Arc<Guard>);

impl GuardLayer {
    /// Creates the layer with the default set: [`Injection`] and [`Invisible`] block requests, [`Secrets`] blocks answers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a builder without any check.
    #[must_use]
    pub fn builder() -> GuardBuilder {
        GuardBuilder::default()
    }
}

impl Default for GuardLayer {
    fn default() -> Self {
        Self::builder()
            .input(Injection::default())
            .input(Invisible::new())
            .output(Secrets::new())
            .build()
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Filtered<S, Guard>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

/// Builds a [`GuardLayer`] out of checks.
#[derive(Clone, Debug, Default)]
pub struct GuardBuilder {
    posts: Vec<Post>,
    allow_unseen: bool,
    dialect: Option<Dialect>,
}

impl GuardBuilder {
    /// Puts a blocking check on requests: short for [`Post::input`].
    #[must_use]
    pub fn input(self, check: impl Check) -> Self {
        self.post(Post::input(check))
    }

    /// Puts a blocking check on answers: short for [`Post::output`].
    #[must_use]
    pub fn output(self, check: impl StreamCheck) -> Self {
        self.post(Post::output(check))
    }

    /// Puts a check as told. Checks run in the order in which they were put; the first that blocks decides.
    #[must_use]
    pub fn post(mut self, post: Post) -> Self {
        self.posts.push(post);
        self
    }

    /// Lets pass what no check can read: parts that the dialect doesn't know, bodies that are no JSON message, gRPC. Off by
    /// default: where a check blocks, they are refused.
    #[must_use]
    pub fn allow_unseen_parts(mut self) -> Self {
        self.allow_unseen = true;
        self
    }

    /// Reads every message as this dialect, whatever its path: [`Dialect::Json`] for a service that is no LLM API.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    /// Builds the layer.
    #[must_use]
    pub fn build(self) -> GuardLayer {
        let (inputs, outputs): (Vec<Post>, Vec<Post>) =
            self.posts.into_iter().partition(Post::is_input);
        GuardLayer(Arc::new(Guard {
            inputs,
            outputs: outputs.into(),
            allow_unseen: self.allow_unseen,
            dialect: self.dialect,
        }))
    }
}

/// The filter behind a [`GuardLayer`].
#[derive(Debug)]
pub struct Guard {
    inputs: Vec<Post>,
    outputs: Arc<[Post]>,
    allow_unseen: bool,
    dialect: Option<Dialect>,
}

impl Filter for Guard {
    const NAME: &'static str = "guard";
    type Tap = Option<GuardTap>;

    async fn request(&self, call: &mut Call) -> Result<Flow<Self::Tap>, Refusal> {
        if let Some(dialect) = self.dialect {
            call.set_dialect(dialect);
        }
        let asked = !matches!(
            call.parts().method,
            Method::GET | Method::HEAD | Method::OPTIONS
        ) && !call.body_mut().is_end_stream();
        let spares = self.outputs.iter().any(Post::spares_own);
        let own = if spares && asked {
            let document = call.document().await?;
            document.map(|document| Own::of(document, &self.outputs))
        } else {
            None
        };
        if !self.inputs.is_empty() && asked {
            let trail = call.trail().cloned();
            let strict = !self.allow_unseen && self.inputs.iter().any(Post::blocks);
            match call.document().await? {
                Some(document) => {
                    let unseen = document.unseen();
                    if let Some(part) = unseen.first().filter(|_| strict) {
                        let refusal = refuse::for_unseen_part("request", part.place());
                        call.note(
                            Note::new("guard", "refused")
                                .word("reason", "unseen_part")
                                .word("direction", "input"),
                        );
                        return Err(refusal);
                    }
                    let mut inspection = Inspection {
                        guard: self,
                        trail,
                        noted: Vec::new(),
                        texts: 0,
                    };
                    let verdict = inspection.document(document);
                    let (texts, unseen) = (inspection.texts, unseen.len() as u64);
                    let note = Note::new("guard", "checked")
                        .word("direction", "input")
                        .count("texts", texts)
                        .count("unseen", unseen);
                    call.note(
                        self.inputs
                            .iter()
                            .fold(note, |note, post| note.word(post.name(), "ran")),
                    );
                    verdict?;
                }
                None if strict => {
                    call.note(
                        Note::new("guard", "refused")
                            .word("reason", "unseen_body")
                            .word("direction", "input"),
                    );
                    return Err(refuse::for_unseen_body("request"));
                }
                None => {}
            }
        }
        let watch = !self.outputs.is_empty();
        let tap = watch.then(|| {
            let output = Output::new(Arc::clone(&self.outputs), call.trail().cloned())
                .sparing(own.unwrap_or_default());
            GuardTap::new(output, self.allow_unseen, asked)
        });
        Ok(Flow::Pass(tap))
    }
}

/// One walk over a request's texts.
struct Inspection<'g> {
    guard: &'g Guard,
    trail: Option<bartizan_core::Trail>,
    /// Which checks have observed which rule: each is noted once a request.
    noted: Vec<(usize, String)>,
    texts: u64,
}

impl Inspection<'_> {
    fn document(&mut self, document: &Document) -> Result<(), Refusal> {
        let mut seam = Seam::default();
        let mut role = None;
        for text in document.texts() {
            self.texts += 1;
            self.text(text.as_str(), text.role(), None)
                .map_or(Ok(()), Err)?;
            if let Some(before) = role.replace(text.role())
                && before != text.role()
            {
                seam.end(|joined| self.text(joined, before, Some("split")))
                    .map_or(Ok(()), Err)?;
            }
            if self.guard.inputs.iter().any(|post| post.reads(text.role())) {
                seam.add(text.as_str(), |joined| {
                    self.text(joined, text.role(), Some("split"))
                })
                .map_or(Ok(()), Err)?;
            }
        }
        let role = role.unwrap_or(TextRole::Other);
        seam.end(|joined| self.text(joined, role, Some("split")))
            .map_or(Ok(()), Err)
    }

    /// Runs every check that reads this role. `Some`: one blocks.
    fn text(
        &mut self,
        text: &str,
        role: TextRole,
        disguise: Option<&'static str>,
    ) -> Option<Refusal> {
        let sample = Sample::new(text);
        for (index, post) in self
            .guard
            .inputs
            .iter()
            .enumerate()
            .filter(|(_, post)| post.reads(role))
        {
            let Some(mut finding) = post.find(&sample) else {
                continue;
            };
            if let Some(disguise) = disguise {
                finding = finding.disguised(disguise);
            }
            if post.blocks() {
                post.report(&finding, role, self.trail.as_ref());
                return Some(refuse::for_finding(post, &finding, role));
            }
            if !self
                .noted
                .iter()
                .any(|(noted, rule)| *noted == index && rule == finding.rule())
            {
                self.noted.push((index, finding.rule().to_owned()));
                post.report(&finding, role, self.trail.as_ref());
            }
        }
        None
    }
}
