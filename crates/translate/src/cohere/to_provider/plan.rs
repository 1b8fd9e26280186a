//! What a model can be asked for, given what it can do: the members that hang on one another.

use std::borrow::Cow;

use bartizan_core::Refusal;
use bartizan_core::json::Kind;

use crate::dialects::To;
use crate::facts::{Model, Thinking};
use crate::losses::Losses;
use crate::neutral::{Ask, Block, Choice, Format, Reasoning, Source, ToolKind};
use crate::read::member;
use crate::settings::{Bounds, TooHot};
use crate::write::Writer;

/// Everything settled before the first byte is written.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) form: Form,
    pub(super) choose: Choose,
    pub(super) strict_tools: bool,
    ask: &'a Ask<'a>,
    max_output: Option<u64>,
    temperature: Option<Cow<'a, str>>,
    p: Option<Cow<'a, str>>,
    penalties: Vec<(&'static str, Cow<'a, str>)>,
    think: Think,
}

/// How the answer is held to its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Native,
    /// By the hidden tool.
    Tool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choose {
    Unsaid,
    None,
    Required,
    /// The tools are not offered.
    Withheld,
}

#[derive(Clone, Copy, Debug)]
enum Think {
    Unsaid,
    Off,
    On(Option<u64>),
}

impl<'a> Plan<'a> {
    pub(super) fn of(ask: &'a Ask<'a>, to: &To<'_>, losses: &mut Losses) -> Result<Self, Refusal> {
        if ask.stop.len() > 5 {
            return Err(ask.unsupported("stop", "the provider takes five at most"));
        }
        let form = form(ask, losses);
        let most = to.facts.and_then(Model::output_limit);
        let max_output = ask.max_output.map(|wanted| match most {
            Some(most) if wanted > most => {
                losses.changed("max_tokens");
                most
            }
            _ => wanted,
        });
        let mut plan = Self {
            form,
            choose: choose(ask, form)?,
            strict_tools: strict(ask, form, losses),
            ask,
            max_output,
            temperature: None,
            p: None,
            penalties: Vec::new(),
            think: think(ask, to.facts, max_output.or(most), losses),
        };
        if ask.one_tool_at_a_time && !ask.tools.is_empty() {
            losses.dropped("parallel_tool_calls");
        }
        plan.sample(to.bounds, losses)?;
        Ok(plan)
    }

    fn sample(&mut self, bounds: Bounds, losses: &mut Losses) -> Result<(), Refusal> {
        let ask = self.ask;
        self.temperature = match &ask.temperature {
            Some(number) if number.value <= 1.0 => Some(number.raw.into()),
            Some(_) if bounds.too_hot == TooHot::Refuse => {
                return Err(ask.unsupported("temperature", "the provider takes 0 to 1"));
            }
            Some(_) => {
                losses.changed("temperature");
                Some("1".into())
            }
            None => None,
        };
        self.p = ask.top_p.as_ref().map(|number| {
            let nearest = number.value.clamp(0.01, 0.99);
            if nearest == number.value {
                number.raw.into()
            } else {
                losses.changed("top_p");
                nearest.to_string().into()
            }
        });
        for name in ["frequency_penalty", "presence_penalty"] {
            let Some(json) = ask.wishes.get(name) else {
                continue;
            };
            let number: f64 = json
                .parse()
                .map_err(|_| ask.invalid(name, "not a number"))?;
            if number < 0.0 {
                losses.dropped(name);
            } else if number > 1.0 {
                losses.changed(name);
                self.penalties.push((name, "1".into()));
            } else {
                self.penalties.push((name, json.into()));
            }
        }
        Ok(())
    }

    /// Writes all of it but the tools.
    pub(super) fn write(&self, out: &mut Writer) {
        if self.form == Form::Native {
            out.key("response_format");
            out.open();
            out.plain_at("type", "json_object");
            if let Format::Schema { schema, .. } = &self.ask.format {
                out.raw_at("json_schema", schema.raw());
            }
            out.close();
        }
        if let Some(most) = self.max_output {
            out.number_at("max_tokens", most);
        }
        match self.think {
            Think::Unsaid => {}
            Think::Off => out.raw_at("thinking", r#"{"type":"disabled"}"#),
            Think::On(budget) => {
                out.key("thinking");
                out.open();
                out.plain_at("type", "enabled");
                if let Some(tokens) = budget {
                    out.number_at("token_budget", tokens);
                }
                out.close();
            }
        }
        if let Some(temperature) = &self.temperature {
            out.raw_at("temperature", temperature);
        }
        if let Some(p) = &self.p {
            out.raw_at("p", p);
        }
        if let Some(k) = &self.ask.top_k {
            out.raw_at("k", k.raw);
        }
        for (name, number) in &self.penalties {
            out.raw_at(name, number);
        }
        if !self.ask.stop.is_empty() {
            out.key("stop_sequences");
            out.open_list();
            for stop in &self.ask.stop {
                out.text(stop);
            }
            out.close_list();
        }
    }
}

/// The API has no form of answers beside tools or documents.
fn form(ask: &Ask<'_>, losses: &mut Losses) -> Form {
    let (description, strict) = match &ask.format {
        Format::Text => return Form::Text,
        Format::Object => (false, false),
        Format::Schema {
            description,
            strict,
            ..
        } => (description.is_some(), *strict),
    };
    let offers = ask.offered().next().is_some();
    let must_call = match &ask.choice {
        Choice::Required | Choice::Named(_) => true,
        Choice::Allowed { required, .. } => *required,
        Choice::Auto | Choice::None => false,
    };
    if must_call {
        // The answer is a call, so that its text has no form to keep.
        return Form::Text;
    }
    let beside = offers && !matches!(ask.choice, Choice::None);
    if !beside && !has_documents(ask) {
        if description {
            losses.dropped("response_format.json_schema.description");
        }
        return Form::Native;
    }
    if strict {
        losses.dropped("response_format.json_schema.strict");
    }
    Form::Tool
}

fn has_documents(ask: &Ask<'_>) -> bool {
    let mut blocks = ask.turns.iter().flat_map(|turn| &turn.blocks);
    let text = |block: &Block<'_>| {
        matches!(
            block,
            Block::Document {
                source: Source::Text(_),
                ..
            }
        )
    };
    ask.wishes.get("documents").is_some() || blocks.any(text)
}

fn choose(ask: &Ask<'_>, form: Form) -> Result<Choose, Refusal> {
    let invalid = |says| ask.invalid("tool_choice", says);
    if ask.offered().next().is_none() {
        return match &ask.choice {
            Choice::Required | Choice::Named(_) | Choice::Allowed { required: true, .. } => {
                Err(invalid("there are no tools to choose from"))
            }
            _ if form == Form::Tool => Ok(Choose::Required),
            _ => Ok(Choose::Unsaid),
        };
    }
    Ok(match &ask.choice {
        Choice::Named(name) if !ask.tools.iter().any(|tool| tool.name == *name) => {
            return Err(invalid("names a tool that the request does not offer"));
        }
        Choice::Required | Choice::Named(_) | Choice::Allowed { required: true, .. } => {
            Choose::Required
        }
        Choice::None if form == Form::Text => Choose::None,
        Choice::None if form == Form::Native => Choose::Withheld,
        // Only the hidden tool is to be called.
        Choice::None => Choose::Withheld,
        // A call of the caller's tools, or the answer.
        Choice::Auto | Choice::Allowed { .. } if form == Form::Tool => Choose::Required,
        Choice::Auto | Choice::Allowed { .. } => Choose::Unsaid,
    })
}

/// The API holds all tools to their schemas or none, and only where each needs something.
fn strict(ask: &Ask<'_>, form: Form, losses: &mut Losses) -> bool {
    let mut wanted = 0;
    let mut all = form != Form::Tool;
    for tool in ask.offered() {
        let ToolKind::Function { schema, strict } = &tool.kind else {
            continue;
        };
        wanted += usize::from(*strict);
        let needs = schema.as_ref().and_then(|schema| {
            schema.look(|schema| {
                let required = member(schema, "required");
                required
                    .is_some_and(|list| list.kind() == Kind::Array && list.items().next().is_some())
            })
        });
        all &= *strict && needs == Some(true);
    }
    if wanted == 0 {
        return false;
    }
    if !all {
        losses.dropped("tools.strict");
    }
    all
}

fn think(ask: &Ask<'_>, model: Option<&Model>, most: Option<u64>, losses: &mut Losses) -> Think {
    let Some(wish) = ask.reasoning else {
        return Think::Unsaid;
    };
    if model.is_some_and(|model| model.thinking == Thinking::None) {
        if wish != Reasoning::Off {
            losses.dropped("reasoning_effort");
        }
        return Think::Unsaid;
    }
    match wish {
        Reasoning::Off => Think::Off,
        Reasoning::Auto => Think::On(None),
        Reasoning::Budget(tokens) => Think::On(Some(tokens)),
        // No more than three quarters of what there is, so that room for the answer stays.
        Reasoning::Effort(effort) => Think::On(effort.budget().map(|tokens| match most {
            Some(most) => tokens.min(most / 4 * 3),
            None => tokens,
        })),
    }
}
