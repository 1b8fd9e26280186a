//! Writing the conversation.

use bartizan_core::Refusal;

use super::{Pen, media, tool_id};
use crate::anthropic::spoken_instructions;
use crate::bedrock::family::Family;
use crate::media::is_base64;
use crate::neutral::{Block, Role, Signature, Turn};

/// Instructions stand in front of the conversation; those that stood inside it are joined to them, and that is reported.
pub(super) fn system(pen: &mut Pen<'_, '_>) -> Result<(), Refusal> {
    let turns = &pen.ask.turns;
    let spoken = spoken_instructions(turns);
    if spoken.is_some() {
        pen.losses.moved("messages.system");
    }
    let mut said = Vec::new();
    let mut begun = false;
    for (at, turn) in turns.iter().enumerate() {
        if turn.role != Role::System || spoken == Some(at) {
            begun = true;
            continue;
        }
        let blocks = turn.blocks.iter().filter(|block| !is_blank(block));
        let before = said.len();
        said.extend(blocks.map(|block| (turn, block)));
        if begun && said.len() > before {
            pen.losses.moved("messages.system");
        }
    }
    if said.is_empty() {
        return Ok(());
    }
    pen.out.key("system");
    pen.out.open_list();
    for (turn, block) in said {
        match block {
            Block::Text { .. } | Block::Refusal { .. } => write(pen, turn, block)?,
            _ => {
                return Err(pen
                    .ask
                    .unsupported_in(turn, "the provider's instructions are text"));
            }
        }
    }
    pen.out.close_list();
    Ok(())
}

/// Roles alternate: neighbours of one role are one turn, results of tools first in it. Nothing is made up.
pub(super) fn messages(pen: &mut Pen<'_, '_>) -> Result<(), Refusal> {
    let ask = pen.ask;
    let spoken = spoken_instructions(&ask.turns);
    let mut turns = ask
        .turns
        .iter()
        .enumerate()
        .filter(|(at, turn)| turn.role != Role::System || spoken == Some(*at))
        .map(|(_, turn)| turn)
        .peekable();
    let mut groups: Vec<(bool, Vec<(&Turn<'_>, &Block<'_>)>)> = Vec::new();
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
        let all: Vec<_> = of(true).chain(of(false)).collect();
        let mut blocks = Vec::with_capacity(all.len());
        for (turn, block) in all {
            if !is_left_out(pen, block) {
                blocks.push((turn, block));
            }
        }
        match groups.last_mut() {
            _ if blocks.is_empty() => pen.losses.dropped("messages"),
            // What stood between had nothing in it.
            Some((role, before)) if *role == by_model => before.append(&mut blocks),
            _ => groups.push((by_model, blocks)),
        }
    }
    if groups.is_empty() {
        return Err(ask.invalid("messages", "at least one message with something in it"));
    }
    pen.out.key("messages");
    pen.out.open_list();
    let last = groups.len().saturating_sub(1);
    for (at, (by_model, blocks)) in groups.into_iter().enumerate() {
        pen.out.open();
        pen.out
            .plain_at("role", if by_model { "assistant" } else { "user" });
        pen.out.key("content");
        pen.out.open_list();
        for (turn, block) in blocks {
            write(pen, turn, block)?;
        }
        if at == last {
            pen.cache_point(ask.cache);
        }
        pen.out.close_list();
        pen.out.close();
    }
    pen.out.close_list();
    Ok(())
}

/// The API refuses texts of white space alone.
fn is_blank(block: &Block<'_>) -> bool {
    matches!(block, Block::Text { text, .. } | Block::Refusal { text } if text.trim().is_empty())
}

/// What the API can't take, whose absence changes no meaning: blank texts, thinking that it did not sign, and what other providers ran.
fn is_left_out(pen: &mut Pen<'_, '_>, block: &Block<'_>) -> bool {
    match block {
        Block::Text { text, .. } | Block::Refusal { text } if text.trim().is_empty() => {
            if !text.is_empty() {
                pen.losses.dropped("messages.content");
            }
            true
        }
        Block::Thinking { signature, .. } => match signature {
            Some(signature) => !is_own(pen, signature),
            None => {
                pen.losses.dropped("messages.reasoning_content");
                true
            }
        },
        Block::Redacted { data, .. } => !(is_own(pen, data) && is_data(pen, data)),
        Block::Foreign { name } => {
            pen.losses.dropped(name);
            true
        }
        _ => false,
    }
}

fn is_own(pen: &mut Pen<'_, '_>, signature: &Signature<'_>) -> bool {
    let own = signature.maker == pen.family.maker() && !signature.data.is_empty();
    if !own {
        pen.losses.dropped("messages.reasoning_details");
    }
    own
}

/// What is no base64 was never the API's.
fn is_data(pen: &mut Pen<'_, '_>, data: &Signature<'_>) -> bool {
    let fits = is_base64(&data.data);
    if !fits {
        pen.losses.dropped("messages.reasoning_details");
    }
    fits
}

fn write(pen: &mut Pen<'_, '_>, turn: &Turn<'_>, block: &Block<'_>) -> Result<(), Refusal> {
    let cache = match block {
        Block::Text { text, cache, .. } => {
            text_block(pen, text);
            *cache
        }
        Block::Refusal { text } => {
            pen.losses.changed("messages.refusal");
            text_block(pen, text);
            None
        }
        Block::Image {
            source,
            detail,
            cache,
        } => {
            if detail.is_some() {
                pen.losses.dropped("messages.image_url.detail");
            }
            media::image(pen, turn, source)?;
            *cache
        }
        Block::Document {
            source,
            title,
            cache,
        } => {
            media::document(pen, turn, source, title.as_deref())?;
            *cache
        }
        Block::Audio { source } => {
            media::audio(pen, turn, source)?;
            None
        }
        Block::Video { source } => {
            media::video(pen, turn, source)?;
            None
        }
        Block::Thinking {
            text, signature, ..
        } => {
            pen.out.open();
            pen.out.key("reasoningContent");
            pen.out.open();
            pen.out.key("reasoningText");
            pen.out.open();
            pen.out.text_at("text", text);
            if let Some(signature) = signature {
                pen.out.text_at("signature", &signature.data);
            }
            pen.out.close();
            pen.out.close();
            pen.out.close();
            None
        }
        Block::Redacted { data, .. } => {
            pen.out.open();
            pen.out.key("reasoningContent");
            pen.out.open();
            pen.out.plain_at("redactedContent", &data.data);
            pen.out.close();
            pen.out.close();
            None
        }
        Block::ToolUse { custom: true, .. } => {
            let says = "the provider has no tools that take other text than JSON";
            return Err(pen.ask.unsupported_in(turn, says));
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
                pen.losses.dropped("messages.tool_calls.extra_content");
            }
            pen.out.open();
            pen.out.key("toolUse");
            pen.out.open();
            pen.out.plain_at("toolUseId", &tool_id(id));
            pen.out.text_at("name", pen.names.there(name));
            let input = if input.is_empty() { "{}" } else { input };
            pen.out.raw_at("input", input);
            pen.out.close();
            pen.out.close();
            *cache
        }
        Block::ToolResult {
            id,
            blocks,
            is_error,
            cache,
            ..
        } => {
            pen.out.open();
            pen.out.key("toolResult");
            pen.out.open();
            pen.out.plain_at("toolUseId", &tool_id(id));
            pen.out.key("content");
            pen.out.open_list();
            for block in blocks.iter().filter(|block| !is_blank(block)) {
                result(pen, turn, block)?;
            }
            pen.out.close_list();
            // Only Anthropic's and Nova's models are told.
            if *is_error && matches!(pen.family, Family::Claude | Family::Nova | Family::Unknown) {
                pen.out.plain_at("status", "error");
            } else if *is_error {
                pen.losses.dropped("messages.is_error");
            }
            pen.out.close();
            pen.out.close();
            *cache
        }
        // Left out before.
        Block::Foreign { .. } => None,
    };
    pen.cache_point(cache);
    Ok(())
}

fn text_block(pen: &mut Pen<'_, '_>, text: &str) {
    pen.out.open();
    pen.out.text_at("text", text);
    pen.out.close();
}

/// A part of a tool's result. Marks for the cache have no place in it.
fn result(pen: &mut Pen<'_, '_>, turn: &Turn<'_>, block: &Block<'_>) -> Result<(), Refusal> {
    match block {
        Block::Text { text, cache, .. } => {
            if cache.is_some() {
                pen.losses.dropped("cache_control");
            }
            text_block(pen, text);
        }
        Block::Image { cache: Some(_), .. } | Block::Document { cache: Some(_), .. } => {
            let says = "the provider takes no mark for its cache within a tool's result";
            return Err(pen.ask.unsupported_in(turn, says));
        }
        Block::Image { .. } | Block::Document { .. } | Block::Video { .. } => {
            write(pen, turn, block)?;
        }
        Block::Foreign { name } => pen.losses.dropped(name),
        _ => {
            let says = "the provider takes texts, images, documents and videos as a tool's result";
            return Err(pen.ask.unsupported_in(turn, says));
        }
    }
    Ok(())
}
