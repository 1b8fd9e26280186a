//! Writing the tools, the choice among them, and the form of the answer.

use bartizan_core::Refusal;
use bartizan_core::json::{Json, Kind, Value};

use super::Top;
use crate::neutral::{Choice, Format, Raw, Tool, ToolKind, is_empty};
use crate::openai_responses::grammar;
use crate::read::{member, members};
use crate::write::Writer;

/// A tool that takes nothing.
const NOTHING: &str = r#"{"type":"object","properties":{}}"#;

const WEB_SEARCH: &str = "web_search";

pub(super) fn write(top: &mut Top<'_, '_>) -> Result<(), Refusal> {
    let ask = top.ask;
    let searches =
        |tool: &Tool<'_>| matches!(&tool.kind, ToolKind::Server { kind, .. } if kind == WEB_SEARCH);
    let options = ask
        .wishes
        .get("web_search_options")
        .filter(|_| !ask.tools.iter().any(searches));
    if ask.tools.is_empty() && options.is_none() {
        if matches!(ask.choice, Choice::Required | Choice::Named(_)) {
            let says = "there are no tools to choose from";
            return Err(ask.invalid("tool_choice", says));
        }
    } else if top.key("tools", "tools")? {
        top.out.open_list();
        for tool in &ask.tools {
            tool_at(top, tool)?;
        }
        if let Some(options) = options {
            search_options(options, &mut top.out);
        }
        top.out.close_list();
        choice(top)?;
        if ask.one_tool_at_a_time {
            top.raw_at("parallel_tool_calls", "false")?;
        }
    }
    format(top)
}

fn tool_at(top: &mut Top<'_, '_>, tool: &Tool<'_>) -> Result<(), Refusal> {
    if tool.cache.is_some() {
        top.losses.dropped("cache_control");
    }
    let kind = match &tool.kind {
        ToolKind::Function { .. } => "function",
        ToolKind::Custom { .. } => "custom",
        ToolKind::Server { kind, raw } => return server(top, kind, *raw),
    };
    let name = top.names.there(&tool.name);
    let out = &mut top.out;
    out.open();
    out.plain_at("type", kind);
    out.text_at("name", name);
    if let Some(description) = &tool.description {
        out.text_at("description", description);
    }
    match &tool.kind {
        ToolKind::Function { schema, strict } => {
            out.raw_at("parameters", schema.as_ref().map_or(NOTHING, Raw::raw));
            // Unsaid, a schema is made strict where it can be.
            out.raw_at("strict", if *strict { "true" } else { "false" });
        }
        ToolKind::Custom {
            format: Some(format),
        } => {
            if let Some(format) = format.look(grammar::from_chat).flatten() {
                out.raw_at("format", &format);
            }
        }
        _ => {}
    }
    out.close();
    Ok(())
}

/// A search of the web, as far as the API can be told how; other tools of other providers have no equivalent.
fn server(top: &mut Top<'_, '_>, kind: &str, raw: Value<'_>) -> Result<(), Refusal> {
    if kind != WEB_SEARCH {
        let says = "the provider has no equivalent of this tool";
        return Err(top.ask.unsupported("tools", says));
    }
    top.out.open();
    top.out.plain_at("type", WEB_SEARCH);
    for (key, value) in members(raw) {
        match key.as_ref() {
            "type" | "name" | "cache_control" => {}
            // In OpenAI's and Anthropic's dialects they have the same form.
            "user_location" | "search_context_size" | "filters" => {
                top.out.raw_at(&key, value.raw());
            }
            "allowed_domains" => {
                top.out.key("filters");
                top.out.open();
                top.out.raw_at("allowed_domains", value.raw());
                top.out.close();
            }
            "blocked_domains" if is_empty(value) => {}
            "blocked_domains" => {
                let says = "the provider can't be told where not to search";
                return Err(top.ask.unsupported("tools", says));
            }
            // Google's has no options.
            "googleSearch" | "google_search" if value.kind() == Kind::Object => {}
            _ => top.losses.dropped("tools.web_search"),
        }
    }
    top.out.close();
    Ok(())
}

/// Chat completions search by an option, whose place is one level deeper.
fn search_options(options: &str, out: &mut Writer) {
    let json = Json::read(options);
    let options = json.as_ref().map(Json::root).ok();
    let said = |key: &str| options.and_then(|options| member(options, key));
    out.open();
    out.plain_at("type", WEB_SEARCH);
    if let Some(size) = said("search_context_size") {
        out.raw_at("search_context_size", size.raw());
    }
    if let Some(place) = said("user_location").and_then(|place| member(place, "approximate")) {
        out.key("user_location");
        out.open();
        out.plain_at("type", "approximate");
        for key in ["city", "country", "region", "timezone"] {
            if let Some(value) = member(place, key) {
                out.raw_at(key, value.raw());
            }
        }
        out.close();
    }
    out.close();
}

fn choice(top: &mut Top<'_, '_>) -> Result<(), Refusal> {
    let ask = top.ask;
    let invalid = |says| Err(ask.invalid("tool_choice", says));
    match &ask.choice {
        Choice::Auto => {}
        Choice::None => top.raw_at("tool_choice", r#""none""#)?,
        Choice::Required => top.raw_at("tool_choice", r#""required""#)?,
        Choice::Named(name) => match tool_of(top, name) {
            Some(tool) if !matches!(tool.kind, ToolKind::Server { .. }) => {
                if top.key("tool_choice", "tool_choice")? {
                    named(top, tool);
                }
            }
            Some(_) => {
                let says = "a tool that the provider runs itself can't be forced";
                return Err(ask.unsupported("tool_choice", says));
            }
            None => return invalid("names a tool that the request does not offer"),
        },
        Choice::Allowed { names, required } => {
            let allowed: Vec<&Tool<'_>> = ask
                .tools
                .iter()
                .filter(|tool| names.contains(&tool.name))
                .collect();
            if allowed.is_empty() {
                return invalid("allows no tool that the request offers");
            }
            if !top.key("tool_choice", "tool_choice")? {
                return Ok(());
            }
            top.out.open();
            top.out.plain_at("type", "allowed_tools");
            let mode = if *required { "required" } else { "auto" };
            top.out.plain_at("mode", mode);
            top.out.key("tools");
            top.out.open_list();
            for tool in allowed {
                named(top, tool);
            }
            top.out.close_list();
            top.out.close();
        }
    }
    Ok(())
}

fn tool_of<'e, 'a>(top: &Top<'e, 'a>, name: &str) -> Option<&'e Tool<'a>> {
    top.ask.tools.iter().find(|tool| tool.name == name)
}

fn named(top: &mut Top<'_, '_>, tool: &Tool<'_>) {
    let kind = match &tool.kind {
        ToolKind::Function { .. } => "function",
        ToolKind::Custom { .. } => "custom",
        ToolKind::Server { .. } => WEB_SEARCH,
    };
    top.out.open();
    top.out.plain_at("type", kind);
    if kind != WEB_SEARCH {
        let name = top.names.there(&tool.name);
        top.out.text_at("name", name);
    }
    top.out.close();
}

fn format(top: &mut Top<'_, '_>) -> Result<(), Refusal> {
    let verbosity = top.ask.wishes.get("verbosity");
    let is_text = matches!(top.ask.format, Format::Text);
    if verbosity.is_none() && is_text {
        return Ok(());
    }
    let ours = if is_text {
        "verbosity"
    } else {
        "response_format"
    };
    if !top.key("text", ours)? {
        return Ok(());
    }
    let out = &mut top.out;
    out.open();
    match &top.ask.format {
        Format::Text => {}
        Format::Object => out.raw_at("format", r#"{"type":"json_object"}"#),
        Format::Schema {
            name,
            description,
            schema,
            strict,
        } => {
            out.key("format");
            out.open();
            out.plain_at("type", "json_schema");
            // The API wants one, and takes it for nothing else.
            out.text_at("name", name.as_deref().unwrap_or("answer"));
            if let Some(description) = description {
                out.text_at("description", description);
            }
            out.raw_at("schema", schema.raw());
            out.raw_at("strict", if *strict { "true" } else { "false" });
            out.close();
        }
    }
    if let Some(verbosity) = verbosity {
        out.raw_at("verbosity", verbosity);
    }
    out.close();
    Ok(())
}
