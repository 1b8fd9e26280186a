//! How hard the model is asked to think.
//!
//! | | minimal | low | medium | high | xhigh, max |
//! |---|---|---|---|---|---|
//! | `thinkingBudget`, for models that take one | 1,024 | 1,024 | 8,192 | 24,576 | all there is |
//! | `thinkingLevel`, for later ones | `MINIMAL` | `LOW` | `MEDIUM` | `HIGH` | `XHIGH` |
//!
//! The budgets are those of Google's own OpenAI-compatible API, but no more than three quarters of the most tokens of the answer. A level
//! that the model lacks becomes the next lower one, or else its lowest. What becomes another is reported.

use super::super::models::Style;
use crate::dialects::To;
use crate::facts::Effort;
use crate::losses::Losses;
use crate::neutral::{Ask, Reasoning};
use crate::write::Writer;

const FIELD: &str = "reasoning_effort";

/// What is said of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Thinks {
    /// -1: as the model finds fit.
    budget: Option<i64>,
    level: Option<&'static str>,
    shows: bool,
}

impl Thinks {
    pub(super) fn of(ask: &Ask<'_>, to: &To<'_>, losses: &mut Losses) -> Self {
        let style = Style::of(to);
        if style == Style::None {
            if !matches!(ask.reasoning, None | Some(Reasoning::Off)) {
                losses.dropped(FIELD);
            }
            return Self::default();
        }
        let thinks = !matches!(ask.reasoning, None | Some(Reasoning::Off));
        let mut said = Self {
            // Who asks for thoughts elsewhere is told them.
            shows: ask.show_thoughts.unwrap_or(thinks) && ask.reasoning != Some(Reasoning::Off),
            ..Self::default()
        };
        let Some(wish) = ask.reasoning else {
            return said;
        };
        match style {
            Style::None => {}
            Style::Budget { least, most, stops } => {
                let (tokens, changed) = budget(wish, least, most, stops, ask.max_output);
                said.budget = Some(tokens);
                if changed {
                    losses.changed(FIELD);
                }
            }
            Style::Levels(levels) => {
                let wanted = level(wish, losses);
                if let Some(wanted) = wanted {
                    let lower = levels.iter().filter(|level| **level <= wanted).max();
                    let given = lower.or_else(|| levels.iter().min()).copied();
                    if given != Some(wanted) {
                        losses.changed(FIELD);
                    }
                    said.level = given.map(word);
                }
            }
        }
        said
    }

    pub(super) fn write(&self, config: &mut Writer) {
        if *self == Self::default() {
            return;
        }
        config.key("thinkingConfig");
        config.open();
        if let Some(budget) = self.budget {
            config.raw_at("thinkingBudget", &budget.to_string());
        }
        if let Some(level) = self.level {
            config.plain_at("thinkingLevel", level);
        }
        if self.shows {
            config.raw_at("includeThoughts", "true");
        }
        config.close();
    }
}

/// The budget, and whether it is another than was asked for.
fn budget(
    wish: Reasoning,
    least: u64,
    most: u64,
    stops: bool,
    max_output: Option<u64>,
) -> (i64, bool) {
    let wanted = match wish {
        Reasoning::Auto => return (-1, false),
        Reasoning::Off if stops => return (0, false),
        Reasoning::Off => 0,
        Reasoning::Budget(tokens) => tokens,
        Reasoning::Effort(effort) => {
            let tokens = match effort {
                Effort::Minimal | Effort::Low => 1_024,
                Effort::Medium => 8_192,
                Effort::High => 24_576,
                Effort::XHigh | Effort::Max => most,
            };
            let room = max_output.map_or(most, |max| max.saturating_mul(3) / 4);
            tokens.min(room)
        }
    };
    let given = wanted.clamp(least, most);
    let changed = given != wanted && !matches!(wish, Reasoning::Effort(_));
    (i64::try_from(given).unwrap_or(i64::MAX), changed)
}

fn level(wish: Reasoning, losses: &mut Losses) -> Option<Effort> {
    match wish {
        // What happens anyway.
        Reasoning::Auto => None,
        Reasoning::Effort(effort) => Some(effort),
        Reasoning::Off => {
            losses.changed(FIELD);
            Some(Effort::Minimal)
        }
        Reasoning::Budget(tokens) => {
            losses.changed(FIELD);
            Some(match tokens {
                0..=2_048 => Effort::Low,
                2_049..=8_192 => Effort::Medium,
                _ => Effort::High,
            })
        }
    }
}

const fn word(effort: Effort) -> &'static str {
    match effort {
        Effort::Minimal => "MINIMAL",
        Effort::Low => "LOW",
        Effort::Medium => "MEDIUM",
        Effort::High => "HIGH",
        Effort::XHigh | Effort::Max => "XHIGH",
    }
}
