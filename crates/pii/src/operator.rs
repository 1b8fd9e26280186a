//! What is done with what was found.

use std::str::FromStr;

use crate::{ConfigError, Key, Partial};

/// What is done with personal data of one kind, in LiteLLM's and Presidio's words. Cloning is cheap.
///
/// | operator | the model sees | comes back in the answer |
/// |---|---|---|
/// | [`Mask`](Self::Mask) | `<EMAIL_ADDRESS_1>` | yes |
/// | [`Fake`](Self::Fake) | `kqzo@example.com` | yes |
/// | [`Replace`](Self::Replace) | `<EMAIL_ADDRESS>` | no |
/// | [`ReplaceWith`](Self::ReplaceWith) | the text that was given | no |
/// | [`Redact`](Self::Redact) | nothing | no |
/// | [`Partial`](Self::Partial) | `****@*****le.in` | no |
/// | [`Hash`](Self::Hash) | `<EMAIL_ADDRESS:hash:...>` | no |
/// | [`Encrypt`](Self::Encrypt) | `<EMAIL_ADDRESS:enc:...>` | no; [`decrypt`](crate::decrypt) turns it back |
/// | [`Block`](Self::Block) | no request at all | |
/// | [`Keep`](Self::Keep), [`Observe`](Self::Observe) | the value | |
///
/// ```
/// use bartizan_pii::Operator;
///
/// assert_eq!("BLOCK".parse::<Operator>()?.as_str(), "BLOCK");
/// # Ok::<(), bartizan_pii::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operator {
    /// `MASK`: a numbered placeholder such as `<EMAIL_ADDRESS_1>` takes its place on the way to the model, and it comes
    /// back in the answer. In an answer of the model's own, the kind's name takes its place.
    Mask,
    /// `REPLACE`: the kind's name, such as `<EMAIL_ADDRESS>`, takes its place for good.
    Replace,
    /// `REPLACE` with a text of one's own.
    ReplaceWith(String),
    /// `REDACT`: it is cut out.
    Redact,
    /// `PARTIAL`: a part of it is covered, such as all but the last four digits.
    Partial(Partial),
    /// `HASH`: a keyed hash takes its place, the same in all calls of a tenant.
    Hash(Key),
    /// `FAKE`: another value of the same shape takes its place, with right check digits and from a range that is kept for
    /// tests where there is one; it comes back in the answer. See [`fake`](crate::fake).
    Fake,
    /// `ENCRYPT`: it is encrypted, and can be decrypted with the key.
    Encrypt(Key),
    /// `BLOCK`: the request is refused.
    Block,
    /// `KEEP`: it is let through, and counted.
    Keep,
    /// `OBSERVE`: it is let through, and noted with what would have been done: for a dry run.
    Observe(Box<Operator>),
}

impl Operator {
    /// LiteLLM's or Presidio's word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Mask => "MASK",
            Self::Replace | Self::ReplaceWith(_) => "REPLACE",
            Self::Redact => "REDACT",
            Self::Partial(_) => "PARTIAL",
            Self::Hash(_) => "HASH",
            Self::Fake => "FAKE",
            Self::Encrypt(_) => "ENCRYPT",
            Self::Block => "BLOCK",
            Self::Keep => "KEEP",
            Self::Observe(_) => "OBSERVE",
        }
    }

    /// Does nothing, and notes that this would have been done.
    #[must_use]
    pub fn observed(self) -> Self {
        match self {
            Self::Observe(_) => self,
            other => Self::Observe(Box::new(other)),
        }
    }

    /// What was done, as records say it.
    pub(crate) const fn done(&self) -> &'static str {
        match self {
            Self::Mask => "masked",
            Self::Replace | Self::ReplaceWith(_) => "replaced",
            Self::Redact => "redacted",
            Self::Partial(_) => "covered",
            Self::Hash(_) => "hashed",
            Self::Fake => "faked",
            Self::Encrypt(_) => "encrypted",
            Self::Block => "blocked",
            Self::Keep => "kept",
            Self::Observe(_) => "observed",
        }
    }

    /// How little it lets through: where two policies speak, the higher one is done.
    pub(crate) const fn strictness(&self) -> u8 {
        match self {
            Self::Block => 10,
            Self::Redact => 9,
            Self::ReplaceWith(_) => 8,
            Self::Replace => 7,
            Self::Mask => 6,
            Self::Fake => 5,
            // Both tell which values are the same, over calls.
            Self::Encrypt(_) => 4,
            Self::Hash(_) => 3,
            Self::Partial(_) => 2,
            Self::Observe(_) => 1,
            Self::Keep => 0,
        }
    }

    /// Whether the value stays.
    pub(crate) const fn lets_through(&self) -> bool {
        matches!(self, Self::Keep | Self::Observe(_))
    }
}

/// Reads the words of the operators that need nothing more, in any case; `PARTIAL` as its default, `OBSERVE` as a masking observed.
impl FromStr for Operator {
    type Err = ConfigError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let plain = [
            Self::Mask,
            Self::Replace,
            Self::Redact,
            Self::Partial(Partial::default()),
            Self::Fake,
            Self::Block,
            Self::Keep,
            Self::Mask.observed(),
        ];
        plain
            .into_iter()
            .find(|operator| operator.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| ConfigError::UnknownOperator(word.to_owned()))
    }
}
