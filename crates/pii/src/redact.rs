//! Taking personal data out of a text.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::entity::PerEntity;
use crate::stream::StreamMasker;
use crate::{Action, Analyzer, AnalyzerBuilder, ConfigError, Entity, Finding, Vault};

/// Takes personal data out of texts, each kind in its way. Cloning is cheap.
///
/// ```
/// use bartizan_pii::{Action, Entity, Redactor, Vault};
///
/// let redactor = Redactor::builder()
///     .action(Entity::Email, Action::Mask)
///     .action(Entity::Ip, Action::Replace)
///     .action(Entity::Card, Action::Block)
///     .build()?;
///
/// let mut vault = Vault::new();
/// let masked = redactor.mask("ravi@example.in from 203.0.113.9", &mut vault)?;
/// assert_eq!(masked, "<EMAIL_ADDRESS_1> from <IP_ADDRESS>");
///
/// let refused = redactor.mask("card 4111 1111 1111 1111", &mut vault).unwrap_err();
/// assert_eq!(refused.entity, Entity::Card);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Redactor {
    analyzer: Analyzer,
    actions: PerEntity<Action>,
}

/// Chooses what a [`Redactor`] does. By default it does nothing.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RedactorBuilder {
    analyzer: AnalyzerBuilder,
    actions: PerEntity<Action>,
}

/// A text holds personal data of a kind that is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text holds {entity}, which is blocked")]
pub struct Blocked {
    /// Which kind.
    pub entity: Entity,
}

impl Redactor {
    /// Creates a redactor that masks the [usual kinds](Entity::usual).
    #[must_use]
    pub fn mask_usual() -> Self {
        static USUAL: LazyLock<Redactor> = LazyLock::new(|| {
            let mut actions = PerEntity::default();
            for entity in Entity::usual() {
                actions.set(entity, Action::Mask);
            }
            let analyzer = Analyzer::usual();
            Redactor { analyzer, actions }
        });
        USUAL.clone()
    }

    /// Starts to choose what is done with which kind.
    pub fn builder() -> RedactorBuilder {
        RedactorBuilder::default()
    }

    /// Finds the personal data in `text`.
    #[must_use]
    pub fn analyze(&self, text: &str) -> Vec<Finding> {
        self.analyzer.analyze(text)
    }

    /// What is done with data of a kind; `None` where it isn't looked for.
    #[must_use]
    pub fn action(&self, entity: Entity) -> Option<Action> {
        self.actions.of(entity).copied()
    }

    /// The score from which data of a kind counts.
    pub(crate) fn threshold(&self, entity: Entity) -> f32 {
        self.analyzer.threshold(entity)
    }

    /// Takes the personal data out of `text` and keeps in `vault` what is to come back.
    ///
    /// Where a vault serves several texts, [`reserve`](Vault::reserve) all of them first.
    ///
    /// # Errors
    ///
    /// [`Blocked`] if the text holds data of a kind that is blocked. Nothing was put into the vault then.
    pub fn mask<'t>(&self, text: &'t str, vault: &mut Vault) -> Result<Cow<'t, str>, Blocked> {
        let findings = self.analyze(text);
        if let Some(entity) = self.blocked(&findings) {
            return Err(Blocked { entity });
        }
        if findings.is_empty() {
            return Ok(Cow::Borrowed(text));
        }
        vault.reserve(text);
        Ok(Cow::Owned(self.apply(text, &findings, vault)))
    }

    /// Creates a rewriter that takes personal data out of a text that arrives in pieces, for good: whatever the action, the
    /// kind's name takes its place.
    #[must_use]
    pub fn stream(&self) -> StreamMasker {
        StreamMasker::new(self.analyzer.clone())
    }

    /// The first kind among `findings` that is blocked.
    pub(crate) fn blocked(&self, findings: &[Finding]) -> Option<Entity> {
        findings
            .iter()
            .map(|finding| finding.entity)
            .find(|entity| self.action(*entity) == Some(Action::Block))
    }

    /// Replaces `findings` in `text`.
    pub(crate) fn apply(&self, text: &str, findings: &[Finding], vault: &mut Vault) -> String {
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for Finding { entity, range, .. } in findings {
            let (Some(before), Some(original)) =
                (text.get(done..range.start), text.get(range.clone()))
            else {
                continue;
            };
            out.push_str(before);
            match self.action(*entity) {
                Some(Action::Mask) => out.push_str(&vault.placeholder(*entity, original)),
                _ => out.push_str(&name(*entity)),
            }
            done = range.end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

/// What takes the place of data that doesn't come back: Presidio's own default.
pub(crate) fn name(entity: Entity) -> String {
    format!("<{}>", entity.as_str())
}

impl RedactorBuilder {
    /// Looks for `entity` and does `action` with it.
    pub fn action(mut self, entity: Entity, action: Action) -> Self {
        self.actions.set(entity, action);
        self.analyzer = self.analyzer.entity(entity);
        self
    }

    /// Says which kinds a model beside the redactor finds, as [`AnalyzerBuilder::modelled`] does.
    pub fn modelled(mut self, entities: impl IntoIterator<Item = Entity>) -> Self {
        self.analyzer = self.analyzer.modelled(entities);
        self
    }

    /// Sets the score from which a finding counts, as [`AnalyzerBuilder::threshold`] does.
    pub fn threshold(mut self, entity: Entity, score: f32) -> Self {
        self.analyzer = self.analyzer.threshold(entity, score);
        self
    }

    /// Adds a context word, as [`AnalyzerBuilder::context_word`] does.
    pub fn context_word(mut self, entity: Entity, word: impl Into<String>) -> Self {
        self.analyzer = self.analyzer.context_word(entity, word);
        self
    }

    /// Sets up how it finds: recognizers, patterns and lists of one's own, and all else that an [`AnalyzerBuilder`] has. What is found and has no
    /// [`action`](Self::action) is left as it is.
    pub fn analyzer(mut self, set_up: impl FnOnce(AnalyzerBuilder) -> AnalyzerBuilder) -> Self {
        self.analyzer = set_up(self.analyzer);
        self
    }

    /// Builds the redactor.
    ///
    /// # Errors
    ///
    /// As [`AnalyzerBuilder::build`].
    pub fn build(self) -> Result<Redactor, ConfigError> {
        Ok(Redactor {
            analyzer: self.analyzer.build()?,
            actions: self.actions,
        })
    }
}
