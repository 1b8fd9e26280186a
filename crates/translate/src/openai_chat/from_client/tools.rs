//! Reading the tools that a request offers.

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use crate::losses::Losses;
use crate::neutral::{Choice, Raw, Tool, ToolKind};
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
    let kind = member(value, "type");
    if kind.is_some_and(|kind| !kind.is("function")) {
        return Err(Place::In(here, "type")
            .unsupported("only tools of type function can be offered to this provider"));
    }
    let there = Place::In(here, "function");
    let function = member(value, "function").ok_or_else(|| there.invalid("needed"))?;
    let (mut schema, mut strict) = (None, false);
    let mut tool = Tool {
        name: "".into(),
        description: None,
        kind: ToolKind::Function {
            schema: None,
            strict,
        },
        cache: None,
    };
    for (key, value) in members(value) {
        match key.as_ref() {
            "type" | "function" => {}
            "cache_control" => tool.cache = Some(Place::In(here, &key).object(value)?),
            name => unknown(here, policy, losses, name)?,
        }
    }
    for (key, value) in members(there.object(function)?) {
        let inside = Place::In(&there, &key);
        match key.as_ref() {
            "name" => tool.name = inside.text(value)?,
            "description" => tool.description = Some(inside.text(value)?),
            "parameters" => schema = Some(Raw::Read(inside.object(value)?)),
            "strict" => strict = inside.flag(value)?,
            "cache_control" => tool.cache = Some(inside.object(value)?),
            name => unknown(&there, policy, losses, name)?,
        }
    }
    if tool.name.is_empty() {
        return Err(Place::In(&there, "name").invalid("needed"));
    }
    tool.kind = ToolKind::Function { schema, strict };
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
    if !member(value, "type").is_some_and(|kind| kind.is("function")) {
        return Err(
            Place::In(here, "type").unsupported("only a tool of type function can be asked for")
        );
    }
    let there = Place::In(here, "function");
    let function = member(value, "function").ok_or_else(|| there.invalid("needed"))?;
    let inside = Place::In(&there, "name");
    let name = member(function, "name").ok_or_else(|| inside.invalid("needed"))?;
    inside.text(name).map(Choice::Named)
}
