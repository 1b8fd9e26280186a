//! What is wrong with one field of a provider's definition.

use std::borrow::Cow;

use crate::Error;

/// A field and what to do about it. Whose field it is, is said where that is known.
#[derive(Debug)]
pub(super) struct Fault {
    field: Cow<'static, str>,
    mend: Cow<'static, str>,
}

impl Fault {
    pub(super) fn new(
        field: impl Into<Cow<'static, str>>,
        mend: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: field.into(),
            mend: mend.into(),
        }
    }

    /// The same of a field of another name.
    pub(super) fn at(self, field: &'static str) -> Self {
        Self {
            field: field.into(),
            ..self
        }
    }

    pub(super) fn of(self, provider: &str) -> Error {
        Error::Provider {
            provider: provider.to_owned(),
            field: self.field,
            mend: self.mend,
        }
    }
}
