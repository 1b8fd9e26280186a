//! Requests for servers of the caller's own dialect that differ from OpenAI.
//!
//! What such a server would refuse is mended in the request's bytes, and nothing else changes: members are called otherwise or left out,
//! roles and ids rewritten. Where the order of messages is at fault, the conversation alone is written anew; where the answer must be read
//! otherwise too, the request is translated as if the caller spoke another dialect.

mod edits;
mod usage;

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Dialect, Document, Refusal};

use self::edits::Fate;
use super::server::Server;
use super::{from_client, to_provider};
use crate::catalogue::Quirk;
use crate::dialects::To;
use crate::losses::Losses;
use crate::names::short_id;
use crate::neutral::{Ask, is_empty, says_nothing};
use crate::read::{Place, Unknown, member};
use crate::settings::TooHot;

pub(crate) use self::edits::Edits;
pub(crate) use self::usage::ask_stream_usage;

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Fit {
    /// The server takes it with these edits, perhaps none.
    Edited(Edits),
    /// Its answer must be read otherwise too.
    Translate,
}

/// Whether requests of this dialect are mended.
pub(crate) const fn is_mended(dialect: Dialect) -> bool {
    matches!(
        dialect,
        Dialect::OpenAiChat | Dialect::OpenAiCompletions | Dialect::OpenAiEmbeddings
    )
}

/// Makes a request fit the server.
pub(crate) fn fit(
    document: &Document,
    to: &To<'_>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Fit, Refusal> {
    let server = Server::of(to);
    let root = document.json().root();
    let chat = document.dialect() == Dialect::OpenAiChat;
    if chat && is_read_otherwise(root, server) {
        return Ok(Fit::Translate);
    }
    let mut edits = Edits::default();
    let mut fates = Vec::new();
    for (key, value) in root.members() {
        let name = key.text().unwrap_or_default();
        fates.push((key, value, fate(root, &name, value, server, losses)?));
    }
    edits.members(&fates);
    if let Some(value) = member(root, "temperature") {
        temperature(value, to, server, &mut edits, losses)?;
    }
    if chat && let Some(list) = member(root, "messages") {
        if is_out_of_order(list, server) {
            let here = Place::In(&Place::Root, "messages");
            let ask = Ask {
                turns: from_client::messages(&here, list, policy, losses)?,
                ..Ask::default()
            };
            edits.replace(list, to_provider::messages(&ask, to, losses)?);
        } else {
            for message in list.items() {
                mend(message, server, &mut edits, losses);
            }
        }
    }
    Ok(Fit::Edited(edits))
}

/// What becomes of a member.
fn fate(
    root: Value<'_>,
    name: &str,
    value: Value<'_>,
    server: Server<'_>,
    losses: &mut Losses,
) -> Result<Fate, Refusal> {
    let none = value.kind() == Kind::Null;
    let idle = none || says_nothing(name, value);
    let forces = || value.kind() == Kind::Object || value.is("required") || value.is("any");
    if server.refuses(name) && !idle {
        let here = Place::In(&Place::Root, name);
        return Err(here.unsupported("the provider does not take it"));
    }
    let drops = server.drops(name)
        || name == "stream_options" && server.has(Quirk::NoStreamOptions)
        || name == "tool_choice" && server.has(Quirk::NoForcedTool) && forces();
    if drops {
        if !idle {
            losses.named(name);
        }
        return Ok(Fate::Gone);
    }
    let new = server.calls(name);
    if new != name {
        // Null is absent.
        if none {
            return Ok(Fate::Gone);
        }
        losses.renamed(name);
        return Ok(Fate::Called(new.to_owned()));
    }
    // What is called so here goes before: no name may stand there twice.
    let other = root.members().find(|(key, other)| {
        let key = key.text().unwrap_or_default();
        key != name && server.calls(&key) == name && other.kind() != Kind::Null
    });
    match other {
        None => Ok(Fate::Kept),
        Some((_, other)) => {
            if !none && other.raw() != value.raw() {
                losses.named(name);
            }
            Ok(Fate::Gone)
        }
    }
}

fn temperature(
    value: Value<'_>,
    to: &To<'_>,
    server: Server<'_>,
    edits: &mut Edits,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let hottest = server.hottest();
    let said: Option<f64> = value.raw().parse().ok();
    if said.is_none_or(|said| said <= hottest) || server.drops("temperature") {
        return Ok(());
    }
    if to.bounds.too_hot == TooHot::Refuse {
        let here = Place::In(&Place::Root, "temperature");
        return Err(here.unsupported("over what the provider takes"));
    }
    losses.changed("temperature");
    edits.replace(value, hottest.to_string());
    Ok(())
}

/// Whether the answer's form hangs on what the server does not have.
fn is_read_otherwise(root: Value<'_>, server: Server<'_>) -> bool {
    let kind = |value: Value<'_>, kind: &str| member(value, "type").is_some_and(|is| is.is(kind));
    let any_custom = |list: Option<Value<'_>>| {
        let mut items = list.into_iter().flat_map(Value::items);
        items.any(|item| kind(item, "custom"))
    };
    let schema = member(root, "response_format").is_some_and(|form| kind(form, "json_schema"));
    if schema && server.has(Quirk::NoJsonSchema) {
        return true;
    }
    let functions = member(root, "functions").is_some_and(|list| !is_empty(list));
    if functions && server.refuses("functions") {
        return true;
    }
    if !server.old_words() {
        return false;
    }
    let messages = || member(root, "messages").into_iter().flat_map(Value::items);
    any_custom(member(root, "tools"))
        || member(root, "tool_choice").is_some_and(|choice| kind(choice, "allowed_tools"))
        || messages().any(|message| any_custom(member(message, "tool_calls")))
}

/// Whether the server would refuse the conversation for more than a word in it.
fn is_out_of_order(messages: Value<'_>, server: Server<'_>) -> bool {
    let mut before: Option<String> = None;
    for message in messages.items() {
        let role = member(message, "role").and_then(Value::text);
        let role = match role.as_deref() {
            Some("developer") => "system".to_owned(),
            role => role.unwrap_or_default().to_owned(),
        };
        let content = member(message, "content");
        let says = |key: &str| {
            let value = member(message, key);
            value.is_some_and(|value| !value.is("") && !is_empty(value))
        };
        let refuses = || {
            let mut parts = content.into_iter().flat_map(Value::items);
            let part =
                |part: Value<'_>| member(part, "type").is_some_and(|kind| kind.is("refusal"));
            says("refusal") || parts.any(part)
        };
        let sends_files = || {
            let mut parts = content.into_iter().flat_map(Value::items);
            parts.any(|part| member(part, "type").is_some_and(|kind| kind.is("file")))
        };
        let thinks = || {
            ["reasoning_content", "reasoning", "reasoning_details"]
                .iter()
                .any(|key| says(key))
        };
        let after = before.as_deref();
        let same = after == Some(&role) && matches!(role.as_str(), "user" | "assistant");
        let wrong = server.has(Quirk::SystemFirst) && role == "system" && after.is_some()
            || server.has(Quirk::AlternatingRoles) && same
            || server.has(Quirk::AssistantAfterTool) && role == "user" && after == Some("tool")
            || server.has(Quirk::StringContent)
                && content.is_some_and(|content| content.kind() == Kind::Array)
            || server.has(Quirk::ThinkingParts) && thinks()
            || server.takes("document_url") && sends_files()
            || server.old_words() && refuses();
        if wrong {
            return true;
        }
        before = Some(role);
    }
    false
}

/// Mends the words of a message.
fn mend(message: Value<'_>, server: Server<'_>, edits: &mut Edits, losses: &mut Losses) {
    if server.has(Quirk::NoDeveloperRole)
        && let Some(role) = member(message, "role").filter(|role| role.is("developer"))
    {
        losses.changed("messages.role");
        edits.replace(role, r#""system""#.to_owned());
    }
    if !server.has(Quirk::ShortToolIds) {
        return;
    }
    let calls = member(message, "tool_calls")
        .into_iter()
        .flat_map(Value::items);
    let ids = calls.filter_map(|call| member(call, "id"));
    for id in ids.chain(member(message, "tool_call_id")) {
        let Some(text) = id.text() else {
            continue;
        };
        let short = short_id(&text, server.call_id());
        if short != text {
            losses.changed("messages.tool_call_id");
            edits.replace(id, format!("\"{short}\""));
        }
    }
}
