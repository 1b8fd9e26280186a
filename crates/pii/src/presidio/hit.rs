//! What was found, as Presidio tells it.

use std::borrow::Cow;
use std::ops::Range;

use serde::Serialize;

use crate::Finding;
use crate::characters::Characters;

/// One finding in a text, whoever found it.
#[derive(Clone, Debug)]
pub(super) struct Hit<'v> {
    pub(super) entity: Cow<'v, str>,
    /// In bytes.
    pub(super) range: Range<usize>,
    pub(super) score: f64,
    pub(super) explanation: Explanation<'v>,
}

/// How it was found: Presidio's `analysis_explanation`, its members in their order.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Explanation<'v> {
    pub(super) original_score: f64,
    pub(super) pattern: Option<Cow<'v, str>>,
    pub(super) pattern_name: Option<Cow<'v, str>>,
    pub(super) recognizer: Cow<'v, str>,
    pub(super) regex_flags: Option<i64>,
    pub(super) score: f64,
    pub(super) score_context_improvement: f64,
    pub(super) supportive_context_word: Cow<'v, str>,
    pub(super) textual_explanation: Option<String>,
    pub(super) validation_result: Option<bool>,
}

impl<'v> Explanation<'v> {
    pub(super) fn by(recognizer: &'v str, original: f64, score: f64) -> Self {
        Self {
            original_score: original,
            recognizer: recognizer.into(),
            score,
            score_context_improvement: score - original,
            ..Self::default()
        }
    }
}

impl From<Finding> for Hit<'_> {
    fn from(finding: Finding) -> Self {
        let score = exact(finding.score);
        let by = finding.recognizer;
        Self {
            entity: finding.entity.as_str().into(),
            range: finding.range,
            score,
            explanation: Explanation {
                textual_explanation: Some(match finding.validated {
                    Some(check) => format!("Detected by `{by}`; the check `{check}` passed"),
                    None => format!("Detected by `{by}`"),
                }),
                validation_result: finding.validated.map(|_| true),
                ..Explanation::by(by, score, score)
            },
        }
    }
}

/// The decimal number that was meant: 0.85, and not 0.8500000238418579.
pub(super) fn exact(score: f32) -> f64 {
    score.to_string().parse().unwrap_or(f64::from(score))
}

/// One finding on the wire, its members in their order.
#[derive(Debug, Serialize)]
pub(super) struct Told<'v> {
    analysis_explanation: Option<Explanation<'v>>,
    end: usize,
    entity_type: Cow<'v, str>,
    score: f64,
    start: usize,
}

impl<'v> Hit<'v> {
    pub(super) fn tell(self, characters: &Characters<'_>, explained: bool) -> Told<'v> {
        Told {
            analysis_explanation: explained.then_some(self.explanation),
            end: characters.before(self.range.end),
            entity_type: self.entity,
            score: self.score,
            start: characters.before(self.range.start),
        }
    }
}
