//! Reading a request.

mod content;
mod tools;

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Document, Refusal};

use crate::facts::Effort;
use crate::losses::Losses;
use crate::neutral::{Ask, Format, Names, Raw, Reasoning, Role, Turn};
use crate::read::{Place, Unknown, member, members, unknown};

/// What Anthropic calls what OpenAI calls otherwise.
const NAMES: Names = &[
    ("stop", "stop_sequences"),
    ("max_completion_tokens", "max_tokens"),
    ("reasoning_effort", "thinking"),
    ("reasoning.exclude", "thinking.display"),
    ("response_format", "output_config.format"),
    (
        "parallel_tool_calls",
        "tool_choice.disable_parallel_tool_use",
    ),
    ("user", "metadata.user_id"),
    ("messages.reasoning_content", "messages.thinking"),
    ("messages.reasoning_details", "messages.thinking"),
    ("messages.tool_calls.extra_content", "messages.thinking"),
    ("messages.system", "system"),
];

/// Members that change what the answer is or where it is made, which no target of another dialect can say.
const REFUSED: &[(&str, &str)] = &[
    ("container", "containers have no equivalent at the provider"),
    ("mcp_servers", "the provider does not call MCP servers"),
    (
        "inference_geo",
        "the provider can't be told where to run the model",
    ),
];

/// Members that only nudge the model or the bill, which no target of another dialect has a word for.
const DROPPED: &[&str] = &["context_management", "speed"];

pub(crate) fn decode<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    let mut ask = Ask {
        names: NAMES,
        stream: document.facts().stream,
        // Anthropic's streams always say it.
        stream_usage: true,
        ..Ask::default()
    };
    let mut system = None;
    let mut effort = None;
    for (key, value) in members(document.json().root()) {
        let here = Place::In(&Place::Root, &key);
        match key.as_ref() {
            "model" => ask.model = here.text(value)?,
            "messages" => ask.turns = messages(&here, value, policy, losses)?,
            "system" => system = Some(content::decode(&here, value, policy, losses)?),
            // Core has read and checked it.
            "stream" => {}
            "max_tokens" => ask.max_output = Some(here.count(value)?),
            "stop_sequences" => {
                let items = here.items(value)?.into_iter().enumerate();
                let read = items.map(|(index, item)| Place::At(&here, index).text(item));
                ask.stop = read.collect::<Result<_, _>>()?;
            }
            "temperature" => ask.temperature = Some(unit(&here, value)?),
            "top_p" => ask.top_p = Some(unit(&here, value)?),
            "top_k" => ask.top_k = Some(here.number(value)?),
            "tools" => ask.tools = tools::decode(&here, value, policy, losses)?,
            "tool_choice" => tools::choice(&here, value, &mut ask, policy, losses)?,
            "thinking" => {
                let (wish, show) = thinking(&here, value, policy, losses)?;
                ask.reasoning = Some(wish);
                ask.show_thoughts = show;
            }
            "output_config" => {
                for (key, value) in members(here.object(value)?) {
                    let there = Place::In(&here, &key);
                    match key.as_ref() {
                        "effort" => effort = Some(level(&there, value)?),
                        "format" => ask.format = format(&there, value, policy, losses)?,
                        "task_budget" => losses.dropped("output_config.task_budget"),
                        name => unknown(&here, policy, losses, name)?,
                    }
                }
            }
            // As it was called while it was new.
            "output_format" => ask.format = format(&here, value, policy, losses)?,
            "metadata" => {
                for (key, value) in members(here.object(value)?) {
                    let there = Place::In(&here, &key);
                    match key.as_ref() {
                        "user_id" => ask.user = Some(there.text(value)?),
                        name => unknown(&here, policy, losses, name)?,
                    }
                }
            }
            "service_tier" => match here.text(value)?.as_ref() {
                "auto" => {}
                "standard_only" => ask.wishes.make("service_tier", r#""default""#),
                _ => return Err(here.invalid("auto or standard_only")),
            },
            "cache_control" => ask.cache = Some(here.object(value)?),
            name => {
                if let Some((_, says)) = REFUSED.iter().find(|(known, _)| *known == name) {
                    return Err(here.unsupported(says));
                } else if let Some(name) = DROPPED.iter().find(|known| **known == name) {
                    losses.dropped(name);
                } else {
                    unknown(&Place::Root, policy, losses, name)?;
                }
            }
        }
    }
    if ask.model.is_empty() {
        return Err(Place::In(&Place::Root, "model").invalid("needed"));
    }
    if ask.turns.is_empty() {
        return Err(Place::In(&Place::Root, "messages").invalid("at least one message"));
    }
    if let Some(blocks) = system {
        let turn = Turn {
            at: 0,
            role: Role::System,
            blocks,
        };
        ask.turns.insert(0, turn);
    }
    match (ask.reasoning, effort) {
        (_, None) => {}
        (None | Some(Reasoning::Auto), Some(effort)) => {
            ask.reasoning = Some(Reasoning::Effort(effort));
        }
        (Some(_), Some(_)) => losses.dropped("output_config.effort"),
    }
    Ok(ask)
}

fn messages<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Turn<'a>>, Refusal> {
    let items = here.items(value)?;
    let mut turns = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        let there = Place::At(here, at);
        let item = there.object(item)?;
        let role = match member(item, "role").and_then(Value::text).as_deref() {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system") => Role::System,
            _ => return Err(Place::In(&there, "role").invalid("user or assistant")),
        };
        let mut blocks = Vec::new();
        for (key, value) in members(item) {
            match key.as_ref() {
                "role" => {}
                "content" => {
                    let inside = Place::In(&there, "content");
                    blocks = content::decode(&inside, value, policy, losses)?;
                }
                name => unknown(&there, policy, losses, name)?,
            }
        }
        content::split(at, role, blocks, &mut turns);
    }
    Ok(turns)
}

fn unit<'a>(here: &Place<'_>, value: Value<'a>) -> Result<crate::neutral::Number<'a>, Refusal> {
    let number = here.number(value)?;
    if (0.0..=1.0).contains(&number.value) {
        Ok(number)
    } else {
        Err(here.invalid("from 0 to 1"))
    }
}

fn level(here: &Place<'_>, value: Value<'_>) -> Result<Effort, Refusal> {
    Effort::named(&here.text(value)?).ok_or_else(|| here.invalid("low, medium, high, xhigh or max"))
}

/// How to think, and whether to tell the thoughts.
fn thinking(
    here: &Place<'_>,
    value: Value<'_>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(Reasoning, Option<bool>), Refusal> {
    let value = here.object(value)?;
    let mut budget = None;
    let mut show = None;
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "type" => {}
            "budget_tokens" => budget = Some(there.count(value)?),
            "display" => show = Some(!value.is("omitted")),
            name => unknown(here, policy, losses, name)?,
        }
    }
    let wish = match member(value, "type").and_then(Value::text).as_deref() {
        Some("disabled") => Reasoning::Off,
        Some("adaptive") => Reasoning::Auto,
        Some("enabled") => budget.map_or(Reasoning::Auto, Reasoning::Budget),
        _ => return Err(Place::In(here, "type").invalid("enabled, disabled or adaptive")),
    };
    Ok((wish, show))
}

fn format<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Format<'a>, Refusal> {
    let value = here.object(value)?;
    let mut schema = None;
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "type" if value.is("json_schema") => {}
            "type" => return Err(there.unsupported("json_schema")),
            "schema" => schema = Some(there.object(value)?),
            name => unknown(here, policy, losses, name)?,
        }
    }
    let there = Place::In(here, "schema");
    Ok(Format::Schema {
        name: None,
        description: None,
        schema: Raw::Read(schema.ok_or_else(|| there.invalid("needed"))?),
        // What is native there is strict.
        strict: true,
    })
}

/// A text, or a list of text blocks, as one place has it.
fn is_string(value: Value<'_>) -> bool {
    value.kind() == Kind::String
}
