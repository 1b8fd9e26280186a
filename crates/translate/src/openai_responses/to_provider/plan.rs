//! What a model can be asked for, given what it can do.

use std::borrow::Cow;

use bartizan_core::Refusal;

use super::Top;
use crate::dialects::To;
use crate::facts::{Effort, Model, Thinking};
use crate::losses::Losses;
use crate::neutral::{Ask, Block, Maker, Number, Reasoning};
use crate::settings::TooHot;

/// Settled before the first byte is written.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    max_output: Option<u64>,
    temperature: Option<Cow<'a, str>>,
    top_p: Option<&'a str>,
    effort: Option<Effort>,
    summary: bool,
    /// Whether thoughts are asked for in the form in which they can be sent back. Models that do not think refuse that.
    encrypted: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn of(ask: &Ask<'a>, to: &To<'_>, losses: &mut Losses) -> Result<Self, Refusal> {
        let model = to.facts;
        if !ask.stop.is_empty() {
            let says = "this API of the provider's has no stop sequences";
            return Err(ask.unsupported("stop", says));
        }
        if ask.top_k.is_some() {
            losses.dropped("top_k");
        }
        let takes_none = model.is_some_and(|model| !model.sampling);
        let mut sampling = |number: Option<&Number<'a>>, field| match number {
            // What happens anyway.
            Some(number) if takes_none && number.value == 1.0 => None,
            Some(_) if takes_none => {
                losses.dropped(field);
                None
            }
            number => number.map(|number| number.raw),
        };
        let temperature = sampling(ask.temperature.as_ref(), "temperature").map(Cow::Borrowed);
        let top_p = sampling(ask.top_p.as_ref(), "top_p");
        let temperature = cool(ask, temperature, to, losses)?;
        let most = model.and_then(Model::output_limit);
        let max_output = ask.max_output.map(|wanted| match most {
            Some(most) if wanted > most => {
                losses.changed("max_completion_tokens");
                most
            }
            _ => wanted,
        });
        let thinks = model.map(|model| model.thinking != Thinking::None);
        Ok(Self {
            max_output,
            temperature,
            top_p,
            effort: effort(ask, model, losses),
            summary: ask.show_thoughts == Some(true) && thinks != Some(false),
            encrypted: thinks.unwrap_or_else(|| seems_to_think(ask)),
        })
    }

    pub(super) fn write(&self, top: &mut Top<'_, '_>) -> Result<(), Refusal> {
        if let Some(most) = self.max_output
            && top.key("max_output_tokens", "max_completion_tokens")?
        {
            top.out.raw(&most.to_string());
        }
        let thinks = self.effort.is_some() || self.summary;
        if thinks && top.key("reasoning", "reasoning_effort")? {
            let out = &mut top.out;
            out.open();
            if let Some(effort) = self.effort {
                out.plain_at("effort", effort.as_str());
            }
            if self.summary {
                out.plain_at("summary", "auto");
            }
            out.close();
        }
        if let Some(temperature) = &self.temperature {
            top.raw_at("temperature", temperature)?;
        }
        if let Some(top_p) = self.top_p {
            top.raw_at("top_p", top_p)?;
        }
        if self.encrypted {
            top.own_at("include", r#"["reasoning.encrypted_content"]"#);
        }
        Ok(())
    }
}

/// A temperature that the server takes.
fn cool<'a>(
    ask: &Ask<'a>,
    temperature: Option<Cow<'a, str>>,
    to: &To<'_>,
    losses: &mut Losses,
) -> Result<Option<Cow<'a, str>>, Refusal> {
    let hottest = to.quirks.hottest();
    let asked = ask.temperature.map_or(0.0, |number| number.value);
    if temperature.is_none() || asked <= hottest {
        return Ok(temperature);
    }
    if to.bounds.too_hot == TooHot::Refuse {
        let says = format!("the provider takes 0 to {hottest}");
        return Err(ask.unsupported("temperature", &says));
    }
    losses.changed("temperature");
    Ok(Some(hottest.to_string().into()))
}

/// Whether a request is one to a model that thinks, where the model is not known.
fn seems_to_think(ask: &Ask<'_>) -> bool {
    let mut blocks = ask.turns.iter().flat_map(|turn| &turn.blocks);
    let thought = |block: &Block<'_>| match block {
        Block::Thinking {
            signature: Some(signature),
            ..
        }
        | Block::Redacted {
            data: signature, ..
        } => signature.maker == Maker::OpenAi,
        _ => false,
    };
    ask.show_thoughts == Some(true)
        || ask.reasoning.is_some_and(|wish| wish != Reasoning::Off)
        || blocks.any(thought)
}

/// A budget becomes the effort that the table of budgets has for it. Not to think is unsaid, and reported: models that can do so do so
/// unasked, and others would refuse the word.
fn effort(ask: &Ask<'_>, model: Option<&Model>, losses: &mut Losses) -> Option<Effort> {
    const FIELD: &str = "reasoning_effort";
    let wish = ask.reasoning?;
    if model.is_some_and(|model| model.thinking == Thinking::None) {
        if wish != Reasoning::Off {
            losses.dropped(FIELD);
        }
        return None;
    }
    let wanted = match wish {
        Reasoning::Auto => return None,
        Reasoning::Off => {
            losses.dropped(FIELD);
            return None;
        }
        Reasoning::Effort(effort) => effort,
        Reasoning::Budget(tokens) => {
            losses.changed(FIELD);
            match tokens {
                0..=2_048 => Effort::Low,
                2_049..=8_192 => Effort::Medium,
                _ => Effort::High,
            }
        }
    };
    // The most that the model has of what is wanted, else its least.
    let efforts = model
        .map(|model| model.efforts.as_slice())
        .unwrap_or_default();
    let below = efforts.iter().filter(|effort| **effort <= wanted).max();
    let given = below.or(efforts.iter().min()).copied().unwrap_or(wanted);
    if given != wanted {
        losses.changed(FIELD);
    }
    Some(given)
}
