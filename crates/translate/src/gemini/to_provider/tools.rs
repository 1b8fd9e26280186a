//! Writing the tools that a request offers.

use bartizan_core::Refusal;
use bartizan_core::json::Json;

use crate::losses::Losses;
use crate::names::ToolNames;
use crate::neutral::{Ask, Choice, Tool, ToolKind, is_empty};
use crate::write::Writer;

pub(super) fn write(
    ask: &Ask<'_>,
    names: &ToolNames,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let search = ask.wishes.get("web_search_options");
    if ask.tools.is_empty() && search.is_none() {
        return Ok(());
    }
    out.key("tools");
    out.open_list();
    let mut begun = false;
    for tool in &ask.tools {
        let ToolKind::Function { schema, strict } = &tool.kind else {
            continue;
        };
        if !std::mem::replace(&mut begun, true) {
            out.open();
            out.key("functionDeclarations");
            out.open_list();
        }
        if *strict {
            losses.dropped("tools.strict");
        }
        out.open();
        out.text_at("name", names.there(&tool.name));
        if let Some(description) = &tool.description {
            out.text_at("description", description);
        }
        if let Some(schema) = schema {
            // The older field takes a part of what a schema may say; this one takes it as it is.
            out.raw_at("parametersJsonSchema", schema.raw());
        }
        out.close();
    }
    if begun {
        out.close_list();
        out.close();
    }
    let mut searches = false;
    for tool in &ask.tools {
        searches |= server(ask, tool, out, losses)?;
    }
    if let Some(options) = search
        && !searches
    {
        if !Json::read(options).is_ok_and(|json| is_empty(json.root())) {
            losses.changed("web_search_options");
        }
        out.raw(r#"{"googleSearch":{}}"#);
    }
    out.close_list();
    Ok(())
}

/// What the provider runs itself. Another provider's settings of it are left out, and reported. `true` for a search.
fn server(
    ask: &Ask<'_>,
    tool: &Tool<'_>,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<bool, Refusal> {
    let (kind, raw) = match &tool.kind {
        ToolKind::Function { .. } => return Ok(false),
        ToolKind::Custom { .. } => {
            let says = "only tools of type function can be offered to this provider";
            return Err(ask.unsupported("tools", says));
        }
        ToolKind::Server { kind, raw } => (kind.as_ref(), raw),
    };
    let theirs = match kind {
        "web_search" => "googleSearch",
        "code_execution" => "codeExecution",
        "url_context" => "urlContext",
        _ => {
            let says = "the provider runs no tool of this type";
            return Err(ask.unsupported("tools", says));
        }
    };
    let settings = raw
        .members()
        .any(|(key, _)| !["type", "name"].iter().any(|known| key.is(known)));
    if settings {
        losses.changed("tools");
    }
    out.open();
    out.raw_at(theirs, "{}");
    out.close();
    Ok(kind == "web_search")
}

pub(super) fn choice(ask: &Ask<'_>, told: &ToolNames, out: &mut Writer) -> Result<(), Refusal> {
    let invalid = |says| Err(ask.invalid("tool_choice", says));
    let offers = |name: &str| {
        ask.tools
            .iter()
            .any(|tool| tool.name == name && matches!(tool.kind, ToolKind::Function { .. }))
    };
    let functions = ask
        .tools
        .iter()
        .any(|tool| matches!(tool.kind, ToolKind::Function { .. }));
    let (mode, names): (_, Vec<&str>) = match &ask.choice {
        Choice::Auto => return Ok(()),
        Choice::None if !functions => return Ok(()),
        Choice::None => ("NONE", Vec::new()),
        _ if !functions => return invalid("there are no tools to choose from"),
        Choice::Required => ("ANY", Vec::new()),
        Choice::Named(name) => ("ANY", vec![name]),
        Choice::Allowed { names, required } => {
            let mode = if *required { "ANY" } else { "VALIDATED" };
            (mode, names.iter().map(AsRef::as_ref).collect())
        }
    };
    if !names.iter().all(|name| offers(name)) {
        return invalid("names a tool that the request does not offer");
    }
    out.key("toolConfig");
    out.open();
    out.key("functionCallingConfig");
    out.open();
    out.plain_at("mode", mode);
    if !names.is_empty() {
        out.key("allowedFunctionNames");
        out.open_list();
        names.iter().for_each(|name| out.text(told.there(name)));
        out.close_list();
    }
    out.close();
    out.close();
    Ok(())
}
