//! What a model can be asked for, given whose it is and what it can do: the members that hang on one another.

use std::borrow::Cow;

use bartizan_core::Refusal;

use crate::anthropic::{Think, think};
use crate::bedrock::family::Family;
use crate::dialects::To;
use crate::facts::{Effort, Model};
use crate::losses::Losses;
use crate::neutral::{Ask, Block, Choice, Format, Number, Reasoning, Tool, ToolKind};
use crate::settings::{Bounds, TooHot};
use crate::write::Writer;

/// The most stop sequences that the API takes.
const STOPS: usize = 2_500;

/// Everything settled before the first byte is written.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) output: Output,
    pub(super) choose: Choose,
    pub(super) strict_tools: bool,
    max_output: Option<u64>,
    temperature: Option<Cow<'a, str>>,
    top_p: Option<&'a str>,
    /// Members that the model has and the API has not.
    fields: Vec<String>,
    /// As Anthropic's models are told.
    effort: Option<Effort>,
}

/// How the answer is held to its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Text,
    /// By `outputConfig`.
    Native,
    /// By the hidden tool.
    Tool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choose {
    /// Nothing is offered.
    Withheld,
    Auto,
    Any,
    /// As the request names it.
    Named,
    /// The hidden tool, though others are declared.
    HiddenTool,
    /// The request offers no tools, and its history calls some: they are declared.
    Orphans,
}

impl<'a> Plan<'a> {
    pub(super) fn of(
        ask: &Ask<'a>,
        to: &To<'_>,
        family: Family,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
        if ask.stop.len() > STOPS {
            return Err(ask.unsupported("stop", "the provider takes 2,500 at most"));
        }
        if ask.stop.iter().any(|stop| stop.is_empty()) {
            return Err(ask.unsupported("stop", "the provider takes no empty stop sequence"));
        }
        // Nova is held to a schema by its tools alone.
        let schemas = to.facts.is_some_and(|model| model.json_schema) && family != Family::Nova;
        let output = output(ask, schemas, losses);
        let choose = choose(ask, output, losses)?;
        let strict = |tool: &Tool<'_>| matches!(tool.kind, ToolKind::Function { strict: true, .. });
        if !schemas && ask.offered().any(strict) {
            losses.dropped("tools.strict");
        }
        if ask.one_tool_at_a_time && !ask.tools.is_empty() {
            losses.dropped("parallel_tool_calls");
        }
        let most = to.facts.and_then(Model::output_limit);
        let max_output = ask.max_output.map(|wanted| match most {
            Some(most) if wanted > most => {
                losses.changed("max_completion_tokens");
                most
            }
            _ => wanted,
        });
        let mut plan = Self {
            output,
            choose,
            strict_tools: schemas,
            max_output,
            temperature: None,
            top_p: None,
            fields: Vec::new(),
            effort: None,
        };
        let thinks = plan.think(ask, to, family, losses);
        plan.sample(ask, to, family, thinks, losses)?;
        Ok(plan)
    }

    /// Whether the answer comes as a call of the hidden tool.
    pub(super) fn is_hidden(&self) -> bool {
        self.output == Output::Tool
    }

    fn think(&mut self, ask: &Ask<'_>, to: &To<'_>, family: Family, losses: &mut Losses) -> Thinks {
        const FIELD: &str = "reasoning_effort";
        let wish = match ask.reasoning {
            None | Some(Reasoning::Off) => return Thinks::No,
            Some(wish) => wish,
        };
        match family {
            Family::Claude => {
                let forced = matches!(
                    self.choose,
                    Choose::Any | Choose::Named | Choose::HiddenTool
                );
                let most = to.facts.and_then(Model::output_limit);
                let most = self.max_output.or(most).or(to.bounds.max_output);
                let (thinking, effort) =
                    think(ask, to.facts, most.unwrap_or(u64::MAX), forced, losses);
                let mut field = Writer::default();
                field.key("thinking");
                field.open();
                match thinking {
                    Think::Unsaid => return Thinks::No,
                    Think::Budget(tokens) => {
                        field.plain_at("type", "enabled");
                        field.number_at("budget_tokens", tokens);
                    }
                    Think::Adaptive => field.plain_at("type", "adaptive"),
                }
                if let Some(show) = ask.show_thoughts {
                    field.plain_at("display", if show { "summarized" } else { "omitted" });
                }
                field.close();
                self.fields.push(field.finish());
                self.effort = effort;
                Thinks::Claude
            }
            Family::Nova if to.model.contains("nova-2") => {
                let mut effort = three(wish, FIELD, losses);
                if effort == "high" && self.max_output.is_some() {
                    // With the most of it the API takes no bound on the answer, which may not be lost.
                    losses.changed(FIELD);
                    effort = "medium";
                }
                self.fields.push(format!(
                    r#""reasoningConfig":{{"type":"enabled","maxReasoningEffort":"{effort}"}}"#
                ));
                if effort == "high" {
                    Thinks::Freely
                } else {
                    Thinks::Bounded
                }
            }
            Family::Effort => {
                let effort = three(wish, FIELD, losses);
                self.fields
                    .push(format!(r#""reasoning_effort":"{effort}""#));
                Thinks::Bounded
            }
            _ => {
                losses.dropped(FIELD);
                Thinks::No
            }
        }
    }

    fn sample(
        &mut self,
        ask: &Ask<'a>,
        to: &To<'_>,
        family: Family,
        thinks: Thinks,
        losses: &mut Losses,
    ) -> Result<(), Refusal> {
        let claude = family == Family::Claude;
        let takes_none = to.facts.is_some_and(|model| !model.sampling) || thinks == Thinks::Freely;
        // What Anthropic's models do unasked, and some of them refuse to be told.
        let said = |number: &&Number<'a>| !(claude && number.value == 1.0);
        if let Some(number) = ask.temperature.as_ref().filter(said) {
            if takes_none || thinks == Thinks::Claude {
                losses.dropped("temperature");
            } else {
                self.temperature = Some(temperature(ask, number, to.bounds, losses)?);
            }
        }
        if let Some(number) = ask.top_p.as_ref().filter(said) {
            // Recent ones of Anthropic's refuse both at once, and less than 0.95 with thinking.
            let refused = claude && self.temperature.is_some()
                || thinks == Thinks::Claude && number.value < 0.95;
            if takes_none || refused {
                losses.dropped("top_p");
            } else {
                self.top_p = Some(number.raw);
            }
        }
        if let Some(number) = &ask.top_k {
            let field = match family {
                _ if takes_none || thinks == Thinks::Claude => None,
                Family::Claude | Family::Mistral => Some(format!(r#""top_k":{}"#, number.raw)),
                Family::Nova => Some(format!(r#""inferenceConfig":{{"topK":{}}}"#, number.raw)),
                Family::Cohere => Some(format!(r#""k":{}"#, number.raw)),
                Family::Effort | Family::Other | Family::Unknown => None,
            };
            match field {
                Some(field) => self.fields.push(field),
                None => losses.dropped("top_k"),
            }
        }
        Ok(())
    }

    /// Writes all of it but the tools.
    pub(super) fn write(&self, ask: &Ask<'_>, out: &mut Writer) {
        let bounded = self.max_output.is_some() || !ask.stop.is_empty();
        if bounded || self.temperature.is_some() || self.top_p.is_some() {
            out.key("inferenceConfig");
            out.open();
            if let Some(most) = self.max_output {
                out.number_at("maxTokens", most);
            }
            if let Some(temperature) = &self.temperature {
                out.raw_at("temperature", temperature);
            }
            if let Some(top_p) = self.top_p {
                out.raw_at("topP", top_p);
            }
            if !ask.stop.is_empty() {
                out.key("stopSequences");
                out.open_list();
                for stop in &ask.stop {
                    out.text(stop);
                }
                out.close_list();
            }
            out.close();
        }
        self.form(ask, out);
        if !self.fields.is_empty() {
            out.key("additionalModelRequestFields");
            out.open();
            for field in &self.fields {
                out.raw(field);
            }
            out.close();
        }
    }

    fn form(&self, ask: &Ask<'_>, out: &mut Writer) {
        let format = match &ask.format {
            format @ Format::Schema { .. } if self.output == Output::Native => Some(format),
            _ => None,
        };
        if format.is_none() && self.effort.is_none() {
            return;
        }
        out.key("outputConfig");
        out.open();
        if let Some(Format::Schema {
            name,
            description,
            schema,
            ..
        }) = format
        {
            out.key("textFormat");
            out.open();
            out.plain_at("type", "json_schema");
            out.key("structure");
            out.open();
            out.key("jsonSchema");
            out.open();
            // The schema's text, and no JSON.
            out.text_at("schema", schema.raw());
            for (key, text) in [("name", name), ("description", description)] {
                if let Some(text) = text {
                    out.text_at(key, text);
                }
            }
            out.close();
            out.close();
            out.close();
        }
        if let Some(effort) = self.effort {
            out.plain_at("effort", effort.as_str());
        }
        out.close();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thinks {
    No,
    /// As Anthropic's models do, with little room for sampling.
    Claude,
    Bounded,
    /// With no bound on anything.
    Freely,
}

fn temperature<'a>(
    ask: &Ask<'a>,
    number: &Number<'a>,
    bounds: Bounds,
    losses: &mut Losses,
) -> Result<Cow<'a, str>, Refusal> {
    if number.value <= 1.0 {
        return Ok(number.raw.into());
    }
    if bounds.too_hot == TooHot::Refuse {
        return Err(ask.unsupported("temperature", "the provider takes 0 to 1"));
    }
    losses.changed("temperature");
    Ok("1".into())
}

/// For models that know three efforts.
fn three(wish: Reasoning, field: &'static str, losses: &mut Losses) -> &'static str {
    match wish {
        Reasoning::Effort(Effort::Low) => "low",
        Reasoning::Effort(Effort::Medium) | Reasoning::Auto | Reasoning::Off => "medium",
        Reasoning::Effort(Effort::High) => "high",
        Reasoning::Effort(effort) => {
            losses.changed(field);
            if effort < Effort::Low { "low" } else { "high" }
        }
        Reasoning::Budget(tokens) => {
            losses.changed(field);
            match tokens {
                0..=2_048 => "low",
                2_049..=8_192 => "medium",
                _ => "high",
            }
        }
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
        Format::Schema { strict: true, .. } if schemas => Output::Native,
        // The answer is a call, so that its text has no form to keep.
        _ if must_call => Output::Text,
        Format::Schema { name, strict, .. } => {
            if name.is_some() {
                losses.dropped("response_format.json_schema.name");
            }
            if *strict {
                losses.dropped("response_format.json_schema.strict");
            }
            Output::Tool
        }
        Format::Object => Output::Tool,
    }
}

fn choose(ask: &Ask<'_>, output: Output, losses: &mut Losses) -> Result<Choose, Refusal> {
    let invalid = |says| ask.invalid("tool_choice", says);
    let hidden = output == Output::Tool;
    let mut blocks = ask.turns.iter().flat_map(|turn| &turn.blocks);
    let called =
        blocks.any(|block| matches!(block, Block::ToolUse { .. } | Block::ToolResult { .. }));
    if ask.tools.is_empty() {
        if matches!(ask.choice, Choice::Required | Choice::Named(_)) {
            return Err(invalid("there are no tools to choose from"));
        }
        return Ok(match (hidden, called) {
            (true, true) => Choose::HiddenTool,
            (true, false) => Choose::Any,
            (false, true) => {
                losses.changed("tools");
                Choose::Orphans
            }
            (false, false) => Choose::Withheld,
        });
    }
    Ok(match &ask.choice {
        Choice::Named(name) if !ask.tools.iter().any(|tool| tool.name == *name) => {
            return Err(invalid("names a tool that the request does not offer"));
        }
        Choice::Allowed { .. } if ask.offered().next().is_none() => {
            return Err(invalid("allows no tool that the request offers"));
        }
        Choice::Named(_) => Choose::Named,
        Choice::Required | Choice::Allowed { required: true, .. } => Choose::Any,
        Choice::None if hidden => Choose::HiddenTool,
        Choice::None if called => {
            // The API has no word for it, and wants the tools of its history declared.
            losses.dropped("tool_choice");
            Choose::Auto
        }
        Choice::None => Choose::Withheld,
        // A call of the caller's tools, or the answer.
        Choice::Auto | Choice::Allowed { .. } if hidden => Choose::Any,
        Choice::Auto | Choice::Allowed { .. } => Choose::Auto,
    })
}
