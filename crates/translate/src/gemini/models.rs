//! What hangs on which Gemini it is, beside what the table of models says.

use crate::dialects::To;
use crate::facts::{Effort, Thinking};

const LOW: &[Effort] = &[Effort::Low, Effort::Medium, Effort::High];

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style<'t> {
    None,
    /// By `thinkingBudget`, in tokens.
    Budget {
        least: u64,
        most: u64,
        /// Whether it can be told not to.
        stops: bool,
    },
    /// By `thinkingLevel`; none of them is none.
    Levels(&'t [Effort]),
}

/// By how a name begins. The first that fits counts.
const STYLES: &[(&str, Style<'static>)] = &[
    ("gemini-1", Style::None),
    ("gemini-2.0", Style::None),
    ("gemini-exp", Style::None),
    (
        "gemini-2.5-pro",
        Style::Budget {
            least: 128,
            most: 32_768,
            stops: false,
        },
    ),
    ("gemini-2.5-flash-image", Style::None),
    (
        "gemini-2.5-flash-lite",
        Style::Budget {
            least: 512,
            most: 24_576,
            stops: true,
        },
    ),
    (
        "gemini-2.5",
        Style::Budget {
            least: 1,
            most: 24_576,
            stops: true,
        },
    ),
    ("gemini-", Style::Levels(LOW)),
];

impl<'t> Style<'t> {
    pub(super) fn of(to: &To<'t>) -> Self {
        let named = STYLES
            .iter()
            .find(|(start, _)| bare(to.model).starts_with(start))
            .map(|(_, style)| *style);
        match (to.facts, named) {
            (Some(facts), _) if facts.thinking == Thinking::None => Style::None,
            (Some(facts), _) if facts.thinking == Thinking::Adaptive => {
                Style::Levels(&facts.efforts)
            }
            // The table does not say the bounds of a budget.
            (Some(_), None | Some(Style::Levels(_))) => Style::Budget {
                least: 1,
                most: 24_576,
                stops: true,
            },
            (_, named) => named.unwrap_or(Style::None),
        }
    }
}

/// Whether it is a Gemini of before the third generation. Later ones check that calls carry their thought's signature, and take media
/// inside of a function's response.
pub(super) fn is_early(model: &str) -> bool {
    let model = bare(model);
    !model.starts_with("gemini-")
        || ["gemini-1", "gemini-2", "gemini-exp"]
            .iter()
            .any(|start| model.starts_with(start))
}

/// A name without the collection that it stands in.
fn bare(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}
