//! Writing a request.

mod messages;

use bartizan_core::Refusal;

use super::from_provider::Lines;
use crate::dialects::{Encoded, To};
use crate::facts::{Effort, Model, Thinking};
use crate::losses::Losses;
use crate::neutral::{Ask, Choice, Format, Reasoning, Tool, ToolKind};
use crate::write::Writer;

/// The wishes that the API has a word for.
const SAID: &[(&str, &str)] = &[
    ("seed", "seed"),
    ("min_p", "min_p"),
    ("frequency_penalty", "frequency_penalty"),
    ("presence_penalty", "presence_penalty"),
    ("repetition_penalty", "repeat_penalty"),
];

const KEEP_ALIVE: &str = "keep_alive";

pub(crate) fn encode(ask: &Ask<'_>, to: To<'_>, losses: &mut Losses) -> Result<Encoded, Refusal> {
    let mut said: Vec<&str> = SAID.iter().map(|(ours, _)| *ours).collect();
    said.push(KEEP_ALIVE);
    ask.wishes.leave(&said, losses)?;
    let mut out = Writer::with_capacity(4_096);
    out.open();
    out.text_at("model", to.model);
    messages::write(ask, &mut out, losses)?;
    let offers = tools(ask, &mut out, losses)?;
    format(ask, offers, &mut out, losses)?;
    think(ask, to.facts, &mut out, losses);
    options(ask, &mut out);
    if let Some(json) = ask.wishes.get(KEEP_ALIVE) {
        out.raw_at(KEEP_ALIVE, json);
    }
    // Unsaid, the server streams.
    out.raw_at("stream", if ask.stream { "true" } else { "false" });
    out.close();
    if ask.user.as_deref().is_some_and(|user| !user.is_empty()) {
        losses.dropped("user");
    }
    if ask.cache.is_some() {
        losses.dropped("cache_control");
    }
    if ask.show_thoughts == Some(false) {
        losses.dropped("reasoning.exclude");
    }
    Ok(Encoded {
        text: out.finish(),
        reader: Box::new(Lines::default()),
    })
}

/// Whether there are tools to call.
fn tools(ask: &Ask<'_>, out: &mut Writer, losses: &mut Losses) -> Result<bool, Refusal> {
    let invalid = |says| ask.invalid("tool_choice", says);
    match &ask.choice {
        Choice::None => return Ok(false),
        Choice::Named(name) if !ask.tools.iter().any(|tool| tool.name == *name) => {
            return Err(invalid("names a tool that the request does not offer"));
        }
        Choice::Required if ask.tools.is_empty() => {
            return Err(invalid("there are no tools to choose from"));
        }
        Choice::Required | Choice::Named(_) | Choice::Allowed { required: true, .. } => {
            losses.dropped("tool_choice");
        }
        Choice::Auto | Choice::Allowed { .. } => {}
    }
    let named = |tool: &&Tool<'_>| match &ask.choice {
        Choice::Named(name) => tool.name == *name,
        _ => true,
    };
    let offered: Vec<&Tool<'_>> = ask.offered().filter(named).collect();
    if offered.is_empty() {
        return Ok(false);
    }
    if ask.one_tool_at_a_time {
        losses.dropped("parallel_tool_calls");
    }
    out.key("tools");
    out.open_list();
    for tool in offered {
        let ToolKind::Function { schema, strict } = &tool.kind else {
            let says = "only tools of type function can be offered to this provider";
            return Err(ask.unsupported("tools", says));
        };
        if *strict {
            losses.dropped("tools.strict");
        }
        if tool.cache.is_some() {
            losses.dropped("cache_control");
        }
        out.open();
        out.plain_at("type", "function");
        out.key("function");
        out.open();
        out.text_at("name", &tool.name);
        if let Some(description) = &tool.description {
            out.text_at("description", description);
        }
        out.key("parameters");
        match schema {
            Some(schema) => out.raw(schema.raw()),
            None => out.raw(r#"{"type":"object","properties":{}}"#),
        }
        out.close();
        out.close();
    }
    out.close_list();
    Ok(true)
}

fn format(
    ask: &Ask<'_>,
    offers: bool,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    if offers && !matches!(ask.format, Format::Text) {
        let says = "the provider can't hold an answer to a form and let its model call tools";
        return Err(ask.unsupported("response_format", says));
    }
    match &ask.format {
        Format::Text => {}
        Format::Object => out.plain_at("format", "json"),
        Format::Schema {
            schema,
            description,
            ..
        } => {
            if description.is_some() {
                losses.dropped("response_format.json_schema.description");
            }
            out.raw_at("format", schema.raw());
        }
    }
    Ok(())
}

fn think(ask: &Ask<'_>, model: Option<&Model>, out: &mut Writer, losses: &mut Losses) {
    const FIELD: &str = "reasoning_effort";
    let Some(wish) = ask.reasoning else {
        return;
    };
    if model.is_some_and(|model| model.thinking == Thinking::None) {
        if wish != Reasoning::Off {
            losses.dropped(FIELD);
        }
        return;
    }
    match wish {
        Reasoning::Off => out.raw_at("think", "false"),
        Reasoning::Auto => out.raw_at("think", "true"),
        Reasoning::Budget(_) => {
            losses.changed(FIELD);
            out.raw_at("think", "true");
        }
        Reasoning::Effort(effort) => {
            let given = match effort {
                Effort::Minimal => Effort::Low,
                Effort::XHigh => Effort::High,
                effort => effort,
            };
            if given != effort {
                losses.changed(FIELD);
            }
            out.plain_at("think", given.as_str());
        }
    }
}

fn options(ask: &Ask<'_>, out: &mut Writer) {
    let mut options = Writer::default();
    for (name, number) in [
        ("temperature", &ask.temperature),
        ("top_p", &ask.top_p),
        ("top_k", &ask.top_k),
    ] {
        if let Some(number) = number {
            options.raw_at(name, number.raw);
        }
    }
    if let Some(most) = ask.max_output {
        options.number_at("num_predict", most);
    }
    if !ask.stop.is_empty() {
        options.key("stop");
        options.open_list();
        for stop in &ask.stop {
            options.text(stop);
        }
        options.close_list();
    }
    for (ours, theirs) in SAID {
        if let Some(json) = ask.wishes.get(ours) {
            options.raw_at(theirs, json);
        }
    }
    let options = options.finish();
    if !options.is_empty() {
        out.key("options");
        out.open();
        out.raw(&options);
        out.close();
    }
}
