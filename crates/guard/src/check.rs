//! What a check is, and what it says.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;

use crate::Folded;

/// Looks at one text and says whether it breaks a rule.
///
/// ```
/// use bartizan_guard::{Check, Finding, Risk, Sample};
///
/// #[derive(Debug)]
/// struct NoShouting;
///
/// impl Check for NoShouting {
///     fn name(&self) -> &'static str {
///         "no_shouting"
///     }
///     fn find(&self, sample: &Sample<'_>) -> Option<Finding> {
///         let text = sample.text();
///         let loud = text.len() > 20 && !text.contains(|c: char| c.is_lowercase());
///         loud.then(|| Finding::new(Risk::Policy, "all_capitals", 0..text.len()))
///     }
/// }
///
/// assert!(NoShouting.find(&Sample::new("WHY DON'T YOU ANSWER ME")).is_some());
/// ```
pub trait Check: fmt::Debug + Send + Sync + 'static {
    /// A stable word for refusals, notes and metrics: `injection`.
    fn name(&self) -> &'static str;

    /// The first break of a rule in the text, if there is one. The same text must always give the same answer.
    fn find(&self, sample: &Sample<'_>) -> Option<Finding>;
}

/// A check that can also follow an answer that arrives in pieces, and so may block one.
pub trait StreamCheck: Check {
    /// Creates a watcher for one flow of text.
    fn watch(&self) -> Box<dyn Watcher>;

    /// Whether a finding is none where the user wrote the very same in the request, and the model tells it again: no, unless a check says so.
    fn spares_own(&self) -> bool {
        false
    }
}

/// Follows one flow of text that arrives in pieces.
///
/// What it says must not depend on where the pieces are cut.
pub trait Watcher: Send {
    /// Sees the next piece.
    ///
    /// Clears what can no longer become part of a finding: the answer is the number of bytes, counted from the beginning
    /// of the flow, that may leave. It never falls.
    fn push(&mut self, piece: &str) -> Progress;

    /// Sees the end of the flow.
    fn finish(&mut self) -> Option<Finding>;
}

/// What a [`Watcher`] knows so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes of the flow, from its beginning, may leave.
    Clear(usize),
    /// A rule is broken. What comes before the finding's span may leave.
    Found(Finding),
}

/// A text under inspection. Views of it that several checks need are made once, when the first asks.
#[derive(Debug)]
pub struct Sample<'a> {
    text: &'a str,
    folded: OnceCell<Folded<'a>>,
}

impl<'a> Sample<'a> {
    /// Wraps a text.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self {
            text,
            folded: OnceCell::new(),
        }
    }

    /// The text as it was sent.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The text as a reader sees it.
    #[must_use]
    pub fn folded(&self) -> &Folded<'a> {
        self.folded.get_or_init(|| Folded::new(self.text))
    }
}

/// Which rule is broken, and where. Holds no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    risk: Risk,
    rule: Cow<'static, str>,
    span: Range<usize>,
    disguise: Option<&'static str>,
}

impl Finding {
    /// Creates a finding. `rule` is a stable id from the check's own vocabulary or from configuration, never content;
    /// `span` is in bytes of the text as it was sent.
    #[must_use]
    pub fn new(risk: Risk, rule: impl Into<Cow<'static, str>>, span: Range<usize>) -> Self {
        Self {
            risk,
            rule: rule.into(),
            span,
            disguise: None,
        }
    }

    /// Says how the text was hidden: `base64`, `reversed`.
    #[must_use]
    pub const fn disguised(mut self, how: &'static str) -> Self {
        self.disguise = Some(how);
        self
    }

    /// The risk that the rule stands against.
    #[must_use]
    pub const fn risk(&self) -> Risk {
        self.risk
    }

    /// The stable id of the rule.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// Where, in bytes of the text as it was sent. Of a disguised text, the whole of what hid it.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// How the text was hidden, if it was.
    #[must_use]
    pub const fn disguise(&self) -> Option<&'static str> {
        self.disguise
    }

    pub(crate) fn rule_id(&self) -> Cow<'static, str> {
        self.rule.clone()
    }

    pub(crate) fn moved(mut self, span: Range<usize>) -> Self {
        self.span = span;
        self
    }
}

/// The risk that a rule stands against, by its number in the OWASP Top 10 for LLM applications (2025).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Risk {
    /// LLM01, prompt injection: a text that tries to take over the model, jailbreaks included.
    PromptInjection,
    /// LLM02, sensitive information disclosure: a secret on its way out.
    SensitiveInformation,
    /// LLM07, system prompt leakage: an attempt to read the operator's instructions.
    SystemPromptLeakage,
    /// Not of OWASP's list: the operator's own rule.
    Policy,
}

impl Risk {
    /// `LLM01`, or `policy` for the operator's own rules.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PromptInjection => "LLM01",
            Self::SensitiveInformation => "LLM02",
            Self::SystemPromptLeakage => "LLM07",
            Self::Policy => "policy",
        }
    }

    /// The risk's name in words: `prompt injection`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PromptInjection => "prompt injection",
            Self::SensitiveInformation => "sensitive information disclosure",
            Self::SystemPromptLeakage => "system prompt leakage",
            Self::Policy => "operator's policy",
        }
    }

    pub(crate) fn parse(code: &str) -> Option<Self> {
        [
            Self::PromptInjection,
            Self::SensitiveInformation,
            Self::SystemPromptLeakage,
            Self::Policy,
        ]
        .into_iter()
        .find(|risk| risk.code() == code)
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Policy => f.write_str(self.name()),
            _ => write!(f, "{} {}", self.code(), self.name()),
        }
    }
}
