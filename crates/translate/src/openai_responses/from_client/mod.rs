//! Reading a request.

mod content;
mod input;
mod tools;

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Document, Refusal};

use crate::facts::Effort;
use crate::losses::Losses;
use crate::neutral::{
    Ask, Block, Format, Names, Raw, Reasoning, Role, Str, ToolKind, Turn, is_empty,
};
use crate::read::{Place, Unknown, member, members, unknown};

/// What this API calls what chat completions call otherwise.
const NAMES: Names = &[
    ("messages", "input"),
    ("messages.system", "input.system"),
    ("messages.content", "input.content"),
    ("messages.annotations", "input.annotations"),
    ("messages.refusal", "input.refusal"),
    ("messages.reasoning_content", "input.reasoning"),
    ("messages.reasoning_details", "input.reasoning"),
    ("messages.tool_calls", "input.function_call"),
    ("messages.tool_calls.extra_content", "input.reasoning"),
    ("messages.image_url.detail", "input.input_image.detail"),
    ("messages.file", "input.input_file"),
    ("messages.server_tool_use", "input.server_tool_call"),
    ("max_completion_tokens", "max_output_tokens"),
    ("response_format", "text.format"),
    ("response_format.json_schema.strict", "text.format.strict"),
    ("response_format.json_schema.name", "text.format.name"),
    (
        "response_format.json_schema.description",
        "text.format.description",
    ),
    ("verbosity", "text.verbosity"),
    ("reasoning_effort", "reasoning.effort"),
    ("reasoning.exclude", "reasoning.summary"),
    ("cache_control", "prompt_cache_breakpoint"),
    ("logprobs", "include"),
];

/// Members by which a request stands on what its provider has stored: nothing is stored here, nor at a provider of another API.
const STORED: &[(&str, &str)] = &[
    (
        "previous_response_id",
        "answers are not stored: send the whole input with each request",
    ),
    (
        "conversation",
        "conversations are not stored: send the whole input with each request",
    ),
    (
        "prompt",
        "templates are not stored: send instructions and input themselves",
    ),
];

/// What an answer says back of its request.
const ECHOED: &[&str] = &[
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "parallel_tool_calls",
    "prompt_cache_key",
    "reasoning",
    "safety_identifier",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

pub(crate) fn decode<'a>(
    document: &'a Document,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Ask<'a>, Refusal> {
    let mut ask = Ask {
        names: NAMES,
        stream: document.facts().stream,
        // Its streams always say it.
        stream_usage: true,
        ..Ask::default()
    };
    let mut rest = Rest::default();
    for (key, value) in members(document.json().root()) {
        let here = Place::In(&Place::Root, &key);
        if let Some(name) = ECHOED.iter().find(|echoed| **echoed == key) {
            ask.echo.push((name, value));
        }
        match key.as_ref() {
            "model" => ask.model = here.text(value)?,
            "input" => ask.turns = input::decode(&here, value, policy, losses)?,
            "instructions" => rest.instructions = Some(here.text(value)?),
            // Core has read and checked it.
            "stream" => {}
            "stream_options" => stream_options(&here, value, policy, losses)?,
            "max_output_tokens" => ask.max_output = Some(here.count(value)?),
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
            "tools" => ask.tools = tools::decode(&here, value, policy, losses)?,
            "tool_choice" => ask.choice = tools::choice(&here, value)?,
            "parallel_tool_calls" => ask.one_tool_at_a_time = !here.flag(value)?,
            "max_tool_calls" => {
                here.count(value)?;
                rest.counts_tools = true;
            }
            "text" => text(&here, value, &mut ask, policy, losses)?,
            "reasoning" => reasoning(&here, value, &mut ask, policy, losses)?,
            "include" => rest.logprobs = include(&here, value, losses)?,
            "top_logprobs" => {
                here.count(value)?;
                rest.top_logprobs = Some(value);
            }
            "user" => ask.user = Some(here.text(value)?),
            "safety_identifier" => rest.identifier = Some(here.text(value)?),
            "service_tier" => {
                here.text(value)?;
                ask.wishes.add("service_tier", value);
            }
            "truncation" => match here.text(value)?.as_ref() {
                "disabled" => {}
                "auto" => losses.dropped("truncation"),
                _ => return Err(here.invalid("auto or disabled")),
            },
            "background" if here.flag(value)? => {
                let says = "nothing is kept that could be fetched later: wait for the answer, or let it stream";
                return Err(here.unsupported(says));
            }
            "background" => {}
            // What the client says of itself.
            "client_metadata" if is_empty(value) => {}
            "client_metadata" => losses.dropped("client_metadata"),
            "context_management" if is_empty(value) => {}
            "context_management" => losses.dropped("context_management"),
            name => {
                if let Some((_, says)) = STORED.iter().find(|(known, _)| *known == name) {
                    return Err(here.unsupported(says));
                } else if !ask.wishes.add(name, value) {
                    unknown(&Place::Root, policy, losses, name)?;
                }
            }
        }
    }
    if ask.model.is_empty() {
        return Err(Place::In(&Place::Root, "model").invalid("needed"));
    }
    rest.settle(&mut ask, losses);
    if ask.turns.is_empty() {
        return Err(Place::In(&Place::Root, "input").invalid("at least one item"));
    }
    Ok(ask)
}

/// What hangs on other members.
#[derive(Default)]
struct Rest<'a> {
    instructions: Option<Str<'a>>,
    identifier: Option<Str<'a>>,
    logprobs: bool,
    top_logprobs: Option<Value<'a>>,
    counts_tools: bool,
}

impl<'a> Rest<'a> {
    fn settle(self, ask: &mut Ask<'a>, losses: &mut Losses) {
        if let Some(text) = self.instructions.filter(|text| !text.is_empty()) {
            let turn = Turn {
                at: 0,
                role: Role::System,
                blocks: vec![Block::text(text)],
            };
            ask.turns.insert(0, turn);
        }
        match (&ask.user, self.identifier) {
            (None, identifier) => ask.user = identifier,
            (Some(user), Some(identifier)) if *user != identifier => {
                losses.dropped("safety_identifier");
            }
            _ => {}
        }
        // How many to tell says nothing where none are to be told.
        if self.logprobs {
            ask.wishes.make("logprobs", "true");
            if let Some(value) = self.top_logprobs {
                ask.wishes.add("top_logprobs", value);
            }
        }
        // It counts calls of the provider's own tools.
        let own = |kind: &ToolKind<'_>| matches!(kind, ToolKind::Server { .. });
        if self.counts_tools && ask.tools.iter().any(|tool| own(&tool.kind)) {
            losses.dropped("max_tool_calls");
        }
    }
}

fn stream_options(
    here: &Place<'_>,
    value: Value<'_>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    for (key, value) in members(here.object(value)?) {
        match key.as_ref() {
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

/// Whether log probabilities are to be told. Thoughts are told always, and of tools that the provider runs nothing is.
fn include(here: &Place<'_>, value: Value<'_>, losses: &mut Losses) -> Result<bool, Refusal> {
    let mut logprobs = false;
    for (index, item) in here.items(value)?.into_iter().enumerate() {
        match Place::At(here, index).text(item)?.as_ref() {
            "reasoning.encrypted_content" => {}
            "message.output_text.logprobs" => logprobs = true,
            _ => losses.dropped("include"),
        }
    }
    Ok(logprobs)
}

fn text<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    ask: &mut Ask<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    for (key, value) in members(here.object(value)?) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "format" => ask.format = format(&there, value, policy, losses)?,
            "verbosity" => {
                there.text(value)?;
                ask.wishes.add("verbosity", value);
            }
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(())
}

fn format<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Format<'a>, Refusal> {
    let value = here.object(value)?;
    let kind = member(value, "type").and_then(Value::text);
    let (mut name, mut description, mut schema, mut strict) = (None, None, None, false);
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "type" => {}
            "name" => name = Some(there.text(value)?),
            "description" => description = Some(there.text(value)?),
            "schema" => schema = Some(there.object(value)?),
            "strict" => strict = there.flag(value)?,
            name => unknown(here, policy, losses, name)?,
        }
    }
    match kind.as_deref() {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::Object),
        Some("json_schema") => Ok(Format::Schema {
            name,
            description,
            schema: Raw::Read(schema.ok_or_else(|| Place::In(here, "schema").invalid("needed"))?),
            strict,
        }),
        _ => Err(Place::In(here, "type").unsupported("text, json_object or json_schema")),
    }
}

fn reasoning(
    here: &Place<'_>,
    value: Value<'_>,
    ask: &mut Ask<'_>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    for (key, value) in members(here.object(value)?) {
        let there = Place::In(here, &key);
        let word = match value.kind() {
            Kind::String => there.text(value)?,
            _ => "".into(),
        };
        match key.as_ref() {
            "effort" => {
                let says = "none, minimal, low, medium, high, xhigh or max";
                ask.reasoning = Some(match word.as_ref() {
                    "none" => Reasoning::Off,
                    word => Effort::named(word)
                        .map(Reasoning::Effort)
                        .ok_or_else(|| there.invalid(says))?,
                });
            }
            "summary" | "generate_summary" => {
                ask.show_thoughts = Some(true);
                match word.as_ref() {
                    "auto" => {}
                    "none" => ask.show_thoughts = Some(false),
                    // No other API has thoughts at a length of choice.
                    "concise" | "detailed" => losses.changed("reasoning.summary"),
                    _ => return Err(there.invalid("auto, concise or detailed")),
                }
            }
            "mode" if word == "standard" => {}
            "context" if word == "auto" => {}
            "mode" => losses.dropped("reasoning.mode"),
            "context" => losses.dropped("reasoning.context"),
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(())
}
