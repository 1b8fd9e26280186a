//! Writing a request.

mod plan;
mod server;
mod turns;

pub(crate) use self::plan::{Think, think};
pub(crate) use self::turns::spoken_instructions;

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use self::plan::{Choose, Output, Plan};
use super::HIDDEN_TOOL;
use super::from_provider::Events;
use crate::dialects::{Encoded, To};
use crate::losses::Losses;
use crate::neutral::{Ask, Block, Choice, Format, Raw, Tool, ToolKind};
use crate::read::member;
use crate::write::Writer;

/// What of a request's wishes the API has a word for.
const SAID: &[&str] = &["service_tier", "web_search_options"];

pub(crate) fn encode(ask: &Ask<'_>, to: To<'_>, losses: &mut Losses) -> Result<Encoded, Refusal> {
    let plan = Plan::of(ask, to.facts, to.bounds, losses)?;
    ask.wishes.leave(SAID, losses)?;
    if ask.show_thoughts.is_some() && plan.thinking == Think::Unsaid {
        losses.dropped("reasoning.exclude");
    }
    let mut out = Writer::with_capacity(4_096);
    out.open();
    out.text_at("model", to.model);
    out.number_at("max_tokens", plan.max_tokens);
    prompt(ask, &plan, &mut out, losses)?;
    if let Some(temperature) = &plan.temperature {
        out.raw_at("temperature", temperature);
    }
    for (name, number) in [("top_p", plan.top_p), ("top_k", plan.top_k)] {
        if let Some(number) = number {
            out.raw_at(name, number);
        }
    }
    if plan.stop {
        out.key("stop_sequences");
        out.open_list();
        for stop in &ask.stop {
            out.text(stop);
        }
        out.close_list();
    }
    if let Some(user) = ask.user.as_deref().filter(|user| !user.is_empty()) {
        out.key("metadata");
        out.open();
        out.text_at("user_id", user);
        out.close();
    }
    if ask.wishes.is("service_tier", "default") {
        out.plain_at("service_tier", "standard_only");
    } else if ask.wishes.get("service_tier").is_some() {
        losses.dropped("service_tier");
    }
    if let Some(cache) = ask.cache {
        out.raw_at("cache_control", cache.raw());
    }
    if ask.stream {
        out.raw_at("stream", "true");
    }
    out.close();
    Ok(Encoded {
        text: out.finish(),
        reader: Box::new(Events::new(plan.output == Output::Tool)),
    })
}

/// What is asked, and nothing of how the answer is to be.
pub(crate) fn encode_count(
    ask: &Ask<'_>,
    mut to: To<'_>,
    losses: &mut Losses,
) -> Result<String, Refusal> {
    // Nothing is written, so that any bound does.
    to.bounds.max_output = to.bounds.max_output.or(Some(u64::from(u32::MAX)));
    let plan = Plan::of(ask, to.facts, to.bounds, &mut Losses::default())?;
    let mut out = Writer::with_capacity(4_096);
    out.open();
    out.text_at("model", to.model);
    prompt(ask, &plan, &mut out, losses)?;
    out.close();
    Ok(out.finish())
}

fn prompt(
    ask: &Ask<'_>,
    plan: &Plan<'_>,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    turns::system(ask, out, losses)?;
    turns::messages(ask, out, losses)?;
    tools(ask, plan, out, losses)?;
    choice(ask, plan, out);
    thinking(ask, plan, out);
    Ok(())
}

fn tools(
    ask: &Ask<'_>,
    plan: &Plan<'_>,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let hidden = plan.output == Output::Tool;
    let search = ask.wishes.get("web_search_options");
    if ask.tools.is_empty() && !hidden && plan.choose != Choose::Orphans && search.is_none() {
        return Ok(());
    }
    out.key("tools");
    out.open_list();
    for tool in ask.offered() {
        if hidden && tool.name == HIDDEN_TOOL {
            return Err(ask.unsupported(
                "tools",
                "a tool has a name that is kept for the layer's own",
            ));
        }
        write_tool(ask, tool, plan.strict_tools, out, losses)?;
    }
    if let Some(options) = search {
        server::search(options, out, losses);
    }
    if ask.tools.is_empty() {
        // The history has calls: the API wants their tools declared, and nobody knows more of them than the name.
        for name in called(ask) {
            out.open();
            out.text_at("name", name);
            out.raw_at("input_schema", r#"{"type":"object"}"#);
            out.close();
        }
    }
    if hidden {
        let description = match &ask.format {
            Format::Schema { description, .. } => description.as_deref(),
            _ => None,
        };
        out.open();
        out.plain_at("name", HIDDEN_TOOL);
        out.text_at(
            "description",
            description.unwrap_or("Gives the answer to the user."),
        );
        out.key("input_schema");
        match &ask.format {
            Format::Schema { schema, .. } => write_schema(schema, out),
            _ => out.raw(r#"{"type":"object"}"#),
        }
        out.close();
    }
    out.close_list();
    Ok(())
}

fn write_tool(
    ask: &Ask<'_>,
    tool: &Tool<'_>,
    strict: bool,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let (schema, wants_strict) = match &tool.kind {
        ToolKind::Function { schema, strict } => (schema, strict),
        ToolKind::Server { kind, raw } => return server::write(ask, kind, *raw, out, losses),
        ToolKind::Custom { .. } => {
            let says = "only tools of type function can be offered to this provider";
            return Err(ask.unsupported("tools", says));
        }
    };
    out.open();
    out.text_at("name", &tool.name);
    if let Some(description) = &tool.description {
        out.text_at("description", description);
    }
    out.key("input_schema");
    match schema {
        Some(schema) => write_schema(schema, out),
        None => out.raw(r#"{"type":"object","properties":{}}"#),
    }
    if strict && *wants_strict {
        out.raw_at("strict", "true");
    }
    if let Some(cache) = tool.cache {
        out.raw_at("cache_control", cache.raw());
    }
    out.close();
    Ok(())
}

/// As it came, with the type said that the API wants said.
pub(crate) fn write_schema(schema: &Raw<'_>, out: &mut Writer) {
    schema.look(|schema| write_value(schema, out));
}

fn write_value(schema: Value<'_>, out: &mut Writer) {
    if schema.kind() == Kind::Object && member(schema, "type").is_none() {
        out.open();
        out.raw(r#""type":"object""#);
        for (key, value) in schema.members() {
            if !key.is("type") {
                out.raw(key.raw());
                out.follow(value.raw());
            }
        }
        out.close();
    } else {
        out.raw(schema.raw());
    }
}

/// The tools that the history calls, each once, in order.
pub(crate) fn called<'a>(ask: &'a Ask<'_>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for block in ask.turns.iter().flat_map(|turn| &turn.blocks) {
        if let Block::ToolUse { name, .. } = block
            && !names.contains(&name.as_ref())
        {
            names.push(name);
        }
    }
    names
}

fn choice(ask: &Ask<'_>, plan: &Plan<'_>, out: &mut Writer) {
    let kind = match plan.choose {
        Choose::Unsaid => return,
        Choose::Auto => "auto",
        Choose::None | Choose::Orphans => "none",
        Choose::Any => "any",
        Choose::Named | Choose::HiddenTool => "tool",
    };
    out.key("tool_choice");
    out.open();
    out.plain_at("type", kind);
    match (&ask.choice, plan.choose) {
        (_, Choose::HiddenTool) => out.plain_at("name", HIDDEN_TOOL),
        (Choice::Named(name), _) => out.text_at("name", name),
        _ => {}
    }
    if ask.one_tool_at_a_time && matches!(kind, "auto" | "any" | "tool") {
        out.raw_at("disable_parallel_tool_use", "true");
    }
    out.close();
}

fn thinking(ask: &Ask<'_>, plan: &Plan<'_>, out: &mut Writer) {
    match plan.thinking {
        Think::Unsaid => {}
        Think::Budget(tokens) => {
            out.key("thinking");
            out.open();
            out.plain_at("type", "enabled");
            out.number_at("budget_tokens", tokens);
            display(ask, out);
            out.close();
        }
        Think::Adaptive => {
            out.key("thinking");
            out.open();
            out.plain_at("type", "adaptive");
            display(ask, out);
            out.close();
        }
    }
    let schema = match &ask.format {
        Format::Schema { schema, .. } if plan.output == Output::Native => Some(schema),
        _ => None,
    };
    if plan.effort.is_none() && schema.is_none() {
        return;
    }
    out.key("output_config");
    out.open();
    if let Some(effort) = plan.effort {
        out.plain_at("effort", effort.as_str());
    }
    if let Some(schema) = schema {
        out.key("format");
        out.open();
        out.plain_at("type", "json_schema");
        out.raw_at("schema", schema.raw());
        out.close();
    }
    out.close();
}

fn display(ask: &Ask<'_>, out: &mut Writer) {
    if let Some(show) = ask.show_thoughts {
        out.plain_at("display", if show { "summarized" } else { "omitted" });
    }
}
