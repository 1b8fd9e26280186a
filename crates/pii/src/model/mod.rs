//! Recognizers that are models: what they find, how they fail, and how a layer asks them.

mod ask;
mod modelled;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "presidio-client")]
mod presidio;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Entity, Finding};

pub(crate) use ask::{Models, ModelsBuilder};
pub(crate) use modelled::Reading;
#[cfg(feature = "onnx")]
pub use onnx::{Aggregation, Onnx, OnnxBuilder};
#[cfg(feature = "presidio-client")]
pub use presidio::{Ask, Asking, Presidio};

/// What a [`Model`] found, on its way: for each text what it holds.
pub type Analyzing<'m> =
    Pin<Box<dyn Future<Output = Result<Vec<Vec<Finding>>, ModelError>> + Send + 'm>>;

/// Finds what no pattern can: persons, places, organizations.
///
/// ```
/// use bartizan_pii::{Analyzing, Entity, Finding, Model, PiiLayer};
///
/// /// Knows one person.
/// #[derive(Debug)]
/// struct OnePerson;
///
/// impl Model for OnePerson {
///     fn name(&self) -> &'static str {
///         "one_person"
///     }
///
///     fn entities(&self) -> &[Entity] {
///         &[Entity::Person]
///     }
///
///     fn analyze<'m>(&'m self, texts: &'m [&'m str]) -> Analyzing<'m> {
///         Box::pin(async move {
///             let one = |text: &str| {
///                 let found = text.match_indices("Ravi Rao");
///                 found.map(|(at, name)| Finding::new(Entity::Person, at..at + name.len(), 0.9)).collect()
///             };
///             Ok(texts.iter().map(|text| one(text)).collect())
///         })
///     }
/// }
///
/// let layer = PiiLayer::builder().mask([Entity::Person, Entity::Email]).model(OnePerson).build()?;
/// # Ok::<(), bartizan_pii::ConfigError>(())
/// ```
pub trait Model: fmt::Debug + Send + Sync + 'static {
    /// What it is called in refusals, records, metrics and as the recognizer of its findings: `presidio`.
    fn name(&self) -> &'static str;

    /// The kinds that it can find.
    fn entities(&self) -> &[Entity];

    /// Finds what each of `texts` holds: as many lists as there are texts, ranges in bytes of each text. Overlaps are resolved afterwards.
    ///
    /// Whoever asks sets the time; a future that is dropped stops its work.
    fn analyze<'m>(&'m self, texts: &'m [&'m str]) -> Analyzing<'m>;
}

/// One model for several layers.
impl<M: Model + ?Sized> Model for Arc<M> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn entities(&self) -> &[Entity] {
        (**self).entities()
    }

    fn analyze<'m>(&'m self, texts: &'m [&'m str]) -> Analyzing<'m> {
        (**self).analyze(texts)
    }
}

/// Why a [`Model`] found nothing out. Holds nothing of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// It took too long.
    #[error("the model took too long")]
    TimedOut,
    /// It can't be reached, or the connection broke.
    #[error("the model can't be reached")]
    Unreachable,
    /// It answered that it won't or can't.
    #[error("the model refused")]
    Refused,
    /// What it answered can't be read, or can't be true.
    #[error("the model's answer can't be read")]
    Unreadable,
    /// Anything else.
    #[error("the model failed")]
    Failed,
}

impl ModelError {
    /// One word for records and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
        }
    }
}
