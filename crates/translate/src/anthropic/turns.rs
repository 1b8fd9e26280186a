//! Writing the conversation.

use std::borrow::Cow;

use bartizan_core::Refusal;

use crate::losses::Losses;
use crate::neutral::{Block, Role, Source, Turn};
use crate::read::Place;
use crate::write::Writer;

/// Instructions stand in front of the conversation; those that stood inside it are joined to them, and that is reported.
pub(super) fn system(turns: &[Turn<'_>], out: &mut Writer, losses: &mut Losses) {
    let mut blocks = Vec::new();
    let mut begun = false;
    let spoken = spoken_instructions(turns);
    if spoken.is_some() {
        losses.moved("messages.system");
    }
    for (at, turn) in turns.iter().enumerate() {
        if turn.role == Role::System && spoken == Some(at) {
            begun = true;
        } else if turn.role == Role::System {
            if begun && turn.blocks.iter().any(|block| !is_empty(block)) {
                losses.moved("messages.system");
            }
            blocks.extend(turn.blocks.iter().filter(|block| !is_empty(block)));
        } else {
            begun = true;
        }
    }
    if !blocks.is_empty() {
        out.key("system");
        content(&blocks, out, losses);
    }
}

/// Where nobody speaks but the application, its last instruction is what the user says: the API wants a turn, and none is made up.
fn spoken_instructions(turns: &[Turn<'_>]) -> Option<usize> {
    if turns.iter().any(|turn| turn.role != Role::System) {
        return None;
    }
    turns
        .iter()
        .rposition(|turn| turn.blocks.iter().any(|block| !is_empty(block)))
}

/// Neighbours of one role are one turn; results of tools come first in it. Nothing is made up.
pub(super) fn messages(
    turns: &[Turn<'_>],
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    out.key("messages");
    out.open_list();
    let spoken = spoken_instructions(turns);
    let mut turns = turns
        .iter()
        .enumerate()
        .filter(|(at, turn)| turn.role != Role::System || spoken == Some(*at))
        .map(|(_, turn)| turn)
        .peekable();
    let mut any = false;
    while let Some(first) = turns.next() {
        let by_model = first.role == Role::Assistant;
        let mut group = vec![first];
        while let Some(next) = turns.next_if(|next| (next.role == Role::Assistant) == by_model) {
            group.push(next);
        }
        let of = |results: bool| {
            group
                .iter()
                .flat_map(|turn| &turn.blocks)
                .filter(move |block| matches!(block, Block::ToolResult { .. }) == results)
        };
        let blocks: Vec<&Block<'_>> = of(true)
            .chain(of(false))
            .filter(|block| !is_empty(block) && !is_unsigned(block, losses))
            .collect();
        if blocks.is_empty() {
            // The API refuses empty turns.
            losses.dropped("messages");
            continue;
        }
        any = true;
        out.open();
        out.plain_at("role", if by_model { "assistant" } else { "user" });
        out.key("content");
        if let [Block::Text { text, cache: None }] = blocks.as_slice() {
            out.text(text);
        } else {
            content(&blocks, out, losses);
        }
        out.close();
    }
    out.close_list();
    if any {
        Ok(())
    } else {
        Err(Place::In(&Place::Root, "messages")
            .invalid("at least one message with something in it"))
    }
}

/// The API refuses empty texts.
fn is_empty(block: &Block<'_>) -> bool {
    matches!(block, Block::Text { text, .. } if text.is_empty())
}

/// The API refuses thinking that it did not sign.
fn is_unsigned(block: &Block<'_>, losses: &mut Losses) -> bool {
    let unsigned = match block {
        Block::Thinking { signature, .. } => signature.as_deref().is_none_or(str::is_empty),
        Block::Redacted { data } => data.is_empty(),
        _ => false,
    };
    if unsigned {
        losses.dropped("messages.reasoning_content");
    }
    unsigned
}

fn content(blocks: &[&Block<'_>], out: &mut Writer, losses: &mut Losses) {
    out.open_list();
    for block in blocks {
        write(block, out, losses);
    }
    out.close_list();
}

fn write(block: &Block<'_>, out: &mut Writer, losses: &mut Losses) {
    out.open();
    let cache = match block {
        Block::Text { text, cache } => {
            out.plain_at("type", "text");
            out.text_at("text", text);
            cache
        }
        Block::Image { source, cache } => {
            out.plain_at("type", "image");
            write_source(source, out);
            cache
        }
        Block::Document {
            source,
            title,
            cache,
        } => {
            out.plain_at("type", "document");
            write_source(source, out);
            if let Some(title) = title {
                out.text_at("title", title);
            }
            cache
        }
        Block::Thinking { text, signature } => {
            out.plain_at("type", "thinking");
            out.text_at("thinking", text);
            out.text_at("signature", signature.as_deref().unwrap_or_default());
            &None
        }
        Block::Redacted { data } => {
            out.plain_at("type", "redacted_thinking");
            out.text_at("data", data);
            &None
        }
        Block::ToolUse {
            id,
            name,
            input,
            cache,
        } => {
            out.plain_at("type", "tool_use");
            out.text_at("id", &tool_id(id));
            out.text_at("name", name);
            out.raw_at("input", input);
            cache
        }
        Block::ToolResult { id, blocks, cache } => {
            out.plain_at("type", "tool_result");
            out.text_at("tool_use_id", &tool_id(id));
            result(blocks, out, losses);
            cache
        }
    };
    if let Some(cache) = cache {
        out.raw_at("cache_control", cache.raw());
    }
    out.close();
}

fn result(blocks: &[Block<'_>], out: &mut Writer, losses: &mut Losses) {
    let blocks: Vec<&Block<'_>> = blocks.iter().filter(|block| !is_empty(block)).collect();
    match blocks.as_slice() {
        [] => {}
        [Block::Text { text, cache: None }] => out.text_at("content", text),
        blocks => {
            out.key("content");
            content(blocks, out, losses);
        }
    }
}

fn write_source(source: &Source<'_>, out: &mut Writer) {
    out.key("source");
    out.open();
    match source {
        Source::Base64 { media_type, data } => {
            out.plain_at("type", "base64");
            out.text_at("media_type", media_type);
            out.plain_at("data", data);
        }
        Source::Url(url) => {
            out.plain_at("type", "url");
            out.text_at("url", url);
        }
        Source::Text(text) => {
            out.plain_at("type", "text");
            out.plain_at("media_type", "text/plain");
            out.text_at("data", text);
        }
    }
    out.close();
}

/// The API takes `[a-zA-Z0-9_-]` in an id; another provider's may have more. The same id always becomes the same.
fn tool_id<'a>(id: &'a str) -> Cow<'a, str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if id.bytes().all(fits) {
        return Cow::Borrowed(id);
    }
    let mut written = String::with_capacity(id.len() + 8);
    for byte in id.bytes() {
        if fits(byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("_{byte:02x}"));
        }
    }
    Cow::Owned(written)
}
