//! What a model can be asked for, given what it and its server can do.

use std::borrow::Cow;

use bartizan_core::Refusal;

use super::Top;
use crate::catalogue::Quirk;
use crate::dialects::To;
use crate::facts::{Effort, Model, Thinking};
use crate::losses::Losses;
use crate::neutral::{Ask, Choice, Format, Number, Reasoning};
use crate::openai_chat::server::Server;
use crate::settings::{Bounds, TooHot};

/// Everything settled before the first byte is written.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) form: Form,
    pub(super) choose: Choose,
    max_output: Option<u64>,
    temperature: Option<Cow<'a, str>>,
    top_p: Option<&'a str>,
    think: Think,
}

/// How the answer is held to its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Object,
    Schema,
    /// By the hidden tool, where the server knows no schemas.
    Tool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choose {
    Unsaid,
    None,
    Required,
    /// As the request names it.
    Named,
    /// As the request allows.
    Allowed,
    HiddenTool,
}

/// How thinking is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Think {
    Unsaid,
    /// `reasoning_effort`.
    Effort(Effort),
    /// OpenRouter's `reasoning`.
    Object(Reasoning),
    /// `thinking`, as DeepSeek and others have it: on or off, perhaps with an effort beside it.
    Switch(bool, Option<Effort>),
}

impl<'a> Plan<'a> {
    pub(super) fn of(
        ask: &Ask<'a>,
        to: &To<'_>,
        server: Server<'_>,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        if ask.stop.len() > 4 && !server.old_words() {
            return Err(ask.unsupported("stop", "the provider takes four at most"));
        }
        let form = form(ask, server, losses)?;
        let most = to.facts.and_then(Model::output_limit);
        let max_output = ask.max_output.map(|wanted| match most {
            Some(most) if wanted > most => {
                losses.changed("max_completion_tokens");
                most
            }
            _ => wanted,
        });
        let mut plan = Self {
            form,
            choose: choose(ask, form, server, losses)?,
            max_output,
            temperature: None,
            top_p: None,
            think: think(ask, to.facts, server, losses),
        };
        plan.sample(ask, to.facts, to.bounds, server, losses)?;
        Ok(plan)
    }

    /// Whether the answer comes as a call of the hidden tool.
    pub(super) fn is_hidden(&self) -> bool {
        self.form == Form::Tool
    }

    /// 1 is what the API does unasked; models that think take nothing else.
    fn sample(
        &mut self,
        ask: &Ask<'a>,
        model: Option<&Model>,
        bounds: Bounds,
        server: Server<'_>,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        let takes_none = model.is_some_and(|model| !model.sampling);
        let said = |number: &&Number<'a>| !takes_none || number.value != 1.0;
        if let Some(number) = ask.temperature.as_ref().filter(said) {
            let hottest = server.hottest();
            if takes_none {
                losses.dropped("temperature");
            } else if number.value <= hottest {
                self.temperature = Some(number.raw.into());
            } else if bounds.too_hot == TooHot::Refuse {
                let says = format!("the provider takes 0 to {hottest}");
                return Err(ask.unsupported("temperature", &says));
            } else {
                losses.changed("temperature");
                self.temperature = Some(hottest.to_string().into());
            }
        }
        if let Some(number) = ask.top_p.as_ref().filter(said) {
            if takes_none {
                losses.dropped("top_p");
            } else {
                self.top_p = Some(number.raw);
            }
        }
        Ok(())
    }

    /// Writes all of it but the tools.
    pub(super) fn write(&self, top: &mut Top<'_, 'a>) -> Result<(), Refusal> {
        if let Some(most) = self.max_output {
            top.raw_at("max_completion_tokens", &most.to_string())?;
        }
        self.thinking(top)?;
        if let Some(temperature) = &self.temperature {
            top.raw_at("temperature", temperature)?;
        }
        if let Some(top_p) = self.top_p {
            top.raw_at("top_p", top_p)?;
        }
        if let Some(top_k) = &top.ask.top_k {
            if top.server.takes("top_k") {
                top.out.raw_at("top_k", top_k.raw);
            } else {
                top.losses.dropped("top_k");
            }
        }
        if !top.ask.stop.is_empty() && top.key("stop")? {
            top.out.open_list();
            for stop in &top.ask.stop {
                top.out.text(stop);
            }
            top.out.close_list();
        }
        Ok(())
    }

    fn thinking(&self, top: &mut Top<'_, '_>) -> Result<(), Refusal> {
        let hides = top.ask.show_thoughts == Some(false);
        match self.think {
            Think::Object(wish) => {
                top.out.key("reasoning");
                top.out.open();
                match wish {
                    Reasoning::Off => top.out.plain_at("effort", "none"),
                    Reasoning::Auto => top.out.raw_at("enabled", "true"),
                    Reasoning::Effort(effort) => top.out.plain_at("effort", effort.as_str()),
                    Reasoning::Budget(tokens) => top.out.number_at("max_tokens", tokens),
                }
                if hides {
                    top.out.raw_at("exclude", "true");
                }
                top.out.close();
                return Ok(());
            }
            Think::Switch(on, effort) => {
                let kind = if on { "enabled" } else { "disabled" };
                top.out.key("thinking");
                top.out.open();
                top.out.plain_at("type", kind);
                top.out.close();
                if let Some(effort) = effort {
                    effort_at(top, effort)?;
                }
            }
            Think::Effort(effort) => effort_at(top, effort)?,
            Think::Unsaid => {}
        }
        if hides {
            top.losses.dropped("reasoning.exclude");
        }
        Ok(())
    }
}

fn effort_at(top: &mut Top<'_, '_>, effort: Effort) -> Result<(), Refusal> {
    if top.key("reasoning_effort")? {
        top.out.plain(effort.as_str());
    }
    Ok(())
}

fn form(ask: &Ask<'_>, server: Server<'_>, losses: &mut Losses) -> Result<Form, Refusal> {
    Ok(match &ask.format {
        Format::Text => Form::Text,
        Format::Object => Form::Object,
        Format::Schema { .. } if !server.has(Quirk::NoJsonSchema) => Form::Schema,
        // The answer is a call, so that its text has no form to keep.
        Format::Schema { .. } if matches!(ask.choice, Choice::Required | Choice::Named(_)) => {
            Form::Text
        }
        Format::Schema { .. } if server.has(Quirk::NoForcedTool) => {
            let says = "the provider can't be held to a schema";
            return Err(ask.unsupported("response_format", says));
        }
        Format::Schema { name, strict, .. } => {
            if name.is_some() {
                losses.dropped("response_format.json_schema.name");
            }
            if *strict {
                losses.dropped("response_format.json_schema.strict");
            }
            Form::Tool
        }
    })
}

fn choose(
    ask: &Ask<'_>,
    form: Form,
    server: Server<'_>,
    losses: &mut Losses,
) -> Result<Choose, Refusal> {
    let invalid = |says| ask.invalid("tool_choice", says);
    let hidden = form == Form::Tool;
    if ask.tools.is_empty() {
        return match &ask.choice {
            Choice::Required | Choice::Named(_) => {
                Err(invalid("there are no tools to choose from"))
            }
            _ if hidden => Ok(Choose::HiddenTool),
            _ => Ok(Choose::Unsaid),
        };
    }
    let choose = match &ask.choice {
        Choice::None if hidden => Choose::HiddenTool,
        // A call of the caller's tools, or the answer.
        Choice::Auto if hidden => Choose::Required,
        Choice::Allowed { .. } if hidden => Choose::Required,
        Choice::Auto => Choose::Unsaid,
        Choice::None => Choose::None,
        Choice::Required => Choose::Required,
        Choice::Named(name) => {
            if !ask.tools.iter().any(|tool| tool.name == *name) {
                return Err(invalid("names a tool that the request does not offer"));
            }
            Choose::Named
        }
        // To offer no others says the same.
        Choice::Allowed { required: true, .. } if server.old_words() => Choose::Required,
        Choice::Allowed { .. } if server.old_words() => Choose::Unsaid,
        Choice::Allowed { .. } => Choose::Allowed,
    };
    if server.has(Quirk::NoForcedTool) && matches!(choose, Choose::Required | Choose::Named) {
        losses.dropped("tool_choice");
        return Ok(Choose::Unsaid);
    }
    Ok(choose)
}

/// How a wish to think is told.
///
/// A budget becomes the effort that Anthropic's table of budgets has for it. Not to think is unsaid, and reported, where the server has
/// no word for it: models that can do so do so unasked, and others would refuse the word.
fn think(ask: &Ask<'_>, model: Option<&Model>, server: Server<'_>, losses: &mut Losses) -> Think {
    const FIELD: &str = "reasoning_effort";
    let Some(wish) = ask.reasoning else {
        return Think::Unsaid;
    };
    if model.is_some_and(|model| model.thinking == Thinking::None) {
        if wish != Reasoning::Off {
            losses.dropped(FIELD);
        }
        return Think::Unsaid;
    }
    if server.takes("reasoning") {
        return Think::Object(wish);
    }
    let effort = match wish {
        Reasoning::Off | Reasoning::Auto => None,
        Reasoning::Effort(effort) => Some(nearest(effort, model, losses)),
        Reasoning::Budget(tokens) => {
            losses.changed(FIELD);
            Some(nearest(of_budget(tokens), model, losses))
        }
    };
    if server.takes("thinking") {
        return Think::Switch(wish != Reasoning::Off, effort);
    }
    match effort {
        Some(effort) => Think::Effort(effort),
        None => {
            if wish == Reasoning::Off {
                losses.dropped(FIELD);
            }
            Think::Unsaid
        }
    }
}

/// The most that the model has of what is wanted, else its least.
fn nearest(wanted: Effort, model: Option<&Model>, losses: &mut Losses) -> Effort {
    let efforts = model
        .map(|model| model.efforts.as_slice())
        .unwrap_or_default();
    let below = efforts.iter().filter(|effort| **effort <= wanted).max();
    let given = below.or(efforts.iter().min()).copied().unwrap_or(wanted);
    if given != wanted {
        losses.changed("reasoning_effort");
    }
    given
}

const fn of_budget(tokens: u64) -> Effort {
    match tokens {
        0..=2_048 => Effort::Low,
        2_049..=8_192 => Effort::Medium,
        _ => Effort::High,
    }
}
