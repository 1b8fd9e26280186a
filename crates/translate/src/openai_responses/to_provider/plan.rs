//! What a model can be asked for, given what it can do.

use bartizan_core::Refusal;

use crate::facts::{Effort, Model, Thinking};
use crate::losses::Losses;
use crate::neutral::{Ask, Block, Maker, Number, Reasoning};
use crate::write::Writer;

/// Settled before the first byte is written.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    max_output: Option<u64>,
    temperature: Option<&'a str>,
    top_p: Option<&'a str>,
    effort: Option<Effort>,
    summary: bool,
    /// Whether thoughts are asked for in the form in which they can be sent back. Models that do not think refuse that.
    encrypted: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn of(
        ask: &Ask<'a>,
        model: Option<&Model>,
        losses: &mut Losses,
    ) -> Result<Self, Refusal> {
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
        let temperature = sampling(ask.temperature.as_ref(), "temperature");
        let top_p = sampling(ask.top_p.as_ref(), "top_p");
        let most = model.and_then(Model::output_limit);
        let max_output = ask.max_output.map(|wanted| match most {
            Some(most) if most > 0 && wanted > most => {
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

    pub(super) fn write(&self, out: &mut Writer) {
        if let Some(most) = self.max_output {
            out.number_at("max_output_tokens", most);
        }
        if self.effort.is_some() || self.summary {
            out.key("reasoning");
            out.open();
            if let Some(effort) = self.effort {
                out.plain_at("effort", effort.as_str());
            }
            if self.summary {
                out.plain_at("summary", "auto");
            }
            out.close();
        }
        for (name, number) in [("temperature", self.temperature), ("top_p", self.top_p)] {
            if let Some(number) = number {
                out.raw_at(name, number);
            }
        }
        if self.encrypted {
            out.raw_at("include", r#"["reasoning.encrypted_content"]"#);
        }
    }
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
