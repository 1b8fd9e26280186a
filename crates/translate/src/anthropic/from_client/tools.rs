//! Reading the tools that a request offers.

use bartizan_core::Refusal;
use bartizan_core::json::Value;

use crate::losses::Losses;
use crate::neutral::{Ask, Choice, Raw, Str, Tool, ToolKind};
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
    let name = member(value, "name").and_then(Value::text);
    if let Some(kind) = kind.filter(|kind| kind != "custom") {
        return Ok(Tool {
            name: name.unwrap_or_else(|| kind.clone()),
            description: None,
            kind: ToolKind::Server {
                kind: ours(kind),
                raw: value,
            },
            cache: member(value, "cache_control"),
        });
    }
    let there = Place::In(here, "name");
    let name = name.filter(|name| !name.is_empty());
    let (mut schema, mut strict) = (None, false);
    let mut tool = Tool {
        name: name.ok_or_else(|| there.invalid("needed"))?,
        description: None,
        kind: ToolKind::Custom { format: None },
        cache: None,
    };
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "type" | "name" => {}
            "description" => tool.description = Some(there.text(value)?),
            "input_schema" => schema = Some(Raw::Read(there.object(value)?)),
            "strict" => strict = there.flag(value)?,
            "cache_control" => tool.cache = Some(there.object(value)?),
            "eager_input_streaming" if value.as_bool() != Some(true) => {}
            "eager_input_streaming" => losses.dropped("tools.eager_input_streaming"),
            "input_examples" => losses.dropped("tools.input_examples"),
            "defer_loading" => losses.dropped("tools.defer_loading"),
            "allowed_callers" => losses.dropped("tools.allowed_callers"),
            name => unknown(here, policy, losses, name)?,
        }
    }
    tool.kind = ToolKind::Function { schema, strict };
    Ok(tool)
}

/// What the provider runs, without the date in its type.
fn ours(kind: Str<'_>) -> Str<'_> {
    for (theirs, ours) in [
        ("web_search_", "web_search"),
        ("code_execution_", "code_execution"),
        ("web_fetch_", "url_context"),
    ] {
        if kind.starts_with(theirs) {
            return ours.into();
        }
    }
    kind
}

pub(super) fn choice<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    ask: &mut Ask<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let value = here.object(value)?;
    let mut name = None;
    for (key, value) in members(value) {
        let there = Place::In(here, &key);
        match key.as_ref() {
            "type" => {}
            "name" => name = Some(there.text(value)?),
            "disable_parallel_tool_use" => ask.one_tool_at_a_time = there.flag(value)?,
            name => unknown(here, policy, losses, name)?,
        }
    }
    ask.choice = match member(value, "type").and_then(Value::text).as_deref() {
        Some("auto") => Choice::Auto,
        Some("any") => Choice::Required,
        Some("none") => Choice::None,
        Some("tool") => {
            let there = Place::In(here, "name");
            Choice::Named(name.ok_or_else(|| there.invalid("needed"))?)
        }
        _ => return Err(Place::In(here, "type").invalid("auto, any, tool or none")),
    };
    Ok(())
}
