//! Writing the conversation.

use std::borrow::Cow;

use bartizan_core::Refusal;

use super::{Top, content};
use crate::names::{Rule, short_id};
use crate::neutral::{Ask, Block, Maker, Role, Signature, Turn};

/// What OpenAI takes for the id of a call.
const CALL_ID: Rule = Rule {
    fits: |byte| byte.is_ascii_graphic(),
    least: 1,
    most: 64,
};

pub(super) fn write(top: &mut Top<'_, '_>) -> Result<(), Refusal> {
    let ask = top.ask;
    let mut turns = ask.turns.as_slice();
    if let Some((text, rest)) = instructions(ask) {
        top.out.text_at("instructions", text);
        turns = rest;
    }
    top.out.key("input");
    top.out.open_list();
    for turn in turns {
        match turn.role {
            Role::System => message(top, turn, "system")?,
            Role::User | Role::Tool => from_user(top, turn)?,
            Role::Assistant => Said::default().write(top, turn)?,
        }
    }
    top.out.close_list();
    Ok(())
}

/// Instructions that are one text in front of the conversation; others keep their places and parts among its messages.
fn instructions<'e, 'a>(ask: &'e Ask<'a>) -> Option<(&'e str, &'e [Turn<'a>])> {
    let (first, rest) = ask.turns.split_first()?;
    if first.role != Role::System || rest.first()?.role == Role::System {
        return None;
    }
    match first.blocks.as_slice() {
        [
            Block::Text {
                text, cache: None, ..
            },
        ] => Some((text, rest)),
        _ => None,
    }
}

fn message(top: &mut Top<'_, '_>, turn: &Turn<'_>, role: &str) -> Result<(), Refusal> {
    let blocks: Vec<&Block<'_>> = turn.blocks.iter().collect();
    if blocks.is_empty() {
        return Ok(());
    }
    top.out.open();
    top.out.plain_at("role", role);
    top.out.key("content");
    content::write(top, turn, &blocks, "")?;
    top.out.close();
    Ok(())
}

/// Results of tools are items of their own; all else is a message.
fn from_user(top: &mut Top<'_, '_>, turn: &Turn<'_>) -> Result<(), Refusal> {
    let (results, rest): (Vec<&Block<'_>>, Vec<&Block<'_>>) = turn
        .blocks
        .iter()
        .partition(|block| matches!(block, Block::ToolResult { .. }));
    for block in results {
        result(top, turn, block)?;
    }
    if rest.is_empty() {
        return Ok(());
    }
    top.out.open();
    top.out.plain_at("role", "user");
    top.out.key("content");
    content::write(top, turn, &rest, "")?;
    top.out.close();
    Ok(())
}

fn result(top: &mut Top<'_, '_>, turn: &Turn<'_>, block: &Block<'_>) -> Result<(), Refusal> {
    let Block::ToolResult {
        id,
        blocks,
        is_error,
        custom,
        cache,
        ..
    } = block
    else {
        return Ok(());
    };
    // Not every dialect says of a result what it is a result of.
    let custom = *custom || is_custom(top.ask, id);
    top.out.open();
    top.out.plain_at(
        "type",
        if custom {
            "custom_tool_call_output"
        } else {
            "function_call_output"
        },
    );
    top.out.text_at("call_id", &short_id(id, CALL_ID));
    top.out.key("output");
    // The API has no other place for it.
    let mark = if *is_error {
        top.losses.changed("messages.is_error");
        "Error: "
    } else {
        ""
    };
    let blocks: Vec<&Block<'_>> = blocks.iter().collect();
    content::write(top, turn, &blocks, mark)?;
    top.out.close();
    if cache.is_some() {
        top.losses.dropped("cache_control");
    }
    Ok(())
}

fn is_custom(ask: &Ask<'_>, result_of: &str) -> bool {
    let mut blocks = ask.turns.iter().flat_map(|turn| &turn.blocks);
    blocks.any(|block| match block {
        Block::ToolUse { id, custom, .. } => *custom && id == result_of,
        _ => false,
    })
}

/// What the model said in one turn, of which each kind is an item.
#[derive(Default)]
struct Said<'t, 'a> {
    /// Words that wait for their message to be whole.
    words: Vec<&'t Block<'a>>,
    /// Parts of a thought that wait for its proof.
    thoughts: Vec<(Option<&'t str>, &'t str)>,
}

impl<'t, 'a> Said<'t, 'a> {
    fn write(mut self, top: &mut Top<'_, '_>, turn: &'t Turn<'a>) -> Result<(), Refusal> {
        for block in &turn.blocks {
            match block {
                Block::Text { .. } | Block::Refusal { .. } => {
                    self.unproven(top);
                    self.words.push(block);
                }
                Block::Thinking {
                    id,
                    text,
                    signature,
                } => {
                    self.message(top, turn);
                    self.think(top, id.as_deref(), text, signature.as_ref());
                }
                Block::Redacted { id, data } => {
                    self.message(top, turn);
                    self.think(top, id.as_deref(), "", Some(data));
                }
                Block::ToolUse { .. } => {
                    self.message(top, turn);
                    self.unproven(top);
                    call(top, block);
                }
                Block::Foreign { name } => top.losses.dropped(name),
                Block::ToolResult { .. } => {
                    let says = "results of tools come from the user's side";
                    return Err(top.ask.unsupported_in(turn, says));
                }
                Block::Image { .. }
                | Block::Document { .. }
                | Block::Audio { .. }
                | Block::Video { .. } => {
                    let says = "what the model said is sent back as texts alone";
                    return Err(top.ask.unsupported_in(turn, says));
                }
            }
        }
        self.message(top, turn);
        self.unproven(top);
        Ok(())
    }

    /// A message without a refusal is one text: its parts are no more than places where a stream was cut.
    fn message(&mut self, top: &mut Top<'_, '_>, turn: &Turn<'_>) {
        let words = std::mem::take(&mut self.words);
        let mut text = String::new();
        let mut refused = false;
        for block in &words {
            match block {
                Block::Text {
                    text: said, cache, ..
                } => {
                    text.push_str(said);
                    if cache.is_some() {
                        top.losses.dropped("cache_control");
                    }
                }
                _ => refused = true,
            }
        }
        if text.is_empty() && !refused {
            return;
        }
        let out = &mut top.out;
        out.open();
        if !refused {
            out.plain_at("role", "assistant");
            out.text_at("content", &text);
            out.close();
            return;
        }
        // Only a message in full has a place for it, and such a one has a name.
        out.plain_at("type", "message");
        out.plain_at("id", &format!("msg_{}", turn.at));
        out.plain_at("status", "completed");
        out.plain_at("role", "assistant");
        out.key("content");
        out.open_list();
        for block in words {
            match block {
                Block::Text { text, .. } if !text.is_empty() => {
                    out.open();
                    out.plain_at("type", "output_text");
                    out.text_at("text", text);
                    out.raw(r#""annotations":[],"logprobs":[]"#);
                    out.close();
                }
                Block::Refusal { text } => {
                    out.open();
                    out.plain_at("type", "refusal");
                    out.text_at("refusal", text);
                    out.close();
                }
                _ => {}
            }
        }
        out.close_list();
        out.close();
    }

    /// A thought goes back with its proof; parts without one are parts of the thought whose proof comes next.
    fn think(
        &mut self,
        top: &mut Top<'_, '_>,
        id: Option<&'t str>,
        text: &'t str,
        signature: Option<&Signature<'_>>,
    ) {
        if self.thoughts.last().is_some_and(|(last, _)| *last != id) {
            self.unproven(top);
        }
        let Some(signature) = signature else {
            self.thoughts.push((id, text));
            return;
        };
        if signature.maker != Maker::OpenAi {
            self.unproven(top);
            top.losses.dropped("messages.reasoning_details");
            return;
        }
        self.thoughts.push((id, text));
        let out = &mut top.out;
        out.open();
        out.plain_at("type", "reasoning");
        if let Some(id) = id.filter(|id| is_item_id(id)) {
            out.plain_at("id", id);
        }
        out.key("summary");
        out.open_list();
        for (_, text) in self.thoughts.drain(..) {
            if !text.is_empty() {
                out.open();
                out.plain_at("type", "summary_text");
                out.text_at("text", text);
                out.close();
            }
        }
        out.close_list();
        out.text_at("encrypted_content", &signature.data);
        out.close();
    }

    fn unproven(&mut self, top: &mut Top<'_, '_>) {
        if !self.thoughts.is_empty() {
            self.thoughts.clear();
            top.losses.dropped("messages.reasoning_content");
        }
    }
}

/// What OpenAI takes for the name of a thought.
fn is_item_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    id.len() <= 64 && id.starts_with("rs_") && id.bytes().all(plain)
}

fn call(top: &mut Top<'_, '_>, block: &Block<'_>) {
    let Block::ToolUse {
        id,
        name,
        input,
        custom,
        cache,
        signature,
    } = block
    else {
        return;
    };
    if cache.is_some() {
        top.losses.dropped("cache_control");
    }
    if signature.is_some() {
        top.losses.dropped("messages.tool_calls.extra_content");
    }
    let (kind, body) = if *custom {
        ("custom_tool_call", "input")
    } else {
        ("function_call", "arguments")
    };
    let input = match input.as_ref() {
        "" if !custom => Cow::Borrowed("{}"),
        input => Cow::Borrowed(input),
    };
    let name = top.names.there(name);
    let out = &mut top.out;
    out.open();
    out.plain_at("type", kind);
    out.text_at("call_id", &short_id(id, CALL_ID));
    out.text_at("name", name);
    out.text_at(body, &input);
    out.close();
}
