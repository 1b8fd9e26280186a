//! Reading the tools that a request offers.

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use super::content::needed;
use crate::losses::Losses;
use crate::neutral::{Choice, Raw, Str, Tool, ToolKind};
use crate::openai_responses::grammar;
use crate::openai_responses::namespace::{is_namespace, joined};
use crate::read::{Place, Unknown, member, members, unknown};

pub(super) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Tool<'a>>, Refusal> {
    let mut tools = Vec::new();
    for (index, item) in here.items(value)?.into_iter().enumerate() {
        let there = Place::At(here, index);
        if is_namespace(item) {
            namespace(&there, item, policy, losses, &mut tools)?;
        } else {
            tools.push(tool(&there, item, policy, losses)?);
        }
    }
    Ok(tools)
}

/// The tools of a namespace, each by both names put together.
fn namespace<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
    tools: &mut Vec<Tool<'a>>,
) -> Result<(), Refusal> {
    let of = needed(here, value, "name")?;
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "type" | "name" => {}
            // Of all its tools together there is no place to speak.
            "description" => losses.dropped("tools.namespace.description"),
            "tools" => {
                for (index, item) in there.items(value)?.into_iter().enumerate() {
                    let mut inside = tool(&Place::At(&there, index), item, policy, losses)?;
                    inside.name = joined(&of, &inside.name).into();
                    tools.push(inside);
                }
            }
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(())
}

fn tool<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Tool<'a>, Refusal> {
    let value = here.object(value)?;
    let kind = needed(here, value, "type")?;
    let custom = match kind.as_ref() {
        "function" => false,
        "custom" => true,
        _ => return Ok(server(kind, value)),
    };
    let (mut schema, mut format, mut strict) = (None, None, None);
    let mut description = None;
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match (custom, key.as_ref()) {
            (_, "type" | "name") => {}
            (_, "description") => description = Some(there.text(value)?),
            (false, "parameters") => schema = Some(there.object(value)?),
            (false, "strict") => strict = Some(there.flag(value)?),
            (true, "format") => format = form(&there, value)?,
            (false, "output_schema") => losses.dropped("tools.output_schema"),
            (_, "defer_loading") if value.as_bool() == Some(false) => {}
            (_, "defer_loading") => losses.dropped("tools.defer_loading"),
            (_, "allowed_callers") => losses.dropped("tools.allowed_callers"),
            (_, name) => unknown(here, policy, losses, name)?,
        }
    }
    let name = needed(here, value, "name")?;
    if name.is_empty() {
        return Err(Place::In(here, "name").invalid("needed"));
    }
    let kind = if custom {
        ToolKind::Custom { format }
    } else {
        // Unsaid, the API makes a schema strict where it can.
        let strict = strict.unwrap_or_else(|| schema.is_some_and(is_strict));
        ToolKind::Function {
            schema: schema.map(Raw::Read),
            strict,
        }
    };
    Ok(Tool {
        name,
        description,
        kind,
        cache: None,
    })
}

/// What the provider runs itself.
fn server<'a>(kind: Str<'a>, raw: Value<'a>) -> Tool<'a> {
    let ours = if kind.starts_with("web_search") {
        "web_search".into()
    } else if kind == "code_interpreter" {
        "code_execution".into()
    } else {
        kind.clone()
    };
    Tool {
        name: kind,
        description: None,
        kind: ToolKind::Server { kind: ours, raw },
        cache: None,
    }
}

/// The form of a custom tool's input; plain text is none.
fn form<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Option<Raw<'a>>, Refusal> {
    let value = here.object(value)?;
    match needed(here, value, "type")?.as_ref() {
        "text" => Ok(None),
        "grammar" => grammar::to_chat(value)
            .map(|made| Some(Raw::Made(made)))
            .ok_or_else(|| here.invalid("syntax and definition are needed")),
        _ => Err(Place::In(here, "type").unsupported("text or grammar")),
    }
}

/// Whether every object in the schema names all of its members as required and lets in no others, as a strict schema must.
fn is_strict(schema: Value<'_>) -> bool {
    match schema.kind() {
        Kind::Array => schema.items().all(is_strict),
        Kind::Object => {
            let properties = schema.get("properties");
            let is_object = properties.is_some_and(|named| named.kind() == Kind::Object)
                || schema.get("type").is_some_and(|kind| kind.is("object"));
            let closed = schema.get("additionalProperties").and_then(Value::as_bool);
            let required = |name: &str| {
                let all = schema.get("required").into_iter().flat_map(Value::items);
                all.into_iter().any(|item| item.is(name))
            };
            let all_required = || {
                let named = properties.into_iter().flat_map(Value::members);
                named
                    .into_iter()
                    .all(|(key, _)| key.text().is_some_and(|name| required(&name)))
            };
            (!is_object || closed == Some(false) && all_required())
                && schema.members().all(|(key, value)| {
                    // What stands in these is data, or names of members.
                    matches!(
                        key.text().as_deref(),
                        Some("enum" | "const" | "default" | "examples")
                    ) || match key.text().as_deref() {
                        Some("properties" | "$defs" | "definitions") => {
                            value.members().all(|(_, schema)| is_strict(schema))
                        }
                        _ => is_strict(value),
                    }
                })
        }
        _ => true,
    }
}

pub(super) fn choice<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Choice<'a>, Refusal> {
    if value.kind() == Kind::String {
        return match value.text().as_deref() {
            Some("auto") => Ok(Choice::Auto),
            Some("none") => Ok(Choice::None),
            Some("required") => Ok(Choice::Required),
            _ => Err(here.invalid("none, auto, required, or a tool")),
        };
    }
    let value = here.object(value)?;
    match member(value, "type").and_then(Value::text).as_deref() {
        Some("function" | "custom") => needed(here, value, "name").map(Choice::Named),
        Some("allowed_tools") => {
            let there = Place::In(here, "tools");
            let tools = member(value, "tools").ok_or_else(|| there.invalid("needed"))?;
            let items = there.items(tools)?.into_iter().enumerate();
            let names = items.map(|(index, tool)| named(&Place::At(&there, index), tool));
            let required = match needed(here, value, "mode")?.as_ref() {
                "auto" => false,
                "required" => true,
                _ => return Err(Place::In(here, "mode").invalid("auto or required")),
            };
            Ok(Choice::Allowed {
                names: names.collect::<Result<_, _>>()?,
                required,
            })
        }
        _ => Err(Place::In(here, "type")
            .unsupported("only functions and custom tools can be asked for by name")),
    }
}

/// A tool among those that are allowed: what the provider runs is called by its type.
fn named<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Str<'a>, Refusal> {
    let value = here.object(value)?;
    match member(value, "name") {
        Some(name) => Place::In(here, "name").text(name),
        None => needed(here, value, "type"),
    }
}
