//! What a model can be asked for, given what it can do: the members that hang on one another.

use std::borrow::Cow;

use bartizan_core::Refusal;

use crate::facts::{Effort, Model, Thinking};
use crate::losses::Losses;
use crate::neutral::{Ask, Block, Choice, Format, Number, Reasoning, Role, Tool, ToolKind};
use crate::settings::{Bounds, TooHot};

/// The least that Anthropic takes.
const LEAST_BUDGET: u64 = 1_024;

/// Everything settled before the first byte is written.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) max_tokens: u64,
    pub(super) thinking: Think,
    pub(super) effort: Option<Effort>,
    pub(super) temperature: Option<Cow<'a, str>>,
    pub(super) top_p: Option<&'a str>,
    pub(super) top_k: Option<&'a str>,
    pub(super) stop: bool,
    pub(super) strict_tools: bool,
    pub(super) output: Output,
    pub(super) choose: Choose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Think {
    Unsaid,
    Budget(u64),
    Adaptive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Text,
    /// By `output_config.format`.
    Native,
    /// By the hidden tool.
    Tool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choose {
    Unsaid,
    Auto,
    None,
    Any,
    /// As the request names it.
    Named,
    HiddenTool,
    /// The tools of the history are declared and may not be called: the request offers none.
    Orphans,
}

impl<'a> Plan<'a> {
    pub(super) fn of(
        ask: &Ask<'a>,
        model: Option<&Model>,
        bounds: Bounds,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        let max_tokens = ask
            .max_output
            .or(model.and_then(Model::output_limit))
            .or(bounds.max_output)
            .ok_or_else(|| ask.most_is_required("the provider needs it"))?;
        let schemas = model.is_some_and(|model| model.json_schema);
        let output = output(ask, schemas, losses);
        let choose = choose(ask, output)?;
        let strict = |tool: &Tool<'_>| matches!(tool.kind, ToolKind::Function { strict: true, .. });
        if !schemas && ask.tools.iter().any(strict) {
            losses.dropped("tools.strict");
        }
        let forced = matches!(choose, Choose::Any | Choose::Named | Choose::HiddenTool);
        let (thinking, effort) = think(ask, model, max_tokens, forced, losses);
        let mut plan = Self {
            max_tokens,
            thinking,
            effort,
            temperature: None,
            top_p: None,
            top_k: None,
            stop: !ask.stop.is_empty(),
            strict_tools: schemas,
            output,
            choose,
        };
        plan.sample(ask, model, bounds, losses)?;
        blank_stops(ask)?;
        Ok(plan)
    }

    /// Temperature 1 and `top_p` 1 are what the API does unasked. Recent models refuse both at once, the newest refuse each, and with
    /// thinking none but the neutral temperature is taken.
    fn sample(
        &mut self,
        ask: &Ask<'a>,
        model: Option<&Model>,
        bounds: Bounds,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        let said = |number: &&Number<'a>| number.value != 1.0;
        let temperature = ask.temperature.as_ref().filter(said);
        let top_p = ask.top_p.as_ref().filter(said);
        let takes_none = model.is_some_and(|model| !model.sampling);
        let thinks = self.thinking != Think::Unsaid;
        if let Some(number) = temperature {
            if takes_none || thinks {
                losses.dropped("temperature");
            } else if number.value <= 1.0 {
                self.temperature = Some(number.raw.into());
            } else if bounds.too_hot == TooHot::Refuse {
                return Err(ask.unsupported("temperature", "the provider takes 0 to 1"));
            } else {
                losses.changed("temperature");
                self.temperature = Some("1".into());
            }
        }
        if let Some(number) = top_p {
            if takes_none || self.temperature.is_some() || thinks && number.value < 0.95 {
                losses.dropped("top_p");
            } else {
                self.top_p = Some(number.raw);
            }
        }
        if let Some(number) = &ask.top_k {
            if takes_none || thinks {
                losses.dropped("top_k");
            } else {
                self.top_k = Some(number.raw);
            }
        }
        Ok(())
    }
}

fn output(ask: &Ask<'_>, schemas: bool, losses: &mut Losses) -> Output {
    let must_call = matches!(
        ask.choice,
        Choice::Required | Choice::Named(_) | Choice::Allowed { required: true, .. }
    );
    match &ask.format {
        Format::Text => Output::Text,
        // What is native is strict, and takes less than a schema may say that only guides.
        Format::Schema {
            description,
            strict: true,
            ..
        } if schemas => {
            if description.is_some() {
                losses.dropped("response_format.json_schema.description");
            }
            Output::Native
        }
        // The answer is a call, so that its text has no form to keep.
        _ if must_call => Output::Text,
        Format::Schema { strict, .. } => {
            if *strict {
                losses.dropped("response_format.json_schema.strict");
            }
            Output::Tool
        }
        Format::Object => Output::Tool,
    }
}

fn choose(ask: &Ask<'_>, output: Output) -> Result<Choose, Refusal> {
    let invalid = |says| ask.invalid("tool_choice", says);
    if ask.tools.is_empty() {
        if matches!(ask.choice, Choice::Required | Choice::Named(_)) {
            return Err(invalid("there are no tools to choose from"));
        }
        let mut blocks = ask.turns.iter().flat_map(|turn| &turn.blocks);
        let orphans =
            blocks.any(|block| matches!(block, Block::ToolUse { .. } | Block::ToolResult { .. }));
        return Ok(match output {
            Output::Tool => Choose::HiddenTool,
            _ if orphans => Choose::Orphans,
            _ => Choose::Unsaid,
        });
    }
    Ok(match (&ask.choice, output) {
        (Choice::Named(name), _) => {
            if !ask.tools.iter().any(|tool| tool.name == *name) {
                return Err(invalid("names a tool that the request does not offer"));
            }
            Choose::Named
        }
        (Choice::Allowed { .. }, _) if ask.offered().next().is_none() => {
            return Err(invalid("allows no tool that the request offers"));
        }
        (Choice::Required | Choice::Allowed { required: true, .. }, _) => Choose::Any,
        (Choice::None, Output::Tool) => Choose::HiddenTool,
        (Choice::None, _) => Choose::None,
        // A call of the caller's tools, or the answer.
        (Choice::Auto | Choice::Allowed { .. }, Output::Tool) => Choose::Any,
        (Choice::Auto | Choice::Allowed { .. }, _) if ask.one_tool_at_a_time => Choose::Auto,
        (Choice::Auto | Choice::Allowed { .. }, _) => Choose::Unsaid,
    })
}

/// Efforts become budgets by this table, no larger than three quarters of `max_tokens`, so that room for the answer stays.
const fn budget(effort: Effort, max_tokens: u64) -> u64 {
    match effort.budget() {
        Some(tokens) => tokens,
        None => max_tokens,
    }
}

/// Thinking is left out, and that reported, where the API would refuse it: with a forced tool, in a tool loop whose call was made
/// without thinking, and where too few tokens are left for it.
pub(crate) fn think(
    ask: &Ask<'_>,
    model: Option<&Model>,
    max_tokens: u64,
    forced: bool,
    losses: &mut Losses,
) -> (Think, Option<Effort>) {
    const FIELD: &str = "reasoning_effort";
    let wish = match ask.reasoning {
        None | Some(Reasoning::Off) => return (Think::Unsaid, None),
        Some(wish) => wish,
    };
    let style = model.map_or(Thinking::None, |model| model.thinking);
    if style == Thinking::None || forced || in_thoughtless_loop(ask) {
        losses.dropped(FIELD);
        return (Think::Unsaid, None);
    }
    if style == Thinking::Budget {
        let most = max_tokens.saturating_mul(3) / 4;
        let wanted = match wish {
            Reasoning::Effort(effort) => budget(effort, max_tokens),
            Reasoning::Budget(tokens) => tokens,
            _ => budget(Effort::Medium, max_tokens),
        };
        let given = wanted.max(LEAST_BUDGET).min(most);
        if given < LEAST_BUDGET {
            losses.dropped(FIELD);
            return (Think::Unsaid, None);
        }
        if matches!(wish, Reasoning::Budget(tokens) if tokens != given) {
            losses.changed(FIELD);
        }
        return (Think::Budget(given), None);
    }
    let wanted = match wish {
        Reasoning::Effort(Effort::Minimal) => Effort::Low,
        Reasoning::Effort(effort) => effort,
        Reasoning::Budget(tokens) => {
            losses.changed(FIELD);
            match tokens {
                0..=2_048 => Effort::Low,
                2_049..=8_192 => Effort::Medium,
                _ => Effort::High,
            }
        }
        _ => return (Think::Adaptive, None),
    };
    let efforts = model
        .map(|model| model.efforts.as_slice())
        .unwrap_or_default();
    let given = efforts.iter().filter(|effort| **effort <= wanted).max();
    if given != Some(&wanted) {
        losses.changed(FIELD);
    }
    (Think::Adaptive, given.copied())
}

/// Whether the results at the end answer a call that was made without signed thinking: the API refuses to think on from there.
fn in_thoughtless_loop(ask: &Ask<'_>) -> bool {
    let mut turns = ask
        .turns
        .iter()
        .rev()
        .filter(|turn| turn.role != Role::System);
    let mut answers = false;
    for turn in turns.by_ref() {
        match turn.role {
            Role::Tool => answers = true,
            Role::User | Role::System => {
                // A user's own words begin a new exchange.
                if !turn.blocks.is_empty() {
                    return false;
                }
            }
            Role::Assistant => {
                let thought = turn.blocks.iter().any(|block| {
                    matches!(
                        block,
                        Block::Thinking {
                            signature: Some(_),
                            ..
                        } | Block::Redacted { .. }
                    )
                });
                let calls = turn
                    .blocks
                    .iter()
                    .any(|block| matches!(block, Block::ToolUse { .. }));
                return answers && calls && !thought;
            }
        }
    }
    false
}

fn blank_stops(ask: &Ask<'_>) -> Result<(), Refusal> {
    let blank = ask.stop.iter().any(|stop| stop.trim().is_empty());
    if blank {
        let says = "the provider takes no stop sequence of white space alone";
        return Err(ask.unsupported("stop", says));
    }
    Ok(())
}
