//! Reading a request.

mod content;
mod functions;
mod messages;
mod tools;

pub(super) use self::messages::decode as messages;

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Document, Refusal};

use crate::facts::Effort;
use crate::losses::Losses;
use crate::neutral::{Ask, Choice, Format, Names, Raw, Reasoning, Str, is_empty};
use crate::read::{Place, Unknown, member, members, unknown};

/// What a caller who speaks of functions calls what others call tools.
const FUNCTIONS: Names = &[
    ("tools", "functions"),
    ("tools.name", "functions.name"),
    ("tools.strict", "functions.strict"),
    ("tool_choice", "function_call"),
];

pub(crate) fn decode<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    let root = document.json().root();
    let mut ask = Ask {
        stream: document.facts().stream,
        stream_usage: document.facts().include_usage,
        ..Ask::default()
    };
    let mut wishes = Wishes::default();
    let (mut functions, mut called) = (Vec::new(), None);
    for (key, value) in members(root) {
        let here = Place::In(&Place::Root, &key);
        match key.as_ref() {
            "model" => ask.model = here.text(value)?,
            "messages" => ask.turns = messages::decode(&here, value, policy, losses)?,
            // Core has read and checked it.
            "stream" => {}
            "stream_options" => stream_options(&here, value, policy, losses)?,
            "max_tokens" => wishes.max_tokens = Some(here.count(value)?),
            "max_completion_tokens" => ask.max_output = Some(here.count(value)?),
            "n" => {
                here.count(value)?;
                ask.wishes.add("n", value);
            }
            "stop" => ask.stop = stop(&here, value)?,
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
            "tools" => ask.tools = tools::decode(&here, value, policy, losses)?,
            "tool_choice" => ask.choice = tools::choice(&here, value)?,
            "parallel_tool_calls" => ask.one_tool_at_a_time = !here.flag(value)?,
            "functions" if is_empty(value) => {}
            "functions" => {
                functions = functions::decode(&here, value, policy, losses)?;
            }
            "function_call" => called = Some((functions::choice(&here, value)?, key)),
            "response_format" => ask.format = format(&here, value, policy, losses)?,
            "reasoning_effort" => wishes.effort = Some(effort(&here, value)?),
            "reasoning" => {
                let show = &mut ask.show_thoughts;
                wishes.reasoning = reasoning(&here, value, policy, losses, show)?;
            }
            "thinking" => wishes.thinking = Some(thinking(&here, value, policy, losses)?),
            "user" => ask.user = Some(here.text(value)?),
            "safety_identifier" => wishes.identifier = Some(here.text(value)?),
            "service_tier" => {
                here.text(value)?;
                ask.wishes.add("service_tier", value);
            }
            "modalities" => {
                if !here.items(value)?.iter().all(|kind| kind.is("text")) {
                    return Err(here.unsupported("the provider answers in text only"));
                }
            }
            "cache_control" => ask.cache = Some(here.object(value)?),
            // As LiteLLM's callers write it.
            "guardrailConfig" => {
                ask.wishes.add("guardrail_config", value);
            }
            name if ask.wishes.add(name, value) => {}
            name => unknown(&Place::Root, policy, losses, name)?,
        }
    }
    if ask.model.is_empty() {
        return Err(Place::In(&Place::Root, "model").invalid("needed"));
    }
    if ask.turns.is_empty() {
        return Err(Place::In(&Place::Root, "messages")
            .invalid("at least one message with something in it"));
    }
    if !functions.is_empty() {
        if !ask.tools.is_empty() {
            let here = Place::In(&Place::Root, "functions");
            return Err(here.invalid("functions or tools, not both"));
        }
        ask.names = FUNCTIONS;
        ask.functions = true;
        ask.one_tool_at_a_time = true;
        ask.tools = functions;
    }
    if let Some((choice, key)) = called {
        if ask.functions {
            ask.choice = choice;
        } else if matches!(choice, Choice::Named(_)) {
            let here = Place::In(&Place::Root, &key);
            return Err(here.invalid("names a function that the request does not offer"));
        }
    }
    wishes.settle(&mut ask, losses);
    Ok(ask)
}

/// What several members say together.
#[derive(Default)]
struct Wishes<'a> {
    max_tokens: Option<u64>,
    effort: Option<Reasoning>,
    reasoning: Option<Reasoning>,
    thinking: Option<Reasoning>,
    identifier: Option<Str<'a>>,
}

impl<'a> Wishes<'a> {
    fn settle(self, ask: &mut Ask<'a>, losses: &mut Losses) {
        match (ask.max_output, self.max_tokens) {
            (None, most) => ask.max_output = most,
            (Some(most), Some(old)) if most != old => losses.dropped("max_tokens"),
            _ => {}
        }
        match (&ask.user, self.identifier) {
            (None, identifier) => ask.user = identifier,
            (Some(user), Some(identifier)) if *user != identifier => {
                losses.dropped("safety_identifier");
            }
            _ => {}
        }
        // The most exact word wins.
        let said = [
            ("thinking", self.thinking),
            ("reasoning", self.reasoning),
            ("reasoning_effort", self.effort),
        ];
        for (name, wish) in said {
            match (ask.reasoning, wish) {
                (None, wish) => ask.reasoning = wish,
                (Some(taken), Some(wish)) if taken != wish => losses.dropped(name),
                _ => {}
            }
        }
    }
}

pub(crate) fn stream_options(
    here: &Place<'_>,
    value: Value<'_>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    for (key, value) in members(here.object(value)?) {
        match key.as_ref() {
            "include_usage" => {}
            "include_obfuscation" => {
                if value.as_bool() != Some(false) {
                    losses.dropped("stream_options.include_obfuscation");
                }
            }
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(())
}

pub(crate) fn stop<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Vec<Str<'a>>, Refusal> {
    if value.kind() == Kind::String {
        return Ok(vec![here.text(value)?]);
    }
    let items = here.items(value)?.into_iter().enumerate();
    items
        .map(|(index, item)| Place::At(here, index).text(item))
        .collect()
}

fn effort(here: &Place<'_>, value: Value<'_>) -> Result<Reasoning, Refusal> {
    match here.text(value)?.as_ref() {
        "none" => Ok(Reasoning::Off),
        word => Effort::named(word)
            .map(Reasoning::Effort)
            .ok_or_else(|| here.invalid("none, minimal, low, medium, high, xhigh or max")),
    }
}

/// OpenRouter's.
fn reasoning(
    here: &Place<'_>,
    value: Value<'_>,
    policy: Unknown,
    losses: &mut Losses,
    show: &mut Option<bool>,
) -> Result<Option<Reasoning>, Refusal> {
    let mut wish = None;
    for (key, value) in members(here.object(value)?) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "effort" => wish = Some(effort(&there, value)?),
            "max_tokens" => wish = Some(Reasoning::Budget(there.count(value)?)),
            "enabled" if there.flag(value)? => wish = wish.or(Some(Reasoning::Auto)),
            "enabled" => wish = Some(Reasoning::Off),
            "exclude" => *show = Some(!there.flag(value)?),
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(wish)
}

/// Anthropic's, as several OpenAI-compatible servers take it too.
fn thinking(
    here: &Place<'_>,
    value: Value<'_>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Reasoning, Refusal> {
    let value = here.object(value)?;
    let budget = Place::In(here, "budget_tokens");
    let wish = match member(value, "type").and_then(Value::text).as_deref() {
        Some("disabled") => Reasoning::Off,
        Some("adaptive") => Reasoning::Auto,
        Some("enabled") => match member(value, "budget_tokens") {
            Some(tokens) => Reasoning::Budget(budget.count(tokens)?),
            None => Reasoning::Auto,
        },
        _ => return Err(Place::In(here, "type").invalid("enabled, disabled or adaptive")),
    };
    for (key, _) in members(value) {
        match key.as_ref() {
            "type" | "budget_tokens" => {}
            "display" => losses.dropped("thinking.display"),
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(wish)
}

fn format<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Format<'a>, Refusal> {
    let value = here.object(value)?;
    for (key, _) in members(value) {
        if !matches!(key.as_ref(), "type" | "json_schema") {
            unknown(here, policy, losses, &key)?;
        }
    }
    match member(value, "type").and_then(Value::text).as_deref() {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::Object),
        Some("json_schema") => {
            let there = Place::In(here, "json_schema");
            let wrapper = member(value, "json_schema").ok_or_else(|| there.invalid("needed"))?;
            let mut schema = None;
            let mut name = None;
            let mut description = None;
            let mut strict = false;
            for (key, value) in members(there.object(wrapper)?) {
                let inside = Place::In(&there, &key);
                match key.as_ref() {
                    "name" => name = Some(inside.text(value)?),
                    "description" => description = Some(inside.text(value)?),
                    "schema" => schema = Some(inside.object(value)?),
                    "strict" => strict = inside.flag(value)?,
                    name => unknown(&there, policy, losses, name)?,
                }
            }
            Ok(schema.map_or(Format::Object, |schema| Format::Schema {
                name,
                description,
                schema: Raw::Read(schema),
                strict,
            }))
        }
        _ => Err(Place::In(here, "type").unsupported("text, json_object or json_schema")),
    }
}
