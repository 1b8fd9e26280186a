//! Choosing what is looked for.

use std::sync::Arc;

use super::allowed::Allowed;
use super::{Analyzer, Inner, THRESHOLD};
use crate::context::Context;
use crate::entity::{Entities, PerEntity};
use crate::own::{DenyList, Own, Pattern, Patterns, Recognizer};
use crate::recognize::Regions;
use crate::{ConfigError, Entity};

/// Chooses what an [`Analyzer`] looks for.
///
/// By default nothing is looked for, a finding counts from a score of 0.5, and the shipped context words are used.
#[derive(Clone, Debug, Default)]
pub struct AnalyzerBuilder {
    entities: Entities,
    modelled: Entities,
    threshold: Option<f32>,
    thresholds: PerEntity<f32>,
    words: PerEntity<Vec<String>>,
    recognizers: Vec<Arc<dyn Recognizer>>,
    patterns: Vec<Pattern>,
    denied: PerEntity<Vec<String>>,
    allowed: Allowed,
    phone_regions: Option<Vec<String>>,
}

impl AnalyzerBuilder {
    /// Looks for `entity` too.
    #[must_use]
    pub fn entity(mut self, entity: Entity) -> Self {
        self.entities.add(entity);
        self
    }

    /// Says that a model beside the analyzer finds `entities`, so that it is no mistake to name those that the analyzer doesn't.
    #[must_use]
    pub fn modelled(mut self, entities: impl IntoIterator<Item = Entity>) -> Self {
        entities
            .into_iter()
            .for_each(|entity| self.modelled.add(entity));
        self
    }

    /// Looks for all of `entities` too.
    #[must_use]
    pub fn entities(self, entities: impl IntoIterator<Item = Entity>) -> Self {
        entities.into_iter().fold(self, Self::entity)
    }

    /// Sets the score, from 0 to 1, from which a finding of `entity` counts: 0.5 by default. At 0.3, numbers count that
    /// have the right form and no word beside them that says what they are.
    #[must_use]
    pub fn threshold(mut self, entity: Entity, score: f32) -> Self {
        self.thresholds.set(entity, score);
        self
    }

    /// Sets the score, from 0 to 1, from which a finding counts whose kind has no threshold of its own: 0.5 by default. At 0, all counts that
    /// has the right form.
    #[must_use]
    pub fn score_threshold(mut self, score: f32) -> Self {
        self.threshold = Some(score);
        self
    }

    /// Adds a word that, near before or after a number, says that it is an `entity`. Case of Latin letters doesn't count.
    ///
    /// Kinds that need no such word (e-mail, IBAN, GSTIN) take no notice.
    #[must_use]
    pub fn context_word(mut self, entity: Entity, word: impl Into<String>) -> Self {
        let mut words = self.words.of(entity).cloned().unwrap_or_default();
        words.push(word.into());
        self.words.set(entity, words);
        self
    }

    /// Adds a recognizer of one's own.
    #[must_use]
    pub fn recognizer(mut self, recognizer: impl Recognizer) -> Self {
        for entity in recognizer.entities() {
            self.entities.add(entity);
        }
        self.recognizers.push(Arc::new(recognizer));
        self
    }

    /// Adds a recognizer made of a regular expression.
    #[must_use]
    pub fn pattern(mut self, pattern: Pattern) -> Self {
        self.entities.add(pattern.entity());
        self.patterns.push(pattern);
        self
    }

    /// Adds words that are always an `entity`, in any script, whatever stands beside them. Case of ASCII letters doesn't count.
    #[must_use]
    pub fn deny_list(
        mut self,
        entity: Entity,
        words: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.entities.add(entity);
        let mut all = self.denied.of(entity).cloned().unwrap_or_default();
        all.extend(words.into_iter().map(Into::into));
        self.denied.set(entity, all);
        self
    }

    /// Lets texts pass that would be findings, of one kind or of any: a support address, a test card. Case of ASCII letters doesn't count, and
    /// one that begins with `*` is the end of a text (`*@example.com`).
    #[must_use]
    pub fn allow_list(
        mut self,
        entity: Option<Entity>,
        texts: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let texts = texts.into_iter().map(|text| (entity, text.into()));
        self.allowed.0.extend(texts);
        self
    }

    /// Chooses the regions whose phone numbers are found without a calling code, by ISO 3166's two letters: `IN`, `US`, `GB`. Numbers behind
    /// `+` and `00` are found of every region, and beside a word such as `phone` the numbers of any.
    ///
    /// By default India, the United States, Canada, the United Kingdom, Germany, France, Israel and Brazil.
    #[must_use]
    pub fn phone_regions(mut self, regions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.phone_regions = Some(regions.into_iter().map(Into::into).collect());
        self
    }

    /// Builds the analyzer.
    ///
    /// # Errors
    ///
    /// A threshold outside 0 to 1, an empty context word, no entity at all, one that only a model finds, a region of phone numbers that isn't
    /// known.
    pub fn build(self) -> Result<Analyzer, ConfigError> {
        if self.entities.is_empty() {
            return Err(ConfigError::NothingToFind);
        }
        let own = |entity: Entity| {
            self.patterns.iter().any(|own| own.entity() == entity)
                || self.denied.of(entity).is_some()
                || self
                    .recognizers
                    .iter()
                    .any(|own| own.entities().contains(&entity))
        };
        if let Some(entity) = Entity::ALL.iter().copied().find(|entity| {
            self.entities.has(*entity)
                && !entity.is_built_in()
                && !self.modelled.has(*entity)
                && !own(*entity)
        }) {
            return Err(ConfigError::NeedsModel(entity.as_str()));
        }
        let threshold = self.threshold.unwrap_or(THRESHOLD);
        let all = std::iter::once(("every entity", threshold));
        let own = self
            .thresholds
            .iter()
            .map(|(entity, score)| (entity.as_str(), *score));
        if let Some((entity, given)) = all
            .chain(own)
            .find(|(_, score)| !(0.0..=1.0).contains(score))
        {
            return Err(ConfigError::Threshold {
                entity,
                given: given.to_string(),
            });
        }
        let context = Context::with(&self.words)?;
        let mut recognizers = self.recognizers;
        if !self.patterns.is_empty() {
            recognizers.push(Arc::new(Patterns::new(self.patterns)?));
        }
        for (entity, words) in self.denied.iter() {
            recognizers.push(Arc::new(DenyList::new(entity, words)?));
        }
        let mut inner = Inner::new(&self.entities, threshold, self.thresholds, context);
        inner.own = Own::new(recognizers);
        if let Some(regions) = &self.phone_regions {
            inner.settings.regions = Regions::new(regions)?;
        }
        inner.allowed = self.allowed;
        Ok(Analyzer(Arc::new(inner)))
    }
}
