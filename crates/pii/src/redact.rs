//! Taking personal data out of a text.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::entity::PerEntity;
use crate::plan::{Treated, write};
use crate::spelling::Spelling;
use crate::stream::StreamMasker;
use crate::{
    Analyzer, AnalyzerBuilder, ConfigError, EncryptError, Entity, Finding, Operator, Tenant, Vault,
    VaultFull,
};

/// Takes personal data out of texts, each kind in its way. Cloning is cheap.
///
/// ```
/// use bartizan_pii::{Entity, Operator, Redactor, Unsent, Vault};
///
/// let redactor = Redactor::builder()
///     .operator(Entity::Email, Operator::Mask)
///     .operator(Entity::Ip, Operator::Replace)
///     .operator(Entity::Card, Operator::Block)
///     .build()?;
///
/// let mut vault = Vault::new();
/// let masked = redactor.mask("ravi@example.in from 203.0.113.9", &mut vault)?;
/// assert_eq!(masked, "<EMAIL_ADDRESS_1> from <IP_ADDRESS>");
///
/// let refused = redactor.mask("card 4111 1111 1111 1111", &mut vault);
/// assert_eq!(refused, Err(Unsent::Blocked(Entity::Card)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Redactor {
    analyzer: Analyzer,
    operators: PerEntity<Operator>,
}

/// Chooses what a [`Redactor`] does. By default it does nothing.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RedactorBuilder {
    analyzer: AnalyzerBuilder,
    operators: PerEntity<Operator>,
}

/// Why a text must not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsent {
    /// It holds personal data of a kind that is blocked.
    #[error("the text holds {0}, which is blocked")]
    Blocked(Entity),
    /// It holds more than the vault does.
    #[error(transparent)]
    Full(#[from] VaultFull),
    /// A value can't be encrypted.
    #[error(transparent)]
    Unsealed(#[from] EncryptError),
}

impl Redactor {
    /// Creates a redactor that masks the [usual kinds](Entity::usual).
    #[must_use]
    pub fn mask_usual() -> Self {
        static USUAL: LazyLock<Redactor> = LazyLock::new(|| {
            let mut operators = PerEntity::default();
            for entity in Entity::usual() {
                operators.set(entity, Operator::Mask);
            }
            let analyzer = Analyzer::usual();
            Redactor {
                analyzer,
                operators,
            }
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
    pub fn operator(&self, entity: Entity) -> Option<&Operator> {
        self.operators.of(entity)
    }

    /// What is done with what was found: a recognizer may find a kind of which nobody said what to do.
    pub(crate) fn treatment(&self, entity: Entity) -> &Operator {
        self.operator(entity).unwrap_or(&Operator::Replace)
    }

    pub(crate) fn analyzer(&self) -> &Analyzer {
        &self.analyzer
    }

    /// Whether values are to be faked.
    pub(crate) fn fakes(&self) -> bool {
        self.operators
            .iter()
            .any(|(_, operator)| *operator == Operator::Fake)
    }

    /// Takes the personal data out of `text` and keeps in `vault` what is to come back.
    ///
    /// Where a vault serves several texts, [`reserve`](Vault::reserve) all of them first.
    ///
    /// # Errors
    ///
    /// [`Unsent`]: the text holds data of a kind that is blocked, and nothing was put into the vault; or the vault is full; or a value can't be
    /// encrypted.
    pub fn mask<'t>(&self, text: &'t str, vault: &mut Vault) -> Result<Cow<'t, str>, Unsent> {
        let findings: Vec<Treated<'_>> = self
            .analyze(text)
            .into_iter()
            .map(|finding| Treated::new(self, text, finding))
            .collect();
        if let Some(blocked) = findings
            .iter()
            .find(|found| *found.operator == Operator::Block)
        {
            return Err(Unsent::Blocked(blocked.entity));
        }
        if findings.iter().all(|found| found.operator.lets_through()) {
            return Ok(Cow::Borrowed(text));
        }
        // What would be a fake is only looked for where one may be made.
        if self.fakes() {
            vault.reserve(text);
        } else {
            vault.reserve_placeholders(&Spelling::of(text));
        }
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for Treated {
            operator,
            entity,
            range,
        } in findings
        {
            out.push_str(text.get(done..range.start).unwrap_or_default());
            let original = text.get(range.clone()).unwrap_or_default();
            write(operator, entity, original, vault, &mut out)?;
            done = range.end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Ok(Cow::Owned(out))
    }

    /// Creates a rewriter that takes personal data out of a text that arrives in pieces, for good: where a placeholder or a fake would have
    /// to come back, and where data is blocked, the kind's name takes its place. Hashes and encrypted values are nobody's in particular.
    #[must_use]
    pub fn stream(&self) -> StreamMasker {
        let operators = self.clone();
        StreamMasker::new(self.analyzer.clone(), move |entity, original, out| {
            write_for_good(
                operators.treatment(entity),
                entity,
                original,
                &Tenant::NONE,
                out,
            );
        })
    }
}

/// What takes the place of data that doesn't come back: Presidio's own default.
pub(crate) fn name(entity: Entity) -> String {
    format!("<{}>", entity.as_str())
}

/// Writes what takes the place of `original` where nothing comes back.
pub(crate) fn write_for_good(
    operator: &Operator,
    entity: Entity,
    original: &str,
    tenant: &Tenant,
    out: &mut String,
) {
    match operator {
        Operator::ReplaceWith(text) => out.push_str(text),
        Operator::Redact => {}
        Operator::Partial(partial) => out.push_str(&partial.apply(original)),
        Operator::Hash(key) => out.push_str(&key.hash(entity, original, tenant)),
        // What can't be encrypted must not leave as it is.
        Operator::Encrypt(key) => match key.encrypt(entity, original, tenant) {
            Ok(sealed) => out.push_str(&sealed),
            Err(_) => out.push_str(&name(entity)),
        },
        Operator::Keep | Operator::Observe(_) => out.push_str(original),
        Operator::Mask | Operator::Fake | Operator::Replace | Operator::Block => {
            out.push_str(&name(entity));
        }
    }
}

impl RedactorBuilder {
    /// Looks for `entity` and does `operator` with it.
    pub fn operator(mut self, entity: Entity, operator: Operator) -> Self {
        self.operators.set(entity, operator);
        self.analyzer = self.analyzer.entity(entity);
        self
    }

    /// Sets up how data is found: thresholds, context words, lists, recognizers of one's own.
    pub fn analyzer(mut self, set_up: impl FnOnce(AnalyzerBuilder) -> AnalyzerBuilder) -> Self {
        self.analyzer = set_up(self.analyzer);
        self
    }

    /// Says which kinds a model beside the redactor finds, as [`AnalyzerBuilder::modelled`] does.
    pub fn modelled(self, entities: impl IntoIterator<Item = Entity>) -> Self {
        self.analyzer(|analyzer| analyzer.modelled(entities))
    }

    /// Sets the score from which a finding counts, as [`AnalyzerBuilder::threshold`] does.
    pub fn threshold(self, entity: Entity, score: f32) -> Self {
        self.analyzer(|analyzer| analyzer.threshold(entity, score))
    }

    /// Adds a context word, as [`AnalyzerBuilder::context_word`] does.
    pub fn context_word(self, entity: Entity, word: impl Into<String>) -> Self {
        self.analyzer(|analyzer| analyzer.context_word(entity, word))
    }

    /// Builds the redactor.
    ///
    /// # Errors
    ///
    /// As [`AnalyzerBuilder::build`].
    pub fn build(self) -> Result<Redactor, ConfigError> {
        Ok(Redactor {
            analyzer: self.analyzer.build()?,
            operators: self.operators,
        })
    }

    pub(crate) fn operators(self, operators: impl IntoIterator<Item = (Entity, Operator)>) -> Self {
        operators
            .into_iter()
            .fold(self, |builder, (entity, operator)| {
                builder.operator(entity, operator)
            })
    }
}
