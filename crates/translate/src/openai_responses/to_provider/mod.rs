//! Writing a request.

mod content;
mod input;
mod plan;
mod tools;

use bartizan_core::Refusal;

use self::plan::Plan;
use super::from_provider::Events;
use crate::dialects::{Encoded, To};
use crate::losses::Losses;
use crate::names::{Rule, ToolNames};
use crate::neutral::Ask;
use crate::write::Writer;

/// What OpenAI takes for the name of a tool.
const TOOL_NAME: Rule = Rule {
    fits: |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
    least: 1,
    most: 64,
};

/// The wishes that the API has a word for. What an answer says of log probabilities has no place in other dialects, so they are not asked for.
const SAID: &[&str] = &[
    "metadata",
    "moderation",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "service_tier",
    "store",
    "verbosity",
    "web_search_options",
];

/// The request that is being written.
struct Top<'e, 'a> {
    out: Writer,
    ask: &'e Ask<'a>,
    names: &'e ToolNames,
    losses: &'e mut Losses,
}

pub(crate) fn encode(ask: &Ask<'_>, to: To<'_>, losses: &mut Losses) -> Result<Encoded, Refusal> {
    let plan = Plan::of(ask, to.facts, losses)?;
    ask.wishes.leave(SAID, losses)?;
    let names = ToolNames::of(ask, TOOL_NAME);
    let mut top = Top {
        out: Writer::with_capacity(4_096),
        ask,
        names: &names,
        losses,
    };
    top.out.open();
    top.out.text_at("model", to.model);
    input::write(&mut top)?;
    tools::write(&mut top)?;
    plan.write(&mut top.out);
    wishes(&mut top);
    if ask.stream {
        top.out.raw_at("stream", "true");
    }
    top.out.close();
    let text = top.out.finish();
    Ok(Encoded {
        text,
        reader: Box::new(Events::new(names)),
    })
}

fn wishes(top: &mut Top<'_, '_>) {
    let out = &mut top.out;
    for wish in top.ask.wishes.iter() {
        match wish.name {
            // Each has its place elsewhere.
            "store" | "verbosity" | "web_search_options" => {}
            name if SAID.contains(&name) => out.raw_at(name, &wish.json),
            _ => {}
        }
    }
    // OpenAI takes 64 characters.
    match top.ask.user.as_deref() {
        None | Some("") => {}
        Some(user) if user.len() > 64 => top.losses.dropped("user"),
        Some(user) => out.text_at("user", user),
    }
    if top.ask.cache.is_some() {
        top.losses.dropped("cache_control");
    }
    // Whole conversations are sent, so that nothing need be kept.
    let store = top.ask.wishes.get("store");
    out.raw_at("store", store.unwrap_or("false"));
}
