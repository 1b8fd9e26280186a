//! Writing a request.

mod config;
mod contents;
mod media;
mod parts;
mod results;
mod thinking;
mod tools;

use bartizan_core::Refusal;
use bartizan_core::json::Json;

use super::from_provider::Events;
use crate::dialects::{Encoded, To};
use crate::losses::Losses;
use crate::names::{Rule, ToolNames};
use crate::neutral::{Ask, Block, ToolKind};
use crate::write::Writer;

/// What the API takes for a function's name.
const TOOL_NAME: Rule = Rule {
    fits: |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-'),
    least: 1,
    most: 128,
};

/// What of a request's wishes the API has a word for.
const SAID: &[&str] = &[
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "safety_settings",
    "service_tier",
    "web_search_options",
    LABELS,
];
/// Vertex AI's alone.
const LABELS: &str = "metadata";

pub(crate) fn encode(ask: &Ask<'_>, to: To<'_>, losses: &mut Losses) -> Result<Encoded, Refusal> {
    let names = names(ask);
    let mut out = Writer::with_capacity(4_096);
    out.open();
    request(ask, &to, &names, &mut out, losses)?;
    out.close();
    let searches = ask.wishes.get("web_search_options").is_some()
        || ask
            .tools
            .iter()
            .any(|tool| matches!(tool.kind, ToolKind::Server { .. }));
    Ok(Encoded {
        text: out.finish(),
        reader: Box::new(Events::new(searches, names)),
    })
}

/// What a model reads, which is what counts.
pub(super) fn prompt(
    ask: &Ask<'_>,
    to: &To<'_>,
    names: &ToolNames,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    contents::system(ask, out, losses)?;
    contents::write(ask, to, names, out, losses)?;
    tools::write(ask, names, out, losses)
}

/// The names that a question of its own goes out with.
pub(super) fn names(ask: &Ask<'_>) -> ToolNames {
    ToolNames::of(ask, TOOL_NAME)
}

fn request(
    ask: &Ask<'_>,
    to: &To<'_>,
    names: &ToolNames,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let labels = labels(ask, to);
    let unlabelled = SAID.strip_suffix(&[LABELS]).unwrap_or(SAID);
    let said = labels.map_or(unlabelled, |_| SAID);
    ask.wishes.leave(said, losses)?;
    if ask.user.as_deref().is_some_and(|user| !user.is_empty()) {
        losses.dropped("user");
    }
    if ask.one_tool_at_a_time && !ask.tools.is_empty() {
        losses.dropped("parallel_tool_calls");
    }
    if marks_cache(ask) {
        losses.dropped("cache_control");
    }
    prompt(ask, to, names, out, losses)?;
    tools::choice(ask, names, out)?;
    if let Some(settings) = ask.wishes.get("safety_settings") {
        out.raw_at("safetySettings", settings);
    }
    config::write(ask, to, out, losses)?;
    tier(ask, out, losses);
    if let Some(labels) = labels {
        out.raw_at("labels", labels);
    }
    Ok(())
}

/// The request's metadata, where Vertex AI takes them for the labels of the bill: of small letters and digits, and short.
fn labels<'a>(ask: &'a Ask<'_>, to: &To<'_>) -> Option<&'a str> {
    let metadata = ask.wishes.get(LABELS).filter(|_| to.vertex)?;
    let json = Json::read(metadata).ok()?;
    let fits = |text: &str| {
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
        };
        text.len() < 64 && text.bytes().all(fits)
    };
    let all = json.root().members().all(|(key, value)| {
        let key = key.text().unwrap_or_default();
        key.starts_with(|c: char| c.is_ascii_lowercase())
            && fits(&key)
            && value.text().is_some_and(|value| fits(&value))
    });
    all.then_some(metadata)
}

fn tier(ask: &Ask<'_>, out: &mut Writer, losses: &mut Losses) {
    let Some(json) = ask.wishes.get("service_tier") else {
        return;
    };
    match json {
        r#""default""# => out.plain_at("serviceTier", "standard"),
        r#""flex""# => out.plain_at("serviceTier", "flex"),
        r#""priority""# => out.plain_at("serviceTier", "priority"),
        _ => losses.dropped("service_tier"),
    }
}

/// Where the provider caches it finds itself, or is told with a cache of its own.
fn marks_cache(ask: &Ask<'_>) -> bool {
    fn marked(block: &Block<'_>) -> bool {
        match block {
            Block::ToolResult { blocks, cache, .. } => cache.is_some() || blocks.iter().any(marked),
            Block::Text { cache, .. }
            | Block::Image { cache, .. }
            | Block::Document { cache, .. }
            | Block::ToolUse { cache, .. } => cache.is_some(),
            _ => false,
        }
    }
    ask.cache.is_some()
        || ask.tools.iter().any(|tool| tool.cache.is_some())
        || ask.turns.iter().flat_map(|turn| &turn.blocks).any(marked)
}
