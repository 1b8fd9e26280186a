//! Reading the tools that a request offers.

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use crate::losses::Losses;
use crate::neutral::{Choice, Raw, Str, Tool, ToolKind};
use crate::read::{Place, Unknown, member, members, unknown};

pub(super) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Tool<'a>>, Refusal> {
    let items = here.items(value)?.into_iter().enumerate();
    items
        .map(|(index, item)| tool(&Place::At(here, index), item, policy, losses))
        .collect()
}

fn tool<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Tool<'a>, Refusal> {
    let value = here.object(value)?;
    let kind = member(value, "type").and_then(Value::text);
    let of = match kind.as_deref() {
        None | Some("function") => "function",
        Some("custom") => "custom",
        // Which the provider runs itself, as OpenRouter has it.
        Some("openrouter:web_search" | "web_search" | "web_search_preview") => {
            return Ok(Tool {
                name: "web_search".into(),
                description: None,
                kind: ToolKind::Server {
                    kind: "web_search".into(),
                    raw: value,
                },
                cache: None,
            });
        }
        Some(_) => {
            let says = "tools of type function or custom can be offered";
            return Err(Place::In(here, "type").unsupported(says));
        }
    };
    let there = Place::In(here, of);
    let inside = member(value, of).ok_or_else(|| there.invalid("needed"))?;
    let mut tool = if of == "custom" {
        custom(&there, inside, policy, losses)?
    } else {
        function(&there, inside, policy, losses)?
    };
    for (key, value) in members(value) {
        match key.as_ref() {
            "cache_control" => tool.cache = Some(Place::In(here, &key).object(value)?),
            name if name == "type" || name == of => {}
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(tool)
}

pub(super) fn function<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Tool<'a>, Refusal> {
    let (mut schema, mut strict) = (None, false);
    let mut tool = Tool {
        name: "".into(),
        description: None,
        kind: ToolKind::Custom { format: None },
        cache: None,
    };
    for (key, value) in members(here.object(value)?) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "name" => tool.name = there.text(value)?,
            "description" => tool.description = Some(there.text(value)?),
            "parameters" => schema = Some(Raw::Read(there.object(value)?)),
            "strict" => strict = there.flag(value)?,
            "cache_control" => tool.cache = Some(there.object(value)?),
            name => unknown(here, policy, losses, name)?,
        }
    }
    if tool.name.is_empty() {
        return Err(Place::In(here, "name").invalid("needed"));
    }
    tool.kind = ToolKind::Function { schema, strict };
    Ok(tool)
}

/// A tool that takes any text, perhaps of a grammar.
fn custom<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Tool<'a>, Refusal> {
    let mut format = None;
    let mut tool = Tool {
        name: "".into(),
        description: None,
        kind: ToolKind::Custom { format: None },
        cache: None,
    };
    for (key, value) in members(here.object(value)?) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "name" => tool.name = there.text(value)?,
            "description" => tool.description = Some(there.text(value)?),
            "format" if member(value, "type").is_some_and(|kind| kind.is("text")) => {}
            "format" => format = Some(Raw::Read(there.object(value)?)),
            name => unknown(here, policy, losses, name)?,
        }
    }
    if tool.name.is_empty() {
        return Err(Place::In(here, "name").invalid("needed"));
    }
    tool.kind = ToolKind::Custom { format };
    Ok(tool)
}

pub(super) fn choice<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Choice<'a>, Refusal> {
    if value.kind() == Kind::String {
        return match value.text().as_deref() {
            Some("auto") => Ok(Choice::Auto),
            Some("none") => Ok(Choice::None),
            Some("required" | "any") => Ok(Choice::Required),
            _ => Err(here.invalid("none, auto, required, or the name of a function")),
        };
    }
    let value = here.object(value)?;
    if !member(value, "type").is_some_and(|kind| kind.is("allowed_tools")) {
        return named(here, value).map(Choice::Named);
    }
    let there = Place::In(here, "allowed_tools");
    let allowed = member(value, "allowed_tools").ok_or_else(|| there.invalid("needed"))?;
    let required = match member(allowed, "mode").and_then(Value::text).as_deref() {
        Some("auto") => false,
        Some("required") => true,
        _ => return Err(Place::In(&there, "mode").invalid("auto or required")),
    };
    let inside = Place::In(&there, "tools");
    let tools = member(allowed, "tools").ok_or_else(|| inside.invalid("needed"))?;
    let names = inside
        .items(tools)?
        .into_iter()
        .enumerate()
        .map(|(index, tool)| named(&Place::At(&inside, index), tool))
        .collect::<Result<_, _>>()?;
    Ok(Choice::Allowed { names, required })
}

/// The name in an object of a tool's type.
fn named<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Str<'a>, Refusal> {
    let kind = member(here.object(value)?, "type").and_then(Value::text);
    let of = match kind.as_deref() {
        Some("function") => "function",
        Some("custom") => "custom",
        _ => {
            let says = "only tools of type function or custom can be asked for";
            return Err(Place::In(here, "type").unsupported(says));
        }
    };
    let there = Place::In(here, of);
    let inside = Place::In(&there, "name");
    let tool = member(value, of).ok_or_else(|| there.invalid("needed"))?;
    let name = member(tool, "name").ok_or_else(|| inside.invalid("needed"))?;
    inside.text(name)
}
