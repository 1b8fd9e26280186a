//! The layer, and how it is set up.

use std::sync::Arc;
use std::time::Duration;

use bartizan_core::json::Kind;
use bartizan_core::{
    Call, Dialect, Document, Filter, Filtered, Flow, Note, Refusal, RefusalKind, Text,
};
use http::HeaderValue;
use http::header::ACCEPT_ENCODING;
use http_body::Body as _;

use crate::entity::PerEntity;
use crate::model::{Model, Models, ModelsBuilder, together};
use crate::tap::PiiTap;
use crate::{Action, ConfigError, Entity, Finding, Redactor, RedactorBuilder, Vault};

/// Applies masking: takes personal data out of requests, and puts it back into the answers.
///
/// A request that can't be looked into is refused, unless a named option lets it pass: see the [crate's documentation](crate).
#[derive(Clone, Debug)]
pub struct PiiLayer(Arc<Pii>);

/// Sets up a [`PiiLayer`].
///
/// By default nothing is looked for, placeholders are restored in answers, what the model writes itself isn't looked at,
/// requests that can't be looked into are refused, and the dialect is found by path.
#[derive(Clone, Debug)]
#[must_use]
pub struct PiiLayerBuilder {
    redactor: RedactorBuilder,
    models: ModelsBuilder,
    options: Options,
}

#[derive(Clone, Copy, Debug)]
struct Options {
    restore: bool,
    output: bool,
    unseen_parts: bool,
    unknown_bodies: bool,
    dialect: Option<Dialect>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            restore: true,
            output: false,
            unseen_parts: false,
            unknown_bodies: false,
            dialect: None,
        }
    }
}

/// The filter behind [`PiiLayer`].
#[derive(Debug)]
pub struct Pii {
    redactor: Redactor,
    models: Option<Arc<Models>>,
    options: Options,
}

impl PiiLayer {
    /// Starts to set up a layer.
    pub fn builder() -> PiiLayerBuilder {
        PiiLayerBuilder {
            redactor: Redactor::builder(),
            models: ModelsBuilder::default(),
            options: Options::default(),
        }
    }
}

/// Masks the [usual kinds](Entity::usual) of personal data, and restores them in answers.
impl Default for PiiLayer {
    fn default() -> Self {
        Self(Arc::new(Pii {
            redactor: Redactor::mask_usual(),
            models: None,
            options: Options::default(),
        }))
    }
}

impl<S> tower_layer::Layer<S> for PiiLayer {
    type Service = Filtered<S, Pii>;

    fn layer(&self, inner: S) -> Self::Service {
        Filtered::new(inner, Arc::clone(&self.0))
    }
}

impl PiiLayerBuilder {
    /// Looks for `entity` and does `action` with it.
    pub fn action(mut self, entity: Entity, action: Action) -> Self {
        self.redactor = self.redactor.action(entity, action);
        self
    }

    /// Looks for all of `entities` and masks them.
    pub fn mask(self, entities: impl IntoIterator<Item = Entity>) -> Self {
        entities
            .into_iter()
            .fold(self, |builder, entity| builder.action(entity, Action::Mask))
    }

    /// Looks for all of `entities` and refuses requests that hold one.
    pub fn block(self, entities: impl IntoIterator<Item = Entity>) -> Self {
        entities.into_iter().fold(self, |builder, entity| {
            builder.action(entity, Action::Block)
        })
    }

    /// Sets the score from which a finding counts, from 0 to 1: 0.5 by default.
    pub fn threshold(mut self, entity: Entity, score: f32) -> Self {
        self.redactor = self.redactor.threshold(entity, score);
        self
    }

    /// Adds a word that says what a number near it is.
    pub fn context_word(mut self, entity: Entity, word: impl Into<String>) -> Self {
        self.redactor = self.redactor.context_word(entity, word);
        self
    }

    /// Sets up how it finds, as [`RedactorBuilder::analyzer`] does.
    pub fn analyzer(
        mut self,
        set_up: impl FnOnce(crate::AnalyzerBuilder) -> crate::AnalyzerBuilder,
    ) -> Self {
        self.redactor = self.redactor.analyzer(set_up);
        self
    }

    /// Whether what was masked comes back in the answer: `true` by default.
    pub fn restore(mut self, restore: bool) -> Self {
        self.options.restore = restore;
        self
    }

    /// Whether personal data that the model itself writes is taken out of answers too, streamed ones included: `false` by
    /// default. Its kind's name takes its place, for a blocked kind the answer stops. What was masked in the request comes
    /// back untouched. Answers to requests without a body are not looked at.
    pub fn output(mut self, output: bool) -> Self {
        self.options.output = output;
        self
    }

    /// Lets messages pass that hold parts which the dialect doesn't know, or whose text can't be seen, instead of refusing
    /// them. Strings in such parts are looked at all the same; text in another form is not.
    pub fn allow_unseen_parts(mut self) -> Self {
        self.options.unseen_parts = true;
        self
    }

    /// Lets bodies pass that can't be looked into, instead of refusing them: requests to a path that no dialect knows,
    /// gRPC; and, where [`output`](Self::output) is on, answers that are neither JSON nor events. **Personal data in them
    /// is not seen.**
    pub fn allow_unknown_bodies(mut self) -> Self {
        self.options.unknown_bodies = true;
        self
    }

    /// Says which dialect all requests speak, instead of finding it by path: [`Dialect::Json`] for a service that is no
    /// LLM API.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.options.dialect = Some(dialect);
        self
    }

    /// Asks `model` too, for the kinds that have an action. Requests wait for it, and so do unstreamed answers where
    /// [`output`](Self::output) is on; **streamed answers are looked at by patterns alone**, see
    /// [`allow_unmodelled_streams`](Self::allow_unmodelled_streams). What it finds is joined with the rest by [`merge`](crate::merge)'s rule.
    /// Several models are asked one after another.
    ///
    /// A model that fails, is too slow or answers nonsense stops the call with 503 `pii_model_unavailable`, unless
    /// [`allow_unmodelled_calls`](Self::allow_unmodelled_calls) says otherwise.
    pub fn model(mut self, model: impl Model) -> Self {
        self.models.models.push(Arc::new(model));
        self
    }

    /// Sets how long a model may take over the texts of one message, waiting for its turn included: 5 s by default.
    pub fn model_deadline(mut self, deadline: Duration) -> Self {
        self.models.deadline = deadline;
        self
    }

    /// Sets how many messages models look at in the same moment; more wait: 16 by default, and at least one.
    pub fn models_at_a_time(mut self, messages: usize) -> Self {
        self.models.at_a_time = messages.max(1);
        self
    }

    /// Lets calls pass with what patterns found when a model fails, instead of refusing them. **Names and places in them are not seen.**
    /// The record says `unmodelled`.
    pub fn allow_unmodelled_calls(mut self) -> Self {
        self.models.open = true;
        self
    }

    /// Lets streamed answers pass with what patterns find, where [`output`](Self::output) is on and there is a model, which sees whole texts
    /// only. Without it such a layer isn't built.
    pub fn allow_unmodelled_streams(mut self) -> Self {
        self.models.unmodelled_streams = true;
        self
    }

    /// Builds the layer.
    ///
    /// # Errors
    ///
    /// No entity, a threshold outside 0 to 1, an empty context word, a model and [`output`](Self::output) without
    /// [`allow_unmodelled_streams`](Self::allow_unmodelled_streams).
    pub fn build(self) -> Result<PiiLayer, ConfigError> {
        if self.options.output && !self.models.models.is_empty() && !self.models.unmodelled_streams
        {
            return Err(ConfigError::UnmodelledStreams);
        }
        let found: Vec<Entity> = self
            .models
            .models
            .iter()
            .flat_map(|model| model.entities().iter().copied())
            .collect();
        Ok(PiiLayer(Arc::new(Pii {
            redactor: self.redactor.modelled(found).build()?,
            models: self.models.build(),
            options: self.options,
        })))
    }
}

impl Filter for Pii {
    const NAME: &'static str = "pii";

    type Tap = Option<PiiTap>;

    async fn request(&self, call: &mut Call) -> Result<Flow<Self::Tap>, Refusal> {
        if let Some(dialect) = self.options.dialect {
            call.set_dialect(dialect);
        }
        let Some(document) = call.document().await? else {
            if !call.body_mut().is_end_stream() && !self.options.unknown_bodies {
                call.note(Note::new("pii", "refused").word("reason", "unknown_body"));
                return Err(unknown_body());
            }
            return Ok(Flow::Pass(None));
        };
        let mut notes = Vec::new();
        let masked = match self.ask_models(document, &mut notes).await {
            Ok(of_models) => self.mask(document, of_models, &mut notes),
            Err(refusal) => Err(refusal),
        };
        notes.into_iter().for_each(|note| call.note(note));
        let vault = masked?;
        let vault = vault.filter(|vault| self.options.restore && !vault.is_empty());
        if vault.is_none() && !self.options.output {
            return Ok(Flow::Pass(None));
        }
        // A compressed answer could not be looked into.
        call.parts_mut()
            .headers
            .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let redactor = self.options.output.then(|| self.redactor.clone());
        let tap = PiiTap::new(vault.map(Arc::new), redactor, call.trail().cloned())
            .allowing(self.options.unseen_parts, self.options.unknown_bodies)
            .asking(self.models.clone());
        Ok(Flow::Pass(Some(tap)))
    }
}

impl Pii {
    /// What models find in `document`, one list a text; none where there is no model.
    async fn ask_models(
        &self,
        document: &Document,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<Vec<Finding>>, Refusal> {
        let Some(models) = &self.models else {
            return Ok(Vec::new());
        };
        let texts: Vec<Text<'_>> = document.texts().collect();
        let texts: Vec<&str> = texts.iter().map(Text::as_str).collect();
        models
            .ask(&texts, |note| notes.push(note.word("direction", "request")))
            .await
    }

    /// Takes the personal data out of `document`. `None`: there is none.
    fn mask(
        &self,
        document: &mut Document,
        of_models: Vec<Vec<Finding>>,
        notes: &mut Vec<Note>,
    ) -> Result<Option<Vault>, Refusal> {
        if let Some(unseen) = document.unseen().first()
            && !self.options.unseen_parts
        {
            notes.push(
                Note::new("pii", "refused")
                    .word("reason", "unseen_part")
                    .word("part", unseen.place()),
            );
            return Err(unseen_part(unseen.place()));
        }
        let mut of_models = of_models.into_iter();
        let findings: Vec<Vec<Finding>> = document
            .texts()
            .map(|text| {
                let more = of_models.next().unwrap_or_default();
                together(&self.redactor, text.as_str(), more)
            })
            .collect();
        if findings.iter().all(Vec::is_empty) {
            return Ok(None);
        }
        if let Some(entity) = findings
            .iter()
            .find_map(|findings| self.redactor.blocked(findings))
        {
            count(entity, Action::Block, "request", 1);
            notes.push(
                Note::new("pii", "blocked")
                    .count(entity.as_str(), 1)
                    .word("direction", "request"),
            );
            return Err(blocked(entity));
        }
        let mut vault = if continues(document) {
            Vault::continuing()
        } else {
            Vault::new()
        };
        // All that the model will see, spelled as it is and as it reads.
        vault.reserve(document.as_str());
        document
            .texts()
            .for_each(|text| vault.reserve(text.as_str()));
        let mut in_order = findings.iter();
        document.rewrite(|text| {
            let findings = in_order.next().filter(|findings| !findings.is_empty())?;
            Some(self.redactor.apply(text.as_str(), findings, &mut vault))
        });
        notes.extend(self.notes(findings.iter().flatten()));
        Ok(Some(vault))
    }

    fn notes<'f>(&self, findings: impl Iterator<Item = &'f Finding>) -> Vec<Note> {
        let mut masked = PerEntity::default();
        let mut replaced = PerEntity::default();
        for finding in findings {
            match self.redactor.action(finding.entity) {
                Some(Action::Mask) => masked.add(finding.entity, 1),
                _ => replaced.add(finding.entity, 1),
            }
        }
        [
            ("masked", Action::Mask, masked),
            ("replaced", Action::Replace, replaced),
        ]
        .into_iter()
        .filter_map(|(word, action, counts)| note(word, action, "request", &counts))
        .collect()
    }
}

/// Whether the model sees texts of earlier exchanges that this message doesn't repeat.
fn continues(document: &Document) -> bool {
    let root = document.json().root();
    document.dialect() == Dialect::OpenAiResponses
        && ["previous_response_id", "conversation"]
            .iter()
            .filter_map(|name| root.get(name))
            .any(|value| value.kind() != Kind::Null)
}

/// The note of `counts`, which are counted in metrics too; `None` where there are none.
pub(crate) fn note(
    word: &'static str,
    action: Action,
    direction: &'static str,
    counts: &PerEntity<u64>,
) -> Option<Note> {
    let mut any = false;
    let mut note = Note::new("pii", word);
    for (entity, found) in counts.iter() {
        any = true;
        count(entity, action, direction, *found);
        note = note.count(entity.as_str(), *found);
    }
    any.then(|| {
        tracing::debug!(
            action = word,
            direction,
            kinds = counts.iter().count(),
            "personal data"
        );
        note.word("direction", direction)
    })
}

pub(crate) fn count(entity: Entity, action: Action, direction: &'static str, found: u64) {
    metrics::counter!(
        "bartizan.pii.findings",
        "entity" => entity.as_str(),
        "action" => action.as_str(),
        "direction" => direction,
    )
    .increment(found);
}

pub(crate) fn blocked(entity: Entity) -> Refusal {
    let message = format!("personal data of kind {entity} is not let through: take it out");
    Refusal::new(RefusalKind::Blocked, "pii_blocked", message)
}

pub(crate) fn unseen_part(place: &'static str) -> Refusal {
    let message = format!("a part of `{place}` can't be checked for personal data: leave it out");
    Refusal::new(RefusalKind::BadRequest, "pii_unseen_part", message).param(place)
}

fn unknown_body() -> Refusal {
    let message = "the body can't be checked for personal data: its path is none of the known APIs";
    Refusal::new(RefusalKind::BadRequest, "pii_unknown_body", message)
}
