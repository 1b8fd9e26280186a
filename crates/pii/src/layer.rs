//! The layer, and how it is set up.

use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Dialect, Filtered};

use crate::conversation::Conversations;
use crate::model::{Model, Models, ModelsBuilder};
use crate::policy::Built;
use crate::{AnalyzerBuilder, ConfigError, Entity, Operator, Policy, Redactor, Rule, VaultBounds};

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
    usual: Policy,
    policies: Vec<(Rule, Policy)>,
    models: ModelsBuilder,
    conversations: Option<Conversations>,
    options: Options,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) restore: bool,
    pub(crate) unseen_parts: bool,
    pub(crate) unknown_bodies: bool,
    pub(crate) dialect: Option<Dialect>,
    pub(crate) bounds: VaultBounds,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            restore: true,
            unseen_parts: false,
            unknown_bodies: false,
            dialect: None,
            bounds: VaultBounds::default(),
        }
    }
}

/// The filter behind [`PiiLayer`].
#[derive(Debug)]
pub struct Pii {
    /// What applies where no rule holds.
    pub(crate) usual: Arc<Built>,
    pub(crate) policies: Vec<(Rule, Arc<Built>)>,
    pub(crate) models: Option<Arc<Models>>,
    pub(crate) conversations: Option<Conversations>,
    pub(crate) options: Options,
}

impl PiiLayer {
    /// Starts to set up a layer.
    pub fn builder() -> PiiLayerBuilder {
        PiiLayerBuilder {
            usual: Policy::unnamed(),
            policies: Vec::new(),
            models: ModelsBuilder::default(),
            conversations: None,
            options: Options::default(),
        }
    }
}

/// Masks the [usual kinds](Entity::usual) of personal data, and restores them in answers.
impl Default for PiiLayer {
    fn default() -> Self {
        Self(Arc::new(Pii {
            usual: Arc::new(Built {
                name: None,
                request: Some(Redactor::mask_usual()),
                answer: None,
            }),
            policies: Vec::new(),
            models: None,
            conversations: None,
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
    /// Looks for `entity` and does `operator` with it.
    pub fn operator(mut self, entity: Entity, operator: Operator) -> Self {
        self.usual = self.usual.operator(entity, operator);
        self
    }

    /// Looks for `entity` in what the model itself writes and does `operator` with it.
    pub fn answer_operator(mut self, entity: Entity, operator: Operator) -> Self {
        self.usual = self.usual.answer_operator(entity, operator);
        self
    }

    /// Looks for all of `entities` and masks them.
    pub fn mask(mut self, entities: impl IntoIterator<Item = Entity>) -> Self {
        self.usual = self.usual.mask(entities);
        self
    }

    /// Looks for all of `entities` and refuses requests that hold one.
    pub fn block(mut self, entities: impl IntoIterator<Item = Entity>) -> Self {
        self.usual = self.usual.block(entities);
        self
    }

    /// Applies `policy` to the calls for which `rule` holds, instead of what this builder says itself. Of several the first applies whose rule
    /// holds.
    ///
    /// A rule that asks where a call goes is asked for each of the call's [`Regions`](bartizan_core::Regions). Where several policies come out,
    /// the strictest word on each kind counts.
    pub fn policy(mut self, rule: Rule, policy: Policy) -> Self {
        self.policies.push((rule, policy));
        self
    }

    /// Whether nothing is done, and only noted what would have been: `false` by default.
    pub fn observe(mut self, observe: bool) -> Self {
        self.usual = self.usual.observe(observe);
        self
    }

    /// Sets up how data is found: lists, recognizers of one's own.
    pub fn analyzer(mut self, set_up: impl FnOnce(AnalyzerBuilder) -> AnalyzerBuilder) -> Self {
        self.usual = self.usual.analyzer(set_up);
        self
    }

    /// Sets the score from which a finding counts, from 0 to 1: 0.5 by default.
    pub fn threshold(self, entity: Entity, score: f32) -> Self {
        self.analyzer(|analyzer| analyzer.threshold(entity, score))
    }

    /// Adds a word that says what a number near it is.
    pub fn context_word(self, entity: Entity, word: impl Into<String>) -> Self {
        self.analyzer(|analyzer| analyzer.context_word(entity, word))
    }

    /// Keeps placeholders and fakes the same over the calls of a conversation, and restores those of earlier calls: by default each call has its
    /// own. Where the store fails, calls of conversations are refused with 503 `pii_conversation_unavailable`.
    pub fn conversations(mut self, conversations: Conversations) -> Self {
        self.conversations = Some(conversations);
        self
    }

    /// Sets how much of a call's data is kept for its answer. A request that holds more is refused with 413 `pii_vault_full`.
    pub fn vault_bounds(mut self, bounds: VaultBounds) -> Self {
        self.options.bounds = bounds;
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
        self.usual = self.usual.output(output);
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
        let policies = || self.policies.iter().map(|(_, policy)| policy);
        let mut all = std::iter::once(&self.usual).chain(policies());
        if all.any(Policy::looks_at_answers)
            && !self.models.models.is_empty()
            && !self.models.unmodelled_streams
        {
            return Err(ConfigError::UnmodelledStreams);
        }
        let mut names: Vec<&str> = policies().filter_map(Policy::name).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[one, other]| one == other) {
            return Err(ConfigError::SameName((*name).to_owned()));
        }
        let modelled: Vec<Entity> = self
            .models
            .models
            .iter()
            .flat_map(|model| model.entities().iter().copied())
            .collect();
        let policies = self
            .policies
            .into_iter()
            .map(|(rule, policy)| Ok((rule, policy.build(&modelled)?)))
            .collect::<Result<_, ConfigError>>()?;
        Ok(PiiLayer(Arc::new(Pii {
            usual: self.usual.build(&modelled)?,
            policies,
            models: self.models.build(),
            conversations: self.conversations,
            options: self.options,
        })))
    }
}
