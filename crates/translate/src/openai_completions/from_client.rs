//! Reading a request.

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Document, Refusal};

use crate::losses::Losses;
use crate::neutral::{Ask, Block, Names, Role, Str, Turn};
use crate::openai_chat::{stop, stream_options};
use crate::read::{Place, Unknown, members, unknown};

/// What this API calls what chat calls otherwise.
const NAMES: Names = &[
    ("max_completion_tokens", "max_tokens"),
    ("messages", "prompt"),
];

pub(crate) fn decode<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    let mut ask = Ask {
        names: NAMES,
        stream: document.facts().stream,
        stream_usage: document.facts().include_usage,
        ..Ask::default()
    };
    let mut said = None;
    for (key, value) in members(document.json().root()) {
        let here = Place::In(&Place::Root, &key);
        match key.as_ref() {
            "model" => ask.model = here.text(value)?,
            "prompt" => said = Some(prompt(&here, value)?),
            // Core has read and checked it.
            "stream" => {}
            "stream_options" => stream_options(&here, value, policy, losses)?,
            "max_tokens" => ask.max_output = Some(here.count(value)?),
            "temperature" => {
                let number = here.number(value)?;
                if !(0.0..=2.0).contains(&number.value) {
                    return Err(here.invalid("from 0 to 2"));
                }
                ask.temperature = Some(number);
            }
            "top_p" => {
                let number = here.number(value)?;
                if !(0.0..=1.0).contains(&number.value) {
                    return Err(here.invalid("from 0 to 1"));
                }
                ask.top_p = Some(number);
            }
            "top_k" => ask.top_k = Some(here.number(value)?),
            "stop" => ask.stop = stop(&here, value)?,
            "user" => ask.user = Some(here.text(value)?),
            "suffix" => {
                here.text(value)?;
                ask.wishes.add("suffix", value);
            }
            "echo" => {
                here.flag(value)?;
                ask.wishes.add("echo", value);
            }
            "n" | "best_of" | "logprobs" => {
                here.count(value)?;
                ask.wishes.add(&key, value);
            }
            name if OTHERS.contains(&name) && ask.wishes.add(name, value) => {}
            name => unknown(&Place::Root, policy, losses, name)?,
        }
    }
    if ask.model.is_empty() {
        return Err(Place::In(&Place::Root, "model").invalid("needed"));
    }
    let text = said
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Place::In(&Place::Root, "prompt").invalid("a text to go on from"))?;
    ask.turns.push(Turn {
        at: 0,
        role: Role::User,
        blocks: vec![Block::text(text)],
    });
    Ok(ask)
}

/// Members that only nudge the model, as chat has them too.
const OTHERS: &[&str] = &[
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "min_p",
    "logit_bias",
    "service_tier",
];

/// One text, perhaps in a list.
fn prompt<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Str<'a>, Refusal> {
    match value.kind() {
        Kind::String => here.text(value),
        Kind::Array => {
            let mut items = value.items();
            match (items.next(), items.next()) {
                (Some(one), None) if one.kind() == Kind::String => {
                    here.items(value)?;
                    here.text(one)
                }
                (Some(one), Some(_)) if one.kind() == Kind::String => {
                    Err(here.unsupported("the provider answers one prompt at a time"))
                }
                _ => Err(here.unsupported("tokens mean nothing to the provider: send a text")),
            }
        }
        _ => Err(here.invalid("a text")),
    }
}
