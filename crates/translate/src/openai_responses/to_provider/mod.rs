//! Writing a request.

mod content;
mod input;
mod plan;
mod tools;

use bartizan_core::Refusal;

use self::plan::Plan;
use super::from_provider::Events;
use crate::catalogue::Quirks;
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
    quirks: &'e Quirks,
    names: &'e ToolNames,
    losses: &'e mut Losses,
}

pub(crate) fn encode(ask: &Ask<'_>, to: To<'_>, losses: &mut Losses) -> Result<Encoded, Refusal> {
    let plan = Plan::of(ask, &to, losses)?;
    ask.wishes.leave(SAID, losses)?;
    let names = ToolNames::of(ask, TOOL_NAME);
    let mut top = Top {
        out: Writer::with_capacity(4_096),
        ask,
        quirks: to.quirks,
        names: &names,
        losses,
    };
    top.out.open();
    top.out.text_at("model", to.model);
    input::write(&mut top)?;
    tools::write(&mut top)?;
    plan.write(&mut top)?;
    wishes(&mut top)?;
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

impl Top<'_, '_> {
    /// Writes the key of a member, as the server calls it; `false` where the server has no such member. `ours` is the caller's word for it.
    fn key(&mut self, member: &str, ours: &'static str) -> Result<bool, Refusal> {
        if self.quirks.refuses(member) {
            return Err(self.ask.unsupported(ours, "the provider does not take it"));
        }
        if self.quirks.drops(member) {
            self.losses.dropped(ours);
            return Ok(false);
        }
        self.out.key(self.quirks.renamed(member).unwrap_or(member));
        Ok(true)
    }

    fn raw_at(&mut self, member: &'static str, json: &str) -> Result<(), Refusal> {
        if self.key(member, member)? {
            self.out.raw(json);
        }
        Ok(())
    }

    /// What no caller has asked for is left out in silence where the server lacks it.
    fn own_at(&mut self, member: &'static str, json: &str) {
        if !self.quirks.refuses(member) && !self.quirks.drops(member) {
            let name = self.quirks.renamed(member).unwrap_or(member);
            self.out.raw_at(name, json);
        }
    }
}

fn wishes(top: &mut Top<'_, '_>) -> Result<(), Refusal> {
    let ask = top.ask;
    for wish in ask.wishes.iter() {
        match wish.name {
            // Each has its place elsewhere.
            "store" | "verbosity" | "web_search_options" => {}
            name if SAID.contains(&name) => top.raw_at(name, &wish.json)?,
            _ => {}
        }
    }
    // OpenAI takes 64 characters.
    match ask.user.as_deref() {
        None | Some("") => {}
        Some(user) if user.len() > 64 => top.losses.dropped("user"),
        Some(user) => {
            if top.key("user", "user")? {
                top.out.text(user);
            }
        }
    }
    if ask.cache.is_some() {
        top.losses.dropped("cache_control");
    }
    // Whole conversations are sent, so that nothing need be kept.
    match ask.wishes.get("store") {
        Some(store) => top.raw_at("store", store)?,
        None => top.own_at("store", "false"),
    }
    Ok(())
}
