//! Writing the conversation.

use std::borrow::Cow;

use bartizan_core::Refusal;

use crate::losses::Losses;
use crate::neutral::{Ask, Block, Maker, Role, Source, Turn};
use crate::write::Writer;

/// The kinds of images that the API takes.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// The model's own words, which the API does not tell from the rest.
const REFUSAL: &str = "messages.refusal";

/// Instructions stand in front of the conversation; those that stood inside it are joined to them, and that is reported.
pub(super) fn system(ask: &Ask<'_>, out: &mut Writer, losses: &mut Losses) -> Result<(), Refusal> {
    let turns = &ask.turns;
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
            let said = turn.blocks.iter().filter(|block| !is_empty(block));
            blocks.extend(said.map(|block| (turn, block)));
        } else {
            begun = true;
        }
    }
    if !blocks.is_empty() {
        out.key("system");
        content(ask, &blocks, out, losses)?;
    }
    Ok(())
}

/// Where nobody speaks but the application, its last instruction is what the user says: the API wants a turn, and none is made up.
pub(crate) fn spoken_instructions(turns: &[Turn<'_>]) -> Option<usize> {
    if turns.iter().any(|turn| turn.role != Role::System) {
        return None;
    }
    turns
        .iter()
        .rposition(|turn| turn.blocks.iter().any(|block| !is_empty(block)))
}

/// Neighbours of one role are one turn; results of tools come first in it. Nothing is made up.
pub(super) fn messages(
    ask: &Ask<'_>,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let turns = &ask.turns;
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
                .flat_map(|turn| turn.blocks.iter().map(|block| (*turn, block)))
                .filter(move |(_, block)| matches!(block, Block::ToolResult { .. }) == results)
        };
        let blocks: Vec<(&Turn<'_>, &Block<'_>)> = of(true)
            .chain(of(false))
            .filter(|(_, block)| !is_empty(block) && !is_left_out(block, losses))
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
        if let [(_, block)] = blocks.as_slice()
            && let Some(text) = plain(block, losses)
        {
            out.text(text);
        } else {
            content(ask, &blocks, out, losses)?;
        }
        out.close();
    }
    out.close_list();
    if any {
        Ok(())
    } else {
        Err(ask.invalid("messages", "at least one message with something in it"))
    }
}

/// The API refuses empty texts.
fn is_empty(block: &Block<'_>) -> bool {
    matches!(block, Block::Text { text, .. } | Block::Refusal { text } if text.is_empty())
}

/// What the API can't take back, whose absence changes no meaning: thinking that it did not sign, and what other providers ran.
fn is_left_out(block: &Block<'_>, losses: &mut Losses) -> bool {
    let signed = match block {
        Block::Thinking { signature, .. } => signature.as_ref(),
        Block::Redacted { data, .. } => Some(data),
        Block::Foreign { name } => {
            losses.dropped(name);
            return true;
        }
        _ => return false,
    };
    match signed {
        Some(signed) if signed.maker == Maker::Anthropic && !signed.data.is_empty() => false,
        Some(signed) if signed.maker != Maker::Anthropic => {
            losses.dropped("messages.reasoning_details");
            true
        }
        _ => {
            losses.dropped("messages.reasoning_content");
            true
        }
    }
}

/// A text that needs no block of its own.
fn plain<'b>(block: &'b Block<'_>, losses: &mut Losses) -> Option<&'b str> {
    match block {
        Block::Text {
            text, cache: None, ..
        } => Some(text),
        Block::Refusal { text } => {
            losses.changed(REFUSAL);
            Some(text)
        }
        _ => None,
    }
}

fn content(
    ask: &Ask<'_>,
    blocks: &[(&Turn<'_>, &Block<'_>)],
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    out.open_list();
    for (turn, block) in blocks {
        write(ask, turn, block, out, losses)?;
    }
    out.close_list();
    Ok(())
}

fn write(
    ask: &Ask<'_>,
    turn: &Turn<'_>,
    block: &Block<'_>,
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    out.open();
    let cache = match block {
        Block::Text { text, cache, .. } => {
            out.plain_at("type", "text");
            out.text_at("text", text);
            cache
        }
        Block::Refusal { text } => {
            losses.changed(REFUSAL);
            out.plain_at("type", "text");
            out.text_at("text", text);
            &None
        }
        Block::Image {
            source,
            detail,
            cache,
        } => {
            if detail.is_some() {
                losses.dropped("messages.image_url.detail");
            }
            if let Source::Base64 { media_type, .. } = source
                && !IMAGES.contains(&media_type.as_ref())
            {
                let says = "an image is image/jpeg, image/png, image/gif or image/webp";
                return Err(ask.unsupported_in(turn, says));
            }
            out.plain_at("type", "image");
            write_source(ask, turn, source, out)?;
            cache
        }
        Block::Document {
            source,
            title,
            cache,
        } => {
            if let Source::Base64 { media_type, .. } = source
                && media_type != "application/pdf"
            {
                return Err(ask.unsupported_in(turn, "a file is application/pdf or text/plain"));
            }
            out.plain_at("type", "document");
            write_source(ask, turn, source, out)?;
            if let Some(title) = title {
                out.text_at("title", title);
            }
            cache
        }
        Block::Audio { .. } => return Err(ask.unsupported_in(turn, "the provider takes no audio")),
        Block::Video { .. } => return Err(ask.unsupported_in(turn, "the provider takes no video")),
        Block::Thinking {
            text, signature, ..
        } => {
            let signature = signature.as_ref().map(|signature| signature.data.as_ref());
            out.plain_at("type", "thinking");
            out.text_at("thinking", text);
            out.text_at("signature", signature.unwrap_or_default());
            &None
        }
        Block::Redacted { data, .. } => {
            out.plain_at("type", "redacted_thinking");
            out.text_at("data", &data.data);
            &None
        }
        Block::ToolUse { custom: true, .. } => {
            let says = "the provider has no tools that take other text than JSON";
            return Err(ask.unsupported_in(turn, says));
        }
        Block::ToolUse {
            id,
            name,
            input,
            cache,
            signature,
            ..
        } => {
            if signature.is_some() {
                losses.dropped("messages.tool_calls.extra_content");
            }
            out.plain_at("type", "tool_use");
            out.text_at("id", &tool_id(id));
            out.text_at("name", name);
            out.raw_at("input", input);
            cache
        }
        Block::ToolResult {
            id,
            blocks,
            is_error,
            cache,
            ..
        } => {
            out.plain_at("type", "tool_result");
            out.text_at("tool_use_id", &tool_id(id));
            result(ask, turn, blocks, out, losses)?;
            if *is_error {
                out.raw_at("is_error", "true");
            }
            cache
        }
        // Left out before.
        Block::Foreign { .. } => &None,
    };
    if let Some(cache) = cache {
        out.raw_at("cache_control", cache.raw());
    }
    out.close();
    Ok(())
}

fn result(
    ask: &Ask<'_>,
    turn: &Turn<'_>,
    blocks: &[Block<'_>],
    out: &mut Writer,
    losses: &mut Losses,
) -> Result<(), Refusal> {
    let blocks: Vec<_> = blocks
        .iter()
        .filter(|block| !is_empty(block))
        .map(|block| (turn, block))
        .collect();
    match blocks.as_slice() {
        [] => {}
        [
            (
                _,
                Block::Text {
                    text, cache: None, ..
                },
            ),
        ] => out.text_at("content", text),
        blocks => {
            out.key("content");
            content(ask, blocks, out, losses)?;
        }
    }
    Ok(())
}

fn write_source(
    ask: &Ask<'_>,
    turn: &Turn<'_>,
    source: &Source<'_>,
    out: &mut Writer,
) -> Result<(), Refusal> {
    out.key("source");
    out.open();
    match source {
        Source::Base64 { media_type, data } => {
            out.plain_at("type", "base64");
            out.text_at("media_type", media_type);
            out.plain_at("data", data);
        }
        Source::File { .. } => {
            let says = "the provider does not have the file: send its data";
            return Err(ask.unsupported_in(turn, says));
        }
        Source::Url { url, .. } if !url.starts_with("http") => {
            let says = "the provider fetches from https: addresses alone";
            return Err(ask.unsupported_in(turn, says));
        }
        Source::Url { url, .. } => {
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
    Ok(())
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
