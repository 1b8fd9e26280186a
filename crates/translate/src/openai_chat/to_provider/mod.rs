//! Writing a request.

mod content;
mod messages;
mod plan;
mod tools;

use bartizan_core::Refusal;

use self::plan::Plan;
use super::from_provider::{Events, Setup};
use super::server::Server;
use crate::catalogue::Quirk;
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
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "prediction",
    "verbosity",
    "web_search_options",
    "service_tier",
    "store",
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
];

/// Wishes that some compatible servers have a word for.
const SAID_BY_SOME: &[&str] = &["min_p", "top_a", "repetition_penalty"];

pub(crate) fn encode(ask: &Ask<'_>, to: To<'_>, losses: &mut Losses) -> Result<Encoded, Refusal> {
    let server = Server::of(&to);
    let names = ToolNames::of(ask, TOOL_NAME);
    if !names.is_empty() {
        losses.changed("tools.name");
    }
    let plan = Plan::of(ask, &to, server, losses)?;
    let mut top = Top {
        out: Writer::with_capacity(4_096),
        ask,
        server,
        names: &names,
        losses,
    };
    top.out.open();
    top.out.text_at("model", to.model);
    top.out.key("messages");
    messages::write(&mut top)?;
    tools::write(&mut top, &plan)?;
    plan.write(&mut top)?;
    wishes(&mut top)?;
    if ask.stream {
        top.out.raw_at("stream", "true");
        // The caller has not said it, so that there is nothing to report where the server does not take it.
        let takes = !server.has(Quirk::NoStreamOptions) && !server.drops("stream_options");
        if to.stream_usage && takes {
            top.raw_at("stream_options", r#"{"include_usage":true}"#)?;
        }
    }
    top.out.close();
    let text = top.out.finish();
    Ok(Encoded {
        text,
        reader: Box::new(Events::new(Setup {
            names,
            hidden_tool: plan.is_hidden(),
            ends_unsaid: server.has(Quirk::NoDone),
        })),
    })
}

/// The list of messages alone.
pub(super) fn messages(ask: &Ask<'_>, to: &To<'_>, losses: &mut Losses) -> Result<String, Refusal> {
    let names = ToolNames::default();
    let mut top = Top {
        out: Writer::with_capacity(4_096),
        ask,
        server: Server::of(to),
        names: &names,
        losses,
    };
    messages::write(&mut top)?;
    Ok(top.out.finish())
}

/// The request that is being written.
struct Top<'e, 'a> {
    out: Writer,
    ask: &'e Ask<'a>,
    server: Server<'e>,
    names: &'e ToolNames,
    losses: &'e mut Losses,
}

impl Top<'_, '_> {
    /// Writes the key of a member, as the server calls it; `false` where the server has no such member.
    fn key(&mut self, member: &'static str) -> Result<bool, Refusal> {
        if self.server.refuses(member) {
            return Err(self
                .ask
                .unsupported(member, "the provider does not take it"));
        }
        if self.server.drops(member) {
            self.losses.dropped(member);
            return Ok(false);
        }
        self.out.key(self.server.calls(member));
        Ok(true)
    }

    fn raw_at(&mut self, member: &'static str, json: &str) -> Result<(), Refusal> {
        if self.key(member)? {
            self.out.raw(json);
        }
        Ok(())
    }
}

fn wishes(top: &mut Top<'_, '_>) -> Result<(), Refusal> {
    let ask = top.ask;
    let mut said = SAID.to_vec();
    said.extend(SAID_BY_SOME.iter().filter(|name| top.server.takes(name)));
    ask.wishes.leave(&said, top.losses)?;
    let stores = ask.wishes.get("store") == Some("true");
    for wish in ask.wishes.iter() {
        match wish.name {
            name if !said.contains(&name) => {}
            // OpenAI refuses it with an answer that is not kept.
            "metadata" if !stores => top.losses.dropped("metadata"),
            name => top.raw_at(name, &wish.json)?,
        }
    }
    // OpenAI takes 64 characters.
    match ask.user.as_deref() {
        None | Some("") => {}
        Some(user) if user.len() > 64 => top.losses.dropped("user"),
        Some(user) => {
            if top.key("user")? {
                top.out.text(user);
            }
        }
    }
    if let Some(cache) = ask.cache {
        if top.server.takes("cache_control") {
            top.out.raw_at("cache_control", cache.raw());
        } else {
            top.losses.dropped("cache_control");
        }
    }
    Ok(())
}
