//! Writing a request.

use bartizan_core::Refusal;

use super::from_provider::Events;
use crate::dialects::{Encoded, To};
use crate::facts::Model;
use crate::losses::Losses;
use crate::neutral::{Ask, Block, Choice, Format, Reasoning, Role};
use crate::write::Writer;

/// The wishes that the API has a word for.
const SAID: &[&str] = &[
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "suffix",
    "echo",
    "best_of",
];

pub(crate) fn encode(ask: &Ask<'_>, to: To<'_>, losses: &mut Losses) -> Result<Encoded, Refusal> {
    let prompt = prompt(ask, losses)?;
    let most = max_tokens(ask, &to, losses)?;
    if ask.stop.len() > 4 {
        return Err(ask.unsupported("stop", "the provider takes four at most"));
    }
    ask.wishes.leave(SAID, losses)?;
    if ask.reasoning.is_some_and(|wish| wish != Reasoning::Off) {
        losses.dropped("reasoning_effort");
    }
    if ask.top_k.is_some() {
        losses.dropped("top_k");
    }
    let mut out = Writer::with_capacity(prompt.len() + 512);
    out.open();
    out.text_at("model", to.model);
    out.text_at("prompt", prompt);
    out.number_at("max_tokens", most);
    for (name, number) in [("temperature", &ask.temperature), ("top_p", &ask.top_p)] {
        if let Some(number) = number {
            out.raw_at(name, number.raw);
        }
    }
    if !ask.stop.is_empty() {
        out.key("stop");
        out.open_list();
        for stop in &ask.stop {
            out.text(stop);
        }
        out.close_list();
    }
    for wish in ask.wishes.iter().filter(|wish| SAID.contains(&wish.name)) {
        out.raw_at(wish.name, &wish.json);
    }
    if let Some(user) = ask.user.as_deref().filter(|user| !user.is_empty()) {
        out.text_at("user", user);
    }
    if ask.stream {
        out.raw_at("stream", "true");
        if to.stream_usage {
            out.raw_at("stream_options", r#"{"include_usage":true}"#);
        }
    }
    out.close();
    Ok(Encoded {
        text: out.finish(),
        reader: Box::new(Events::default()),
    })
}

/// The one text that there is.
fn prompt<'p>(ask: &'p Ask<'_>, losses: &mut Losses) -> Result<&'p str, Refusal> {
    if !ask.tools.is_empty() && !matches!(ask.choice, Choice::None) {
        return Err(ask.unsupported("tools", "the provider calls no tools"));
    }
    if !matches!(ask.format, Format::Text) {
        let says = "the provider keeps to no form of answer";
        return Err(ask.unsupported("response_format", says));
    }
    match ask.turns.as_slice() {
        [turn] if turn.role == Role::User => match turn.blocks.as_slice() {
            [Block::Text { text, cache, .. }] => {
                if cache.is_some() || ask.cache.is_some() {
                    losses.dropped("cache_control");
                }
                Ok(text)
            }
            _ => Err(ask.unsupported_in(turn, ONE_TEXT)),
        },
        _ => Err(ask.unsupported("messages", ONE_TEXT)),
    }
}

const ONE_TEXT: &str =
    "the provider goes on from one text: send one message of the user's, of one text";

/// The API stops at 16 where nothing is said, which is no answer.
fn max_tokens(ask: &Ask<'_>, to: &To<'_>, losses: &mut Losses) -> Result<u64, Refusal> {
    let most = to.facts.and_then(Model::output_limit);
    match (ask.max_output, most) {
        (Some(wanted), Some(most)) if wanted > most => {
            losses.changed("max_completion_tokens");
            Ok(most)
        }
        (wanted, most) => wanted
            .or(most)
            .or(to.bounds.max_output)
            .ok_or_else(|| ask.most_is_required("the provider stops at 16 else")),
    }
}
