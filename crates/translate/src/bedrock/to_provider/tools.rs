//! Writing tools.

use bartizan_core::Refusal;
use bartizan_core::json::Value;

use super::Pen;
use super::plan::{Choose, Plan};
use crate::anthropic::{called, write_schema};
use crate::bedrock::family::Family;
use crate::names::HIDDEN_TOOL;
use crate::neutral::{Choice, Format, Raw, Tool, ToolKind};
use crate::read::members;

pub(super) fn write(pen: &mut Pen<'_, '_>, plan: &Plan<'_>) -> Result<(), Refusal> {
    if plan.choose == Choose::Withheld {
        return Ok(());
    }
    let ask = pen.ask;
    pen.out.key("toolConfig");
    pen.out.open();
    pen.out.key("tools");
    pen.out.open_list();
    for tool in ask.offered() {
        if plan.is_hidden() && tool.name == HIDDEN_TOOL {
            let says = "a tool has a name that is kept for the layer's own";
            return Err(ask.unsupported("tools", says));
        }
        write_tool(pen, tool, plan.strict_tools)?;
    }
    if ask.tools.is_empty() {
        // The API wants the tools of the history declared, and nobody knows more of them than the name.
        let called = called(ask);
        if plan.choose == Choose::Orphans && called.is_empty() {
            let says = "the history has results of tools that it never calls";
            return Err(ask.invalid("messages", says));
        }
        let names = pen.names;
        for name in called {
            spec(pen, names.there(name), None, None, false);
        }
    }
    if plan.is_hidden() {
        let (description, schema) = match &ask.format {
            Format::Schema {
                description,
                schema,
                ..
            } => (description.as_deref(), Some(schema)),
            _ => (None, None),
        };
        let description = description.unwrap_or("Gives the answer to the user.");
        spec(pen, HIDDEN_TOOL, Some(description), schema, false);
    }
    pen.out.close_list();
    choice(pen, plan);
    pen.out.close();
    Ok(())
}

fn write_tool(pen: &mut Pen<'_, '_>, tool: &Tool<'_>, strict: bool) -> Result<(), Refusal> {
    match &tool.kind {
        ToolKind::Function {
            schema,
            strict: wanted,
        } => {
            let names = pen.names;
            let description = tool.description.as_deref();
            spec(
                pen,
                names.there(&tool.name),
                description,
                schema.as_ref(),
                strict && *wanted,
            );
        }
        ToolKind::Server { kind, raw } => system_tool(pen, kind, *raw)?,
        ToolKind::Custom { .. } => {
            let says = "only tools of type function can be offered to this provider";
            return Err(pen.ask.unsupported("tools", says));
        }
    }
    if tool.cache.is_some() && !pen.family.caches_tools() {
        pen.losses.dropped("cache_control");
    } else {
        pen.cache_point(tool.cache);
    }
    Ok(())
}

fn spec(
    pen: &mut Pen<'_, '_>,
    name: &str,
    description: Option<&str>,
    schema: Option<&Raw<'_>>,
    strict: bool,
) {
    let out = &mut pen.out;
    out.open();
    out.key("toolSpec");
    out.open();
    out.text_at("name", name);
    if let Some(description) = description.filter(|text| !text.is_empty()) {
        out.text_at("description", description);
    }
    out.key("inputSchema");
    out.open();
    out.key("json");
    match schema {
        Some(schema) => write_schema(schema, out),
        None => out.raw(r#"{"type":"object"}"#),
    }
    out.close();
    if strict {
        out.raw_at("strict", "true");
    }
    out.close();
    out.close();
}

/// Nova's own two; no other model here runs tools itself.
fn system_tool(pen: &mut Pen<'_, '_>, kind: &str, raw: Value<'_>) -> Result<(), Refusal> {
    let name = match kind {
        "web_search" if pen.family == Family::Nova => "nova_grounding",
        "code_execution" if pen.family == Family::Nova => "nova_code_interpreter",
        _ => {
            let says = "the provider has no equivalent of this tool";
            return Err(pen.ask.unsupported("tools", says));
        }
    };
    // It takes no options.
    if members(raw).any(|(key, value)| {
        !matches!(key.as_ref(), "type" | "name" | "cache_control") && value.members().count() > 0
    }) {
        pen.losses.dropped("tools.web_search");
    }
    pen.out.open();
    pen.out.key("systemTool");
    pen.out.open();
    pen.out.plain_at("name", name);
    pen.out.close();
    pen.out.close();
    Ok(())
}

fn choice(pen: &mut Pen<'_, '_>, plan: &Plan<'_>) {
    let name = match (plan.choose, &pen.ask.choice) {
        (Choose::Any, _) => None,
        (Choose::HiddenTool, _) => Some(HIDDEN_TOOL),
        (Choose::Named, Choice::Named(name)) => Some(pen.names.there(name)),
        // `auto` is what happens anyway.
        _ => return,
    };
    pen.out.key("toolChoice");
    pen.out.open();
    match name {
        Some(name) => {
            pen.out.key("tool");
            pen.out.open();
            pen.out.text_at("name", name);
            pen.out.close();
        }
        None => pen.out.raw_at("any", "{}"),
    }
    pen.out.close();
}
