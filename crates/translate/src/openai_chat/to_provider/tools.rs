//! Writing the tools, the choice among them, and the form of the answer.

use bartizan_core::Refusal;

use super::Top;
use super::plan::{Choose, Form, Plan};
use crate::neutral::{Choice, Format, Raw, Tool, ToolKind};
use crate::openai_chat::HIDDEN_TOOL;

/// A tool that takes nothing.
const NOTHING: &str = r#"{"type":"object","properties":{}}"#;

pub(super) fn write(top: &mut Top<'_, '_>, plan: &Plan<'_>) -> Result<(), Refusal> {
    let ask = top.ask;
    let hidden = plan.is_hidden();
    let all = matches!(plan.choose, Choose::Allowed);
    let offered: Vec<&Tool<'_>> = if all {
        ask.tools.iter().collect()
    } else {
        ask.offered().collect()
    };
    if (!offered.is_empty() || hidden) && top.key("tools")? {
        top.out.open_list();
        for tool in &offered {
            if hidden && tool.name == HIDDEN_TOOL {
                let says = "a tool has a name that is kept for the layer's own";
                return Err(ask.unsupported("tools", says));
            }
            write_tool(top, tool)?;
        }
        if hidden {
            hidden_tool(top);
        }
        top.out.close_list();
        choice(top, plan.choose)?;
        if ask.one_tool_at_a_time && plan.choose != Choose::None {
            top.raw_at("parallel_tool_calls", "false")?;
        }
    }
    match plan.form {
        Form::Text | Form::Tool => {}
        Form::Object => top.raw_at("response_format", r#"{"type":"json_object"}"#)?,
        Form::Schema => {
            if top.key("response_format")? {
                schema(top);
            }
        }
    }
    Ok(())
}

fn write_tool(top: &mut Top<'_, '_>, tool: &Tool<'_>) -> Result<(), Refusal> {
    let name = top.names.there(&tool.name);
    let out = &mut top.out;
    match &tool.kind {
        ToolKind::Function { schema, strict } => {
            out.open();
            out.plain_at("type", "function");
            out.key("function");
            out.open();
            out.text_at("name", name);
            if let Some(description) = &tool.description {
                out.text_at("description", description);
            }
            out.raw_at("parameters", schema.as_ref().map_or(NOTHING, Raw::raw));
            if *strict {
                out.raw_at("strict", "true");
            }
            out.close();
        }
        ToolKind::Custom { format } => {
            out.open();
            out.plain_at("type", "custom");
            out.key("custom");
            out.open();
            out.text_at("name", name);
            if let Some(description) = &tool.description {
                out.text_at("description", description);
            }
            if let Some(format) = format {
                out.raw_at("format", format.raw());
            }
            out.close();
        }
        ToolKind::Server { .. } => {
            let says = "the provider runs no tools of its own: offer functions";
            return Err(top.ask.unsupported("tools", says));
        }
    }
    match tool.cache {
        Some(cache) if top.server.takes("cache_control") => {
            top.out.raw_at("cache_control", cache.raw());
        }
        Some(_) => top.losses.dropped("cache_control"),
        None => {}
    }
    top.out.close();
    Ok(())
}

fn hidden_tool(top: &mut Top<'_, '_>) {
    let Format::Schema {
        description,
        schema,
        ..
    } = &top.ask.format
    else {
        return;
    };
    let says = description.as_deref();
    top.out.open();
    top.out.plain_at("type", "function");
    top.out.key("function");
    top.out.open();
    top.out.plain_at("name", HIDDEN_TOOL);
    top.out.text_at(
        "description",
        says.unwrap_or("Gives the answer to the user."),
    );
    top.out.raw_at("parameters", schema.raw());
    top.out.close();
    top.out.close();
}

fn choice(top: &mut Top<'_, '_>, choose: Choose) -> Result<(), Refusal> {
    let word = match choose {
        Choose::Unsaid => return Ok(()),
        Choose::None => "none",
        Choose::Required => "required",
        Choose::Named | Choose::Allowed | Choose::HiddenTool => "",
    };
    if !top.key("tool_choice")? {
        return Ok(());
    }
    match (&top.ask.choice, choose) {
        (_, Choose::HiddenTool) => named(top, HIDDEN_TOOL, false),
        (Choice::Named(name), Choose::Named) => named(top, name, is_custom(top, name)),
        (Choice::Allowed { names, required }, Choose::Allowed) => {
            top.out.open();
            top.out.plain_at("type", "allowed_tools");
            top.out.key("allowed_tools");
            top.out.open();
            top.out
                .plain_at("mode", if *required { "required" } else { "auto" });
            top.out.key("tools");
            top.out.open_list();
            for name in names {
                named(top, name, is_custom(top, name));
            }
            top.out.close_list();
            top.out.close();
            top.out.close();
        }
        _ => top.out.plain(word),
    }
    Ok(())
}

fn is_custom(top: &Top<'_, '_>, name: &str) -> bool {
    let custom = |tool: &Tool<'_>| matches!(tool.kind, ToolKind::Custom { .. });
    top.ask
        .tools
        .iter()
        .any(|tool| tool.name == name && custom(tool))
}

fn named(top: &mut Top<'_, '_>, name: &str, custom: bool) {
    let kind = if custom { "custom" } else { "function" };
    top.out.open();
    top.out.plain_at("type", kind);
    top.out.key(kind);
    top.out.open();
    top.out.text_at("name", top.names.there(name));
    top.out.close();
    top.out.close();
}

fn schema(top: &mut Top<'_, '_>) {
    let Format::Schema {
        name,
        description,
        schema,
        strict,
    } = &top.ask.format
    else {
        return;
    };
    let out = &mut top.out;
    out.open();
    out.plain_at("type", "json_schema");
    out.key("json_schema");
    out.open();
    // The API wants one, and takes it for nothing else.
    out.text_at("name", name.as_deref().unwrap_or("answer"));
    if let Some(description) = description {
        out.text_at("description", description);
    }
    out.raw_at("schema", schema.raw());
    if *strict {
        out.raw_at("strict", "true");
    }
    out.close();
    out.close();
}
