//! Reading the content of a message: a string, or blocks.

use bartizan_core::Refusal;
use bartizan_core::json::{Kind, Value};

use super::is_string;
use crate::losses::Losses;
use crate::media::is_base64;
use crate::neutral::{Block, Maker, Role, Signature, Source, Str, Turn, is_empty};
use crate::read::{Place, Unknown, member, members, unknown};

pub(super) fn decode<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Vec<Block<'a>>, Refusal> {
    if is_string(value) {
        return Ok(vec![Block::text(here.text(value)?)]);
    }
    if value.kind() != Kind::Array {
        return Err(here.invalid("a string or a list of blocks"));
    }
    let mut blocks = Vec::new();
    for (index, item) in here.items(value)?.into_iter().enumerate() {
        let there = Place::At(here, index);
        let mut next = block(&there, there.object(item)?, policy, losses)?;
        if let Block::ToolUse { signature, .. } = &mut next {
            *signature = signed(&mut blocks);
        }
        blocks.push(next);
    }
    Ok(blocks)
}

/// The signature of a thought of Google's that led to a call, which stands right before it: this dialect has no place on the call.
fn signed<'a>(blocks: &mut Vec<Block<'a>>) -> Option<Signature<'a>> {
    let last = blocks.pop()?;
    match last {
        Block::Redacted { data, .. } if data.maker == Maker::Google => Some(data),
        other => {
            blocks.push(other);
            None
        }
    }
}

/// Results of tools, which stand in a user's message here, are a turn of their own.
pub(super) fn split<'a>(at: usize, role: Role, blocks: Vec<Block<'a>>, turns: &mut Vec<Turn<'a>>) {
    let (results, rest): (Vec<_>, Vec<_>) = blocks
        .into_iter()
        .partition(|block| matches!(block, Block::ToolResult { .. }));
    let only_results = !results.is_empty() && rest.is_empty();
    if !results.is_empty() {
        turns.push(Turn {
            at,
            role: Role::Tool,
            blocks: results,
        });
    }
    if !only_results {
        turns.push(Turn {
            at,
            role,
            blocks: rest,
        });
    }
}

fn block<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let kind = member(value, "type").and_then(Value::text);
    // What may stand in the block besides.
    let (mut block, known): (_, &[&str]) = match kind.as_deref() {
        Some("text") => {
            let cited = member(value, "citations");
            if cited.is_some_and(|cited| !is_empty(cited)) {
                losses.dropped("messages.citations");
            }
            (
                Block::text(needed(here, value, "text")?),
                &["text", "citations"],
            )
        }
        Some("image") => {
            let image = Block::Image {
                source: source(here, value, policy, losses)?,
                detail: None,
                cache: None,
            };
            (image, &["source"])
        }
        Some("document") => (
            document(here, value, policy, losses)?,
            &["source", "title", "context", "citations"],
        ),
        Some("search_result") => {
            losses.changed("messages.search_result");
            cited(value, losses);
            (
                search_result(here, value)?,
                &["source", "title", "content", "citations"],
            )
        }
        Some("thinking") => {
            let signature = member(value, "signature").and_then(Value::text);
            let thought = Block::Thinking {
                id: None,
                text: needed(here, value, "thinking")?,
                signature: signature
                    .filter(|signature| !signature.is_empty())
                    .map(|signature| Signature::read(signature, Maker::Anthropic)),
            };
            (thought, &["thinking", "signature"])
        }
        Some("redacted_thinking") => {
            let data = Signature::read(needed(here, value, "data")?, Maker::Anthropic);
            (Block::Redacted { id: None, data }, &["data"])
        }
        Some("tool_use") => (
            tool_use(here, value, losses)?,
            &["id", "name", "input", "caller"],
        ),
        Some("tool_result") => (
            tool_result(here, value, policy, losses)?,
            &["tool_use_id", "content", "is_error"],
        ),
        Some("server_tool_use" | "mcp_tool_use") => {
            let name = "messages.server_tool_use";
            return Ok(Block::Foreign { name });
        }
        Some(kind) if kind.ends_with("_tool_result") => {
            let name = "messages.server_tool_result";
            return Ok(Block::Foreign { name });
        }
        _ => {
            let says = "a block of this type can't be sent to this provider";
            return Err(Place::In(here, "type").unsupported(says));
        }
    };
    for (key, value) in members(value) {
        match key.as_ref() {
            "type" => {}
            "cache_control" => {
                let mark = Place::In(here, &key).object(value)?;
                match block.cache_mut() {
                    Some(cache) => *cache = Some(mark),
                    None => losses.dropped("cache_control"),
                }
            }
            name if known.contains(&name) => {}
            name => unknown(here, policy, losses, name)?,
        }
    }
    Ok(block)
}

fn needed<'a>(here: &Place<'_>, value: Value<'a>, key: &str) -> Result<Str<'a>, Refusal> {
    let there = Place::In(here, key);
    there.text(member(value, key).ok_or_else(|| there.invalid("needed"))?)
}

fn document<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let title = member(value, "title").map(|title| Place::In(here, "title").text(title));
    if member(value, "context").is_some() {
        losses.dropped("messages.document.context");
    }
    cited(value, losses);
    Ok(Block::Document {
        source: source(here, value, policy, losses)?,
        title: title.transpose()?,
        cache: None,
    })
}

/// Whether the answer is to cite it: no other API takes that wish.
fn cited(value: Value<'_>, losses: &mut Losses) {
    let cited = member(value, "citations").and_then(|citations| member(citations, "enabled"));
    if cited.and_then(Value::as_bool) == Some(true) {
        losses.dropped("messages.document.citations");
    }
}

/// Its words, under its title.
fn search_result<'a>(here: &Place<'_>, value: Value<'a>) -> Result<Block<'a>, Refusal> {
    let there = Place::In(here, "content");
    let content = member(value, "content").ok_or_else(|| there.invalid("needed"))?;
    let mut text = String::new();
    for (index, part) in there.items(content)?.into_iter().enumerate() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&needed(&Place::At(&there, index), part, "text")?);
    }
    Ok(Block::Document {
        source: Source::Text(text.into()),
        title: Some(needed(here, value, "title")?),
        cache: None,
    })
}

fn source<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Source<'a>, Refusal> {
    let there = Place::In(here, "source");
    let source = member(value, "source").ok_or_else(|| there.invalid("needed"))?;
    let source = there.object(source)?;
    let kind = member(source, "type").and_then(Value::text);
    let (read, known): (_, &[&str]) = match kind.as_deref() {
        Some("base64") => {
            let data = needed(&there, source, "data")?;
            if !is_base64(&data) {
                return Err(Place::In(&there, "data").invalid("not base64"));
            }
            let media_type = needed(&there, source, "media_type")?;
            (Source::Base64 { media_type, data }, &["media_type", "data"])
        }
        Some("url") => {
            let url = needed(&there, source, "url")?;
            if !["http://", "https://"]
                .iter()
                .any(|scheme| url.starts_with(scheme))
            {
                return Err(Place::In(&there, "url").invalid("an https: address"));
            }
            let media_type = None;
            (Source::Url { url, media_type }, &["url"])
        }
        Some("text") => (
            Source::Text(needed(&there, source, "data")?),
            &["media_type", "data"],
        ),
        Some("content") => (Source::Text(content_of(&there, source)?), &["content"]),
        Some("file") => {
            let id = needed(&there, source, "file_id")?;
            (Source::File { id }, &["file_id"])
        }
        _ => {
            return Err(Place::In(&there, "type").unsupported("base64, url, text, content or file"));
        }
    };
    for (key, _) in members(source) {
        if key != "type" && !known.contains(&key.as_ref()) {
            unknown(&there, policy, losses, &key)?;
        }
    }
    Ok(read)
}

/// A document made of blocks, as far as they are texts.
fn content_of<'a>(here: &Place<'_>, source: Value<'a>) -> Result<Str<'a>, Refusal> {
    let there = Place::In(here, "content");
    let content = member(source, "content").ok_or_else(|| there.invalid("needed"))?;
    if is_string(content) {
        return there.text(content);
    }
    let mut text = String::new();
    for (index, part) in there.items(content)?.into_iter().enumerate() {
        let place = Place::At(&there, index);
        if !member(part, "type").is_some_and(|kind| kind.is("text")) {
            return Err(place.unsupported("documents made of other than texts can't be sent on"));
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&needed(&place, part, "text")?);
    }
    Ok(text.into())
}

fn tool_use<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    // A call that the provider's own code made, and not the model.
    let by_code = |caller: Value<'_>| !member(caller, "type").is_some_and(|kind| kind.is("direct"));
    if member(value, "caller").is_some_and(by_code) {
        losses.dropped("messages.tool_use.caller");
    }
    let there = Place::In(here, "input");
    let input = match member(value, "input") {
        Some(input) => there.object(input)?.raw(),
        None => "{}",
    };
    let id = needed(here, value, "id")?;
    if id.is_empty() {
        return Err(Place::In(here, "id").invalid("needed"));
    }
    Ok(Block::ToolUse {
        id,
        name: needed(here, value, "name")?,
        input: input.into(),
        custom: false,
        cache: None,
        signature: None,
    })
}

fn tool_result<'a>(
    here: &Place<'_>,
    value: Value<'a>,
    policy: Unknown,
    losses: &mut Losses,
) -> Result<Block<'a>, Refusal> {
    let there = Place::In(here, "content");
    let blocks = match member(value, "content") {
        Some(content) => decode(&there, content, policy, losses)?,
        None => Vec::new(),
    };
    let fits = |block: &Block<'_>| {
        matches!(
            block,
            Block::Text { .. } | Block::Image { .. } | Block::Document { .. }
        )
    };
    if !blocks.iter().all(fits) {
        return Err(there.unsupported("results are texts, images and documents"));
    }
    let is_error = member(value, "is_error").map(|flag| Place::In(here, "is_error").flag(flag));
    Ok(Block::ToolResult {
        id: needed(here, value, "tool_use_id")?,
        name: None,
        blocks,
        is_error: is_error.transpose()?.unwrap_or(false),
        custom: false,
        cache: None,
    })
}
