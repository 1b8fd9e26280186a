//! Writing a request.

mod messages;
mod plan;

use bartizan_core::Refusal;

use self::plan::{Choose, Form, Plan};
use super::from_provider::Events;
use crate::dialects::{Encoded, To};
use crate::losses::Losses;
use crate::names::{HIDDEN_TOOL, Rule, ToolNames};
use crate::neutral::{Ask, Choice, Format, Tool, ToolKind};
use crate::write::Writer;

/// What Cohere takes for the name of a tool.
const TOOL_NAME: Rule = Rule {
    fits: |byte| byte.is_ascii_alphanumeric() || byte == b'_',
    least: 1,
    most: 64,
};

/// The wishes that the API has a word for, or that [`plan`] says in other words.
const SAID: &[&str] = &[
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "safety_mode",
    "documents",
    "citation_options",
];

pub(crate) fn encode(ask: &Ask<'_>, to: To<'_>, losses: &mut Losses) -> Result<Encoded, Refusal> {
    let names = ToolNames::of(ask, TOOL_NAME);
    if !names.is_empty() {
        losses.changed("tools.name");
    }
    ask.wishes.leave(SAID, losses)?;
    let plan = Plan::of(ask, &to, losses)?;
    let mut out = Writer::with_capacity(4_096);
    out.open();
    out.text_at("model", to.model);
    let documents = messages::write(ask, &names, &mut out, losses)?;
    messages::documents(ask, &documents, &mut out)?;
    tools(ask, &plan, &names, &mut out)?;
    plan.write(&mut out);
    for (name, word) in [
        ("seed", "seed"),
        ("safety_mode", "safety_mode"),
        ("citation_options", "citation_options"),
    ] {
        if let Some(json) = ask.wishes.get(name) {
            out.raw_at(word, json);
        }
    }
    if ask.stream {
        out.raw_at("stream", "true");
    }
    out.close();
    if ask.user.as_deref().is_some_and(|user| !user.is_empty()) {
        losses.dropped("user");
    }
    if ask.cache.is_some() || ask.tools.iter().any(|tool| tool.cache.is_some()) {
        losses.dropped("cache_control");
    }
    if ask.show_thoughts == Some(false) {
        losses.dropped("reasoning.exclude");
    }
    Ok(Encoded {
        text: out.finish(),
        reader: Box::new(Events::new(names, plan.form == Form::Tool, to.model)),
    })
}

fn tools(
    ask: &Ask<'_>,
    plan: &Plan<'_>,
    names: &ToolNames,
    out: &mut Writer,
) -> Result<(), Refusal> {
    let hidden = plan.form == Form::Tool;
    let named = |tool: &&Tool<'_>| match &ask.choice {
        Choice::Named(name) => tool.name == *name,
        _ => true,
    };
    let offered: Vec<&Tool<'_>> = if plan.choose == Choose::Withheld {
        Vec::new()
    } else {
        ask.offered().filter(named).collect()
    };
    if offered.is_empty() && !hidden {
        return Ok(());
    }
    out.key("tools");
    out.open_list();
    for tool in offered {
        if hidden && tool.name == HIDDEN_TOOL {
            let says = "a tool has a name that is kept for the layer's own";
            return Err(ask.unsupported("tools", says));
        }
        let ToolKind::Function { schema, .. } = &tool.kind else {
            let says = "only tools of type function can be offered to this provider";
            return Err(ask.unsupported("tools", says));
        };
        let schema = schema.as_ref().map(|schema| schema.raw());
        let name = names.there(&tool.name);
        function(name, tool.description.as_deref(), schema, out);
    }
    if hidden {
        let (description, schema) = match &ask.format {
            Format::Schema {
                description,
                schema,
                ..
            } => (description.as_deref(), Some(schema.raw())),
            _ => (None, Some(r#"{"type":"object"}"#)),
        };
        let description = description.unwrap_or("Gives the answer to the user.");
        function(HIDDEN_TOOL, Some(description), schema, out);
    }
    out.close_list();
    if plan.strict_tools {
        out.raw_at("strict_tools", "true");
    }
    match plan.choose {
        Choose::Unsaid | Choose::Withheld => {}
        Choose::None => out.plain_at("tool_choice", "NONE"),
        Choose::Required => out.plain_at("tool_choice", "REQUIRED"),
    }
    Ok(())
}

fn function(name: &str, description: Option<&str>, schema: Option<&str>, out: &mut Writer) {
    out.open();
    out.plain_at("type", "function");
    out.key("function");
    out.open();
    out.text_at("name", name);
    if let Some(description) = description {
        out.text_at("description", description);
    }
    out.raw_at(
        "parameters",
        schema.unwrap_or(r#"{"type":"object","properties":{}}"#),
    );
    out.close();
    out.close();
}
